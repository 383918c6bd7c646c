//! Which arguments are ids of a running mob.

use super::candidates::{Ids, candidates};
use clap::Command;
use clap_complete::engine::ArgValueCandidates;

/// The tree of commands, whose arguments know what a running mob has for them.
pub(crate) fn completable() -> Command {
    within(crate::arguments::command())
}

/// Looks at the arguments of a command and of all within it.
fn within(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command = command.mut_args(|arg| match ids(&name, arg.get_id().as_str()) {
        Some(ids) => arg.add(ArgValueCandidates::new(move || candidates(ids))),
        None => arg,
    });
    command.mut_subcommands(|inner| {
        // What an id is of is said by the noun, the command above.
        let of_noun = matches!(
            name.as_str(),
            "approvals" | "schedule" | "deliveries" | "grants"
        );
        let inner = if of_noun {
            let noun = name.clone();
            inner.mut_args(|arg| match ids(&noun, arg.get_id().as_str()) {
                Some(ids) => arg.add(ArgValueCandidates::new(move || candidates(ids))),
                None => arg,
            })
        } else {
            inner
        };
        within(inner)
    })
}

/// What an argument of a command stands for.
fn ids(command: &str, arg: &str) -> Option<Ids> {
    Some(match (command, arg) {
        (_, "member" | "about") => Ids::Members,
        (_, "module") => Ids::Modules,
        (_, "route") => Ids::Routes,
        ("approvals" | "approve" | "deny", "id") => Ids::Approvals,
        ("schedule", "id") => Ids::Schedules,
        ("deliveries", "id") => Ids::Deliveries,
        ("grants", "id") => Ids::Grants,
        _ => return None,
    })
}
