//! How a conversation over pipes ends.

use super::peer::{Ends, call, says};
use crate::client::ClientError;
use mobkit_engine::Tasks;
use serde_json::json;
use std::time::Duration;
use tokio::runtime::Handle;

/// Waits until nothing runs in the runtime but the test.
pub(super) async fn alone() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

fn with(tasks: &Tasks) -> Ends {
    Ends {
        tasks: tasks.clone(),
        ..Ends::default()
    }
}

#[tokio::test(start_paused = true)]
async fn closing_closes_the_input_and_leaves_no_task() {
    for modern in [true, false] {
        let tasks = Tasks::new();
        let (client, mut peer, _heard) = if modern {
            with(&tasks).modern().await
        } else {
            with(&tasks).before().await
        };
        client.close().await;
        assert_eq!(client.closed().await, ClientError::Closed);
        assert_eq!(peer.next().await, None);
        assert_eq!(client.call(call(1)).await, Err(ClientError::Closed));
        // What it says when its input is closed is heard out, and goes nowhere.
        for _ in 0..5_000 {
            peer.notify(
                "notifications/message",
                json!({ "level": "info", "data": "bye" }),
            )
            .await;
        }
        drop(peer);
        alone().await;
        assert!(tasks.live().is_empty());
        // Once more changes nothing.
        client.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_ends_with_the_conversation() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let (made, ()) = tokio::join!(client.call(call(1)), async {
        peer.expect("tools/call").await;
        client.close().await;
    });
    assert_eq!(made, Err(ClientError::Closed));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_client_ends_the_conversation() {
    let tasks = Tasks::new();
    let (client, mut peer, _heard) = with(&tasks).modern().await;
    drop(client);
    assert_eq!(peer.next().await, None);
    drop(peer);
    alone().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_conversation() {
    let tasks = Tasks::new();
    let (client, mut peer, _heard) = with(&tasks).modern().await;
    let stubborn = tasks.stop(Duration::from_secs(10)).await;
    assert!(stubborn.is_empty(), "{stubborn:?}");
    assert_eq!(client.closed().await, ClientError::Closed);
    assert_eq!(peer.next().await, None);
    alone().await;
}

#[tokio::test(start_paused = true)]
async fn giving_up_in_the_beginning_leaves_nothing() {
    let tasks = Tasks::new();
    let meeting = with(&tasks).meet(async |peer| {
        peer.expect("server/discover").await;
        std::future::pending::<()>().await;
    });
    let met = tokio::time::timeout(Duration::from_secs(1), meeting).await;
    assert!(met.is_err());
    alone().await;
    assert!(tasks.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_module_that_has_ended_leaves_no_task() {
    let tasks = Tasks::new();
    let (client, peer, _heard) = with(&tasks).modern().await;
    drop(peer);
    assert_eq!(client.closed().await, ClientError::Closed);
    alone().await;
    assert!(tasks.live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_is_asked_of_the_module_itself() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    // A call is under way, and the answer of the beginning would hold for an hour.
    let (made, probed, ()) = tokio::join!(client.call(call(1)), client.probe(), async {
        let request = peer.expect("tools/call").await;
        let probe = peer.expect("server/discover").await;
        let meta = &probe["params"]["_meta"];
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        let error = json!({ "code": -32603, "message": "busy" });
        peer.refuse(&probe, error).await;
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    assert_eq!(probed, Ok(()), "a refusal is a sign of life");
}
