//! What is wrong in a mob file.

use crate::program::Place;
use serde_json::json;

const INVALID: &str = r#"[mob]
id = "newsroom"

[models.main]
provider = "rehearsal"

[profiles.editor]
model = "mian"
instructions = "Edit."

[[members]]
id = "desk"
profile = "editor"
nickname = "D"
"#;

#[test]
fn every_error_is_shown_at_its_place() {
    let place = Place::empty();
    place.write("mob.toml", INVALID);
    let run = place.run(&["check"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    insta::assert_snapshot!(run.stderr, @r#"
    error[definition.model_unknown]: profile "editor" uses model "mian", which is not defined
     --> mob.toml:8:9
      |
    8 | model = "mian"
      |         ^^^^^^ no [models.mian]
      = hint: did you mean "main"?

    error[definition.key_unknown]: member "desk" has the unknown key "nickname"
      --> mob.toml:14:1
       |
    14 | nickname = "D"
       | ^^^^^^^^ not a key of this table
       = hint: known keys: id, profile, labels, context, additional_instructions

    error[mob_file.invalid]: mob.toml has 2 errors
      = hint: mend the file and run `mobkit check`
    "#);
}

#[test]
fn errors_are_data_with_json() {
    let place = Place::empty();
    place.write("mob.toml", INVALID);
    let run = place.run(&["check", "mob.toml", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    let document = run.document();
    assert_eq!(document["error"]["code"], "mob_file.invalid");
    assert_eq!(
        document["error"]["at"],
        json!({"file": "mob.toml", "line": 8, "col": 9})
    );
    assert_eq!(
        document["error"]["diagnostics"].as_array().map(Vec::len),
        Some(2),
        "{document}"
    );
}

#[test]
fn a_valid_file_is_summed_up() {
    let place = Place::empty();
    place.write("mob.toml", "[mob]\nid = \"m\"\n");
    let run = place.run(&["check"]);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("ok mob.toml: mob m, 0 members, 0 profiles\n", "")
    );
}

#[test]
fn a_script_that_cannot_be_followed_is_named_by_its_file() {
    let place = Place::empty();
    assert_eq!(place.run(&["init"]).code, 0);
    place.write(
        "rehearsal.toml",
        "[[rules]]\nwhen = { text = \"(\" }\nsay = \"x\"\n",
    );
    let run = place.run(&["check"]);
    assert_eq!(run.code, 3, "{run:?}");
    let named = "error[rehearsal.script_invalid]: rehearsal.toml: the script of model main";
    assert!(run.stderr.starts_with(named), "{run:?}");
}

#[test]
fn what_up_refuses_is_only_warned_of() {
    let place = Place::empty();
    place.write(
        "mob.toml",
        "[mob]\nid = \"m\"\n[store]\nkind = \"postgres\"\nurl = { env = \"DATABASE_URL\" }\n",
    );
    let run = place.run(&["check"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "valid mob.toml: mob m, 0 members, 0 profiles; but `mobkit up` refuses it, see the \
             warnings\n"
        )
    );
    assert!(
        run.stderr.starts_with("warning[definition.unsupported]"),
        "{run:?}"
    );
    assert!(!run.stderr.contains("error["), "{run:?}");
    let document = place.run(&["check", "--json"]).document();
    assert_eq!(
        (&document["valid"], &document["runnable"]),
        (&json!(true), &json!(false))
    );
    let up = place.run(&["up"]);
    assert_eq!(up.code, 3, "{up:?}");
    assert!(up.stderr.contains("postgres"), "{up:?}");
}
