//! The words of the command line.

use crate::commands::{
    apply::ApplyArgs, approvals::ApprovalsArgs, archive::ExportArgs, archive::ImportArgs,
    chat::ChatArgs, check::CheckArgs, completion::CompletionArgs, config::ConfigArgs,
    cost::CostArgs, decide::ApproveArgs, decide::DenyArgs, deliveries::DeliveriesArgs,
    doctor::DoctorArgs, down::DownArgs, events::EventsArgs, explain::ExplainArgs,
    grants::GrantsArgs, init::InitArgs, logs::LogsArgs, modules::ModulesArgs, pause::PauseArgs,
    pause::ResumeArgs, plan::PlanArgs, ps::PsArgs, rehearse::RehearseArgs, routes::RoutesArgs,
    rpc::RpcArgs, schedule::ScheduleArgs, send::SendArgs, status::StatusArgs, stdio::StdioArgs,
    tasks::TasksArgs,
};
use crate::terminal::Show;
use crate::up::UpArgs;
use clap::{CommandFactory, Parser, Subcommand};

/// Runs a team of long-lived LLM agents, and talks to one that runs
#[derive(Debug, Parser)]
#[command(
    name = "mobkit",
    version,
    propagate_version = false,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 config invalid, 4 not found, \
    5 not permitted, 6 conflict, 7 timed out, 8 waiting for a human, 9 unreachable, \
    130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub show: Show,
    #[command(subcommand)]
    pub command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a mob file to start from
    Init(InitArgs),
    /// Validate a mob file without starting anything
    Check(CheckArgs),
    /// Look whether all that a start needs is there: secrets, state directory, engines
    Doctor(DoctorArgs),
    /// Run the mob in the foreground; Ctrl-C stops it in order
    Up(UpArgs),
    /// Run the mob for one program, which talks JSON-RPC on stdin and stdout
    ///
    /// One message per line, in both directions; nothing else is on stdout. The mob starts with the
    /// first line, and stops in order when stdin is closed.
    Stdio(StdioArgs),
    /// Play a scripted day of a mob in seconds, and say whether it went as expected
    ///
    /// In virtual time and in memory, without network, keys or processes: models answer by their
    /// rehearsal script, modules what the scenario says, and deliveries are kept instead of sent.
    /// Exits with 1 where something did not go as expected, and with 3 where a file is invalid.
    Rehearse(RehearseArgs),
    /// Stop the running mob in order, and say how it went
    ///
    /// Joins a stop that is under way. Turns may finish; what does not is put aside, and the next
    /// start goes on with it.
    Down(DownArgs),
    /// Show the state of the running mob
    Status(StatusArgs),
    /// Show what would change to reach the desired state
    Plan(PlanArgs),
    /// Make the changes that `plan` shows
    Apply(ApplyArgs),
    /// List the members, those that need attention first
    Ps(PsArgs),
    /// Send a message to a member
    Send(SendArgs),
    /// Talk with a member, line by line
    Chat(ChatArgs),
    /// List what waits for a decision, or show one in full
    ///
    /// Calls of tools that a gate stopped, tools whose definition has changed, questions of
    /// modules, and calls of which nobody knows whether they happened.
    Approvals(ApprovalsArgs),
    /// Let a call be made that waits for a decision
    ///
    /// Shows all of it first, and asks. Where nobody can be asked, --yes and --digest answer: the
    /// digest binds the decision to what somebody has seen, and `mobkit approvals ID` shows it.
    Approve(ApproveArgs),
    /// Refuse a call that waits for a decision
    ///
    /// Shows all of it first, and asks; --yes answers.
    Deny(DenyArgs),
    /// List the calls that pass without asking, or take that back
    Grants(GrantsArgs),
    /// List the helper processes; start, stop and call them
    Modules(ModulesArgs),
    /// List the schedules and when each fires next; define, pause and trigger them
    Schedule(ScheduleArgs),
    /// List what is on its way out; send something, or send it again
    Deliveries(DeliveriesArgs),
    /// List the routes of deliveries, or say which one would take one
    Routes(RoutesArgs),
    /// List the tasks that the members share
    Tasks(TasksArgs),
    /// Sum up what the models cost, by member, model, profile, day, schedule or turn
    Cost(CostArgs),
    /// Show what happened, one line per event
    Logs(LogsArgs),
    /// Print events as they are in the journal, one JSON document per line
    Events(EventsArgs),
    /// Write everything that is known of the mob into one file, also while it runs
    Export(ExportArgs),
    /// Make a state directory of an export
    Import(ImportArgs),
    /// Stop a member, or the whole line, from beginning anything
    Pause(PauseArgs),
    /// Let a paused member, or the whole line, go on
    Resume(ResumeArgs),
    /// Call an operation by its name over JSON-RPC
    Rpc(RpcArgs),
    /// Show the values of the mob file as they are in force, defaults included
    Config(ConfigArgs),
    /// Say what a code, a kind of event, a finding or a key of the mob file means, and what to do
    Explain(ExplainArgs),
    /// Print the script by which a shell completes what is typed
    ///
    /// For bash: `source <(mobkit completion bash)`; for zsh the same, in a file _mobkit of
    /// `fpath`; for fish: `mobkit completion fish | source`.
    Completion(CompletionArgs),
    /// Print the version
    Version,
}

/// The tree of commands, for completions, manuals and tests.
pub fn command() -> clap::Command {
    Arguments::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_sound_and_every_command_says_what_it_does() {
        let mut tree = super::command();
        tree.build();
        tree.clone().debug_assert();
        for command in tree.get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
