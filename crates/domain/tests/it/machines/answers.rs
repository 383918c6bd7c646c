//! Answers that have to fit a schema.

use super::harness::{Mob, NEWSROOM, member, spec};
use mobkit_domain::command::{Command, MemberCommand, MessageCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::definition::Definition;
use mobkit_domain::event::{MessageMode, Offers};
use mobkit_domain::id::ProfileId;
use serde_json::json;
use std::sync::Arc;

/// The mob of the newsroom, where a desk and a remote member answer with a title.
fn mob() -> Mob {
    let mut mob = Mob::of(NEWSROOM);
    let mut definition: Definition = (*mob.world.definition).clone();
    let schema = json!({
        "type": "object",
        "properties": {"title": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": false,
    });
    for id in ["desk", "remote"] {
        let id: ProfileId = id.parse().expect("a valid id");
        let profile = definition.profiles.get_mut(&id).expect("it is there");
        profile.output_schema = Some(schema.clone());
    }
    mob.world.definition = Arc::new(definition);
    mob.start();
    for spec in mob.world.definition.members.clone() {
        mob.spawn(spec);
    }
    mob.runtime(RuntimeCommand::Ready);
    mob
}

#[test]
fn an_answer_that_fits_is_given_as_data_too() {
    for said in [
        r#"{"title": "Quake"}"#,
        "```json\n{\"title\": \"Quake\"}\n```",
    ] {
        let mut mob = mob();
        mob.send("ann", "work");
        mob.answers("ann", said);
        mob.then("model.replied turn.completed");
        let completed = mob.data("turn.completed");
        assert_eq!(completed["text"], said);
        assert_eq!(completed["data"], json!({"title": "Quake"}));
    }
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_once_more() {
    for (said, why) in [
        ("Quake!", "not JSON"),
        (r#"{"titel": "Quake"}"#, "does not fit its schema"),
        ("", "not JSON"),
    ] {
        let mut mob = mob();
        mob.send("ann", "work");
        mob.answers("ann", said);
        mob.then("model.replied turn.corrected");
        let reason = mob.data("turn.corrected")["reason"].to_string();
        assert!(reason.contains(why), "{reason}");
        assert_eq!(mob.models_asked(), [mob.at("ann")]);
        assert_eq!(mob.at("ann").step, 2);
        let mut mended = mob.clone();
        mended.answers("ann", r#"{"title": "Quake"}"#);
        mended.then("model.replied turn.completed");
        assert_eq!(mended.data("turn.completed")["steps"], 2);
        mob.answers("ann", said);
        mob.then("model.replied turn.failed error.raised");
        let failed = mob.data("turn.failed");
        assert_eq!(failed["class"], "output_schema");
        assert!(failed["reason"].to_string().contains(why), "{failed}");
    }
}

#[test]
fn calls_on_the_way_need_no_schema() {
    let mut mob = mob();
    mob.send("ann", "work");
    mob.calls("ann", "let me see", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished");
    mob.answers("ann", "no");
    mob.calls("ann", "hm", &[("now", json!({}))]);
    mob.answers("ann", r#"{"title": "Quake"}"#);
    mob.then("model.replied turn.completed");
}

#[test]
fn a_turn_without_steps_left_is_not_asked_again() {
    let mut mob = mob();
    mob.send("ann", "work");
    for _ in 0..3 {
        mob.calls("ann", "", &[("now", json!({}))]);
    }
    mob.answers("ann", "no");
    mob.then("model.replied budget.exhausted turn.failed error.raised");
}

#[test]
fn a_crash_after_the_first_answer_asks_no_third_time() {
    let mut mob = mob();
    mob.send("ann", "work");
    mob.answers("ann", "no");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.answers("ann", "no");
    mob.then("model.replied turn.failed error.raised");
}

#[test]
fn a_message_joins_before_the_answer_is_asked_for_again() {
    let mut mob = mob();
    mob.send("ann", "work");
    mob.order(Command::Message(MessageCommand::Send {
        to: member("ann"),
        content: "in capitals".into(),
        mode: Some(MessageMode::Steer),
        correlation: None,
        expires: None,
    }));
    mob.answers("ann", "no");
    mob.then("model.replied turn.corrected message.steered");
}

#[test]
fn an_engine_is_not_asked_again() {
    let mut mob = mob();
    mob.spawn(spec("ext", "remote"));
    let fence = mob.fence_of("ext");
    mob.internal(Command::Member(MemberCommand::EngineStarted {
        member: member("ext"),
        fence,
        offers: Offers::default(),
        error: None,
    }));
    for (said, kinds) in [
        (r#"{"title": "Quake"}"#, "turn.completed"),
        ("Quake", "turn.failed error.raised"),
    ] {
        mob.send("ext", "work");
        let turn = mob.turn_of("ext");
        mob.internal(Command::Turn(TurnCommand::EngineEnded {
            turn,
            fence,
            outcome: Ok(said.into()),
        }));
        mob.then(kinds);
    }
    assert_eq!(mob.data("turn.failed")["class"], "output_schema");
}
