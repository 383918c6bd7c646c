//! Applies an event and says which rows of the read tables change with it.

use crate::event::{Envelope, Event};
use crate::id::{MessageId, TurnId};
use crate::row::{MessageRow, MessageState, Row, TurnRow, TurnStatus};
use crate::state::{Message, State, Turn};

/// Folds the event into the state and returns the rows that follow.
///
/// The row of an open turn is written when its status changes; its figures in between are in the
/// state.
pub fn project(state: &mut State, envelope: &Envelope) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(row) = message_row(state, &envelope.event, envelope) {
        rows.push(Row::Message(row));
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
