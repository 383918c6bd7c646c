//! The calls that are in flight in one conversation.

use mobkit_domain::id::CallId;
use rmcp::model::RequestId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Calls from their first request to their outcome, the questions in between included.
#[derive(Default)]
pub(super) struct Calls(Mutex<BTreeMap<CallId, InFlight>>);

struct InFlight {
    /// The request that is under way for it. A call takes several when it asks for input.
    request: Option<RequestId>,
    done: CancellationToken,
}

/// A call is in flight as long as this lives.
pub(super) struct Entered<'c> {
    calls: &'c Calls,
    call: CallId,
}

/// A call that something belongs to.
pub(super) struct Found {
    pub(super) call: CallId,
    /// Fires when the call has an outcome or nobody waits for it any more.
    pub(super) done: CancellationToken,
}

impl Calls {
    /// A call begins.
    pub(super) fn enter(&self, call: CallId) -> Entered<'_> {
        let in_flight = InFlight {
            request: None,
            done: CancellationToken::new(),
        };
        self.lock().insert(call, in_flight);
        Entered { calls: self, call }
    }

    /// A request goes out for a call.
    pub(super) fn sent(&self, call: CallId, request: &RequestId) {
        if let Some(in_flight) = self.lock().get_mut(&call) {
            in_flight.request = Some(request.clone());
        }
    }

    /// Whether a call is in flight.
    pub(super) fn holds(&self, call: CallId) -> bool {
        self.lock().contains_key(&call)
    }

    /// The call that a request was sent for.
    pub(super) fn of(&self, request: &RequestId) -> Option<Found> {
        let calls = self.lock();
        let mut sent = calls
            .iter()
            .filter(|(_, in_flight)| in_flight.request.as_ref() == Some(request));
        sent.next().map(Found::from)
    }

    /// The call in flight, where there is exactly one.
    pub(super) fn only(&self) -> Option<Found> {
        let calls = self.lock();
        let mut all = calls.iter();
        match (all.next(), all.next()) {
            (Some(one), None) => Some(Found::from(one)),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallId, InFlight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<(&CallId, &InFlight)> for Found {
    fn from((call, in_flight): (&CallId, &InFlight)) -> Self {
        Self {
            call: *call,
            done: in_flight.done.clone(),
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(in_flight) = self.calls.lock().remove(&self.call) {
            in_flight.done.cancel();
        }
    }
}
