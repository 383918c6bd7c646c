//! Reading a journal for what its members were asked and answered.

use super::input::Heard;
use mobkit_domain::event::{Envelope, Event, ResolveHow};
use mobkit_domain::id::{MemberId, MessageId, Seq};
use mobkit_domain::model::{CallRequest, Reply};
use mobkit_domain::text::Text;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// A journal that can't be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording: {reason}")]
pub struct RecordingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// One answer of a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    /// Where it stands in the journal.
    pub seq: Seq,
    /// What the member was told since the answer before it.
    pub heard: Vec<Heard>,
    pub reply: Reply,
}

/// The answers of a journal, by member and in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    members: BTreeMap<MemberId, Vec<Recorded>>,
}

/// Kinds that are read; others, unknown ones among them, are passed over.
const KINDS: [&str; 10] = [
    "message.accepted",
    "message.delivered",
    "message.steered",
    "member.spawned",
    "member.reset",
    "model.replied",
    "tool.finished",
    "tool.failed",
    "tool.refused",
    "tool.resolved",
];

#[derive(Deserialize)]
struct Line {
    seq: Seq,
    kind: String,
}

impl Recording {
    /// Reads events, one on each line, as `mobkit events` prints them. Fails at the first
    /// line that is no event, or whose event is older than that of a line before it.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut reader = Reader::default();
        let mut last = 0;
        for (i, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let wrong = |reason: String| RecordingError {
                line: i + 1,
                reason,
            };
            let head: Line = serde_json::from_str(line)
                .map_err(|error| wrong(format!("it is no event of a journal: {error}")))?;
            if head.seq <= last {
                let seq = head.seq;
                return Err(wrong(format!("event {seq} comes after event {last}")));
            }
            last = head.seq;
            if KINDS.contains(&head.kind.as_str()) {
                let envelope: Envelope = serde_json::from_str(line)
                    .map_err(|error| wrong(format!("{}: {error}", head.kind)))?;
                reader.take(envelope);
            }
        }
        Ok(reader.recording)
    }

    /// How many answers of a member it holds.
    pub(super) fn len(&self, member: &MemberId) -> usize {
        self.members.get(member).map_or(0, Vec::len)
    }

    /// The answer that a member gave after `before` others.
    pub(super) fn answer(&self, member: &MemberId, before: u64) -> Option<&Recorded> {
        let before = usize::try_from(before).ok()?;
        self.members.get(member)?.get(before)
    }
}

#[derive(Default)]
struct Reader {
    recording: Recording,
    texts: HashMap<MessageId, Text>,
    heard: HashMap<MemberId, Vec<Heard>>,
}

impl Reader {
    fn take(&mut self, envelope: Envelope) {
        let seq = envelope.seq;
        match envelope.event {
            Event::MessageAccepted(e) => {
                self.texts.insert(e.message, e.text);
            }
            Event::MessageDelivered(e) => self.message(e.member, e.message),
            Event::MessageSteered(e) => self.message(e.member, e.message),
            // A session begins, which knows nothing of what came before.
            Event::MemberSpawned(e) => {
                self.heard.remove(&e.member);
            }
            Event::MemberReset(e) => {
                self.heard.remove(&e.member);
            }
            Event::ToolFinished(e) => self.result(e.member, e.tool, false, e.result),
            Event::ToolFailed(e) => self.result(e.member, e.tool, true, e.reason.into()),
            Event::ToolRefused(e) => self.result(Some(e.member), e.tool, true, e.reason.into()),
            Event::ToolResolved(e) if e.how == ResolveHow::Happened => {
                self.result(Some(e.member), e.tool, false, e.result.unwrap_or_default());
            }
            Event::ModelReplied(e) => {
                let heard = self.heard.remove(&e.member).unwrap_or_default();
                let calls = e.calls.into_iter().map(|call| CallRequest {
                    tool: call.tool,
                    args: call.args,
                    provider_id: call.provider_id,
                });
                let reply = Reply {
                    text: e.text,
                    calls: calls.collect(),
                    usage: e.usage,
                    finish: e.finish,
                    carry: e.carry,
                };
                let answers = self.recording.members.entry(e.member).or_default();
                answers.push(Recorded { seq, heard, reply });
            }
            _ => {}
        }
    }

    fn message(&mut self, member: MemberId, message: MessageId) {
        let text = self.texts.remove(&message);
        let heard = self.heard.entry(member).or_default();
        heard.push(Heard::Message(text));
    }

    fn result(&mut self, member: Option<MemberId>, tool: String, failed: bool, text: Text) {
        let Some(member) = member else {
            return;
        };
        let heard = self.heard.entry(member).or_default();
        heard.push(Heard::Result { tool, failed, text });
    }
}
