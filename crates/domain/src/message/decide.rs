//! Decisions about messages.

use super::mode;
use crate::command::{Answer, MessageCommand};
use crate::definition::Engine;
use crate::draft::{Decision, Draft};
use crate::event::{
    DeliveryQueued, Event, MessageAccepted, MessageCancelled, MessageMode, NewEvent, ToolFailed,
    ToolFinished,
};
use crate::id::{CallId, MemberId, MessageId, ScheduleId, Seq};
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{CallState, Member, MemberMode, Message};
use crate::text::{Content, Part, Text};

/// After how many milliseconds a full queue is worth another try.
pub(super) const QUEUE_RETRY_AFTER_MS: u64 = 1_000;

pub(crate) fn decide(mut draft: Draft<'_>, command: &MessageCommand) -> Result<Decision, Refusal> {
    match command {
        MessageCommand::Send {
            to,
            content,
            mode,
            correlation,
            expires,
        } => {
            check_sender(&draft, to)?;
            let accepted = MessageAccepted {
                message: MessageId(draft.next_seq()),
                from: draft.actor.clone(),
                origin: origin(&draft, &draft.actor),
                schedule: schedule(&draft, &draft.actor),
                to: to.clone(),
                text: content.text.clone(),
                parts: content.parts.clone(),
                mode: mode.unwrap_or_else(|| mode::mode_by_default(&draft, to)),
                correlation: correlation.clone(),
                expires: *expires,
                call: None,
            };
            check(&draft, &accepted)?;
            let message = accepted.message;
            let seq = draft.order(accepted.clone());
            mode::follow(&mut draft, &accepted);
            let answer = Answer::Message { message, seq };
            Ok(Decision {
                events: draft.into_events(),
                answer,
            })
        }
        MessageCommand::Cancel { message, reason } => {
            let waiting = draft.state().messages.get(message).ok_or_else(|| {
                Refusal::new(
                    RefusalKind::Missing,
                    "message.not_open",
                    format!(
                        "{message} does not wait: there is no such message, or it was answered"
                    ),
                )
            })?;
            if let Some(turn) = waiting.turn {
                return Err(Refusal::new(
                    RefusalKind::Conflict,
                    "message.delivered",
                    format!("{message} is part of {turn} already"),
                )
                .hint("`turn/cancel` stops the turn"));
            }
            let reason = reason.as_deref().unwrap_or(crate::draft::REASON_MISSING);
            cancel(&mut draft, *message, waiting, reason);
            Ok(draft.done())
        }
    }
}

/// Messages of members go only along edges, whichever way they come in.
fn check_sender(draft: &Draft<'_>, to: &MemberId) -> Result<(), Refusal> {
    let Principal::Agent(from) = &draft.actor else {
        return Ok(());
    };
    let sender = draft.state().members.get(from);
    if sender.is_some_and(|member| member.peers.contains(to)) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Denied,
        "edge.missing",
        format!("{from} and {to} are not wired"),
    )
    .hint("`edge/wire` lets two members message each other"))
}

/// Whether the message may be accepted.
fn check(draft: &Draft<'_>, accepted: &MessageAccepted) -> Result<(), Refusal> {
    let to = &accepted.to;
    let member = draft.present(to)?;
    if member.mode == MemberMode::Retiring {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "member.retiring",
            format!("{to} is leaving and takes no further message"),
        ));
    }
    mode::check(draft, to, member, accepted.mode)?;
    check_parts(draft, member, accepted)?;
    if accepted.expires.is_some_and(|expires| expires <= draft.now) {
        return Err(Refusal::new(
            RefusalKind::Invalid,
            "message.expired",
            "the message would expire before it is accepted",
        ));
    }
    let queue_max = draft.world.definition.queue_max as usize;
    if member.queue.len() + draft.accepted_for(to) >= queue_max {
        return Err(Refusal::new(
            RefusalKind::Busy,
            "member.busy",
            format!("{queue_max} messages wait for {to} already"),
        )
        .hint("wait until some are answered, or raise queue_max in [mob]")
        .retry_after_ms(QUEUE_RETRY_AFTER_MS));
    }
    Ok(())
}

/// Only the models of native turns are shown images and files of bytes.
fn check_parts(
    draft: &Draft<'_>,
    member: &Member,
    accepted: &MessageAccepted,
) -> Result<(), Refusal> {
    let profile = draft.profile(&member.profile);
    let engine = profile.map_or(Engine::Native, |profile| profile.engine);
    if engine == Engine::Native || !accepted.parts.iter().any(Part::is_binary) {
        return Ok(());
    }
    let to = &accepted.to;
    Err(Refusal::new(
        RefusalKind::Invalid,
        "message.part_unsupported",
        format!("{to} works with the engine {engine}, which takes no images and no files of bytes"),
    )
    .hint("send text, data and files of text, or send it to a member of the native engine"))
}

/// Accepts a message from a member, along an edge; `call` waits for the answer.
pub(crate) fn accept(
    draft: &mut Draft<'_>,
    from: &MemberId,
    to: &MemberId,
    content: Content,
    asked: Option<(CallId, Seq)>,
) -> Result<MessageId, Refusal> {
    let accepted = MessageAccepted {
        message: MessageId(draft.next_seq()),
        from: Principal::Agent(from.clone()),
        origin: origin(draft, &Principal::Agent(from.clone())),
        schedule: schedule(draft, &Principal::Agent(from.clone())),
        to: to.clone(),
        text: content.text,
        parts: content.parts,
        mode: mode::mode_by_default(draft, to),
        correlation: None,
        expires: None,
        call: asked.map(|(call, _)| call),
    };
    check(draft, &accepted)?;
    let mut event = NewEvent::of(accepted.clone()).by(&Principal::Agent(from.clone()));
    event.cause = asked.map(|(_, cause)| cause);
    draft.push(event);
    mode::follow(draft, &accepted);
    Ok(accepted.message)
}

/// Accepts the task that a member hands to a helper of its own; `call` waits for the answer. A
/// newcomer, which the state does not show yet, takes it in any case.
pub(crate) fn accept_task(
    draft: &mut Draft<'_>,
    (from, to): (&MemberId, &MemberId),
    text: Text,
    (call, cause): (CallId, Seq),
    is_new: bool,
) -> Result<MessageId, Refusal> {
    let agent = Principal::Agent(from.clone());
    let accepted = MessageAccepted {
        message: MessageId(draft.next_seq()),
        from: agent.clone(),
        origin: origin(draft, &agent),
        schedule: schedule(draft, &agent),
        to: to.clone(),
        text,
        parts: Vec::new(),
        mode: MessageMode::Queue,
        correlation: None,
        expires: None,
        call: Some(call),
    };
    if !is_new {
        check(draft, &accepted)?;
        check_works(draft, to)?;
    }
    let message = accepted.message;
    draft.push(NewEvent::of(accepted).by(&agent).caused_by(cause));
    Ok(message)
}

/// Accepts a message of a schedule, which nobody attends to, for a member that can take it up.
pub(crate) fn accept_scheduled(
    draft: &mut Draft<'_>,
    (schedule, to): (&ScheduleId, &MemberId),
    text: Text,
    cause: Seq,
) -> Result<MessageId, Refusal> {
    let accepted = MessageAccepted {
        message: MessageId(draft.next_seq()),
        from: Principal::Runtime,
        origin: None,
        schedule: Some(schedule.clone()),
        to: to.clone(),
        text,
        parts: Vec::new(),
        mode: MessageMode::Queue,
        correlation: None,
        expires: None,
        call: None,
    };
    check(draft, &accepted)?;
    check_works(draft, to)?;
    let message = accepted.message;
    draft.emit_from(cause, accepted);
    Ok(message)
}

/// Accepts a delivery as a message of its sender, for a member that can take it up; it needs no
/// edge, since the mob has a route there.
pub(crate) fn accept_delivered(
    draft: &mut Draft<'_>,
    queued: &DeliveryQueued,
    to: &MemberId,
    content: Content,
    cause: Seq,
) -> Result<MessageId, Refusal> {
    let accepted = MessageAccepted {
        message: MessageId(draft.next_seq()),
        from: queued.from.clone(),
        origin: queued.origin.clone(),
        schedule: None,
        to: to.clone(),
        text: content.text,
        parts: content.parts,
        mode: mode::mode_by_default(draft, to),
        correlation: None,
        expires: None,
        call: None,
    };
    check(draft, &accepted)?;
    check_works(draft, to)?;
    let event = NewEvent::of(accepted.clone());
    draft.push(event.by(&queued.from).caused_by(cause));
    mode::follow(draft, &accepted);
    Ok(accepted.message)
}

/// Nobody waits at a member that has failed.
fn check_works(draft: &Draft<'_>, to: &MemberId) -> Result<(), Refusal> {
    if let MemberMode::Failed | MemberMode::Quarantined = draft.member(to)?.mode {
        let message = format!("{to} has failed and works on nothing");
        let code = "member.failed";
        return Err(Refusal::new(RefusalKind::Unavailable, code, message));
    }
    Ok(())
}

/// Who began the chain that leads to a message of `from`, where that is somebody else: a member
/// passes on what it was asked to do.
pub(crate) fn origin(draft: &Draft<'_>, from: &Principal) -> Option<Principal> {
    let Principal::Agent(member) = from else {
        return None;
    };
    let turn = draft.state().members.get(member)?.turn?;
    let turn = draft.state().turns.get(&turn)?;
    Some(turn.origin.clone())
}

/// The schedule that began the chain that leads to a message of `from`, where one did.
fn schedule(draft: &Draft<'_>, from: &Principal) -> Option<ScheduleId> {
    let Principal::Agent(member) = from else {
        return None;
    };
    let turn = draft.state().members.get(member)?.turn?;
    draft.state().turns.get(&turn)?.schedule.clone()
}

/// Withdraws a waiting message and tells who asked, if somebody did.
pub(crate) fn cancel(draft: &mut Draft<'_>, id: MessageId, message: &Message, reason: &str) {
    if draft.has_dropped(id) {
        return;
    }
    let member = message.to.clone();
    let seq = draft.order(MessageCancelled {
        message: id,
        member,
        reason: reason.to_owned(),
    });
    let told = format!("the message was cancelled: {reason}");
    answer_asker(draft, seq, message, Err(&told));
    crate::schedule::message_ended(draft, seq, id, None, Err(&told));
}

/// Ends the `ask_peer` call that waits for an answer to `message`, if one still does.
pub(crate) fn answer_asker(
    draft: &mut Draft<'_>,
    cause: Seq,
    message: &Message,
    outcome: Result<&Text, &str>,
) {
    let (Some(call), Principal::Agent(asker)) = (message.call, &message.from) else {
        return;
    };
    let state = draft.state();
    let Some(turn) = state.members.get(asker).and_then(|member| member.turn) else {
        return;
    };
    if draft.has_ended(turn) {
        return;
    }
    let waits = state.turns.get(&turn).and_then(|open| {
        open.calls
            .iter()
            .find(|c| c.id == call && matches!(c.state, CallState::Waiting { .. }))
    });
    let Some(waiting) = waits else { return };
    let (member, tool, args) = (asker.clone(), waiting.tool.clone(), waiting.args.clone());
    let event: Event = match outcome {
        Ok(text) => ToolFinished {
            call,
            turn: Some(turn),
            member: Some(member),
            tool,
            result: text.clone(),
        }
        .into(),
        Err(reason) => ToolFailed {
            call,
            turn: Some(turn),
            member: Some(member),
            tool,
            args,
            reason: reason.to_owned(),
        }
        .into(),
    };
    draft.emit_from(cause, event);
}
