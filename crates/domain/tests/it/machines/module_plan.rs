//! What a plan says of modules, and that converging does exactly that.

use super::harness::{Mob, define};
use super::module_kit::{WORKSHOP, module};
use mobkit_domain::command::{Ended, RuntimeCommand};
use mobkit_domain::plan::{Operation, module_plan};
use mobkit_domain::state::ModuleStatus;

/// The steps of a plan that leads to `text`: verb, module, reason.
fn plan(mob: &Mob, text: &str) -> Vec<(Operation, String, String)> {
    let plan = module_plan(&define(text), &mob.world.state.modules);
    let steps = plan.steps();
    let steps = steps.map(|(operation, step)| {
        let module = step.module.to_string();
        (operation, module, step.reason.clone())
    });
    steps.collect()
}

fn verbs(mob: &Mob, text: &str) -> Vec<(Operation, String)> {
    let steps = plan(mob, text).into_iter();
    steps
        .map(|(operation, module, _)| (operation, module))
        .collect()
}

fn one(operation: Operation, id: &str) -> Vec<(Operation, String)> {
    vec![(operation, id.to_owned())]
}

/// Without the eager module `search`.
fn without_search() -> String {
    let start = WORKSHOP.find("[[modules]]").expect("there are modules");
    let end = WORKSHOP[start + 1..]
        .find("[[modules]]")
        .expect("there are more")
        + start
        + 1;
    format!("{}{}", &WORKSHOP[..start], &WORKSHOP[end..]).replace("module:search/*", "peers")
}

fn slower() -> String {
    WORKSHOP.replace("--fast", "--slow")
}

#[test]
fn at_the_first_start_every_module_is_started_and_then_nothing_is_to_be_done() {
    let mob = Mob::of(WORKSHOP);
    let reason = "the mob file has it, and it is not there".to_owned();
    let expected = ["mail", "once", "search", "vault"]
        .map(|id| (Operation::ModuleStart, id.to_owned(), reason.clone()));
    assert_eq!(plan(&mob, WORKSHOP), expected);
    let mut mob = Mob::workshop();
    assert_eq!(plan(&mob, WORKSHOP), []);
    mob.crash();
    assert_eq!(plan(&mob, WORKSHOP), []);
}

#[test]
fn what_a_changed_definition_needs_depends_on_where_the_module_stands() {
    use Operation::{ModuleRestart, ModuleStart};
    type Story = fn(&mut Mob);
    let cases: [(&str, Story, Option<Operation>, &str); 8] = [
        ("healthy", |_| {}, Some(ModuleRestart), "module.restarting"),
        (
            "unhealthy",
            |mob| mob.is_unhealthy("search", "no answer"),
            Some(ModuleRestart),
            "module.restarting",
        ),
        (
            "restarting",
            |mob| mob.has_ended("search", Ended::Failure),
            Some(ModuleRestart),
            "module.starting",
        ),
        (
            "quarantined",
            |mob| mob.has_ended("search", Ended::Hopeless),
            Some(ModuleStart),
            "module.starting",
        ),
        (
            "stopped by its policy",
            |mob| mob.has_ended("search", Ended::Success),
            Some(ModuleStart),
            "module.starting",
        ),
        (
            "being replaced",
            |mob| mob.restart_module("search"),
            None,
            "",
        ),
        ("being stopped", |mob| mob.stop_module("search"), None, ""),
        (
            "stopped by an operator",
            |mob| {
                mob.stop_module("search");
                mob.has_stopped("search");
            },
            None,
            "",
        ),
    ];
    for (name, story, operation, events) in cases {
        let mut mob = Mob::workshop_open();
        story(&mut mob);
        let expected = operation.map_or_else(Vec::new, |operation| one(operation, "search"));
        assert_eq!(verbs(&mob, &slower()), expected, "{name}");
        mob.redefine(&slower());
        mob.converge_module("search");
        mob.then(events);
        if mob.module("search").running && mob.status("search") != ModuleStatus::Starting {
            mob.has_stopped("search");
        }
        assert_eq!(verbs(&mob, &slower()), [], "{name}");
        assert!(mob.module("search").held || mob.data("module.starting")["command"][1] == "--slow");
    }
}

#[test]
fn a_removed_module_is_stopped_wherever_it_stands() {
    type Story = fn(&mut Mob);
    let cases: [(Story, &str); 5] = [
        (|_| {}, "module.stopping"),
        (|mob| mob.restart_module("search"), "module.stopping"),
        (
            |mob| mob.has_ended("search", Ended::Failure),
            "module.stopped",
        ),
        (
            |mob| mob.has_ended("search", Ended::Hopeless),
            "module.stopped",
        ),
        (
            |mob| {
                mob.stop_module("search");
                mob.has_stopped("search");
            },
            "module.stopped",
        ),
    ];
    let without = without_search();
    for (story, events) in cases {
        let mut mob = Mob::workshop_open();
        story(&mut mob);
        assert_eq!(verbs(&mob, &without), one(Operation::ModuleStop, "search"));
        mob.redefine(&without);
        mob.converge_module("search");
        mob.then(events);
        assert_eq!(verbs(&mob, &without), []);
        if mob.world.state.modules.contains_key(&module("search")) {
            mob.has_stopped("search");
        }
        assert!(!mob.world.state.modules.contains_key(&module("search")));
    }
    // One that is being stopped needs no further step.
    let mut mob = Mob::workshop_open();
    mob.stop_module("search");
    assert_eq!(verbs(&mob, &without), []);
    mob.redefine(&without);
    mob.has_stopped("search");
    assert!(!mob.world.state.modules.contains_key(&module("search")));
}

#[test]
fn a_module_that_becomes_lazy_or_eager_is_replaced() {
    let mut mob = Mob::workshop_open();
    let lazy = WORKSHOP.replace(
        "command = [\"once\"]",
        "command = [\"once\"]\nstart = \"lazy\"",
    );
    assert_eq!(verbs(&mob, &lazy), one(Operation::ModuleRestart, "once"));
    let eager = WORKSHOP.replace("start = \"lazy\"\nidle_stop = \"10s\"\n", "");
    assert_eq!(verbs(&mob, &eager), one(Operation::ModuleStart, "mail"));
    mob.redefine(&eager);
    mob.converge_module("mail");
    mob.is_healthy("mail", None);
    mob.pass_ms(60_000);
    mob.module_tick();
    mob.then("");
    assert_eq!(mob.status("mail"), ModuleStatus::Healthy);
}

#[test]
fn a_definition_that_changed_while_nothing_ran_is_in_force_at_the_next_start() {
    let mut mob = Mob::workshop_open();
    mob.crash();
    assert_eq!(
        verbs(&mob, &slower()),
        one(Operation::ModuleStart, "search")
    );
    mob.redefine(&slower());
    mob.converge_module("search");
    mob.then("");
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(verbs(&mob, &slower()), []);
}
