//! Whatever happens to deliveries, in any order, some things always hold.

use super::delivery_kit::{POST, gone, lost, route, taken, unwell};
use super::harness::{Mob, ada};
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, MobCommand, RuntimeCommand,
};
use mobkit_domain::event::Event;
use mobkit_domain::id::DeliveryId;
use mobkit_domain::row::{DeliveryState, Row};
use mobkit_domain::state::{ATTEMPTS_AT_ONCE_MAX, DeliveryStatus, RATE_WINDOW_MS};
use mobkit_domain::time::Time;
use mobkit_domain::world::next_due;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Op {
    Send(usize),
    End(usize, usize),
    Pass(u64),
    UntilDue,
    Crash,
    Restart,
    Replay(usize),
    Bring,
    Pause,
    Resume,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..5_usize).prop_map(Op::Send),
        8 => (any::<usize>(), 0..5_usize).prop_map(|(which, how)| Op::End(which, how)),
        3 => (0..90_000_u64).prop_map(Op::Pass),
        4 => Just(Op::UntilDue),
        1 => Just(Op::Crash),
        1 => Just(Op::Restart),
        2 => any::<usize>().prop_map(Op::Replay),
        1 => Just(Op::Bring),
        1 => Just(Op::Pause),
        1 => Just(Op::Resume),
    ]
}

const RECIPIENTS: [(&str, Option<&str>); 5] = [
    ("ops", None),
    ("desk", Some("mail")),
    ("slow", None),
    ("bob", None),
    ("member:ann", None),
];

fn outcome(how: usize) -> AttemptOutcome {
    match how {
        0 => unwell(),
        1 => lost(),
        2 => gone(),
        _ => taken(),
    }
}

fn run(mob: &mut Mob, op: &Op) {
    match op {
        Op::Send(which) => {
            let (recipient, channel) = RECIPIENTS[*which];
            let command = super::delivery_kit::send(recipient, channel, json!("hello"));
            if let Err(refusal) = mob.delivery_as(ada(), command) {
                assert_eq!(refusal.code, "route.disabled");
            }
        }
        Op::End(which, how) => {
            let open = mob.world.state.deliveries.iter();
            let flying: Vec<DeliveryId> = open
                .filter(|(_, open)| matches!(open.status, DeliveryStatus::Attempting { .. }))
                .map(|(id, _)| *id)
                .collect();
            if !flying.is_empty() {
                mob.attempt_ended(flying[which % flying.len()], outcome(*how));
            }
        }
        Op::Pass(ms) => {
            mob.pass_ms(*ms);
            mob.runtime(RuntimeCommand::Tick);
        }
        Op::UntilDue => {
            if let Some(due) = next_due(&mob.world.state) {
                assert!(due > mob.now, "what is due is done");
                mob.until_due();
                assert!(
                    mob.last().next().is_some(),
                    "it was due and nothing happened"
                );
            }
        }
        Op::Crash => {
            mob.crash();
            mob.runtime(RuntimeCommand::Ready);
        }
        Op::Restart => {
            mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
            let drain = mobkit_domain::event::DrainReport::default();
            mob.runtime(RuntimeCommand::Stop { drain });
            mob.start();
            mob.runtime(RuntimeCommand::Ready);
        }
        Op::Replay(which) => replay(mob, *which),
        Op::Bring => {
            for id in ["hook", "mail", "slow"] {
                let route = route(id);
                mob.order(Command::Delivery(DeliveryCommand::RouteEnable { route }));
            }
        }
        Op::Pause => mob.mob(MobCommand::Pause { reason: None }),
        Op::Resume => mob.mob(MobCommand::Resume),
    }
}

/// Sends one of those again that are over.
fn replay(mob: &mut Mob, which: usize) {
    let rows = mob.rows.values().filter_map(|row| match row {
        Row::Delivery(row) => Some(row),
        _ => None,
    });
    let over: Vec<DeliveryId> = rows
        .filter(|row| matches!(row.state, DeliveryState::Dead | DeliveryState::Unknown))
        .map(|row| row.queued.delivery)
        .collect();
    if over.is_empty() {
        return;
    }
    let row = mob.delivery_row(over[which % over.len()]);
    let replay = DeliveryCommand::Replay(Box::new(row));
    if let Err(refusal) = mob.delivery_as(ada(), replay) {
        assert_eq!(refusal.code, "route.disabled");
    }
}

/// The index against a count from scratch.
fn check_state(mob: &Mob) {
    let state = &mob.world.state;
    let mut attempting: BTreeMap<&str, BTreeSet<DeliveryId>> = BTreeMap::new();
    let mut waiting: BTreeMap<&str, BTreeSet<(Time, DeliveryId)>> = BTreeMap::new();
    for (id, open) in &state.deliveries {
        let name = open.queued.route.as_str();
        match open.status {
            DeliveryStatus::Attempting { .. } => {
                attempting.entry(name).or_default().insert(*id);
            }
            DeliveryStatus::Waiting { not_before } => {
                waiting.entry(name).or_default().insert((not_before, *id));
            }
        }
    }
    for (id, route) in &state.routes {
        let counted = attempting.remove(id.as_str()).unwrap_or_default();
        assert_eq!(counted, route.attempting, "{id}");
        assert!(counted.len() <= ATTEMPTS_AT_ONCE_MAX, "{id}");
    }
    assert!(attempting.is_empty(), "members have it with the attempt");
    let kept: BTreeMap<&str, _> = state
        .delivery_waiting
        .iter()
        .map(|(name, waiting)| (name.as_str(), waiting.deliveries.clone()))
        .collect();
    assert_eq!(kept, waiting);
    let mut dues = BTreeSet::new();
    for (name, waiting) in &waiting {
        let opens = match state.route(name) {
            Some(route) => route.opens(),
            None => Some(Time(i64::MIN)),
        };
        let first = waiting.first().expect("something waits").0;
        dues.extend(opens.map(|opens| (opens.max(first), (*name).to_owned())));
    }
    assert_eq!(dues, state.delivery_dues);
    if state.line_runs() {
        let late = state
            .delivery_dues
            .first()
            .filter(|(due, _)| *due <= mob.now);
        assert_eq!(late, None, "what is due is done");
    }
}

/// Where a delivery stands, told from the journal alone.
#[derive(Debug, PartialEq)]
enum Stands {
    Waits,
    Flies,
    Over,
}

/// The story of every delivery.
fn check_journal(mob: &Mob) {
    let mut stands: BTreeMap<DeliveryId, Stands> = BTreeMap::new();
    let mut rated: Vec<Time> = Vec::new();
    for envelope in &mob.journal {
        let (id, before, after) = match &envelope.event {
            Event::DeliveryQueued(e) => {
                assert_eq!(stands.insert(e.delivery, Stands::Waits), None);
                continue;
            }
            Event::DeliveryReplayed(e) => (e.queued.delivery, Stands::Over, Stands::Waits),
            Event::DeliveryAttempted(e) => {
                if e.route == "slow" {
                    let minute = rated
                        .iter()
                        .rev()
                        .take_while(|earlier| envelope.time.since_ms(**earlier) < RATE_WINDOW_MS);
                    assert!(minute.count() < 3, "the rate is kept");
                    rated.push(envelope.time);
                }
                (e.delivery, Stands::Waits, Stands::Flies)
            }
            Event::DeliveryFailed(e) => (e.delivery, Stands::Flies, Stands::Waits),
            Event::DeliveryDelivered(e) => (e.delivery, Stands::Flies, Stands::Over),
            Event::DeliveryUnknown(e) => (e.delivery, Stands::Flies, Stands::Over),
            Event::DeliveryDead(e) => {
                assert_ne!(stands.insert(e.delivery, Stands::Over), Some(Stands::Over));
                continue;
            }
            _ => continue,
        };
        // Among others: never two attempts at once, and none after an unknown one by itself.
        assert_eq!(stands.insert(id, after), Some(before), "{envelope:?}");
    }
    for (id, stands) in stands {
        let open = mob.world.state.deliveries.contains_key(&id);
        assert_eq!(open, stands != Stands::Over, "{id}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn deliveries_keep_their_promises(ops in proptest::collection::vec(op(), 1..80)) {
        let mut mob = Mob::ready_of(POST);
        mob.converge_routes();
        for op in &ops {
            run(&mut mob, op);
            check_state(&mob);
        }
        check_journal(&mob);
        let state = serde_json::to_string(&mob.world.state).expect("a snapshot");
        let read: mobkit_domain::state::State = serde_json::from_str(&state).expect("a snapshot");
        prop_assert_eq!(&read, &mob.world.state);
        // Left alone, everything comes to its end.
        mob.mob(MobCommand::Resume);
        for _ in 0..2_000 {
            let flying = mob.world.state.deliveries.iter().find(|(_, open)| {
                matches!(open.status, DeliveryStatus::Attempting { .. })
            });
            let bob = mob.world.state.members.iter().find(|(_, m)| m.turn.is_some());
            if let Some((id, _)) = flying {
                let id = *id;
                mob.attempt_ended(id, taken());
            } else if let Some((member, _)) = bob {
                let member = member.to_string();
                mob.answers(&member, "yes");
            } else if next_due(&mob.world.state).is_some() {
                mob.until_due();
            } else {
                break;
            }
        }
        prop_assert!(mob.world.state.deliveries.is_empty());
    }
}

#[test]
fn a_full_route_costs_nothing_however_many_wait_on_it() {
    let mut mob = Mob::ready_of(POST);
    mob.converge_routes();
    mob.mob(MobCommand::Pause { reason: None });
    for _ in 0..200 {
        mob.hook();
    }
    mob.mob(MobCommand::Resume);
    let state = &mob.world.state;
    assert_eq!(state.delivery_waiting["hook"].deliveries.len(), 192);
    assert!(state.delivery_dues.is_empty(), "nobody looks at it");
    assert_eq!(next_due(state), None);
}
