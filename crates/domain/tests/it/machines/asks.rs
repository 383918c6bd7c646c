//! `ask_peer`: a question, the wait, and every way in which the wait ends.

use super::harness::{Mob, member};
use mobkit_domain::command::{Command, MemberCommand, MessageCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::event::{Event, NewEvent, RetireMode};
use mobkit_domain::id::MessageId;
use mobkit_domain::model::FailureClass;
use mobkit_domain::state::{CallState, MemberState};
use serde_json::json;

/// Lets a member's model ask a peer.
fn ask(mob: &mut Mob, from: &str, to: &str) {
    mob.calls(
        from,
        "",
        &[("ask_peer", json!({"to": to, "content": "well?"}))],
    );
}

/// A mob in which ann has asked r1.
fn asked() -> Mob {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    ask(&mut mob, "ann", "r1");
    mob
}

/// The message of the question that a member waits for.
fn question(mob: &Mob, from: &str) -> MessageId {
    let waiting = mob.open_turn(from).waiting_call().expect("a call waits");
    match waiting.state {
        CallState::Waiting { message, .. } => message,
        ref state => panic!("it waits for no peer: {state:?}"),
    }
}

#[test]
fn the_asker_waits_and_gets_the_answer_of_that_turn() {
    let mut mob = asked();
    mob.then(
        "model.replied tool.started message.accepted turn.waiting message.delivered turn.started",
    );
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    assert_eq!(mob.data("turn.waiting")["peer"], "r1");
    assert_eq!(mob.tools_asked(), [""; 0], "nobody else has to do anything");
    mob.answers("r1", "quite well");
    mob.then("model.replied turn.completed tool.finished");
    assert_eq!(mob.told(), ["quite well"]);
    assert_eq!(mob.state_of("ann"), MemberState::Working);
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn an_unrelated_turn_of_the_peer_answers_nothing() {
    let mut mob = Mob::ready();
    mob.send("r1", "other work");
    mob.send("ann", "go");
    ask(&mut mob, "ann", "r1");
    mob.answers("r1", "the other work is done");
    mob.then("model.replied turn.completed message.delivered turn.started");
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    mob.answers("r1", "well");
    assert_eq!(mob.told(), ["well"]);
}

#[test]
fn a_peer_that_fails_tells_why() {
    let mut mob = asked();
    mob.fails("r1", FailureClass::Rejected, None);
    mob.then("model.failed turn.failed error.raised tool.failed");
    assert_eq!(mob.told(), ["r1 could not answer: no luck"]);
    assert_eq!(mob.state_of("ann"), MemberState::Working);
}

#[test]
fn a_cancelled_turn_of_the_peer_is_told() {
    let mut mob = asked();
    let (turn, reason) = (mob.turn_of("r1"), None);
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason }));
    mob.then("turn.cancelled tool.failed");
    assert_eq!(mob.told(), ["the turn of r1 was cancelled"]);
}

#[test]
fn a_withdrawn_question_is_told() {
    let mut mob = Mob::ready();
    mob.send("r1", "other work");
    mob.send("ann", "go");
    ask(&mut mob, "ann", "r1");
    let message = question(&mob, "ann");
    mob.order(Command::Message(MessageCommand::Cancel {
        message,
        reason: None,
    }));
    mob.then("message.cancelled tool.failed");
    assert_eq!(
        mob.told(),
        ["the message was cancelled: no reason was given"]
    );
}

#[test]
fn a_peer_that_is_retired_or_reset_ends_the_wait() {
    let (member, mode) = (member("r1"), RetireMode::Now);
    let retire = MemberCommand::Retire {
        member: member.clone(),
        mode,
        reason: None,
    };
    for command in [retire, MemberCommand::Reset { member }] {
        let mut mob = asked();
        mob.member(command);
        assert_eq!(mob.told(), ["the turn of r1 was cancelled"]);
        assert_eq!(mob.state_of("ann"), MemberState::Working);
    }
}

#[test]
fn a_question_whose_time_is_over_is_told() {
    // No command gives a question a time; the journal may hold one all the same.
    let mut mob = Mob::ready();
    mob.send("r1", "other work");
    mob.send("ann", "go");
    ask(&mut mob, "ann", "r1");
    let message = question(&mob, "ann");
    let due = mob.now.plus_ms(10);
    let mut world = mob.world.clone();
    let mut state = mobkit_domain::state::State::of(world.state.mob.clone());
    for envelope in &mob.journal {
        let mut envelope = envelope.clone();
        if let Event::MessageAccepted(e) = &mut envelope.event
            && e.message == message
        {
            e.expires = Some(due);
        }
        state.apply(&envelope);
    }
    world.state = state;
    mob.world = world;
    mob.pass_ms(10);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("message.expired tool.failed");
    assert_eq!(mob.told(), ["the message expired unanswered"]);
}

#[test]
fn an_asker_that_stops_withdraws_a_question_that_nobody_took_up() {
    let mut mob = Mob::ready();
    mob.send("r1", "other work");
    mob.send("ann", "go");
    ask(&mut mob, "ann", "r1");
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    mob.then("turn.cancelled message.cancelled");
    assert_eq!(mob.queue_of("r1"), 0);
}

#[test]
fn an_answer_to_an_asker_that_has_stopped_is_told_to_nobody() {
    let mut mob = asked();
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    mob.then("turn.cancelled");
    mob.send("ann", "another turn, which asks again");
    ask(&mut mob, "ann", "r1");
    mob.answers("r1", "an answer to the first question");
    mob.then("model.replied turn.completed message.delivered turn.started");
    assert_eq!(
        mob.state_of("ann"),
        MemberState::Waiting,
        "its own question is not answered yet"
    );
    mob.answers("r1", "an answer to the second");
    assert_eq!(mob.told(), ["an answer to the second"]);
}

#[test]
fn two_that_ask_each_other_are_told_so() {
    let mut mob = asked();
    ask(&mut mob, "r1", "ann");
    mob.then("model.replied tool.started tool.refused");
    let told = "tool.ask_circular: ann waits for you already (ann → r1); answer without asking it";
    assert_eq!(mob.told(), [told]);
    mob.answers("r1", "then I answer");
    assert_eq!(mob.state_of("ann"), MemberState::Working);
}

#[test]
fn three_that_ask_in_a_circle_are_told_so() {
    let mut mob = asked();
    ask(&mut mob, "r1", "bob");
    assert_eq!(mob.state_of("r1"), MemberState::Waiting);
    ask(&mut mob, "bob", "ann");
    let told = "tool.ask_circular: ann waits for you already (ann → r1 → bob); answer without \
                asking it";
    assert_eq!(mob.told(), [told]);
    mob.answers("bob", "x");
    mob.answers("r1", "y");
    mob.answers("ann", "z");
    assert_eq!(mob.world.state.turns.len(), 0);
}

#[test]
fn asking_somebody_who_waits_elsewhere_is_no_circle() {
    let mut mob = asked();
    mob.send("bob", "go");
    ask(&mut mob, "bob", "ann");
    assert_eq!(mob.state_of("bob"), MemberState::Waiting);
    mob.answers("r1", "x");
    mob.answers("ann", "the first turn ends");
    mob.answers("ann", "the answer for bob");
    assert_eq!(mob.told(), ["the answer for bob"]);
}

#[test]
fn a_wait_outlives_a_crash_and_is_nobodys_fault() {
    let mut mob = asked();
    for _ in 0..5 {
        mob.crash();
        mob.runtime(RuntimeCommand::Ready);
        mob.answers("r1", "");
        mob.answers("ann", "");
        mob.send("ann", "go");
        ask(&mut mob, "ann", "r1");
    }
    assert_eq!(mob.count("member.quarantined"), 0);
}

#[test]
fn an_answer_that_comes_while_the_asker_is_put_aside_is_there_when_it_goes_on() {
    let mut mob = asked();
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    let (turn, reason) = (mob.turn_of("r1"), None);
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason }));
    mob.then("turn.cancelled tool.failed");
    assert_eq!(mob.models_asked(), [], "it is put aside");
    mob.start();
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn an_event_about_something_unknown_changes_nothing() {
    let mob = asked();
    let mut state = mob.world.state.clone();
    let strange = mobkit_domain::event::MessageExpired {
        message: MessageId(9_999),
        member: member("nobody"),
    };
    let seq = state.head + 1;
    state.apply(&NewEvent::of(strange).at(seq, mob.now, &mob.world.state.mob));
    assert_eq!(state.head, seq);
    state.head -= 1;
    assert_eq!(state, mob.world.state);
}
