//! How members leave.

use super::harness::{Mob, NEWSROOM, member, send};
use mobkit_domain::command::{Command, MemberCommand, MobCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::RetireMode;
use mobkit_domain::state::{MemberMode, MemberState};
use serde_json::json;

fn retire(id: &str, mode: RetireMode) -> Command {
    Command::Member(MemberCommand::Retire {
        member: member(id),
        mode,
        reason: None,
    })
}

/// The mob file without the role of the reporters.
fn without_reporters() -> String {
    let text = NEWSROOM.replace("profiles.reporter", "profiles.writer");
    let text = text.replace(r#"profile = "reporter""#, r#"profile = "writer""#);
    text.replace(r#"["desk", "reporter"]"#, r#"["desk", "writer"]"#)
}

#[test]
fn an_idle_member_leaves_at_once_with_its_edges() {
    let mut mob = Mob::ready();
    mob.order(retire("r1", RetireMode::Drain));
    mob.then("member.retiring edge.unwired edge.unwired member.retired");
    assert_eq!(mob.state_of("r1"), MemberState::Retired);
    assert_eq!(
        mob.asked,
        [Effect::EngineStop {
            member: member("r1")
        }]
    );
    let peers = &mob.world.state.members[&member("ann")].peers;
    assert!(!peers.contains(&member("r1")));
    assert_eq!(mob.refused(retire("r1", RetireMode::Now)), "member.retired");
}

#[test]
fn drain_answers_what_waits_and_takes_nothing_more() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.send("ann", "second");
    mob.order(retire("ann", RetireMode::Drain));
    mob.then("member.retiring");
    assert_eq!(
        mob.refused(Command::Message(send("ann", "third"))),
        "member.retiring"
    );
    mob.order(retire("ann", RetireMode::Drain));
    mob.then("");
    mob.answers("ann", "one");
    mob.then("model.replied turn.completed message.delivered turn.started");
    mob.answers("ann", "two");
    mob.then(
        "model.replied turn.completed edge.unwired edge.unwired edge.unwired edge.unwired \
         member.retired",
    );
}

#[test]
fn now_cancels_the_turn_and_what_waits() {
    let mut mob = Mob::ready();
    mob.send("r1", "first");
    mob.send("r1", "second");
    mob.order(retire("r1", RetireMode::Drain));
    mob.order(retire("r1", RetireMode::Now));
    mob.then(
        "member.retiring turn.cancelled message.cancelled edge.unwired edge.unwired \
         member.retired",
    );
    assert_eq!(mob.world.state.messages.len(), 0);
}

#[test]
fn a_paused_member_drains_too() {
    let mut mob = Mob::ready();
    mob.member(MemberCommand::Pause {
        member: member("r1"),
        reason: None,
    });
    mob.send("r1", "work");
    mob.order(retire("r1", RetireMode::Drain));
    mob.then("member.retiring message.delivered turn.started");
}

#[test]
fn who_can_not_work_leaves_without_working_its_queue_off() {
    let mut mob = Mob::ready();
    mob.redefine(&without_reporters());
    mob.send("r1", "work");
    assert_eq!(mob.mode_of("r1"), MemberMode::Failed);
    mob.order(retire("r1", RetireMode::Drain));
    mob.then("member.retiring message.cancelled edge.unwired edge.unwired member.retired");
}

#[test]
fn a_leaving_member_whose_role_goes_leaves_its_messages_unanswered() {
    let mut mob = Mob::ready();
    mob.send("r1", "first");
    mob.send("r1", "second");
    mob.order(retire("r1", RetireMode::Drain));
    mob.redefine(&without_reporters());
    mob.answers("r1", "one");
    mob.then(
        "model.replied turn.completed message.cancelled edge.unwired edge.unwired \
         member.retired",
    );
}

#[test]
fn a_reset_of_the_mob_retires_everybody_and_forgets_the_managed_edges() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.send("r1", "first");
    mob.order(retire("r1", RetireMode::Drain));
    mob.mob(MobCommand::Reset);
    let state = &mob.world.state;
    assert_eq!(mob.data("mob.reset")["members"], 5);
    assert_eq!(state.present().count(), 0);
    assert_eq!((state.wired.len(), state.managed.len()), (0, 0));
    assert_eq!((state.turns.len(), state.messages.len()), (0, 0));
}

#[test]
fn a_reset_of_the_mob_ends_each_question_once() {
    // ann has asked r1, whose turn runs, and bob has asked r1, where the question waits.
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "well?"}))],
    );
    mob.send("bob", "go");
    mob.calls(
        "bob",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "and?"}))],
    );
    mob.mob(MobCommand::Reset);
    let kinds: Vec<&str> = mob.last().map(|e| e.event.kind()).collect();
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!(count("turn.cancelled"), 3);
    assert_eq!(count("message.cancelled"), 1);
    assert_eq!(count("tool.failed"), 0, "nobody is left to be told");
    // The other way round: what r1 asks waits at ann, who goes first.
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.send("r1", "go");
    mob.calls(
        "r1",
        "",
        &[("ask_peer", json!({"to": "ann", "content": "well?"}))],
    );
    mob.mob(MobCommand::Reset);
    let cancelled = mob
        .last()
        .filter(|e| e.event.kind() == "message.cancelled")
        .count();
    assert_eq!(cancelled, 1);
}

#[test]
fn the_askers_of_a_retired_member_are_told() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "well?"}))],
    );
    mob.send("bob", "go");
    mob.calls(
        "bob",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "and?"}))],
    );
    mob.order(retire("r1", RetireMode::Now));
    mob.then(
        "member.retiring turn.cancelled tool.failed message.cancelled tool.failed edge.unwired \
         edge.unwired member.retired",
    );
    let told = mob.told();
    assert_eq!(told[0], "the turn of r1 was cancelled");
    assert_eq!(told[1], "the message was cancelled: the member was retired");
    assert_eq!(mob.models_asked(), [mob.at("ann"), mob.at("bob")]);
}
