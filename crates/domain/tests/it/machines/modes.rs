//! What a message does while a turn runs: it joins, stops or leaves it alone.

use super::harness::{Mob, NEWSROOM, ada, define, member, reply, send, spec};
use super::review_kit::{approve, operator};
use mobkit_domain::command::{
    Command, MemberCommand, MessageCommand, RuntimeCommand, Submission, TurnCommand,
};
use mobkit_domain::definition::Role;
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::{Event, MessageMode, Offers};
use mobkit_domain::id::MessageId;
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{MessageState, TurnStatus};
use mobkit_domain::state::CallState;
use mobkit_domain::time::Time;
use serde_json::json;

fn moded(to: &str, mode: MessageMode, expires: Option<Time>) -> Command {
    let MessageCommand::Send { to, content, .. } = send(to, "hello") else {
        unreachable!()
    };
    Command::Message(MessageCommand::Send {
        to,
        content,
        mode: Some(mode),
        correlation: None,
        expires,
    })
}

fn send_in(mob: &mut Mob, to: &str, mode: MessageMode) -> MessageId {
    let seq = mob.order(moded(to, mode, None)).seq();
    MessageId(seq)
}

fn busy(mode: &str) -> String {
    let line = "instructions = \"You edit.\"";
    NEWSROOM.replace(line, &format!("busy = \"{mode}\"\n{line}"))
}

/// A mob with an engine that can do this.
fn with_engine(offers: Offers) -> Mob {
    let mut mob = Mob::ready();
    mob.spawn(spec("ext", "remote"));
    let fence = mob.fence_of("ext");
    mob.internal(Command::Member(MemberCommand::EngineStarted {
        member: member("ext"),
        fence,
        offers,
        error: None,
    }));
    mob
}

const STEERS: Offers = Offers {
    steer: true,
    usage: false,
    deltas: false,
};

#[test]
fn a_steered_message_joins_the_turn_after_the_results_of_its_step() {
    let mut mob = Mob::ready();
    let first = mob.send("ann", "hello");
    let second = send_in(&mut mob, "ann", MessageMode::Steer);
    mob.then("message.accepted");
    assert_eq!(mob.message_row(second).state, MessageState::Queued);
    mob.calls("ann", "", &[("look", json!({})), ("look", json!({}))]);
    mob.then("model.replied tool.started tool.started");
    mob.tool_ends("ann", 1, Ok("seen"));
    mob.then("tool.finished");
    mob.tool_ends("ann", 0, Ok("seen"));
    mob.then("tool.finished message.steered");
    let turn = mob.turn_of("ann");
    assert_eq!(mob.message_row(second).state, MessageState::Delivered);
    assert_eq!(mob.message_row(second).turn, Some(turn));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    mob.answers("ann", "both");
    mob.then("model.replied turn.completed");
    let answered = json!([first.to_string(), second.to_string()]);
    assert_eq!(mob.data("turn.completed")["messages"], answered);
    assert_eq!(mob.turn_row(turn).messages, [first, second]);
}

#[test]
fn several_join_in_the_order_of_acceptance_and_those_that_are_over_do_not() {
    let mut mob = Mob::ready();
    mob.send("ann", "hello");
    let second = send_in(&mut mob, "ann", MessageMode::Steer);
    let queued = mob.send("ann", "later");
    let due = mob.now.plus_ms(10);
    mob.order(moded("ann", MessageMode::Steer, Some(due)));
    let fifth = Submission {
        actor: ada(),
        ..Submission::internal(moded("ann", MessageMode::Steer, None))
    };
    assert_eq!(
        mob.run(&fifth).map_err(|no| no.code),
        Err("member.busy".to_owned())
    );
    mob.pass_ms(10);
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished message.steered message.expired");
    assert_eq!(mob.message_row(second).state, MessageState::Delivered);
    mob.answers("ann", "done");
    assert_eq!(mob.open_turn("ann").messages, [queued]);
}

#[test]
fn a_message_that_its_turn_did_not_take_in_gets_a_turn_of_its_own() {
    let mut mob = Mob::ready();
    mob.send("ann", "hello");
    let queued = mob.send("ann", "later");
    let steered = send_in(&mut mob, "ann", MessageMode::Steer);
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed message.delivered turn.started");
    // It was to join the first turn, not whichever comes.
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished");
    assert_eq!(mob.open_turn("ann").messages, [queued]);
    mob.answers("ann", "done");
    assert_eq!(mob.open_turn("ann").messages, [steered]);
}

#[test]
fn without_a_turn_every_mode_begins_one() {
    for mode in [
        MessageMode::Steer,
        MessageMode::Interrupt,
        MessageMode::Reject,
    ] {
        let mut mob = Mob::ready();
        mob.order(moded("ann", mode, None));
        mob.then("message.accepted message.delivered turn.started");
    }
}

#[test]
fn a_turn_that_took_a_message_in_keeps_it_through_a_crash() {
    let mut mob = Mob::ready();
    mob.send("ann", "hello");
    let waiting = send_in(&mut mob, "ann", MessageMode::Steer);
    mob.calls("ann", "", &[("look", json!({}))]);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.queue_of("ann"), 1);
    mob.tool_ends("ann", 0, Ok("seen"));
    mob.then("tool.finished message.steered");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.open_turn("ann").messages[1], waiting);
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
}

#[test]
fn who_asks_a_member_at_work_is_answered_by_the_turn_that_the_question_joined() {
    let mut mob = Mob::ready_of(&busy("steer"));
    mob.send("ann", "hello");
    let ask = json!({"to": "ann", "content": "how far are you?"});
    mob.send("r1", "ask her");
    mob.calls("r1", "", &[("ask_peer", ask)]);
    assert_eq!(mob.data("message.accepted")["mode"], "steer");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished message.steered");
    mob.answers("ann", "half way");
    mob.then("model.replied turn.completed tool.finished");
    assert_eq!(mob.data("tool.finished")["result"], "half way");
}

#[test]
fn an_interrupt_stops_the_turn_and_goes_before_those_that_wait() {
    let mut mob = Mob::ready();
    let first = mob.send("ann", "hello");
    let stopped = mob.turn_of("ann");
    let waiting = mob.send("ann", "later");
    let urgent = send_in(&mut mob, "ann", MessageMode::Interrupt);
    mob.then("message.accepted turn.cancelled message.delivered turn.started");
    let told = mob.data("turn.cancelled");
    assert_eq!(
        told["reason"],
        format!("interrupted by {urgent} of operator:ada")
    );
    assert_eq!(told["messages"], json!([first.to_string()]));
    assert_eq!(mob.turn_row(stopped).status, TurnStatus::Cancelled);
    assert_eq!(mob.open_turn("ann").messages, [urgent]);
    assert!(mob.asked.contains(&Effect::Abort { turn: stopped }));
    mob.answers("ann", "at once");
    assert_eq!(mob.open_turn("ann").messages, [waiting]);
}

#[test]
fn interrupts_wait_in_their_own_order_before_all_others() {
    let mut mob = Mob::ready();
    mob.member(MemberCommand::Pause {
        member: member("ann"),
        reason: None,
    });
    let queued = mob.send("ann", "later");
    let one = send_in(&mut mob, "ann", MessageMode::Interrupt);
    let two = send_in(&mut mob, "ann", MessageMode::Interrupt);
    let order: Vec<_> = mob.world.state.members[&member("ann")]
        .queue
        .iter()
        .collect();
    assert_eq!(order, [&one, &two, &queued]);
    mob.member(MemberCommand::Resume {
        member: member("ann"),
    });
    assert_eq!(mob.open_turn("ann").messages, [one]);
}

#[test]
fn an_interrupt_ends_what_its_turn_waited_for() {
    let mut mob = Mob::ready();
    mob.send("ann", "hello");
    mob.send("r1", "keep her busy");
    let ask = json!({"to": "r1", "content": "well?"});
    mob.calls("ann", "", &[("ask_peer", ask)]);
    assert!(matches!(
        mob.open_turn("ann").calls[0].state,
        CallState::Waiting { .. }
    ));
    assert_eq!(mob.queue_of("r1"), 1);
    mob.order(moded("ann", MessageMode::Interrupt, None));
    mob.then("message.accepted turn.cancelled message.cancelled message.delivered turn.started");
    assert_eq!(
        mob.queue_of("r1"),
        0,
        "nobody waits for that answer any longer"
    );
}

#[test]
fn a_peer_interrupts_where_the_profile_says_so_and_is_named() {
    let mut mob = Mob::ready_of(&busy("interrupt"));
    mob.send("ann", "hello");
    let stopped = mob.turn_of("ann");
    mob.send("r1", "tell her");
    let tell = json!({"to": "ann", "content": "stop the press"});
    mob.calls("r1", "", &[("send_message", tell)]);
    let cancelled = mob
        .last()
        .find(|e| matches!(e.event, Event::TurnCancelled(_)));
    let cancelled = cancelled.expect("her turn was stopped");
    assert_eq!(cancelled.turn, Some(stopped));
    assert_eq!(cancelled.actor, Some(Principal::Agent(member("r1"))));
    assert_ne!(mob.turn_of("ann"), stopped);
}

#[test]
fn an_engine_that_can_not_steer_is_named_when_its_member_is_at_work() {
    let mut mob = with_engine(Offers::default());
    send_in(&mut mob, "ext", MessageMode::Steer);
    let again = Submission {
        actor: ada(),
        ..Submission::internal(moded("ext", MessageMode::Steer, None))
    };
    let refusal = mob.run(&again).expect_err("it can't");
    assert_eq!(refusal.code, "message.mode_unsupported");
    assert!(refusal.message.contains("meerkat"), "{}", refusal.message);
    mob.order(moded("ext", MessageMode::Interrupt, None));
    mob.then("message.accepted turn.cancelled message.delivered turn.started");
}

#[test]
fn an_engine_takes_a_message_in_and_says_so() {
    let mut mob = with_engine(STEERS);
    let first = mob.send("ext", "hello");
    let (turn, fence) = (mob.turn_of("ext"), mob.fence_of("ext"));
    let message = send_in(&mut mob, "ext", MessageMode::Steer);
    let steer = Effect::EngineSteer {
        turn,
        member: member("ext"),
        fence,
        message,
    };
    assert_eq!(mob.asked, std::slice::from_ref(&steer));
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert!(
        open_effects(&mob.world.state).contains(&steer),
        "asked for again"
    );
    let steered = |message| {
        Command::Turn(TurnCommand::EngineSteered {
            turn,
            fence,
            message,
        })
    };
    mob.internal(steered(message));
    mob.then("message.steered");
    assert_eq!(mob.refused(steered(message)), "turn.stale", "it joins once");
    assert_eq!(mob.refused(steered(first)), "turn.stale");
    mob.internal(Command::Turn(TurnCommand::EngineEnded {
        turn,
        fence,
        outcome: Ok("both".into()),
    }));
    mob.then("turn.completed");
    assert_eq!(mob.turn_row(turn).messages, [first, message]);
}

#[test]
fn what_an_engine_did_not_take_in_gets_a_turn_of_its_own() {
    let mut mob = with_engine(STEERS);
    mob.send("ext", "hello");
    let (turn, fence) = (mob.turn_of("ext"), mob.fence_of("ext"));
    let message = send_in(&mut mob, "ext", MessageMode::Steer);
    mob.internal(Command::Turn(TurnCommand::EngineReplied {
        turn,
        fence,
        reply: reply("", &[("peers", json!({}))]),
        original: json!({}),
    }));
    mob.then("model.replied tool.started tool.finished");
    mob.internal(Command::Turn(TurnCommand::EngineEnded {
        turn,
        fence,
        outcome: Ok("done".into()),
    }));
    mob.then("turn.completed message.delivered turn.started");
    assert_eq!(mob.open_turn("ext").messages, [message]);
}

#[test]
fn who_steers_a_turn_is_no_second_person_beside_it() {
    let gate = "[[gates]]\ntool = \"publish\"\naction = \"review\"\nfour_eyes = true\n";
    let mut mob = Mob::ready_of(&format!("{NEWSROOM}\n{gate}"));
    let bob = Principal::Operator("bob".to_owned());
    let steer = |from: &Principal| Submission {
        actor: from.clone(),
        ..Submission::internal(moded("ann", MessageMode::Steer, None))
    };
    mob.send("ann", "hello");
    mob.run(&steer(&bob)).expect("it is accepted");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.calls("ann", "", &[("publish", json!({}))]);
    let asked = mob.the_pending();
    for who in [ada(), bob] {
        let refusal = mob
            .say(asked, approve().by(who, &[Role::Admin]))
            .expect_err("not a second person");
        assert_eq!(refusal.code, "approval.not_yours");
    }
    mob.rule(asked, approve().by(operator("cleo"), &[Role::Admin]));
    mob.then("approval.decided tool.started");
}

#[test]
fn a_mob_file_may_say_every_mode() {
    for mode in ["queue", "steer", "interrupt", "reject"] {
        let found = mobkit_domain::definition::unsupported(&define(&busy(mode)));
        assert!(
            found.iter().all(|part| !part.path.ends_with("busy")),
            "{found:?}"
        );
    }
}
