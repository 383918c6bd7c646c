//! The thread that writes.
//!
//! It takes what waits for it, commits it as one transaction, and answers when that is durable. A
//! change that fails does not harm those beside it: the transaction is taken back and each change
//! gets one of its own. After a commit that failed nobody can say what reached the disk, so the
//! writer refuses everything from there on.

use super::change::Request;
use super::ledger::Ledger;
use crate::store::StoreError;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

/// Changes that may wait for the writer; more wait with their callers.
pub(super) const QUEUE_MAX: usize = 256;
/// A transaction takes no further change once it has so many records.
const RECORDS_MAX: usize = 4_096;
/// Pages in the write-ahead log (4 KiB each) from which on it is moved into the database, whatever
/// wrote them. Large commits touch the ends of many trees: the longer the log, the more of them
/// share the move of a page.
const LOG_PAGES_MAX: u32 = 8_000;
/// The same after small commits. A log that was moved is written over, and to sync that takes half
/// the time of one that grows; so it is moved early, and stays short.
const LOG_PAGES_SMALL: u32 = 1_000;
/// Commits are small where they have no more pages than this, on average since the last move.
const COMMIT_PAGES_SMALL: u32 = 16;
/// Where readers held a part of the log back, it is tried again after so many more pages.
const LOG_PAGES_STEP: u32 = 1_000;

/// What is sent to the writer.
pub(super) enum Order {
    /// Do this.
    Do(Box<dyn Request>),
    /// Finish what came before, and end.
    End,
}

/// The state of the writing thread.
pub(super) struct Writer {
    ledger: Ledger,
    /// Why nothing may be written any more.
    broken: Option<String>,
    log: Log,
}

/// How long the write-ahead log is, and what it grew by.
#[derive(Debug, Default)]
struct Log {
    /// Its pages after the last commit.
    pages: Arc<AtomicU32>,
    /// Commits since it was last moved.
    commits: u32,
    /// How long it was when it was last moved.
    moved_at_pages: u32,
}

impl Log {
    /// Counts a commit. Says whether it is time to move the log.
    fn is_due(&mut self) -> bool {
        let pages = self.pages.load(Ordering::Relaxed);
        self.commits += 1;
        if pages < self.moved_at_pages {
            // It began anew.
            self.moved_at_pages = 0;
        }
        let small = pages / self.commits <= COMMIT_PAGES_SMALL;
        let limit = if small {
            LOG_PAGES_SMALL
        } else {
            LOG_PAGES_MAX
        };
        let due = pages >= limit && pages - self.moved_at_pages >= LOG_PAGES_STEP;
        if due {
            (self.commits, self.moved_at_pages) = (0, pages);
        }
        due
    }
}

impl Writer {
    pub(super) fn new(mut connection: Connection) -> rusqlite::Result<Self> {
        let log = Log::default();
        let seen = Arc::clone(&log.pages);
        // Takes the place of SQLite's own check, which would move the log before the answers.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            seen.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            ledger: Ledger::new(connection),
            broken: None,
            log,
        })
    }

    /// Works until it is told to end, or nobody is left who could ask.
    pub(super) fn run(mut self, orders: &mut mpsc::Receiver<Order>) -> Ledger {
        let mut ending = false;
        while !ending {
            let Some(Order::Do(first)) = orders.blocking_recv() else {
                break;
            };
            let mut records = first.records();
            let mut group = vec![first];
            while records < RECORDS_MAX {
                match orders.try_recv() {
                    Ok(Order::Do(request)) => {
                        records += request.records();
                        group.push(request);
                    }
                    Ok(Order::End) => {
                        ending = true;
                        break;
                    }
                    Err(_) => break,
                }
            }
            self.write(group);
            self.move_log();
        }
        self.ledger
    }

    /// Writes a group and answers.
    fn write(&mut self, mut group: Vec<Box<dyn Request>>) {
        // Alone, a change that fails harms nobody else.
        if !self.attempt(&mut group) && group.len() > 1 {
            for request in &mut group {
                self.attempt(std::slice::from_mut(request));
            }
        }
        group.into_iter().for_each(Request::settle);
    }

    /// Tries to write all in one transaction. Where one change fails, nothing of the others is
    /// written, and this is `false`.
    fn attempt(&mut self, group: &mut [Box<dyn Request>]) -> bool {
        if let Some(why) = &self.broken {
            fail(group, why);
            return true;
        }
        if let Err(error) = self.ledger.begin() {
            fail(group, &error.to_string());
            return true;
        }
        let applied = group
            .iter_mut()
            .all(|request| request.apply(&mut self.ledger));
        let ended = if applied {
            self.ledger.commit()
        } else {
            self.ledger.roll_back()
        };
        if ended.is_err() || self.ledger.disk_failed() {
            let why = ended
                .err()
                .map_or_else(|| "the disk failed".to_owned(), |e| e.to_string());
            let why =
                format!("refused since a write failed, until the store is opened again: {why}");
            tracing::error!(why, "the store can't be trusted any more");
            fail(group, &why);
            self.broken = Some(why);
            // Its state is not trusted any more; this only releases the file.
            let _released = self.ledger.roll_back();
            return true;
        }
        applied
    }

    /// Moves the write-ahead log into the database once it is long.
    fn move_log(&mut self) {
        if self.broken.is_some() || !self.log.is_due() {
            return;
        }
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        if let Err(error) = self.ledger.connection.query_row(sql, [], |_| Ok(())) {
            // Everything is still in the log, which stays until it was moved.
            tracing::warn!(%error, "the write-ahead log could not be moved into the database");
        }
    }
}

/// Gives all the same bad answer.
fn fail(group: &mut [Box<dyn Request>], why: &str) {
    for request in group {
        request.fail(StoreError::Backend {
            action: "writing",
            detail: why.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
