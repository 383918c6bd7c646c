//! Messages that join a turn while the runtime works on it.

use super::lane::{Lane, pid, told};
use crate::kit::{ended, send, send_as};
use crate::strangers::hands::{all, event, kill};
use mobkit::Mob;
use mobkit::event::MessageMode;
use mobkit::id::MessageId;
use mobkit::row::{TurnRow, TurnStatus};
use mobkit::text::Text;

async fn steer(mob: &Mob, text: &str) -> MessageId {
    send_as(mob, "ada", text, Some(MessageMode::Steer)).await
}

/// Both messages ended with one turn, which is this.
async fn shared(mob: &Mob, first: MessageId, joined: MessageId) -> TurnRow {
    let turn = ended(mob, first).await;
    assert_eq!(turn.status, TurnStatus::Completed, "{turn:?}");
    assert_eq!(turn.messages, [first, joined], "{turn:?}");
    assert_eq!(ended(mob, joined).await, turn);
    turn
}

#[tokio::test]
async fn a_message_joins_the_run_at_its_next_boundary() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "hello").await;
    let first = send(&mob, "ada", "ask bob wait for it").await;
    event(&mob, "tool.started", 0).await;
    let joined = steer(&mob, "and this").await;
    let turn = shared(&mob, first, joined).await;
    let text = turn.text.as_ref().and_then(Text::inline);
    assert_eq!(text, Some("3: and this"), "its last words are about that");
    assert_eq!(all(&mob, "message.steered").await.len(), 1);
    assert_eq!(told(&mob, "ada", "next").await, "4: next");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_message_that_comes_in_the_last_call_of_the_model_is_answered_after_it() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "hello").await;
    let after = mob.engine().head();
    let first = send(&mob, "ada", "wait here").await;
    event(&mob, "turn.started", after).await;
    let joined = steer(&mob, "and that").await;
    let turn = shared(&mob, first, joined).await;
    let text = turn.text.as_ref().and_then(Text::inline);
    assert_eq!(text, Some("2: wait here\n\n3: and that"), "{turn:?}");
    assert_eq!(turn.steps, 2, "each answer is a step: {turn:?}");
    assert_eq!(told(&mob, "ada", "next").await, "4: next");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_message_that_joins_over_the_death_of_the_runtime_is_answered_once() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "hello").await;
    let after = mob.engine().head();
    let first = send(&mob, "ada", "wait here").await;
    event(&mob, "turn.started", after).await;
    let joined = steer(&mob, "and that").await;
    event(&mob, "message.steered", after).await;
    kill(&pid(&mob).await);
    let turn = shared(&mob, first, joined).await;
    let text = turn.text.as_ref().and_then(Text::inline);
    assert_eq!(text, Some("2: wait here\n\n3: and that"), "{turn:?}");
    assert_eq!(told(&mob, "ada", "next").await, "4: next");
    mob.shutdown().await;
}

#[tokio::test]
async fn what_joined_a_turn_that_is_cancelled_is_stopped_with_it() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "hello").await;
    let after = mob.engine().head();
    let first = send(&mob, "ada", "slow work").await;
    event(&mob, "turn.started", after).await;
    let joined = steer(&mob, "slow as well").await;
    event(&mob, "message.steered", after).await;
    super::turns::cancel(&mob, "ada").await;
    let turn = ended(&mob, first).await;
    assert_eq!(turn.status, TurnStatus::Cancelled, "{turn:?}");
    assert_eq!(ended(&mob, joined).await, turn);
    assert!(told(&mob, "ada", "next").await.ends_with(": next"));
    mob.shutdown().await;
}
