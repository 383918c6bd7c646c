//! Scripts by which shells complete what is typed.

use crate::program::Place;
use std::process::{Command, Stdio};

#[test]
fn every_shell_gets_every_command() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish"] {
        let run = place.run(&["completion", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell} {run:?}");
        for command in mobkit_cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(run.stdout.contains(name), "{shell} knows no {name}");
        }
    }
    let run = place.run(&["completion", "tcsh"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn bash_completes_commands_and_options() {
    let place = Place::empty();
    place.write("script", &place.run(&["completion", "bash"]).stdout);
    for (words, completed) in [
        (&["mobkit", "dow"][..], "down\n"),
        (&["mobkit", "schedule", "backf"], "backfill\n"),
        (&["mobkit", "send", "--each"], "--each-line\n"),
    ] {
        let line = words.join(" ");
        let cursor = words.len() - 1;
        let typed = format!(
            "source ./script; COMP_WORDS=({line}); COMP_CWORD={cursor}; \
             _mobkit mobkit {} {}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words[cursor],
            words[cursor - 1]
        );
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", &typed])
            .current_dir(place.path());
        let run = bash.stdin(Stdio::null()).output().expect("bash starts");
        let said = String::from_utf8_lossy(&run.stdout);
        assert_eq!(said, completed, "{line}: {run:?}");
    }
}
