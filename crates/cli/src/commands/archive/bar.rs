//! How far an export or import is, on stderr.

use crate::terminal::Output;
use indicatif::{ProgressBar, ProgressStyle};
use mobkit::archive::Progress;
use std::time::Duration;

/// A spinner moves so often.
const TICK: Duration = Duration::from_millis(120);

/// A bar on a terminal, nothing elsewhere. It goes when this is dropped.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub fn new(output: &Output) -> Self {
        Self(output.may_draw().then(ProgressBar::new_spinner))
    }

    /// Shows how far it is.
    pub fn show(&self, progress: Progress) {
        let Some(bar) = &self.0 else { return };
        let style = |template| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        match progress {
            Progress::Copying | Progress::Checking => {
                let what = match progress {
                    Progress::Copying => "copying the journal",
                    _ => "checking everything",
                };
                bar.set_style(style("{spinner} {msg} {elapsed}"));
                bar.set_message(what);
                bar.enable_steady_tick(TICK);
            }
            Progress::Bytes { done, total } => {
                bar.disable_steady_tick();
                bar.set_style(style("{bar:30} {bytes}/{total_bytes} {elapsed}"));
                bar.set_length(total);
                bar.set_position(done);
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
