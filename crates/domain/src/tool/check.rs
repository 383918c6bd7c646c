//! Whether a tool call may be made as things stand now. Asked when the model wants it and again
//! right before it is made, so that nothing passes by what was in force some time ago.

use super::catalogue::{Found, find, is_offered, module_of, offered_to};
use super::content::ToolRefusal;
use super::schema::violation;
use crate::approval::{Asked, Passage, grant_of, passage, version};
use crate::definition::Gate;
use crate::draft::Draft;
use crate::event::{Matter, ToolDefinition};
use crate::id::{ApprovalId, GrantId, TurnId};
use crate::state::{Call, CallState, Module, State, Turn};
use crate::text::Text;
use serde_json::{Value, json};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check<'w> {
    /// It is not made, and the model is told why.
    Refuse(ToolRefusal),
    /// A person is asked.
    Ask(Found<'w>, Asked<'w>),
    /// It is made.
    Make(Found<'w>, Permit),
}

/// What let a call pass, as far as something had to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Permit {
    pub(super) approval: Option<ApprovalId>,
    pub(super) grant: Option<GrantId>,
    pub(super) audit: Option<String>,
}

/// Checks a call: offered and known, arguments, gates, definition of the tool.
pub(super) fn check<'w>(
    draft: &Draft<'w>,
    (id, turn): (TurnId, &'w Turn),
    call: &'w Call,
) -> Check<'w> {
    let is_offered = is_offered(draft.world, (&turn.profile, &turn.member), &call.tool);
    let Some(found) = find(draft.world, &call.tool).filter(|_| is_offered) else {
        return Check::Refuse(not_offered(draft, turn, call));
    };
    if let Some(bad) = bad_arguments(found, &call.args) {
        return Check::Refuse(bad);
    }
    let sink = super::deliver::sink_tool(draft.state(), call);
    let tools = [Some(call.tool.as_str()), sink.as_deref()];
    let tools: Vec<&str> = tools.into_iter().flatten().collect();
    let passage = passage(draft.world, turn, &tools);
    if let Passage::Shut(gate, what) = passage {
        let told = format!("the gate on {} {what}", gate.tool.as_str());
        return Check::Refuse(ToolRefusal::new("gate.denied", told));
    }
    if let Some(after) = held(draft.state(), &call.tool) {
        let before = pinned(draft.state(), &call.tool);
        return Check::Ask(found, about_definition(before, after, passage));
    }
    let (approval, policy) = match &call.state {
        CallState::Approved { approval, policy } => (Some(*approval), Some(policy)),
        CallState::Owed
        | CallState::Pending { .. }
        | CallState::Running { .. }
        | CallState::Eliciting { .. }
        | CallState::Waiting { .. }
        | CallState::Unknown
        | CallState::Done => (None, None),
    };
    let mut permit = Permit {
        approval,
        ..Permit::default()
    };
    match passage {
        Passage::Free | Passage::Shut(..) => {}
        Passage::Audited(gate) => permit.audit = Some(gate.tool.as_str().to_owned()),
        Passage::Review(gates) => {
            let rules = rules(&gates, sink.as_deref());
            // What was approved under another rule was not approved.
            let is_approved = |rule: &String| policy == Some(rule);
            let passed = rules.iter().position(is_approved).map_or(0, |at| at + 1);
            if let (Some(gate), Some(rule)) = (gates.get(passed), rules.get(passed)) {
                permit.approval = None;
                // A grant is given at one gate and stands for no other.
                if let [only] = gates.as_slice() {
                    let call = (call, sink.as_deref());
                    permit.grant = grant_of(draft, (id, turn), call, only);
                }
                if permit.grant.is_none() {
                    return Check::Ask(found, about_gate(gate, rule.clone(), sink));
                }
            }
        }
    }
    Check::Make(found, permit)
}

/// The versions of what the gates say about a call, each together with those before it: what was
/// approved over one route is not approved where the route leads to another tool by now.
fn rules(gates: &[&Gate], sink: Option<&str>) -> Vec<String> {
    let upto = |last: usize| match (&gates[..=last], sink) {
        ([gate], None) => version(gate),
        ([gate], Some(sink)) => version(&json!({"gate": gate, "sink": sink})),
        (gates, sink) => version(&json!({"gates": gates, "sink": sink})),
    };
    (0..gates.len()).map(upto).collect()
}

fn about_gate(gate: &Gate, policy: String, sink: Option<String>) -> Asked<'_> {
    let pattern = gate.tool.as_str();
    let why = match &sink {
        None => format!("the gate on {pattern} asks for a decision"),
        Some(sink) => {
            format!("the gate on {pattern} asks for a decision; its route calls {sink}")
        }
    };
    Asked {
        matter: Matter::Gate {
            gate: pattern.to_owned(),
        },
        policy,
        why,
        sink,
        gate: Some(gate),
    }
}

/// Who decides about the tool decides about its definition.
fn about_definition<'w>(
    before: Option<&ToolDefinition>,
    after: &ToolDefinition,
    passage: Passage<'w>,
) -> Asked<'w> {
    let matter = Matter::Definition {
        before: before.map_or_else(String::new, |before| before.hash.clone()),
        after: after.hash.clone(),
    };
    Asked {
        policy: version(&matter),
        matter,
        why: "the definition of the tool has changed since it was pinned".to_owned(),
        sink: None,
        gate: match passage {
            Passage::Review(gates) => gates.first().copied(),
            Passage::Free | Passage::Audited(_) | Passage::Shut(..) => None,
        },
    }
}

/// The changed definition of a tool that waits for an approval, since its module is pinned.
pub(crate) fn held<'w>(state: &'w State, tool: &str) -> Option<&'w ToolDefinition> {
    let (module, name) = module_and_name(state, tool)?;
    module.changed.get(name)
}

/// The definition of a tool as members are told of it.
fn pinned<'w>(state: &'w State, tool: &str) -> Option<&'w ToolDefinition> {
    let (module, name) = module_and_name(state, tool)?;
    module.tools.as_ref()?.get(name)
}

fn module_and_name<'w, 't>(state: &'w State, tool: &'t str) -> Option<(&'w Module, &'t str)> {
    let (module, name) = module_of(tool)?;
    let module = module.parse().ok()?;
    Some((state.modules.get(&module)?, name))
}

/// Arguments must be an object; text that was meant to be one is a mistake of the model.
fn bad_arguments(found: Found<'_>, args: &Value) -> Option<ToolRefusal> {
    let bad = |reason: String| Some(ToolRefusal::new("tool.bad_arguments", reason));
    if !args.is_object() {
        let excerpt = Text::from(args.to_string()).excerpt(80);
        return bad(format!("arguments must be a JSON object, found {excerpt}"));
    }
    let broken = violation(found.schema()?, args)?;
    bad(format!("the arguments do not fit: {broken}"))
}

fn not_offered(draft: &Draft<'_>, turn: &Turn, call: &Call) -> ToolRefusal {
    let profile = draft.profile(&turn.profile);
    let offered = profile.map_or_else(Vec::new, |profile| {
        offered_to(draft.world, &turn.member, profile)
    });
    let names: Vec<&str> = offered.iter().map(|spec| spec.name.as_str()).collect();
    ToolRefusal::new(
        "tool.not_offered",
        format!(
            "there is no tool {:?}; you have: {}",
            call.tool,
            names.join(", ")
        ),
    )
}
