//! Modules that sleep: what they cost while nobody calls them.

use crate::hands::{next, reader, start};
use crate::machine::resident_kib;
use crate::mob::on_threads;
use crate::part::{Setting, in_process};
use crate::report::Row;
use anyhow::Context;
use std::path::Path;

const MODULES: usize = 200;
const LAZY: &str = "start = \"lazy\"\nidle_stop = \"1s\"";

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let (full, empty) = (setting.dir.join("full"), setting.dir.join("empty"));
    in_process("lazy-fill", &full, setting.quick)?;
    // Measured in processes that only opened the mob: the tools are known, no module runs.
    let with = memory_of(&full)?;
    let without = memory_of(&empty)?;
    let each = with.saturating_sub(without) * 1024 / MODULES as u64;
    Ok(vec![Row::figure(
        "200 lazy modules that do not run, resident after a restart",
        format!(
            "{each} bytes each ({} MiB; mob without modules {} MiB)",
            with / 1024,
            without / 1024
        ),
    )])
}

fn memory_of(dir: &Path) -> anyhow::Result<u64> {
    Ok(in_process("lazy-memory", dir, false)?.trim().parse()?)
}

fn modules_of(dir: &Path) -> usize {
    if dir.ends_with("empty") { 0 } else { MODULES }
}

/// Starts the mob, and stops it once every module was listed and sleeps.
pub fn fill(setting: &Setting) -> anyhow::Result<()> {
    let dir = setting.dir.clone();
    on_threads(async move {
        let mob = start(&dir, "process", MODULES, (LAZY, "")).await?;
        let mut stopped = reader(&mob, "module.stopped", 0).await?;
        for _ in 0..MODULES {
            next(&mut stopped).await?;
        }
        mob.shutdown().await;
        Ok(())
    })
}

/// Starts the mob and prints how much memory this process uses, in KiB.
pub fn memory(setting: &Setting) -> anyhow::Result<()> {
    let dir = setting.dir.clone();
    on_threads(async move {
        let mob = start(&dir, "process", modules_of(&dir), (LAZY, "")).await?;
        println!("{}", resident_kib("self").context("no figure of memory")?);
        mob.shutdown().await;
        Ok(())
    })
}
