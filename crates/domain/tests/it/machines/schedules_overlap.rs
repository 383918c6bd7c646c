//! What happens when an occurrence is due while an earlier one is open.

use super::harness::{Mob, member};
use super::module_kit::tools;
use super::schedule_kit::{HOUR, MINUTE, rota_with, schedule};
use mobkit_domain::command::{Command, MemberCommand, ScheduleCommand, ToolOutcome, TurnCommand};

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
fn several_that_are_made_up_for_overlap_too() {
    let cases = [
        ("skip", vec!["claimed", "dispatched", "skipped", "skipped"]),
        ("queue", vec!["claimed", "dispatched", "claimed", "claimed"]),
        (
            "cancel",
            vec!["skipped", "skipped", "claimed", "dispatched"],
        ),
    ];
    for (overlap, expected) in cases {
        let keys =
            format!("every = \"1h\"\noverlap = \"{overlap}\"\nmissed = {{ policy = \"all\" }}");
        let mut mob = Mob::rota(&rota_with(&keys));
        mob.later(3 * HOUR + MINUTE + 1);
        assert_eq!(verbs(&mob), expected, "{overlap}");
    }
}
