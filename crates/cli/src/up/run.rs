//! Running the mob, until signals stop it.

use super::args::UpArgs;
use super::banner::Banner;
use super::life::{Launch, Ready};
use super::report::conclude;
use crate::client::STATE_FOLDER;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::serve::{Audience, serve};
use crate::terminal::{Output, visible_line};
use crate::{listen, logging};
use mobkit::StartParts;
use mobkit::event::Event;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

pub(crate) fn run(args: &UpArgs, output: &Output) -> Result<Exit, Failure> {
    logging::start(args.verbose, output.is_quiet());
    let file = mobfile::read_runnable(&args.path, output)?;
    mobfile::show(&file.text, &file.warnings, output);
    let state = args
        .state
        .clone()
        .unwrap_or_else(|| file.folder.join(STATE_FOLDER));
    let listen = listen::checked(args.listen.unwrap_or(file.definition.server.listen))?;
    let launch = Launch {
        file,
        state,
        listen,
        rehearse: args.rehearse,
        force: args.force,
    };
    let banner = Banner::of(&launch);
    block_on(drive(launch, &banner, output)).map_err(|failure| banner.placed(failure))
}

/// Runs a mob to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::Failed,
                "runtime.setup",
                format!("cannot start: {error}"),
            )
        })?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// Runs the mob; the first signal stops it in order, the second at once.
async fn drive(launch: Launch, banner: &Banner, output: &Output) -> Result<Exit, Failure> {
    let mut signals = Signals::install()?;
    let (stop, stopped) = oneshot::channel();
    let teller = Teller { banner, output };
    let running = serve((launch, StartParts::default()), &teller, async {
        // Whoever drops the sender wants a stop as well.
        let _ = stopped.await;
    });
    let watching = async {
        signals.next().await;
        output.notice("stopping: running turns may finish; Ctrl-C again stops at once");
        let _ = stop.send(());
        signals.next().await;
        output.notice("stopped at once; the next `mobkit up` goes on where this one was");
    };
    tokio::select! {
        result = running => conclude(&result?, output),
        () = watching => Ok(Exit::Interrupted),
    }
}

/// Says on the streams of the process what happens to the mob.
pub(crate) struct Teller<'a> {
    pub banner: &'a Banner,
    pub output: &'a Output,
}

impl Audience for Teller<'_> {
    fn ready(&self, ready: &Ready) {
        self.banner.show(ready, self.output);
    }

    fn module(&self, event: &Event) {
        // A program reads of it in the journal.
        if self.output.is_json() {
            return;
        }
        let summary = visible_line(&event.summary());
        self.output.notice(&match event {
            Event::ModuleQuarantined(e) => {
                format!("{summary}; see `mobkit modules log {}`", e.module)
            }
            _ => summary,
        });
    }
}

/// Ctrl-C, and the request of an init system.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn install() -> Result<Self, Failure> {
        let install = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Failed, "signal.setup", format!("no signals: {error}"))
            })
        };
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
