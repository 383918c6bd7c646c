//! What a message does while a turn runs.

use super::decide::QUEUE_RETRY_AFTER_MS;
use crate::definition::{Busy, Engine};
use crate::draft::Draft;
use crate::event::{MessageAccepted, MessageExpired, MessageMode, MessageSteered};
use crate::id::{MemberId, MessageId, TurnId};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Member, Message};

/// What a message does while a turn runs, where nobody says it.
pub(super) fn mode_by_default(draft: &Draft<'_>, to: &MemberId) -> MessageMode {
    let member = draft.state().members.get(to);
    let profile = member.and_then(|member| draft.profile(&member.profile));
    match profile.map(|profile| profile.busy) {
        None | Some(Busy::Queue) => MessageMode::Queue,
        Some(Busy::Steer) => MessageMode::Steer,
        Some(Busy::Interrupt) => MessageMode::Interrupt,
        Some(Busy::Reject) => MessageMode::Reject,
    }
}

/// Whether the receiver takes a message in this mode now.
pub(super) fn check(
    draft: &Draft<'_>,
    to: &MemberId,
    member: &Member,
    mode: MessageMode,
) -> Result<(), Refusal> {
    match mode {
        MessageMode::Queue | MessageMode::Interrupt => Ok(()),
        MessageMode::Reject if member.turn.is_none() && member.queue.is_empty() => Ok(()),
        MessageMode::Reject => {
            Err(
                Refusal::new(RefusalKind::Busy, "member.busy", format!("{to} is at work"))
                    .retry_after_ms(QUEUE_RETRY_AFTER_MS),
            )
        }
        MessageMode::Steer => check_steer(draft, to, member),
    }
}

/// An external engine has to say that it takes messages into a turn that runs.
fn check_steer(draft: &Draft<'_>, to: &MemberId, member: &Member) -> Result<(), Refusal> {
    let turn = member.turn.and_then(|turn| draft.state().turns.get(&turn));
    let external = turn.is_some_and(|turn| turn.external);
    if !external || member.offers.is_some_and(|offers| offers.steer) {
        return Ok(());
    }
    let engine = draft
        .profile(&member.profile)
        .map_or(Engine::Native, |profile| profile.engine);
    Err(Refusal::new(
        RefusalKind::Invalid,
        "message.mode_unsupported",
        format!("{to} is at work, and its engine {engine} takes no message into a running turn"),
    )
    .hint("send it with the mode \"queue\" or \"interrupt\""))
}

/// What an accepted message does at once: one that interrupts stops the turn that runs.
pub(super) fn follow(draft: &mut Draft<'_>, accepted: &MessageAccepted) {
    let member = draft.state().members.get(&accepted.to);
    let Some(turn) = member.and_then(|member| member.turn) else {
        return;
    };
    match accepted.mode {
        MessageMode::Queue | MessageMode::Steer | MessageMode::Reject => {}
        MessageMode::Interrupt if draft.has_ended(turn) => {}
        MessageMode::Interrupt => {
            let (message, from) = (accepted.message, &accepted.from);
            let reason = format!("interrupted by {message} of {from}");
            crate::turn::interrupt(draft, turn, &reason, (message, from));
        }
    }
}

/// Lets the messages that wait to join a turn do so: it is between two steps.
pub(crate) fn join(draft: &mut Draft<'_>, turn: TurnId) {
    let state = draft.state();
    for id in state.steering(turn) {
        let Some(message) = state.messages.get(&id) else {
            continue;
        };
        if message.expires.is_some_and(|due| due <= draft.now) {
            expire(draft, id, message);
        } else {
            draft.emit_from(
                id.0,
                MessageSteered {
                    message: id,
                    member: message.to.clone(),
                    turn,
                },
            );
        }
    }
}

/// Drops a waiting message whose time is over, and tells who asked.
pub(crate) fn expire(draft: &mut Draft<'_>, id: MessageId, message: &Message) {
    let seq = draft.emit_from(
        id.0,
        MessageExpired {
            message: id,
            member: message.to.clone(),
        },
    );
    let told = Err("the message expired unanswered");
    super::answer_asker(draft, seq, message, told);
    crate::schedule::message_ended(draft, seq, id, None, told.map(|_: &crate::text::Text| ()));
}

/// Whether `who` began a chain that leads to one of the messages of an open turn, so that it is not
/// a second person beside the turn.
pub(crate) fn led_to(draft: &Draft<'_>, turn: TurnId, who: &Principal) -> bool {
    let turn = draft.state().turns.get(&turn);
    turn.is_some_and(|turn| {
        let messages = &draft.state().messages;
        let mut led = turn.messages.iter().filter_map(|id| messages.get(id));
        turn.origin == *who || led.any(|message| message.origin == *who)
    })
}
