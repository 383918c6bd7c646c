//! stdout holds the result, stderr the rest; colour is for people.

use crate::fake::Fake;
use crate::program::Place;
use serde_json::json;

fn members() -> Fake {
    Fake::always(
        200,
        json!({"members": [
            {"id": "editor", "profile": "desk", "state": "idle", "queue_len": 0, "tokens": 12,
             "cost_usd": 0.25, "labels": {"team": "news", "desk": "eu"}},
            {"id": "reporter", "profile": "reporter", "state": "failed", "queue_len": 2,
             "turn": "turn-9", "tokens": 0, "cost_usd": null, "last_error": "401",
             "labels": {"team": "news"}},
        ]}),
    )
}

#[test]
fn who_needs_attention_comes_first() {
    let server = members();
    let run =
        Place::of(&server).run(&["ps", "--in", "failed", "--profile", "p", "-l", "team=news"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    insta::assert_snapshot!(run.stdout, @r#"
    STATE   NAME      PROFILE   QUEUE  TURN    TOKENS  COST      LAST
    failed  reporter  reporter  2      turn-9  0       unpriced  401
    idle    editor    desk      0      -       12      $0.2500   -
    "#);
    let body = json!({"limit": 500, "label": "team=news", "profile": "p", "state": "failed"});
    assert_eq!(server.seen()[0].body, body);
}

#[test]
fn further_labels_are_filtered_too() {
    let run = Place::of(&members()).run(&["ps", "--json", "-l", "team=news", "-l", "desk=eu"]);
    assert_eq!(
        run.document()["members"].as_array().map(Vec::len),
        Some(1),
        "{run:?}"
    );
}

#[test]
fn every_page_is_read() {
    let server = Fake::start(|request| {
        let cursor = request.body["cursor"].as_str().unwrap_or("0");
        let page: u64 = cursor.parse().expect("a cursor of ours");
        let mut body = json!({"members": [{"id": format!("m{page}"), "state": "idle"}]});
        if page < 3 {
            body["next_cursor"] = (page + 1).to_string().into();
        }
        crate::fake::Reply::Json(200, body)
    });
    let run = Place::of(&server).run(&["ps", "--json"]);
    assert_eq!(
        run.document()["members"].as_array().map(Vec::len),
        Some(4),
        "{run:?}"
    );
}

#[test]
fn colour_is_there_where_it_is_asked_for() {
    let server = members();
    let place = Place::of(&server);
    let is_colored = |words: &[&str], variable: Option<(&str, &str)>| {
        let mut command = place.command(words);
        command.envs(variable);
        let run = crate::program::finish(&mut command);
        run.stdout.contains('\u{1b}') || run.stderr.contains('\u{1b}')
    };
    assert!(!is_colored(&["ps"], None));
    assert!(is_colored(&["ps", "--color", "always"], None));
    assert!(is_colored(&["ps"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!is_colored(
        &["ps", "--color=never"],
        Some(("FORCE_COLOR", "1"))
    ));
    assert!(!is_colored(&["ps"], Some(("NO_COLOR", "1"))));
    assert!(is_colored(&["check", "--color", "always"], None));
    assert!(!is_colored(&["sned"], None));
}

#[test]
fn quiet_leaves_errors() {
    let server = Fake::always(200, json!({"members": []}));
    let place = Place::of(&server);
    assert_eq!(place.run(&["ps"]).stderr, "no members\n");
    assert_eq!(place.run(&["ps", "-q"]).stderr, "");
    assert!(Place::empty().run(&["ps", "-q"]).stderr.contains("error["));
}

#[test]
fn status_carries_the_mark_of_rehearsal() {
    let server = Fake::always(
        200,
        json!({"mob": "newsroom", "state": "running", "members": 5, "head": 1042, "epoch": 3,
            "version": "1.2.3", "pid": 77, "store": "sqlite", "durability": "power",
            "rehearsal": true}),
    );
    let run = Place::of(&server).run(&["status"]);
    insta::assert_snapshot!(run.stdout, @r"
    newsroom running (rehearsal)
    members    5
    journal    1042 events, epoch 3
    store      sqlite, durability power
    server     mobkit 1.2.3, pid 77
    ");
}

#[test]
fn help_and_version_are_results() {
    let place = Place::empty();
    for words in [
        &["--help"][..],
        &["send", "--help"],
        &["--version"],
        &["version"],
    ] {
        let run = place.run(words);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{words:?}");
        assert!(run.stdout.contains("mobkit"), "{words:?}");
    }
    let run = place.run(&[]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("Usage: mobkit"), "{run:?}");
}

#[test]
fn a_line_that_stands_still_is_seen() {
    let body = json!({"mob": "m", "state": "running", "paused": true,
        "members": [{"id": "a", "state": "idle"}]});
    let server = Fake::always(200, body);
    let place = Place::of(&server);
    let run = place.run(&["status"]);
    assert!(run.stdout.starts_with("m running (paused)\n"), "{run:?}");
    assert!(run.stderr.contains("mobkit resume --all"), "{run:?}");
    let run = place.run(&["ps"]);
    assert!(run.stderr.contains("the whole line is paused"), "{run:?}");
    assert_eq!(place.run(&["ps", "--json"]).document()["paused"], true);
}

#[test]
fn help_says_what_resuming_all_means() {
    let help = Place::empty().run(&["resume", "--help"]).stdout;
    assert!(help.contains("The whole line goes on"), "{help}");
}
