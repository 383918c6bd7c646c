//! The example of embedding, as it stands in the repository.

#[expect(dead_code, reason = "its main function is for people")]
#[path = "../../examples/embed.rs"]
mod example;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn body(response: axum::response::Response) -> Value {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}

fn request(path: &str, token: &str, json: &Value) -> Request<Body> {
    Request::post(path)
        .header("host", "127.0.0.1:7474")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(json.to_string()))
        .expect("a request")
}

#[tokio::test]
async fn a_mob_answers_beside_the_routes_of_its_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mob, app) = example::host(folder.path()).await.expect("started");
    let page = Request::get("/")
        .header("host", "127.0.0.1:7474")
        .body(Body::empty());
    let page = app
        .clone()
        .oneshot(page.expect("a request"))
        .await
        .expect("answered");
    assert_eq!(page.status(), StatusCode::OK);

    let ask = json!({"to": "clerk:ada", "content": "stock of tea?"});
    let path = "/mob/api/v1/member/ask";
    let refused = app
        .clone()
        .oneshot(request(path, "wrong", &ask))
        .await
        .expect("answered");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let answered = app
        .oneshot(request(path, "example", &ask))
        .await
        .expect("answered");
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(body(answered).await["text"], "We have 12 boxes of it.");

    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert!(mob.engine().tasks().live().is_empty());
}
