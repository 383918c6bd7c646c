//! `mobkit stdio`: a mob for one program, which talks with it on the streams of the process.

use crate::client::STATE_FOLDER;
use crate::failure::{Exit, Failure};
use crate::serve::{Audience, serve};
use crate::terminal::Output;
use crate::up::{Banner, Launch, Ready, Signals, Teller, block_on, conclude};
use crate::{logging, mobfile};
use mobkit::event::Event;
use mobkit::principal::Principal;
use mobkit::{Mob, SessionEnd};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, BufReader, Stdin};
use tokio::sync::oneshot;

/// Who talks on the streams of the process runs it, and could read its token as well.
const OPERATOR: &str = "local";

#[derive(Debug, clap::Args)]
pub(crate) struct StdioArgs {
    /// The mob file, or a folder that holds mob.toml
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Let a script answer instead of every model: no key, no network
    #[arg(long)]
    pub rehearse: bool,
    /// Start even if this retires more than half of the members
    #[arg(long)]
    pub force: bool,
    /// State directory [default: .mobkit beside the mob file]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Say more on stderr; twice: everything (MOBKIT_LOG chooses by module)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

pub(crate) fn run(args: &StdioArgs, output: &Output) -> Result<Exit, Failure> {
    logging::start(args.verbose, output.is_quiet());
    let file = mobfile::read_runnable(&args.path, output)?;
    mobfile::show(&file.text, &file.warnings, output);
    let beside = || file.folder.join(STATE_FOLDER);
    let state = args.state.clone().unwrap_or_else(beside);
    let launch = Launch {
        file,
        state,
        // Other commands find it by its state directory; two such mobs are not in each other's way.
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        rehearse: args.rehearse,
        force: args.force,
    };
    let banner = Banner::of(&launch);
    block_on(drive(launch, &banner, output)).map_err(|failure| banner.placed(failure))
}

/// Runs the mob until the other side goes; a first signal stops it in order, a second at once.
async fn drive(launch: Launch, banner: &Banner, output: &Output) -> Result<Exit, Failure> {
    let mut signals = Signals::install()?;
    let mut stdin = BufReader::new(tokio::io::stdin());
    let begun = tokio::select! {
        begun = stdin.fill_buf() => begun.is_ok_and(|text| !text.is_empty()),
        () = signals.next() => return Ok(Exit::Interrupted),
    };
    if !begun {
        output.notice("stdin was closed before the first line; nothing was started");
        return Ok(Exit::Done);
    }
    let (gone, client_gone) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let program = Program {
        teller: Teller { banner, output },
        lines: Mutex::new(Some((stdin, gone))),
        end: Mutex::new(None),
    };
    let running = serve(launch, &program, async {
        // Whoever drops a sender wants a stop as well.
        tokio::select! {
            _ = client_gone => {}
            _ = stopped => {}
        }
    });
    let watching = async {
        signals.next().await;
        output.notice("stopping: running turns may finish; a second signal stops at once");
        let _ = stop.send(());
        signals.next().await;
        output.notice("stopped at once; the next start goes on where this one was");
    };
    tokio::select! {
        result = running => program.conclude(conclude(&result?, output)?),
        () = watching => Ok(Exit::Interrupted),
    }
}

/// The program on the other side of the streams.
struct Program<'a> {
    teller: Teller<'a>,
    lines: Mutex<Option<(BufReader<Stdin>, oneshot::Sender<()>)>>,
    end: Mutex<Option<SessionEnd>>,
}

impl Program<'_> {
    /// A program that did not read its answers has missed something.
    fn conclude(&self, exit: Exit) -> Result<Exit, Failure> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match end.as_ref() {
            Some(end @ SessionEnd::SlowReader) => {
                Err(
                    Failure::new(Exit::Failed, "session.slow_reader", end.to_string())
                        .hint("read stdout while you write to stdin"),
                )
            }
            _ => Ok(exit),
        }
    }
}

impl Audience for Program<'_> {
    fn ready(&self, ready: &Ready) {
        self.teller.ready(ready);
    }

    fn module(&self, event: &Event) {
        self.teller.module(event);
    }

    async fn accompany(&self, mob: &Mob) {
        let lines = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((stdin, gone)) = lines else {
            return;
        };
        let operator = Principal::Operator(OPERATOR.to_owned());
        let end = mob.talk(operator, (stdin, tokio::io::stdout()), gone).await;
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }
}
