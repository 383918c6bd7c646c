//! An approval as clients see it.

use crate::context::store_refusal;
use mobkit_domain::definition::{Approver, OnExpiry};
use mobkit_domain::event::{ApprovalRequested, Matter, ToolEffect};
use mobkit_domain::id::{ApprovalId, CallId, MemberId, MessageId, TurnId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{ApprovalRow, ApprovalState, Row, Table};
use mobkit_domain::state::Approval;
use mobkit_domain::time::Time;
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// An approval: what is asked, and what came of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ApprovalView {
    /// The approval.
    pub id: ApprovalId,
    /// Digest of what is shown here; a decision must name it.
    pub digest: String,
    /// Qualified tool name.
    pub tool: String,
    /// Qualified name of the tool behind the route, where the call is a delivery to a module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// Arguments of the call.
    pub args: Value,
    /// Whose turn.
    pub member: MemberId,
    /// The turn, which waits.
    pub turn: TurnId,
    /// The call.
    pub call: CallId,
    /// What a repeated call does.
    pub effect: ToolEffect,
    /// `about` says what is to be decided: `gate`, `definition` or `elicitation`, each with what
    /// belongs to it.
    #[serde(flatten)]
    pub matter: Matter,
    /// Why it waits, one line.
    pub why: String,
    /// Who began the chain of turns and messages that led to the call.
    pub origin: Principal,
    /// The messages that the turn answers.
    pub messages: Vec<MessageId>,
    /// Version of the rule that stopped the call.
    pub policy: String,
    /// Who may decide; any operator where empty.
    pub approvers: Vec<Approver>,
    /// Whether `origin` may not decide.
    pub four_eyes: bool,
    /// Where it stands.
    pub state: ApprovalState,
    /// When it was asked.
    pub requested: Time,
    /// When it expires; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// What happens then: `deny` or `hold`.
    pub on_expiry: OnExpiry,
    /// Whether its time is over and it waits on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    /// Why it was decided so, or why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The arguments instead of those that were shown; of an elicitation, the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_args: Option<Value>,
    /// When it was decided, or its time was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

impl ApprovalView {
    fn of_request(request: ApprovalRequested, requested: Time) -> Self {
        Self {
            id: request.approval,
            digest: request.digest,
            tool: request.tool,
            sink: request.sink,
            args: request.args,
            member: request.member,
            turn: request.turn,
            call: request.call,
            effect: request.effect,
            matter: request.matter,
            why: request.why,
            origin: request.origin,
            messages: request.messages,
            policy: request.policy,
            approvers: request.approvers,
            four_eyes: request.four_eyes,
            state: ApprovalState::Pending,
            requested,
            expires: request.expires,
            on_expiry: request.on_expiry,
            held: false,
            by: None,
            reason: None,
            decided_args: None,
            ended: None,
        }
    }

    /// An approval that waits.
    pub fn of_open(approval: &Approval) -> Self {
        Self {
            held: approval.held,
            ..Self::of_request(approval.request.clone(), approval.requested)
        }
    }

    /// What is kept of an approval.
    pub fn of_row(row: ApprovalRow) -> Self {
        Self {
            state: row.state,
            held: row.held,
            by: row.by,
            reason: row.reason,
            decided_args: row.decided_args,
            ended: row.ended,
            ..Self::of_request(row.request, row.requested)
        }
    }
}

/// What is kept of an approval; `None`: there never was one of this id.
pub(crate) async fn approval_row(
    engine: &Engine,
    approval: ApprovalId,
) -> Result<Option<ApprovalRow>, Refusal> {
    let store = engine.store();
    let row = store.row(engine.mob(), Table::Approval, approval.0).await;
    Ok(match row.map_err(|error| store_refusal(&error))? {
        Some(Row::Approval(row)) => Some(*row),
        Some(
            Row::Message(_) | Row::Turn(_) | Row::Occurrence(_) | Row::Delivery(_) | Row::Cost(_),
        )
        | None => None,
    })
}

/// The refusal for an approval that does not exist.
pub(crate) fn approval_missing(approval: ApprovalId) -> Refusal {
    let message = format!("there is no approval {approval}");
    Refusal::new(RefusalKind::Missing, "approval.not_found", message)
        .hint("`approval/list` shows the approvals that wait")
}
