//! `member/ask`.

use super::content;
use super::send::{self, Send};
use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::{Define, Keys};
use crate::turn_view::turn_view;
use crate::waiting::waiting_on;
use mobkit_domain::event::MessageMode;
use mobkit_domain::id::{ApprovalId, MemberId, MessageId, Seq, TurnId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::model::Finish;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{Row, Table};
use mobkit_domain::text::Text;
use mobkit_domain::time::Time;
use mobkit_engine::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How long an answer is waited for where nobody says, in milliseconds.
const TIMEOUT_MS: u64 = 60_000;
/// The longest wait, in milliseconds.
const TIMEOUT_MS_MAX: u64 = 600_000;

pub(in crate::operations) struct Ask;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whom it is for.
    #[serde(alias = "member")]
    to: MemberId,
    /// What it says: a text, or a list of parts.
    #[schemars(extend("type" = ["string", "array"]))]
    content: Value,
    /// What it does while a turn runs; without it, as the profile says.
    mode: Option<MessageMode>,
    /// The sender's own correlation id.
    correlation: Option<String>,
    /// When it is dropped if it still waits (RFC 3339).
    expires: Option<Time>,
    /// How long to wait for the end of the turn; 1 to 600,000, by default 60,000.
    timeout_ms: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The message.
    message: MessageId,
    /// The turn that took it; null where none did.
    turn: Option<TurnId>,
    /// How it ended: `completed`, `failed`, `cancelled` or `expired`; `waiting` where it waits for
    /// an approval and the caller's time is over.
    status: String,
    /// The approval that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalId>,
    /// The answer; a reference where it is longer than 1 MiB, null where there is none.
    text: Option<Text>,
    /// The answer as data, where the profile asks for a schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    /// Why the model stopped, where the answer may not be whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<Finish>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Position of the event that ended it, or that asked for the approval.
    seq: Seq,
    /// Whether a script answered instead of a model.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rehearsal: bool,
}

impl Define for Ask {
    const NAME: &'static str = "member/ask";
    const DOC: &'static str = "Gives a member a message and waits for the end of the turn that \
                               takes it. The turn goes on if the wait ends first.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const BODY_BYTES_MAX: usize = content::BODY_BYTES_MAX;
    /// It begins with a send, so a repetition waits on for the message of the first.
    const KEYS: Keys = Keys::JournalAs {
        operation: Send::NAME,
        without: &["timeout_ms"],
    };
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let patience = patience(params.timeout_ms)?;
        let Params {
            to,
            content,
            mode,
            correlation,
            expires,
            timeout_ms: _,
        } = params;
        let params = send::Params {
            to,
            content,
            mode,
            correlation,
            expires,
        };
        let message = send::send(&cx, params).await?.message;
        let waiting = tokio::time::timeout(patience, cx.engine.outcome(message));
        match waiting.await {
            Ok(outcome) => output(&cx, message, outcome?).await,
            Err(_) => still_waiting(&cx, message).ok_or_else(|| timed_out(message, patience)),
        }
    }
}

fn patience(timeout_ms: Option<u64>) -> Result<Duration, Refusal> {
    match timeout_ms.unwrap_or(TIMEOUT_MS) {
        ms @ 1..=TIMEOUT_MS_MAX => Ok(Duration::from_millis(ms)),
        ms => {
            let message = format!("`timeout_ms` is 1 to {TIMEOUT_MS_MAX}, not {ms}");
            Err(
                Refusal::new(RefusalKind::Invalid, "params.invalid", message)
                    .hint("send the message, and follow its events")
                    .data(json!({ "field": "timeout_ms" })),
            )
        }
    }
}

fn timed_out(message: MessageId, patience: Duration) -> Refusal {
    let text = format!("{message} has no answer after {} ms", patience.as_millis());
    Refusal::new(RefusalKind::Busy, "ask.timed_out", text)
        .hint("its work goes on; look at `message/get`, or ask again with the same key")
        .data(json!({ "message": message }))
}

/// The turn that took the message, if it waits for an approval.
fn still_waiting(cx: &Context, message: MessageId) -> Option<Output> {
    let (turn, approval) = cx.engine.view(|world| {
        let turn = world.state.messages.get(&message)?.turn?;
        let approval = waiting_on(world.state.turns.get(&turn)?)?.approval?;
        Some((turn, approval))
    })?;
    Some(Output {
        message,
        turn: Some(turn),
        status: "waiting".to_owned(),
        approval: Some(approval),
        text: None,
        data: None,
        finish: None,
        reason: None,
        seq: approval.0,
        rehearsal: cx.engine.is_rehearsal(),
    })
}

async fn output(cx: &Context, message: MessageId, outcome: Outcome) -> Result<Output, Refusal> {
    let rehearsal = cx.engine.is_rehearsal();
    match outcome {
        Outcome::Turn { turn, seq } => {
            let view = turn_view(&cx.engine, turn).await?;
            let status = json!(view.status).as_str().unwrap_or_default().to_owned();
            Ok(Output {
                message,
                turn: Some(turn),
                status,
                approval: None,
                text: view.text,
                data: view.data,
                finish: view.finish,
                reason: view.reason,
                seq,
                rehearsal,
            })
        }
        Outcome::Dropped { seq } => {
            let store = cx.engine.store();
            let row = store.row(cx.engine.mob(), Table::Message, message.0).await;
            let row = row.map_err(|error| store_refusal(&error))?;
            let status = row.as_ref().map_or("cancelled", Row::state).to_owned();
            let reason = match row {
                Some(Row::Message(row)) => row.reason,
                _ => None,
            };
            Ok(Output {
                message,
                turn: None,
                status,
                approval: None,
                text: None,
                data: None,
                finish: None,
                reason,
                seq,
                rehearsal,
            })
        }
    }
}
