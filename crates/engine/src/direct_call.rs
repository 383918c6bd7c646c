//! Calls of modules that no turn waits for: somebody calls a tool directly.

use crate::engine::{Engine, store_refusal};
use crate::outcome::{CallOutcome, end_of_call, of_call};
use mobkit_domain::command::{Command, ModuleCommand, Submission};
use mobkit_domain::event::EventFilter;
use mobkit_domain::id::{CallId, ModuleId};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_store::StoreError;

impl Engine {
    /// Has a [`ModuleCommand::Call`] decided, and waits for what comes of the call: its result, or
    /// why there is none. A repeated idempotency key gives the outcome of the first call.
    ///
    /// The call goes on if the caller stops waiting, and is recorded all the same.
    ///
    /// # Errors
    /// The refusal of the command, or that the runtime stopped before the call had an end.
    pub async fn call_module(
        &self,
        submission: Submission,
    ) -> Result<(CallId, CallOutcome), Refusal> {
        let Command::Module(ModuleCommand::Call { module, .. }) = &submission.command else {
            return Err(Refusal::new(
                RefusalKind::Internal,
                "module.not_a_call",
                "only calls of modules have an outcome to wait for",
            ));
        };
        let module = module.clone();
        let answer = self.submit(submission).await?;
        let call = CallId {
            reply: answer.seq(),
            index: 0,
        };
        let waiter = of_call(self, call);
        // Registered first, looked up second: an end in between is seen by one of the two.
        let recorded = self.recorded_end(&module, call).await;
        if let Some(outcome) = recorded.map_err(|error| store_refusal(&error))? {
            return Ok((call, outcome));
        }
        let closing = self.closing().clone();
        let ended = tokio::select! {
            biased;
            ended = waiter.ended() => ended,
            () = closing.cancelled() => None,
        };
        ended.map(|outcome| (call, outcome)).ok_or_else(|| {
            Refusal::new(
                RefusalKind::Unavailable,
                "runtime.stopping",
                format!("the runtime stopped before {call} had an end"),
            )
            .hint("the events of the module say after the next start what came of it")
        })
    }

    async fn recorded_end(
        &self,
        module: &ModuleId,
        call: CallId,
    ) -> Result<Option<CallOutcome>, StoreError> {
        let filter = EventFilter {
            kinds: vec!["tool.*".to_owned()],
            subject: Some(format!("module/{module}")),
            source: None,
        };
        let found = self
            .events_between(call.reply, self.head(), &filter)
            .await?;
        Ok(found.iter().find_map(|event| {
            let (ended, outcome) = end_of_call(&event.envelope.event)?;
            (ended == call).then_some(outcome)
        }))
    }
}
