//! Schedules: as many as a mob takes, due in the same second, and as many that sleep.

use crate::machine::resident_kib;
use crate::mob::{config, definition, member, on_threads, start, submission};
use crate::part::{Setting, in_process};
use crate::report::Row;
use crate::samples::{Samples, number, time};
use anyhow::{Context, ensure};
use futures::future::try_join_all;
use mobkit_domain::command::{Command, RuntimeCommand, ScheduleCommand};
use mobkit_domain::definition::{Schedule, schedule_of};
use mobkit_domain::event::EventFilter;
use mobkit_domain::time::Time;
use mobkit_engine::{Engine, EventReader, Hooks};
use mobkit_store::{Durability, SqliteStore};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SCHEDULES: usize = 10_000;
const MEMBERS: usize = 1_000;
/// By then everything is defined; the part fails if not.
const AHEAD_MS: u64 = 10_000;
/// One that is not dispatched this long after the one before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that comes twice is waited for.
const QUIET: Duration = Duration::from_secs(2);
const LATE: Duration = Duration::from_secs(1);
const YEAR_MS: u64 = 31_536_000_000;

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = on_threads(due(setting.clone()))?;
    rows.extend(sleeping(setting)?);
    Ok(rows)
}

fn now() -> anyhow::Result<Time> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Time(i64::try_from(since.as_millis())?))
}

/// A schedule of one time, to the second.
fn once(at: usize, due: Time) -> anyhow::Result<Schedule> {
    let due = due.to_string();
    let (second, _) = due.split_once('.').context("a time with its fraction")?;
    let entry = json!({
        "id": format!("once-{at}"), "at": second, "message": "work",
        "to": {"member": member(at % MEMBERS)?.as_str()},
    });
    let entry = entry.as_object().context("an object")?;
    schedule_of(entry).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

async fn due(setting: Setting) -> anyhow::Result<Vec<Row>> {
    let count = setting.work(SCHEDULES);
    let due = now()?.plus_ms(AHEAD_MS);
    let due = Time(due.0 - due.0.rem_euclid(1_000));
    let mut definition = definition(MEMBERS)?;
    let schedules = (0..count).map(|at| once(at, due));
    definition.schedules = schedules.collect::<anyhow::Result<_>>()?;
    let store = SqliteStore::open(&setting.dir.join("due"), Durability::Power)?;
    let engine = Engine::open(config(Arc::new(store), definition, Hooks::default())).await?;
    let began = Instant::now();
    engine.bring_up().await?;
    let defined = began.elapsed();
    ensure!(now()? < due, "it took too long to define the schedules");
    let filter = EventFilter {
        kinds: vec!["occurrence.dispatched".to_owned()],
        ..EventFilter::default()
    };
    let mut reader = EventReader::open(&engine, engine.head(), filter).await?;
    let (mut late, mut seen, mut doubles) = (Samples::default(), BTreeSet::new(), 0);
    let ahead = Duration::from_millis(due.since_ms(now()?));
    let mut patience = ahead + PATIENCE;
    while let Ok(found) = tokio::time::timeout(patience, reader.next(256)).await {
        let after = Duration::from_millis(now()?.since_ms(due));
        for event in found?.context("the mob stopped")? {
            let event: Value = serde_json::from_str(event.wire())?;
            doubles += usize::from(!seen.insert(event["data"]["schedule"].to_string()));
            late.push(after);
        }
        patience = if seen.len() < count { PATIENCE } else { QUIET };
    }
    engine.shutdown().await;
    let (misses, last) = (count - seen.len(), late.quantile(1.0));
    let (late, count) = (late.show(), number(count as f64));
    let last_of = time(last);
    Ok(vec![
        Row::figure(
            format!("{count} schedules and their members defined by the first start, power"),
            time(defined),
        ),
        Row::target(
            format!("{count} schedules due in one second, how late, power"),
            format!("{late}, last {last_of}; {doubles} twice, {misses} not"),
            "≤ 1 s, none twice, none missed",
            last <= LATE && doubles == 0 && misses == 0,
        ),
    ])
}

fn sleeping(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let count = setting.work(SCHEDULES);
    let (full, empty) = (setting.dir.join("full"), setting.dir.join("empty"));
    on_threads(fill(full.clone(), count))?;
    on_threads(fill(empty.clone(), 0))?;
    let with = look(&full)?;
    let without = look(&empty)?;
    let each = with.0.saturating_sub(without.0) * 1024 / count as u64;
    let count = number(count as f64);
    let (all, none) = (with.0 / 1024, without.0 / 1024);
    Ok(vec![
        Row::figure(
            format!("{count} sleeping schedules, resident after a restart"),
            format!("{each} bytes each ({all} MiB; mob without schedules {none} MiB)"),
        ),
        Row::figure(
            format!("a tick beside {count} sleeping schedules, process"),
            format!("p50 {} (none: {})", time(with.1), time(without.1)),
        ),
    ])
}

/// A mob that was given so many schedules, each due at a second of its own, a year ahead and more.
async fn fill(dir: PathBuf, count: usize) -> anyhow::Result<()> {
    let store = SqliteStore::open(&dir, Durability::Process)?;
    let engine = start(Arc::new(store), MEMBERS).await?;
    let first = now()?.plus_ms(YEAR_MS);
    let mut puts = Vec::with_capacity(count);
    for at in 0..count {
        let spec = once(at, first.plus_ms(at as u64 * 1_000))?;
        let put = ScheduleCommand::Put(Box::new(spec));
        puts.push(engine.submit(submission(Command::Schedule(put))));
    }
    try_join_all(puts).await?;
    engine.shutdown().await;
    Ok(())
}

/// Resident memory in KiB and the time of a tick, in a process that only opened the mob.
fn look(dir: &Path) -> anyhow::Result<(u64, Duration)> {
    let said = in_process("schedules-look", dir, false)?;
    let (kib, nanos) = said.trim().split_once(' ').context("two figures")?;
    Ok((kib.parse()?, Duration::from_nanos(nanos.parse()?)))
}

/// Opens the mob, and prints how much memory this process uses and how long a tick takes in which
/// nothing is due.
pub fn sleep(setting: &Setting) -> anyhow::Result<()> {
    let dir = setting.dir.clone();
    on_threads(async move {
        let store = SqliteStore::open(&dir, Durability::Process)?;
        let config = config(Arc::new(store), definition(MEMBERS)?, Hooks::default());
        let engine = Engine::open(config).await?;
        engine.bring_up().await?;
        let resident = resident_kib("self").context("no figure of memory")?;
        let mut ticks = Samples::default();
        for _ in 0..1_000 {
            let began = Instant::now();
            let tick = Command::Runtime(RuntimeCommand::Tick);
            engine.submit_internal(tick).await?;
            ticks.since(began);
        }
        println!("{resident} {}", ticks.p50().as_nanos());
        engine.shutdown().await;
        Ok(())
    })
}
