//! The one way from a surface to an operation.

use crate::access::{Access, Denials, permit};
use crate::context::Context;
use crate::digest;
use crate::input::Input;
use crate::operation::{Keys, Operation};
use crate::operations::OPERATIONS;
use crate::problem::OPERATION_NOT_FOUND;
use crate::remembered::Remembered;
use futures::FutureExt;
use mobkit_domain::definition::nearest_name;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_engine::{Engine, Tasks};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

/// What all surfaces of a server share.
pub(crate) struct Gateway {
    pub engine: Engine,
    pub access: Access,
    pub denials: Denials,
    /// The owner of sessions that a server has; they end by themselves when the mob stops.
    pub sessions: Tasks,
    remembered: Remembered,
}

/// Who calls, and what the transport says about the call.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub principal: Principal,
    /// Trace id of the request.
    pub trace: Option<String>,
    /// The header `Idempotency-Key`.
    pub key: Option<String>,
    /// Address of the caller, where known.
    pub remote: Option<SocketAddr>,
}

/// The operation of this name.
pub(crate) fn find(name: &str) -> Result<&'static Operation, Refusal> {
    OPERATIONS
        .iter()
        .find(|operation| operation.name == name)
        .ok_or_else(|| {
            let names = || OPERATIONS.iter().map(|operation| operation.name);
            let noun = name.split('/').next().unwrap_or_default();
            let of_noun: Vec<&str> = names()
                .filter(|known| known.split('/').next() == Some(noun))
                .collect();
            let shown: String = name.chars().take(80).collect();
            let message = format!("there is no operation {shown:?}");
            let refusal = Refusal::new(RefusalKind::Missing, OPERATION_NOT_FOUND, message);
            match nearest_name(name, names()) {
                Some(near) => refusal.hint(format!("did you mean `{near}`?")),
                None if of_noun.is_empty() => {
                    let nouns: BTreeSet<&str> = names()
                        .filter_map(|known| known.split('/').next())
                        .collect();
                    let nouns: Vec<&str> = nouns.into_iter().collect();
                    refusal.hint(format!("it begins with one of {}", nouns.join(", ")))
                }
                None => refusal.hint(format!("there are {}", of_noun.join(", "))),
            }
        })
}

impl Gateway {
    pub fn new(engine: Engine, access: Access) -> Self {
        let (denials, remembered) = (Denials::default(), Remembered::default());
        Self {
            engine,
            access,
            denials,
            sessions: Tasks::new(),
            remembered,
        }
    }

    /// Calls an operation: the permission, the mob, the phase and the key are looked at here, for
    /// every surface alike. A defect in a handler is an answer, not the end of a connection.
    pub async fn call(
        &self,
        caller: &Caller,
        operation: &'static Operation,
        mut input: Input,
    ) -> Result<Value, Refusal> {
        self.permit(caller, operation)?;
        self.check_mob(input.take_text("mob")?)?;
        self.engine.phase().check(operation.verb)?;
        let key = match operation.keys {
            Keys::Absent => None,
            _ => digest::choose(input.take_text("key")?, caller.key.as_deref())?,
        };
        let used = match (key, &input) {
            (Some(key), Input::Json(params)) => Some(digest::key_use(operation, key, params)),
            _ => None,
        };
        let mut cx = Context {
            engine: self.engine.clone(),
            principal: caller.principal.clone(),
            key: used,
            trace: caller.trace.clone(),
        };
        if operation.keys != Keys::Process {
            return guarded(operation, cx, input).await;
        }
        let principal = cx.principal.clone();
        match cx.key.take() {
            None => guarded(operation, cx, input).await,
            Some(used) => {
                let work = guarded(operation, cx, input).boxed();
                self.remembered.once(&principal, used, work).await
            }
        }
    }

    /// Lets the caller pass, or says what it lacks, and records that.
    fn permit(&self, caller: &Caller, operation: &Operation) -> Result<(), Refusal> {
        let permitted = permit(&caller.principal, operation.permission, operation.name);
        if let Err(refusal) = &permitted {
            self.denials
                .note(&self.engine, operation.name, refusal, caller.remote);
        }
        permitted
    }

    /// The mob may be left out where a server holds one; who names it must mean this one.
    pub fn check_mob(&self, mob: Option<String>) -> Result<(), Refusal> {
        match mob {
            Some(mob) if mob != self.engine.mob().as_str() => {
                let message = format!("there is no mob {mob:?} on this server");
                Err(Refusal::new(RefusalKind::Missing, "mob.not_found", message)
                    .hint(format!("leave `mob` out, or name {}", self.engine.mob())))
            }
            _ => Ok(()),
        }
    }
}

async fn guarded(
    operation: &'static Operation,
    cx: Context,
    input: Input,
) -> Result<Value, Refusal> {
    let work = AssertUnwindSafe(async move { (operation.call)(cx, input).await });
    work.catch_unwind().await.unwrap_or_else(|_| {
        let message = format!("{} failed on a defect of mobkit", operation.name);
        Err(
            Refusal::new(RefusalKind::Internal, "internal.panic", message)
                .hint("the log of the process says where; please report it"),
        )
    })
}

#[cfg(test)]
mod tests;
