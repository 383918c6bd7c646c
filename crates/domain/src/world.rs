//! The writer's two questions: what does a command lead to, and what follows by itself?

use crate::command::{Command, Submission};
use crate::definition::Definition;
use crate::draft::{Decision, Draft};
use crate::event::NewEvent;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{KeyLookup, State};
use crate::time::Time;
use crate::tool::Toolbox;
use std::sync::Arc;

/// All that a decision depends on, besides the command and the time.
#[derive(Debug, Clone)]
pub struct World {
    /// What the journal says.
    pub state: State,
    /// The definition in force.
    pub definition: Arc<Definition>,
    /// Tools of the host.
    pub toolbox: Arc<Toolbox>,
}

/// Decides a command: the events that it leads to, or why it is refused. Changes nothing.
pub fn decide(world: &World, submission: &Submission, now: Time) -> Result<Decision, Refusal> {
    if let Some(used) = &submission.key {
        match world.state.keys.lookup(&submission.actor, used) {
            KeyLookup::Fresh => {}
            KeyLookup::Repeated(answer) => {
                return Ok(Decision {
                    events: Vec::new(),
                    answer: *answer,
                });
            }
            KeyLookup::Reused => {
                return Err(Refusal::new(
                    RefusalKind::Conflict,
                    "key.reused",
                    format!(
                        "the idempotency key {:?} was used for another request",
                        used.key
                    ),
                )
                .hint("use a new key for a new request"));
            }
        }
    }
    let draft = Draft::new(world, now, submission.actor.clone());
    let mut decision = match &submission.command {
        Command::Runtime(command) => Ok(crate::runtime::decide(draft, command)),
        Command::Mob(command) => Ok(crate::mob::decide(draft, command)),
        Command::Member(command) => crate::member::decide(draft, command),
        Command::Edge(command) => crate::edge::decide(draft, command),
        Command::Message(command) => crate::message::decide(draft, command),
        Command::Turn(command) => crate::turn::decide(draft, command),
        Command::Approval(command) => crate::approval::decide(draft, command),
        Command::Module(command) => crate::module::decide(draft, command),
        Command::Engine(command) => Ok(crate::engine::decide(draft, command)),
        Command::Host(command) => crate::host::decide(draft, command),
        Command::Schedule(command) => crate::schedule::decide(draft, command),
        Command::Delivery(command) => crate::delivery::decide(draft, command),
    }?;
    if let (Some(first), Some(used)) = (decision.events.first_mut(), &submission.key) {
        // The key is remembered with who used it, so the event must name the caller.
        first.actor = Some(submission.actor.clone());
        first.key = Some(used.clone());
    }
    Ok(decision)
}

/// The next thing that follows by itself: a tool call of a reply, the end of a member that leaves,
/// or the start of a turn. Empty when nothing does; the writer asks until then.
///
/// It comes to an end, since every answer that is not empty uses up something that only a command
/// brings: a call that nobody has looked at or that was let pass, a member that leaves or has to,
/// or a message that waits.
pub fn advance(world: &World, now: Time) -> Vec<NewEvent> {
    let state = &world.state;
    let mut draft = Draft::new(world, now, crate::principal::Principal::Runtime);
    if let Some(turn) = state.owed.first() {
        crate::tool::next_call(&mut draft, *turn);
    } else if let Some(turn) = state.steered.first() {
        crate::message::join(&mut draft, *turn);
    } else if let Some(member) = state.leaving.first() {
        crate::member::leave(&mut draft, member);
    } else if let Some(helper) = state.orphans.first() {
        crate::member::retire_orphan(&mut draft, helper);
    } else if state.line_runs() {
        // A message whose time is over begins no turn, whoever looks first.
        if next_due(state).is_some_and(|due| due <= now) {
            crate::runtime::tick(&mut draft);
        } else {
            crate::turn::begin_next(&mut draft);
        }
    }
    draft.into_events()
}

/// When the writer has to look again even if nobody asks: the earliest expiry of a waiting message
/// or approval, end of the window of a budget, restart of a module or end of its idle time, end of
/// the idle time of a helper, schedule, or attempt at a delivery.
pub fn next_due(state: &State) -> Option<Time> {
    let messages = state.expiries.first().map(|(due, _)| *due);
    let approvals = state.approval_expiries.first().map(|(due, _)| *due);
    let modules = state.module_dues.first().map(|(due, _)| *due);
    // Nothing fires and nothing is sent while the line stands still.
    let runs = state.line_runs();
    let schedules = state.schedule_dues.first().filter(|_| runs);
    let deliveries = state.delivery_dues.first().filter(|_| runs);
    let helpers = state.helper_dues.first().filter(|_| runs);
    let budgets = state.budget_dues.first().map(|(due, _)| *due);
    let dues = messages.into_iter().chain(approvals).chain(modules);
    let dues = dues.chain(budgets);
    dues.chain(schedules.map(|(due, _)| *due))
        .chain(deliveries.map(|(due, _)| *due))
        .chain(helpers.map(|(due, _)| *due))
        .min()
}
