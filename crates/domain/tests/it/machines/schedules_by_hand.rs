//! What people, programs and members do to schedules.

use super::harness::{Mob, ada, member};
use super::schedule_kit::{HOUR, MINUTE, ROTA, entry, rota_with, schedule, time};
use mobkit_domain::command::{Command, ScheduleCommand, Submission};
use mobkit_domain::definition::{Schedule, ScheduleTarget, Trigger};
use mobkit_domain::event::ScheduleOrigin;
use mobkit_domain::plan::{Operation, schedule_plan};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::RefusalKind;
use serde_json::{Value, json};

fn hourly(id: &str) -> Value {
    json!({"id": id, "every": "1h", "to": {"member": "ann"}, "message": "go"})
}

fn with(key: &str, value: Value) -> Value {
    let mut entry = hourly("s");
    entry[key] = value;
    entry
}

type Breaks = fn(&mut Schedule);

fn agent(id: &str) -> Principal {
    Principal::Agent(member(id))
}

#[test]
fn an_edit_keeps_anchor_and_history_and_drops_nothing_that_is_still_to_come() {
    let mut mob = Mob::ready_of(ROTA);
    mob.put(hourly("s"));
    let anchor = mob.schedule("s").anchor;
    mob.later(HOUR + 30 * MINUTE);
    let after = mob.schedule("s").after;
    mob.put(with("message", json!("other")));
    mob.then("schedule.defined");
    assert_eq!(
        (mob.schedule("s").anchor, mob.schedule("s").after),
        (anchor, after)
    );
    assert_eq!(mob.schedule("s").open.len(), 1);
    mob.put(with("message", json!("other")));
    mob.then("");
    // Other times count from the same anchor, and none of the past fires.
    mob.put(with("every", json!("20m")));
    mob.then("schedule.defined");
    assert_eq!(mob.schedule("s").next, Some(anchor.plus_ms(100 * MINUTE)));
}

#[test]
fn what_passed_unseen_is_recorded_before_the_times_change() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    mob.pass_ms(3 * HOUR);
    mob.crash();
    mob.redefine(&rota_with("every = \"2h\""));
    mob.converge_schedules();
    let missed = mob.data("occurrence.missed");
    assert_eq!(missed["count"], 3);
    mob.runtime(mobkit_domain::command::RuntimeCommand::Ready);
    assert_eq!(mob.count("occurrence.claimed"), 0);
}

#[test]
fn a_pause_drops_what_waits_and_a_resume_makes_up_for_nothing() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\"\noverlap = \"queue\""));
    mob.later(HOUR);
    mob.later(HOUR);
    let (schedule, reason) = (schedule("s"), None);
    mob.schedules(ScheduleCommand::Pause {
        schedule: schedule.clone(),
        reason,
    });
    mob.then("schedule.paused occurrence.skipped");
    assert_eq!(mob.stand(), ["dispatched", "skipped"]);
    mob.later(5 * HOUR + MINUTE);
    mob.then("");
    mob.schedules(ScheduleCommand::Resume { schedule });
    mob.then("schedule.resumed");
    mob.later(HOUR - MINUTE);
    assert_eq!(mob.count("occurrence.claimed"), 3);
}

#[test]
fn a_disabled_schedule_fires_by_hand_only() {
    let mut mob = Mob::ready_of(ROTA);
    mob.put(with("enabled", json!(false)));
    mob.later(3 * HOUR);
    mob.then("");
    mob.trigger("s");
    assert_eq!(mob.data("occurrence.claimed")["occasion"], "triggered");
    mob.put(hourly("s"));
    mob.then("schedule.defined");
    mob.later(HOUR);
    mob.then("occurrence.skipped");
}

#[test]
fn a_trigger_takes_a_due_time_of_its_own() {
    let mut mob = Mob::ready_of(ROTA);
    mob.put(with("overlap", json!("allow")));
    mob.trigger("s");
    mob.trigger("s");
    let dues: Vec<_> = mob.schedule("s").by_hand.iter().copied().collect();
    assert_eq!(dues, [mob.now, mob.now.plus_ms(1)]);
    // At a due time of the schedule itself both run.
    mob.pass_ms(HOUR);
    mob.trigger("s");
    assert_eq!(mob.count("occurrence.claimed"), 4);
    assert!(mob.schedule("s").by_hand.contains(&mob.now.plus_ms(1)));
    mob.put(hourly("t"));
    mob.trigger("t");
    let trigger = ScheduleCommand::Trigger {
        schedule: schedule("t"),
    };
    assert_eq!(mob.refused(Command::Schedule(trigger)), "schedule.running");
}

#[test]
fn the_past_is_made_up_for_once() {
    let mut mob = Mob::ready_of(ROTA);
    mob.put(hourly("s"));
    mob.later(30 * MINUTE);
    let backfill = |dues: &[&str]| ScheduleCommand::Backfill {
        schedule: schedule("s"),
        dues: dues.iter().map(|due| time(due)).collect(),
    };
    for (dues, code) in [
        (["2025-11-22T06:30:00Z"], "schedule.not_due"),
        (["2025-11-22T07:00:00Z"], "schedule.not_past"),
    ] {
        assert_eq!(mob.refused(Command::Schedule(backfill(&dues))), code);
    }
    // Interval dues count from the anchor: there are none before it.
    mob.put(json!({"id": "s", "cron": "0 * * * *", "to": {"member": "ann"}, "message": "go"}));
    let dues = ["2025-11-22T04:00:00Z", "2025-11-22T05:00:00Z"];
    mob.schedules(backfill(&dues));
    assert_eq!(mob.stand(), ["dispatched", "claimed"]);
    mob.answers("ann", "one");
    mob.answers("ann", "two");
    assert_eq!(mob.stand(), ["completed", "completed"]);
    let again = Command::Schedule(backfill(&dues[1..]));
    assert_eq!(mob.refused(again), "schedule.claimed");
    mob.later(30 * MINUTE);
    assert_eq!(mob.stand(), ["completed", "completed", "dispatched"]);
}

#[test]
fn what_a_removed_schedule_started_goes_on() {
    let mut mob = Mob::ready_of(ROTA);
    mob.put(with("overlap", json!("queue")));
    mob.later(HOUR);
    mob.later(HOUR);
    let last = mob.schedule("s").after;
    mob.schedules(ScheduleCommand::Remove {
        schedule: schedule("s"),
    });
    mob.then("schedule.removed occurrence.skipped");
    mob.answers("ann", "done");
    assert_eq!(mob.stand(), ["completed", "skipped"]);
    assert!(mob.world.state.schedule_dues.is_empty());
    // A schedule of the same name fires for nothing that was looked at, even in an earlier time.
    mob.now = time("2025-11-22T06:00:00Z");
    mob.put(hourly("s"));
    assert_eq!(mob.schedule("s").after, last);
    let gone = ScheduleCommand::Remove {
        schedule: schedule("t"),
    };
    assert_eq!(mob.refused(Command::Schedule(gone)), "schedule.not_found");
}

#[test]
fn a_schedule_of_the_mob_file_is_changed_there() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    let refusal = mob.put_refused(hourly("s"));
    assert_eq!(refusal.code, "schedule.of_file");
    assert!(
        refusal
            .hint
            .expect("a hint")
            .contains("change the mob file")
    );
    let remove = ScheduleCommand::Remove {
        schedule: schedule("s"),
    };
    assert_eq!(mob.refused(Command::Schedule(remove)), "schedule.of_file");
    mob.trigger("s");
    let (schedule, reason) = (schedule("s"), None);
    mob.schedules(ScheduleCommand::Pause {
        schedule: schedule.clone(),
        reason,
    });
    mob.schedules(ScheduleCommand::Resume { schedule });
    mob.then("schedule.resumed");
}

#[test]
fn a_schedule_that_breaks_a_rule_is_refused_by_name() {
    let mut mob = Mob::ready_of(ROTA);
    let cases = [
        (
            with("to", json!({"member": "eve"})),
            "schedule.member_unknown",
        ),
        (
            json!({"id": "s", "every": "1h", "to": {"module": "x", "tool": "t"}}),
            "schedule.module_unknown",
        ),
        (with("to", json!({"route": "x"})), "schedule.route_unknown"),
        (
            with("to", json!({"flow": "x"})),
            "schedule.target_unsupported",
        ),
        (
            with("message", json!("{{ 'x' * 99 }}")),
            "schedule.message_invalid",
        ),
        (
            with("message", json!("{% for x in due %}{% endfor %}")),
            "schedule.message_invalid",
        ),
    ];
    for (value, code) in cases {
        let refusal = mob.put_refused(value.clone());
        assert_eq!(
            (refusal.code.as_str(), refusal.kind),
            (code, RefusalKind::Invalid),
            "{value}"
        );
    }
    let mut both = with("to", json!({"member": "eve"}));
    both["message"] = json!("{{ 'x' * 99 }}");
    let problems = mob.put_refused(both).data["problems"].clone();
    let codes: Vec<&Value> = problems.as_array().into_iter().flatten().collect();
    let codes: Vec<&Value> = codes.iter().map(|problem| &problem["code"]).collect();
    assert_eq!(
        codes,
        ["schedule.member_unknown", "schedule.message_invalid"]
    );
    // What no reader of text lets pass.
    let broken: [(Breaks, &str); 6] = [
        (
            |s| s.trigger = Trigger::Cron("0 0 30 2 *".into()),
            "schedule.cron_never",
        ),
        (
            |s| s.trigger = Trigger::Cron("nonsense".into()),
            "schedule.cron_invalid",
        ),
        (
            |s| s.trigger = Trigger::EveryMs(999),
            "schedule.interval_too_short",
        ),
        (
            |s| s.timezone = "Europe/Londn".into(),
            "schedule.timezone_unknown",
        ),
        (|s| s.message = None, "schedule.message_missing"),
        (
            |s| s.message = Some("{{ due | nothing }}".into()),
            "schedule.message_invalid",
        ),
    ];
    for (breaks, code) in broken {
        let mut spec = entry(hourly("s"));
        breaks(&mut spec);
        let put = Command::Schedule(ScheduleCommand::Put(Box::new(spec)));
        assert_eq!(mob.refused(put), code);
    }
}

#[test]
fn a_member_schedules_work_for_itself_and_its_peers_only() {
    let mut mob = Mob::ready_of(ROTA);
    let put = |to: &str| ScheduleCommand::Put(Box::new(entry(with("to", json!({"member": to})))));
    let refusal = mob.schedule_refused(&agent("ann"), put("cat"));
    assert_eq!(
        (refusal.code.as_str(), refusal.kind),
        ("schedule.not_yours", RefusalKind::Denied)
    );
    let submission = |command| Submission {
        actor: agent("ann"),
        ..Submission::internal(Command::Schedule(command))
    };
    mob.run(&submission(put("bob"))).expect("bob is a peer");
    assert_eq!(
        mob.schedule("s").origin,
        ScheduleOrigin::Member(member("ann"))
    );
    mob.run(&submission(put("ann"))).expect("ann is herself");
    let schedule = schedule("s");
    let others = [
        put("bob"),
        ScheduleCommand::Remove {
            schedule: schedule.clone(),
        },
        ScheduleCommand::Pause {
            schedule: schedule.clone(),
            reason: None,
        },
        ScheduleCommand::Resume {
            schedule: schedule.clone(),
        },
        ScheduleCommand::Trigger {
            schedule: schedule.clone(),
        },
    ];
    for command in others {
        let refusal = mob.schedule_refused(&agent("bob"), command);
        assert_eq!(refusal.code, "schedule.not_yours");
    }
    // An operator may change it, and it stays hers.
    mob.put(with("message", json!("other")));
    assert_eq!(
        mob.schedule("s").origin,
        ScheduleOrigin::Member(member("ann"))
    );
    mob.run(&submission(ScheduleCommand::Remove { schedule }))
        .expect("it is hers");
}

#[test]
fn a_member_has_tools_for_its_schedules() {
    let mut mob = Mob::ready_of(ROTA);
    mob.send("ann", "plan");
    let put = with("to", json!({"member": "bob"}));
    mob.calls("ann", "", &[("schedule_put", put)]);
    mob.then("model.replied tool.started schedule.defined tool.finished");
    mob.calls("ann", "", &[("schedule_list", json!({}))]);
    let listed: Value = serde_json::from_str(&mob.told()[0]).expect("JSON");
    assert_eq!(
        (&listed[0]["id"], &listed[0]["every"]),
        (&json!("s"), &json!("1h"))
    );
    assert_eq!(listed[0]["yours"], true);
    let wrong = [
        (
            "schedule_put",
            with("every", json!("1ms")),
            "tool.bad_arguments",
        ),
        (
            "schedule_put",
            with("to", json!({"member": "cat"})),
            "schedule.refused",
        ),
        ("schedule_remove", json!({"id": "t"}), "schedule.refused"),
        ("schedule_remove", json!({}), "tool.bad_arguments"),
    ];
    for (tool, args, code) in wrong {
        mob.calls("ann", "", &[(tool, args)]);
        assert!(mob.told()[0].starts_with(code), "{:?}", mob.told());
    }
    mob.calls("ann", "", &[("schedule_remove", json!({"id": "s"}))]);
    mob.then("model.replied tool.started schedule.removed tool.finished");
}

#[test]
fn a_plan_of_schedules_is_what_converging_does() {
    let file = rota_with("every = \"1h\"");
    let mut mob = Mob::ready_of(&file);
    let steps = |mob: &Mob| -> Vec<(Operation, String)> {
        let plan = schedule_plan(&mob.world.definition, &mob.world.state.schedules);
        let steps = plan.steps();
        steps
            .map(|(verb, step)| (verb, step.schedule.to_string()))
            .collect()
    };
    let define = vec![(Operation::ScheduleDefine, "s".to_owned())];
    assert_eq!(steps(&mob), define);
    mob.converge_schedules();
    assert_eq!(steps(&mob), []);
    mob.put(hourly("t"));
    assert_eq!(steps(&mob), []);
    mob.redefine(&rota_with("every = \"2h\""));
    assert_eq!(steps(&mob), define);
    mob.converge_schedules();
    mob.redefine(ROTA);
    assert_eq!(steps(&mob), [(Operation::ScheduleRemove, "s".to_owned())]);
    mob.converge_schedules();
    assert_eq!(mob.world.state.schedules.len(), 1);
    // The mob file may take a schedule of somebody else over.
    mob.redefine(&file.replace("\"s\"", "\"t\""));
    mob.converge_schedules();
    assert_eq!(mob.schedule("t").origin, ScheduleOrigin::File);
}

fn tick(at: &str, schedules: &[Schedule]) -> ScheduleCommand {
    ScheduleCommand::Tick {
        schedules: schedules.to_vec(),
        tick: time(at),
    }
}

#[test]
fn a_host_that_owns_time_gets_each_due_time_once() {
    let mut mob = Mob::ready_of(ROTA);
    let mut spec = entry(json!({
        "id": "h", "cron": "*/15 * * * *", "to": {"member": "ann"}, "message": "go",
        "overlap": "allow",
    }));
    spec.to = ScheduleTarget::Member(member("ann"));
    let schedules = [spec];
    mob.schedules(tick("2025-11-22T09:15:10Z", &schedules));
    assert_eq!(
        mob.data("occurrence.claimed")["due"],
        "2025-11-22T09:15:00.000Z"
    );
    assert_eq!(mob.data("occurrence.claimed")["occasion"], "host");
    mob.schedules(tick("2025-11-22T09:15:20Z", &schedules));
    mob.then("");
    // The runtime's own timer leaves it alone.
    mob.later(10 * HOUR);
    mob.then("");
    mob.schedules(tick("2025-11-22T10:00:00Z", &schedules));
    assert_eq!(
        mob.occurrences()
            .iter()
            .map(|(verb, _)| *verb)
            .collect::<Vec<_>>(),
        ["missed", "missed", "claimed", "dispatched"]
    );
    mob.schedules(tick("2025-11-22T09:00:00Z", &schedules));
    mob.then("");
    let put = mob.put_refused(hourly("h"));
    assert_eq!(put.code, "schedule.of_host");
    mob.put(hourly("s"));
    let theirs = [entry(hourly("s"))];
    let refusal = mob.schedule_refused(&ada(), tick("2025-11-22T11:00:00Z", &theirs));
    assert_eq!(refusal.code, "schedule.not_hosts");
}
