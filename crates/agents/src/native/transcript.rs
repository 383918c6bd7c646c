//! The session of a member as a model sees it, read from the journal.

use super::pieces::pieces;
use super::tool_result::shown;
use crate::model::{Item, Piece};
use mobkit_domain::event::{Event, EventFilter, ModelReplied, ResolveHow, SessionCompacted};
use mobkit_domain::id::{CallId, MemberId, MessageId, Seq, SessionId};
use mobkit_domain::model::CallRequest;
use mobkit_domain::principal::Principal;
use mobkit_domain::text::Text;
use mobkit_engine::{Engine, Published, unstash};
use mobkit_store::StoreError;
use serde_json::Value;
use std::sync::Arc;

/// Kinds that make up a session.
const KINDS: [&str; 14] = [
    "session.compacted",
    "turn.corrected",
    "message.delivered",
    "message.steered",
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
pub(crate) const NO_RESULT: &str = "the turn ended before this call was made";
/// Said of a call that ran when its turn ended.
const STOPPED: &str = "the turn ended while this call ran: it may have happened";
/// Said of a call whose turn ended before a person said what came of it.
pub(crate) const UNKNOWN: &str = "nobody can say whether this call happened: it was interrupted, and the turn \
                       ended before a person had looked into it";

/// Stands before the summary of old turns.
const SUMMARISED: &str = "What was said before, summarised:";
/// Asks for an answer that fits its schema.
const CORRECT: &str = "Answer once more, with nothing but JSON that fits the schema.";

fn of_runtime(text: String) -> Item {
    Item::User {
        text,
        from: Principal::Runtime.to_string(),
        pieces: Vec::new(),
    }
}

/// A call of the last reply whose result has not come.
#[derive(Debug)]
struct Open {
    call: CallId,
    tool: String,
    /// Arguments as the model gave them.
    args: Value,
    /// Arguments with which it was made, where a person changed them.
    changed: Option<Value>,
    /// Whether it was begun.
    begun: bool,
    /// Whether nobody can say what came of it.
    unknown: bool,
}

/// A message as the model sees it.
pub(crate) struct Said {
    /// What it says.
    pub(crate) text: String,
    /// The principal who sent it.
    pub(crate) from: String,
    /// The same in pieces, where there are files of bytes among them.
    pub(crate) pieces: Vec<Piece>,
}

/// What a message says. Its text stands where it was accepted, maybe before this session.
pub(crate) async fn user_item(
    engine: &Engine,
    message: MessageId,
) -> Result<Option<Said>, StoreError> {
    let accepted = engine.event(message.0).await?;
    match accepted.as_ref().map(|found| &found.envelope.event) {
        Some(Event::MessageAccepted(message)) => Ok(Some(Said {
            text: unstash(engine.store().as_ref(), &message.text).await?,
            from: message.from.to_string(),
            pieces: pieces(engine.store().as_ref(), &message.parts).await?,
        })),
        _ => Ok(None),
    }
}

/// A session up to a position of the journal.
#[derive(Debug)]
pub struct Transcript {
    session: SessionId,
    upto: Seq,
    items: Vec<Item>,
    /// The position of the event of each entry.
    seqs: Vec<Seq>,
    /// The position of the event that is being read.
    at: Seq,
    /// Where the turns begin that are not summarised.
    begins: Vec<Seq>,
    open: Vec<Open>,
}

impl Transcript {
    /// An empty reading of a session.
    pub fn of(session: SessionId) -> Self {
        Self {
            session,
            upto: 0,
            items: Vec::new(),
            seqs: Vec::new(),
            at: 0,
            begins: Vec::new(),
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

    /// The entries of the turn that began last.
    pub fn of_last_turn(&self) -> &[Item] {
        let begin = self.begins.last().copied().unwrap_or_default();
        &self.items[self.place(begin)..]
    }

    /// Where the turns begin that are not summarised; the last one is the turn that runs.
    pub(super) fn begins(&self) -> &[Seq] {
        &self.begins
    }

    /// The entries before a position, and those from it on.
    pub(super) fn split(&self, at: Seq) -> (&[Item], &[Item]) {
        self.items.split_at(self.place(at))
    }

    /// The place in `items` of what was recorded at a position, or next after it.
    fn place(&self, at: Seq) -> usize {
        self.seqs.partition_point(|seq| *seq < at)
    }

    fn push(&mut self, item: Item) {
        self.items.push(item);
        self.seqs.push(self.at);
    }

    /// Puts a summary in the place of all that it covers.
    async fn compacted(
        &mut self,
        store: &dyn mobkit_store::Store,
        e: &SessionCompacted,
    ) -> Result<(), StoreError> {
        let summary = unstash(store, &e.summary).await?;
        let covered = self.place(e.until + 1);
        self.items.drain(..covered);
        self.seqs.drain(..covered);
        self.begins.retain(|begin| *begin > e.until);
        let text = format!("{SUMMARISED}\n\n{summary}");
        self.items.insert(0, of_runtime(text));
        self.seqs.insert(0, e.until);
        Ok(())
    }

    /// Reads on to the end of the journal.
    pub async fn read_on(
        &mut self,
        engine: &Engine,
        member: &MemberId,
    ) -> Result<(), TranscriptError> {
        let (spans, head, summarised) = engine.view(|world| {
            let state = &world.state;
            let session = state.members.get(member).map(|m| m.session);
            let spans = session.and_then(|session| state.sessions.get(&session).cloned());
            let summarised = session.and_then(|session| state.compacted.get(&session).copied());
            (spans, state.head, summarised.unwrap_or_default())
        });
        let spans = spans.ok_or_else(|| TranscriptError::MemberGone(member.clone()))?;
        for span in spans {
            // Of what is summarised only the summary is wanted, and that comes later.
            let from = span.from.max(self.upto).max(summarised);
            let until = span.until.unwrap_or(head);
            if from >= until {
                continue;
            }
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
        self.at = event.envelope.seq;
        match &event.envelope.event {
            Event::SessionCompacted(e) => self.compacted(store, e).await?,
            Event::TurnCorrected(e) => {
                let text = format!("Your answer can't be taken: {}. {CORRECT}", e.reason);
                self.push(of_runtime(text));
            }
            Event::MessageDelivered(e) => {
                self.close();
                self.begins.push(self.at);
                self.said(engine, e.message).await?;
            }
            Event::MessageSteered(e) => {
                self.close();
                self.said(engine, e.message).await?;
            }
            Event::ModelReplied(e) => {
                self.close();
                self.replied(store, e).await?;
            }
            Event::ToolStarted(e) => {
                if let Some(open) = self.open_call(e.call) {
                    open.begun = true;
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

    async fn said(&mut self, engine: &Engine, message: MessageId) -> Result<(), StoreError> {
        if let Some(Said { text, from, pieces }) = user_item(engine, message).await? {
            self.push(Item::User { text, from, pieces });
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
            let result = match (open.begun, open.unknown) {
                (_, true) => UNKNOWN,
                (true, false) => STOPPED,
                (false, false) => NO_RESULT,
            };
            self.push(Item::ToolResult {
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
            begun: false,
            unknown: false,
        });
        self.open = open.collect();
        self.push(Item::Assistant {
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
        self.push(Item::ToolResult {
            call,
            tool: open.tool,
            result,
            failed,
        });
        Ok(())
    }
}
