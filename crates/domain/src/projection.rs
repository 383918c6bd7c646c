//! Applies an event and says which rows of the read tables change with it.

use crate::event::{ApprovalExpired, Envelope, Event, Expiry, Verdict};
use crate::id::{ApprovalId, MessageId, TurnId};
use crate::row::{
    ApprovalRow, ApprovalState, CostRow, MessageRow, MessageState, Row, TurnRow, TurnStatus,
};
use crate::state::{Approval, Message, State, Turn};

/// Folds the event into the state and returns the rows that follow.
///
/// The row of an open turn is written when its status changes; its figures in between are in the
/// state.
pub fn project(state: &mut State, envelope: &Envelope) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(row) = message_row(state, &envelope.event, envelope) {
        rows.push(Row::Message(row));
    }
    if let Some(row) = approval_row(state, envelope) {
        rows.push(Row::Approval(Box::new(row)));
    }
    if let Some(row) = crate::projection_schedule::occurrence_row(state, envelope) {
        rows.push(Row::Occurrence(Box::new(row)));
    }
    if let Some(row) = cost_row(state, envelope) {
        rows.push(Row::Cost(Box::new(row)));
    }
    if let Some(row) = crate::projection_delivery::delivery_row(state, envelope) {
        rows.push(Row::Delivery(Box::new(row)));
    }
    let ended = ended_row(state, envelope);
    let before = envelope
        .turn
        .and_then(|id| state.turns.get(&id))
        .map(Turn::status);
    state.apply(envelope);
    if let Some(row) = ended {
        rows.push(Row::Turn(TurnRow {
            seq: envelope.seq,
            ..row
        }));
    } else if let Some((id, turn)) = envelope
        .turn
        .and_then(|id| Some((id, state.turns.get(&id)?)))
        && before != Some(turn.status())
    {
        rows.push(Row::Turn(TurnRow {
            seq: envelope.seq,
            ..turn_row(id, turn)
        }));
    }
    rows
}

/// The row of an open turn, with its figures of now.
pub fn turn_row(id: TurnId, turn: &Turn) -> TurnRow {
    TurnRow {
        turn: id,
        member: turn.member.clone(),
        profile: Some(turn.profile.clone()),
        model: Some(turn.model.clone()),
        status: turn.status(),
        messages: turn.messages.clone(),
        steps: turn.steps(),
        text: None,
        finish: None,
        class: None,
        reason: None,
        usage: turn.usage,
        tokens: turn.usage.tokens(),
        cost_usd: turn.cost_usd(),
        seq: id.0,
        started: turn.started,
        ended: None,
    }
}

fn open_message_row(id: MessageId, message: &Message, state: MessageState) -> MessageRow {
    MessageRow {
        message: id,
        from: message.from.clone(),
        to: message.to.clone(),
        state,
        accepted: message.accepted,
        turn: message.turn,
        correlation: message.correlation.clone(),
        reason: None,
    }
}

fn message_row(state: &State, event: &Event, envelope: &Envelope) -> Option<MessageRow> {
    match event {
        Event::MessageAccepted(e) => Some(MessageRow {
            message: e.message,
            from: e.from.clone(),
            to: e.to.clone(),
            state: MessageState::Queued,
            accepted: envelope.time,
            turn: None,
            correlation: e.correlation.clone(),
            reason: None,
        }),
        Event::MessageDelivered(e) => {
            let open = state.messages.get(&e.message)?;
            let row = open_message_row(e.message, open, MessageState::Delivered);
            Some(MessageRow {
                turn: Some(e.turn),
                ..row
            })
        }
        Event::MessageSteered(e) => {
            let open = state.messages.get(&e.message)?;
            let row = open_message_row(e.message, open, MessageState::Delivered);
            Some(MessageRow {
                turn: Some(e.turn),
                ..row
            })
        }
        Event::MessageCancelled(e) => {
            let open = state.messages.get(&e.message)?;
            let row = open_message_row(e.message, open, MessageState::Cancelled);
            Some(MessageRow {
                reason: Some(e.reason.clone()),
                ..row
            })
        }
        Event::MessageExpired(e) => {
            let open = state.messages.get(&e.message)?;
            Some(open_message_row(e.message, open, MessageState::Expired))
        }
        _ => None,
    }
}

/// The row of an approval that waits.
fn open_approval_row(id: ApprovalId, open: &Approval) -> ApprovalRow {
    ApprovalRow {
        request: open.request.clone(),
        state: ApprovalState::Pending,
        requested: open.requested,
        held: open.held,
        ended: None,
        by: None,
        decided_args: None,
        reason: None,
        seq: id.0,
    }
}

fn approval_row(state: &State, envelope: &Envelope) -> Option<ApprovalRow> {
    let open = |id: ApprovalId| Some(open_approval_row(id, state.approvals.get(&id)?));
    let row = match &envelope.event {
        Event::ApprovalRequested(e) => {
            let asked = Approval {
                request: e.clone(),
                requested: envelope.time,
                held: false,
            };
            open_approval_row(e.approval, &asked)
        }
        Event::ApprovalDecided(e) => ApprovalRow {
            state: match e.decision {
                Verdict::Approve => ApprovalState::Approved,
                Verdict::Edit => ApprovalState::Edited,
                Verdict::Deny => ApprovalState::Denied,
            },
            ended: Some(envelope.time),
            by: Some(e.by.clone()),
            decided_args: e.args.clone(),
            reason: e.reason.clone(),
            ..open(e.approval)?
        },
        Event::ApprovalExpired(e) => expired_row(open(e.approval)?, e, envelope),
        _ => return None,
    };
    Some(ApprovalRow {
        seq: envelope.seq,
        ..row
    })
}

fn expired_row(open: ApprovalRow, e: &ApprovalExpired, envelope: &Envelope) -> ApprovalRow {
    let state = match e.outcome {
        Expiry::Held => return ApprovalRow { held: true, ..open },
        Expiry::Denied => ApprovalState::Expired,
        Expiry::Withdrawn => ApprovalState::Withdrawn,
    };
    ApprovalRow {
        state,
        ended: Some(envelope.time),
        reason: Some(e.reason.clone()),
        ..open
    }
}

/// What a model call cost, as the event says that recorded it.
fn cost_row(state: &State, envelope: &Envelope) -> Option<CostRow> {
    let (id, model, usage, cost_usd) = match &envelope.event {
        Event::ModelReplied(e) => (e.turn, &e.model, e.usage, e.cost_usd),
        Event::SessionCompacted(e) => (e.turn, &e.model, e.usage, e.cost_usd),
        _ => return None,
    };
    let turn = state.turns.get(&id)?;
    Some(CostRow {
        number: envelope.seq,
        turn: id,
        member: turn.member.clone(),
        profile: turn.profile.clone(),
        model: model.clone(),
        schedule: turn.schedule.clone(),
        at: envelope.time,
        usage,
        cost_usd,
    })
}

fn ended_row(state: &State, envelope: &Envelope) -> Option<TurnRow> {
    let id = envelope.turn?;
    let row = turn_row(id, state.turns.get(&id)?);
    let ended = Some(envelope.time);
    Some(match &envelope.event {
        Event::TurnCompleted(e) => TurnRow {
            status: TurnStatus::Completed,
            text: Some(e.text.clone()),
            finish: e.finish,
            steps: e.steps,
            usage: e.usage,
            tokens: e.usage.tokens(),
            cost_usd: e.cost_usd,
            ended,
            ..row
        },
        Event::TurnFailed(e) => TurnRow {
            status: TurnStatus::Failed,
            class: Some(e.class),
            reason: Some(e.reason.clone()),
            steps: e.steps,
            usage: e.usage,
            tokens: e.usage.tokens(),
            cost_usd: e.cost_usd,
            ended,
            ..row
        },
        Event::TurnCancelled(e) => TurnRow {
            status: TurnStatus::Cancelled,
            reason: Some(e.reason.clone()),
            steps: e.steps,
            usage: e.usage,
            tokens: e.usage.tokens(),
            cost_usd: e.cost_usd,
            ended,
            ..row
        },
        _ => return None,
    })
}
