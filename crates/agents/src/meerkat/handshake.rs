//! The first words with the runtime: who it is, and whether it speaks what is spoken here.

use super::connection::Connection;
use super::frames::RequestError;
use serde_json::{Value, json};
use std::time::Duration;

/// How long the runtime may take for its first answer.
pub const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(30);
/// The contract that is spoken here: while the major number is 0 every minor number is another one.
const CONTRACT: (u64, u64) = (0, 9);
/// Every method that is used here.
pub(super) const NEEDED: &[&str] = &[
    "tools/register",
    "session/input_status",
    "mob/create",
    "mob/list",
    "mob/claim_callback_route",
    "mob/events",
    "mob/members",
    "mob/member_status",
    "mob/member_history",
    "mob/member_send",
    "mob/ensure_member",
    "mob/retire",
    "mob/respawn",
    "mob/stop_member_run",
    "mob/hard_cancel_member",
    "mob/stream_open",
    "mob/stream_close",
];

/// Why the first words failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It did not answer in time, ended, or broke the protocol. Another try may go better.
    #[error("{0}")]
    Failed(String),
    /// It is not what is wanted, each time.
    #[error("{0}")]
    Other(String),
}

/// Speaks the first words; returns the version of the runtime.
pub async fn handshake(connection: &Connection) -> Result<String, HandshakeError> {
    let asked = connection.request("initialize", json!({}));
    let answered = tokio::time::timeout(HANDSHAKE_PATIENCE, asked).await;
    let patience = HANDSHAKE_PATIENCE.as_secs();
    let answered = answered.map_err(|_| {
        HandshakeError::Failed(format!("did not answer `initialize` within {patience} s"))
    })?;
    let says = answered.map_err(|error| match error {
        RequestError::Closed(reason) => HandshakeError::Failed(reason),
        RequestError::Refused { .. } => {
            HandshakeError::Other(format!("refused `initialize`: {error}"))
        }
    })?;
    let version = checked(&says)?;
    connection.notify("initialized", &json!({}));
    Ok(version)
}

fn checked(says: &Value) -> Result<String, HandshakeError> {
    let contract = says.get("contract_version").and_then(Value::as_str);
    let version = says.pointer("/server_info/version").and_then(Value::as_str);
    let spoken = contract.and_then(major_and_minor);
    if spoken != Some(CONTRACT) {
        let (major, minor) = CONTRACT;
        let contract = contract.unwrap_or("none that it names");
        return Err(HandshakeError::Other(format!(
            "speaks version {contract} of its protocol, and {major}.{minor} is wanted; install it: \
             {}",
            super::find::install()
        )));
    }
    let methods = says.get("methods").and_then(Value::as_array);
    let has = |wanted: &&str| methods.is_some_and(|all| all.iter().any(|name| name == *wanted));
    let missing: Vec<&str> = NEEDED.iter().copied().filter(|name| !has(name)).collect();
    if !missing.is_empty() {
        return Err(HandshakeError::Other(format!(
            "lacks {}, which is needed; install a build with all features: {}",
            missing.join(", "),
            super::find::install()
        )));
    }
    Ok(version.or(contract).unwrap_or_default().to_owned())
}

fn major_and_minor(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split('.');
    let mut number = || parts.next()?.parse().ok();
    Some((number()?, number()?))
}
