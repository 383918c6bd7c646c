//! From an empty process to a mob that takes messages.

use crate::mob::{config, definition, on_threads};
use crate::part::Setting;
use crate::report::Row;
use crate::samples::{Samples, time};
use mobkit_engine::{Engine, Hooks};
use mobkit_store::{Durability, SqliteStore};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MEMBERS: usize = 100;
const TIMES: usize = 20;
const READY: Duration = Duration::from_millis(150);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let setting = setting.clone();
    let (first, second) = on_threads(async move {
        let (mut first, mut second) = (Samples::default(), Samples::default());
        for at in 0..setting.work(TIMES) {
            let dir = setting.dir.join(at.to_string());
            first.push(boot(&dir).await?);
            second.push(boot(&dir).await?);
        }
        Ok((first, second))
    })?;
    let rows = [("first start", first), ("later start", second)];
    let row = |(what, samples): (&str, Samples)| {
        Row::target(
            format!("{what} to ready, 100 members, power"),
            format!(
                "p50 {}, longest {}",
                time(samples.p50()),
                time(samples.quantile(1.0))
            ),
            "≤ 150 ms",
            samples.quantile(1.0) <= READY,
        )
    };
    Ok(rows.into_iter().map(row).collect())
}

async fn boot(dir: &Path) -> anyhow::Result<Duration> {
    let definition = definition(MEMBERS)?;
    let began = Instant::now();
    let store = SqliteStore::open(dir, Durability::Power)?;
    let engine = Engine::open(config(Arc::new(store), definition, Hooks::default())).await?;
    engine.bring_up().await?;
    let took = began.elapsed();
    engine.shutdown().await;
    Ok(took)
}
