//! The session of a member as a model sees it, read from the journal.

use crate::model::Item;
use mobkit_domain::event::{Event, EventFilter, ModelReplied, ResolveHow};
use mobkit_domain::id::{CallId, MemberId, Seq, SessionId};
use mobkit_domain::model::CallRequest;
use mobkit_domain::text::Text;
use mobkit_engine::{Engine, Published, unstash};
use mobkit_store::StoreError;
use std::sync::Arc;

/// Kinds that make up a session.
const KINDS: [&str; 9] = [
    "message.delivered",
    "model.replied",
    "tool.finished",
    "tool.failed",
    "tool.refused",
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

/// A session up to a position of the journal.
#[derive(Debug)]
pub struct Transcript {
    session: SessionId,
    upto: Seq,
    items: Vec<Item>,
    /// Calls of the last reply whose results have not come.
    open: Vec<(CallId, String)>,
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
            Event::ModelReplied(e) => self.replied(store, e).await?,
            Event::ToolFinished(e) => self.answered(store, e.call, &e.result, false).await?,
            Event::ToolFailed(e) => {
                self.answered(store, e.call, &Text::from(e.reason.as_str()), true)
                    .await?;
            }
            Event::ToolRefused(e) => {
                self.answered(store, e.call, &Text::from(e.reason.as_str()), true)
                    .await?;
            }
            Event::ToolResolved(e) if e.how == ResolveHow::Happened => {
                let result = e.result.clone().unwrap_or_default();
                self.answered(store, e.call, &result, false).await?;
            }
            // A provider refuses a call without a result, so an ended turn leaves none.
            Event::TurnCompleted(_) | Event::TurnFailed(_) | Event::TurnCancelled(_) => {
                for (call, tool) in std::mem::take(&mut self.open) {
                    let result = "the turn ended before this call had a result".to_owned();
                    self.items.push(Item::ToolResult {
                        call,
                        tool,
                        result,
                        failed: true,
                    });
                }
            }
            _ => {}
        }
        Ok(())
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
        self.open = calls
            .iter()
            .map(|(id, call)| (*id, call.tool.clone()))
            .collect();
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
        let Some(place) = self.open.iter().position(|(id, _)| *id == call) else {
            return Ok(());
        };
        let (call, tool) = self.open.remove(place);
        let result = unstash(store, result).await?;
        self.items.push(Item::ToolResult {
            call,
            tool,
            result,
            failed,
        });
        Ok(())
    }
}
