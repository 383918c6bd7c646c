//! Questions that modules ask a person in the middle of a call.

use crate::engine::Engine;
use crate::outcome::{Decided, of_approval};
use mobkit_domain::command::{ApprovalCommand, Command};
use mobkit_domain::id::{ApprovalId, CallId, TurnId};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{ApprovalState, Row, Table};
use mobkit_domain::text::INLINE_BYTES_MAX;
use mobkit_store::StoreError;
use serde_json::{Value, json};

/// How large the schema of an answer may be, in bytes of JSON.
const SCHEMA_BYTES_MAX: usize = 64 * 1024;

/// Why nobody was asked, or the answer is not known.
#[derive(Debug, thiserror::Error)]
enum ElicitError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the schema of the answer has more than {SCHEMA_BYTES_MAX} bytes")]
    SchemaTooLong,
}

impl Engine {
    /// Asks a person a question in the middle of a tool call, and waits for the answer as long as
    /// that takes. `schema` is the JSON Schema of the answer.
    ///
    /// `None`: the person declined, nobody answered in time, the call no longer runs, or the
    /// question can't be recorded. Dropping the future stops waiting; the question stays open until
    /// the call ends. It survives no crash: the call does not either, and takes it along.
    pub async fn elicit(
        &self,
        turn: TurnId,
        call: CallId,
        message: String,
        schema: Value,
    ) -> Option<Value> {
        match self.ask(turn, call, message, schema).await {
            Ok(Decided::Passed(answer)) => Some(answer.unwrap_or_else(|| json!({}))),
            Ok(Decided::Stopped) => None,
            Err(error) => {
                tracing::warn!(%call, %error, "a question of a module was not asked");
                None
            }
        }
    }

    async fn ask(
        &self,
        turn: TurnId,
        call: CallId,
        message: String,
        schema: Value,
    ) -> Result<Decided, ElicitError> {
        if schema.to_string().len() > SCHEMA_BYTES_MAX {
            return Err(ElicitError::SchemaTooLong);
        }
        let message = cut(message);
        let command = ApprovalCommand::Elicit {
            turn,
            call,
            message,
            schema,
        };
        let answer = self.submit_internal(Command::Approval(command)).await?;
        let approval = ApprovalId(answer.seq());
        let waiter = of_approval(self, approval);
        // Registered first, looked up second: a decision in between is seen by one of the two.
        if let Some(decided) = self.recorded_decision(approval).await? {
            return Ok(decided);
        }
        let closing = self.closing().clone();
        Ok(tokio::select! {
            biased;
            decided = waiter.ended() => decided.unwrap_or(Decided::Stopped),
            () = closing.cancelled() => Decided::Stopped,
        })
    }

    async fn recorded_decision(&self, approval: ApprovalId) -> Result<Option<Decided>, StoreError> {
        let row = self.store().row(self.mob(), Table::Approval, approval.0);
        let Some(Row::Approval(row)) = row.await? else {
            return Ok(None);
        };
        Ok(match row.state {
            ApprovalState::Pending => None,
            ApprovalState::Approved | ApprovalState::Edited => {
                Some(Decided::Passed(row.decided_args))
            }
            ApprovalState::Denied | ApprovalState::Expired | ApprovalState::Withdrawn => {
                Some(Decided::Stopped)
            }
        })
    }
}

/// The question as an event may hold it.
fn cut(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(INLINE_BYTES_MAX));
    message
}
