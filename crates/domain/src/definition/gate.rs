//! `[[gates]]`: which tool calls wait for a decision.

use super::report::{Finding, Noun, Report};
use super::scalar::choice;
use super::source::{Node, Table};
use super::tool::ToolPattern;
use crate::id::{MemberId, ProfileId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

choice! {
    /// What a gate does with a call that matches it.
    GateAction {
        /// Lets it pass.
        Allow = "allow",
        /// Lets it pass and records it for audit.
        Audit = "audit",
        /// Stops it until somebody decides.
        Review = "review",
        /// Refuses it.
        Deny = "deny",
    }
}

choice! {
    /// What happens to an approval that nobody decided in time.
    OnExpiry {
        /// The call is refused.
        Deny = "deny",
        /// It keeps waiting.
        Hold = "hold",
    }
}

choice! {
    /// What happens where a schedule started the turn and nobody may be there.
    Unattended {
        /// The call waits as usual.
        Queue = "queue",
        /// It is refused.
        Deny = "deny",
        /// It passes.
        Allow = "allow",
    }
}

choice! {
    /// What a principal may do.
    Role {
        /// Read.
        Viewer = "viewer",
        /// Run the mob.
        Operator = "operator",
        /// Decide approvals.
        Approver = "approver",
        /// Everything.
        Admin = "admin",
    }
}

/// Who may decide an approval; never an agent. As text `role:approver` or `operator:ada`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approver {
    /// Everybody with this role.
    Role(Role),
    /// This operator.
    Operator(String),
}

/// One gate. The calls of a member's turn match where the tool fits, and the member or its profile
/// is named, or neither list narrows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Tools that it guards.
    pub tool: ToolPattern,
    /// Profiles to which it is narrowed; all where both lists are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileId>,
    /// Members to which it is narrowed; all where both lists are empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberId>,
    /// What it does.
    pub action: GateAction,
    /// Who may decide; any operator where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Approver>,
    /// Whether the principal who started the turn may not decide.
    pub four_eyes: bool,
    /// How long an approval waits, in milliseconds; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<u64>,
    /// What happens then.
    pub on_expiry: OnExpiry,
    /// What happens where a schedule started the turn.
    pub unattended: Unattended,
}

/// Why a text names nobody who may decide.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names nobody who may decide")]
pub struct ApproverError(pub String);

impl FromStr for Approver {
    type Err = ApproverError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use super::scalar::Choice as _;
        let error = || ApproverError(text.to_owned());
        match text.split_once(':') {
            Some(("role", role)) => {
                let found = Role::OPTIONS.iter().find(|(name, _)| *name == role);
                found.map(|(_, role)| Self::Role(*role)).ok_or_else(error)
            }
            Some(("operator", name)) if !name.trim().is_empty() => {
                Ok(Self::Operator(name.to_owned()))
            }
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
        }
    }
}

impl Serialize for Approver {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Approver {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Approver {
    fn schema_name() -> Cow<'static, str> {
        "Approver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(role|operator):." })
    }
}

/// Which calls a gate guards: tool, profiles and members.
pub(super) type GateScope = (ToolPattern, Vec<ProfileId>, Vec<MemberId>);

/// Reads one `[[gates]]`. `seen` holds what the gates before it guard.
pub(super) fn read(
    cx: &mut Report<'_>,
    mut table: Table<'_>,
    seen: &mut BTreeSet<GateScope>,
) -> Option<Gate> {
    let user = format!("{} is narrowed to", table.owner);
    let tool_node = table.need(cx, "tool", "tool = \"module:mail/*\"");
    let tool = tool_node.as_ref().and_then(|node| node.tool_pattern(cx));
    let profiles = table.read(cx, "profiles", |node, cx| {
        node.each(cx, |item, cx| {
            item.reference(cx, Noun::Profile, user.clone())
        })
    });
    let members = table.read(cx, "members", |node, cx| {
        node.each(cx, |item, cx| {
            item.reference(cx, Noun::Member, user.clone())
        })
    });
    let action = table.need(cx, "action", "action = \"review\" (or allow, audit, deny)");
    let action = action.and_then(|node| node.choice(cx));
    let approvers = table.read(cx, "approvers", |node, cx| node.each(cx, Node::approver));
    let four_eyes = table.read(cx, "four_eyes", Node::boolean);
    let expires_ms = table.read(cx, "expires", Node::span_ms);
    let on_expiry = table.read(cx, "on_expiry", Node::choice);
    let unattended = table.read(cx, "unattended", Node::choice);
    let owner = table.owner.clone();
    table.finish(cx);
    let (profiles, members) = (profiles.unwrap_or_default(), members.unwrap_or_default());
    let mut scope = (tool?, profiles.clone(), members.clone());
    scope.1.sort();
    scope.2.sort();
    if let (false, Some(node)) = (seen.insert(scope.clone()), tool_node) {
        let message = format!("{owner} guards the same calls as an earlier gate");
        let finding = Finding::new("gate_duplicate", &node.span, message).label("guarded already");
        cx.error(finding.hint_str("keep one gate for a tool and those it is narrowed to"));
    }
    Some(Gate {
        tool: scope.0,
        profiles,
        members,
        action: action?,
        approvers: approvers.unwrap_or_default(),
        four_eyes: four_eyes.unwrap_or(false),
        expires_ms,
        on_expiry: on_expiry.unwrap_or(OnExpiry::Deny),
        unattended: unattended.unwrap_or(Unattended::Queue),
    })
}

impl Node<'_> {
    fn approver(&self, cx: &mut Report<'_>) -> Option<Approver> {
        let text = self.text(cx)?;
        let approver = text.parse().ok();
        if approver.is_none() {
            let agent = text.starts_with("agent:") || text.starts_with("member:");
            let message = if agent {
                format!("{} names an agent, and an agent never decides", self.name())
            } else {
                format!("{} names nobody who may decide: {text:?}", self.name())
            };
            let finding = Finding::new("approver_invalid", &self.span, message);
            let hint =
                "write \"role:approver\" (or viewer, operator, admin) or \"operator:<name>\"";
            cx.error(finding.label("not an approver").hint_str(hint));
        }
        approver
    }
}
