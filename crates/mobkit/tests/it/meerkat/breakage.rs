//! The runtime dies, by SIGKILL, and comes back.

use super::lane::{Lane, pid, told};
use crate::kit::send;
use crate::strangers::hands::{all, answer, decide, event, kill};
use mobkit::event::Verdict;
use serde_json::json;

#[tokio::test]
async fn a_runtime_that_dies_between_turns_comes_back_with_its_sessions() {
    let lane = Lane::new();
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "one").await, "1: one");
    kill(&pid(&mob).await);
    let stopped = event(&mob, "engine.stopped", 0).await;
    assert_eq!(stopped["data"]["next"], "restart", "{stopped}");
    assert_eq!(told(&mob, "ada", "two").await, "2: two");
    assert_eq!(
        all(&mob, "turn.resumed").await,
        Vec::<serde_json::Value>::new()
    );
    mob.shutdown().await;
}

#[tokio::test]
async fn a_runtime_that_dies_in_a_model_call_answers_the_turn_once() {
    let lane = Lane::new();
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "one").await, "1: one");
    let before = mob.engine().head();
    let message = send(&mob, "ada", "wait for it").await;
    event(&mob, "turn.started", before).await;
    kill(&pid(&mob).await);
    assert_eq!(answer(&mob, message).await, "2: wait for it");
    let resumed = all(&mob, "turn.resumed").await;
    assert_eq!(resumed.len(), 1, "{resumed:?}");
    assert_eq!(told(&mob, "ada", "three").await, "3: three");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_call_that_waits_for_a_person_survives_the_death_of_the_runtime() {
    let lane = Lane::more("\n[[gates]]\ntool = \"pay\"\naction = \"review\"\n");
    let mob = lane.open().await;
    let message = send(&mob, "bob", "pay eve").await;
    let requested = event(&mob, "approval.requested", 0).await;
    kill(&pid(&mob).await);
    let after = mob.engine().head();
    event(&mob, "engine.started", after - 1).await;
    decide(&mob, &requested, Verdict::Approve, None).await;
    assert_eq!(answer(&mob, message).await, "told: paid eve");
    assert_eq!(lane.till.paid(), [json!({"to": "eve"})]);
    let requested = all(&mob, "approval.requested").await;
    assert_eq!(requested.len(), 1, "asked once: {requested:?}");
    mob.shutdown().await;
}
