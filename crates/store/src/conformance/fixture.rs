//! Mobs, events and rows for the cases.

use crate::store::{Batch, EventQuery, Opened, Store, StoreError};
use mobkit_domain::definition::{Approver, OnExpiry, Role};
use mobkit_domain::event::{
    ApprovalRequested, Envelope, Event, Matter, MemberPaused, MobPaused, MobResumed, NewEvent,
    ToolEffect,
};
use mobkit_domain::id::{ApprovalId, CallId, MemberId, MessageId, MobId, Seq, TurnId};
use mobkit_domain::model::Usage;
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{
    ApprovalRow, ApprovalState, MessageRow, MessageState, Row, TurnRow, TurnStatus,
};
use mobkit_domain::time::Time;
use serde_json::json;

pub(super) fn mob(id: &str) -> MobId {
    MobId::parse(id).expect("a valid id")
}

pub(super) fn member(id: &str) -> MemberId {
    MemberId::parse(id).expect("a valid id")
}

/// Events happen a second apart, the first one second after the beginning of time.
pub(super) fn time(seq: Seq) -> Time {
    Time::default().plus_ms(seq * 1_000)
}

/// An event about the mob, with a text of its own.
pub(super) fn about_mob(seq: Seq, mob: &MobId) -> Envelope {
    let reason = format!("pause \"{seq}\" ☂");
    NewEvent::of(MobPaused {
        reason: Some(reason),
    })
    .at(seq, time(seq), mob)
}

/// An event about a member, with everything that an envelope may carry.
pub(super) fn about_member(seq: Seq, mob: &MobId, id: &str) -> Envelope {
    let actor = Principal::Operator("ada".to_owned());
    let event = NewEvent::of(MemberPaused {
        member: member(id),
        reason: None,
        budget: None,
        until: None,
    })
    .by(&actor)
    .caused_by(seq.saturating_sub(1));
    Envelope {
        trace: Some(format!("trace-{seq}")),
        ..event.at(seq, time(seq), mob)
    }
}

/// So many events from `first` on, alternating between two kinds and three subjects.
pub(super) fn mixed(first: Seq, count: u64, mob: &MobId) -> Vec<Envelope> {
    let event = |seq| match seq % 4 {
        0 => about_member(seq, mob, "ann"),
        1 => about_mob(seq, mob),
        2 => about_member(seq, mob, "bob"),
        _ => NewEvent::of(Event::from(MobResumed {})).at(seq, time(seq), mob),
    };
    (first..first + count).map(event).collect()
}

pub(super) fn events(events: Vec<Envelope>) -> Batch {
    Batch {
        events,
        rows: Vec::new(),
    }
}

/// Opens the mob and fills its journal with [`mixed`] events.
pub(super) async fn filled(store: &dyn Store, mob: &MobId, count: u64) -> Opened {
    let opened = store.open(mob).await.expect("the mob opens");
    let batch = events(mixed(1, count, mob));
    store
        .append(mob, opened.epoch, 1, batch)
        .await
        .expect("the first batch is appended");
    opened
}

/// The whole journal, read in pages of `limit`.
pub(super) async fn journal(store: &dyn Store, mob: &MobId, limit: usize) -> Vec<Envelope> {
    let mut query = EventQuery {
        limit,
        ..EventQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let page = store.events(mob, query.clone()).await.expect("a page");
        assert!(
            page.events.len() <= limit,
            "a page holds at most what was asked for"
        );
        found.extend(page.events);
        if page.at_end {
            return found;
        }
        query.after = page.next_after;
    }
}

pub(super) fn message(number: Seq, to: &str, state: MessageState) -> Row {
    Row::Message(MessageRow {
        message: MessageId(number),
        from: Principal::App("feed".to_owned()),
        to: member(to),
        state,
        accepted: time(number),
        turn: None,
        correlation: Some(format!("\u{1F30A} {number}")),
        reason: None,
    })
}

pub(super) fn turn(number: Seq, of: &str, status: TurnStatus) -> Row {
    Row::Turn(TurnRow {
        turn: TurnId(number),
        member: member(of),
        profile: None,
        model: None,
        status,
        messages: vec![MessageId(number)],
        steps: 2,
        text: Some("an answer".into()),
        finish: None,
        class: None,
        reason: None,
        usage: Usage {
            input_tokens: 7,
            output_tokens: 3,
            ..Usage::default()
        },
        tokens: 10,
        cost_usd: None,
        seq: number,
        started: time(number),
        ended: None,
    })
}

pub(super) fn approval(number: Seq, of: &str, state: ApprovalState) -> Row {
    let ada = Principal::Operator("ada".to_owned());
    let decided = state != ApprovalState::Pending;
    Row::Approval(Box::new(ApprovalRow {
        request: ApprovalRequested {
            approval: ApprovalId(number),
            call: CallId {
                reply: number.saturating_sub(1),
                index: 2,
            },
            turn: TurnId(number.saturating_sub(2)),
            member: member(of),
            tool: "module:mail/send".to_owned(),
            sink: None,
            args: json!({"to": "\u{1F30A}", "n": 1.5, "deep": [null, {"a": true}]}),
            effect: ToolEffect::Effect,
            digest: format!("sha256:{number:064x}"),
            policy: "a policy".to_owned(),
            matter: Matter::Gate {
                gate: "module:mail/*".to_owned(),
            },
            why: "a gate wants a decision".to_owned(),
            origin: ada.clone(),
            messages: vec![MessageId(number.saturating_sub(3))],
            approvers: vec![Approver::Role(Role::Approver)],
            four_eyes: true,
            expires: Some(time(number + 60)),
            on_expiry: OnExpiry::Hold,
        },
        state,
        requested: time(number),
        held: !decided,
        ended: decided.then(|| time(number + 1)),
        by: decided.then_some(ada),
        decided_args: decided.then(|| json!({"to": "bob"})),
        reason: decided.then(|| "so".to_owned()),
        seq: number,
    }))
}

/// Whether the refusal is the one that a batch gets which does not follow.
pub(super) fn follows_not(result: &Result<(), StoreError>, next: Seq) -> bool {
    matches!(result, Err(StoreError::SeqMismatch { expected, .. }) if *expected == next)
}
