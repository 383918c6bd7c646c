//! Messages through the engine, from many senders at once, to a mob that is paused.

use crate::mob::{member, on_threads, pause, send, start};
use crate::part::Setting;
use crate::report::Row;
use crate::samples::{Samples, number, rate};
use mobkit_store::{Durability, SqliteStore};
use std::sync::Arc;
use std::time::Instant;

const MEMBERS: usize = 1_000;
const CASES: [(Durability, usize, usize); 6] = [
    (Durability::Power, 1, 2_000),
    (Durability::Power, 64, 50_000),
    (Durability::Power, 512, 100_000),
    (Durability::Process, 1, 5_000),
    (Durability::Process, 64, 50_000),
    (Durability::Process, 512, 100_000),
];

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let cases = CASES.into_iter().enumerate();
    cases
        .map(|(at, case)| on_threads(senders(setting.clone(), at, case)))
        .collect()
}

async fn senders(
    setting: Setting,
    at: usize,
    (durability, senders, messages): (Durability, usize, usize),
) -> anyhow::Result<Row> {
    let store = SqliteStore::open(&setting.dir.join(at.to_string()), durability)?;
    let engine = start(Arc::new(store), MEMBERS).await?;
    pause(&engine).await?;
    let each = setting.work(messages) / senders;
    let began = Instant::now();
    let mut tasks = Vec::with_capacity(senders);
    for sender in 0..senders {
        let engine = engine.clone();
        tasks.push(tokio::spawn(async move {
            let mut samples = Samples::default();
            for message in 0..each {
                let to = member((sender + message * senders) % MEMBERS)?;
                let began = Instant::now();
                send(&engine, to).await?;
                samples.since(began);
            }
            anyhow::Ok(samples)
        }));
    }
    let mut samples = Samples::default();
    for task in tasks {
        samples.extend(task.await??);
    }
    let per_second = number(rate(each * senders, began.elapsed()));
    engine.shutdown().await;
    let noun = if senders == 1 { "sender" } else { "senders" };
    Ok(Row::figure(
        format!(
            "messages accepted, {senders} {noun}, {}",
            durability.as_str()
        ),
        format!("{per_second} messages/s, {}", samples.show()),
    ))
}
