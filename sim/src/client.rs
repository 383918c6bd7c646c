//! Operations of the gateway, called in this process.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use mobkit::{Access, Mob};
use serde_json::{Value, json};
use tower::ServiceExt;

const TOKEN: &str = "a-token-of-the-simulation";

/// A refusal, or a failure.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) text: String,
}

/// Calls operations as an operator.
#[derive(Clone)]
pub(crate) struct Client(Router);

impl Client {
    pub(crate) fn of(mob: &Mob) -> Self {
        Self(mob.router(Access::operator_token(TOKEN)))
    }

    /// Calls an operation.
    pub(crate) async fn call(&self, operation: &str, params: &Value) -> Result<Value, Problem> {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/api/v1/{operation}"))
            .header("host", "127.0.0.1:7373")
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(params.to_string()))
            .expect("a request of these parts is whole");
        let response = self.0.clone().oneshot(request).await;
        let (parts, body) = response.expect("a router refuses nothing").into_parts();
        let bytes = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let body: Value = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_else(|| json!({"code": "no body"}));
        if parts.status.is_success() {
            return Ok(body);
        }
        Err(Problem {
            status: parts.status.as_u16(),
            code: body["code"].as_str().unwrap_or_default().to_owned(),
            text: format!("{operation} {params}: {body}"),
        })
    }
}
