//! A module asks a person in the middle of a call.

use super::gate::{Passage, passage};
use super::request::{Asked, request, version};
use crate::definition::GateAction;
use crate::draft::Draft;
use crate::event::Matter;
use crate::id::{CallId, TurnId};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::CallState;
use crate::text::Text;
use serde_json::Value;

/// Length of what a module asks in the line that says why the call waits, in characters.
const ASKED_CHARS_MAX: usize = 200;

/// Asks what the module wants to know. The call goes on meanwhile; it waits in its module.
pub(super) fn elicit(
    draft: &mut Draft<'_>,
    id: TurnId,
    call: CallId,
    (message, schema): (&str, &Value),
) -> Result<(), Refusal> {
    let turn = crate::turn::open(draft, id)?;
    let found = turn.calls.iter().find(|open| open.id == call);
    let Some(found) = found.filter(|_| !turn.checkpointed) else {
        return Err(crate::turn::stale(id));
    };
    let effect = match &found.state {
        CallState::Running { effect } => *effect,
        CallState::Eliciting { .. } => {
            return Err(Refusal::new(
                RefusalKind::Conflict,
                "approval.one_at_a_time",
                format!("{call} waits for the answer to another question already"),
            ));
        }
        CallState::Owed
        | CallState::Pending { .. }
        | CallState::Approved { .. }
        | CallState::Waiting { .. }
        | CallState::Unknown
        | CallState::Done => return Err(crate::turn::stale(id)),
    };
    // Who decides about the tool answers for it.
    let gate = match passage(draft.world, turn, &[&found.tool]) {
        Passage::Review(gates) => gates.first().copied(),
        Passage::Audited(gate) => Some(gate),
        Passage::Free | Passage::Shut(..) => None,
    };
    let gate = gate.filter(|gate| gate.action == GateAction::Review);
    let said = Text::from(message).excerpt(ASKED_CHARS_MAX);
    let matter = Matter::Elicitation {
        message: message.to_owned(),
        schema: schema.clone(),
    };
    let asked = Asked {
        policy: version(&matter),
        matter,
        why: format!("its module asks: {said}"),
        sink: None,
        gate,
    };
    request(draft, (id, turn), found, effect, asked);
    Ok(())
}
