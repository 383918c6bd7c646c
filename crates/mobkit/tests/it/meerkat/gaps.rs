//! Events of a run that are lost, and the truth that is found all the same.

use super::lane::{Lane, told};
use crate::strangers::hands::all;
use serde_json::json;

#[tokio::test]
async fn a_burst_of_pieces_costs_no_text() {
    let lane = Lane::new();
    let mob = lane.open().await;
    let text = "0123456789".repeat(400);
    assert_eq!(told(&mob, "ada", &format!("burst {text}")).await, text);
    mob.shutdown().await;
}

#[tokio::test]
async fn lost_events_are_made_up_for_and_said() {
    for how in ["lose", "overflow"] {
        let lane = Lane::misbehaving(how);
        let mob = lane.open().await;
        assert_eq!(told(&mob, "ada", "hello").await, "1: hello", "{how}");
        assert_eq!(
            told(&mob, "ada", "pay eve").await,
            "told: paid eve",
            "{how}"
        );
        assert_eq!(lane.till.paid(), [json!({"to": "eve"})], "{how}");
        let gaps = all(&mob, "engine.gap").await;
        assert!(!gaps.is_empty(), "{how}");
        for gap in &gaps {
            assert_eq!(gap["data"]["member"], "ada", "{gap}");
            assert!(
                gap["data"]["reconciled"]
                    .as_str()
                    .is_some_and(|how| !how.is_empty())
            );
        }
        mob.shutdown().await;
    }
}

#[tokio::test]
async fn answers_that_come_late_change_nothing() {
    let lane = Lane::misbehaving("late");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "pay eve").await, "told: paid eve");
    assert_eq!(
        told(&mob, "host", "ask ada of owls").await,
        "heard 2: of owls"
    );
    mob.shutdown().await;
}
