//! What a scenario says, and what can be wrong in one.

use mobkit_domain::definition::{
    Act, CODES, Definition, Diagnostic, NoFiles, Scenario, Subject, parse, parse_scenario,
};

const MOB: &str = r#"
[mob]
id = "m"
[models.main]
provider = "rehearsal"
[profiles.p]
model = "main"
instructions = "x"
[[members]]
id = "desk"
profile = "p"
[[modules]]
id = "feed"
transport = "json-lines"
command = ["feed"]
[[schedules]]
id = "morning"
cron = "0 8 * * *"
to = { member = "desk" }
message = "x"
[[routes]]
id = "ops"
match = { recipient = "ops" }
sink = { kind = "file", path = "x" }
"#;
const HEAD: &str = "[scenario]\nstart = \"2026-11-23T07:30:00\"\ntimezone = \"Europe/London\"\n";

fn mob() -> Definition {
    parse("mob.toml", MOB, &NoFiles)
        .expect("a mob file")
        .definition
}

fn read(text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    parse_scenario("day.toml", &format!("{HEAD}{text}"), &mob())
}

fn rendered(text: &str) -> String {
    let whole = format!("{HEAD}{text}");
    let errors = read(text).expect_err("it is wrong");
    for error in &errors {
        let listed = CODES.iter().any(|(code, _)| *code == error.code);
        assert!(listed, "{} is not listed", error.code);
    }
    errors.iter().map(|error| error.render(&whole)).collect()
}

#[test]
fn times_follow_from_the_entries_above() {
    let text = "length = \"3d\"\n\
        [[timeline]]\nat = \"08:00\"\nsend = { id = \"a\", to = \"desk\", text = \"x\" }\n\
        [[timeline]]\nafter = \"90m\"\nkill = \"30s\"\n\
        [[timeline]]\nat = \"08:30\"\nclock = \"-1h\"\n\
        [[timeline]]\ntrigger = \"morning\"\n\
        [[timeline]]\nat = \"2026-11-25T09:00:00\"\nfault = { model = \"429\", for = \"5m\" }\n\
        [[expect]]\nanswer = \"a\"\n";
    let scenario = read(text).expect("it is right");
    let times = scenario.timeline.iter().map(|entry| entry.at.to_string());
    assert_eq!(
        times.collect::<Vec<_>>(),
        [
            "2026-11-23T08:00:00.000Z",
            "2026-11-23T09:30:00.000Z",
            "2026-11-24T08:30:00.000Z",
            "2026-11-24T08:30:00.000Z",
            "2026-11-25T09:00:00.000Z",
        ]
    );
    assert!(matches!(scenario.timeline[2].act, Act::Clock(-3_600_000)));
    assert!(
        matches!(&scenario.expect[0].subject, Subject::Answer { status, .. } if status == "completed")
    );
}

#[test]
fn rules_become_a_script() {
    let text = "[[rules]]\nwhen = { text = \"hello\" }\nsay = \"Good morning.\"\n";
    let rules = read(text).expect("it is right").rules.expect("rules");
    assert!(
        rules.contains("[[rules]]") && rules.contains("Good morning."),
        "{rules}"
    );
}

#[test]
fn how_many_is_said_in_three_ways() {
    let counts = |said: &str| {
        let text = format!("[[expect]]\ndelivery = \"ops\"\n{said}\n");
        match read(&text).expect("it is right").expect.remove(0).subject {
            Subject::Deliveries { counts, .. } => counts,
            other => panic!("{other:?}"),
        }
    };
    let fits = |said: &str| (0..4).filter(|n| counts(said).fits(*n)).collect::<Vec<_>>();
    assert_eq!(fits(""), [1, 2, 3]);
    assert_eq!(fits("count = 2"), [2]);
    assert_eq!(fits("at_least = 2"), [2, 3]);
    assert_eq!(fits("at_most = 1"), [0, 1]);
}

#[test]
fn names_that_the_mob_lacks_are_shown_with_what_is_meant() {
    let text = "[[timeline]]\nat = \"08:00\"\nsend = { to = \"dsek\", text = \"x\" }\n\
        [[expect]]\noccurrence = \"mornign\"\n[[expect]]\nanswer = \"a\"\n";
    assert_eq!(
        rendered(text),
        r#"error[definition.member_unknown]: the message is for member "dsek", which is not defined
 --> day.toml:6:15
  |
6 | send = { to = "dsek", text = "x" }
  |               ^^^^^^ the mob file does not have it
  = hint: did you mean "desk"?
error[definition.schedule_unknown]: the expectation names schedule "mornign", which is not defined
 --> day.toml:8:14
  |
8 | occurrence = "mornign"
  |              ^^^^^^^^^ the mob file does not have it
  = hint: did you mean "morning"?
error[definition.message_unknown]: the expectation names the message "a", which nobody sends
  --> day.toml:10:10
   |
10 | answer = "a"
   |          ^^^ no send has this id
   = hint: give it one: send = { id = "…", … }
"#
    );
}

#[test]
fn every_entry_does_one_thing_in_its_time() {
    let codes = |text: &str| {
        let errors = read(text).expect_err("it is wrong");
        let codes = errors.into_iter().map(|error| error.code);
        codes.collect::<Vec<_>>()
    };
    let entry = |text: &str| format!("[[timeline]]\n{text}\n");
    let choice = ["definition.scenario_choice"];
    assert_eq!(codes(&entry("at = \"08:00\"")), choice);
    assert_eq!(codes(&entry("kill = \"1s\"\nrestart = \"1s\"")), choice);
    assert_eq!(codes(&entry("fault = { for = \"1s\" }")), choice);
    assert_eq!(codes("[[expect]]\npending = 0\nturns_failed = 0\n"), choice);
    assert_eq!(codes("[[expect]]\ncount = 1\n"), choice);
    let early = entry("at = \"2026-11-23T07:00:00\"\nkill = \"1s\"");
    assert_eq!(codes(&early), ["definition.scenario_order"]);
    let late = entry("after = \"25h\"\nkill = \"1s\"");
    assert_eq!(codes(&late), ["definition.scenario_order"]);
    let answer = "[[modules]]\nmodule = \"feed\"\ntool = \"x\"\n";
    assert_eq!(codes(answer), choice);
    let regex = format!("{answer}answer = 1\nwhen = \"(\"\n");
    assert_eq!(codes(&regex), ["definition.regex_invalid"]);
    assert_eq!(codes("colour = 1\n"), ["definition.key_unknown"]);
    assert_eq!(codes(&entry("kil = \"1s\"")).len(), 2);
}
