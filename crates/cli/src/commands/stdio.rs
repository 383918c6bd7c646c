//! `mobkit stdio`: a mob for one program, which talks with it on the streams of the process.

use crate::client::STATE_FOLDER;
use crate::failure::{Exit, Failure};
use crate::serve::{Audience, serve};
use crate::terminal::Output;
use crate::up::{Banner, Launch, Ready, Signals, Teller, block_on, conclude};
use crate::{logging, mobfile};
use mobkit::event::Event;
use mobkit::principal::Principal;
use mobkit::{Mob, OwnerSignals, SessionEnd, StartParts};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Chain, Stdin};
use tokio::sync::oneshot;

/// Who talks on the streams of the process runs it, and could read its token as well.
const OPERATOR: &str = "local";

/// How much of the first line is looked at before the start; the session refuses what is longer.
const LINE_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The first line, which was looked at, and what follows.
type Input = Chain<std::io::Cursor<Vec<u8>>, BufReader<Stdin>>;

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
    let mut first = Vec::new();
    let mut head = (&mut stdin).take(LINE_BYTES_MAX);
    tokio::select! {
        // What can't be read is as good as nothing.
        _ = head.read_until(b'\n', &mut first) => {}
        () = signals.next() => return Ok(Exit::Interrupted),
    }
    if first.is_empty() {
        output.notice("stdin was closed before the first line; nothing was started");
        return Ok(Exit::Done);
    }
    let parts = StartParts::of_first_line(&first);
    check_models(&parts, &launch)?;
    let (gone, client_gone) = oneshot::channel();
    let (begun, may_start) = oneshot::channel();
    let signals_of_owner = OwnerSignals {
        begun: Some(begun),
        gone: Some(gone),
    };
    let input = std::io::Cursor::new(first).chain(stdin);
    let (stop, stopped) = oneshot::channel::<()>();
    let program = Program {
        teller: Teller { banner, output },
        lines: Mutex::new(Some((input, signals_of_owner))),
        may_start: Mutex::new(Some(may_start)),
        end: Mutex::new(None),
    };
    let running = serve((launch, parts), &program, async {
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

/// A model that the program answers for must be one of the mob file.
fn check_models(parts: &StartParts, launch: &Launch) -> Result<(), Failure> {
    let known = &launch.file.definition.models;
    match parts
        .models
        .iter()
        .find(|model| !known.contains_key(*model))
    {
        None => Ok(()),
        Some(model) => {
            let message =
                format!("the program answers for the model {model}, which is not defined");
            Err(Failure::new(Exit::Config, "host.model_unknown", message)
                .hint("name a model of the mob file in `host/register`"))
        }
    }
}

/// The program on the other side of the streams.
struct Program<'a> {
    teller: Teller<'a>,
    lines: Mutex<Option<(Input, OwnerSignals)>>,
    may_start: Mutex<Option<oneshot::Receiver<()>>>,
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

    async fn may_start(&self) -> Result<(), Failure> {
        let may_start = self
            .may_start
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(may_start) = may_start
            && may_start.await.is_err()
        {
            let message = "what the program serves was refused; its first request says why";
            return Err(Failure::new(Exit::Failed, "host.refused", message));
        }
        Ok(())
    }

    async fn accompany(&self, mob: &Mob) {
        let lines = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some((input, signals)) = lines else {
            return;
        };
        let operator = Principal::Operator(OPERATOR.to_owned());
        let end = mob
            .talk(operator, (input, tokio::io::stdout()), signals)
            .await;
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }
}
