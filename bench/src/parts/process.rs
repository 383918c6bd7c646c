//! The program itself, where a release build of it lies in the target folder.

use crate::arguments::root;
use crate::machine::{resident_kib, ticks};
use crate::part::Setting;
use crate::report::Row;
use crate::samples::time;
use anyhow::{Context, bail};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const BINARY_MIB: f64 = 40.0;
const RESIDENT_MIB: f64 = 40.0;
const CORE_SHARE: f64 = 0.5;
const IDLE: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(10);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let binary = root().join("target/release/mobkit");
    let Ok(meta) = std::fs::metadata(&binary) else {
        return Ok(vec![Row::figure(
            "the program",
            "not measured: no release build of it",
        )]);
    };
    let size = meta.len() as f64 / 1024.0 / 1024.0;
    let mut rows = vec![Row::target(
        "release binary",
        format!("{size:.1} MiB"),
        "≤ 40 MiB",
        size <= BINARY_MIB,
    )];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    rows.extend(runtime.block_on(idle(setting, &binary))?);
    Ok(rows)
}

/// A mob of the program, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn idle(setting: &Setting, binary: &Path) -> anyhow::Result<Vec<Row>> {
    let state = setting.dir.join("state");
    let began = Instant::now();
    let mut command = Command::new(binary);
    command
        .arg("up")
        .arg("--rehearse")
        .arg("--state")
        .arg(&state);
    command
        .args(["--listen", "127.0.0.1:0"])
        .arg(root().join("examples/newsroom"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Running(command.spawn()?);
    while !state.join("server.json").exists() {
        if began.elapsed() > PATIENCE || running.0.try_wait()?.is_some() {
            bail!("the program does not come up");
        }
        sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed();
    let process = running.0.id().to_string();
    sleep(Duration::from_secs(2)).await;
    let before = ticks(&process).context("the process is gone")?;
    sleep(IDLE).await;
    let used = ticks(&process).context("the process is gone")? - before;
    let resident = resident_kib(&process).context("the process is gone")? as f64 / 1024.0;
    let share = used as f64 / 100.0 / IDLE.as_secs_f64() * 100.0;
    Ok(vec![
        Row::figure(
            "`mobkit up` of the newsroom, first start to served",
            time(took),
        ),
        Row::target(
            "idle process, share of a core over 20 s",
            format!("{share:.2} %"),
            "< 0.5 %",
            share < CORE_SHARE,
        ),
        Row::target(
            "idle process, resident",
            format!("{resident:.1} MiB"),
            "≤ 40 MiB",
            resident <= RESIDENT_MIB,
        ),
    ])
}
