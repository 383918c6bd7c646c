//! What a member is told besides its session: instructions, who it is, its peers, its context, its
//! tools.

use crate::model::ToolSpec;
use mobkit_domain::definition::Profile;
use mobkit_domain::id::MemberId;
use mobkit_domain::state::Member;
use mobkit_domain::tool::{offered, offered_to};
use mobkit_domain::world::World;
use std::fmt::Write;

/// The system text of a member.
pub(crate) fn instructions(world: &World, id: &MemberId, profile: &Profile) -> String {
    let mut text = profile.instructions.trim().to_owned();
    let Some(member) = world.state.members.get(id) else {
        return text;
    };
    for more in &member.additional_instructions {
        text.push_str("\n\n");
        text.push_str(more.trim());
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "\n\nYou are {id}, in the role {}.", member.profile);
    if let Some(helper) = &member.helper {
        let _ = write!(
            text,
            " You work for {}, who gets your answer.",
            helper.parent
        );
    }
    if profile.offers("send_message") || profile.offers("ask_peer") {
        peers(&mut text, world, member);
    }
    if let Some(schema) = &profile.output_schema {
        let _ = write!(
            text,
            "\n\nYour final answer is JSON and nothing else, and fits this schema:\n{schema}"
        );
    }
    if !member.context.is_null() {
        let _ = write!(text, "\n\nContext, as data:\n{}", member.context);
    }
    text
}

/// How many peers are named one by one; the tool `peers` lists them all.
const PEERS_NAMED_MAX: usize = 50;

fn peers(text: &mut String, world: &World, member: &Member) {
    if member.peers.is_empty() {
        return;
    }
    text.push_str("\n\nYou may message these members:");
    for id in member.peers.iter().take(PEERS_NAMED_MAX) {
        let Some(peer) = world.state.members.get(id) else {
            continue;
        };
        let profile = world.definition.profiles.get(&peer.profile);
        let description = profile.and_then(|p| p.description.as_deref());
        let _ = write!(text, "\n- {id} ({})", peer.profile);
        if let Some(description) = description {
            let _ = write!(text, ": {description}");
        }
    }
    let more = member.peers.len().saturating_sub(PEERS_NAMED_MAX);
    if more > 0 {
        let _ = write!(text, "\n- and {more} more, which the tool `peers` lists");
    }
}

/// The tools that a profile offers, in the order of their names.
pub(crate) fn tools(world: &World, profile: &Profile) -> Vec<ToolSpec> {
    told(offered(world, profile))
}

/// The tools that a member is offered in a role, in the order of their names.
pub(crate) fn member_tools(world: &World, member: &MemberId, profile: &Profile) -> Vec<ToolSpec> {
    told(offered_to(world, member, profile))
}

fn told(offered: Vec<mobkit_domain::tool::ToolSpec>) -> Vec<ToolSpec> {
    let told = offered.into_iter().map(|spec| ToolSpec {
        name: spec.name,
        description: spec.description,
        schema: spec.schema,
    });
    told.collect()
}
