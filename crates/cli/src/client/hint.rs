//! Hints of a server, in the words of the command line.

/// Operations that have a command of their own; the others are called with `mobkit rpc`.
const COMMANDS: [(&str, &str); 26] = [
    ("approval/decide", "approve"),
    ("approval/list", "approvals"),
    ("delivery/list", "deliveries"),
    ("delivery/replay", "deliveries replay"),
    ("event/query", "events"),
    ("grant/list", "grants"),
    ("member/list", "ps"),
    ("member/pause", "pause"),
    ("member/resume", "resume"),
    ("member/send", "send"),
    ("mob/apply", "apply"),
    ("mob/pause", "pause --all"),
    ("mob/plan", "plan"),
    ("mob/resume", "resume --all"),
    ("mob/status", "status"),
    ("module/list", "modules"),
    ("module/log", "modules log"),
    ("module/restart", "modules restart"),
    ("module/start", "modules start"),
    ("route/enable", "routes enable"),
    ("route/list", "routes"),
    ("schedule/list", "schedule"),
    ("schedule/pause", "schedule pause"),
    ("schedule/put", "schedule put"),
    ("system/shutdown", "down"),
    ("task/list", "tasks"),
];

/// The hint with each operation that it names as the command that calls it.
pub(super) fn in_commands(hint: &str) -> String {
    let mut parts = hint.split('`');
    let mut told = parts.next().unwrap_or_default().to_owned();
    for (place, part) in parts.enumerate() {
        told.push('`');
        // Between an opening and a closing mark.
        match command(part).filter(|_| place % 2 == 0) {
            Some(command) => told.push_str(&command),
            None => told.push_str(part),
        }
    }
    told
}

fn command(name: &str) -> Option<String> {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let (noun, verb) = name.split_once('/')?;
    if !is_word(noun) || !is_word(verb) {
        return None;
    }
    let known = COMMANDS.iter().find(|(operation, _)| *operation == name);
    Some(match known {
        Some((_, command)) => format!("mobkit {command}"),
        None => format!("mobkit rpc {name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_commands() {
        for (hint, told) in [
            (
                "`member/list` shows the members",
                "`mobkit ps` shows the members",
            ),
            (
                "change the mob file; `schedule/pause` stops it for a time",
                "change the mob file; `mobkit schedule pause` stops it for a time",
            ),
            (
                "`tool/resolve` says it",
                "`mobkit rpc tool/resolve` says it",
            ),
            (
                "`mobkit ps`, or a/b, or `x y/z`",
                "`mobkit ps`, or a/b, or `x y/z`",
            ),
            (
                "did you mean `member/get`?",
                "did you mean `mobkit rpc member/get`?",
            ),
            ("", ""),
        ] {
            assert_eq!(in_commands(hint), told);
        }
    }

    #[test]
    fn every_command_of_a_hint_is_one() {
        use clap::CommandFactory;
        for (operation, command) in COMMANDS {
            let mut at = crate::arguments::Arguments::command();
            for word in command.split(' ').filter(|word| !word.starts_with('-')) {
                let found = at.find_subcommand(word);
                at = found
                    .unwrap_or_else(|| panic!("{operation}: {command}"))
                    .clone();
            }
        }
    }
}
