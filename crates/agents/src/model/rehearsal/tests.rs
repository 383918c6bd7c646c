use super::Script;
use super::outcome::{self, Outcome};
use crate::model::collect;
use crate::model::seam::{Delta, Item, ModelEvent, ModelProvider, ModelRequest};
use futures::{StreamExt, stream};
use mobkit_domain::id::{CallId, MemberId, ProfileId};
use mobkit_domain::model::{Failure, FailureClass, Finish, Reply, Usage};
use serde_json::{Value, json};

/// The script of the specification, word for word.
const EXAMPLE: &str = r#"
[[rules]]                                       # all given conditions must hold
when = { profile = "reporter", text = "magnitude (?<mag>[0-9.]+)" }   # text: regex over the last input; member, profile, step (1 = first model call of the turn),
say = "Bulletin: {{ mag }} near {{ json.place }}"                     # tool (whose result came last), result (regex over it), from (sender)
[[rules]]
when = { text = "^publish (?<what>.*)$", step = 1 }
call = [{ tool = "send_message", args = { to = "editor", content = "{{ what }}" } }]
[[rules]]
when = { text = "slow" }
delay = "2s"
say = "done"
[[rules]]
when = { text = "break" }
fail = { kind = "429", times = 2, retry_after = "1s" }   # 401 | 429 | 500 | timeout | cut | garbage: the first `times` attempts of a call
say = "mended"                                           # … then this (without `times`: every attempt fails)
"#;

fn script(text: &str) -> Script {
    Script::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn problem(text: &str) -> String {
    Script::parse(text)
        .expect_err("a script with a problem")
        .to_string()
}

fn asked(text: &str) -> ModelRequest {
    let from = "operator:ada".to_owned();
    ModelRequest {
        member: MemberId::parse("desk").expect("a member id"),
        profile: ProfileId::parse("reporter").expect("a profile id"),
        step: 1,
        attempt: 1,
        replies: 0,
        instructions: "You report".to_owned(),
        items: vec![Item::User {
            text: text.to_owned(),
            from: from.clone(),
            pieces: Vec::new(),
        }],
        tools: Vec::new(),
        output_schema: None,
        from,
    }
}

/// The same turn after `tool` gave `result`.
fn after(mut request: ModelRequest, tool: &str, result: &str) -> ModelRequest {
    let call = CallId { reply: 7, index: 1 };
    let (tool, result) = (tool.to_owned(), result.to_owned());
    request.items.push(Item::ToolResult {
        call,
        tool,
        result,
        failed: false,
    });
    request.step += 1;
    request
}

fn answer(script: &Script, request: &ModelRequest) -> Result<Reply, Failure> {
    let Outcome { events, .. } = outcome::of(script, request);
    futures::executor::block_on(collect(stream::iter(events), |_| {}))
}

fn said(script: &Script, request: &ModelRequest) -> String {
    let reply = answer(script, request).unwrap_or_else(|failure| panic!("{failure:?}"));
    reply.text.inline().expect("a short text").to_owned()
}

fn args(script: &Script, request: &ModelRequest) -> Value {
    let reply = answer(script, request).unwrap_or_else(|failure| panic!("{failure:?}"));
    reply.calls.first().expect("a call").args.clone()
}

fn class(script: &Script, request: &ModelRequest) -> FailureClass {
    answer(script, request).expect_err("a failure").class
}

#[expect(
    clippy::disallowed_methods,
    reason = "the paused clock of the test itself"
)]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

mod the_example {
    use super::*;

    #[test]
    fn fills_a_template_with_captures_and_json() {
        let quake = asked(r#"{"place": "Iquique", "title": "magnitude 6.1"}"#);
        assert_eq!(said(&script(EXAMPLE), &quake), "Bulletin: 6.1 near Iquique");
    }

    #[test]
    fn calls_a_tool_at_the_first_step_only() {
        let script = script(EXAMPLE);
        let publish = asked("publish two drafts");
        let reply = answer(&script, &publish).expect("a reply");
        assert_eq!((reply.finish, reply.calls.len()), (Finish::Calls, 1));
        assert_eq!(reply.calls[0].tool, "send_message");
        assert_eq!(
            reply.calls[0].args,
            json!({"to": "editor", "content": "two drafts"})
        );
        let done = after(publish, "send_message", "sent");
        assert_eq!(said(&script, &done), "rehearsal: publish two drafts");
    }

    #[test]
    fn fails_twice_with_a_wait_and_is_mended_then() {
        let script = script(EXAMPLE);
        let mut request = asked("break it");
        for attempt in [1, 2] {
            request.attempt = attempt;
            let failure = answer(&script, &request).expect_err("a failure");
            assert_eq!(failure.class, FailureClass::RateLimited);
            assert_eq!(failure.retry_after_ms, Some(1_000));
        }
        request.attempt = 3;
        assert_eq!(said(&script, &request), "mended");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_before_it_answers() {
        let before = now();
        let model = super::super::Rehearsal::new(script(EXAMPLE).into(), 120_000);
        let reply = collect(model.stream(asked("slow one")), |_| {})
            .await
            .expect("a reply");
        assert_eq!(reply.text.inline(), Some("done"));
        assert_eq!(before.elapsed().as_secs(), 2);
    }
}

#[test]
fn without_a_rule_the_last_message_comes_back() {
    assert_eq!(
        said(&Script::empty(), &asked("Good day")),
        "rehearsal: Good day"
    );
    let mut later = asked("first");
    later.items.push(Item::Assistant {
        text: "yes".into(),
        calls: vec![],
        carry: None,
    });
    later.items.push(Item::User {
        text: "second".into(),
        from: "operator:ada".into(),
        pieces: Vec::new(),
    });
    assert_eq!(said(&Script::empty(), &later), "rehearsal: second");
}

#[test]
fn every_condition_must_hold() {
    let message = asked("Good day");
    let result = after(message.clone(), "module:search/fetch", "found 3");
    let cases = [
        (r#"profile = "reporter""#, r#"profile = "editor""#),
        (r#"member = "desk""#, r#"member = "des""#),
        (r#"from = "operator:ada""#, r#"from = "operator""#),
        (r#"text = "^Good""#, r#"text = "^day""#),
        ("step = 2", "step = 1"),
        (r#"tool = "module:search/fetch""#, r#"tool = "fetch""#),
        (r#"result = "found \\d""#, r#"result = "lost""#),
    ];
    let rule = |when: &str| script(&format!("[[rules]]\nwhen = {{ {when} }}\nsay = \"hit\""));
    let others = cases.iter().cycle().skip(1).map(|(_, fails)| fails);
    for ((holds, fails), other_fails) in cases.iter().zip(others) {
        assert_eq!(said(&rule(holds), &result), "hit", "{holds}");
        assert_eq!(
            said(&rule(fails), &result),
            "rehearsal: Good day",
            "{fails}"
        );
        let both = format!("{holds}, {other_fails}");
        assert_eq!(said(&rule(&both), &result), "rehearsal: Good day", "{both}");
    }
}

#[test]
fn tool_and_result_hold_only_while_a_result_came_last() {
    let script = script("[[rules]]\nwhen = { tool = \"now\" }\nsay = \"{{ tool }}: {{ result }}\"");
    let mut request = after(asked("time?"), "now", "08:00");
    assert_eq!(said(&script, &request), "now: 08:00");
    request.items.push(Item::User {
        text: "thanks".into(),
        from: "operator:ada".into(),
        pieces: Vec::new(),
    });
    assert_eq!(said(&script, &request), "rehearsal: thanks");
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = "[[rules]]\nwhen = { text = \"a\" }\nsay = \"1\"\n[[rules]]\nsay = \"2\"";
    assert_eq!(said(&script(rules), &asked("a")), "1");
    assert_eq!(said(&script(rules), &asked("b")), "2");
}

#[test]
fn json_is_the_result_where_that_is_json_and_else_the_message() {
    let script = script("[[rules]]\nsay = \"{{ json.a }}\"");
    let request = asked(r#"{"a": "message"}"#);
    assert_eq!(said(&script, &request), "message");
    assert_eq!(
        said(&script, &after(request.clone(), "t", r#"{"a": "result"}"#)),
        "result"
    );
    assert_eq!(said(&script, &after(request, "t", "plain")), "message");
}

#[test]
fn the_last_result_of_each_tool_of_the_turn_is_known_by_its_name() {
    let text = "[[rules]]\nsay = \"{{ results.find.n }} {{ results['module:a/b'] }}\"";
    let request = after(asked("go"), "find", r#"{"n": 1}"#);
    let request = after(request, "find", r#"{"n": 2}"#);
    let request = after(request, "module:a/b", "sent");
    assert_eq!(said(&script(text), &request), "2 sent");
}

#[test]
fn arguments_are_filled_deeply_and_keep_their_types() {
    let script = script(
        r#"
        [[rules]]
        when = { text = "\"n\": (?<n>\\d+)" }
        [[rules.call]]
        tool = "t"
        args = { all = "{{ json }}", number = "{{ json.n }}", text = "{{ n }}", mixed = "n={{ json.n }}", step = "{{ step }}", list = ["{{ member }}", 2, true, { from = "{{ from }}" }] }
        "#,
    );
    let given = args(&script, &asked(r#"{"n": 4, "deep": [1]}"#));
    let expected = json!({
        "all": {"n": 4, "deep": [1]}, "number": 4, "text": "4", "mixed": "n=4", "step": 1,
        "list": ["desk", 2, true, {"from": "operator:ada"}],
    });
    assert_eq!(given, expected);
}

#[test]
fn arguments_may_be_one_template_or_nothing() {
    let one = script("[[rules]]\ncall = [{ tool = \"t\", args = \"{{ json }}\" }]");
    assert_eq!(args(&one, &asked(r#"{"n": 4}"#)), json!({"n": 4}));
    let none = script("[[rules]]\ncall = [{ tool = \"t\" }]");
    assert_eq!(args(&none, &asked("go")), json!({}));
}

#[test]
fn two_expressions_in_a_row_are_text() {
    let script =
        script("[[rules]]\ncall = [{ tool = \"t\", args = { a = \"{{ step }}{{ step }}\" } }]");
    assert_eq!(args(&script, &asked("go")), json!({"a": "11"}));
}

#[test]
fn what_is_absent_fails_with_the_rule_and_the_name() {
    let sources = [
        (
            "[[rules]]\nsay = \"near {{ json.place }}\"",
            "say: json.place is absent",
        ),
        ("[[rules]]\nsay = \"{{ result }}\"", "say: result is absent"),
        (
            "[[rules]]\ncall = [{ tool = \"t\", args = { a = \"{{ json.a.b }}\" } }]",
            "the call of \"t\": json.a.b is absent",
        ),
        (
            "[[rules]]\nwhen = { text = \"(?<a>x)?\" }\nsay = \"{{ a }}\"",
            "say: a is absent",
        ),
    ];
    for (source, problem) in sources {
        let failure = answer(&script(source), &asked("plain")).expect_err("a failure");
        assert_eq!(failure.class, FailureClass::Rejected);
        assert_eq!(
            failure.reason,
            format!("rule 1 of the rehearsal script, {problem}")
        );
    }
    let script = script("[[rules]]\nsay = \"{{ result | default('none') }}\"");
    assert_eq!(said(&script, &asked("plain")), "none");
}

#[test]
fn a_template_without_end_is_stopped() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
    let script = script(&format!("[[rules]]\nsay = \"{endless}\""));
    let failure = answer(&script, &asked("go")).expect_err("a failure");
    assert!(
        failure.reason.contains("more than 50000 steps"),
        "{}",
        failure.reason
    );
}

#[test]
fn each_kind_of_failure_has_its_class() {
    let kinds = [
        ("401", FailureClass::Unauthorized),
        ("429", FailureClass::RateLimited),
        ("500", FailureClass::Server),
        ("timeout", FailureClass::Timeout),
        ("cut", FailureClass::Cut),
        ("garbage", FailureClass::Garbage),
    ];
    for (kind, expected) in kinds {
        let script = script(&format!("[[rules]]\nfail = {{ kind = \"{kind}\" }}"));
        let mut request = asked("go");
        assert_eq!(class(&script, &request), expected);
        request.attempt = 99;
        assert_eq!(class(&script, &request), expected);
    }
}

#[test]
fn a_cut_answer_begins_before_it_breaks_off() {
    let script = script("[[rules]]\nfail = { kind = \"cut\", times = 1 }\nsay = \"a b c d\"");
    let outcome = outcome::of(&script, &asked("go"));
    let text = |event: &Result<ModelEvent, Failure>| match event {
        Ok(ModelEvent::Text { text }) => text.clone(),
        _ => String::new(),
    };
    assert_eq!(outcome.events.iter().map(text).collect::<String>(), "a b ");
    assert!(matches!(outcome.events.last(), Some(Err(f)) if f.class == FailureClass::Cut));
}

#[tokio::test(start_paused = true)]
async fn a_longer_wait_than_the_timeout_is_a_timeout() {
    let before = now();
    let script = script("[[rules]]\ndelay = \"10s\"\nsay = \"done\"");
    let model = super::Rehearsal::new(script.into(), 3_000);
    let failure = collect(model.stream(asked("go")), |_| {})
        .await
        .expect_err("a failure");
    assert_eq!(failure.class, FailureClass::Timeout);
    assert_eq!(before.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn text_comes_in_pieces_and_is_the_same_every_time() {
    let long = "one two  three\nfour five six seven eight nine ten";
    let model = super::Rehearsal::new(Script::empty().into(), 1_000);
    let mut deltas = Vec::new();
    let reply = collect(model.stream(asked(long)), |delta| deltas.push(delta)).await;
    let text = deltas.iter().map(|delta| match delta {
        Delta::Text(text) | Delta::Reasoning(text) => text.as_str(),
    });
    assert_eq!(text.collect::<String>(), format!("rehearsal: {long}"));
    assert!((2..=6).contains(&deltas.len()), "{deltas:?}");
    let again = collect(model.stream(asked(long)), |_| {}).await;
    assert_eq!(reply, again);
    let events: Vec<_> = model.stream(asked(long)).collect().await;
    let whole = Ok(ModelEvent::End {
        finish: Finish::Stop,
        carry: None,
    });
    assert_eq!(events.last(), Some(&whole));
}

#[test]
fn usage_is_counted_in_words() {
    let script = script(
        "[[rules]]\nsay = \"on my way\"\ncall = [{ tool = \"t\", args = { a = \"two words\", n = 3 } }]",
    );
    let request = after(asked("please go now"), "now", "it is eight");
    let usage = answer(&script, &request).expect("a reply").usage;
    let expected = Usage {
        input_tokens: 2 + 3 + 3,
        output_tokens: 3 + 2 + 1,
        ..Usage::default()
    };
    assert_eq!(usage, expected);
}

#[test]
fn problems_name_their_rule_and_what_would_be_right() {
    let cases = [
        ("sya = \"x\"", r#"unknown key "sya"; did you mean "say"?"#),
        (
            "say = \"x\"\nspeed = 3",
            r#"unknown key "speed"; known here: when, say"#,
        ),
        (
            "when = { profil = \"x\" }\nsay = \"x\"",
            r#"did you mean "profile"?"#,
        ),
        (
            "when = { text = \"(\" }\nsay = \"x\"",
            "text is not a regular expression",
        ),
        (
            "when = { step = 0 }\nsay = \"x\"",
            "step must be a whole number from 1",
        ),
        (
            "when = { text = \"(?<json>x)\" }\nsay = \"x\"",
            r#"the capture "json" hides"#,
        ),
        ("say = \"{{ a\"", "say: syntax error"),
        (
            "say = \"{{ mga }}\"",
            r#"say: nothing here is called "mga""#,
        ),
        (
            "say = \"{{ member | shout }}\"",
            "say: unknown filter: filter shout is unknown",
        ),
        ("call = [{ args = {} }]", "a call needs a tool"),
        (
            "call = [{ tool = \"t\", args = { a = \"{{ x }}\" } }]",
            r#"args of "t": nothing"#,
        ),
        ("call = [\"t\"]", "a call must be a table, not a string"),
        (
            "fail = { kind = \"418\" }",
            "there is no failure of kind \"418\"; there are 401, 429",
        ),
        (
            "fail = { kind = \"cut\", retry_after = \"1s\" }",
            "retry_after belongs to kind 429",
        ),
        (
            "fail = { kind = \"429\", times = 2 }",
            "what follows after 2 failures?",
        ),
        ("fail = { kind = 500 }\nsay = \"x\"", "every attempt fails"),
        ("delay = \"2 s\"\nsay = \"x\"", "delay must be a span"),
        ("delay = \"2s\"", "a rule needs say, call or fail"),
        ("say = 3", "say must be a text, not a integer"),
    ];
    for (rule, expected) in cases {
        let text = problem(&format!("[[rules]]\nsay = \"fine\"\n[[rules]]\n{rule}\n"));
        assert!(
            text.starts_with("rule 2: ") && text.contains(expected),
            "{rule}: {text}"
        );
    }
}

#[test]
fn problems_of_all_rules_are_told_at_once() {
    let error = Script::parse("[[rules]]\nsay = 1\n[[rules]]\nsay = \"x\"\n[[rules]]\nfial = 1");
    let rules = error
        .expect_err("problems")
        .problems
        .into_iter()
        .map(|problem| problem.rule);
    assert_eq!(rules.collect::<Vec<_>>(), [Some(1), Some(3)]);
}

#[test]
fn problems_of_the_file_as_a_whole_have_no_rule() {
    assert!(problem("[[rules]]\nsay = ").starts_with("line 2 is not valid TOML: "));
    assert!(problem("[[rule]]\nsay = \"x\"").contains("did you mean \"rules\"?"));
    assert!(problem("rules = 3").contains("rules must be a list"));
}
