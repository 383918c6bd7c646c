//! Joining, changing, pausing, starting over.

use super::harness::{Mob, NEWSROOM, member, replied, reply, send, spawn, spec};
use mobkit_domain::command::{Command, MemberCommand};
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::event::{Fence, MemberOrigin, RetireMode};
use mobkit_domain::id::SessionId;
use mobkit_domain::state::{MemberMode, MemberState};
use serde_json::json;

fn ensure(spec: MemberSpec) -> Command {
    let (spec, origin) = (Box::new(spec), MemberOrigin::Operator);
    Command::Member(MemberCommand::Spawn {
        spec,
        origin,
        ensure: true,
        wire: true,
    })
}

fn respawn(id: &str, profile: Option<&str>) -> Command {
    let profile = profile.map(|id| id.parse().expect("a valid id"));
    let reason = "asked for".to_owned();
    Command::Member(MemberCommand::Respawn {
        member: member(id),
        profile,
        reason,
    })
}

fn retire(id: &str, mode: RetireMode) -> Command {
    Command::Member(MemberCommand::Retire {
        member: member(id),
        mode,
        reason: None,
    })
}

fn pause(id: &str) -> Command {
    Command::Member(MemberCommand::Pause {
        member: member(id),
        reason: None,
    })
}

fn resume(id: &str) -> Command {
    Command::Member(MemberCommand::Resume { member: member(id) })
}

fn reset(id: &str) -> Command {
    Command::Member(MemberCommand::Reset { member: member(id) })
}

#[test]
fn a_newcomer_is_wired_as_the_mob_file_says() {
    let mut mob = Mob::ready();
    mob.spawn(spec("r4", "reporter"));
    mob.then("member.spawned edge.wired edge.wired");
    let peers = &mob.world.state.members[&member("r4")].peers;
    assert!(peers.iter().eq(&[member("ann"), member("bob")]));
    assert_eq!(
        mob.fence_of("r4"),
        Fence {
            generation: 1,
            incarnation: 1
        }
    );
    assert_eq!(mob.state_of("r4"), MemberState::Idle);
}

#[test]
fn who_is_there_already_can_be_ensured_but_not_spawned() {
    let mut mob = Mob::ready();
    assert_eq!(
        mob.refused(Command::Member(spawn(spec("ann", "desk")))),
        "member.exists"
    );
    mob.order(ensure(spec("ann", "desk")));
    mob.then("");
    assert_eq!(
        mob.refused(ensure(spec("ann", "reporter"))),
        "member.exists"
    );
    mob.order(ensure(spec("zoe", "desk")));
    assert_eq!(mob.state_of("zoe"), MemberState::Idle);
}

#[test]
fn who_is_leaving_can_not_be_ensured() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    mob.order(retire("ann", RetireMode::Drain));
    assert_eq!(mob.refused(ensure(spec("ann", "desk"))), "member.retiring");
}

#[test]
fn a_profile_that_does_not_exist_is_refused() {
    let mut mob = Mob::ready();
    assert_eq!(
        mob.refused(Command::Member(spawn(spec("zoe", "chef")))),
        "profile.not_found"
    );
    assert_eq!(
        mob.refused(respawn("ann", Some("chef"))),
        "profile.not_found"
    );
}

#[test]
fn a_session_goes_on_only_if_it_exists_and_nobody_writes_it() {
    let mut mob = Mob::ready();
    let session = mob.world.state.members[&member("r1")].session;
    let with = |session| MemberSpec {
        session: Some(session),
        ..spec("zoe", "desk")
    };
    let unknown = Command::Member(spawn(with(SessionId(9_999))));
    assert_eq!(mob.refused(unknown), "session.not_found");
    assert_eq!(
        mob.refused(Command::Member(spawn(with(session)))),
        "session.in_use"
    );
    mob.order(retire("r1", RetireMode::Now));
    mob.spawn(with(session));
    assert_eq!(mob.world.state.members[&member("zoe")].session, session);
    let spans = &mob.world.state.sessions[&session];
    let writers: Vec<&str> = spans.iter().map(|span| span.member.as_str()).collect();
    assert_eq!(writers, ["r1", "zoe"]);
    assert_eq!(
        spans[0].until.zip(spans[1].until),
        None,
        "the second still writes"
    );
    assert!(spans[0].until.is_some(), "the first has stopped");
}

#[test]
fn who_comes_back_is_a_new_generation_with_an_empty_session() {
    let mut mob = Mob::ready();
    let before = mob.world.state.members[&member("r1")].session;
    mob.order(retire("r1", RetireMode::Now));
    mob.spawn(spec("r1", "reporter"));
    assert_eq!(
        mob.fence_of("r1"),
        Fence {
            generation: 2,
            incarnation: 1
        }
    );
    assert_ne!(mob.world.state.members[&member("r1")].session, before);
}

#[test]
fn a_respawn_keeps_session_queue_and_turn_and_fences_the_old_process_off() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.send("ann", "second");
    let (session, turn) = (
        mob.world.state.members[&member("ann")].session,
        mob.turn_of("ann"),
    );
    let old = mob.at("ann");
    mob.order(respawn("ann", None));
    mob.then("member.respawned turn.resumed");
    assert_eq!(
        mob.fence_of("ann"),
        Fence {
            generation: 1,
            incarnation: 2
        }
    );
    assert_eq!(mob.world.state.members[&member("ann")].session, session);
    assert_eq!((mob.turn_of("ann"), mob.queue_of("ann")), (turn, 1));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(mob.refused(replied(old, reply("late", &[]))), "turn.stale");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed message.delivered turn.started");
}

#[test]
fn a_respawn_never_repeats_a_running_call_with_an_effect() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.calls("ann", "", &[("publish", json!({}))]);
    assert_eq!(mob.tools_asked(), ["publish"]);
    mob.order(respawn("ann", None));
    assert_eq!(mob.tools_asked(), [""; 0], "it still runs");
    mob.tool_ends("ann", 0, Ok("published"));
    mob.then("tool.finished");
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn a_respawn_in_another_role_counts_from_the_next_turn_on() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.send("ann", "second");
    mob.order(respawn("ann", Some("reporter")));
    assert_eq!(mob.open_turn("ann").profile.as_str(), "desk");
    mob.answers("ann", "done");
    assert_eq!(mob.open_turn("ann").profile.as_str(), "reporter");
    assert_eq!(mob.open_turn("ann").model.as_str(), "small");
}

#[test]
fn a_waiting_member_moves_to_the_line_of_its_new_role() {
    let mut mob = Mob::ready();
    for id in ["r1", "r2", "r3"] {
        mob.send(id, "work");
    }
    assert_eq!(
        mob.state_of("r3"),
        MemberState::Idle,
        "its model has no room"
    );
    mob.order(respawn("r3", Some("desk")));
    mob.then("member.respawned message.delivered turn.started");
    assert_eq!(mob.open_turn("r3").model.as_str(), "main");
}

#[test]
fn a_reset_cancels_the_turn_and_begins_an_empty_session() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.send("ann", "second");
    let session = mob.world.state.members[&member("ann")].session;
    mob.order(reset("ann"));
    mob.then("turn.cancelled member.reset message.delivered turn.started");
    assert_eq!(
        mob.fence_of("ann"),
        Fence {
            generation: 2,
            incarnation: 1
        }
    );
    assert_ne!(mob.world.state.members[&member("ann")].session, session);
}

#[test]
fn a_paused_member_takes_messages_and_begins_no_turn() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.order(pause("ann"));
    mob.then("member.paused");
    mob.send("ann", "second");
    assert_eq!(mob.state_of("ann"), MemberState::Paused);
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
    mob.order(pause("ann"));
    mob.then("");
    mob.order(respawn("ann", None));
    assert_eq!(
        mob.state_of("ann"),
        MemberState::Paused,
        "a pause outlives a respawn"
    );
    mob.order(resume("ann"));
    mob.then("member.resumed message.delivered turn.started");
    mob.order(resume("ann"));
    mob.then("");
}

#[test]
fn pause_and_resume_know_who_is_leaving_or_has_failed() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    mob.order(retire("ann", RetireMode::Drain));
    assert_eq!(mob.refused(pause("ann")), "member.wrong_state");
    assert_eq!(mob.refused(resume("ann")), "member.wrong_state");
    assert_eq!(mob.refused(respawn("ann", None)), "member.wrong_state");
    assert_eq!(mob.refused(reset("ann")), "member.wrong_state");
    assert_eq!(mob.refused(pause("nobody")), "member.not_found");
}

#[test]
fn a_member_is_forgotten_only_after_it_has_left() {
    let mut mob = Mob::ready();
    let delete = || {
        Command::Member(MemberCommand::Delete {
            member: member("r1"),
        })
    };
    assert_eq!(mob.refused(delete()), "member.not_retired");
    mob.order(retire("r1", RetireMode::Now));
    assert_eq!(mob.refused(pause("r1")), "member.retired");
    mob.order(delete());
    mob.then("member.retired");
    assert_eq!(mob.asked, [], "its engine was stopped when it left");
    assert_eq!(mob.refused(delete()), "member.not_found");
}

#[test]
fn who_comes_back_after_a_deletion_gets_no_token_that_was_given_before() {
    let mut mob = Mob::ready();
    let delete = || {
        Command::Member(MemberCommand::Delete {
            member: member("r1"),
        })
    };
    mob.order(reset("r1"));
    for generation in [3, 4] {
        mob.order(retire("r1", RetireMode::Now));
        mob.order(delete());
        mob.spawn(spec("r1", "reporter"));
        let fence = Fence {
            generation,
            incarnation: 1,
        };
        assert_eq!(mob.fence_of("r1"), fence);
    }
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let mut mob = Mob::ready();
    let update = |labels: Option<&str>, context| MemberCommand::Update {
        member: member("ann"),
        labels: labels.map(|team| [("team".to_owned(), team.to_owned())].into()),
        context,
        additional_instructions: None,
        origin: None,
    };
    mob.member(update(Some("news"), None));
    mob.member(update(None, Some(json!({"region": "eu"}))));
    let ann = &mob.world.state.members[&member("ann")];
    assert_eq!(ann.labels["team"], "news");
    assert_eq!(ann.context, json!({"region": "eu"}));
}

#[test]
fn cancel_stops_the_turn_and_an_idle_member_has_none() {
    let mut mob = Mob::ready();
    let cancel = || {
        Command::Member(MemberCommand::Cancel {
            member: member("ann"),
            reason: None,
        })
    };
    assert_eq!(mob.refused(cancel()), "member.idle");
    mob.send("ann", "first");
    mob.send("ann", "second");
    mob.order(cancel());
    mob.then("turn.cancelled message.delivered turn.started");
}

#[test]
fn a_member_whose_role_is_gone_fails_and_keeps_what_waits() {
    let mut mob = Mob::ready();
    mob.redefine(
        &NEWSROOM
            .replace("profiles.reporter", "profiles.writer")
            .replace(r#"profile = "reporter""#, r#"profile = "writer""#)
            .replace(r#"["desk", "reporter"]"#, r#"["desk", "writer"]"#),
    );
    mob.send("r1", "work");
    mob.then("message.accepted member.failed error.raised");
    assert_eq!(mob.data("error.raised")["error_kind"], "member_crashed");
    assert_eq!(
        (mob.mode_of("r1"), mob.queue_of("r1")),
        (MemberMode::Failed, 1)
    );
    assert_eq!(mob.refused(pause("r1")), "member.wrong_state");
    assert_eq!(mob.refused(resume("r1")), "member.wrong_state");
    mob.order(respawn("r1", Some("writer")));
    mob.then("member.respawned message.delivered turn.started");
}

#[test]
fn a_repeated_send_to_a_retired_member_is_refused() {
    let mut mob = Mob::ready();
    mob.order(retire("r1", RetireMode::Now));
    assert_eq!(
        mob.refused(Command::Message(send("r1", "hello"))),
        "member.retired"
    );
}
