//! Journals that are replayed.

use super::{Recording, Replay};
use crate::model::{Item, ModelProvider, ModelRequest, collect};
use crate::native::NO_RESULT;
use futures::executor::block_on;
use mobkit_domain::id::{CallId, MemberId, ProfileId};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Reply, Usage};
use serde_json::{Value, json};
use std::sync::Arc;

fn event(seq: u64, kind: &str, data: &Value) -> String {
    let envelope = json!({
        "seq": seq, "time": "2026-11-22T06:00:00.123Z", "mob": "newsroom", "kind": kind,
        "data": data, "source": "agent", "subject": "member/desk", "summary": "said for people",
    });
    envelope.to_string()
}

fn accepted(seq: u64, to: &str, text: &str) -> String {
    let message = format!("msg-{seq}");
    let data = json!({ "message": message, "from": "operator:ada", "to": to, "text": text });
    event(seq, "message.accepted", &data)
}

fn delivered(seq: u64, message: u64, member: &str) -> String {
    let message = format!("msg-{message}");
    let data = json!({ "message": message, "member": member, "turn": "turn-3" });
    event(seq, "message.delivered", &data)
}

fn replied(seq: u64, member: &str, text: &str, calls: &Value) -> String {
    let finish = if calls[0].is_null() { "stop" } else { "calls" };
    event(
        seq,
        "model.replied",
        &json!({
            "turn": "turn-3", "member": member, "step": 1, "attempt": 1, "model": "main",
            "text": text, "calls": calls, "usage": { "input_tokens": 7, "output_tokens": 2 },
            "finish": finish, "latency_ms": 5, "carry": { "signature": "abc" },
        }),
    )
}

/// A turn with a call, then another turn; a peer answers once in between.
fn journal() -> String {
    let call = json!([{ "call": "call-4-1", "tool": "peers", "args": { "q": 1 } }]);
    let result = json!({
        "call": "call-4-1", "turn": "turn-3", "member": "desk", "tool": "peers",
        "result": "queued as msg-6 at 2026-11-22T06:00:00.2Z",
    });
    let lines = [
        accepted(1, "desk", "who is there?"),
        delivered(2, 1, "desk"),
        replied(4, "desk", "", &call),
        event(5, "something.newer", &json!({ "unknown": true })),
        accepted(6, "peer", "hello"),
        delivered(7, 6, "peer"),
        replied(8, "peer", "here", &json!([])),
        event(9, "tool.finished", &result),
        replied(10, "desk", "peer is", &json!([])),
        String::new(),
        accepted(11, "desk", "and now?"),
        delivered(12, 11, "desk"),
        replied(14, "desk", "still", &json!([])),
    ];
    lines.join("\n")
}

fn user(text: &str) -> Item {
    let (text, from) = (text.to_owned(), "operator:bob".to_owned());
    Item::User {
        text,
        from,
        pieces: Vec::new(),
    }
}

fn result(text: &str, failed: bool) -> Item {
    Item::ToolResult {
        call: CallId { reply: 9, index: 1 },
        tool: "peers".to_owned(),
        result: text.to_owned(),
        failed,
    }
}

fn said(reply: &Reply) -> Item {
    let id = |index| CallId { reply: 9, index };
    Item::Assistant {
        text: reply.text.inline().unwrap_or_default().to_owned(),
        calls: (1..).map(id).zip(reply.calls.iter().cloned()).collect(),
        carry: reply.carry.clone(),
    }
}

fn ask(member: &str, replies: u64, items: Vec<Item>) -> ModelRequest {
    ModelRequest {
        member: MemberId::parse(member).expect("a member id"),
        profile: ProfileId::parse("reporter").expect("a profile id"),
        step: 1,
        attempt: 1,
        replies,
        instructions: String::new(),
        items,
        tools: Vec::new(),
        output_schema: None,
        from: "operator:bob".to_owned(),
    }
}

fn replay() -> Replay {
    let recording = Recording::parse(&journal()).expect("a journal");
    Replay::new(Arc::new(recording), "day.jsonl")
}

fn answer(request: ModelRequest) -> Result<Reply, Failure> {
    block_on(collect(replay().stream(request), |_| {}))
}

fn reason(request: ModelRequest) -> String {
    let failure = answer(request).expect_err("a failure");
    // Neither tried again nor handed to another model.
    assert_eq!(failure.class, FailureClass::Rejected);
    failure.reason
}

#[test]
fn every_member_gets_its_answers_in_their_order() {
    let first = answer(ask("desk", 0, vec![user("who is there?")])).expect("a reply");
    let call = CallRequest {
        tool: "peers".to_owned(),
        args: json!({ "q": 1 }),
        provider_id: None,
    };
    assert_eq!((&first.calls, first.finish), (&vec![call], Finish::Calls));
    let usage = Usage {
        input_tokens: 7,
        output_tokens: 2,
        ..Usage::default()
    };
    assert_eq!(first.usage, usage);
    assert_eq!(first.carry, Some(json!({ "signature": "abc" })));
    let mut items = vec![user("who is there?"), said(&first)];
    // Another position and another time, since it happens another time.
    items.push(result("queued as msg-99 at 2026-12-24T18:00:01Z", false));
    let second = answer(ask("desk", 1, items.clone())).expect("a reply");
    assert_eq!(second.text.inline(), Some("peer is"));
    items.extend([said(&second), user("and now?")]);
    let third = answer(ask("desk", 2, items)).expect("a reply");
    assert_eq!(third.text.inline(), Some("still"));
    let peer = answer(ask("peer", 0, vec![user("hello")])).expect("a reply");
    assert_eq!(peer.text.inline(), Some("here"));
}

#[test]
fn the_end_of_the_recording_is_said() {
    let end = reason(ask("desk", 3, vec![user("more?")]));
    let expected = "recording day.jsonl: it ends: it holds 3 answers of desk, and this would be \
                    answer 4";
    assert_eq!(end, expected);
    let nobody = reason(ask("stranger", 0, vec![user("hello")]));
    assert!(nobody.contains("0 answers of stranger"), "{nobody}");
}

#[test]
fn another_input_is_told_from_the_recorded_one() {
    let other = reason(ask("desk", 0, vec![user("what is new?")]));
    let expected = "recording day.jsonl: the input diverges at answer 1 of desk (event 4): the \
                    message is \"what is new?\", and the message \"who is there?\" was recorded";
    assert_eq!(other, expected);
    let missing = reason(ask("desk", 0, Vec::new()));
    assert!(
        missing.ends_with("\"who is there?\" is missing"),
        "{missing}"
    );
    let more = vec![user("who is there?"), user("hurry")];
    let more = reason(ask("desk", 0, more));
    assert!(
        more.ends_with("\"hurry\" is more than was recorded"),
        "{more}"
    );
    let first = answer(ask("desk", 0, vec![user("who is there?")])).expect("a reply");
    let after = |last: Item| vec![user("who is there?"), said(&first), last];
    for last in [
        result("queued as msg-99 for ever", false),
        result("queued as msg-6 at 2026-11-22T06:00:00.2Z", true),
        user("queued as msg-6 at 2026-11-22T06:00:00.2Z"),
    ] {
        let told = reason(ask("desk", 1, after(last)));
        assert!(told.contains("diverges at answer 2 of desk"), "{told}");
        assert!(told.contains("a call of peers that gave"), "{told}");
    }
}

#[test]
fn what_a_person_changed_and_what_never_ended_are_no_divergence() {
    let first = answer(ask("desk", 0, vec![user("who is there?")])).expect("a reply");
    let changed = "[a person changed the arguments of this call; it was made with {}]\n\
                   queued as msg-6 at 2026-11-22T06:00:00.2Z";
    let items = vec![
        user("who is there?"),
        said(&first),
        result(NO_RESULT, true),
        result(changed, false),
    ];
    assert!(answer(ask("desk", 1, items)).is_ok());
}

#[test]
fn a_file_that_is_no_journal_names_the_line() {
    let cases = [
        ("{}", "line 1 of the recording: it is no event of a journal"),
        ("\nnot json", "line 2 of the recording: it is no event"),
        (
            "{\"seq\": 2, \"kind\": \"a.b\"}\n{\"seq\": 2, \"kind\": \"a.b\"}",
            "line 2 of the recording: event 2 comes after event 2",
        ),
        (
            "{\"seq\": 1, \"kind\": \"model.replied\"}",
            "line 1 of the recording: model.replied: ",
        ),
    ];
    for (text, expected) in cases {
        let error = Recording::parse(text).expect_err("refused").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
