//! What happens when an occurrence is due while an earlier one is open.

use super::harness::{Mob, member};
use super::module_kit::tools;
use super::schedule_kit::{HOUR, MINUTE, rota_with, schedule};
use mobkit_domain::command::{Command, MemberCommand, ScheduleCommand, ToolOutcome, TurnCommand};
use mobkit_domain::event::Occasion;

fn mob(overlap: &str) -> Mob {
    Mob::rota(&rota_with(&format!(
        "every = \"1h\"\noverlap = \"{overlap}\""
    )))
}

fn verbs(mob: &Mob) -> Vec<&str> {
    mob.occurrences()
        .into_iter()
        .map(|(verb, _)| verb)
        .collect()
}

#[test]
fn skip_drops_it_visibly() {
    let mut mob = mob("skip");
    mob.later(HOUR);
    mob.later(HOUR);
    mob.then("occurrence.skipped");
    assert_eq!(mob.stand(), ["dispatched", "skipped"]);
    mob.answers("ann", "done");
    mob.later(HOUR);
    assert_eq!(verbs(&mob), ["claimed", "dispatched"]);
}

#[test]
fn queue_lets_it_wait_and_starts_it_when_the_earlier_one_ends() {
    let mut mob = mob("queue");
    mob.later(HOUR);
    mob.later(HOUR);
    mob.then("occurrence.claimed");
    mob.later(HOUR);
    assert_eq!(mob.stand(), ["dispatched", "claimed", "claimed"]);
    mob.answers("ann", "done");
    assert_eq!(verbs(&mob), ["completed", "dispatched"]);
    assert_eq!(mob.stand(), ["completed", "dispatched", "claimed"]);
    mob.answers("ann", "done");
    mob.answers("ann", "done");
    assert_eq!(mob.stand(), ["completed"; 3]);
    assert!(mob.schedule("s").open.is_empty());
}

#[test]
fn at_most_a_hundred_wait() {
    let mut mob = mob("queue");
    for _ in 0..102 {
        mob.later(HOUR);
    }
    mob.then("occurrence.skipped");
    assert_eq!(mob.schedule("s").open.len(), 101);
    let refused = ScheduleCommand::Trigger {
        schedule: schedule("s"),
    };
    assert_eq!(
        mob.refused(Command::Schedule(refused)),
        "schedule.queue_full"
    );
}

#[test]
fn cancel_stops_the_earlier_one_first() {
    let mut mob = mob("cancel");
    mob.later(HOUR);
    mob.later(HOUR);
    mob.then(
        "turn.cancelled occurrence.failed occurrence.claimed message.accepted \
         occurrence.dispatched message.delivered turn.started",
    );
    assert_eq!(mob.stand(), ["failed", "dispatched"]);
    // A message that no turn has taken up is withdrawn.
    mob.answers("ann", "done");
    mob.member(MemberCommand::Pause {
        member: member("ann"),
        reason: None,
    });
    mob.later(HOUR);
    mob.later(HOUR);
    mob.then(
        "message.cancelled occurrence.failed occurrence.claimed message.accepted \
         occurrence.dispatched",
    );
    assert_eq!(mob.queue_of("ann"), 1);
}

#[test]
fn cancel_leaves_a_call_alone_and_waits_for_it_no_longer() {
    let keys =
        "every = \"1h\"\noverlap = \"cancel\"\nto = { module = \"search\", tool = \"warm\" }";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.is_healthy("search", Some(tools(&["warm"])));
    mob.later(HOUR);
    let call = *mob
        .world
        .state
        .occurrence_calls
        .keys()
        .next()
        .expect("a call");
    mob.later(HOUR);
    mob.then("occurrence.failed occurrence.claimed tool.started occurrence.dispatched");
    let outcome = ToolOutcome::Finished("late".into());
    mob.internal(Command::Turn(TurnCommand::ToolEnded {
        turn: None,
        call,
        outcome,
    }));
    mob.then("tool.finished");
    assert_eq!(mob.stand(), ["failed", "dispatched"]);
}

#[test]
fn allow_runs_them_beside_each_other() {
    let mut mob = mob("allow");
    mob.later(HOUR);
    mob.later(HOUR);
    assert_eq!(mob.stand(), ["dispatched", "dispatched"]);
    mob.answers("ann", "done");
    mob.answers("ann", "done");
    assert_eq!(mob.stand(), ["completed", "completed"]);
}

#[test]
fn all_that_were_missed_wait_for_one_another_whatever_the_overlap_says() {
    for overlap in ["skip", "queue", "cancel"] {
        let keys =
            format!("every = \"1h\"\noverlap = \"{overlap}\"\nmissed = {{ policy = \"all\" }}");
        let mut mob = Mob::rota(&rota_with(&keys));
        mob.later(3 * HOUR + MINUTE + 1);
        let expected = ["claimed", "dispatched", "claimed", "claimed"];
        assert_eq!(verbs(&mob), expected, "{overlap}");
        for _ in 0..3 {
            mob.answers("ann", "done");
        }
        assert_eq!(mob.stand(), ["completed"; 3], "{overlap}");
    }
}

#[test]
fn all_that_were_missed_wait_for_one_that_is_still_open_too() {
    for overlap in ["skip", "queue", "cancel"] {
        let keys =
            format!("every = \"1h\"\noverlap = \"{overlap}\"\nmissed = {{ policy = \"all\" }}");
        let mut mob = Mob::rota(&rota_with(&keys));
        mob.later(HOUR);
        mob.later(2 * HOUR + MINUTE + 1);
        assert_eq!(verbs(&mob), ["claimed", "claimed"], "{overlap}");
        mob.answers("ann", "done");
        assert_eq!(verbs(&mob), ["completed", "dispatched"], "{overlap}");
    }
}

#[test]
fn one_that_is_due_after_those_that_were_missed_follows_the_overlap() {
    let cases = [
        ("skip", vec!["skipped"]),
        ("queue", vec!["claimed"]),
        ("cancel", vec!["failed", "skipped", "claimed", "dispatched"]),
    ];
    for (overlap, expected) in cases {
        let keys =
            format!("every = \"1h\"\noverlap = \"{overlap}\"\nmissed = {{ policy = \"all\" }}");
        let mut mob = Mob::rota(&rota_with(&keys));
        mob.later(2 * HOUR + MINUTE + 1);
        assert_eq!(mob.stand(), ["dispatched", "claimed"], "{overlap}");
        mob.later(HOUR - MINUTE - 1);
        assert_eq!(verbs(&mob), expected, "{overlap}");
    }
}

#[test]
fn one_that_is_due_at_the_same_look_cancels_those_that_were_missed() {
    let keys = "every = \"1h\"\noverlap = \"cancel\"\nmissed = { policy = \"all\" }";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.later(3 * HOUR);
    let expected = ["skipped", "skipped", "claimed", "dispatched"];
    assert_eq!(verbs(&mob), expected);
}

#[test]
fn a_thousand_that_were_missed_wait_and_leave_the_queue_its_room() {
    let keys = "every = \"1s\"\noverlap = \"queue\"\nmissed = { policy = \"all\" }";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.later(2_000_000);
    let open = mob.schedule("s").open.values();
    let made_up = open.filter(|open| open.occasion == Occasion::MadeUp);
    assert_eq!(made_up.count(), 1_000);
    let regular = mob.schedule("s").open.len() - 1_000;
    assert!((1..=100).contains(&regular), "{regular}");
    let beyond = ScheduleCommand::Backfill {
        schedule: schedule("s"),
        dues: vec![mob.schedule("s").anchor.plus_ms(1_000)],
    };
    assert_eq!(
        mob.refused(Command::Schedule(beyond)),
        "schedule.backfill_too_many"
    );
}
