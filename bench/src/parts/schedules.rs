//! Schedules: ten thousand due in the same second, and a million that sleep.

use crate::machine::resident_kib;
use crate::mob::{config, definition, member, on_threads};
use crate::part::{Setting, in_process};
use crate::report::Row;
use crate::samples::{Samples, number, time};
use anyhow::{Context, ensure};
use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::definition::{Schedule, schedule_of};
use mobkit_domain::event::{EventFilter, NewEvent, ScheduleDefined, ScheduleOrigin};
use mobkit_domain::id::{MobId, Seq};
use mobkit_domain::time::Time;
use mobkit_engine::{Engine, EventReader, Hooks};
use mobkit_store::{Batch, Durability, SqliteStore, Store};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const DUE: usize = 10_000;
const MEMBERS: usize = 1_000;
/// By then everything is defined; the part fails if not.
const AHEAD_MS: u64 = 60_000;
/// Nothing is expected any longer after this time without an event.
const QUIET: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(1);
const SLEEPING: usize = 1_000_000;
const BATCH: usize = 1_000;

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![on_threads(due(setting.clone()))?];
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

async fn due(setting: Setting) -> anyhow::Result<Row> {
    let count = setting.work(DUE);
    let due = now()?.plus_ms(AHEAD_MS);
    let due = Time(due.0 - due.0.rem_euclid(1_000));
    let mut definition = definition(MEMBERS)?;
    let schedules = (0..count).map(|at| once(at, due));
    definition.schedules = schedules.collect::<anyhow::Result<_>>()?;
    let store = SqliteStore::open(&setting.dir.join("due"), Durability::Power)?;
    let engine = Engine::open(config(Arc::new(store), definition, Hooks::default())).await?;
    engine.bring_up().await?;
    ensure!(now()? < due, "it took too long to define the schedules");
    let filter = EventFilter {
        kinds: vec!["occurrence.dispatched".to_owned()],
        ..EventFilter::default()
    };
    let mut reader = EventReader::open(&engine, 0, filter).await?;
    let ahead = due.since_ms(now()?);
    tokio::time::sleep(Duration::from_millis(ahead)).await;
    let (mut late, mut seen, mut doubles) = (Samples::default(), BTreeSet::new(), 0);
    while let Ok(found) = tokio::time::timeout(QUIET, reader.next(256)).await {
        let after = Duration::from_millis(now()?.since_ms(due));
        for event in found?.context("the mob stopped")? {
            let event: Value = serde_json::from_str(event.wire())?;
            doubles += usize::from(!seen.insert(event["data"]["schedule"].to_string()));
            late.push(after);
        }
    }
    engine.shutdown().await;
    let (misses, last) = (count - seen.len(), late.quantile(1.0));
    Ok(Row::target(
        format!(
            "{} schedules due in one second, how late, power",
            number(count as f64)
        ),
        format!(
            "{}, last {}; {doubles} twice, {misses} not",
            late.show(),
            time(last)
        ),
        "≤ 1 s, none twice, none missed",
        last <= LATE && doubles == 0 && misses == 0,
    ))
}

fn sleeping(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let count = setting.work(SLEEPING);
    let (full, empty) = (setting.dir.join("full"), setting.dir.join("empty"));
    on_threads(fill(SqliteStore::open(&full, Durability::Process)?, count))?;
    let with = look(&full)?;
    let without = look(&empty)?;
    let each = with.0.saturating_sub(without.0) * 1024 / count as u64;
    let count = number(count as f64);
    Ok(vec![
        Row::figure(
            format!("{count} sleeping schedules, resident after a restart"),
            format!("{each} bytes each ({} MiB)", with.0 / 1024),
        ),
        Row::figure(
            format!("a tick beside {count} sleeping schedules"),
            format!("p50 {} (none: {})", time(with.1), time(without.1)),
        ),
    ])
}

/// Writes the journal of a mob to which so many schedules were given.
async fn fill(store: SqliteStore, count: usize) -> anyhow::Result<()> {
    let mob = MobId::parse("bench")?;
    let opened = store.open(&mob).await?;
    let (now, mut first): (Time, Seq) = (now()?, opened.head + 1);
    for batch in 0..count.div_ceil(BATCH) {
        let mut events = Vec::with_capacity(BATCH);
        for (at, seq) in (batch * BATCH..count.min((batch + 1) * BATCH)).zip(first..) {
            // A year ahead and more, each at a second of its own.
            let due = now.plus_ms(31_536_000_000 + at as u64 * 1_000);
            let spec = once(at, due)?;
            let defined = ScheduleDefined {
                schedule: spec.id.clone(),
                spec,
                origin: ScheduleOrigin::Api,
                anchor: now,
                after: now,
                next: Some(due),
            };
            events.push(NewEvent::of(defined).at(seq, now, &mob));
        }
        let written = events.len() as u64;
        let rows = Vec::new();
        let batch = Batch { events, rows };
        store.append(&mob, opened.epoch, first, batch).await?;
        first += written;
    }
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
        let config = config(Arc::new(store), definition(0)?, Hooks::default());
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
