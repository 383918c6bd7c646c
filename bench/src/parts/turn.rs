//! Turns with a model that answers at once: what is left is the platform.

use crate::events::Journal;
use crate::mob::{ask, member, on_threads, start};
use crate::part::Setting;
use crate::report::{DISTURBED, Row, word};
use crate::samples::{Samples, number, rate, ratio};
use mobkit_store::{Durability, SqliteStore};
use std::sync::Arc;
use std::time::Instant;

/// Short rounds: what disturbs the disk disturbs both that are compared.
const ROUNDS: usize = 200;
const MEMBERS: usize = 1_000;

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for durability in [Durability::Power, Durability::Process] {
        rows.extend(on_threads(one_by_one(setting.clone(), durability))?);
        rows.push(on_threads(many(setting.clone(), durability))?);
    }
    Ok(rows)
}

/// One member, one message at a time. Turns and bare commits take turns, so that a slow moment of
/// the disk hits both.
async fn one_by_one(setting: Setting, durability: Durability) -> anyhow::Result<Vec<Row>> {
    let name = durability.as_str();
    let store = SqliteStore::open(&setting.dir.join(format!("one-{name}")), durability)?;
    let mut journal =
        Journal::open(&setting.dir.join(format!("commits-{name}")), durability).await?;
    let engine = start(Arc::new(store), 1).await?;
    let worker = member(0)?;
    let (mut commits, mut turns) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        for _ in 0..setting.work(10) {
            let batch = journal.batch(1, true);
            let began = Instant::now();
            journal.append(batch).await?;
            commits.since(began);
        }
        for _ in 0..setting.work(10) {
            let began = Instant::now();
            ask(&engine, worker.clone()).await?;
            turns.since(began);
        }
    }
    engine.shutdown().await;
    journal.store.close().await?;
    let times = ratio(turns.p50(), commits.p50());
    let what = format!("turn from send to end, one at a time, {name}");
    let measured = format!("{} ({times:.2} commits)", turns.show());
    // A turn is two commits, whatever else it is.
    let verdict = if times < 2.0 {
        DISTURBED
    } else {
        word(times <= 3.0)
    };
    let row = match durability {
        Durability::Power => Row::judged(what, measured, "p50 ≤ 3 commits", verdict),
        _ => Row::figure(what, measured),
    };
    Ok(vec![
        Row::figure(format!("commit beside it, {name}"), commits.show()),
        row,
    ])
}

/// A thousand members, each asked again as soon as it has answered.
async fn many(setting: Setting, durability: Durability) -> anyhow::Result<Row> {
    let name = durability.as_str();
    let store = SqliteStore::open(&setting.dir.join(format!("many-{name}")), durability)?;
    let engine = start(Arc::new(store), MEMBERS).await?;
    let each = setting.work(30);
    let began = Instant::now();
    let mut tasks = Vec::with_capacity(MEMBERS);
    for at in 0..MEMBERS {
        let (engine, worker) = (engine.clone(), member(at)?);
        tasks.push(tokio::spawn(async move {
            for _ in 0..each {
                ask(&engine, worker.clone()).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let per_second = number(rate(each * MEMBERS, began.elapsed()));
    engine.shutdown().await;
    Ok(Row::figure(
        format!("turns of 1,000 members at once, {name}"),
        format!("{per_second} turns/s (5 events each)"),
    ))
}
