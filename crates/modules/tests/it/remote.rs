//! Modules that are servers elsewhere.

use crate::kit::Mob;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mobkit_domain::state::ModuleStatus;
use serde_json::{Value, json};

/// A server whose tool `break` fails as a server, and whose other tools answer with their name.
async fn answer(Json(asked): Json<Value>) -> Response {
    let result = match asked["method"].as_str().unwrap_or_default() {
        "server/discover" => json!({
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
        }),
        "tools/list" => json!({
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": [
                { "name": "break", "inputSchema": { "type": "object" } },
                { "name": "echo", "inputSchema": { "type": "object" } },
            ],
        }),
        "tools/call" if asked["params"]["name"] == "break" => {
            return (StatusCode::INTERNAL_SERVER_ERROR, "oops").into_response();
        }
        "tools/call" => json!({
            "resultType": "complete",
            "content": [{ "type": "text", "text": asked["params"]["name"] }],
        }),
        _ => return StatusCode::ACCEPTED.into_response(),
    };
    Json(json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })).into_response()
}

/// A mob with that server as its module.
async fn mob() -> Mob {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = axum::Router::new().route("/mcp", post(answer));
    #[expect(clippy::disallowed_methods, reason = "the server ends with the test")]
    tokio::spawn(async { axum::serve(listener, router).await });
    let module = format!(
        "[[modules]]\nid = \"m\"\ntransport = \"mcp-http\"\nurl = \"http://{address}/mcp\"\n"
    );
    let mob = Mob::up(&[module]).await;
    mob.healthy("m").await;
    mob
}

#[tokio::test]
async fn a_call_that_breaks_at_the_server_is_told_as_that_and_the_module_goes_on() {
    let mob = mob().await;
    let failed = mob.call("m", "break", json!({})).await;
    let reason = "module m gave no result: the server answered HTTP 500";
    assert_eq!(failed, Err(reason.to_owned()));
    assert_eq!(mob.status("m"), ModuleStatus::Healthy);
    let echoed = mob.call("m", "echo", json!({})).await;
    assert_eq!(echoed, Ok("echo".to_owned()));
    mob.engine.shutdown().await;
}
