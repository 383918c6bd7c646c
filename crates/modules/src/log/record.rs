//! Recording what a module writes to its standard error.

use super::lines::Lines;
use super::plain::{LINE_BYTES_MAX, plain_line};
use crate::rate::Rate;
use crate::redaction::Redaction;
use mobkit_domain::command::Command;
use mobkit_engine::Engine;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Lines recorded a second over time, and at once after a pause.
const LINES_PER_SECOND: u64 = 100;
const LINES_BURST: u64 = 500;
/// How long lines wait for others, and how many are recorded together.
const BATCH_AFTER: Duration = Duration::from_millis(200);
const BATCH_LINES: usize = 50;
/// How many lines wait at most while the writer is busy.
const WAITING_LINES_MAX: usize = 1_000;
const CHUNK_BYTES: usize = 64 * 1024;

/// Lines that were not recorded yet.
struct Waiting {
    redaction: Arc<Redaction>,
    rate: Rate,
    lines: Vec<String>,
    dropped: u64,
}

impl Waiting {
    fn note(&mut self, line: &[u8], is_whole: bool, engine: &Engine) {
        if self.lines.len() >= WAITING_LINES_MAX || !self.rate.admits(engine.now()) {
            self.dropped += 1;
            return;
        }
        self.lines.push(plain_line(&self.redaction, line, is_whole));
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }

    fn batch(&mut self, logged: &impl Fn(Vec<String>, u64) -> Command) -> Command {
        let rest = self.lines.split_off(self.lines.len().min(BATCH_LINES));
        let lines = std::mem::replace(&mut self.lines, rest);
        logged(lines, std::mem::take(&mut self.dropped))
    }
}

type Recording = Pin<Box<dyn Future<Output = ()> + Send>>;

fn record(engine: &Engine, command: Command) -> Recording {
    let engine = engine.clone();
    Box::pin(async move {
        if let Err(refusal) = engine.submit_internal(command).await {
            tracing::debug!(
                code = refusal.code,
                "log lines were not recorded: {refusal}"
            );
        }
    })
}

/// Records what comes from `stderr`, to its end, with the commands that `logged` makes of lines and
/// of how many were dropped before them. Reads on while the writer is busy, so that neither waits
/// for the other; what is above the rate is counted and dropped.
pub async fn record_log(
    engine: Engine,
    logged: impl Fn(Vec<String>, u64) -> Command,
    redaction: Arc<Redaction>,
    mut stderr: impl AsyncRead + Unpin,
) {
    let mut lines = Lines::keeping(LINE_BYTES_MAX + redaction.len_max());
    let mut waiting = Waiting {
        redaction,
        rate: Rate::new(LINES_PER_SECOND, LINES_BURST, engine.now()),
        lines: Vec::new(),
        dropped: 0,
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut recording: Option<Recording> = None;
    let mut since_first = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        if recording.is_none() && waiting.lines.len() >= BATCH_LINES {
            recording = Some(record(&engine, waiting.batch(&logged)));
        }
        let was_empty = waiting.is_empty();
        let is_due = recording.is_none() && !was_empty;
        tokio::select! {
            () = async { recording.as_mut().expect("guarded").await }, if recording.is_some() => {
                recording = None;
            }
            () = &mut since_first, if is_due => {
                recording = Some(record(&engine, waiting.batch(&logged)));
            }
            read = stderr.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break,
                Ok(len) => {
                    let note = |line: &[u8], whole| waiting.note(line, whole, &engine);
                    lines.take(&chunk[..len], note);
                }
            }
        }
        if was_empty && !waiting.is_empty() {
            since_first.set(tokio::time::sleep(BATCH_AFTER));
        }
    }
    lines.finish(|line, whole| waiting.note(line, whole, &engine));
    if let Some(recording) = recording {
        recording.await;
    }
    while !waiting.is_empty() {
        record(&engine, waiting.batch(&logged)).await;
    }
}
