use super::*;
use crate::definition::MemberSpec;
use crate::edge::Edge;
use crate::event::{EdgeOrigin, MemberOrigin};
use crate::id::{MemberId, ProfileId, SessionId};
use crate::plan::{
    Desired, EdgeWorld, Known, Operation, Presence, edge_plan, roster_plan, static_edges,
};
use std::collections::BTreeSet;

fn id(text: &str) -> MemberId {
    MemberId::parse(text).expect("an id")
}

fn role() -> ProfileId {
    ProfileId::parse("reporter").expect("an id")
}

fn desired(members: &[&str]) -> Vec<Desired> {
    let spec = |member: &&str| MemberSpec::new(id(member), role());
    let origin = MemberOrigin::Definition;
    members
        .iter()
        .map(|member| Desired {
            spec: spec(member),
            origin,
        })
        .collect()
}

fn actual(members: &[&str]) -> Vec<Actual> {
    let member = |(session, member): (u64, &&str)| Actual {
        id: id(member),
        profile: role(),
        profile_changed: false,
        labels: BTreeMap::new(),
        context: serde_json::Value::Null,
        additional_instructions: Vec::new(),
        session: SessionId(session),
        origin: MemberOrigin::Definition,
        presence: Presence::Present,
    };
    (1..).zip(members).map(member).collect()
}

/// The plan of a mob in which everybody is wired with everybody.
fn plan(definition: &str, desired: &[Desired], actual: &[Actual]) -> Plan {
    let (profiles, sessions) = ([role()].into(), BTreeSet::new());
    let known = Known {
        profiles: &profiles,
        sessions: &sessions,
    };
    let roster = roster_plan(desired, actual, known).expect("a plan");
    let roles = [(role(), role())];
    let there = actual
        .iter()
        .map(|a| (a.id.clone(), a.profile.clone()))
        .collect();
    let wired: BTreeMap<Edge, _> = static_edges(&roles, &[], &there)
        .into_iter()
        .map(|e| (e, EdgeOrigin::Static))
        .collect();
    let edges = edge_plan(&EdgeWorld {
        discovered: None,
        declared: &static_edges(&roles, &[], &roster.after),
        wired: &wired,
        managed: &BTreeSet::new(),
        present: &roster.present_after(),
    });
    Plan::new(definition, actual, roster, edges, ModulePlan::default())
}

#[test]
fn a_plan_counts_and_names_its_steps() {
    let plan = plan("sha256:1", &desired(&["a", "b"]), &actual(&["b", "c"]));
    let steps = ["retain", "retire", "spawn", "unwire", "wire"];
    assert_eq!(plan.steps(), steps.map(|verb| (verb.to_owned(), 1)).into());
    let outline: Vec<_> = plan
        .outline()
        .into_iter()
        .map(|step| format!("{} {}", step.operation, step.object))
        .collect();
    assert_eq!(
        outline,
        [
            "spawn member/a",
            "retain member/b",
            "retire member/c",
            "wire edge/a+b",
            "unwire edge/b+c"
        ]
    );
    assert!(!plan.is_empty());
}

#[test]
fn a_plan_that_only_retains_is_empty() {
    let plan = plan("sha256:1", &desired(&["a", "b"]), &actual(&["a", "b"]));
    assert!(plan.is_empty());
    assert_eq!(plan.steps(), BTreeMap::from([("retain".to_owned(), 2)]));
}

#[test]
fn steps_have_the_names_that_clients_read() {
    let plan = plan("sha256:1", &desired(&["a"]), &[]);
    let expected = json!([{
        "object": "member/a", "operation": "spawn", "survives": "nothing",
        "reason": "the mob file names it, and it is not there",
    }]);
    assert_eq!(
        serde_json::to_value(plan.outline()).expect("json"),
        expected
    );
    assert_eq!(
        serde_json::to_value(Operation::Unwire).expect("json"),
        Operation::Unwire.as_str()
    );
}

#[test]
fn the_same_world_gives_the_same_digest_in_any_order() {
    let (want, mut have) = (desired(&["a", "b"]), actual(&["b", "c"]));
    let digest = plan("sha256:1", &want, &have).digest();
    assert!(
        digest.starts_with("sha256:") && digest.len() == 71,
        "{digest}"
    );
    have.reverse();
    assert_eq!(plan("sha256:1", &want, &have).digest(), digest);
}

#[test]
fn a_changed_world_changes_the_digest() {
    let (want, have) = (desired(&["a", "b"]), actual(&["b", "c"]));
    let mut digests = BTreeSet::from([plan("sha256:1", &want, &have).digest()]);
    let mut differs = |plan: Plan| assert!(digests.insert(plan.digest()));
    differs(plan("sha256:2", &want, &have));
    differs(plan("sha256:1", &desired(&["a", "b", "d"]), &have));
    differs(plan("sha256:1", &want, &actual(&["b"])));
    // The steps are the same ones, but the member that they retire is another one by now.
    let mut reset = have.clone();
    reset[1].session = SessionId(9);
    differs(plan("sha256:1", &want, &reset));
}

#[test]
fn more_than_one_and_more_than_half_is_a_mass_removal() {
    let needs_force = [(2, 2), (3, 2), (3, 3), (5, 3), (100, 51)];
    let harmless = [(0, 0), (1, 0), (1, 1), (2, 1), (4, 2), (5, 2), (100, 50)];
    for (present, retire) in needs_force {
        assert!(mass_removal(present, retire), "{retire} of {present}");
    }
    for (present, retire) in harmless {
        assert!(!mass_removal(present, retire), "{retire} of {present}");
    }
}

#[test]
fn an_empty_discovery_is_a_mass_removal() {
    let plan = plan("sha256:1", &[], &actual(&["a", "b", "c"]));
    let refusal = plan.permit(None, false).expect_err("a refusal");
    assert_eq!(
        (refusal.kind, refusal.code.as_str()),
        (RefusalKind::Conflict, "plan.mass_removal")
    );
    assert_eq!(refusal.message, "this would retire 3 of 3 members");
    assert_eq!(plan.permit(None, true), Ok(()));
}

#[test]
fn a_plan_that_was_not_seen_is_refused_even_with_force() {
    let plan = plan("sha256:1", &desired(&["a"]), &actual(&["a"]));
    assert_eq!(plan.permit(Some(&plan.digest()), false), Ok(()));
    let refusal = plan
        .permit(Some("sha256:other"), true)
        .expect_err("a refusal");
    assert_eq!(
        (refusal.kind, refusal.code.as_str()),
        (RefusalKind::Conflict, "plan.stale")
    );
    assert_eq!(refusal.data["current"], plan.digest());
}

#[test]
fn modules_are_part_of_a_plan() {
    use crate::plan::ModuleStep;
    let step = |id: &str| ModuleStep {
        module: id.parse().expect("an id"),
        reason: "because".to_owned(),
    };
    let modules = ModulePlan {
        stop: vec![step("c")],
        restart: vec![step("b")],
        start: vec![step("a"), step("d")],
    };
    let with = |modules| {
        let (roster, edges) = (RosterPlan::default(), EdgePlan::default());
        Plan::new("sha256:1", &[], roster, edges, modules)
    };
    let (plan, empty) = (with(modules), with(ModulePlan::default()));
    assert_ne!(plan.digest(), empty.digest());
    assert_eq!((plan.is_empty(), empty.is_empty()), (false, true));
    let counts = [
        ("module_restart", 1),
        ("module_start", 2),
        ("module_stop", 1),
    ];
    assert_eq!(
        plan.steps(),
        counts.map(|(verb, n)| (verb.to_owned(), n)).into()
    );
    let outline = serde_json::to_value(plan.outline()).expect("json");
    let line = |object: &str, operation: &str| {
        let (object, operation) = (object.to_owned(), operation.to_owned());
        serde_json::json!({
            "object": object, "operation": operation, "reason": "because",
        })
    };
    let expected = [
        line("module/c", "module_stop"),
        line("module/b", "module_restart"),
        line("module/a", "module_start"),
        line("module/d", "module_start"),
    ];
    assert_eq!(outline, serde_json::Value::from(expected.to_vec()));
    assert!(!plan.needs_force());
}

#[test]
fn helpers_count_for_no_guard_and_no_digest() {
    let with_helpers = |profile: &str| {
        let mut there = actual(&["a", "a.h-1", "a.h-2", "a.h-3"]);
        for helper in &mut there[1..] {
            helper.origin = MemberOrigin::Helper;
            helper.profile = ProfileId::parse(profile).expect("an id");
        }
        there
    };
    let gone = plan("sha256:1", &desired(&["a"]), &with_helpers("gone"));
    assert_eq!(gone.roster().retire.len(), 3);
    assert!(!gone.needs_force(), "the desired state has none of them");
    let alone = plan("sha256:1", &desired(&["a"]), &actual(&["a"]));
    let (roster, edges) = (alone.roster().clone(), alone.edges().clone());
    let helped = with_helpers("reporter");
    let helped = Plan::new("sha256:1", &helped, roster, edges, ModulePlan::default());
    assert_eq!(
        helped.digest(),
        alone.digest(),
        "they come and go meanwhile"
    );
}
