//! Decisions about approvals and grants.

use super::verdict::{given_args, may_decide};
use super::{elicit, end, grant};
use crate::command::{ApprovalCommand, GrantRequest};
use crate::draft::{Decision, Draft, REASON_MISSING};
use crate::event::{ApprovalDecided, Matter, Verdict};
use crate::id::ApprovalId;
use crate::refusal::{Refusal, RefusalKind};
use serde_json::Value;

pub(crate) fn decide(mut draft: Draft<'_>, command: &ApprovalCommand) -> Result<Decision, Refusal> {
    match command {
        ApprovalCommand::Decide {
            approval,
            digest,
            decision,
            args,
            reason,
            grant,
            roles,
        } => {
            may_decide(&draft, *approval, roles)?;
            let said = Said {
                digest,
                decision: *decision,
                args: args.as_ref(),
                reason: reason.as_deref(),
                grant: grant.as_ref(),
            };
            settle(&mut draft, *approval, &said)?;
        }
        ApprovalCommand::Revoke { grant } => grant::revoke(&mut draft, *grant)?,
        ApprovalCommand::Elicit {
            turn,
            call,
            message,
            schema,
        } => elicit::elicit(&mut draft, *turn, *call, (message, schema))?,
    }
    Ok(draft.done())
}

/// What somebody who may decide says.
struct Said<'c> {
    digest: &'c str,
    decision: Verdict,
    args: Option<&'c Value>,
    reason: Option<&'c str>,
    grant: Option<&'c GrantRequest>,
}

fn settle(draft: &mut Draft<'_>, id: ApprovalId, said: &Said<'_>) -> Result<(), Refusal> {
    let open = super::verdict::open(draft, id)?;
    let request = &open.request;
    if request.digest != said.digest {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "approval.stale",
            format!("what was decided on is not what {id} is about; look at it again"),
        ));
    }
    let args = given_args(draft, request, said.decision, said.args)?;
    let scope = match said.grant {
        Some(wanted) => Some((
            wanted,
            grant::scope_of(draft, request, said.decision, wanted)?,
        )),
        None => None,
    };
    let decided = draft.order(ApprovalDecided {
        approval: id,
        call: request.call,
        turn: request.turn,
        member: request.member.clone(),
        tool: request.tool.clone(),
        decision: said.decision,
        digest: request.digest.clone(),
        args: args.clone(),
        reason: said.reason.map(str::to_owned),
        by: draft.actor.clone(),
    });
    if let Some(given) = scope {
        let args = args.as_ref().unwrap_or(&request.args);
        grant::create(draft, decided, request, given, args);
    }
    // To a question of a module no is an answer; the call is its own to end.
    let asks = matches!(request.matter, Matter::Elicitation { .. });
    if said.decision == Verdict::Deny && !asks {
        let reason = said.reason.unwrap_or(REASON_MISSING);
        let told = format!("the call was denied: {reason}");
        end::refuse(draft, decided, request, "approval.denied", &told);
    }
    Ok(())
}
