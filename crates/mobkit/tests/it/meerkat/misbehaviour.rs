//! A runtime that can't be used: its members have failed and say why, the others work.

use super::lane::{Lane, standing, told};
use crate::strangers::hands::{all, event};

/// The mob works but for its Meerkat members, and those say what is wrong and what helps.
async fn fails(lane: Lane, reason: &str) {
    let mob = lane.open().await;
    let mut failed = Vec::new();
    let mut after = 0;
    while failed.len() < 2 {
        let event = event(&mob, "member.failed", after).await;
        after = event["seq"].as_u64().expect("a position");
        failed.push(event["data"]["member"].clone());
    }
    failed.sort_by_key(ToString::to_string);
    assert_eq!(failed, ["ada", "bob"]);
    for id in ["ada", "bob"] {
        let (state, error) = standing(&mob, id);
        assert_eq!(state, "failed");
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("respawn"), "the next step: {error}");
    }
    assert_eq!(told(&mob, "host", "hello").await, "1: hello");
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
}

#[tokio::test]
async fn a_runtime_of_another_minor_version_fails_its_members() {
    fails(Lane::misbehaving("version"), "0.10.0").await;
}

#[tokio::test]
async fn a_runtime_that_writes_no_json_fails_its_members() {
    fails(Lane::misbehaving("garbage"), "broken protocol").await;
}

#[tokio::test]
async fn a_runtime_that_floods_its_output_fails_its_members() {
    fails(Lane::misbehaving("flood-stdout"), "MiB").await;
}

#[tokio::test]
async fn a_runtime_that_floods_its_log_is_cut_short_and_works() {
    let lane = Lane::misbehaving("flood-stderr");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    let logs = all(&mob, "engine.log").await;
    let dropped: u64 = logs
        .iter()
        .filter_map(|log| log["data"]["dropped"].as_u64())
        .sum();
    assert!(dropped > 0, "{} log events", logs.len());
    mob.shutdown().await;
}

#[tokio::test]
async fn a_runtime_that_dies_once_in_a_turn_answers_it_and_one_that_always_does_is_given_up() {
    let lane = Lane::misbehaving("die-once");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    mob.shutdown().await;
    let lane = Lane::misbehaving("die");
    let mob = lane.open().await;
    crate::kit::send(&mob, "ada", "hello").await;
    let mut after = 0;
    loop {
        let stopped = event(&mob, "engine.stopped", after).await;
        after = stopped["seq"].as_u64().expect("a position");
        if stopped["data"]["next"] == "failed" || standing(&mob, "ada").0 == "quarantined" {
            break;
        }
    }
    assert_eq!(told(&mob, "host", "hello").await, "1: hello");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_session_that_the_runtime_holds_back_is_gone_on_with_in_a_copy() {
    let lane = Lane::misbehaving("hold");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    let said = told(&mob, "ada", "break").await;
    assert!(said.ends_with(": break"), "{said}");
    assert_ne!(said, "1: break", "what was said before is not forgotten");
    let gaps = all(&mob, "engine.gap").await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0]["data"]["member"], "ada");
    let how = gaps[0]["data"]["reconciled"].as_str().unwrap_or_default();
    assert!(how.starts_with("ada_n2 goes on"), "{how}");
    let next = told(&mob, "ada", "again").await;
    mob.shutdown().await;
    // Who stands for it is found again.
    let mob = lane.open().await;
    let later = told(&mob, "ada", "later").await;
    let count = |said: &str| {
        let count = said.split(':').next().unwrap_or_default();
        count.parse::<u64>().expect("a count")
    };
    assert_eq!(count(&later), count(&next) + 1, "{next}, {later}");
    assert_eq!(all(&mob, "engine.gap").await.len(), 1);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_member_that_was_let_go_and_not_brought_back_takes_up_its_session_again() {
    let lane = Lane::misbehaving("vanish");
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    assert_eq!(told(&mob, "ada", "break").await, "2: break");
    assert_eq!(told(&mob, "ada", "again").await, "3: again");
    mob.shutdown().await;
}
