//! `peers`: whom the member may message.

use crate::draft::Draft;
use crate::id::MemberId;
use crate::text::Text;
use serde_json::{Value, json};

pub(super) fn run(draft: &Draft<'_>, member: &MemberId) -> Text {
    let state = draft.state();
    let peers = state
        .members
        .get(member)
        .into_iter()
        .flat_map(|m| m.peers.iter());
    let list: Vec<Value> = peers
        .filter_map(|id| {
            let peer = state.members.get(id)?;
            let profile = draft.profile(&peer.profile);
            let mut entry = json!({
                "id": id,
                "role": peer.profile,
                "description": profile.and_then(|p| p.description.as_deref()),
                "state": state.member_state(id),
            });
            if let Some(helper) = &peer.helper {
                entry["helper_of"] = json!(helper.parent);
                entry["name"] = json!(helper.name);
            }
            Some(entry)
        })
        .collect();
    Text::from(Value::Array(list).to_string())
}
