//! The session of a member as a model sees it, read from the journal.

use super::tool_result::shown;
use crate::model::Item;
use mobkit_domain::event::{Event, EventFilter, ModelReplied, ResolveHow};
use mobkit_domain::id::{CallId, MemberId, Seq, SessionId};
use mobkit_domain::model::CallRequest;
use mobkit_domain::text::Text;
use mobkit_engine::{Engine, Published, unstash};
use mobkit_store::StoreError;
use serde_json::Value;
use std::sync::Arc;

/// Kinds that make up a session.
const KINDS: [&str; 11] = [
    "message.delivered",
    "model.replied",
    "tool.started",
    "tool.finished",
    "tool.failed",
    "tool.refused",
    "tool.unknown",
    "tool.resolved",
    "turn.completed",
    "turn.failed",
    "turn.cancelled",
];

/// Why a session can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The journal can't be read.
    #[error("the journal could not be read: {0}")]
    Store(#[from] StoreError),
    /// The member is gone.
    #[error("there is no member {0}")]
    MemberGone(MemberId),
}

/// Said of a call whose turn ended before it had a result.
const NO_RESULT: &str = "the turn ended before this call had a result";
/// Said of a call whose turn ended before a person said what came of it.
const UNKNOWN: &str = "nobody can say whether this call happened: it was interrupted, and the turn \
                       ended before a person had looked into it";

/// A call of the last reply whose result has not come.
#[derive(Debug)]
struct Open {
    call: CallId,
    tool: String,
    /// Arguments as the model gave them.
    args: Value,
    /// Arguments with which it was made, where a person changed them.
    changed: Option<Value>,
    /// Whether nobody can say what came of it.
    unknown: bool,
}

/// A session up to a position of the journal.
#[derive(Debug)]
pub struct Transcript {
    session: SessionId,
    upto: Seq,
    items: Vec<Item>,
    open: Vec<Open>,
}

impl Transcript {
    /// An empty reading of a session.
    pub fn of(session: SessionId) -> Self {
        Self {
            session,
            upto: 0,
            items: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The session that it is a reading of.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The entries, oldest first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Reads on to the end of the journal.
    pub async fn read_on(
        &mut self,
        engine: &Engine,
        member: &MemberId,
    ) -> Result<(), TranscriptError> {
        let (spans, head) = engine.view(|world| {
            let state = &world.state;
            let session = state.members.get(member).map(|m| m.session);
            let spans = session.and_then(|session| state.sessions.get(&session).cloned());
            (spans, state.head)
        });
        let spans = spans.ok_or_else(|| TranscriptError::MemberGone(member.clone()))?;
        for span in spans {
            let from = span.from.max(self.upto);
            let until = span.until.unwrap_or(head);
            let filter = EventFilter {
                kinds: KINDS.iter().map(|kind| (*kind).to_owned()).collect(),
                subject: Some(format!("member/{}", span.member)),
                source: None,
            };
            for event in engine.events_between(from, until, &filter).await? {
                self.fold(engine, &event).await?;
            }
        }
        self.upto = head;
        Ok(())
    }

    async fn fold(&mut self, engine: &Engine, event: &Arc<Published>) -> Result<(), StoreError> {
        let store = engine.store().as_ref();
        match &event.envelope.event {
            Event::MessageDelivered(e) => {
                self.close();
                // The text stands where the message was accepted, maybe before this session.
                let accepted = engine.event(e.message.0).await?;
                if let Some(Event::MessageAccepted(message)) =
                    accepted.as_ref().map(|found| &found.envelope.event)
                {
                    let text = unstash(store, &message.text).await?;
                    self.items.push(Item::User {
                        text,
                        from: message.from.to_string(),
                    });
                }
            }
            Event::ModelReplied(e) => {
                self.close();
                self.replied(store, e).await?;
            }
            Event::ToolStarted(e) => {
                if let Some(open) = self.open_call(e.call) {
                    open.changed = (open.args != e.args).then(|| e.args.clone());
                }
            }
            Event::ToolUnknown(e) => {
                if let Some(open) = self.open_call(e.call) {
                    open.unknown = true;
                }
            }
            Event::ToolFinished(e) => self.answered(store, e.call, &e.result, false).await?,
            Event::ToolFailed(e) => {
                let reason = Text::from(e.reason.as_str());
                self.answered(store, e.call, &reason, true).await?;
            }
            Event::ToolRefused(e) => {
                let reason = Text::from(e.reason.as_str());
                self.answered(store, e.call, &reason, true).await?;
            }
            Event::ToolResolved(e) if e.how == ResolveHow::Happened => {
                let result = e.result.clone().unwrap_or_default();
                self.answered(store, e.call, &result, false).await?;
            }
            Event::TurnCompleted(_) | Event::TurnFailed(_) | Event::TurnCancelled(_) => {
                self.close();
            }
            _ => {}
        }
        Ok(())
    }

    fn open_call(&mut self, call: CallId) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.call == call)
    }

    /// Gives a result to every call that is without one. A provider refuses a request with such a
    /// call in it, and once something follows the reply none will come.
    fn close(&mut self) {
        for open in std::mem::take(&mut self.open) {
            let result = if open.unknown { UNKNOWN } else { NO_RESULT };
            self.items.push(Item::ToolResult {
                call: open.call,
                tool: open.tool,
                result: result.to_owned(),
                failed: true,
            });
        }
    }

    async fn replied(
        &mut self,
        store: &dyn mobkit_store::Store,
        e: &ModelReplied,
    ) -> Result<(), StoreError> {
        let text = unstash(store, &e.text).await?;
        let calls: Vec<(CallId, CallRequest)> = e
            .calls
            .iter()
            .map(|call| {
                let request = CallRequest {
                    tool: call.tool.clone(),
                    args: call.args.clone(),
                    provider_id: call.provider_id.clone(),
                };
                (call.call, request)
            })
            .collect();
        let open = calls.iter().map(|(id, call)| Open {
            call: *id,
            tool: call.tool.clone(),
            args: call.args.clone(),
            changed: None,
            unknown: false,
        });
        self.open = open.collect();
        self.items.push(Item::Assistant {
            text,
            calls,
            carry: e.carry.clone(),
        });
        Ok(())
    }

    async fn answered(
        &mut self,
        store: &dyn mobkit_store::Store,
        call: CallId,
        result: &Text,
        failed: bool,
    ) -> Result<(), StoreError> {
        let Some(place) = self.open.iter().position(|open| open.call == call) else {
            return Ok(());
        };
        let open = self.open.remove(place);
        let result = shown(store, result, open.changed.as_ref()).await?;
        self.items.push(Item::ToolResult {
            call,
            tool: open.tool,
            result,
            failed,
        });
        Ok(())
    }
}
