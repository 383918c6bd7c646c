//! Members whose turns an external engine runs as a whole.

use super::harness::{Mob, NEWSROOM, member, reply, send, spec};
use mobkit_domain::command::{Command, MemberCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::{Fence, RetireMode};
use mobkit_domain::model::{Finish, Reply};
use mobkit_domain::state::{MemberMode, MemberState, TurnPhase};
use mobkit_domain::text::Text;
use serde_json::{Value, json};

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
    assert_eq!(mob.refused(started(FIRST, None)), "member.stale");
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
fn the_turn_of_an_engine_has_no_price_from_its_beginning() {
    let role = "engine = \"meerkat\"\nmodel = \"small\"";
    assert_eq!(NEWSROOM.matches(role).count(), 1);
    let mut mob = Mob::ready_of(&NEWSROOM.replace(role, &role.replace("small", "main")));
    mob.spawn(spec("ext", "remote"));
    mob.internal(started(FIRST, None));
    mob.send("ext", "go");
    let begun = mob.data("turn.started");
    assert_eq!(
        (&begun["model"], &begun["unpriced"]),
        (&json!("main"), &json!(true)),
        "the price of the model is not the engine's"
    );
    assert_eq!(mob.turn_row(mob.turn_of("ext")).cost_usd, None);
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
