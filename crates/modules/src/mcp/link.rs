//! What both directions of a conversation know of each other.

use super::calls::Calls;
use crate::client::{ClientError, Host};
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// The host, the calls that are in flight, and how the conversation ended.
pub(super) struct Link {
    pub(super) host: Arc<dyn Host>,
    pub(super) calls: Calls,
    over: CancellationToken,
    end: OnceLock<ClientError>,
}

impl Link {
    pub(super) fn new(host: Arc<dyn Host>) -> Arc<Self> {
        Arc::new(Self {
            host,
            calls: Calls::default(),
            over: CancellationToken::new(),
            end: OnceLock::new(),
        })
    }

    /// Ends the conversation. The first reason stays.
    pub(super) fn end(&self, reason: ClientError) {
        self.end.get_or_init(|| reason);
        self.over.cancel();
    }

    /// Fires when the conversation is over.
    pub(super) fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Why it is over, if it is.
    pub(super) fn reason(&self) -> Option<ClientError> {
        self.end.get().cloned()
    }

    /// Waits until it is over, and says why.
    pub(super) async fn ended(&self) -> ClientError {
        self.over.cancelled().await;
        let reason = self.end.get().cloned();
        reason.expect("the reason is set before the token fires")
    }
}
