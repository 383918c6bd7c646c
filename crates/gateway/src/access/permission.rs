//! What a principal may do: the one place that decides it.

use super::policy::LOCAL;
use mobkit_domain::definition::Role;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde::Serialize;
use std::fmt;

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// To look. Viewers have it.
    Read,
    /// To give members work, to stop and to start them, to change who is in the mob.
    Operate,
    /// To answer for what an agent wants to do. No agent ever has it.
    Decide,
    /// To end or to empty the mob.
    Administer,
}

impl Permission {
    /// The word for it, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Decide => "decide",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `principal` has `permission`. Operators and applications that hold a credential have
/// all; an agent may look.
fn may(principal: &Principal, permission: Permission) -> bool {
    match principal {
        Principal::Operator(_) | Principal::App(_) | Principal::Runtime => true,
        Principal::Agent(_) => permission == Permission::Read,
    }
}

/// The roles of a principal, by its credential. Who holds the token of the state directory is an
/// admin; an application has no role, and an agent none ever.
pub(crate) fn roles_of(principal: &Principal) -> Vec<Role> {
    match principal {
        Principal::Operator(name) if name == LOCAL => vec![Role::Admin],
        Principal::Operator(_) | Principal::App(_) | Principal::Agent(_) | Principal::Runtime => {
            Vec::new()
        }
    }
}

/// Lets the principal pass, or says what it lacks.
pub(crate) fn permit(
    principal: &Principal,
    permission: Permission,
    operation: &str,
) -> Result<(), Refusal> {
    if may(principal, permission) {
        return Ok(());
    }
    let message = format!("{principal} may not call {operation}");
    Err(Refusal::new(RefusalKind::Denied, "access.denied", message)
        .hint(format!("it needs the permission to {permission}"))
        .data(serde_json::json!({ "permission": permission })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobkit_domain::id::MemberId;

    #[test]
    fn an_agent_may_look_and_nothing_else() {
        let agent = Principal::Agent(MemberId::parse("editor").expect("an id"));
        assert!(permit(&agent, Permission::Read, "mob/status").is_ok());
        for permission in [
            Permission::Operate,
            Permission::Decide,
            Permission::Administer,
        ] {
            let refusal = permit(&agent, permission, "x/y").expect_err("denied");
            assert_eq!(refusal.kind, RefusalKind::Denied);
        }
    }

    #[test]
    fn only_the_local_operator_has_a_role() {
        let local = Principal::Operator(LOCAL.to_owned());
        assert_eq!(roles_of(&local), [Role::Admin]);
        let others = [
            Principal::Operator("ada".to_owned()),
            Principal::App("billing".to_owned()),
            Principal::Agent(MemberId::parse("local").expect("an id")),
            Principal::Runtime,
        ];
        assert!(others.iter().all(|other| roles_of(other).is_empty()));
    }
}
