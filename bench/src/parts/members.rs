//! Ten thousand members that do nothing.

use crate::machine::resident_kib;
use crate::mob::{config, definition, on_threads, specs};
use crate::part::{Setting, in_process};
use crate::report::Row;
use crate::samples::time;
use anyhow::Context;
use async_trait::async_trait;
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::principal::Principal;
use mobkit_engine::{ApplyOptions, Discovery, Engine, HookError, Hooks};
use mobkit_store::{Durability, SqliteStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const MEMBERS: usize = 10_000;
const SPAWNED: Duration = Duration::from_secs(2);
const BYTES: u64 = 4_096;

/// Finds as many members as it is told to find.
struct Found(Arc<AtomicUsize>);

#[async_trait]
impl Discovery for Found {
    async fn discover(&self, _context: serde_json::Value) -> Result<Vec<MemberSpec>, HookError> {
        specs(self.0.load(Ordering::SeqCst)).map_err(|error| HookError(error.to_string()))
    }
}

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let (full, empty) = (setting.dir.join("full"), setting.dir.join("empty"));
    let took = on_threads(spawn(full.clone(), MEMBERS))?;
    on_threads(spawn(empty.clone(), 0))?;
    // Measured in processes that only opened the mob: nothing in them but members and their mob.
    let with = memory_of(&full)?;
    let without = memory_of(&empty)?;
    let each = with.saturating_sub(without) * 1024 / MEMBERS as u64;
    Ok(vec![
        Row::target(
            "10,000 members spawned in one apply, power",
            time(took),
            "≤ 2 s",
            took <= SPAWNED,
        ),
        Row::target(
            "10,000 idle members, resident after a restart",
            format!(
                "{each} bytes each ({} MiB; empty mob {} MiB)",
                with / 1024,
                without / 1024
            ),
            "≤ 4 KiB each",
            each <= BYTES,
        ),
    ])
}

async fn spawn(dir: PathBuf, members: usize) -> anyhow::Result<Duration> {
    let count = Arc::new(AtomicUsize::new(0));
    let discovery: Arc<dyn Discovery> = Arc::new(Found(Arc::clone(&count)));
    let mut hooks = Hooks::default();
    hooks.discovery = Some(discovery);
    let store = SqliteStore::open(&dir, Durability::Power)?;
    let engine = Engine::open(config(Arc::new(store), definition(0)?, hooks)).await?;
    engine.bring_up().await?;
    count.store(members, Ordering::SeqCst);
    let actor = Principal::Operator("bench".to_owned());
    let began = Instant::now();
    let report = engine.apply(&actor, &ApplyOptions::default()).await?;
    let took = began.elapsed();
    anyhow::ensure!(
        report.spawned.len() == members,
        "{} were spawned",
        report.spawned.len()
    );
    engine.shutdown().await;
    Ok(took)
}

fn memory_of(dir: &Path) -> anyhow::Result<u64> {
    Ok(in_process("members-memory", dir, false)?.trim().parse()?)
}

/// Opens the mob and prints how much memory this process uses, in KiB.
pub fn memory(setting: &Setting) -> anyhow::Result<()> {
    let dir = setting.dir.clone();
    on_threads(async move {
        let store = SqliteStore::open(&dir, Durability::Power)?;
        let config = config(Arc::new(store), definition(0)?, Hooks::default());
        let engine = Engine::open(config).await?;
        println!("{}", resident_kib("self").context("no figure of memory")?);
        engine.shutdown().await;
        Ok(())
    })
}
