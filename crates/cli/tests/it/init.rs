//! Starting from nothing.

use crate::program::Place;
use mobkit_agents::model::Script;

#[test]
fn every_template_is_a_valid_mob_that_can_be_run() {
    for template in ["hello", "team"] {
        let place = Place::empty();
        let run = place.run(&["init", "my mob", "--template", template]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
        assert!(run.stdout.contains("mobkit up"), "{run:?}");
        for name in ["mob.toml", "rehearsal.toml", ".gitignore"] {
            assert!(place.path().join("my mob").join(name).is_file(), "{name}");
        }
        let script = std::fs::read_to_string(place.path().join("my mob/rehearsal.toml"));
        if let Err(error) = Script::parse(&script.expect("a script")) {
            panic!("{template}: {error}");
        }
        let check = place.run(&["check", "my mob", "--json"]);
        assert_eq!(check.code, 0, "{check:?}");
        let document = check.document();
        assert_eq!(document["mob"], "my-mob");
        assert_eq!(document["diagnostics"], serde_json::json!([]), "{document}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::empty();
    place.write("mob.toml", "mine");
    let run = place.run(&["init"]);
    assert_eq!((run.code, run.stdout.as_str()), (6, ""));
    assert!(run.stderr.contains("mob.toml already"), "{run:?}");
    let text = std::fs::read_to_string(place.path().join("mob.toml")).expect("a file");
    assert_eq!(text, "mine");
    assert!(!place.path().join("rehearsal.toml").exists());
}

#[test]
fn the_gitignore_of_a_repository_stays() {
    let place = Place::empty();
    place.write(".gitignore", "target/\n");
    let run = place.run(&["init"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("add .mobkit/ to it"), "{run:?}");
    let text = std::fs::read_to_string(place.path().join(".gitignore")).expect("a file");
    assert_eq!(text, "target/\n");
}

#[test]
fn the_name_of_a_file_is_no_folder() {
    let place = Place::empty();
    assert_eq!(place.run(&["init", "h"]).code, 0);
    for path in ["h/mob.toml", "new/mob.toml"] {
        let run = place.run(&["init", path]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(
            run.stderr.contains("name its folder: `mobkit init "),
            "{run:?}"
        );
    }
    assert!(!place.path().join("new").exists());
}
