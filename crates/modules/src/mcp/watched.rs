//! What passes between a conversation and its transport.

use super::link::Link;
use crate::client::ClientError;
use mobkit_domain::id::CallId;
use rmcp::RoleClient;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, GetMeta, JsonRpcMessage, NumberOrString, ProgressToken,
    RequestId, RequestMetaObject, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use serde_json::Value;
use std::sync::Arc;

/// Key of the call id in the metadata of a call.
const CALL_KEY: &str = "mobkit/call";

/// Metadata that names a call. [`Watched`] makes the id its progress token as well.
pub(super) fn call_meta(call: CallId) -> RequestMetaObject {
    let mut meta = RequestMetaObject::new();
    meta.insert(CALL_KEY.to_owned(), Value::String(call.to_string()));
    meta
}

/// A transport that puts the call id where rmcp would put a number of its own, knows which request
/// belongs to which call, and notices the end.
pub(super) struct Watched<T> {
    inner: T,
    link: Arc<Link>,
    /// Why the conversation is over when the transport has nothing more, and doesn't say why.
    end: ClientError,
    discoveries: Vec<RequestId>,
    /// Requests whose answer came too late to be wanted.
    forgotten: Vec<RequestId>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, link: Arc<Link>, end: ClientError) -> Self {
        Self {
            inner,
            link,
            end,
            discoveries: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    fn note(&mut self, message: &mut ClientJsonRpcMessage) {
        let JsonRpcMessage::Request(sent) = message else {
            return;
        };
        match &sent.request {
            ClientRequest::CallToolRequest(request) => {
                let meta = request.params.meta.as_ref();
                let named = meta.and_then(|meta| meta.get(CALL_KEY)?.as_str());
                let Some(call) = named.and_then(|name| name.parse::<CallId>().ok()) else {
                    return;
                };
                let token = NumberOrString::String(call.to_string().into());
                let meta = sent.request.get_meta_mut();
                meta.set_progress_token(ProgressToken(token));
                self.link.calls.sent(call, &sent.id);
            }
            ClientRequest::DiscoverRequest(_) => self.discoveries.push(sent.id.clone()),
            // A server that was silent is asked in the words of the era before. If it was only
            // slow to start it answers both, and the first answer is not to be taken for the other.
            ClientRequest::InitializeRequest(_) => self.forgotten.append(&mut self.discoveries),
            _ => {}
        }
    }

    fn is_forgotten(&self, message: &ServerJsonRpcMessage) -> bool {
        let id = match message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        id.is_some_and(|id| self.forgotten.contains(id))
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Watched<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        mut message: ClientJsonRpcMessage,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.note(&mut message);
        self.inner.send(message)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            match self.inner.receive().await {
                Some(message) if self.is_forgotten(&message) => {}
                Some(message) => return Some(message),
                None => {
                    self.link.end(self.end.clone());
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.inner.close().await
    }
}
