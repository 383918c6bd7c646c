//! Modules: when they are started, stopped and started again.

use super::harness::Mob;
use super::module_kit::{WORKSHOP, ended, healthy, module, stopped, tools};
use mobkit_domain::command::{Answer, Command, Ended, ModuleCommand, RuntimeCommand};
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::{DrainReport, Envelope};
use mobkit_domain::state::ModuleStatus;
use mobkit_domain::world::next_due;
use serde_json::json;

fn restarting(mob: &Mob, pause_ms: u64) -> ModuleStatus {
    ModuleStatus::Restarting {
        not_before: mob.now.plus_ms(pause_ms),
    }
}

#[test]
fn a_mob_that_is_ready_starts_its_modules_and_lists_the_lazy_ones() {
    let mob = Mob::workshop();
    mob.then("runtime.ready module.starting module.starting module.starting module.starting");
    assert_eq!(
        mob.modules_asked(),
        ["start search", "start mail", "start once", "start vault"]
    );
    let reasons = mob.last().filter_map(|e| {
        let wire = e.to_wire();
        wire["data"]["reason"].as_str().map(str::to_owned)
    });
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        ["wanted", "listing", "wanted", "wanted"]
    );
    let search = mob.module("search");
    assert_eq!(
        (search.status, search.running),
        (ModuleStatus::Starting, true)
    );
    assert_eq!(search.digest, mob.world.definition.modules[0].digest());
    let open = open_effects(&mob.world.state);
    let starts = open
        .iter()
        .filter(|e| matches!(e, Effect::ModuleStart { .. }));
    assert_eq!(starts.count(), 4);
}

#[test]
fn nothing_is_started_before_the_mob_is_ready() {
    let mut mob = Mob::of(WORKSHOP);
    mob.start();
    mob.converge_module("search");
    mob.then("");
    let start = ModuleCommand::Start {
        module: module("search"),
    };
    assert_eq!(mob.module_refused(start).0, "runtime.not_running");
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.status("search"), ModuleStatus::Starting);
}

#[test]
fn a_module_that_answers_is_healthy_and_its_tools_are_known() {
    let mut mob = Mob::workshop();
    mob.is_healthy("search", Some(tools(&["fetch"])));
    mob.then("module.healthy");
    let data = mob.data("module.healthy");
    assert_eq!(
        (&data["pid"], &data["tools"][0]["name"]),
        (&json!(4711), &json!("fetch"))
    );
    assert_eq!(data.get("changed"), None);
    assert_eq!(data["tools"][0]["hash"].as_str().map(str::len), Some(64));
    let search = mob.module("search");
    assert_eq!(
        (search.status, search.pid),
        (ModuleStatus::Healthy, Some(4_711))
    );
    // The same again is no news.
    mob.is_healthy("search", Some(tools(&["fetch"])));
    mob.then("");
    mob.is_healthy("search", None);
    mob.then("");
}

#[test]
fn what_came_of_another_start_is_refused() {
    let mut mob = Mob::workshop();
    let before = mob.start_of("search");
    mob.has_ended("search", Ended::Failure);
    mob.pass_ms(200);
    mob.module_tick();
    mob.then("module.starting");
    assert_ne!(mob.start_of("search"), before);
    for late in [
        healthy("search", before, None),
        ended("search", before, Ended::Failure),
        stopped("search", before, None),
        healthy("search", mob.start_of("search") + 1, None),
    ] {
        assert_eq!(mob.refused(late), "module.stale");
    }
    assert_eq!(mob.refused(healthy_of_nobody()), "module.stale");
}

fn healthy_of_nobody() -> Command {
    healthy("nobody", 3, None)
}

#[test]
fn a_module_that_fails_is_started_again_after_growing_pauses_until_it_is_too_often() {
    let mut mob = Mob::workshop();
    for (restarts, pause_ms) in [(1, 200), (2, 400)] {
        mob.has_ended("search", Ended::Failure);
        mob.then("module.restarting");
        assert_eq!(mob.data("module.restarting")["restarts"], restarts);
        assert_eq!(mob.status("search"), restarting(&mob, pause_ms));
        assert_eq!(next_due(&mob.world.state), Some(mob.now.plus_ms(pause_ms)));
        mob.pass_ms(pause_ms - 1);
        mob.module_tick();
        mob.then("");
        mob.pass_ms(1);
        mob.module_tick();
        mob.then("module.starting");
        assert_eq!(mob.modules_asked(), ["start search"]);
        assert_eq!(mob.module("search").reason.as_deref(), Some("signal 9"));
        mob.is_healthy("search", None);
    }
    mob.has_ended("search", Ended::Failure);
    mob.then("module.quarantined error.raised");
    assert_eq!(
        mob.data("module.quarantined")["reason"],
        "it ended 3 times within 60 s, at last: signal 9"
    );
    assert_eq!(mob.data("error.raised")["error_kind"], "module_failed");
    let search = mob.module("search");
    assert_eq!(
        (search.status, search.running),
        (ModuleStatus::Quarantined, false)
    );
    assert_eq!((search.restarts, next_due(&mob.world.state)), (2, None));
}

#[test]
fn a_healthy_run_longer_than_the_period_forgets_the_restarts() {
    let mut mob = Mob::workshop();
    for _ in 0..5 {
        mob.has_ended("search", Ended::Failure);
        assert_eq!(mob.data("module.restarting")["restarts"], 1);
        assert_eq!(mob.module("search").recent.len(), 1);
        mob.pass_ms(200);
        mob.module_tick();
        mob.is_healthy("search", None);
        mob.pass_ms(60_000);
    }
    assert_eq!(mob.module("search").restarts, 5);
}

#[test]
fn what_can_not_work_is_quarantined_at_once() {
    let mut mob = Mob::workshop();
    mob.has_ended("search", Ended::Hopeless);
    mob.then("module.quarantined error.raised");
    assert_eq!(mob.data("module.quarantined")["reason"], "no sandbox");
}

#[test]
fn the_policy_decides_which_ends_are_followed_by_a_start() {
    let mut mob = Mob::workshop();
    // on-failure
    mob.has_ended("search", Ended::Success);
    mob.then("module.stopped");
    assert_eq!(mob.data("module.stopped")["reason"], "exit code 0");
    // never
    mob.has_ended("once", Ended::Failure);
    mob.then("module.stopped error.raised");
    assert!(!mob.module("once").held);
    // always
    mob.has_ended("mail", Ended::Success);
    mob.then("module.restarting");
    assert_eq!(mob.status("once"), ModuleStatus::Stopped);
}

#[test]
fn a_stop_by_an_operator_holds_over_a_restart_of_the_runtime() {
    let mut mob = Mob::workshop_open();
    mob.stop_module("search");
    mob.then("module.stopping");
    assert_eq!(mob.modules_asked(), ["stop search"]);
    assert_eq!(mob.status("search"), ModuleStatus::Stopping);
    mob.has_stopped("search");
    mob.then("module.stopped");
    let data = mob.data("module.stopped");
    assert_eq!(
        (
            &data["reason"],
            &data["outcome"],
            &data["took_ms"],
            &data["held"]
        ),
        (
            &json!("operator"),
            &json!("terminated"),
            &json!(12),
            &json!(true)
        )
    );
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.status("search"), ModuleStatus::Stopped);
    assert_eq!(mob.status("once"), ModuleStatus::Starting);
    mob.start_module("search");
    mob.then("module.starting");
    assert!(!mob.module("search").held);
}

#[test]
fn a_stop_works_wherever_the_module_stands() {
    // Starting.
    let mut mob = Mob::workshop();
    mob.stop_module("search");
    mob.then("module.stopping");
    assert_eq!(
        mob.refused(healthy("search", mob.start_of("search"), None)),
        "module.stale"
    );
    mob.has_stopped("search");
    // Restarting, and stopped.
    let mut mob = Mob::workshop();
    mob.has_ended("search", Ended::Failure);
    mob.stop_module("search");
    mob.then("module.stopped");
    assert_eq!(
        (mob.module("search").held, next_due(&mob.world.state)),
        (true, None)
    );
    mob.stop_module("search");
    mob.then("");
    // Quarantined.
    let mut mob = Mob::workshop();
    mob.has_ended("search", Ended::Hopeless);
    mob.stop_module("search");
    mob.then("module.stopped");
    // Stopped by its policy.
    mob.has_ended("once", Ended::Success);
    mob.stop_module("once");
    mob.then("module.stopped");
    assert!(mob.module("once").held);
}

#[test]
fn an_operators_stop_holds_a_module_that_is_stopped_for_idleness_already() {
    let mut mob = Mob::workshop_open();
    mob.start_module("mail");
    mob.is_healthy("mail", None);
    mob.pass_ms(10_000);
    mob.module_tick();
    assert_eq!(mob.data("module.stopping")["reason"], "idle");
    mob.stop_module("mail");
    mob.then("module.stopping");
    mob.stop_module("mail");
    mob.then("");
    mob.has_stopped("mail");
    assert!(mob.module("mail").held);
}

#[test]
fn a_restart_stops_the_process_first_and_starts_it_when_that_is_done() {
    let mut mob = Mob::workshop_open();
    mob.restart_module("search");
    mob.then("module.restarting");
    assert_eq!(mob.modules_asked(), ["stop search"]);
    let data = mob.data("module.restarting");
    assert_eq!(
        (&data["running"], &data["restarts"], &data["reason"]),
        (&json!(true), &json!(0), &json!("operator"))
    );
    // Nothing is due while the old process is there, and once is enough.
    mob.module_tick();
    mob.then("");
    mob.restart_module("search");
    mob.start_module("search");
    mob.then("");
    mob.has_stopped("search");
    mob.then("module.stopped module.starting");
    assert_eq!(mob.modules_asked(), ["start search"]);
    assert_eq!(
        (mob.status("search"), mob.module("search").restarts),
        (ModuleStatus::Starting, 0)
    );
}

#[test]
fn a_process_that_ends_before_it_is_stopped_is_started_again_all_the_same() {
    let mut mob = Mob::workshop_open();
    mob.restart_module("search");
    let start = mob.start_of("search");
    mob.has_ended("search", Ended::Failure);
    mob.then("module.stopped module.starting");
    assert_eq!(mob.refused(stopped("search", start, None)), "module.stale");
    // Nor does an end that was faster than a stop lead to a start.
    mob.stop_module("search");
    mob.has_ended("search", Ended::Failure);
    mob.then("module.stopped");
    assert!(mob.module("search").held);
}

#[test]
fn a_restart_releases_quarantine_and_hold() {
    let mut mob = Mob::workshop();
    mob.has_ended("search", Ended::Failure);
    mob.pass_ms(200);
    mob.module_tick();
    mob.has_ended("search", Ended::Hopeless);
    mob.restart_module("search");
    mob.then("module.starting");
    assert!(mob.module("search").recent.is_empty());
    mob.stop_module("once");
    mob.has_stopped("once");
    mob.restart_module("once");
    mob.then("module.starting");
    assert!(!mob.module("once").held);
}

#[test]
fn a_start_while_the_module_is_being_stopped_starts_it_afterwards() {
    let mut mob = Mob::workshop_open();
    mob.stop_module("search");
    mob.start_module("search");
    mob.then("module.restarting");
    mob.has_stopped("search");
    mob.then("module.stopped module.starting");
    assert!(!mob.module("search").held);
    // And a stop while it is being restarted stops it.
    mob.restart_module("search");
    mob.stop_module("search");
    mob.then("module.stopping");
    mob.has_stopped("search");
    mob.then("module.stopped");
    assert!(mob.module("search").held);
}

#[test]
fn what_changes_nothing_is_answered_without_an_event() {
    let mut mob = Mob::workshop_open();
    let head = mob.world.state.head;
    let start = ModuleCommand::Start {
        module: module("search"),
    };
    assert_eq!(mob.module_order(start), Answer::Done { seq: head });
    mob.start_module("once");
    mob.converge_module("search");
    mob.converge_module("nobody");
    assert_eq!(mob.world.state.head, head);
}

#[test]
fn an_unknown_module_is_not_found_with_a_near_name() {
    let mut mob = Mob::workshop();
    let missing = |text: &str| module(text);
    for command in [
        ModuleCommand::Start {
            module: missing("serch"),
        },
        ModuleCommand::Stop {
            module: missing("serch"),
        },
        ModuleCommand::Restart {
            module: missing("serch"),
        },
        ModuleCommand::Call {
            module: missing("serch"),
            tool: "fetch".into(),
            args: json!({}),
        },
    ] {
        let (code, hint) = mob.module_refused(command);
        assert_eq!(
            (code.as_str(), hint.as_str()),
            ("module.not_found", "did you mean \"search\"?")
        );
    }
    let (_, hint) = mob.module_refused(ModuleCommand::Stop {
        module: missing("x"),
    });
    assert_eq!(hint, "`module/list` lists the modules");
}

#[test]
fn a_module_that_does_not_answer_is_unhealthy_until_it_does() {
    let mut mob = Mob::workshop_open();
    mob.is_unhealthy("search", "no answer");
    mob.then("module.unhealthy");
    assert_eq!(mob.module("search").reason.as_deref(), Some("no answer"));
    mob.is_unhealthy("search", "no answer");
    mob.then("");
    mob.is_healthy("search", None);
    mob.then("module.healthy");
    let search = mob.module("search");
    assert_eq!(
        (search.status, search.reason.as_deref()),
        (ModuleStatus::Healthy, None)
    );
    assert_eq!(search.last_error.as_deref(), Some("no answer"));
    assert!(search.tools.is_some());
}

#[test]
fn after_a_crash_no_module_runs_and_all_that_should_are_started() {
    let mut mob = Mob::workshop_open();
    mob.has_ended("search", Ended::Hopeless);
    mob.crash();
    // The lazy one was stopped, the first one quarantined.
    mob.then("runtime.started runtime.recovered module.stopped module.stopped");
    let reasons = mob.last().filter(|e| e.event.kind() == "module.stopped");
    assert!(
        reasons
            .map(Envelope::to_wire)
            .all(|wire| wire["data"]["reason"] == "crash")
    );
    assert_eq!(next_due(&mob.world.state), None);
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(
        mob.modules_asked(),
        ["start search", "start once", "start vault"]
    );
    assert_eq!(mob.status("mail"), ModuleStatus::Stopped);
}

#[test]
fn while_the_mob_stops_nothing_is_started_and_every_stop_is_recorded() {
    let mut mob = Mob::workshop_open();
    mob.has_ended("once", Ended::Failure);
    mob.has_ended("search", Ended::Failure);
    assert!(next_due(&mob.world.state).is_some());
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1_000 });
    assert_eq!(next_due(&mob.world.state), None);
    mob.pass_ms(60_000);
    mob.module_tick();
    mob.then("");
    let vault = mob.start_of("vault");
    mob.internal(stopped("vault", vault, Some("shutdown")));
    assert_eq!(mob.data("module.stopped")["reason"], "shutdown");
    mob.runtime(RuntimeCommand::Stop {
        drain: DrainReport::default(),
    });
    mob.start();
    // The one that waited for its restart had no process.
    mob.then("runtime.started runtime.recovered module.stopped");
    assert_eq!(mob.data("module.stopped")["reason"], "shutdown");
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(
        mob.modules_asked(),
        ["start search", "start once", "start vault"]
    );
}

#[test]
fn a_module_that_ends_while_the_mob_stops_is_not_started_again() {
    let mut mob = Mob::workshop_open();
    mob.restart_module("vault");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1_000 });
    mob.has_ended("search", Ended::Failure);
    mob.then("module.stopped");
    mob.has_stopped("vault");
    mob.then("module.stopped");
    assert_eq!(mob.status("vault"), ModuleStatus::Stopped);
}

#[test]
fn another_definition_replaces_the_process_and_a_removed_module_leaves_nothing() {
    let mut mob = Mob::workshop_open();
    mob.reapply(&WORKSHOP.replace("--fast", "--slow"));
    assert_eq!(mob.count("module.restarting"), 1);
    mob.has_stopped("search");
    mob.then("module.stopped module.starting");
    let command = mob.data("module.starting")["command"].clone();
    assert_eq!(command, json!(["search", "--slow"]));

    let without = WORKSHOP.replace("module:search/*", "peers").replace(
        "[[modules]]\nid = \"search\"",
        "[[modules]]\nid = \"lookup\"",
    );
    mob.reapply(&without);
    assert_eq!(mob.status("search"), ModuleStatus::Stopping);
    mob.has_stopped("search");
    assert_eq!(mob.data("module.stopped")["removed"], json!(true));
    assert!(!mob.world.state.modules.contains_key(&module("search")));
    mob.converge_module("lookup");
    mob.then("module.starting");
}

#[test]
fn a_change_that_the_process_does_not_depend_on_leaves_it_alone() {
    let mut mob = Mob::workshop_open();
    let head = mob.world.state.head;
    let changed = WORKSHOP
        .replace("intensity = 2", "intensity = 7")
        .replace("publish = \"effect\"", "publish = \"read\"");
    mob.reapply(&changed);
    assert_eq!(mob.world.state.head, head);
    // It is in force all the same.
    for _ in 0..7 {
        mob.has_ended("search", Ended::Failure);
        mob.then("module.restarting");
        mob.pass_ms(1_000);
        mob.module_tick();
    }
    mob.has_ended("search", Ended::Failure);
    mob.then("module.quarantined error.raised");
}

#[test]
fn a_module_without_a_process_converges_at_once() {
    let renamed = WORKSHOP
        .replace("id = \"once\"", "id = \"twice\"")
        .replace("module:once/*", "now");
    let mut mob = Mob::workshop();
    mob.has_ended("once", Ended::Failure);
    mob.redefine(&renamed);
    mob.converge_module("once");
    mob.then("module.stopped");
    assert_eq!(mob.data("module.stopped")["removed"], json!(true));
    // One that backs off under the old definition is tried at once under the new one.
    mob.has_ended("search", Ended::Failure);
    mob.redefine(&renamed.replace("--fast", "--slow"));
    mob.converge_module("search");
    mob.then("module.starting");
    assert!(mob.module("search").recent.is_empty());
    // A lazy one is started so that its tools are known.
    mob.is_healthy("mail", Some(tools(&["send"])));
    mob.pass_ms(10_000);
    mob.module_tick();
    mob.has_stopped("mail");
    mob.redefine(&renamed.replace("[\"mail\"]", "[\"mail\", \"-v\"]"));
    mob.converge_module("mail");
    assert_eq!(mob.data("module.starting")["reason"], "listing");
    // One that an operator stopped stays so.
    mob.stop_module("vault");
    mob.has_stopped("vault");
    mob.redefine(&renamed.replace("[\"vault\"]", "[\"vault\", \"-v\"]"));
    mob.converge_module("vault");
    mob.then("");
}

#[test]
fn a_module_that_comes_back_before_it_is_gone_is_started_again() {
    let without = WORKSHOP
        .replace("id = \"once\"", "id = \"twice\"")
        .replace("module:once/*", "now");
    let mut mob = Mob::workshop_open();
    mob.reapply(&without);
    assert_eq!(mob.status("once"), ModuleStatus::Stopping);
    mob.reapply(WORKSHOP);
    mob.has_stopped("once");
    mob.then("module.stopped module.starting");
}

#[test]
fn a_module_that_is_removed_while_it_backs_off_or_fails_is_forgotten() {
    let without = WORKSHOP
        .replace("id = \"search\"", "id = \"lookup\"")
        .replace("module:search/*", "now");
    let mut mob = Mob::workshop();
    mob.has_ended("search", Ended::Failure);
    mob.redefine(&without);
    mob.pass_ms(200);
    mob.module_tick();
    mob.then("module.stopped");
    assert!(!mob.world.state.modules.contains_key(&module("search")));
    assert_eq!(next_due(&mob.world.state), None);
    let mut mob = Mob::workshop();
    mob.redefine(&without);
    mob.has_ended("search", Ended::Failure);
    mob.then("module.stopped");
    assert!(!mob.world.state.modules.contains_key(&module("search")));
    // Nobody converged it before a restart of the runtime.
    let mut mob = Mob::workshop();
    mob.redefine(&without);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert!(!mob.world.state.modules.contains_key(&module("search")));
}

#[test]
fn what_a_module_says_is_recorded_and_changes_nothing() {
    use mobkit_domain::event::{ModuleEvent, ModuleLog};
    let mut mob = Mob::workshop_open();
    let before = mob.module("search").clone();
    let said = ModuleEvent {
        module: module("search"),
        event: json!({"a": 1}),
        dropped: 0,
    };
    mob.internal(Command::Module(ModuleCommand::Said(said.clone())));
    mob.then("module.event");
    let log = ModuleLog {
        module: module("search"),
        lines: vec!["x".into()],
        dropped: 2,
        forgotten: 0,
    };
    mob.internal(Command::Module(ModuleCommand::Logged(log)));
    mob.then("module.log");
    assert_eq!(mob.module("search"), &before);
    let said = ModuleEvent {
        module: module("nobody"),
        ..said
    };
    assert_eq!(
        mob.refused(Command::Module(ModuleCommand::Said(said))),
        "module.not_found"
    );
}

#[test]
fn a_paused_mob_looks_after_its_modules() {
    use mobkit_domain::command::MobCommand;
    let mut mob = Mob::workshop_open();
    mob.mob(MobCommand::Pause { reason: None });
    mob.has_ended("search", Ended::Failure);
    mob.pass_ms(200);
    assert_eq!(next_due(&mob.world.state), Some(mob.now));
    mob.module_tick();
    mob.then("module.starting");
    assert_eq!(next_due(&mob.world.state), None);
}

#[test]
fn an_order_names_who_gave_it_and_is_done_once_under_its_key() {
    use mobkit_domain::command::Submission;
    use mobkit_domain::event::KeyUse;
    let mut mob = Mob::workshop_open();
    let module = module("search");
    let stop = Submission {
        actor: super::harness::ada(),
        key: Some(KeyUse {
            key: "k".to_owned(),
            digest: "d".to_owned(),
        }),
        ..Submission::internal(Command::Module(ModuleCommand::Stop { module }))
    };
    let first = mob.run(&stop).expect("it is accepted");
    let wire = mob.last().next().expect("an event").to_wire();
    assert_eq!(wire["actor"], "operator:ada");
    mob.has_stopped("search");
    mob.start_module("search");
    assert_eq!(mob.run(&stop), Ok(first));
    mob.then("");
    assert_eq!(mob.status("search"), ModuleStatus::Starting);
}
