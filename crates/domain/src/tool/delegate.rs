//! `delegate`: a member hands a task to a helper of its own and waits for what comes of it.

use super::ask_peer::{check_circle, wait};
use super::content::ToolRefusal;
use super::send_message::refused;
use super::toolbox::ToolSpec;
use crate::definition::{IdleRetire, Profile, ToolSelector};
use crate::draft::Draft;
use crate::event::ToolEffect;
use crate::id::{CallId, MemberId, ProfileId, Seq, TurnId};
use crate::state::{
    HELPER_DEPTH_MAX, HELPERS_MAX, HELPERS_OF_ONE_MAX, IDLE_RETIRE_MS, MemberMode, State,
};
use crate::text::Text;
use crate::time::parse_span_ms;
use serde::Deserialize;
use serde_json::{Value, json};

const NAME: &str = "delegate";
/// The most characters of what a helper is called.
const NAME_CHARS_MAX: usize = 64;

/// The tool as models are told of it.
pub(super) fn spec() -> ToolSpec {
    let text = |description: &str| json!({"type": "string", "description": description});
    ToolSpec {
        name: NAME.to_owned(),
        description: "Hands a task to a helper and waits for its answer. The helper knows nothing \
                      of what you know, so the task must say all it needs. It has no tool that \
                      you do not have."
            .to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "task": text("what to do, and what to answer"),
                "profile": text("role of a new helper; your own where absent"),
                "name": text("what to call a new helper; or the name or id of one that you have, \
                              which goes on with what it knows"),
                "idle_retire": text("a new helper leaves after so long without work, e.g. \
                                     \"10m\", or \"never\""),
            },
            "required": ["task"],
            "additionalProperties": false,
        }),
        effect: ToolEffect::Effect,
    }
}

/// Arguments of a call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    task: Text,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    idle_retire: Option<String>,
}

fn bad(reason: impl Into<String>) -> ToolRefusal {
    ToolRefusal::new("tool.bad_arguments", reason)
}

pub(super) fn run(
    draft: &mut Draft<'_>,
    (turn, from): (TurnId, &MemberId),
    (call, started): (CallId, Seq),
    args: &Value,
) -> Result<(), ToolRefusal> {
    let args = Args::deserialize(args).map_err(|error| bad(error.to_string()))?;
    if args
        .task
        .inline()
        .is_some_and(|task| task.trim().is_empty())
    {
        return Err(bad("\"task\" is empty: say what to do"));
    }
    let known = match args.name.as_deref() {
        None => None,
        Some(name) => named(draft.state(), from, name)?,
    };
    let is_new = known.is_none();
    let to = match known {
        Some(helper) => {
            check_again(draft, from, &helper, &args)?;
            helper
        }
        None => spawn(draft, (turn, from), started, &args)?,
    };
    let asked = (call, started);
    let accepted = crate::message::accept_task(draft, (from, &to), args.task, asked, is_new);
    let message = accepted.map_err(|refusal| refused(draft, from, &to, &refusal))?;
    wait(draft, (turn, from), call, (to, message));
    Ok(())
}

/// The helper that a member means by a name; `None`: a new one is to be called so.
fn named(state: &State, parent: &MemberId, name: &str) -> Result<Option<MemberId>, ToolRefusal> {
    let called = |id: &&MemberId| {
        let helper = state
            .members
            .get(*id)
            .and_then(|found| found.helper.as_ref());
        id.as_str() == name || helper.and_then(|helper| helper.name.as_deref()) == Some(name)
    };
    if let Some(found) = state.helpers_of(parent).find(called) {
        return Ok(Some(found.clone()));
    }
    if name.contains(".h-") {
        let reason = format!(
            "you have no helper {name}: it has left, or never was yours; leave \"name\" out to \
             get a new one"
        );
        return Err(ToolRefusal::new("delegate.no_helper", reason));
    }
    let chars = name.chars().count();
    if name.trim() != name
        || chars == 0
        || chars > NAME_CHARS_MAX
        || name.contains(char::is_control)
    {
        return Err(bad(format!(
            "\"name\" must be 1 to {NAME_CHARS_MAX} characters on one line, without space around \
             them"
        )));
    }
    Ok(None)
}

/// Whether a helper that is there can be given another task as it is asked for.
fn check_again(
    draft: &Draft<'_>,
    from: &MemberId,
    id: &MemberId,
    args: &Args,
) -> Result<(), ToolRefusal> {
    check_circle(draft.state(), from, id)?;
    let Some(member) = draft.state().members.get(id) else {
        return Ok(());
    };
    let role = member.profile.as_str();
    if args.profile.as_deref().is_some_and(|wanted| wanted != role) {
        return Err(bad(format!(
            "{id} is a {role} and stays one: leave \"profile\" out, or give a new helper another \
             name"
        )));
    }
    let kept = member.helper.as_ref().map(|helper| helper.idle_retire);
    if let Some(wanted) = args.idle_retire.as_deref()
        && Some(span(wanted)?) != kept
    {
        return Err(bad(format!(
            "\"idle_retire\" of {id} was set when it joined: leave it out"
        )));
    }
    if let MemberMode::Failed | MemberMode::Quarantined = member.mode {
        let why = member.last_error.as_deref().unwrap_or("it works no longer");
        let reason = format!("{id} has failed: {why}; delegate to a new helper");
        return Err(ToolRefusal::new("delegate.failed", reason));
    }
    Ok(())
}

fn span(text: &str) -> Result<IdleRetire, ToolRefusal> {
    if text == "never" {
        return Ok(IdleRetire::Never);
    }
    let span = parse_span_ms(text).map(IdleRetire::AfterMs);
    span.ok_or_else(|| {
        bad(format!(
            "\"idle_retire\" must be a duration such as \"10m\", or \"never\", not {text:?}"
        ))
    })
}

/// Lets a new helper join, in the batch of the call.
fn spawn(
    draft: &mut Draft<'_>,
    (turn, parent): (TurnId, &MemberId),
    started: Seq,
    args: &Args,
) -> Result<MemberId, ToolRefusal> {
    check_room(draft.state(), parent)?;
    let own = draft.state().turns.get(&turn).map(|turn| &turn.profile);
    let role = match &args.profile {
        None => own.cloned().ok_or_else(|| bad("\"profile\" is missing"))?,
        Some(name) => ProfileId::parse(name).map_err(|error| bad(error.to_string()))?,
    };
    let Some(profile) = draft.profile(&role) else {
        let profiles = draft
            .world
            .definition
            .profiles
            .keys()
            .map(ProfileId::as_str);
        let known: Vec<&str> = profiles.take(20).collect();
        let reason = format!(
            "there is no profile {role}; there are: {}",
            known.join(", ")
        );
        return Err(ToolRefusal::new("profile.not_found", reason));
    };
    check_engine_tools(draft, parent, (&role, profile))?;
    let idle_retire = match args.idle_retire.as_deref() {
        Some(text) => span(text)?,
        None => profile
            .idle_retire
            .unwrap_or(IdleRetire::AfterMs(IDLE_RETIRE_MS)),
    };
    let seq = draft.next_seq();
    let taken = |id: &MemberId| draft.state().members.contains_key(id);
    let id = crate::member::helper_id(parent, seq).filter(|id| !taken(id));
    let id = id.ok_or_else(|| {
        let reason = format!("the id of a helper of {parent} is taken; delegate again");
        ToolRefusal::new("delegate.taken", reason)
    })?;
    let named = (parent, args.name.as_deref());
    crate::member::spawn_helper(draft, started, &id, (&role, profile), named, idle_retire);
    Ok(id)
}

/// How deep and how many helpers there may be.
fn check_room(state: &State, parent: &MemberId) -> Result<(), ToolRefusal> {
    let many = |reason: String| Err(ToolRefusal::new("delegate.too_many", reason));
    if state.lineage(parent).count() >= HELPER_DEPTH_MAX {
        let reason = format!(
            "you are a helper at depth {HELPER_DEPTH_MAX}, the deepest there is: do it yourself"
        );
        return Err(ToolRefusal::new("delegate.too_deep", reason));
    }
    if state.helpers_of(parent).count() >= HELPERS_OF_ONE_MAX {
        return many(format!(
            "you have {HELPERS_OF_ONE_MAX} helpers, the most that one member may have: name one \
             of them, or wait until one leaves"
        ));
    }
    if state.helpers_total() >= HELPERS_MAX {
        return many(format!(
            "the mob has {HELPERS_MAX} helpers, the most there may be: do it yourself, or try \
             again later"
        ));
    }
    Ok(())
}

/// No gate sees the tool sets of an engine, so a helper gets none that its parent does not have.
fn check_engine_tools(
    draft: &Draft<'_>,
    parent: &MemberId,
    (role, profile): (&ProfileId, &Profile),
) -> Result<(), ToolRefusal> {
    let Some(above) = draft.state().members.get(parent) else {
        return Ok(());
    };
    let held = draft.profile(&above.profile);
    let lacks = |tool: &&ToolSelector| {
        let has =
            held.is_some_and(|held| held.engine == profile.engine && held.tools.contains(*tool));
        matches!(tool, ToolSelector::Engine(_)) && !has
    };
    match profile.tools.iter().find(lacks) {
        None => Ok(()),
        Some(tool) => {
            let reason = format!(
                "a {role} has the tools {tool} of its engine, which you do not have; take another \
                 profile"
            );
            Err(ToolRefusal::new("delegate.more_tools", reason))
        }
    }
}
