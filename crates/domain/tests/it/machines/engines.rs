//! Members whose turns an external engine runs as a whole.

use super::harness::{Mob, NEWSROOM, member, reply, send, spec};
use super::review_kit::{REVIEW, approve};
use mobkit_domain::command::{
    Command, EngineCommand, MemberCommand, MessageCommand, RuntimeCommand, TurnCommand,
};
use mobkit_domain::definition::Engine;
use mobkit_domain::effect::{Effect, open_effects, start_effects};
use mobkit_domain::event::{Fence, Offers, RetireMode, StopOutcome};
use mobkit_domain::model::{Finish, Reply};
use mobkit_domain::state::{CallState, MemberMode, MemberState, TurnPhase};
use mobkit_domain::text::{BlobRef, Part, Text};
use serde_json::{Value, json};

/// What the engine of these tests can do.
const USAGE: Offers = Offers {
    steer: false,
    usage: true,
    deltas: false,
};

const FIRST: Fence = Fence {
    generation: 1,
    incarnation: 1,
};

/// A mob with a member `ext` of another engine, which has not reported yet.
fn starting() -> Mob {
    let mut mob = Mob::ready();
    mob.spawn(spec("ext", "remote"));
    mob
}

fn started(fence: Fence, error: Option<&str>) -> Command {
    let (member, error) = (member("ext"), error.map(str::to_owned));
    Command::Member(MemberCommand::EngineStarted {
        member,
        fence,
        offers: USAGE,
        error,
    })
}

/// A mob in which the engine runs a turn of `ext`.
fn working() -> Mob {
    let mut mob = starting();
    mob.internal(started(FIRST, None));
    mob.send("ext", "go");
    mob
}

fn engine_replied(mob: &Mob, reply: Reply) -> Command {
    let (turn, fence) = (mob.turn_of("ext"), mob.fence_of("ext"));
    let original = json!({"native": "event"});
    Command::Turn(TurnCommand::EngineReplied {
        turn,
        fence,
        reply,
        original,
    })
}

fn engine_ended(mob: &Mob, outcome: Result<&str, &str>) -> Command {
    let (turn, fence) = (mob.turn_of("ext"), mob.fence_of("ext"));
    let outcome = outcome.map(Text::from).map_err(str::to_owned);
    Command::Turn(TurnCommand::EngineEnded {
        turn,
        fence,
        outcome,
    })
}

fn publish() -> (&'static str, Value) {
    ("publish", json!({}))
}

#[test]
fn a_member_takes_turns_once_its_engine_reports() {
    let mut mob = starting();
    mob.then("member.spawned");
    assert_eq!(
        mob.asked,
        [Effect::EngineStart {
            member: member("ext"),
            fence: FIRST
        }]
    );
    assert_eq!(open_effects(&mob.world.state), mob.asked);
    assert_eq!(mob.state_of("ext"), MemberState::Starting);
    mob.send("ext", "waits");
    mob.then("message.accepted");
    let other = Fence {
        generation: 1,
        incarnation: 2,
    };
    assert_eq!(mob.refused(started(other, None)), "member.stale");
    mob.internal(started(FIRST, None));
    mob.then("member.updated message.delivered turn.started");
    let (turn, member) = (mob.turn_of("ext"), member("ext"));
    assert_eq!(
        mob.asked,
        [Effect::EngineTurn {
            turn,
            member,
            fence: FIRST,
            resumed: false
        }]
    );
    let offers = mob.world.state.members[&self::member("ext")].offers;
    assert_eq!(offers.map(Offers::missing), Some(vec!["steer", "deltas"]));
}

#[test]
fn an_engine_that_can_not_start_fails_the_member_until_a_respawn() {
    let mut mob = starting();
    mob.send("ext", "waits");
    mob.internal(started(FIRST, Some("no binary")));
    mob.then("member.failed error.raised");
    assert_eq!(mob.data("error.raised")["error_kind"], "spawn_failure");
    assert_eq!(mob.mode_of("ext"), MemberMode::Failed);
    let reason = "again".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ext"),
        profile: None,
        reason,
    });
    let second = Fence {
        generation: 1,
        incarnation: 2,
    };
    assert_eq!(
        mob.asked,
        [Effect::EngineStart {
            member: member("ext"),
            fence: second
        }]
    );
    mob.internal(started(second, None));
    mob.then("member.updated message.delivered turn.started");
}

#[test]
fn a_starting_member_that_is_retired_leaves_its_messages_unanswered() {
    let mut mob = starting();
    mob.send("ext", "waits");
    let mode = RetireMode::Drain;
    mob.member(MemberCommand::Retire {
        member: member("ext"),
        mode,
        reason: None,
    });
    mob.then("member.retiring message.cancelled member.retired");
    assert_eq!(
        mob.asked,
        [Effect::EngineStop {
            member: member("ext")
        }]
    );
    assert_eq!(mob.refused(started(FIRST, None)), "member.retired");
}

#[test]
fn a_paused_member_whose_engine_can_not_start_again_fails() {
    let mut mob = working();
    mob.internal(engine_ended(&mob, Ok("done")));
    mob.member(MemberCommand::Pause {
        member: member("ext"),
        reason: None,
    });
    let reason = "again".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ext"),
        profile: None,
        reason,
    });
    let second = Fence {
        generation: 1,
        incarnation: 2,
    };
    assert_eq!(
        open_effects(&mob.world.state),
        mob.asked,
        "a crash does not forget it"
    );
    mob.internal(started(second, Some("no binary")));
    assert_eq!(mob.state_of("ext"), MemberState::Failed);
}

#[test]
fn a_pause_while_the_engine_starts_holds_until_both_are_over() {
    for resumed_first in [true, false] {
        let mut mob = starting();
        mob.send("ext", "waits");
        mob.member(MemberCommand::Pause {
            member: member("ext"),
            reason: None,
        });
        assert_eq!(mob.state_of("ext"), MemberState::Paused);
        if resumed_first {
            mob.member(MemberCommand::Resume {
                member: member("ext"),
            });
            mob.then("member.resumed");
            assert_eq!(mob.state_of("ext"), MemberState::Starting);
            mob.internal(started(FIRST, None));
        } else {
            mob.internal(started(FIRST, None));
            mob.then("member.updated");
            assert_eq!(mob.state_of("ext"), MemberState::Paused);
            mob.member(MemberCommand::Resume {
                member: member("ext"),
            });
        }
        assert_eq!(mob.state_of("ext"), MemberState::Working);
    }
}

#[test]
fn the_steps_of_the_engine_are_recorded_and_its_calls_are_ours() {
    let mut mob = working();
    mob.internal(engine_replied(&mob, reply("thinking", &[])));
    mob.then("model.replied");
    assert_eq!(
        mob.data("model.replied")["engine"],
        json!({"native": "event"})
    );
    assert_eq!(mob.asked, []);
    let send = ("send_message", json!({"to": "ann", "content": "x"}));
    let two = reply("", &[publish(), send]);
    mob.internal(engine_replied(&mob, two));
    assert_eq!(mob.tools_asked(), ["publish"]);
    assert_eq!(
        mob.refused(engine_replied(&mob, reply("", &[]))),
        "turn.stale"
    );
    assert_eq!(
        mob.refused(engine_ended(&mob, Ok("too early"))),
        "turn.stale"
    );
    mob.tool_ends("ext", 0, Ok("published"));
    mob.then("tool.finished tool.started message.refused tool.refused");
    assert_eq!(
        mob.open_turn("ext").phase,
        TurnPhase::External,
        "the engine goes on"
    );
    assert_eq!(mob.asked, [], "and was never away");
    mob.internal(engine_ended(&mob, Ok("done")));
    mob.then("turn.completed");
    assert_eq!(mob.data("turn.completed")["steps"], 2);
}

#[test]
fn a_budget_counts_for_every_engine() {
    let mut mob = working();
    for _ in 0..2 {
        mob.internal(engine_replied(&mob, reply("", &[publish()])));
        mob.tool_ends("ext", 0, Ok(""));
    }
    mob.internal(engine_replied(&mob, reply("", &[publish()])));
    mob.then("model.replied budget.exhausted turn.failed error.raised");
}

#[test]
fn an_engine_that_is_lost_fails_its_turn_at_any_time() {
    let mut mob = working();
    mob.internal(engine_ended(&mob, Err("it died")));
    mob.then("turn.failed error.raised");
    assert_eq!(mob.data("turn.failed")["class"], "engine");
    mob.send("ext", "go");
    mob.internal(engine_replied(&mob, reply("", &[publish()])));
    mob.internal(engine_ended(&mob, Err("it died during a call")));
    mob.then("turn.failed error.raised");
    assert_eq!(mob.state_of("ext"), MemberState::Idle);
}

#[test]
fn what_a_native_turn_waits_for_can_not_come_from_an_engine() {
    let mut mob = working();
    mob.send("ann", "go");
    let (turn, fence) = (mob.turn_of("ann"), mob.fence_of("ann"));
    let outcome = Err("it died".to_owned());
    let ended = TurnCommand::EngineEnded {
        turn,
        fence,
        outcome,
    };
    assert_eq!(mob.refused(Command::Turn(ended)), "turn.stale");
    let fence = Fence {
        generation: 1,
        incarnation: 9,
    };
    let (turn, outcome) = (mob.turn_of("ext"), Ok("late".into()));
    let late = TurnCommand::EngineEnded {
        turn,
        fence,
        outcome,
    };
    assert_eq!(mob.refused(Command::Turn(late)), "turn.stale");
}

#[test]
fn after_a_crash_the_engine_is_told_to_go_on() {
    let mut mob = working();
    mob.crash();
    let (turn, fence) = (mob.turn_of("ext"), FIRST);
    let go_on = Effect::EngineTurn {
        turn,
        member: member("ext"),
        fence,
        resumed: true,
    };
    assert_eq!(mob.asked, std::slice::from_ref(&go_on));
    mob.internal(engine_replied(&mob, reply("", &[publish()])));
    mob.crash();
    assert_eq!(
        mob.asked,
        std::slice::from_ref(&go_on),
        "and the call is left to a person"
    );
    assert_eq!(open_effects(&mob.world.state), [go_on]);
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.state_of("ext"), MemberState::Waiting);
}

#[test]
fn an_engine_that_does_not_come_back_after_a_respawn_loses_the_turn() {
    let mut mob = working();
    let reason = "again".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ext"),
        profile: None,
        reason,
    });
    mob.then("member.respawned turn.resumed");
    let fence = mob.fence_of("ext");
    mob.internal(started(fence, Some("no binary")));
    mob.then("member.failed error.raised turn.failed error.raised");
    assert_eq!(mob.world.state.turns.len(), 0);
    mob.order(Command::Message(send("ext", "waits for a respawn")));
    mob.then("message.accepted");
}

#[test]
fn an_engine_is_sent_files_of_text_and_no_images() {
    let mut mob = working();
    let data = BlobRef {
        blob: format!("sha256:{:064x}", 7),
        bytes: 9,
    };
    let image = Part::Image {
        media_type: "image/png".to_owned(),
        name: None,
        data: data.clone(),
    };
    let notes = Part::File {
        media_type: "text/plain".to_owned(),
        name: Some("notes.txt".to_owned()),
        data,
    };
    for (part, taken) in [(image, false), (notes, true)] {
        for (to, taken) in [("ext", taken), ("ann", true)] {
            let mut message = send(to, "look");
            if let MessageCommand::Send { content, .. } = &mut message {
                content.parts = vec![part.clone()];
            }
            if taken {
                mob.order(Command::Message(message));
            } else {
                let code = mob.refused(Command::Message(message));
                assert_eq!(code, "message.part_unsupported");
            }
        }
    }
}

#[test]
fn the_answer_of_an_engine_says_that_it_was_cut() {
    let mut mob = working();
    let mut cut = reply("half an ans", &[]);
    cut.finish = Finish::Length;
    mob.internal(engine_replied(&mob, cut));
    let turn = mob.turn_of("ext");
    mob.internal(engine_ended(&mob, Ok("half an ans")));
    assert_eq!(mob.data("turn.completed")["finish"], "length");
    assert_eq!(mob.turn_row(turn).finish, Some(Finish::Length));
}

#[test]
fn only_the_last_reply_of_an_engine_counts_as_cut() {
    let mut mob = working();
    let mut cut = reply("half an ans", &[]);
    cut.finish = Finish::Length;
    for said in [cut, reply("a whole answer", &[])] {
        mob.internal(engine_replied(&mob, said));
    }
    mob.internal(engine_ended(&mob, Ok("a whole answer")));
    assert_eq!(mob.data("turn.completed").get("finish"), None);
}

/// The engine ends under the turn of `ext` and can be asked again.
fn engine_lost(mob: &Mob) -> Command {
    let (turn, fence) = (mob.turn_of("ext"), mob.fence_of("ext"));
    let reason = "killed by signal 9".to_owned();
    Command::Turn(TurnCommand::EngineLost {
        turn,
        fence,
        reason,
    })
}

fn going_on(mob: &Mob) -> Effect {
    Effect::EngineTurn {
        turn: mob.turn_of("ext"),
        member: member("ext"),
        fence: mob.fence_of("ext"),
        resumed: true,
    }
}

fn given_up() -> Command {
    Command::Engine(EngineCommand::Failed {
        engine: Engine::Meerkat,
        reason: "it ended 6 times within 60 s; look at its log".to_owned(),
        outcome: Some(StopOutcome::Killed),
    })
}

fn observed(events: &[(u64, &str)]) -> Command {
    let events = events.iter();
    Command::Engine(EngineCommand::Observed {
        engine: Engine::Meerkat,
        events: events.map(|(at, said)| (*at, json!(said))).collect(),
    })
}

#[test]
fn a_turn_goes_on_when_its_engine_is_lost() {
    let mut mob = working();
    mob.internal(engine_lost(&mob));
    mob.then("turn.resumed");
    let resumed = mob.data("turn.resumed");
    assert_eq!(
        (&resumed["reason"], &resumed["recoveries"]),
        (&json!("engine"), &json!(1))
    );
    assert_eq!(mob.asked, [going_on(&mob)]);
    mob.internal(engine_ended(&mob, Ok("done")));
    mob.then("turn.completed");
}

#[test]
fn an_engine_that_is_lost_thrice_without_a_step_quarantines_the_member() {
    let mut mob = working();
    for _ in 0..2 {
        mob.internal(engine_lost(&mob));
        mob.then("turn.resumed");
    }
    mob.internal(engine_lost(&mob));
    mob.then("turn.failed error.raised member.quarantined error.raised");
    let failed = mob.data("turn.failed");
    assert_eq!(failed["class"], "quarantined");
    let reason = failed["reason"].as_str().expect("a text");
    assert!(reason.ends_with("killed by signal 9"), "{reason}");
    assert_eq!(mob.mode_of("ext"), MemberMode::Quarantined);
}

#[test]
fn a_recorded_step_makes_up_for_earlier_losses() {
    let mut mob = working();
    for _ in 0..2 {
        mob.internal(engine_lost(&mob));
    }
    mob.internal(engine_replied(&mob, reply("thinking", &[])));
    for recoveries in 1..3 {
        mob.internal(engine_lost(&mob));
        assert_eq!(mob.data("turn.resumed")["recoveries"], recoveries);
    }
}

#[test]
fn losses_and_crashes_count_together() {
    let mut mob = working();
    mob.internal(engine_lost(&mob));
    mob.crash();
    assert_eq!(mob.data("turn.resumed")["recoveries"], 2);
    mob.runtime(RuntimeCommand::Ready);
    mob.internal(engine_lost(&mob));
    assert_eq!(mob.mode_of("ext"), MemberMode::Quarantined);
}

#[test]
fn a_call_in_flight_when_the_engine_is_lost_is_made_once() {
    let tools = "tools = [\"peers\", \"publish\"]";
    assert_eq!(NEWSROOM.matches(tools).count(), 1);
    let file = NEWSROOM.replace(tools, "tools = [\"publish\", \"look\"]");
    for tool in ["publish", "look"] {
        let mut mob = Mob::ready_of(&file);
        mob.spawn(spec("ext", "remote"));
        mob.internal(started(FIRST, None));
        mob.send("ext", "go");
        mob.internal(engine_replied(&mob, reply("", &[(tool, json!({}))])));
        assert_eq!(mob.tools_asked(), [tool]);
        mob.internal(engine_lost(&mob));
        mob.then("turn.resumed");
        assert_eq!(mob.asked, [going_on(&mob)], "the call is still in flight");
        mob.tool_ends("ext", 0, Ok("done"));
        mob.then("tool.finished");
        assert_eq!(mob.open_turn("ext").phase, TurnPhase::External);
        mob.internal(engine_ended(&mob, Ok("done")));
        mob.then("turn.completed");
    }
}

#[test]
fn an_approval_outlives_the_engine_that_waits_for_it() {
    let mut mob = Mob::gated(REVIEW);
    mob.spawn(spec("ext", "remote"));
    mob.internal(started(FIRST, None));
    mob.send("ext", "go");
    mob.internal(engine_replied(&mob, reply("", &[publish()])));
    let approval = mob.the_pending();
    // Who only waits is not to blame, however often the engine ends.
    for _ in 0..4 {
        mob.internal(engine_lost(&mob));
        mob.then("turn.resumed");
        assert_eq!(mob.data("turn.resumed")["recoveries"], 0);
        assert_eq!(mob.asked, [going_on(&mob)]);
    }
    assert_eq!(mob.pending(), [approval]);
    let call = &mob.open_turn("ext").calls[0];
    assert_eq!(call.state, CallState::Pending { approval });
    mob.rule(approval, approve());
    assert_eq!(mob.tools_asked(), ["publish"]);
}

#[test]
fn a_loss_of_an_earlier_incarnation_or_of_a_native_turn_is_stale() {
    let mut mob = working();
    let lost = engine_lost(&mob);
    mob.member(MemberCommand::Respawn {
        member: member("ext"),
        profile: None,
        reason: "again".to_owned(),
    });
    assert_eq!(mob.refused(lost), "turn.stale");
    mob.send("ann", "go");
    let native = TurnCommand::EngineLost {
        turn: mob.turn_of("ann"),
        fence: mob.fence_of("ann"),
        reason: "killed".to_owned(),
    };
    assert_eq!(mob.refused(Command::Turn(native)), "turn.stale");
}

#[test]
fn the_life_of_an_engine_is_in_the_state() {
    let mut mob = Mob::ready();
    mob.internal(Command::Engine(EngineCommand::Started {
        engine: Engine::Meerkat,
        pid: 42,
        version: "0.9.8".to_owned(),
    }));
    mob.then("engine.started");
    let process = mob.world.state.engines[&Engine::Meerkat].process.clone();
    let process = process.expect("it runs");
    assert_eq!((process.pid, process.since), (42, mob.now));
    let stopped = |restart| {
        Command::Engine(EngineCommand::Stopped {
            engine: Engine::Meerkat,
            reason: "killed by signal 9".to_owned(),
            outcome: None,
            restart,
        })
    };
    mob.internal(stopped(Some(mob.now.plus_ms(200))));
    mob.then("engine.stopped");
    assert_eq!(mob.data("engine.stopped")["next"], "restart");
    let known = &mob.world.state.engines[&Engine::Meerkat];
    assert_eq!(known.process, None);
    assert_eq!(known.reason.as_deref(), Some("killed by signal 9"));
    mob.internal(stopped(None));
    assert_eq!(mob.data("engine.stopped")["next"], "stopped");
}

#[test]
fn no_process_of_an_engine_outlives_mobkit() {
    let mut mob = Mob::ready();
    mob.internal(Command::Engine(EngineCommand::Started {
        engine: Engine::Meerkat,
        pid: 42,
        version: "0.9.8".to_owned(),
    }));
    mob.internal(observed(&[(7, "a")]));
    mob.crash();
    let known = &mob.world.state.engines[&Engine::Meerkat];
    assert_eq!((&known.process, known.cursor), (&None, 7));
}

#[test]
fn the_members_of_an_engine_that_is_given_up_fail_and_others_go_on() {
    let mut mob = working();
    mob.spawn(spec("new", "remote"));
    mob.send("ann", "go");
    mob.internal(given_up());
    mob.then(
        "engine.stopped member.failed error.raised turn.failed error.raised member.failed \
         error.raised",
    );
    assert_eq!(mob.data("engine.stopped")["next"], "failed");
    let told: Vec<Value> = mob
        .last()
        .filter(|e| e.event.kind() == "error.raised")
        .map(|e| serde_json::to_value(e).expect("JSON")["data"]["error_kind"].clone())
        .collect();
    assert_eq!(told, ["member_crashed", "turn_failed", "spawn_failure"]);
    assert_eq!(mob.data("turn.failed")["class"], "engine");
    assert_eq!(mob.state_of("ext"), MemberState::Failed);
    assert_eq!(mob.state_of("new"), MemberState::Failed);
    assert_eq!(mob.state_of("ann"), MemberState::Working);
    mob.send("ext", "waits for a respawn");
    mob.then("message.accepted");
}

#[test]
fn who_leaves_is_not_held_by_an_engine_that_is_given_up() {
    let mut mob = working();
    mob.send("ext", "waits");
    mob.member(MemberCommand::Retire {
        member: member("ext"),
        mode: RetireMode::Drain,
        reason: None,
    });
    assert_eq!(mob.state_of("ext"), MemberState::Retiring);
    mob.internal(given_up());
    assert_eq!(mob.state_of("ext"), MemberState::Retired);
    assert_eq!(mob.world.state.messages.len(), 0);
}

#[test]
fn each_event_of_an_engine_is_recorded_once_and_in_order() {
    let mut mob = Mob::ready();
    mob.internal(observed(&[(2, "b"), (1, "a"), (2, "b again")]));
    mob.then("engine.event engine.event");
    let told = |mob: &Mob| -> Vec<Value> {
        let events = mob.last().map(|e| serde_json::to_value(e).expect("JSON"));
        events.map(|e| e["data"]["original"].clone()).collect()
    };
    assert_eq!(told(&mob), ["a", "b"]);
    mob.internal(observed(&[(1, "a"), (2, "b")]));
    mob.then("");
    mob.crash();
    mob.internal(observed(&[(2, "b"), (5, "e")]));
    assert_eq!(told(&mob), ["e"]);
    assert_eq!(mob.world.state.engines[&Engine::Meerkat].cursor, 5);
}

#[test]
fn every_start_asks_the_engine_for_its_members_and_hears_what_is_new() {
    let mut mob = working();
    mob.spawn(spec("idle", "remote"));
    mob.crash();
    let start = |id: &str| Effect::EngineStart {
        member: member(id),
        fence: FIRST,
    };
    let asked = start_effects(&mob.world);
    for wanted in [start("ext"), start("idle"), going_on(&mob)] {
        let times = asked.iter().filter(|effect| **effect == wanted).count();
        assert_eq!(times, 1, "{wanted:?} in {asked:?}");
    }
    assert_eq!(asked.len(), 3, "{asked:?}");
    mob.runtime(RuntimeCommand::Ready);
    mob.internal(started(FIRST, None));
    mob.then("");
    let mut more = started(FIRST, None);
    if let Command::Member(MemberCommand::EngineStarted { offers, .. }) = &mut more {
        offers.deltas = true;
    }
    mob.internal(more);
    mob.then("member.updated");
    assert_eq!(mob.data("member.updated").get("engine_started"), None);
    mob.internal(started(FIRST, Some("no binary")));
    mob.then("member.failed error.raised turn.failed error.raised");
    assert_eq!(mob.state_of("ext"), MemberState::Failed);
    assert!(!start_effects(&mob.world).contains(&start("ext")));
}

#[test]
fn a_member_that_failed_gets_another_chance_with_the_next_process() {
    let mut mob = working();
    mob.internal(started(FIRST, Some("no binary")));
    assert_eq!(mob.state_of("ext"), MemberState::Failed);
    mob.crash();
    mob.then("runtime.started member.respawned runtime.recovered");
    assert_eq!(mob.data("member.respawned")["reason"], "start");
    let again = Fence {
        incarnation: FIRST.incarnation + 1,
        ..FIRST
    };
    let asked = start_effects(&mob.world);
    let start = Effect::EngineStart {
        member: member("ext"),
        fence: again,
    };
    assert!(asked.contains(&start), "{asked:?}");
    mob.runtime(RuntimeCommand::Ready);
    mob.internal(started(again, None));
    assert_eq!(mob.state_of("ext"), MemberState::Idle);
}

#[test]
fn no_engine_reports_for_a_native_member() {
    let mut mob = Mob::ready();
    let report = MemberCommand::EngineStarted {
        member: member("ann"),
        fence: mob.fence_of("ann"),
        offers: USAGE,
        error: Some("no binary".to_owned()),
    };
    assert_eq!(mob.refused(Command::Member(report)), "member.stale");
}
