//! Processes that end with this one.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::Context;

/// A process that says on standard output that it is ready, and ends when it is told to.
pub struct Process {
    name: &'static str,
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
}

impl Process {
    /// Starts it with standard error in the file `log`.
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::create(log).with_context(|| format!("{} can't be made", log.display()))?;
        let started = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn();
        let mut child = started.with_context(|| format!("{name} can't be started"))?;
        let stdout = child
            .stdout
            .take()
            .context("its standard output is a pipe")?;
        Ok(Self {
            name,
            child,
            stdout: BufReader::new(stdout),
            log: log.to_owned(),
        })
    }

    /// Its next line; an error with the end of its log where it has ended.
    pub fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let length = self.stdout.read_line(&mut line);
        if length.with_context(|| format!("{} can't be read", self.name))? > 0 {
            return Ok(line.trim_end().to_owned());
        }
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(8)..].join("\n");
        anyhow::bail!(
            "{} ended; the end of {}:\n{end}",
            self.name,
            self.log.display()
        )
    }

    /// Ends its standard input, and waits for its end.
    pub fn close(mut self) -> anyhow::Result<ExitStatus> {
        drop(self.child.stdin.take());
        self.end()
    }

    /// Does what Ctrl-C does, and waits for its end.
    pub fn interrupt(mut self) -> anyhow::Result<ExitStatus> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        anyhow::ensure!(
            sent.is_ok_and(|sent| sent.success()),
            "{} can't be stopped",
            self.name
        );
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<ExitStatus> {
        self.child
            .wait()
            .with_context(|| format!("{} can't be waited for", self.name))
    }
}

impl Drop for Process {
    /// Leaves no process behind, whatever went wrong before.
    fn drop(&mut self) {
        // It has ended already where everything went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
