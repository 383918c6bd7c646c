//! What sinks get of the host.

use async_trait::async_trait;
use mobkit_domain::definition::{Secret, Setting};

/// Reads what a route only refers to. An error says in one line where the value should have been,
/// and never holds any of it: it is recorded.
#[async_trait]
pub trait Settings: Send + Sync + 'static {
    /// A plain value, or the secret that is meant. Read anew at every call.
    async fn setting(&self, setting: &Setting) -> Result<String, String>;

    /// A secret. Read anew at every call.
    async fn secret(&self, secret: &Secret) -> Result<String, String>;
}
