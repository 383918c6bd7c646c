//! From the words of the command line to the exit code.

use crate::arguments::{Arguments, Command};
use crate::commands::{
    apply, approvals, archive, chat, check, completion, config, cost, decide, deliveries, doctor,
    down, events, explain, grants, init, logs, modules, pause, plan, ps, rehearse, routes, rpc,
    schedule, send, status, stdio, tasks, version,
};
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{ColorChoice, Output, Show};
use crate::up;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};
use clap_complete::env::CompleteEnv;
use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    // A shell asks what could follow; it says so in the environment.
    match CompleteEnv::with_factory(completion::completable).try_complete(&words, None) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => return ExitCode::from(misunderstood(&words, &error).code()),
    }
    let mut arguments = match parse(&words) {
        Ok(arguments) => arguments,
        Err(error) => return ExitCode::from(misunderstood(&words, &error).code()),
    };
    if matches!(arguments.command, Command::Stdio(_)) {
        // Its stdout belongs to the program on the other side.
        arguments.show.json = false;
    }
    let output = Output::new(&arguments.show, environment::variable);
    let exit = match run(arguments.command, &output) {
        Ok(exit) => exit,
        Err(failure) => {
            output.failure(&failure);
            failure.exit()
        }
    };
    ExitCode::from(exit.code())
}

fn parse(words: &[std::ffi::OsString]) -> Result<Arguments, clap::Error> {
    let mut command = Arguments::command();
    command = command.color(match asked_color(words) {
        ColorChoice::Auto => clap::ColorChoice::Auto,
        ColorChoice::Always => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
    });
    let matches = command.try_get_matches_from(words);
    Arguments::from_arg_matches(&matches.map_err(|error| with_next_step(words, error))?)
}

fn run(command: Command, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Rehearse(args) => rehearse::run(&args, output),
        Command::Doctor(args) => wait(doctor::run(&args, output)),
        Command::Completion(args) => completion::run(&args, output),
        Command::Version => version::run(output),
        Command::Up(args) => up::run(&args, output),
        Command::Stdio(args) => stdio::run(&args, output),
        Command::Down(args) => wait(down::run(&args, output)),
        Command::Status(args) => wait(status::run(&args, output)),
        Command::Plan(args) => wait(plan::run(&args, output)),
        Command::Apply(args) => wait(apply::run(&args, output)),
        Command::Ps(args) => wait(ps::run(&args, output)),
        Command::Send(args) => wait(send::run(&args, output)),
        Command::Chat(args) => block_on(chat::run(&args, output)),
        Command::Approvals(args) => wait(approvals::run(&args, output)),
        Command::Approve(args) => wait(decide::approve(&args, output)),
        Command::Deny(args) => wait(decide::deny(&args, output)),
        Command::Grants(args) => wait(grants::run(&args, output)),
        Command::Modules(args) if args.streams() => left(wait(modules::run(&args, output))),
        Command::Modules(args) => wait(modules::run(&args, output)),
        Command::Schedule(args) => wait(schedule::run(&args, output)),
        Command::Deliveries(args) => wait(deliveries::run(&args, output)),
        Command::Routes(args) => wait(routes::run(&args, output)),
        Command::Tasks(args) => wait(tasks::run(&args, output)),
        Command::Cost(args) => wait(cost::run(&args, output)),
        Command::Logs(args) => left(wait(logs::run(&args, output))),
        Command::Events(args) => left(wait(events::run(&args, output))),
        Command::Config(args) => config::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Export(args) => archive::export(&args, output),
        Command::Import(args) => archive::import(&args, output),
        Command::Pause(args) => wait(pause::pause(&args, output)),
        Command::Resume(args) => wait(pause::resume(&args, output)),
        Command::Rpc(args) => wait(rpc::run(&args, output)),
    }
}

/// Runs a client command until it ends or Ctrl-C ends it.
fn wait(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    block_on(async {
        tokio::select! {
            biased;
            result = command => result,
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new(Exit::Interrupted, "command.interrupted", "interrupted"))
            }
        }
    })
}

/// Runs a client command that hears Ctrl-C itself.
fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::Failed,
                "runtime.setup",
                format!("cannot start: {error}"),
            )
        })?;
    let result = runtime.block_on(command);
    // A read of stdin can't be called back; the process ends without it.
    runtime.shutdown_background();
    result
}

/// Ctrl-C is how one leaves a stream: nothing went wrong, the exit code says it all.
fn left(result: Result<Exit, Failure>) -> Result<Exit, Failure> {
    result.map_err(|failure| {
        if failure.exit() == Exit::Interrupted {
            failure.silently()
        } else {
            failure
        }
    })
}

/// Adds the next step where a command is followed by a word that none of its own is like: often an
/// id, since some commands take one there.
fn with_next_step(words: &[std::ffi::OsString], mut error: clap::Error) -> clap::Error {
    let unknown = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::InvalidSubcommand => word,
        _ => return error,
    };
    if error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let mut command = Arguments::command();
    let mut path = command.get_name().to_owned();
    for word in words.iter().take_while(|word| *word != unknown.as_str()) {
        if let Some(inner) = command.find_subcommand(word) {
            path = format!("{path} {}", inner.get_name());
            command = inner.clone();
        }
    }
    let others = format!("`{path} --help` lists its commands");
    let tip = match command.find_subcommand("show") {
        Some(_) => format!("`{path} show {unknown}` shows one of them, {others}"),
        None => others,
    };
    let tip = ContextValue::StyledStrs(vec![tip.into()]);
    error.insert(ContextKind::Suggested, tip);
    error
}

/// Says that the command line makes no sense, or prints the help that was asked for.
fn misunderstood(words: &[std::ffi::OsString], error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Help and version are results; a closed stdout is no failure of theirs.
        let _ = error.print();
        return Exit::Done;
    }
    let options = words.iter().take_while(|word| *word != "--");
    if options.into_iter().any(|word| word == "--json") {
        let (message, tip) = told(&error.to_string());
        let mut failure = Failure::new(Exit::Usage, "usage.invalid", message);
        if let Some(tip) = tip {
            failure = failure.hint(tip);
        }
        let show = Show {
            json: true,
            ..Show::default()
        };
        Output::new(&show, environment::variable).failure(&failure);
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// The first paragraph of a usage error as one line, and the tip where there is one.
fn told(text: &str) -> (String, Option<String>) {
    let paragraph = text.lines().take_while(|line| !line.trim().is_empty());
    let lines: Vec<&str> = paragraph.map(str::trim).collect();
    let message = lines.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tip = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("tip: "));
    (message.to_owned(), tip.map(str::to_owned))
}

/// What `--color` says, before the command line is known to make sense.
fn asked_color(words: &[std::ffi::OsString]) -> ColorChoice {
    let mut words = words
        .iter()
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--");
    let value = words.clone().find_map(|word| word.strip_prefix("--color="));
    match value.or_else(|| {
        words
            .find(|word| *word == "--color")
            .and_then(|_| words.next())
    }) {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_becomes_one_line_and_a_tip() {
        let text = "error: these are missing:\n  <MEMBER>\n\n  tip: try this\n\nUsage: x\n";
        let expected = (
            "these are missing: <MEMBER>".to_owned(),
            Some("try this".to_owned()),
        );
        assert_eq!(told(text), expected);
    }

    #[test]
    fn the_colour_of_usage_errors_is_chosen_too() {
        for (words, expected) in [
            (vec!["mobkit", "--color", "never", "x"], ColorChoice::Never),
            (vec!["mobkit", "x", "--color=always"], ColorChoice::Always),
            (
                vec!["mobkit", "x", "--", "--color=always"],
                ColorChoice::Auto,
            ),
            (vec!["mobkit", "--color"], ColorChoice::Auto),
        ] {
            let words: Vec<std::ffi::OsString> = words.into_iter().map(Into::into).collect();
            assert_eq!(asked_color(&words), expected, "{words:?}");
        }
    }
}
