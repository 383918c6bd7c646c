//! A start after the process was killed with a long journal.

use crate::mob::{ask, config, definition, member, on_threads, start};
use crate::part::{self, Setting};
use crate::report::Row;
use crate::samples::{number, time};
use crate::watched::Watched;
use mobkit_engine::{Engine, Hooks};
use mobkit_store::{Durability, SqliteStore, Store};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MEMBERS: usize = 200;
const EVENTS: usize = 1_000_000;
const RECOVERED: Duration = Duration::from_secs(2);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    fill_and_kill(setting)?;
    // The first looks on the journal as a user meets it; the second reads all of it again.
    let (events, took) = on_threads(recover(setting.clone(), false))?;
    let (_, whole) = on_threads(recover(setting.clone(), true))?;
    let events = number(events as f64);
    Ok(vec![
        Row::target(
            format!("start to ready after kill -9, {events} events, power"),
            time(took),
            "≤ 2 s",
            took <= RECOVERED,
        ),
        Row::figure(
            "the same without any snapshot: every event read again".to_owned(),
            time(whole),
        ),
    ])
}

/// Lets a process of its own write the journal, and kills it in the middle of its turns.
fn fill_and_kill(setting: &Setting) -> anyhow::Result<()> {
    let mut command = part::command("recovery-fill", &setting.dir, setting.quick)?;
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(output) = process.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    process.kill()?;
    process.wait()?;
    anyhow::ensure!(line.trim() == "filled", "the journal was not written");
    Ok(())
}

async fn recover(setting: Setting, whole: bool) -> anyhow::Result<(u64, Duration)> {
    let definition = definition(MEMBERS)?;
    let began = Instant::now();
    let mut store: Arc<dyn Store> = Arc::new(SqliteStore::open(&setting.dir, Durability::Power)?);
    if whole {
        store = Watched::without_snapshots(store);
    }
    let engine = Engine::open(config(store, definition, Hooks::default())).await?;
    engine.bring_up().await?;
    let took = began.elapsed();
    let events = engine.head();
    engine.shutdown().await;
    Ok((events, took))
}

/// Runs turns until the journal is long enough, says so, and goes on until it is killed.
pub fn fill(setting: &Setting) -> anyhow::Result<()> {
    let wanted = setting.work(EVENTS) as u64;
    let dir = setting.dir.clone();
    on_threads(async move {
        // What is read back is the same; written this way it is there sooner.
        let store = SqliteStore::open(&dir, Durability::Process)?;
        let engine = start(Arc::new(store), MEMBERS).await?;
        let mut tasks = Vec::with_capacity(MEMBERS);
        for at in 0..MEMBERS {
            let (engine, worker) = (engine.clone(), member(at)?);
            tasks.push(tokio::spawn(async move {
                // Twice as much at most, in case nobody kills it.
                while engine.head() < 2 * wanted {
                    ask(&engine, worker.clone()).await?;
                    if at == 0 && engine.head() >= wanted {
                        println!("filled");
                    }
                }
                anyhow::Ok(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}
