//! What a handler works with.

use crate::snapshot::{MemberSnapshot, member_snapshot};
use mobkit_domain::command::{Answer, Command, Submission};
use mobkit_domain::event::KeyUse;
use mobkit_domain::id::MemberId;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_engine::{Engine, OnError, OnStop, TaskKind};
use mobkit_store::StoreError;

/// One call of an operation: by whom, and on what.
#[derive(Clone)]
pub struct Context {
    /// The mob.
    pub engine: Engine,
    /// Who calls, from authentication.
    pub principal: Principal,
    /// The idempotency key of the call with the digest of what it asks, where the journal keeps it.
    pub key: Option<KeyUse>,
    /// Trace id of the request (W3C Trace Context).
    pub trace: Option<String>,
}

const OPERATION: TaskKind = TaskKind {
    name: "operation",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

impl Context {
    /// Has one command decided in the name of the caller, under the key of the call.
    pub(crate) async fn submit(&self, command: Command) -> Result<Answer, Refusal> {
        self.engine.submit(self.submission(command)).await
    }

    /// A command in the name of the caller, under the key of the call.
    pub(crate) fn submission(&self, command: Command) -> Submission {
        Submission {
            command,
            actor: self.principal.clone(),
            key: self.key.clone(),
            trace: self.trace.clone(),
        }
    }

    /// Does work of several steps to its end, even if the caller goes away in the middle.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let ended = self.engine.tasks().spawn(OPERATION, work).await;
        ended.ok().flatten().unwrap_or_else(|| {
            let message = "the operation was cut short; what it had done stays done";
            Err(
                Refusal::new(RefusalKind::Unavailable, "operation.cut", message)
                    .hint("look at `mob/status` and the log, then repeat it"),
            )
        })
    }

    /// The member as it is now.
    pub(crate) fn snapshot(&self, id: &MemberId) -> Result<MemberSnapshot, Refusal> {
        let found = self.engine.view(|world| member_snapshot(world, id));
        found.ok_or_else(|| member_missing(id))
    }
}

/// The refusal for a member that does not exist.
pub(crate) fn member_missing(id: &MemberId) -> Refusal {
    let message = format!("there is no member {id}");
    Refusal::new(RefusalKind::Missing, "member.not_found", message)
        .hint("`member/list` shows the members")
}

/// How a failure of the store looks to a caller.
pub(crate) fn store_refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Closed => {
            let message = "the runtime has stopped and its store is closed";
            Refusal::new(RefusalKind::Unavailable, "runtime.not_running", message)
                .hint("start it again with `mobkit up`")
        }
        _ => Refusal::new(RefusalKind::Internal, "store.failed", error.to_string())
            .hint("make sure that the disk has room and the state directory can be written")
            .hint("the log of the process says more about the state directory"),
    }
}
