//! A mob with gates, and what people say to it.

use super::harness::{Mob, NEWSROOM};
use mobkit_domain::command::{
    Answer, ApprovalCommand, Command, GrantRequest, GrantScopeRequest, Submission,
};
use mobkit_domain::definition::Role;
use mobkit_domain::event::{KeyUse, Verdict};
use mobkit_domain::id::{ApprovalId, GrantId, Seq};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{ApprovalRow, Row, Table};
use mobkit_domain::state::Approval;
use serde_json::Value;
use std::collections::BTreeMap;

/// A gate before the tool `publish`.
pub const REVIEW: &str = "[[gates]]\ntool = \"publish\"\naction = \"review\"\n";

pub fn operator(name: &str) -> Principal {
    Principal::Operator(name.to_owned())
}

/// What somebody says about an approval.
#[derive(Clone)]
pub struct Ruling {
    pub by: Principal,
    pub roles: Vec<Role>,
    /// `None`: the digest that was shown.
    pub digest: Option<String>,
    pub decision: Verdict,
    pub args: Option<Value>,
    pub reason: Option<String>,
    pub grant: Option<GrantRequest>,
    pub key: Option<KeyUse>,
}

/// Bob, an operator, says this.
pub fn ruling(decision: Verdict) -> Ruling {
    Ruling {
        by: operator("bob"),
        roles: vec![Role::Operator],
        digest: None,
        decision,
        args: None,
        reason: None,
        grant: None,
        key: None,
    }
}

pub fn approve() -> Ruling {
    ruling(Verdict::Approve)
}

pub fn deny(reason: &str) -> Ruling {
    Ruling {
        reason: Some(reason.to_owned()),
        ..ruling(Verdict::Deny)
    }
}

pub fn edit(args: Value) -> Ruling {
    Ruling {
        args: Some(args),
        ..ruling(Verdict::Edit)
    }
}

/// An approval together with a grant.
pub fn approve_with(scope: GrantScopeRequest, args: Option<Value>) -> Ruling {
    let args = args.map(|args| {
        let fields = args.as_object().expect("an object").clone();
        fields.into_iter().collect::<BTreeMap<String, Value>>()
    });
    Ruling {
        grant: Some(GrantRequest { scope, args }),
        ..approve()
    }
}

impl Ruling {
    pub fn by(self, by: Principal, roles: &[Role]) -> Self {
        let roles = roles.to_vec();
        Self { by, roles, ..self }
    }
}

impl Mob {
    /// The mob of [`NEWSROOM`] with these gates, ready.
    pub fn gated(gates: &str) -> Self {
        Self::ready_of(&gated(gates))
    }

    /// The approvals that wait, in the order in which they were asked for.
    pub fn pending(&self) -> Vec<ApprovalId> {
        self.world.state.approvals.keys().copied().collect()
    }

    #[track_caller]
    pub fn approval(&self, id: ApprovalId) -> &Approval {
        &self.world.state.approvals[&id]
    }

    /// The only approval that waits.
    #[track_caller]
    pub fn the_pending(&self) -> ApprovalId {
        let pending = self.pending();
        assert_eq!(pending.len(), 1, "{pending:?}");
        pending[0]
    }

    #[track_caller]
    pub fn approval_row(&self, id: ApprovalId) -> &ApprovalRow {
        match self.rows.get(&(Table::Approval, id.0)) {
            Some(Row::Approval(row)) => row,
            other => panic!("{id} has no row: {other:?}"),
        }
    }

    /// Somebody says something about an approval.
    pub fn say(&mut self, id: ApprovalId, ruling: Ruling) -> Result<Answer, Refusal> {
        let waits = self.world.state.approvals.get(&id);
        let shown = waits.map(|open| open.request.digest.clone());
        let decide = ApprovalCommand::Decide {
            approval: id,
            digest: ruling.digest.or(shown).unwrap_or_default(),
            decision: ruling.decision,
            args: ruling.args,
            reason: ruling.reason,
            grant: ruling.grant,
            roles: ruling.roles,
        };
        self.run(&Submission {
            command: Command::Approval(decide),
            actor: ruling.by,
            key: ruling.key,
            trace: None,
        })
    }

    /// Somebody decides, and it counts. Gives the position of the decision.
    #[track_caller]
    pub fn rule(&mut self, id: ApprovalId, ruling: Ruling) -> Seq {
        match self.say(id, ruling) {
            Ok(answer) => answer.seq(),
            Err(refusal) => panic!("the decision is refused: {}", refusal.message),
        }
    }

    /// Somebody decides, and it does not count. Gives the code.
    #[track_caller]
    pub fn overruled(&mut self, id: ApprovalId, ruling: Ruling) -> String {
        self.say(id, ruling).expect_err("it is refused").code
    }

    pub fn revoke(&mut self, by: Principal, grant: GrantId) -> Result<Answer, Refusal> {
        let command = Command::Approval(ApprovalCommand::Revoke { grant });
        self.run(&Submission {
            actor: by,
            ..Submission::internal(command)
        })
    }

    /// Somebody sends ann to work, and her model makes these calls.
    #[track_caller]
    pub fn ann_calls(&mut self, by: Principal, calls: &[(&str, Value)]) {
        let send = super::harness::send("ann", "go");
        let submission = Submission {
            actor: by,
            ..Submission::internal(Command::Message(send))
        };
        self.run(&submission).expect("the message is accepted");
        self.calls("ann", "", calls);
    }
}

/// [`NEWSROOM`] with these gates.
pub fn gated(gates: &str) -> String {
    format!("{NEWSROOM}\n{gates}")
}
