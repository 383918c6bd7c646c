//! `send_message`: a message to a peer, without waiting.

use super::content::{ToolRefusal, addressed};
use crate::draft::Draft;
use crate::event::MessageRefused;
use crate::id::MemberId;
use crate::refusal::Refusal;
use crate::text::Text;
use serde_json::Value;

pub(super) fn run(
    draft: &mut Draft<'_>,
    from: &MemberId,
    args: &Value,
) -> Result<Text, ToolRefusal> {
    let (to, content) = addressed(args)?;
    check_edge(draft, from, &to)?;
    let accepted = crate::message::accept(draft, from, &to, content, None);
    let message = accepted.map_err(|refusal| refused(draft, from, &to, &refusal))?;
    Ok(Text::from(format!("accepted as {message}")))
}

/// Messages go only along edges.
pub(super) fn check_edge(
    draft: &mut Draft<'_>,
    from: &MemberId,
    to: &MemberId,
) -> Result<(), ToolRefusal> {
    let peers = draft.state().members.get(from).map(|member| &member.peers);
    if peers.is_some_and(|peers| peers.contains(to)) {
        return Ok(());
    }
    let known: Vec<&str> = peers
        .into_iter()
        .flatten()
        .map(MemberId::as_str)
        .take(20)
        .collect();
    let reason = if known.is_empty() {
        format!("you are not wired to {to}; you have no peers")
    } else {
        format!(
            "you are not wired to {to}; your peers are {}",
            known.join(", ")
        )
    };
    let code = "edge.missing";
    draft.emit(MessageRefused {
        from: from.clone(),
        to: to.to_string(),
        code: code.to_owned(),
        reason: reason.clone(),
    });
    Err(ToolRefusal::new(code, reason))
}

/// Records that a message was not accepted, and says why to the model.
pub(super) fn refused(
    draft: &mut Draft<'_>,
    from: &MemberId,
    to: &MemberId,
    refusal: &Refusal,
) -> ToolRefusal {
    draft.emit(MessageRefused {
        from: from.clone(),
        to: to.to_string(),
        code: refusal.code.clone(),
        reason: refusal.message.clone(),
    });
    ToolRefusal::new("message.refused", refusal.message.clone())
}
