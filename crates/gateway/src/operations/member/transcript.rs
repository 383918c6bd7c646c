//! The transcript of a session, read from the journal.

use crate::context::store_refusal;
use crate::turn_view::event_at;
use mobkit_domain::event::{Envelope, Event, EventFilter, RecordedCall};
use mobkit_domain::id::{CallId, MessageId, Seq, TurnId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::SessionSpan;
use mobkit_domain::text::{Part, Text};
use mobkit_domain::time::Time;
use mobkit_engine::Engine;
use mobkit_store::EventQuery;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Kinds of events that a transcript is made of.
const KINDS: [&str; 13] = [
    "session.compacted",
    "turn.corrected",
    "message.delivered",
    "message.steered",
    "model.replied",
    "tool.finished",
    "tool.failed",
    "tool.refused",
    "tool.resolved",
    "tool.unknown",
    "turn.completed",
    "turn.failed",
    "turn.cancelled",
];

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// Who sent a message.
    User,
    /// The member.
    Assistant,
    /// A tool.
    Tool,
    /// mobkit.
    Runtime,
}

/// One thing that was said or done.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Entry {
    /// Position of its event.
    pub(super) seq: Seq,
    time: Time,
    /// Kind of its event.
    kind: &'static str,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<TurnId>,
    /// What was said; a reference where it is longer than 32 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text>,
    /// The message, and who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Principal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    /// The tools that the member wants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<RecordedCall>,
    /// The tool call that this came of.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<CallId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

/// At most `limit` entries after a position.
pub(super) async fn read(
    engine: &Engine,
    spans: &[SessionSpan],
    after: Seq,
    limit: usize,
) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    let head = engine.head();
    for span in spans {
        let until = span.until.unwrap_or(head).min(head);
        let mut after = after.max(span.from);
        let filter = EventFilter {
            kinds: KINDS.map(str::to_owned).into(),
            subject: Some(format!("member/{}", span.member)),
            source: None,
        };
        while after < until && entries.len() < limit {
            let limit = limit - entries.len();
            let query = EventQuery {
                after,
                until,
                filter: filter.clone(),
                limit,
                kept: true,
            };
            let page = engine.store().events(engine.mob(), query).await;
            let page = page.map_err(|error| store_refusal(&error))?;
            for envelope in page.events {
                entries.extend(entry(engine, envelope).await?);
            }
            if page.next_after <= after {
                break;
            }
            after = page.next_after;
        }
    }
    Ok(entries)
}

async fn entry(engine: &Engine, envelope: Envelope) -> Result<Option<Entry>, Refusal> {
    let mut entry = Entry {
        seq: envelope.seq,
        time: envelope.time,
        kind: envelope.event.kind(),
        role: Role::Tool,
        turn: envelope.turn,
        text: None,
        message: None,
        from: None,
        parts: Vec::new(),
        calls: Vec::new(),
        call: None,
        tool: None,
        data: None,
    };
    match envelope.event {
        Event::MessageDelivered(e) => entry.said(engine, e.message).await?,
        Event::MessageSteered(e) => entry.said(engine, e.message).await?,
        Event::ModelReplied(e) => {
            entry.role = Role::Assistant;
            entry.text = Some(e.text);
            entry.calls = e.calls;
        }
        Event::TurnCompleted(e) => {
            if e.data.is_none() && is_said(engine, envelope.cause, &e.text).await? {
                return Ok(None);
            }
            entry.role = Role::Assistant;
            entry.text = Some(e.text);
            entry.data = e.data;
        }
        Event::TurnCorrected(e) => {
            entry.role = Role::Runtime;
            entry.text = Some(e.reason.into());
        }
        Event::SessionCompacted(e) => {
            entry.role = Role::Runtime;
            entry.text = Some(e.summary);
        }
        Event::TurnFailed(e) => {
            entry.role = Role::Runtime;
            entry.text = Some(e.reason.into());
        }
        Event::TurnCancelled(e) => {
            entry.role = Role::Runtime;
            entry.text = Some(e.reason.into());
        }
        Event::ToolFinished(e) => entry.of_call(e.call, e.tool, Some(e.result)),
        Event::ToolFailed(e) => entry.of_call(e.call, e.tool, Some(e.reason.into())),
        Event::ToolRefused(e) => entry.of_call(e.call, e.tool, Some(e.reason.into())),
        Event::ToolResolved(e) => entry.of_call(e.call, e.tool, e.result),
        Event::ToolUnknown(e) => entry.of_call(e.call, e.tool, None),
        _ => return Ok(None),
    }
    Ok(Some(entry))
}

/// Whether the answer of a turn is what the reply said that led to it.
async fn is_said(engine: &Engine, cause: Option<Seq>, text: &Text) -> Result<bool, Refusal> {
    let Some(cause) = cause else { return Ok(false) };
    let reply = event_at(engine, cause)
        .await?
        .map(|envelope| envelope.event);
    Ok(matches!(reply, Some(Event::ModelReplied(reply)) if reply.text == *text))
}

impl Entry {
    /// The text of a message stands where the message was accepted.
    async fn said(&mut self, engine: &Engine, message: MessageId) -> Result<(), Refusal> {
        self.role = Role::User;
        self.message = Some(message);
        if let Some(Envelope {
            event: Event::MessageAccepted(accepted),
            ..
        }) = event_at(engine, message.0).await?
        {
            self.from = Some(accepted.from);
            self.text = Some(accepted.text);
            self.parts = accepted.parts;
        }
        Ok(())
    }

    fn of_call(&mut self, call: CallId, tool: String, text: Option<Text>) {
        self.call = Some(call);
        self.tool = Some(tool);
        self.text = text;
    }
}
