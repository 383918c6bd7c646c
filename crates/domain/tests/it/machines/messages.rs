//! Accepting, refusing, withdrawing and dropping messages.

use super::harness::{Mob, NEWSROOM, ada, member, send};
use mobkit_domain::command::{Answer, Command, MessageCommand, RuntimeCommand, Submission};
use mobkit_domain::event::{KeyUse, MessageMode};
use mobkit_domain::id::MessageId;
use mobkit_domain::principal::Principal;
use mobkit_domain::time::Time;
use mobkit_domain::world::next_due;

fn send_in_mode(to: &str, mode: MessageMode) -> Command {
    let MessageCommand::Send { to, content, .. } = send(to, "hello") else {
        unreachable!()
    };
    let mode = Some(mode);
    Command::Message(MessageCommand::Send {
        to,
        content,
        mode,
        correlation: None,
        expires: None,
    })
}

fn send_until(to: &str, expires: Time) -> Command {
    let MessageCommand::Send { to, content, .. } = send(to, "hello") else {
        unreachable!()
    };
    let (mode, expires) = (None, Some(expires));
    Command::Message(MessageCommand::Send {
        to,
        content,
        mode,
        correlation: None,
        expires,
    })
}

fn cancel(message: MessageId) -> Command {
    Command::Message(MessageCommand::Cancel {
        message,
        reason: None,
    })
}

fn with_key(key: &str, digest: &str, actor: Principal, command: Command) -> Submission {
    let key = Some(KeyUse {
        key: key.to_owned(),
        digest: digest.to_owned(),
    });
    Submission {
        actor,
        key,
        ..Submission::internal(command)
    }
}

#[test]
fn a_message_begins_a_turn() {
    let mut mob = Mob::ready();
    let message = mob.send("ann", "hello");
    mob.then("message.accepted message.delivered turn.started");
    assert_eq!(mob.data("turn.started")["messages"][0], message.to_string());
    assert_eq!(mob.data("turn.started")["from"], "operator:ada");
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(mob.last().next().map(|e| e.seq), Some(message.0));
}

#[test]
fn nobody_is_told_of_a_member_that_is_not_there() {
    let mut mob = Mob::ready();
    assert_eq!(
        mob.refused(Command::Message(send("nobody", "hello"))),
        "member.not_found"
    );
}

#[test]
fn a_full_queue_is_busy() {
    let mut mob = Mob::ready();
    for _ in 0..4 {
        mob.send("ann", "hello");
    }
    assert_eq!(mob.queue_of("ann"), 3, "one of them is at work");
    assert_eq!(
        mob.refused(Command::Message(send("ann", "hello"))),
        "member.busy"
    );
    mob.answers("ann", "done");
    mob.send("ann", "hello");
}

#[test]
fn reject_takes_a_message_only_for_an_idle_member() {
    let mut mob = Mob::ready();
    mob.order(send_in_mode("ann", MessageMode::Reject));
    assert_eq!(
        mob.refused(send_in_mode("ann", MessageMode::Reject)),
        "member.busy"
    );
    mob.order(send_in_mode("ann", MessageMode::Queue));
}

#[test]
fn without_a_mode_the_profile_decides() {
    let rejecting = NEWSROOM.replace(
        r#"instructions = "You edit.""#,
        "busy = \"reject\"\ninstructions = \"x\"",
    );
    let mut mob = Mob::ready_of(&rejecting);
    mob.send("ann", "hello");
    assert_eq!(mob.data("message.accepted")["mode"], "reject");
    assert_eq!(
        mob.refused(Command::Message(send("ann", "hello"))),
        "member.busy"
    );
    mob.order(send_in_mode("ann", MessageMode::Queue));
}

#[test]
fn a_message_that_is_over_when_it_comes_is_refused() {
    let mut mob = Mob::ready();
    let now = mob.now;
    assert_eq!(mob.refused(send_until("ann", now)), "message.expired");
    mob.order(send_until("ann", now.plus_ms(1)));
}

#[test]
fn a_waiting_message_expires_when_its_time_is_over() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    let due = mob.now.plus_ms(1_000);
    mob.order(send_until("ann", due));
    assert_eq!(next_due(&mob.world.state), Some(due));
    mob.pass_ms(999);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.pass_ms(1);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("message.expired");
    assert_eq!((next_due(&mob.world.state), mob.queue_of("ann")), (None, 0));
}

#[test]
fn a_message_that_a_turn_took_does_not_expire() {
    let mut mob = Mob::ready();
    let due = mob.now.plus_ms(1_000);
    mob.order(send_until("ann", due));
    assert_eq!(next_due(&mob.world.state), None);
    mob.pass_ms(5_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
}

#[test]
fn a_message_whose_time_is_over_begins_no_turn_even_before_the_next_tick() {
    let mut mob = Mob::ready();
    mob.send("ann", "first");
    let due = mob.now.plus_ms(1_000);
    mob.order(send_until("ann", due));
    mob.send("ann", "third");
    mob.pass_ms(1_000);
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed message.expired message.delivered turn.started");
}

#[test]
fn a_repeated_key_gets_the_first_answer_and_changes_nothing() {
    let mut mob = Mob::ready();
    let request =
        |digest: &str, actor| with_key("k", digest, actor, Command::Message(send("ann", "hello")));
    let first = mob.run(&request("d", ada())).expect("it is accepted");
    let head = mob.world.state.head;
    assert!(matches!(first, Answer::Message { .. }));
    assert_eq!(mob.run(&request("d", ada())), Ok(first));
    mob.then("");
    assert_eq!(mob.world.state.head, head);
    let reused = mob
        .run(&request("other", ada()))
        .expect_err("other content");
    assert_eq!(reused.code, "key.reused");
    let bob = Principal::App("bob".to_owned());
    let second = mob
        .run(&request("d", bob))
        .expect("a key counts per principal");
    assert_ne!(second, first);
}

#[test]
fn a_key_outlives_the_process_and_what_it_made() {
    let mut mob = Mob::ready();
    let request = with_key("k", "d", ada(), Command::Message(send("ann", "hello")));
    let first = mob.run(&request).expect("it is accepted");
    mob.answers("ann", "done");
    mob.crash();
    assert_eq!(mob.run(&request), Ok(first));
}

#[test]
fn a_key_names_who_used_it_on_the_first_event() {
    let mut mob = Mob::ready();
    mob.send("ann", "hello");
    let reset = mobkit_domain::command::MemberCommand::Reset {
        member: member("ann"),
    };
    let request = with_key("k", "d", ada(), Command::Member(reset));
    let first = mob.run(&request).expect("it is accepted");
    mob.then("turn.cancelled member.reset");
    let event = mob.last().next().cloned().expect("an event");
    assert_eq!(event.actor, Some(ada()));
    assert_eq!(event.key, request.key);
    assert_eq!(mob.run(&request), Ok(first));
}

#[test]
fn only_a_waiting_message_can_be_withdrawn() {
    let mut mob = Mob::ready();
    let first = mob.send("ann", "first");
    let second = mob.send("ann", "second");
    assert_eq!(mob.refused(cancel(first)), "message.delivered");
    mob.order(cancel(second));
    mob.then("message.cancelled");
    assert_eq!(mob.refused(cancel(second)), "message.not_open");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
}

#[test]
fn an_agent_sends_along_its_edges_whichever_way_it_comes_in() {
    let mut mob = Mob::ready();
    let by_agent = |from: &str, to: &str| Submission {
        actor: Principal::Agent(member(from)),
        ..Submission::internal(Command::Message(send(to, "hello")))
    };
    let refusal = mob
        .run(&by_agent("r1", "r2"))
        .expect_err("they are not wired");
    assert_eq!(refusal.code, "edge.missing");
    mob.run(&by_agent("r1", "ann")).expect("they are wired");
    assert_eq!(mob.data("message.accepted")["from"], "agent:r1");
}
