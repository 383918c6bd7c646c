//! `[[members]]`: who is in the mob.

use super::report::{Noun, Report};
use super::source::{Node, Table};
use crate::id::{MemberId, ProfileId, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One member that should exist, from the mob file or from discovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberSpec {
    /// Its lasting identity.
    pub id: MemberId,
    /// Its role.
    pub profile: ProfileId,
    /// Labels for people and queries.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Data that is given to the agent; null where there is none.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub context: serde_json::Value,
    /// Paragraphs that follow the instructions of its profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_instructions: Vec<String>,
    /// The session to continue. Only discovery gives one; it is not a key of the mob file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

impl MemberSpec {
    /// A member with nothing but its id and role.
    pub fn new(id: MemberId, profile: ProfileId) -> Self {
        Self {
            id,
            profile,
            labels: BTreeMap::new(),
            context: serde_json::Value::Null,
            additional_instructions: Vec::new(),
            session: None,
        }
    }
}

/// Reads one `[[members]]`. `by_default` is the profile of members that name none.
pub(super) fn read(
    cx: &mut Report<'_>,
    id: Option<MemberId>,
    mut table: Table<'_>,
    by_default: Option<&ProfileId>,
) -> Option<MemberSpec> {
    let user = format!("{} has", table.owner);
    let profile = match (table.take(cx, "profile"), by_default) {
        (Some(node), _) => node.reference(cx, Noun::Profile, user),
        (None, Some(profile)) => Some(profile.clone()),
        (None, None) => {
            let example = "profile = \"…\", or defaults = { profile = \"…\" } to [mob]";
            table.need(cx, "profile", example);
            None
        }
    };
    let labels = table.read(cx, "labels", read_labels);
    let context = table.read(cx, "context", |node, cx| {
        node.table(cx)?;
        node.json(cx)
    });
    let additional_instructions = table.read(cx, "additional_instructions", Node::texts);
    table.finish(cx);
    Some(MemberSpec {
        labels: labels.unwrap_or_default(),
        context: context.unwrap_or_default(),
        additional_instructions: additional_instructions.unwrap_or_default(),
        ..MemberSpec::new(id?, profile?)
    })
}

fn read_labels(node: &Node<'_>, cx: &mut Report<'_>) -> Option<BTreeMap<String, String>> {
    let entries = node.table(cx)?.entries(cx);
    let labels = entries.into_iter().map(|entry| {
        let value = entry.node.any_text(cx)?;
        Some((entry.name.to_owned(), value))
    });
    let labels: Vec<_> = labels.collect();
    labels.into_iter().collect()
}
