//! When turns begin: order, room, and what stops the line.

use super::harness::{Mob, NEWSROOM, member};
use mobkit_domain::command::{Command, MobCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::DrainReport;
use mobkit_domain::id::TurnId;
use mobkit_domain::model::{Cost, FailureClass};
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::MemberState;
use serde_json::json;

fn cancel(turn: TurnId) -> Command {
    Command::Turn(TurnCommand::Cancel {
        turn,
        reason: Some("enough".to_owned()),
    })
}

#[test]
fn each_message_gets_its_own_turn_in_the_order_of_acceptance() {
    let mut mob = Mob::ready();
    let messages = [
        mob.send("ann", "a"),
        mob.send("ann", "b"),
        mob.send("ann", "c"),
    ];
    for message in messages {
        assert_eq!(mob.open_turn("ann").messages, [message]);
        mob.answers("ann", "done");
    }
    assert_eq!(mob.state_of("ann"), MemberState::Idle);
    assert_eq!(mob.count("turn.started"), 3);
}

#[test]
fn a_model_works_on_as_many_turns_as_it_may_and_the_longest_wait_comes_first() {
    let mut mob = Mob::ready();
    for id in ["r3", "r2", "r1"] {
        mob.send(id, "work");
    }
    assert_eq!(
        mob.state_of("r1"),
        MemberState::Idle,
        "its model has no room"
    );
    mob.send("r2", "more");
    mob.answers("r2", "done");
    mob.then("model.replied turn.completed message.delivered turn.started");
    assert_eq!(mob.state_of("r1"), MemberState::Working);
    assert_eq!(mob.state_of("r2"), MemberState::Idle);
    mob.send("ann", "the other model has room");
    assert_eq!(mob.state_of("ann"), MemberState::Working);
}

#[test]
fn a_mob_works_on_as_many_turns_as_it_may() {
    let mut mob = Mob::ready_of(&NEWSROOM.replace("turns_max = 8", "turns_max = 2"));
    mob.send("r1", "work");
    mob.send("ann", "work");
    mob.send("bob", "work");
    assert_eq!(mob.state_of("bob"), MemberState::Idle);
    assert_eq!(mob.world.state.working_total(), 2);
    mob.order(cancel(mob.turn_of("r1")));
    mob.then("turn.cancelled message.delivered turn.started");
    assert_eq!(mob.state_of("bob"), MemberState::Working);
}

#[test]
fn the_longest_wait_comes_first_across_roles() {
    let mut mob = Mob::ready_of(&NEWSROOM.replace("turns_max = 8", "turns_max = 1"));
    for id in ["ann", "r1", "bob", "r2"] {
        mob.send(id, "work");
    }
    for id in ["ann", "r1", "bob", "r2"] {
        assert_eq!(mob.state_of(id), MemberState::Working);
        mob.answers(id, "done");
    }
}

#[test]
fn a_turn_that_waits_makes_room() {
    let mut mob = Mob::ready_of(&NEWSROOM.replace("turns_max = 8", "turns_max = 1"));
    mob.send("ann", "go");
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "bob", "content": "well?"}))],
    );
    mob.then(
        "model.replied tool.started message.accepted turn.waiting message.delivered turn.started",
    );
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    assert_eq!(mob.state_of("bob"), MemberState::Working);
    mob.send("r1", "work");
    assert_eq!(mob.state_of("r1"), MemberState::Idle);
    mob.answers("bob", "well");
    mob.then("model.replied turn.completed tool.finished");
    assert_eq!(
        mob.state_of("ann"),
        MemberState::Working,
        "it goes on before anybody begins"
    );
    mob.answers("ann", "done");
    assert_eq!(mob.state_of("r1"), MemberState::Working);
}

#[test]
fn nothing_begins_before_the_runtime_is_ready_or_while_the_line_stands() {
    let mut mob = Mob::of(NEWSROOM);
    mob.start();
    mob.spawn(super::harness::spec("ann", "desk"));
    mob.send("ann", "first");
    mob.then("message.accepted");
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready message.delivered turn.started");
    mob.mob(MobCommand::Pause { reason: None });
    mob.mob(MobCommand::Pause { reason: None });
    mob.then("");
    mob.send("ann", "second");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished");
    mob.answers("ann", "the running turn ends");
    mob.then("model.replied turn.completed");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready");
    mob.mob(MobCommand::Resume);
    mob.then("mob.resumed message.delivered turn.started");
    mob.mob(MobCommand::Resume);
    mob.then("");
}

#[test]
fn drain_and_checkpoint_put_turns_aside_and_the_next_start_goes_on() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.send("ann", "second");
    mob.send("bob", "work");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 100 });
    mob.answers("bob", "done in time");
    mob.then("model.replied turn.completed");
    let (turn, late) = (mob.turn_of("ann"), mob.at("ann"));
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.then("turn.checkpointed");
    assert_eq!(mob.asked, [Effect::Abort { turn }]);
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Checkpointed);
    assert_eq!(open_effects(&mob.world.state), []);
    let late = super::harness::replied(late, super::harness::reply("late", &[]));
    assert_eq!(mob.refused(late), "turn.stale");
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.then("");
    mob.runtime(RuntimeCommand::Stop {
        drain: DrainReport::default(),
    });
    mob.start();
    mob.then("runtime.started runtime.recovered turn.resumed");
    assert_eq!(mob.data("runtime.recovered")["clean"], true);
    assert_eq!(mob.data("turn.resumed")["reason"], "checkpoint");
    assert_eq!(mob.data("turn.resumed")["recoveries"], 0);
    assert_eq!((mob.turn_of("ann"), mob.at("ann").step), (turn, 2));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed message.delivered turn.started");
}

#[test]
fn a_cancelled_turn_is_gone() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let turn = mob.turn_of("ann");
    mob.order(cancel(turn));
    mob.then("turn.cancelled");
    assert_eq!(mob.data("turn.cancelled")["reason"], "enough");
    assert_eq!(mob.asked, [Effect::Abort { turn }]);
    assert_eq!(mob.refused(cancel(turn)), "turn.not_open");
    assert_eq!(mob.world.state.members[&member("ann")].turn, None);
}

#[test]
fn what_has_no_price_has_no_cost_before_the_first_reply_either() {
    let mut mob = Mob::ready();
    mob.send("r1", "work");
    let turn = mob.turn_of("r1");
    assert_eq!(mob.data("turn.started")["unpriced"], true);
    assert_eq!(mob.turn_row(turn).cost_usd, None);
    assert_eq!(mob.world.state.members[&member("r1")].cost_usd(), None);
    mob.order(cancel(turn));
    assert_eq!(mob.data("turn.cancelled").get("cost_usd"), None);
    assert_eq!(mob.turn_row(turn).cost_usd, None);
    mob.send("r1", "more");
    let turn = mob.turn_of("r1");
    mob.fails("r1", FailureClass::Unauthorized, None);
    assert_eq!(mob.data("turn.failed").get("cost_usd"), None);
    assert_eq!(mob.turn_row(turn).cost_usd, None);
    mob.send("ann", "work");
    assert_eq!(mob.data("turn.started").get("unpriced"), None);
    let turn = mob.turn_of("ann");
    mob.order(cancel(turn));
    assert_eq!(mob.turn_row(turn).cost_usd, Some(Cost::default()));
}
