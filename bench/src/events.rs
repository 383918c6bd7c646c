//! Events for a store without an engine: small messages, as the writer would record them.

use mobkit_domain::event::{MessageAccepted, MessageMode, NewEvent};
use mobkit_domain::id::{MemberId, MessageId, MobId, Seq};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{MessageRow, MessageState, Row};
use mobkit_domain::time::Time;
use mobkit_store::{Batch, Durability, SqliteStore, Store};
use std::path::Path;
use std::sync::Arc;

/// A journal that is written by hand.
pub struct Journal {
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    mob: MobId,
    member: MemberId,
    epoch: u64,
    next: Seq,
}

impl Journal {
    /// An empty journal in `dir`.
    pub async fn open(dir: &Path, durability: Durability) -> anyhow::Result<Self> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir, durability)?);
        let mob = MobId::parse("bench")?;
        let opened = store.open(&mob).await?;
        Ok(Self {
            store,
            mob,
            member: MemberId::parse("worker-1")?,
            epoch: opened.epoch,
            next: opened.head + 1,
        })
    }

    /// The next `count` messages, with the rows of the read tables or without.
    pub fn batch(&self, count: u64, rows: bool) -> Batch {
        let seqs = || self.next..self.next + count;
        Batch {
            events: seqs()
                .map(|seq| self.event(seq).at(seq, time(seq), &self.mob))
                .collect(),
            rows: if rows {
                seqs().map(|seq| self.row(seq)).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// Appends a batch that was just made.
    pub async fn append(&mut self, batch: Batch) -> anyhow::Result<()> {
        let count = batch.events.len() as u64;
        self.store
            .append(&self.mob, self.epoch, self.next, batch)
            .await?;
        self.next += count;
        Ok(())
    }

    fn event(&self, seq: Seq) -> NewEvent {
        NewEvent::of(MessageAccepted {
            message: MessageId(seq),
            from: Principal::App("feed".to_owned()),
            origin: None,
            schedule: None,
            to: self.member.clone(),
            text: "M 4.6, 12 km SSW of Somewhere, depth 10 km".into(),
            parts: Vec::new(),
            mode: MessageMode::Queue,
            correlation: None,
            expires: None,
            call: None,
        })
    }

    fn row(&self, seq: Seq) -> Row {
        Row::Message(MessageRow {
            message: MessageId(seq),
            from: Principal::App("feed".to_owned()),
            to: self.member.clone(),
            state: MessageState::Queued,
            accepted: time(seq),
            turn: None,
            correlation: None,
            reason: None,
        })
    }
}

fn time(seq: Seq) -> Time {
    Time(1_763_791_200_000).plus_ms(seq)
}
