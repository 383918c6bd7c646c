//! The journal alone: single events and batches.

use crate::disk::Disk;
use crate::events::Journal;
use crate::mob::on_threads;
use crate::part::Setting;
use crate::report::{DISTURBED, Row, word};
use crate::samples::{Samples, number, rate, ratio};
use mobkit_store::Durability;
use std::time::{Duration, Instant};

/// Short rounds: what disturbs the disk disturbs all that is compared.
const ROUNDS: usize = 200;
const BATCH_EVENTS: u64 = 256;
const EVENTS_PER_SECOND: f64 = 50_000.0;

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let setting = setting.clone();
    on_threads(async move {
        let mut rows = singles(&setting).await?;
        for durability in [Durability::Power, Durability::Process] {
            for with_rows in [false, true] {
                rows.push(batches(&setting, durability, with_rows).await?);
            }
        }
        Ok(rows)
    })
}

/// One after the other. Disk and journals take turns, so that a slow moment of the disk hits all.
async fn singles(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let times = setting.work(10);
    let mut disk = Disk::in_dir(&setting.dir)?;
    let cases = [
        (Durability::Power, false),
        (Durability::Power, true),
        (Durability::Process, false),
        (Durability::Process, true),
    ];
    let mut journals = Vec::new();
    for (durability, with_rows) in cases {
        let dir = setting
            .dir
            .join(format!("{}-{with_rows}", durability.as_str()));
        let journal = Journal::open(&dir, durability).await?;
        journals.push((journal, with_rows, Samples::default()));
    }
    for _ in 0..ROUNDS {
        disk.measure(times)?;
        for (journal, with_rows, samples) in &mut journals {
            for _ in 0..times {
                let batch = journal.batch(1, *with_rows);
                let began = Instant::now();
                journal.append(batch).await?;
                samples.since(began);
            }
        }
    }
    let mut rows = vec![
        Row::figure(
            "disk: 4 KiB at the end of a file, fdatasync",
            disk.grown.show(),
        ),
        Row::figure(
            "disk: 4 KiB over old content, fdatasync",
            disk.written_over.show(),
        ),
    ];
    for (journal, with_rows, samples) in journals {
        let durability = journal.store.durability();
        journal.store.close().await?;
        let rows_too = if with_rows { " and its row" } else { "" };
        let what = format!("append of one event{rows_too}, {}", durability.as_str());
        let times = ratio(samples.p50(), disk.grown.p50());
        let over = ratio(samples.p50(), disk.written_over.p50());
        let measured = format!("{} ({times:.2} × end, {over:.2} × over)", samples.show());
        rows.push(match durability {
            Durability::Power => {
                Row::judged(what, measured, "p50 ≤ 2 × disk", verdict(times, over))
            }
            _ => Row::figure(what, measured),
        });
    }
    Ok(rows)
}

/// By both measures of the disk. What was written over is contained in an append: the log of the
/// store is written over too, once it has its length.
fn verdict(end: f64, over: f64) -> String {
    if over < 1.0 {
        return DISTURBED.to_owned();
    }
    format!("{} (end), {} (over)", word(end <= 2.0), word(over <= 2.0))
}

async fn batches(
    setting: &Setting,
    durability: Durability,
    with_rows: bool,
) -> anyhow::Result<Row> {
    let count = setting.work(1_000);
    let dir = setting
        .dir
        .join(format!("batches-{}-{with_rows}", durability.as_str()));
    let mut journal = Journal::open(&dir, durability).await?;
    let mut took = Duration::ZERO;
    for _ in 0..count {
        let batch = journal.batch(BATCH_EVENTS, with_rows);
        let began = Instant::now();
        journal.append(batch).await?;
        took += began.elapsed();
    }
    journal.store.close().await?;
    let rows_too = if with_rows { " and their rows" } else { "" };
    let per_second = rate(count * BATCH_EVENTS as usize, took);
    Ok(Row::target(
        format!("batches of 256 events{rows_too}, {}", durability.as_str()),
        format!("{} events/s", number(per_second)),
        "≥ 50,000 events/s",
        per_second >= EVENTS_PER_SECOND,
    ))
}
