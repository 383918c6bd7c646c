//! Health, readiness and the first page.

use crate::kit::{Options, Server};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_start_is_alive_and_not_ready() {
    let server = Server::with(Options {
        starting: true,
        ..Options::default()
    })
    .await;
    assert_eq!(server.get("/healthz").await.status, 200);
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.body["state"]),
        (503, &json!("starting"))
    );
    server.engine.bring_up().await.expect("brought up");
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.body["state"]),
        (200, &json!("running"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_has_stopped_is_not_ready() {
    let server = Server::up().await;
    server.engine.shutdown().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.body["state"]),
        (503, &json!("stopped"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_page_says_where_the_api_is() {
    let server = Server::up().await;
    let page = server.get("/").await.body;
    assert_eq!(
        (&page["version"], &page["rpc"]),
        (&json!("0.0.0-test"), &json!("/rpc"))
    );
    assert_eq!(page["events"], "/api/v1/events");
}
