//! A conversation with a module that speaks MCP.

use super::definition::definitions;
use super::elicit::{Question, answer};
use super::failure::Failures;
use super::link::Link;
use super::result::text;
use super::watched::call_meta;
use crate::client::{Call, Client, ClientError, Limits};
use async_trait::async_trait;
use mobkit_domain::event::ToolDefinition;
use mobkit_domain::id::CallId;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientRequest, ConstString, CustomRequest,
    DiscoverRequestMethod, InputRequest, InputRequiredResult, PaginatedRequestParams, PingRequest,
};
use rmcp::service::{Peer, ServiceError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Most pages of one listing.
const PAGES_MAX: usize = 1_000;
/// Most answers "input is required" to one call.
const ROUNDS_MAX: usize = 32;
/// Pause before a call is repeated that asked for nothing but to be repeated, growing.
const ROUND_PAUSE_MIN: Duration = Duration::from_millis(50);
const ROUND_PAUSE_MAX: Duration = Duration::from_secs(2);

/// A conversation that has begun. Dropping it ends it.
pub(super) struct Conversation {
    pub(super) peer: Peer<RoleClient>,
    pub(super) link: Arc<Link>,
    pub(super) failures: Failures,
    pub(super) limits: Limits,
    pub(super) protocol: String,
    /// Whether each request stands for itself.
    pub(super) stateless: bool,
    /// Ends it when it is dropped, or fired.
    pub(super) stop: StopOnDrop,
    /// Fires when nothing is left of it.
    pub(super) gone: CancellationToken,
}

/// Fires when it is dropped.
pub(super) struct StopOnDrop(pub(super) CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Conversation {
    fn failed(&self, error: ServiceError) -> ClientError {
        self.failures.of_request(error, &self.link)
    }

    /// Answers what a call asks for, and puts the answers into its next request.
    async fn give_input(
        &self,
        call: CallId,
        asked: InputRequiredResult,
        params: &mut CallToolRequestParams,
    ) -> Result<(), ClientError> {
        let mut answers = BTreeMap::new();
        for (key, request) in asked.input_requests.unwrap_or_default() {
            let InputRequest::Elicitation(request) = request else {
                let text = "it wants a model or folders of its client, which are not offered";
                return Err(ClientError::Refused(text.to_owned()));
            };
            let question = Question::of(request.params);
            let result = tokio::select! {
                biased;
                error = self.link.ended() => return Err(error),
                result = answer(&self.link, call, question) => result,
            };
            let result = serde_json::to_value(result);
            let result = result.map_err(|error| ClientError::Refused(error.to_string()))?;
            answers.insert(key, result);
        }
        params.input_responses = (!answers.is_empty()).then_some(answers);
        params.request_state = asked.request_state;
        Ok(())
    }
}

#[async_trait]
impl Client for Conversation {
    fn protocol(&self) -> String {
        self.protocol.clone()
    }

    async fn tools(&self) -> Result<Vec<ToolDefinition>, ClientError> {
        let mut listed = Vec::new();
        let mut params = PaginatedRequestParams::default();
        for _ in 0..PAGES_MAX {
            let page = self.peer.list_tools(Some(params.clone())).await;
            let page = page.map_err(|error| match error {
                ServiceError::UnexpectedResponse => {
                    ClientError::Broken("its answer is no list of tools".to_owned())
                }
                error => self.failed(error),
            })?;
            listed.extend(page.tools);
            let most = self.limits.tools_max;
            if listed.len() > most {
                return Err(ClientError::Broken(format!(
                    "it lists more than {most} tools"
                )));
            }
            if page.next_cursor.is_none() {
                return Ok(definitions(listed, self.link.host.as_ref()));
            }
            params.cursor = page.next_cursor;
        }
        let text = format!("its list of tools has more than {PAGES_MAX} pages");
        Err(ClientError::Broken(text))
    }

    async fn call(&self, call: Call) -> Result<String, ClientError> {
        let _entered = self.link.calls.enter(call.id);
        let mut params = CallToolRequestParams::new(call.tool);
        params.meta = Some(call_meta(call.id));
        params.arguments = match call.args {
            Value::Object(args) => Some(args),
            _ => None,
        };
        let mut pause = ROUND_PAUSE_MIN;
        for _ in 0..ROUNDS_MAX {
            // Dropped, it tells the module that nobody waits for the answer any more.
            let answer = self.peer.call_tool_once(params.clone()).await;
            match answer.map_err(|error| self.failed(error))? {
                CallToolResponse::Complete(result) if result.is_error == Some(true) => {
                    let words = text(&result);
                    let silent = words.is_empty();
                    let words = if silent {
                        "the tool failed and says no more"
                    } else {
                        &words
                    };
                    return Err(ClientError::Failed(words.to_owned()));
                }
                CallToolResponse::Complete(result) => return Ok(text(&result)),
                CallToolResponse::InputRequired(asked) => {
                    let requests = asked.input_requests.as_ref();
                    let asks_nothing = requests.is_none_or(BTreeMap::is_empty);
                    self.give_input(call.id, asked, &mut params).await?;
                    if asks_nothing {
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(ROUND_PAUSE_MAX);
                    }
                }
                // Only a client that offers the extension is answered with a task.
                _ => {
                    let text = "it answered with something else than a result";
                    return Err(ClientError::Failed(text.to_owned()));
                }
            }
        }
        let text = format!("it asked for input more than {ROUNDS_MAX} times");
        Err(ClientError::Failed(text))
    }

    async fn probe(&self) -> Result<(), ClientError> {
        let request = if self.stateless {
            // By its name and not by its type: rmcp lets no other request go out beside that one.
            let method = DiscoverRequestMethod::VALUE;
            ClientRequest::CustomRequest(CustomRequest::new(method, Some(json!({}))))
        } else {
            ClientRequest::PingRequest(PingRequest::default())
        };
        match self.peer.send_request(request).await {
            // A refusal is a sign of life.
            Ok(_) | Err(ServiceError::McpError(_)) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    async fn close(&self) {
        self.link.end(ClientError::Closed);
        self.stop.0.cancel();
        self.gone.cancelled().await;
    }

    async fn closed(&self) -> ClientError {
        self.link.ended().await
    }
}
