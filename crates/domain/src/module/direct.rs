//! Direct calls: somebody calls a tool of a module, and no turn waits for it.

use super::availability::{Availability, availability};
use super::decide::wanted;
use super::listing::is_tool_name;
use super::start::starting;
use crate::command::ToolOutcome;
use crate::definition::nearest_name;
use crate::delivery::CallOutcome;
use crate::draft::Draft;
use crate::event::{
    NewEvent, StartReason, ToolEffect, ToolFailed, ToolFinished, ToolStarted, ToolUnknown,
};
use crate::id::{CallId, ModuleId, Seq};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::tool::{Found, find, violation};
use serde_json::Value;

/// Records the intent of a call; its place in the journal is its id. No gate stops it, since a
/// person or a program calls; so no agent may.
pub(super) fn call(
    draft: &mut Draft<'_>,
    id: &ModuleId,
    name: &str,
    args: &Value,
) -> Result<(), Refusal> {
    begin_call(draft, id, (name, args), None).map(|_| ())
}

/// Records the intent of a call that `cause` led to.
pub(crate) fn begin_call(
    draft: &mut Draft<'_>,
    id: &ModuleId,
    (name, args): (&str, &Value),
    cause: Option<Seq>,
) -> Result<CallId, Refusal> {
    if let Principal::Agent(member) = &draft.actor {
        let message = format!("{member} is an agent; agents call modules in their turns");
        return Err(Refusal::new(
            RefusalKind::Denied,
            "module.not_yours",
            message,
        ));
    }
    wanted(draft, id)?;
    let tool = format!("module:{id}/{name}");
    let found = find(draft.world, &tool).filter(|_| is_tool_name(name));
    let found = found.ok_or_else(|| no_tool(draft, id, name))?;
    check_args(&found, args)?;
    let ready = availability(draft, id)
        .map_err(|reason| Refusal::new(RefusalKind::Unavailable, "module.unavailable", reason))?;
    // The call comes first, so that the answer names it.
    let call = CallId {
        reply: draft.next_seq(),
        index: 0,
    };
    let mut started = NewEvent::of(ToolStarted {
        call,
        turn: None,
        member: None,
        tool,
        args: args.clone(),
        effect: found.effect(),
        approval: None,
        grant: None,
        audit: None,
    });
    (started.cause, started.actor) = (cause, Some(draft.actor.clone()));
    let seq = draft.push(started);
    if let Availability::Starting(defined) = ready {
        draft.emit_from(seq, starting(defined, StartReason::Called));
    }
    Ok(call)
}

fn no_tool(draft: &Draft<'_>, id: &ModuleId, name: &str) -> Refusal {
    let message = format!("module {id} has no tool {name:?}");
    let refusal = Refusal::new(RefusalKind::Missing, "tool.not_found", message);
    let module = draft.state().modules.get(id);
    let tools = module.and_then(|module| module.tools.as_ref());
    let names = tools.into_iter().flat_map(|tools| tools.keys());
    match nearest_name(name, names.map(String::as_str)) {
        Some(near) => refusal.hint(format!("did you mean {near:?}?")),
        None => refusal.hint("`module/tools` lists what it offers"),
    }
}

fn check_args(found: &Found<'_>, args: &Value) -> Result<(), Refusal> {
    let broken = if args.is_object() {
        found.schema().and_then(|schema| violation(schema, args))
    } else {
        Some("they must be a JSON object".to_owned())
    };
    match broken {
        None => Ok(()),
        Some(broken) => Err(Refusal::new(
            RefusalKind::Invalid,
            "tool.bad_arguments",
            format!("the arguments do not fit: {broken}"),
        )),
    }
}

/// Records what came of a direct call.
pub(crate) fn direct_ended(
    draft: &mut Draft<'_>,
    call: CallId,
    outcome: &ToolOutcome,
) -> Result<(), Refusal> {
    let Some(direct) = draft.state().direct_calls.get(&call) else {
        let message = format!("{call} is not in flight; its outcome is recorded already");
        return Err(Refusal::new(RefusalKind::Conflict, "tool.stale", message));
    };
    let (turn, member) = (None, None);
    let (tool, args) = (direct.tool.clone(), direct.args.clone());
    match (outcome, direct.effect) {
        (ToolOutcome::Finished(result), _) => {
            let (given, result) = (result, result.clone());
            let seq = draft.emit_from(
                call.reply,
                ToolFinished {
                    call,
                    turn,
                    member,
                    tool,
                    result,
                },
            );
            crate::schedule::call_ended(draft, seq, call, Ok(()));
            crate::delivery::call_ended(draft, seq, call, CallOutcome::Finished(given));
        }
        (ToolOutcome::Lost(reason), ToolEffect::Effect) => {
            let reason = Some(reason.clone());
            let seq = draft.emit_from(
                call.reply,
                ToolUnknown {
                    call,
                    turn,
                    member,
                    tool,
                    args,
                    reason,
                },
            );
            crate::schedule::call_ended(draft, seq, call, Err("nobody can say what came of it"));
            crate::delivery::call_ended(draft, seq, call, CallOutcome::Unknown);
        }
        (ToolOutcome::Lost(reason), ToolEffect::Read | ToolEffect::Idempotent)
        | (ToolOutcome::Failed(reason), _) => {
            let why = reason.as_str();
            let reason = reason.clone();
            let seq = draft.emit_from(
                call.reply,
                ToolFailed {
                    call,
                    turn,
                    member,
                    tool,
                    args,
                    reason,
                },
            );
            crate::schedule::call_ended(draft, seq, call, Err(why));
            let told = match outcome {
                ToolOutcome::Lost(_) => CallOutcome::Lost(why),
                ToolOutcome::Failed(_) | ToolOutcome::Finished(_) => CallOutcome::Failed(why),
            };
            crate::delivery::call_ended(draft, seq, call, told);
        }
    }
    Ok(())
}
