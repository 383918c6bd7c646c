//! `mobkit rehearse`: a day of a mob in seconds.

use crate::program::Place;
use crate::running::Example;
use serde_json::{Value, json};

const MOB: &str = r#"
[mob]
id = "m"
[models.main]
provider = "openai"
model = "x"
api_key = { env = "NO_SUCH_KEY" }
price = { input = 1.0, output = 1.0 }
[profiles.p]
model = "main"
instructions = "x"
tools = ["module:bank/*", "deliver"]
budget = { steps_per_turn = 5 }
[[members]]
id = "desk"
profile = "p"
[[modules]]
id = "bank"
transport = "mcp-stdio"
command = ["no-such-program"]
[[schedules]]
id = "tick"
every = "2m"
to = { member = "desk" }
message = "tick"
[[routes]]
id = "ops"
match = { recipient = "ops" }
sink = { kind = "webhook", url = "https://receiver.example/" }
"#;
const HEAD: &str = "[scenario]\nstart = \"2026-11-23T00:00:00\"\n";

fn place(scenario: &str) -> Place {
    let place = Place::empty();
    place.write("mob.toml", MOB);
    place.write("day.toml", &format!("{HEAD}{scenario}"));
    place
}

/// The report of a rehearsal, and its exit code.
fn report(place: &Place, words: &[&str]) -> (i32, Value) {
    let words = [&["rehearse", "day.toml", "--json"], words].concat();
    let run = place.run(&words);
    (run.code, run.document())
}

#[test]
fn the_monday_of_the_newsroom_goes_as_expected() {
    let monday = Example::folder().join("monday.toml");
    let place = Place::empty();
    let run = place.run(&["rehearse", monday.to_str().expect("a path of text")]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stdout
            .contains("✓  2026-11-23 09:00:00  send to desk (strongest)"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("as expected: 8 expectations held, seed 0"),
        "{}",
        run.stdout
    );
    let here = std::fs::read_dir(place.path()).expect("a folder");
    assert_eq!(here.count(), 0, "nothing of it is kept");
}

#[test]
fn a_day_of_hundreds_of_turns_is_the_same_for_the_same_seed() {
    let place = place(
        "length = \"12h\"\n[[rules]]\nwhen = { text = \"tick\" }\nsay = \"tock\"\n\
         [[timeline]]\nat = \"10:00\"\nkill = \"1m\"\n\
         [[expect]]\nevent = \"turn.completed\"\nat_least = 350\n\
         [[expect]]\nturns_failed = 0\n[[expect]]\ncost_at_most = 1.0\n",
    );
    let (code, first) = report(&place, &[]);
    assert_eq!(code, 0, "{first}");
    assert_eq!(
        (&first["processes"], &first["ok"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(report(&place, &[]).1["digest"], first["digest"]);
    assert_ne!(
        report(&place, &["--seed", "1"]).1["digest"],
        first["digest"]
    );
}

#[test]
fn what_differs_is_shown_with_exit_code_1() {
    let place = place(
        "length = \"1m\"\n[[timeline]]\nafter = \"1s\"\napprove = { tool = \"deliver\" }\n\
         [[timeline]]\nsend = { id = \"a\", to = \"desk\", text = \"hello\" }\n\
         [[expect]]\nanswer = \"a\"\ntext = \"good morning\"\n[[expect]]\npending = 0\n",
    );
    let run = place.run(&["rehearse", "day.toml"]);
    assert_eq!(run.code, 1, "{run:?}");
    for part in [
        "✗  2026-11-23 00:00:01  approve a call of deliver",
        "nothing waits for a decision",
        "✗  answer to a, 2026-11-23 00:01:00 (line 9)",
        "   - expected completed, \"good morning\"",
        "   + found    completed, \"rehearsal: hello\"",
        "✓  approvals pending: 0",
        "not as expected: 1 of 2 expectations broken; 1 entry of the timeline not done, seed 0",
    ] {
        assert!(run.stdout.contains(part), "{part}\n{}", run.stdout);
    }
    let (code, report) = report(&place, &[]);
    assert_eq!((code, &report["ok"]), (1, &json!(false)));
    assert_eq!(report["expectations"][0]["ok"], false);
}

#[test]
fn modules_answer_crash_and_say_what_is_missing() {
    let place = place(
        "length = \"90s\"\n[[modules]]\nmodule = \"bank\"\ntool = \"pay\"\nwhen = '\"to\":\"ada\"'\n\
         answer = \"paid\"\ndelay = \"20s\"\n\
         [[rules]]\nwhen = { text = \"^pay (?<who>.*)$\", step = 1 }\n\
         call = [{ tool = \"module:bank/pay\", args = { to = \"{{ who }}\" } }]\n\
         [[rules]]\nwhen = { tool = \"module:bank/pay\" }\nsay = \"it says: {{ result }}\"\n\
         [[timeline]]\nafter = \"1s\"\nsend = { id = \"one\", to = \"desk\", text = \"pay ada\" }\n\
         [[timeline]]\nafter = \"30s\"\nsend = { id = \"two\", to = \"desk\", text = \"pay bob\" }\n\
         [[timeline]]\nafter = \"20s\"\nsend = { id = \"three\", to = \"desk\", text = \"pay ada\" }\n\
         [[timeline]]\nafter = \"10s\"\nfault = { module = \"bank\" }\n\
         [[expect]]\nanswer = \"one\"\ntext = \"it says: paid\"\n\
         [[expect]]\nanswer = \"two\"\nmatches = \"does not say what module:bank/pay answers\"\n\
         [[expect]]\nanswer = \"three\"\nstatus = \"waiting\"\n\
         [[expect]]\nevent = \"tool.unknown\"\ncount = 1\n",
    );
    let run = place.run(&["rehearse", "day.toml"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
}

#[test]
fn receivers_and_models_fail_as_long_as_the_scenario_says() {
    let place = place(
        "length = \"30m\"\n[[rules]]\nwhen = { text = \"tell\", step = 1 }\n\
         call = [{ tool = \"deliver\", args = { recipient = \"ops\", payload = \"fire\" } }]\n\
         [[timeline]]\nat = \"00:01\"\nfault = { route = \"ops\", fails = \"500\", for = \"2m\" }\n\
         [[timeline]]\nfault = { model = \"500\", for = \"4s\" }\n\
         [[timeline]]\nsend = { to = \"desk\", text = \"tell\" }\n\
         [[timeline]]\nafter = \"1m\"\nexpect = { delivery = \"ops\", count = 0 }\n\
         [[timeline]]\nclock = \"-10m\"\n\
         [[timeline]]\nafter = \"5m\"\nrestart = \"10s\"\n\
         [[expect]]\ndelivery = \"ops\"\nmatches = \"fire\"\ncount = 1\n\
         [[expect]]\nevent = \"model.failed\"\n[[expect]]\nevent = \"delivery.failed\"\n",
    );
    let run = place.run(&["rehearse", "day.toml"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let (_, report) = report(&place, &[]);
    assert_eq!(report["deliveries"][0]["payload"], "fire");
}

#[test]
fn what_is_wrong_in_a_scenario_is_shown_at_its_place() {
    let place = place("[[timeline]]\nat = \"08:00\"\nsend = { to = \"dsek\", text = \"x\" }\n");
    let run = place.run(&["rehearse", "day.toml"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    insta::assert_snapshot!(run.stderr, @r#"
    error[definition.member_unknown]: the message is for member "dsek", which is not defined
     --> day.toml:5:15
      |
    5 | send = { to = "dsek", text = "x" }
      |               ^^^^^^ the mob file does not have it
      = hint: did you mean "desk"?

    error[scenario.invalid]: day.toml has 1 error
      = hint: mend the scenario; docs/rehearse.md says what it may hold
    "#);
    place.write(
        "day.toml",
        &format!("{HEAD}[[rules]]\nwhen = {{ txt = \"a\" }}\nsay = \"x\"\n"),
    );
    let (code, document) = report(&place, &[]);
    assert_eq!(
        (code, &document["error"]["code"]),
        (3, &json!("rehearsal.script_invalid"))
    );
    let missing = place.run(&["rehearse", "night.toml", "--json"]);
    assert_eq!(
        (missing.code, &missing.document()["error"]["code"]),
        (4, &json!("scenario.not_found"))
    );
}
