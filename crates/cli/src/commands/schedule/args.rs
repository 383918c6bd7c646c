//! The arguments of `mobkit schedule`.

use crate::client::ServerArgs;
use crate::moment::moment;
use clap::Subcommand;
use std::path::PathBuf;

/// Show the schedules, and when each fires next; define, pause, trigger and look ahead
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ScheduleArgs {
    #[command(subcommand)]
    pub command: Option<ScheduleCommand>,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// List the schedules, as without a word
    List {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Everything about one schedule
    Show(OneArgs),
    /// Define a schedule that the mob file does not define, or change one
    Put(PutArgs),
    /// Forget a schedule; what it started goes on
    Rm(OneArgs),
    /// Let a schedule fire no longer, until it is resumed
    Pause(PauseScheduleArgs),
    /// Let a paused schedule fire again, from now on
    Resume(OneArgs),
    /// Run a schedule now, once
    Trigger(OneArgs),
    /// Say when a schedule, or a cron expression, is due next; an expression needs no server
    Next(NextArgs),
    /// List what became of its due times, the newest first
    Runs(RunsArgs),
    /// Run what a schedule was due for in the past and did not run
    Backfill(BackfillArgs),
}

/// One schedule.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// The schedule
    pub id: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// A definition.
#[derive(Debug, clap::Args)]
pub(crate) struct PutArgs {
    /// A file with one schedule as JSON or TOML, its keys as in the mob file; - reads stdin
    pub file: String,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// One schedule, and why.
#[derive(Debug, clap::Args)]
pub(crate) struct PauseScheduleArgs {
    /// The schedule
    pub id: String,
    /// Why, for those who find it paused
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Whose due times, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct NextArgs {
    #[command(flatten)]
    pub subject: NextSubject,
    /// The zone of --cron and --at, e.g. Europe/London [default: UTC]
    #[arg(long, value_name = "ZONE", conflicts_with = "id")]
    pub tz: Option<String>,
    /// Look ahead from this time instead of now, e.g. 2027-03-27T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    pub after: Option<jiff::Timestamp>,
    /// How many
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u64).range(1..=100))]
    pub limit: u64,
    /// The mob file that defines the schedule, or its folder, instead of the server; where no
    /// server runs, the one of the current folder
    #[arg(long, value_name = "PATH", conflicts_with_all = ["cron", "every", "at"])]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// A schedule that is there, or what one would say.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct NextSubject {
    /// The schedule
    pub id: Option<String>,
    /// A cron expression, e.g. "0 7 * * 1-5"
    #[arg(long, value_name = "EXPRESSION")]
    pub cron: Option<String>,
    /// An interval, e.g. 15m
    #[arg(long, value_name = "INTERVAL")]
    pub every: Option<String>,
    /// One time on the clock of the zone, e.g. 2027-03-28T01:30
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// Which occurrences.
#[derive(Debug, clap::Args)]
pub(crate) struct RunsArgs {
    /// The schedule
    pub id: String,
    /// Only those in this state
    #[arg(long = "in", value_name = "STATE", value_parser = [
        "claimed", "dispatched", "completed", "failed", "skipped", "missed",
    ])]
    pub in_state: Option<String>,
    /// Only the newest N
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u64).range(1..=500))]
    pub limit: u64,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// A stretch of the past.
#[derive(Debug, clap::Args)]
pub(crate) struct BackfillArgs {
    /// The schedule
    pub id: String,
    /// The first time of the stretch, e.g. 2027-03-01T00:00:00Z; a date is its beginning in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: jiff::Timestamp,
    /// Its last time, not in the future
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: jiff::Timestamp,
    /// Do not ask before
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}
