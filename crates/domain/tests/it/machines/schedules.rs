//! When schedules fire, what an occurrence starts, and how it ends.

use super::harness::{Mob, member};
use super::module_kit::tools;
use super::schedule_kit::{HOUR, MINUTE, ROTA, rota_with, schedule, time};
use mobkit_domain::command::{
    Command, MemberCommand, MobCommand, RuntimeCommand, ScheduleCommand, Submission, ToolOutcome,
    TurnCommand,
};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, RetireMode, Source};
use mobkit_domain::model::FailureClass;
use mobkit_domain::principal::Principal;
use mobkit_domain::world::decide;

const DISPATCH: &str = "occurrence.claimed message.accepted occurrence.dispatched \
                        message.delivered turn.started";

#[test]
fn an_occurrence_is_claimed_and_started_in_one_batch_and_ends_with_its_turn() {
    let mut mob = Mob::rota(&rota_with(
        "cron = \"0 7 * * *\"\ntimezone = \"Europe/London\"",
    ));
    mob.later(HOUR - 1);
    mob.then("");
    mob.later(1);
    mob.then(DISPATCH);
    let message = mob.last().find_map(|envelope| match &envelope.event {
        Event::MessageAccepted(e) => Some(e.clone()),
        _ => None,
    });
    let message = message.expect("a message");
    assert_eq!((message.from, message.origin), (Principal::Runtime, None));
    assert_eq!(message.text.inline(), Some("s 2025-11-22 07:00"));
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed occurrence.completed");
    let row = mob.occurrence_rows()[0].clone();
    assert_eq!((row.state.as_str(), row.attempts), ("completed", 1));
    assert!(row.turn.is_some() && row.started.is_some());
    mob.later(24 * HOUR);
    mob.then(DISPATCH);
}

#[test]
fn a_new_schedule_does_not_fire_for_the_time_before() {
    let mut mob = Mob::rota(&rota_with("cron = \"59 5 * * *\""));
    mob.then("schedule.defined");
    mob.later(HOUR);
    mob.then("");
}

#[test]
fn a_turn_that_fails_or_is_cancelled_fails_its_occurrence() {
    let file = rota_with("every = \"1h\"");
    let mut mob = Mob::rota(&file);
    mob.later(HOUR);
    mob.fails("ann", FailureClass::Unauthorized, None);
    assert_eq!(mob.stand(), ["failed"]);
    assert!(!mob.data("occurrence.failed")["turn"].is_null());
    mob.later(HOUR);
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    assert_eq!(mob.stand(), ["failed", "failed"]);
    // One whose message never got a turn.
    mob.member(MemberCommand::Pause {
        member: member("ann"),
        reason: None,
    });
    mob.later(HOUR);
    assert_eq!(mob.stand(), ["failed", "failed", "dispatched"]);
    mob.member(MemberCommand::Retire {
        member: member("ann"),
        mode: RetireMode::Now,
        reason: None,
    });
    assert_eq!(mob.stand(), ["failed", "failed", "failed"]);
    assert!(mob.world.state.occurrence_messages.is_empty());
}

#[test]
fn a_clock_that_is_set_back_fires_nothing_again() {
    let mut mob = Mob::rota(&rota_with("every = \"10m\"\noverlap = \"allow\""));
    mob.later(10 * MINUTE);
    mob.then(DISPATCH);
    let began = mob.now;
    for minutes in [30, 5, 11] {
        mob.now = time("2025-11-22T06:00:00Z");
        mob.pass_ms(minutes * 1_000);
        mob.runtime(RuntimeCommand::Tick);
        mob.then("");
    }
    mob.now = began;
    mob.later(10 * MINUTE);
    assert_eq!(mob.count("occurrence.claimed"), 2);
}

#[test]
fn the_time_of_a_pause_of_the_mob_is_made_up_for_as_the_policy_says() {
    let cases = [
        ("skip", vec!["missed"], 0),
        ("latest", vec!["missed", "claimed", "dispatched"], 1),
        (
            "all",
            vec![
                "claimed",
                "dispatched",
                "claimed",
                "dispatched",
                "claimed",
                "dispatched",
            ],
            3,
        ),
    ];
    for (policy, verbs, started) in cases {
        let keys = format!(
            "every = \"1h\"\noverlap = \"allow\"\nmissed = {{ policy = \"{policy}\", within = \"12h\" }}"
        );
        let mut mob = Mob::rota(&rota_with(&keys));
        mob.mob(MobCommand::Pause { reason: None });
        mob.later(3 * HOUR + MINUTE);
        mob.then("");
        mob.mob(MobCommand::Resume);
        let found: Vec<&str> = mob
            .occurrences()
            .into_iter()
            .map(|(verb, _)| verb)
            .collect();
        assert_eq!(found, verbs, "{policy}");
        assert_eq!(mob.count("occurrence.dispatched"), started);
        mob.later(HOUR - MINUTE);
        assert_eq!(mob.count("occurrence.dispatched"), started + 1);
    }
}

#[test]
fn a_downtime_longer_than_the_window_is_dropped_and_counted() {
    let keys =
        "every = \"1h\"\nmissed = { policy = \"all\", within = \"90m\" }\noverlap = \"allow\"";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.pass_ms(10 * HOUR + MINUTE);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    let missed = mob.data("occurrence.missed");
    assert_eq!(missed["count"], 8);
    assert_eq!(missed["until"], "2025-11-22T14:00:00.000Z");
    assert_eq!(mob.stand(), ["missed", "dispatched", "dispatched"]);
}

#[test]
fn jitter_puts_an_occurrence_off_by_the_same_each_time() {
    let keys = "every = \"1h\"\njitter = \"10m\"";
    let mob = Mob::rota(&rota_with(keys));
    let next = mob.schedule("s").next.expect("it fires");
    let due = time("2025-11-22T07:00:00Z");
    assert!(next > due && next <= due.plus_ms(10 * MINUTE), "{next}");
    let again = Mob::rota(&rota_with(keys));
    assert_eq!(again.schedule("s").next, Some(next));
}

#[test]
fn a_full_queue_is_tried_again_until_the_window_is_over() {
    let keys = "every = \"1h\"\nmissed = { within = \"5s\" }";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.member(MemberCommand::Pause {
        member: member("ann"),
        reason: None,
    });
    for _ in 0..3 {
        mob.send("ann", "work");
    }
    mob.later(HOUR);
    mob.then("occurrence.claimed occurrence.failed");
    let retry = |mob: &Mob| mob.data("occurrence.failed")["retry_at"].clone();
    assert_eq!(retry(&mob), "2025-11-22T07:00:01.000Z");
    mob.later(999);
    mob.then("");
    mob.later(1);
    assert_eq!(retry(&mob), "2025-11-22T07:00:03.000Z");
    mob.later(2_000);
    assert_eq!(retry(&mob), "2025-11-22T07:00:05.000Z");
    let mut other = mob.clone();
    mob.later(2_000);
    mob.then("occurrence.failed error.raised");
    assert!(retry(&mob).is_null());
    let row = mob.occurrence_rows()[0];
    assert_eq!((row.state.as_str(), row.attempts), ("failed", 4));
    // There is room in time.
    other.member(MemberCommand::Resume {
        member: member("ann"),
    });
    other.answers("ann", "done");
    other.later(2_000);
    other.then("message.accepted occurrence.dispatched");
    assert_eq!(other.occurrence_rows()[0].attempts, 4);
}

#[test]
fn a_member_that_left_is_waited_for() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    mob.member(MemberCommand::Retire {
        member: member("ann"),
        mode: RetireMode::Now,
        reason: None,
    });
    mob.later(HOUR);
    mob.then("occurrence.claimed occurrence.failed");
    mob.spawn(super::harness::spec("ann", "desk"));
    mob.later(1_000);
    mob.then("message.accepted occurrence.dispatched message.delivered turn.started");
}

#[test]
fn what_a_schedule_says_comes_from_the_runtime() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    mob.later(HOUR);
    let accepted = mob.last().find(|e| e.event.kind() == "message.accepted");
    let accepted = accepted.expect("a message");
    assert_eq!(accepted.source, Source::Runtime);
    let delivered = mob.last().find(|e| e.event.kind() == "message.delivered");
    assert_eq!(delivered.expect("it is taken up").source, Source::Agent);
}

#[test]
fn a_template_that_fails_fails_its_occurrence_at_once() {
    let keys = "every = \"1h\"\nto = { member = \"ann\" }\n\
                message = \"{% if due > '2000' %}{{ nobody }}{% endif %}\"";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.later(HOUR);
    mob.then("occurrence.claimed occurrence.failed error.raised");
    let reason = mob.data("occurrence.failed")["reason"].to_string();
    assert!(reason.contains("template"), "{reason}");
    mob.later(HOUR);
    mob.then("occurrence.claimed occurrence.failed error.raised");
}

#[test]
fn a_tool_is_called_and_its_outcome_ends_the_occurrence() {
    let keys = "every = \"1h\"\nto = { module = \"search\", tool = \"warm\" }\n\
                message = '{\"at\": \"{{ due | time }}\"}'";
    let outcomes = [
        (ToolOutcome::Finished("warm".into()), "completed"),
        (ToolOutcome::Failed("cold".into()), "failed"),
        (ToolOutcome::Lost("gone".into()), "failed"),
    ];
    for (outcome, stands) in outcomes {
        let mut mob = Mob::rota(&rota_with(keys));
        mob.is_healthy("search", Some(tools(&["warm", "send"])));
        mob.later(HOUR);
        mob.then("occurrence.claimed tool.started occurrence.dispatched");
        let call = mob.asked.iter().find_map(|effect| match effect {
            Effect::ToolCall {
                call,
                args,
                turn: None,
                ..
            } => {
                assert_eq!(args["at"], "07:00");
                Some(*call)
            }
            _ => None,
        });
        let call = call.expect("a call");
        mob.internal(Command::Turn(TurnCommand::ToolEnded {
            turn: None,
            call,
            outcome,
        }));
        assert_eq!(mob.stand(), [stands]);
        assert!(mob.world.state.occurrence_calls.is_empty());
    }
    // The process dies in the middle.
    let mut mob = Mob::rota(&rota_with(&keys.replace("warm", "send")));
    mob.is_healthy("search", Some(tools(&["warm", "send"])));
    mob.later(HOUR);
    mob.crash();
    assert_eq!(mob.stand(), ["failed"]);
    assert_eq!(mob.count("tool.unknown"), 1);
}

#[test]
fn a_module_that_an_operator_stopped_is_waited_for() {
    let keys = "every = \"1h\"\nto = { module = \"search\", tool = \"warm\" }";
    let mut mob = Mob::rota(&rota_with(keys));
    mob.is_healthy("search", Some(tools(&["warm"])));
    mob.stop_module("search");
    mob.has_stopped("search");
    mob.later(HOUR);
    mob.then("occurrence.claimed occurrence.failed");
    mob.start_module("search");
    mob.is_healthy("search", None);
    mob.later(1_000);
    mob.then("tool.started occurrence.dispatched");
}

#[test]
fn a_crash_leaves_what_was_dispatched_to_its_turn() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    mob.later(HOUR);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.count("occurrence.claimed"), 1);
    mob.answers("ann", "done");
    assert_eq!(mob.stand(), ["completed"]);
    assert_eq!(mob.count("message.accepted"), 1);
}

#[test]
fn more_schedules_than_one_look_takes_all_fire() {
    let mut mob = Mob::ready_of(ROTA);
    for n in 0..1_200 {
        mob.put(serde_json::json!({
            "id": format!("s{n}"), "every": "1h", "to": {"member": "ann"}, "message": "x",
            "missed": {"policy": "skip"},
        }));
    }
    mob.member(MemberCommand::Pause {
        member: member("ann"),
        reason: None,
    });
    mob.later(HOUR);
    assert_eq!(mob.count("occurrence.claimed"), 1_200);
    // The queue of ann takes three; a batch counts what it adds itself.
    assert_eq!(mob.count("occurrence.dispatched"), 3);
    let next = mob.world.state.schedule_dues.first().expect("a due").0;
    assert!(next > mob.now);
    mob.schedules(ScheduleCommand::Remove {
        schedule: schedule("s0"),
    });
}

#[test]
fn one_look_is_bounded_however_much_is_made_up_for() {
    let mut mob = Mob::ready_of(ROTA);
    for n in 0..10 {
        mob.put(serde_json::json!({
            "id": format!("s{n}"), "every": "1s", "to": {"member": "ann"}, "message": "x",
            "missed": {"policy": "all", "within": "12h"}, "overlap": "allow",
        }));
    }
    mob.pass_ms(HOUR);
    let tick = Submission::internal(Command::Runtime(RuntimeCommand::Tick));
    let decision = decide(&mob.world, &tick, mob.now).expect("it looks");
    let claimed = decision.events.iter();
    let claimed = claimed.filter(|event| event.event.kind() == "occurrence.claimed");
    // A look ends after 3,000 events, with the schedule that it is at.
    assert!((1_000..=3_000).contains(&claimed.count()));
    assert!(decision.events.len() < 6_000);
}

#[test]
fn a_module_that_is_stopped_for_idleness_is_started_again_for_the_schedule_due_at_that_time() {
    let keys = "every = \"1h\"\nto = { module = \"search\", tool = \"send\" }";
    let command = "command = [\"search\"]\n";
    let lazy = format!("{command}start = \"lazy\"\nidle_stop = \"1h\"\n");
    let mut mob = Mob::rota(&rota_with(keys).replace(command, &lazy));
    mob.is_healthy("search", Some(tools(&["warm", "send"])));
    mob.later(HOUR);
    mob.then("module.stopping occurrence.claimed occurrence.failed");
    mob.has_stopped("search");
    mob.later(1_000);
    mob.then("tool.started module.starting occurrence.dispatched");
}

#[test]
fn of_schedules_that_were_removed_only_the_latest_and_those_with_open_work_are_remembered() {
    let mut mob = Mob::ready_of(ROTA);
    let entry = |id: &str| {
        serde_json::json!({
            "id": id, "every": "1h", "to": {"member": "ann"}, "message": "x",
        })
    };
    let remove = |id: &str| ScheduleCommand::Remove {
        schedule: schedule(id),
    };
    mob.put(entry("busy"));
    mob.trigger("busy");
    mob.schedules(remove("busy"));
    for n in 0..1_100 {
        let id = format!("s{n}");
        mob.pass_ms(1);
        mob.put(entry(&id));
        mob.schedules(remove(&id));
    }
    let removed = &mob.world.state.removed_schedules;
    assert_eq!(removed.len(), 1_000);
    assert!(removed.contains_key(&schedule("busy")) && removed.contains_key(&schedule("s1099")));
    assert!(!removed.contains_key(&schedule("s0")));
}
