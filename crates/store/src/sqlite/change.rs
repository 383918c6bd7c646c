//! A change on its way to the writer and its answer on the way back.

use super::ledger::Ledger;
use crate::store::StoreError;
use tokio::sync::oneshot;

/// Something that the writer is asked to do.
pub(super) trait Change: Send + 'static {
    /// What the caller gets when it is durable.
    type Answer: Send + 'static;

    /// Does it, inside a transaction. On an error the writer takes the transaction back, unless the
    /// error is a refusal (see [`is_refusal`]); one that refuses must not have written anything.
    ///
    /// It may be called again after the transaction was taken back.
    fn apply(&self, ledger: &mut Ledger) -> Result<Self::Answer, StoreError>;

    /// How many records it writes, about.
    fn records(&self) -> usize {
        1
    }
}

/// Whether the error says that the caller is wrong, and nothing was written.
pub(super) fn is_refusal(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::EpochStale { .. } | StoreError::SeqMismatch { .. }
    )
}

/// A change, its answer once there is one, and who waits for it.
pub(super) struct Pending<C: Change> {
    change: C,
    answer: Option<Result<C::Answer, StoreError>>,
    reply: oneshot::Sender<Result<C::Answer, StoreError>>,
}

/// What the writer knows of a change.
pub(super) trait Request: Send {
    /// Does it and keeps the answer. Says whether the transaction may go on.
    fn apply(&mut self, ledger: &mut Ledger) -> bool;
    /// Replaces the answer.
    fn fail(&mut self, error: StoreError);
    /// Gives the answer to the caller, if that still waits.
    fn settle(self: Box<Self>);
    /// How many records it writes, about.
    fn records(&self) -> usize;
}

impl<C: Change> Pending<C> {
    pub(super) fn new(change: C) -> (Self, oneshot::Receiver<Result<C::Answer, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                change,
                answer: None,
                reply,
            },
            answer,
        )
    }
}

impl<C: Change> Request for Pending<C> {
    fn apply(&mut self, ledger: &mut Ledger) -> bool {
        let answer = self.change.apply(ledger);
        let goes_on = answer.as_ref().err().is_none_or(is_refusal);
        self.answer = Some(answer);
        goes_on
    }

    fn fail(&mut self, error: StoreError) {
        self.answer = Some(Err(error));
    }

    fn settle(self: Box<Self>) {
        if let Some(answer) = self.answer {
            // A caller that no longer waits has dropped its end; the change stands all the same.
            let _unheard = self.reply.send(answer);
        }
    }

    fn records(&self) -> usize {
        self.change.records()
    }
}
