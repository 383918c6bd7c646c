//! `mobkit up`: the library, run in the foreground.

use crate::client::STATE_FOLDER;
use crate::commands::version::VERSION;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::{Output, Tone};
use crate::{listen, logging};
use mobkit::MobFile;
use mobkit::definition::Provider;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// The mob file, or a folder that holds mob.toml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Let a script answer instead of every model: no key, no network
    #[arg(long)]
    rehearse: bool,
    /// Start even if this retires more than half of the members
    #[arg(long)]
    force: bool,
    /// State directory [default: .mobkit beside the mob file]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Address and port to serve on; port 0 takes a free one [default: what the mob file says]
    #[arg(long, value_name = "ADDRESS", value_parser = listen::parse)]
    listen: Option<SocketAddr>,
    /// Say more on stderr; twice: everything (MOBKIT_LOG chooses by module)
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// What the library needs to run the mob.
#[derive(Debug)]
pub(crate) struct Launch {
    /// The mob file, valid and without parts that can't be run.
    pub file: MobFile,
    pub state: PathBuf,
    pub listen: SocketAddr,
    /// Whether every model is replaced by rehearsal.
    pub rehearse: bool,
    /// Whether the start may retire more than half of the members.
    pub force: bool,
}

/// A mob that takes messages.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Where it is served, with the port that was really taken.
    pub url: String,
    /// Id and state of every member.
    pub members: Vec<(String, String)>,
    pub token_file: PathBuf,
}

/// A mob that has stopped in order.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// Whether every turn was finished or checkpointed and nothing had to be killed.
    pub clean: bool,
    /// The shutdown report.
    pub report: Value,
}

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
    let result = runtime.block_on(drive(launch, &banner, output));
    runtime.shutdown_background();
    result.map_err(|failure| {
        if failure.code().starts_with("model.") {
            failure.in_file(&banner.config)
        } else {
            failure
        }
    })
}

/// Runs the mob; the first signal stops it in order, the second at once.
async fn drive(launch: Launch, banner: &Banner, output: &Output) -> Result<Exit, Failure> {
    let mut signals = Signals::install()?;
    let (stop, stopped) = oneshot::channel();
    let running = crate::serve::serve(launch, |ready| banner.show(ready, output), async {
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

fn conclude(stopped: &Stopped, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let clean = stopped.clean;
        let frame = json!({"state": "stopped", "clean": clean, "report": stopped.report});
        output.frame(&frame)?;
    } else {
        output.notice(&summary(&stopped.report["drain"]));
        for problem in stopped.report["problems"].as_array().into_iter().flatten() {
            output.notice(problem.as_str().unwrap_or("a problem without words"));
        }
    }
    Ok(if stopped.clean {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn summary(drain: &Value) -> String {
    let mut text = "stopped".to_owned();
    for (name, what) in [
        ("turns_finished", "finished"),
        ("turns_checkpointed", "put aside for the next start"),
        ("turns_cancelled", "cancelled"),
    ] {
        if let Some(turns) = drain[name].as_u64().filter(|turns| *turns > 0) {
            let sign = if text.contains(':') { "," } else { ":" };
            let plural = if turns == 1 { "turn" } else { "turns" };
            text = format!("{text}{sign} {turns} {plural} {what}");
        }
    }
    text
}

/// Ctrl-C, and the request of an init system.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn install() -> Result<Self, Failure> {
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

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// What is said of a mob that has started.
struct Banner {
    config: String,
    state: PathBuf,
    is_default_state: bool,
    rehearsal: bool,
    models: Vec<String>,
    /// The first member of the mob file.
    first: Option<String>,
}

/// Members that are named one by one.
const MEMBERS_NAMED: usize = 8;

impl Banner {
    fn of(launch: &Launch) -> Self {
        let models = &launch.file.definition.models;
        let is_rehearsal = |provider: Provider| provider == Provider::Rehearsal;
        let named = models
            .iter()
            .map(|(id, model)| format!("{id}: {} {}", model.provider, model.model));
        Self {
            config: launch.file.path.display().to_string(),
            state: launch.state.clone(),
            is_default_state: launch.state == PathBuf::from(".").join(STATE_FOLDER),
            rehearsal: launch.rehearse || models.values().all(|model| is_rehearsal(model.provider)),
            models: named.collect(),
            first: launch
                .file
                .definition
                .members
                .first()
                .map(|member| member.id.to_string()),
        }
    }

    fn show(&self, ready: &Ready, output: &Output) {
        if output.is_json() {
            // A closed stdout is no reason to stop a mob.
            let _ = output.frame(&json!({
                "state": "running",
                "version": VERSION,
                "url": ready.url,
                "token_file": ready.token_file.display().to_string(),
                "state_dir": self.state.display().to_string(),
                "rehearsal": self.rehearsal,
                "members": ready.members.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            }));
            return;
        }
        output.notice(&format!(
            "{} {VERSION}, state {}, config {} (ok)",
            output.paint_notice(Tone::Strong, "mobkit"),
            self.state.display(),
            self.config,
        ));
        for (name, value) in self.lines(ready) {
            let name = output.paint_notice(Tone::Faint, &format!("{name:<8}"));
            output.notice(&format!("{name} {value}"));
        }
    }

    fn lines(&self, ready: &Ready) -> Vec<(&'static str, String)> {
        let model = if self.rehearsal {
            "rehearsal: answers come from a script; everything else is real".to_owned()
        } else {
            self.models.join(", ")
        };
        let named = ready.members.iter().take(MEMBERS_NAMED);
        let mut members: Vec<String> = named.map(|(id, state)| format!("{id} {state}")).collect();
        if ready.members.len() > MEMBERS_NAMED {
            members.push(format!("and {} more", ready.members.len() - MEMBERS_NAMED));
        }
        let mut lines = vec![
            ("model", model),
            ("members", members.join(", ")),
            ("api", ready.url.clone()),
            ("token", ready.token_file.display().to_string()),
        ];
        let is_first = |id: &&String| self.first.as_ref() == Some(*id);
        let mut present = ready.members.iter().map(|(id, _)| id);
        if let Some(first) = present.clone().find(is_first).or_else(|| present.next()) {
            let state = if self.is_default_state {
                String::new()
            } else {
                format!(" --state {}", self.state.display())
            };
            lines.push((
                "try",
                format!("mobkit send {first} \"Hello\" --wait{state}"),
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_names_what_a_newcomer_needs() {
        let banner = Banner {
            config: "mob.toml".to_owned(),
            state: PathBuf::from("data"),
            is_default_state: false,
            rehearsal: true,
            models: Vec::new(),
            first: Some("m2".to_owned()),
        };
        let ready = Ready {
            url: "http://127.0.0.1:7373/".to_owned(),
            members: (1..=10)
                .map(|i| (format!("m{i}"), "idle".to_owned()))
                .collect(),
            token_file: PathBuf::from("data/operator.token"),
        };
        let lines = banner.lines(&ready);
        let line = |name| {
            lines
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        };
        assert!(line("members").is_some_and(|v| v.ends_with("m8 idle, and 2 more")));
        assert_eq!(line("api"), Some("http://127.0.0.1:7373/"));
        assert_eq!(
            line("try"),
            Some("mobkit send m2 \"Hello\" --wait --state data")
        );
        let discovered = Banner {
            first: None,
            ..banner
        };
        let lines = discovered.lines(&ready);
        assert!(
            lines
                .iter()
                .any(|(_, value)| value.starts_with("mobkit send m1 "))
        );
    }

    #[test]
    fn the_last_word_says_what_was_seen() {
        assert_eq!(summary(&json!({})), "stopped");
        let drain = json!({"turns_finished": 2, "turns_checkpointed": 1, "turns_cancelled": 0});
        assert_eq!(
            summary(&drain),
            "stopped: 2 turns finished, 1 turn put aside for the next start"
        );
    }
}
