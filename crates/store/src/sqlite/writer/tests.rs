//! Groups are one transaction, and a change that fails takes no other with it.

use super::*;
use crate::sqlite::append::{Append, Open};
use crate::sqlite::change::{Change, Pending};
use crate::sqlite::database::open_writer;
use crate::sqlite::record::EventRecord;
use crate::store::Durability;
use mobkit_domain::event::{MobResumed, NewEvent};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::time::Time;
use tokio::sync::oneshot;

type Answer<C> = oneshot::Receiver<Result<<C as Change>::Answer, StoreError>>;

struct Bench {
    writer: Writer,
    commits: Arc<AtomicU32>,
    group: Vec<Box<dyn Request>>,
    _place: tempfile::TempDir,
}

/// A change that the database refuses after it wrote something.
struct Broken(MobId);

impl Change for Broken {
    type Answer = ();

    fn apply(&self, ledger: &mut Ledger) -> Result<(), StoreError> {
        let mob = ledger.create(&self.0)?;
        ledger.stand(&self.0, mob);
        let refused = ledger
            .connection
            .execute("INSERT INTO nowhere VALUES (1)", []);
        refused.map(|_| ()).map_err(ledger.failed("breaking"))
    }
}

fn mob(id: &str) -> MobId {
    MobId::parse(id).expect("a valid id")
}

impl Bench {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let file = place.path().join("mobkit.db");
        let mut connection = open_writer(&file, Durability::Process).expect("a connection");
        let commits = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&commits);
        let counted = connection.commit_hook(Some(move || {
            seen.fetch_add(1, Ordering::Relaxed);
            false
        }));
        counted.expect("a hook");
        let writer = Writer::new(connection).expect("a writer");
        Self {
            writer,
            commits,
            group: Vec::new(),
            _place: place,
        }
    }

    fn add<C: Change>(&mut self, change: C) -> Answer<C> {
        let (pending, answer) = Pending::new(change);
        self.group.push(Box::new(pending));
        answer
    }

    fn append(&mut self, id: &str, epoch: u64, seq: Seq) -> Answer<Append> {
        let mob = mob(id);
        let event = NewEvent::of(MobResumed {}).at(seq, Time(0), &mob);
        let events = vec![EventRecord::of(event)];
        self.add(Append {
            mob,
            epoch,
            expected: seq,
            events,
            rows: Vec::new(),
        })
    }

    /// Writes the group; returns how many transactions were committed.
    fn write(&mut self) -> u32 {
        let before = self.commits.load(Ordering::Relaxed);
        self.writer.write(std::mem::take(&mut self.group));
        self.commits.load(Ordering::Relaxed) - before
    }
}

fn answer<T>(mut answer: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    answer.try_recv().expect("the writer answered")
}

/// After how many commits of so many pages each the log is moved.
fn commits_until_due(log: &mut Log, pages_each: u32) -> u32 {
    let mut commits = 0;
    loop {
        commits += 1;
        log.pages.fetch_add(pages_each, Ordering::Relaxed);
        if log.is_due() {
            return commits;
        }
    }
}

#[test]
fn the_log_is_moved_early_after_small_commits_and_late_after_large_ones() {
    let mut log = Log::default();
    assert_eq!(commits_until_due(&mut log, 4), 250);
    log.pages.store(0, Ordering::Relaxed);
    assert_eq!(commits_until_due(&mut log, 100), 80);
    log.pages.store(0, Ordering::Relaxed);
    assert_eq!(
        commits_until_due(&mut log, 4),
        250,
        "a log that began anew counts anew"
    );
}

#[test]
fn a_log_that_readers_hold_back_is_not_moved_with_every_commit() {
    let mut log = Log::default();
    assert_eq!(commits_until_due(&mut log, 100), 80);
    assert_eq!(commits_until_due(&mut log, 100), 10);
    assert_eq!(commits_until_due(&mut log, 100), 10);
}

#[test]
fn a_group_is_one_transaction() {
    let mut bench = Bench::new();
    let opened = bench.add(Open { mob: mob("a") });
    let appended = [1, 2, 3].map(|seq| bench.append("a", 1, seq));
    assert_eq!(bench.write(), 1);
    assert_eq!(answer(opened).expect("opened").epoch, 1);
    for appended in appended {
        answer(appended).expect("appended");
    }
}

#[test]
fn a_refusal_does_not_break_up_the_group() {
    let mut bench = Bench::new();
    let _opened = bench.add(Open { mob: mob("a") });
    let stale = bench.append("a", 9, 1);
    let right = bench.append("a", 1, 1);
    let beside = bench.append("a", 1, 1);
    assert_eq!(bench.write(), 1);
    assert!(matches!(answer(stale), Err(StoreError::EpochStale { .. })));
    assert!(answer(right).is_ok());
    assert!(matches!(
        answer(beside),
        Err(StoreError::SeqMismatch {
            given: 1,
            expected: 2
        })
    ));
}

#[test]
fn a_failure_takes_nothing_of_its_own_and_nothing_of_others() {
    let mut bench = Bench::new();
    let opened = bench.add(Open { mob: mob("a") });
    let broken = bench.add(Broken(mob("b")));
    let right = bench.append("a", 1, 1);
    assert_eq!(bench.write(), 2, "each change has a transaction of its own");
    assert_eq!(answer(opened).expect("opened").epoch, 1);
    assert!(matches!(
        answer(broken),
        Err(StoreError::Backend {
            action: "breaking",
            ..
        })
    ));
    assert!(answer(right).is_ok());
    assert!(bench.writer.ledger.find(&mob("b")).expect("read").is_none());
    assert_eq!(
        bench
            .writer
            .ledger
            .find(&mob("a"))
            .expect("read")
            .map(|mob| mob.head),
        Some(1)
    );
}

#[test]
fn a_caller_that_left_is_served_all_the_same() {
    let mut bench = Bench::new();
    drop(bench.add(Open { mob: mob("a") }));
    assert_eq!(bench.write(), 1);
    let opened = bench.add(Open { mob: mob("a") });
    bench.write();
    assert_eq!(answer(opened).expect("opened").epoch, 2);
}
