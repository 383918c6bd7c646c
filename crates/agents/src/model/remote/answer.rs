//! The answer to one call, as it comes in.

use super::failure::Failures;
use super::frames::Frames;
use super::names::ToolNames;
use super::target::RemoteProvider;
use super::{carry, quiet::quietly};
use crate::model::seam::ModelEvent;
use futures::{Stream, StreamExt, stream};
use genai::chat::{
    ChatOptions, ChatRequest, ChatStream, ChatStreamEvent, StopReason, StreamEnd, ToolCall,
};
use genai::{Client, ServiceTarget};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Usage};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// What ids begin with that genai makes up for calls that came without one. They are not unique.
const GENAI_CALL_ID: &str = "call#";

/// A call that is ready to be made.
pub(super) struct Call {
    pub provider: RemoteProvider,
    pub client: Client,
    pub target: ServiceTarget,
    pub chat: ChatRequest,
    pub options: ChatOptions,
    pub names: ToolNames,
    pub frames: Arc<Frames>,
    pub failures: Arc<Failures>,
    pub timeout: Duration,
}

/// A call that is being answered.
pub(super) struct Answer {
    call: Call,
    /// When the whole call has taken too long.
    deadline: Pin<Box<Sleep>>,
    source: Source,
    ready: VecDeque<ModelEvent>,
    /// The signatures of Gemini's calls so far, each of which comes whole.
    signed: Vec<Option<String>>,
}

enum Source {
    Unasked,
    Open(Box<ChatStream>),
    Closed,
}

/// What came of waiting for the next event of genai.
enum Next {
    Event(Box<ChatStreamEvent>),
    Failed(genai::Error),
    Ended,
    TooLong,
    Silent,
}

impl Answer {
    /// Starts the clock of the call.
    pub(super) fn begin(call: Call) -> Self {
        let deadline = Box::pin(sleep(call.timeout));
        Self {
            call,
            deadline,
            source: Source::Unasked,
            ready: VecDeque::new(),
            signed: Vec::new(),
        }
    }

    pub(super) fn events(self) -> impl Stream<Item = Result<ModelEvent, Failure>> {
        stream::unfold(self, |mut answer| async move {
            let event = answer.next().await?;
            if event.is_err() {
                answer.source = Source::Closed;
                answer.ready.clear();
            }
            Some((event, answer))
        })
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, Failure>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if matches!(self.source, Source::Closed) {
                return None;
            }
            if let Err(failure) = self.advance().await {
                return Some(Err(failure));
            }
        }
    }

    /// Waits for whatever comes next of genai.
    async fn advance(&mut self) -> Result<(), Failure> {
        match &mut self.source {
            Source::Closed => Ok(()),
            Source::Unasked => {
                self.source = Source::Open(Box::new(self.ask().await?));
                Ok(())
            }
            Source::Open(stream) => match next(stream, &mut self.deadline, &self.call).await {
                Next::Event(event) => self.take(*event),
                Next::Failed(_) if self.call.frames.is_blocked() => {
                    self.withheld();
                    Ok(())
                }
                Next::Failed(error) => Err(self.call.failures.of(error)),
                Next::Ended => Err(self.ended_early()),
                Next::TooLong => Err(self.too_long()),
                Next::Silent => Err(self.silent()),
            },
        }
    }

    /// Prepares the request. genai makes it when its stream is first polled, so this never waits.
    async fn ask(&mut self) -> Result<ChatStream, Failure> {
        let call = &self.call;
        let (target, chat) = (call.target.clone(), call.chat.clone());
        let asked = call
            .client
            .exec_chat_stream(target, chat, Some(&call.options));
        quietly(asked)
            .await
            .map(|answer| answer.stream)
            .map_err(|error| call.failures.of(error))
    }

    fn take(&mut self, event: ChatStreamEvent) -> Result<(), Failure> {
        match event {
            ChatStreamEvent::Chunk(chunk) => {
                self.ready.push_back(ModelEvent::Text {
                    text: chunk.content,
                });
            }
            ChatStreamEvent::ReasoningChunk(chunk) => {
                self.ready.push_back(ModelEvent::Reasoning {
                    text: chunk.content,
                });
            }
            ChatStreamEvent::ToolCallChunk(chunk) if self.call.provider.is_gemini() => {
                // At the end genai gives the first call the signatures of others.
                let signatures = chunk.tool_call.thought_signatures.into_iter().flatten();
                self.signed.push(signatures.last());
            }
            // Calls and other signatures are taken whole from the end.
            ChatStreamEvent::Start
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::ToolCallChunk(_)
            | ChatStreamEvent::Heartbeat => {}
            ChatStreamEvent::End(end) => return self.end(end),
        }
        Ok(())
    }

    fn end(&mut self, end: StreamEnd) -> Result<(), Failure> {
        // For some providers genai makes an end of any end of the stream, and some proxies do the
        // same; only the reason to stop comes from the model.
        let Some(reason) = &end.captured_stop_reason else {
            return Err(self.ended_early());
        };
        let finish = finish_of(reason);
        let usage = end.captured_usage.clone().map(usage_of);
        let mut carry = carry::keep(&self.call.failures.model, &end, &self.signed);
        let mut calls = end.captured_into_tool_calls().unwrap_or_default();
        if self.call.provider.is_open_ai() {
            calls = whole(calls);
        }
        if calls.is_empty() {
            // Only an answer with calls is followed by another one in the same turn.
            carry = None;
        }
        for call in calls {
            let request = call_request(call, &self.call.names);
            self.ready.push_back(ModelEvent::Call(request));
        }
        self.ready.extend(usage.map(ModelEvent::Usage));
        self.ready.push_back(ModelEvent::End { finish, carry });
        self.source = Source::Closed;
        Ok(())
    }

    /// The provider does not answer what it was asked: an answer of nothing that says so.
    fn withheld(&mut self) {
        self.ready.push_back(ModelEvent::End {
            finish: Finish::Filtered,
            carry: None,
        });
        self.source = Source::Closed;
    }

    /// genai ends its stream in silence where the provider's own end mark never came.
    fn ended_early(&self) -> Failure {
        if self.call.frames.only_foreign() {
            return self.call.failures.garbage();
        }
        let reason = "the stream ended before the answer was whole";
        self.call.failures.fail(FailureClass::Cut, reason)
    }

    fn too_long(&self) -> Failure {
        let ms = self.call.timeout.as_millis();
        let reason = format!("no whole answer within {ms} ms");
        self.call.failures.fail(FailureClass::Timeout, &reason)
    }

    fn silent(&self) -> Failure {
        let ms = silence(self.call.timeout).as_millis();
        let reason = format!("the answer began, and then nothing came for {ms} ms");
        self.call.failures.fail(FailureClass::Timeout, &reason)
    }
}

/// How long an answer that has begun may pause. Before that a model may think as long as the whole
/// call may take.
fn silence(timeout: Duration) -> Duration {
    timeout / 2
}

async fn next(stream: &mut ChatStream, deadline: &mut Pin<Box<Sleep>>, call: &Call) -> Next {
    loop {
        let seen = call.frames.all();
        let paused = async {
            if seen == 0 {
                std::future::pending::<()>().await;
            }
            sleep(silence(call.timeout)).await;
        };
        tokio::select! {
            biased;
            event = quietly(stream.next()) => return match event {
                Some(Ok(event)) => Next::Event(Box::new(event)),
                Some(Err(error)) => Next::Failed(error),
                None => Next::Ended,
            },
            () = deadline.as_mut() => return Next::TooLong,
            // Keep-alives are frames without an event.
            () = paused => if call.frames.all() == seen { return Next::Silent },
        }
    }
}

fn finish_of(reason: &StopReason) -> Finish {
    match reason {
        StopReason::Completed(_) | StopReason::StopSequence(_) => Finish::Stop,
        StopReason::ToolCall(_) => Finish::Calls,
        StopReason::MaxTokens(_) => Finish::Length,
        StopReason::ContentFilter(_) => Finish::Filtered,
        StopReason::Other(_) => Finish::Other,
    }
}

fn usage_of(usage: genai::chat::Usage) -> Usage {
    let count = |tokens: Option<i32>| tokens.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let details = usage.prompt_tokens_details.unwrap_or_default();
    Usage {
        input_tokens: count(usage.prompt_tokens),
        output_tokens: count(usage.completion_tokens),
        cached_input_tokens: count(details.cached_tokens),
        cache_creation_input_tokens: count(details.cache_creation_tokens),
    }
}

/// The calls without the placeholders that genai makes where a server counts its calls from 1: a
/// placeholder has the id of a call behind it.
fn whole(calls: Vec<ToolCall>) -> Vec<ToolCall> {
    let ids: Vec<String> = calls.iter().map(|call| call.call_id.clone()).collect();
    let last = |at: usize| ids[at].is_empty() || !ids[at + 1..].contains(&ids[at]);
    calls
        .into_iter()
        .enumerate()
        .filter(|(at, _)| last(*at))
        .map(|(_, call)| call)
        .collect()
}

fn call_request(call: ToolCall, names: &ToolNames) -> CallRequest {
    let args = match call.fn_arguments {
        // A call without arguments comes as nothing at all from some servers.
        Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
        Value::Null => Value::Object(Map::new()),
        args => args,
    };
    let made_up = |id: &str| id.is_empty() || id.starts_with(GENAI_CALL_ID);
    let provider_id = Some(call.call_id).filter(|id| !made_up(id));
    CallRequest {
        tool: names.ours(&call.fn_name),
        args,
        provider_id,
    }
}
