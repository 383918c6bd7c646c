//! How a conversation over pipes begins.

use super::host::Heard;
use super::peer::{Ends, call, discovery, says, welcome};
use crate::client::ClientError;
use crate::mcp::{ConnectError, Opening};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn the_newer_era_is_tried_first_and_every_request_stands_for_itself() {
    let (client, mut peer, _heard) = Ends::default()
        .meet(async |peer| {
            let request = peer.discovered(&json!({ "tools": {} })).await;
            let meta = &request["params"]["_meta"];
            assert_eq!(
                meta["io.modelcontextprotocol/protocolVersion"],
                "2026-07-28"
            );
            assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "mobkit");
            let offered = &meta["io.modelcontextprotocol/clientCapabilities"];
            assert_eq!(*offered, json!({ "elicitation": { "form": {} } }));
        })
        .await;
    let client = client.expect("connected");
    assert_eq!(client.protocol(), "mcp 2026-07-28 (shop 1.2)");
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        let meta = &request["params"]["_meta"];
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        assert!(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_era_before_is_met_with_initialize() {
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let (client, mut peer, _heard) = Ends::default()
            .meet(async |peer| {
                let request = peer.initialized(version).await;
                let params = &request["params"];
                assert_eq!(params["protocolVersion"], "2025-11-25");
                assert_eq!(
                    params["capabilities"],
                    json!({ "elicitation": { "form": {} } })
                );
                assert_eq!(params["clientInfo"]["name"], "mobkit");
            })
            .await;
        let client = client.expect("connected");
        assert_eq!(client.protocol(), format!("mcp {version} (shop 1.2)"));
        let (made, ()) = tokio::join!(client.call(call(7)), async {
            let request = peer.expect("tools/call").await;
            let meta = request["params"]["_meta"].as_object().expect("metadata");
            let keys: Vec<&str> = meta.keys().map(String::as_str).collect();
            assert_eq!(keys, ["mobkit/call", "progressToken"]);
            peer.answer(&request, says("done")).await;
        });
        assert_eq!(made, Ok("done".to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_is_met_with_initialize_and_its_late_answer_does_not_matter() {
    for refused in [true, false] {
        let (client, mut peer, _heard) = Ends::default()
            .meet(async |peer| {
                let discover = peer.expect("server/discover").await;
                // Nothing: the wait of 10 s goes by.
                let initialize = peer.expect("initialize").await;
                if refused {
                    let unknown = json!({ "code": -32601, "message": "Method not found" });
                    peer.refuse(&discover, unknown).await;
                } else {
                    peer.answer(&discover, discovery(&json!({}))).await;
                }
                peer.answer(&initialize, welcome("2025-06-18")).await;
                peer.expect("notifications/initialized").await;
            })
            .await;
        let client = client.expect("connected");
        assert_eq!(client.protocol(), "mcp 2025-06-18 (shop 1.2)");
        let (probed, ()) = tokio::join!(client.probe(), async {
            let request = peer.expect("ping").await;
            peer.answer(&request, json!({})).await;
        });
        assert_eq!(probed, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_at_discovery_may_be_started_anew_and_met_with_initialize() {
    let (client, peer, _heard) = Ends::default()
        .meet(async |peer| {
            peer.expect("server/discover").await;
            peer.hang_up();
        })
        .await;
    drop(peer);
    let undiscovered = ConnectError::Undiscovered(ClientError::Closed);
    assert_eq!(client.err(), Some(undiscovered));

    let ends = Ends {
        opening: Opening::Initialize,
        ..Ends::default()
    };
    let (client, _peer, _heard) = ends
        .meet(async |peer| {
            let request = peer.expect("initialize").await;
            peer.answer(&request, welcome("2025-06-18")).await;
            peer.expect("notifications/initialized").await;
        })
        .await;
    let client = client.expect("connected");
    assert_eq!(client.protocol(), "mcp 2025-06-18 (shop 1.2)");
}

async fn refused_with(error: Value) -> ConnectError {
    let (client, _peer, _heard) = Ends::default()
        .meet(async |peer| {
            let request = peer.expect("server/discover").await;
            peer.refuse(&request, error).await;
        })
        .await;
    client.err().expect("refused")
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_newer_era_is_no_reason_to_fall_back() {
    let error = json!({ "code": -32021, "message": "sampling is required" });
    let text = "it refuses to begin: sampling is required (code -32021)";
    let failed = ConnectError::Failed(ClientError::Refused(text.to_owned()));
    assert_eq!(refused_with(error).await, failed);

    let versions = |versions: Value| {
        json!({
            "code": -32022, "message": "unsupported", "data": { "supported": versions },
        })
    };
    let text = "it speaks no known version of MCP: 2099-01-01";
    let failed = ConnectError::Failed(ClientError::Refused(text.to_owned()));
    assert_eq!(refused_with(versions(json!(["2099-01-01"]))).await, failed);
    let before = refused_with(versions(json!(["2099-01-01", "2025-11-25"]))).await;
    assert!(matches!(before, ConnectError::Undiscovered(_)), "{before}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_nobody_knows_is_not_spoken() {
    let (client, _peer, _heard) = Ends::default()
        .meet(async |peer| {
            peer.initialized("1999-12-31").await;
        })
        .await;
    let text = "it speaks no known version of MCP: 1999-12-31";
    let failed = ConnectError::Failed(ClientError::Refused(text.to_owned()));
    assert_eq!(client.err(), Some(failed));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_passed_over_and_shown() {
    let (client, mut peer, mut heard) = Ends::default()
        .meet(async |peer| {
            peer.raw("shop 1.2 starts\n\n\u{feff}[1, 2]\n").await;
            peer.discovered(&json!({ "tools": {} })).await;
        })
        .await;
    let client = client.expect("connected");
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let request = peer.expect("tools/call").await;
        peer.raw("{\"level\": \"info\"}\r\n").await;
        peer.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    for line in [
        "shop 1.2 starts",
        "\u{feff}[1, 2]",
        "{\"level\": \"info\"}\r",
    ] {
        assert_eq!(heard.recv().await, Some(Heard::Stray(line.to_owned())));
    }
}
