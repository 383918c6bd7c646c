//! What a module says and asks while the conversation lasts.

#![expect(
    deprecated,
    reason = "servers of the era before still send log messages"
)]

use super::calls::Found;
use super::elicit::{Question, answer, decline};
use super::link::Link;
use mobkit_domain::id::CallId;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ConstString, CustomNotification, CustomRequest, CustomResult,
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
    ElicitationCreateRequestMethod, ErrorCode, ErrorData, FormElicitationCapability,
    Implementation, ListRootsRequestMethod, ListRootsResult, LoggingMessageNotificationParam,
    NumberOrString, ProgressNotificationParam, ProtocolVersion,
};
use rmcp::service::{InboundStreamOrigin, NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use serde_json::{Value, json};
use std::sync::Arc;

/// The end of the conversation that answers the module.
pub(super) struct Handler {
    pub(super) link: Arc<Link>,
}

impl Handler {
    /// Has a question answered that came as a request of its own, as it did before 2026-07-28.
    async fn ask(&self, question: Question, context: RequestContext<RoleClient>) -> ElicitResult {
        let Some(Found { call, done }) = self.asked_in(&context) else {
            let message = match &question {
                Question::Form { message, .. } | Question::Declined { message, .. } => message,
            };
            let reason = "the question can't be told to belong to one call";
            return decline(&self.link, None, message, reason);
        };
        let cancelled = || ElicitResult::new(ElicitationAction::Cancel);
        tokio::select! {
            biased;
            () = done.cancelled() => cancelled(),
            () = context.ct.cancelled() => cancelled(),
            () = self.link.over().cancelled() => cancelled(),
            result = answer(&self.link, call, question) => result,
        }
    }

    /// The call that a request of the module belongs to. Over HTTP it comes on the stream of the
    /// call; on pipes nothing tells, so it must be the only one.
    fn asked_in(&self, context: &RequestContext<RoleClient>) -> Option<Found> {
        match context.extensions.get::<InboundStreamOrigin>() {
            Some(InboundStreamOrigin::OutboundRequest(request)) => self.link.calls.of(request),
            Some(InboundStreamOrigin::Unassociated) | None => self.link.calls.only(),
        }
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        let form = FormElicitationCapability::default();
        capabilities.elicitation = Some(ElicitationCapability::default().with_form(form));
        let client = Implementation::new("mobkit", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(capabilities, client)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(self.ask(Question::of(params), context).await)
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListRootsRequestMethod>())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method != ElicitationCreateRequestMethod::VALUE {
            let code = ErrorCode::METHOD_NOT_FOUND;
            return Err(ErrorData::new(code, request.method, None));
        }
        let question = Question::of_raw(request.params.as_ref());
        let result = self.ask(question, context).await;
        let result = serde_json::to_value(result);
        result
            .map(CustomResult::new)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let NumberOrString::String(token) = &params.progress_token.0 else {
            return;
        };
        let call = token.parse::<CallId>().ok();
        if let Some(call) = call.filter(|call| self.link.calls.holds(*call)) {
            self.link.host.progress(call, progress(&params));
        }
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let mut said = json!({ "kind": "log", "level": params.level, "data": params.data });
        if let Some(logger) = params.logger {
            said["logger"] = Value::String(logger);
        }
        self.link.host.said(said);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.link.host.tools_changed();
    }

    async fn on_custom_notification(
        &self,
        notification: CustomNotification,
        _: NotificationContext<RoleClient>,
    ) {
        self.link.host.said(json!({
            "kind": "notification",
            "method": notification.method,
            "params": notification.params,
        }));
    }
}

fn progress(params: &ProgressNotificationParam) -> String {
    let so_far = match params.total {
        Some(total) => format!("{} of {total}", params.progress),
        None => params.progress.to_string(),
    };
    match &params.message {
        Some(message) if !message.is_empty() => format!("{message} ({so_far})"),
        _ => so_far,
    }
}
