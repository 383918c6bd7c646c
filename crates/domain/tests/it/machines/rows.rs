//! The rows of the read tables.

use super::harness::{Mob, resolve};
use mobkit_domain::command::{Command, MessageCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::event::{ResolveHow, TurnFailure};
use mobkit_domain::model::FailureClass;
use mobkit_domain::row::{MessageState, TurnStatus};
use serde_json::json;

#[test]
fn the_row_of_a_message_follows_its_way() {
    let mut mob = Mob::ready();
    let first = mob.send("ann", "first");
    let second = mob.send("ann", "second");
    let row = mob.message_row(second);
    assert_eq!(
        (row.state, row.turn, row.to.as_str()),
        (MessageState::Queued, None, "ann")
    );
    let (message, reason) = (second, Some("never mind".to_owned()));
    mob.order(Command::Message(MessageCommand::Cancel { message, reason }));
    let row = mob.message_row(second);
    assert_eq!(row.state, MessageState::Cancelled);
    assert_eq!(row.reason.as_deref(), Some("never mind"));
    let row = mob.message_row(first);
    assert_eq!(
        (row.state, row.turn),
        (MessageState::Delivered, Some(mob.turn_of("ann")))
    );
}

#[test]
fn the_row_of_a_turn_follows_its_status() {
    let mut mob = Mob::ready();
    let message = mob.send("ann", "go");
    let turn = mob.turn_of("ann");
    let row = mob.turn_row(turn);
    assert_eq!(
        (row.status, row.messages.as_slice()),
        (TurnStatus::Running, &[message][..])
    );
    assert_eq!((row.seq, row.ended), (turn.0, None));
    mob.calls("ann", "", &[("publish", json!({}))]);
    mob.crash();
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Waiting);
    assert_eq!(mob.turn_row(turn).steps, 1);
    let call = mob.open_calls("ann")[0];
    mob.order(resolve(call, ResolveHow::Happened, Some("done")));
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Running);
    mob.runtime(RuntimeCommand::Checkpoint);
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Checkpointed);
    mob.start();
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Running);
    mob.pass_ms(10);
    mob.answers("ann", "done");
    let row = mob.turn_row(turn);
    assert_eq!(row.status, TurnStatus::Completed);
    assert_eq!(
        row.text.as_ref().and_then(|text| text.inline()),
        Some("done")
    );
    assert_eq!((row.steps, row.tokens, row.ended), (2, 220, Some(mob.now)));
    assert_eq!(row.seq, mob.world.state.head);
}

#[test]
fn the_row_of_a_turn_says_why_it_ended() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    let failed = mob.turn_of("ann");
    mob.fails("ann", FailureClass::Unauthorized, None);
    let row = mob.turn_row(failed);
    assert_eq!(
        (row.status, row.class),
        (TurnStatus::Failed, Some(TurnFailure::Model))
    );
    assert_eq!(row.reason.as_deref(), Some("no luck"));
    mob.send("ann", "go");
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    assert_eq!(mob.turn_row(turn).status, TurnStatus::Cancelled);
    assert_eq!(
        mob.turn_row(turn).reason.as_deref(),
        Some("no reason was given")
    );
}
