//! What shells complete: they ask the program itself.

use crate::fake::{Fake, Reply};
use crate::program::Place;
use crate::running::path;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

/// What bash offers after these words.
fn offered(place: &Place, words: &[&str]) -> Vec<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_mobkit"));
    let folder = binary.parent().expect("a folder").display();
    let (_, path) = path().expect("there is a PATH");
    place.write("script", &place.run(&["completion", "bash"]).stdout);
    let typed = format!(
        "source ./script; COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9; \
         _clap_complete_mobkit mobkit '{}' ''; IFS=$'\\n'; printf '%s\\n' \"${{COMPREPLY[*]}}\"",
        words.join(" "),
        words.len() - 1,
        words.last().expect("a word"),
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &typed])
        .current_dir(place.path());
    bash.env_clear().env("PATH", format!("{folder}:{path}"));
    let run = bash.stdin(Stdio::null()).output().expect("bash starts");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.stderr.is_empty(), "{run:?}");
    said.split(['\n', '\u{b}'])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_shell_gets_a_script_that_asks_the_program() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = place.run(&["completion", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell} {run:?}");
        assert!(run.stdout.contains("COMPLETE"), "{shell}");
    }
    let run = place.run(&["completion", "tcsh"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn bash_completes_commands_and_options() {
    let place = Place::empty();
    for (words, completed) in [
        (&["mobkit", "dow"][..], "down"),
        (&["mobkit", "schedule", "backf"], "backfill"),
        (&["mobkit", "send", "--each"], "--each-line"),
    ] {
        assert_eq!(offered(&place, words), [completed], "{words:?}");
    }
}

#[test]
fn ids_come_from_the_running_server_and_nothing_where_none_runs() {
    let server = Fake::start(|request| {
        Reply::Json(
            200,
            match request.path.as_str() {
                "/api/v1/member/list" => json!({"members": [
                {"id": "writer", "state": "idle"}, {"id": "critic", "state": "idle"}]}),
                "/api/v1/module/list" => json!({"modules": [{"id": "mail", "state": "healthy"}]}),
                "/api/v1/approval/list" => json!({"approvals": [{"id": "apr-12", "tool": "t"}]}),
                "/api/v1/schedule/list" => json!({"schedules": [{"id": "daily"}]}),
                "/api/v1/delivery/list" => json!({"deliveries": [{"id": "dlv-9"}]}),
                "/api/v1/route/list" => json!({"routes": [{"id": "ops"}]}),
                _ => json!({}),
            },
        )
    });
    let place = Place::of(&server);
    for (words, completed) in [
        (&["mobkit", "send", "wri"][..], &["writer"][..]),
        (&["mobkit", "chat", "cr"], &["critic"]),
        (&["mobkit", "modules", "restart", "m"], &["mail"]),
        (&["mobkit", "approve", "a"], &["apr-12"]),
        (&["mobkit", "approvals", "show", "a"], &["apr-12"]),
        (&["mobkit", "schedule", "pause", "d"], &["daily"]),
        (&["mobkit", "deliveries", "show", "d"], &["dlv-9"]),
        (&["mobkit", "routes", "enable", "o"], &["ops"]),
    ] {
        assert_eq!(offered(&place, words), completed, "{words:?}");
    }
    assert_eq!(
        offered(&Place::empty(), &["mobkit", "send", "wri"]),
        Vec::<String>::new()
    );
}
