//! Refusals of `up` before anything runs.

use crate::program::Place;

const NEEDS_KEY: &str = r#"[mob]
id = "m"
[models.main]
provider = "openai"
model = "gpt-5.6"
api_key = { env = "MY_KEY" }
[profiles.p]
model = "main"
instructions = "x"
[[members]]
id = "a"
profile = "p"
"#;

#[test]
fn a_key_that_is_absent_is_named_with_the_way_around_it() {
    let place = Place::empty();
    place.write("mob.toml", NEEDS_KEY);
    let run = place.run(&["up"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(
        run.stderr.contains("environment variable MY_KEY"),
        "{run:?}"
    );
    assert!(run.stderr.contains("mobkit up --rehearse"), "{run:?}");
    let named = "error[model.key_missing]: mob.toml: the key models.main.api_key";
    assert!(run.stderr.starts_with(named), "{run:?}");
    assert!(
        !place.path().join(".mobkit").exists(),
        "nothing is left behind"
    );
}

#[test]
fn a_port_that_is_taken_names_the_flag() {
    let place = Place::empty();
    place.write("mob.toml", NEEDS_KEY);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("bound").to_string();
    let run = place.run(&["up", "--rehearse", "--listen", &listen]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stderr.contains("listen.busy") && run.stderr.contains("--listen"),
        "{run:?}"
    );
}

#[test]
fn other_machines_are_kept_out() {
    let place = Place::empty();
    place.write("mob.toml", NEEDS_KEY);
    let run = place.run(&["up", "--rehearse", "--listen", "0.0.0.0:0"]);
    assert_eq!(run.code, 5, "{run:?}");
}
