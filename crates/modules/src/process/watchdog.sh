# Started by mobkit with the first module; ends with it. Standard input is a pipe whose other end
# only mobkit holds, so it closes when mobkit dies, however that happens. What is then left of its
# modules is killed: the process groups that were told of, and every process that carries the token
# in its environment.
trap '' HUP INT QUIT TERM
groups=
token=
while read -r verb value; do
    case $verb in
    token) token=$value ;;
    add) groups="$groups $value" ;;
    remove)
        kept=
        for group in $groups; do
            [ "$group" = "$value" ] || kept="$kept $group"
        done
        groups=$kept
        ;;
    done) exit 0 ;;
    esac
done
for group in $groups; do
    kill -s KILL -- "-$group"
done
carries() (
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        *"MOBKIT_MODULE=$token/"*) exit 0 ;;
        esac
    done <"$1/environ"
    exit 1
)
[ -n "$token" ] || exit 0
left=1
while [ "$left" = 1 ]; do
    left=0
    for process in /proc/[0-9]*; do
        if carries "$process"; then
            left=1
            kill -s KILL "${process#/proc/}"
        fi
    done
    [ "$left" = 0 ] || sleep 0.05 || sleep 1
done
