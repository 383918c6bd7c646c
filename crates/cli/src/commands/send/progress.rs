//! How far the lines are, on stderr.

use crate::failure::Exit;
use crate::terminal::Output;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::time::Duration;

/// How often a log that nobody watches hears of the progress.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// A bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress<'a> {
    output: &'a Output,
    bar: Option<ProgressBar>,
    done: Cell<u64>,
    failed: Cell<u64>,
    waiting: Cell<u64>,
    timed_out: Cell<u64>,
    total: Option<u64>,
}

impl<'a> Progress<'a> {
    pub fn new(output: &'a Output, total: Option<u64>) -> Self {
        let bar = output.may_draw().then(|| match total {
            Some(total) => {
                let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}");
                ProgressBar::new(total)
                    .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            }
            None => ProgressBar::new_spinner(),
        });
        Self {
            output,
            bar,
            done: Cell::new(0),
            failed: Cell::new(0),
            waiting: Cell::new(0),
            timed_out: Cell::new(0),
            total,
        }
    }

    /// One more line is done, and how.
    pub fn advance(&self, exit: Exit) {
        self.done.set(self.done.get() + 1);
        let other = match exit {
            Exit::Done => None,
            Exit::Waiting => Some(&self.waiting),
            Exit::TimedOut => Some(&self.timed_out),
            _ => Some(&self.failed),
        };
        if let Some(count) = other {
            count.set(count.get() + 1);
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Prints a line of the result above the bar.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Reports now and then; never ends.
    pub async fn report(&self) {
        loop {
            tokio::time::sleep(REPORT_EVERY).await;
            if self.bar.is_none() {
                self.output.notice(&self.text());
            }
        }
    }

    /// Takes the bar away and says how far it came.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.output.notice(&self.text());
    }

    fn text(&self) -> String {
        let mut text = match self.total {
            Some(total) => format!("{} of {total} lines done", self.done.get()),
            None if self.done.get() == 1 => "1 line done".to_owned(),
            None => format!("{} lines done", self.done.get()),
        };
        for (count, what) in [
            (&self.failed, "failed"),
            (&self.waiting, "waiting for a person"),
            (&self.timed_out, "not answered in time"),
        ] {
            if count.get() > 0 {
                text = format!("{text}, {} {what}", count.get());
            }
        }
        text
    }
}
