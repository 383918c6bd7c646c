use super::*;
use crate::event::EdgeOperation;
use EdgeOrigin::{Managed, Operator, Static};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn id(text: &str) -> MemberId {
    MemberId::parse(text).expect("an id")
}

/// The edge on which the rows of the table are tried.
fn edge() -> Edge {
    Edge::between(&id("a"), &id("b"))
}

/// A world of the members `a` and `b` and the edge between them.
#[derive(Debug, Clone)]
struct World {
    discovered: Option<BTreeSet<Edge>>,
    declared: BTreeSet<Edge>,
    wired: BTreeMap<Edge, EdgeOrigin>,
    managed: BTreeSet<Edge>,
    present: BTreeSet<MemberId>,
}

impl World {
    fn new() -> Self {
        Self {
            discovered: Some(BTreeSet::new()),
            declared: BTreeSet::new(),
            wired: BTreeMap::new(),
            managed: BTreeSet::new(),
            present: ["a", "b"].map(id).into(),
        }
    }

    fn discovered(mut self) -> Self {
        self.discovered = Some([edge()].into());
        self
    }

    fn without_discovery(mut self) -> Self {
        self.discovered = None;
        self
    }

    fn declared(mut self) -> Self {
        self.declared = [edge()].into();
        self
    }

    fn wired(mut self, origin: EdgeOrigin) -> Self {
        self.wired.insert(edge(), origin);
        self
    }

    fn managed(mut self) -> Self {
        self.managed.insert(edge());
        self
    }

    fn with_an_end_gone(mut self) -> Self {
        self.present.remove(&id("b"));
        self
    }

    fn plan(&self) -> EdgePlan {
        edge_plan(&EdgeWorld {
            discovered: self.discovered.as_ref(),
            declared: &self.declared,
            wired: &self.wired,
            managed: &self.managed,
            present: &self.present,
        })
    }

    /// What the events of an applied plan make of the world.
    fn apply(&mut self, plan: &EdgePlan) {
        for EdgeStep { edge, origin } in &plan.wire {
            self.wired.insert(edge.clone(), *origin);
            if *origin == Managed {
                self.managed.insert(edge.clone());
            }
        }
        for edge in plan.unwire.iter().map(|step| &step.edge).chain(&plan.prune) {
            self.wired.remove(edge);
            self.managed.remove(edge);
        }
    }
}

/// Checks in which list of the report the edge is, and what the steps do to it.
#[track_caller]
fn check(world: &World, expected: &[&str]) {
    let report = world.plan().report(Vec::new());
    let lists = [
        ("wired", &report.wired_edges),
        ("retained", &report.retained_edges),
        ("unwired", &report.unwired_edges),
        ("preexisting", &report.preexisting_edges),
        ("skipped", &report.skipped_missing_members),
        ("pruned", &report.pruned_stale_managed_edges),
    ];
    let found: Vec<_> = lists
        .iter()
        .filter(|l| !l.1.is_empty())
        .map(|l| l.0)
        .collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check_wire(world: &World, origin: EdgeOrigin) {
    assert_eq!(
        world.plan().wire,
        [EdgeStep {
            edge: edge(),
            origin
        }]
    );
    check(world, &["wired"]);
}

#[test]
fn desired_with_an_end_missing_is_skipped() {
    check(&World::new().discovered().with_an_end_gone(), &["skipped"]);
    check(
        &World::new().discovered().with_an_end_gone().managed(),
        &["skipped"],
    );
    check(
        &World::new()
            .discovered()
            .with_an_end_gone()
            .wired(Managed)
            .managed(),
        &["skipped"],
    );
    check(
        &World::new().discovered().with_an_end_gone().wired(Operator),
        &["skipped"],
    );
}

#[test]
fn desired_wired_and_managed_is_retained() {
    check(
        &World::new().discovered().wired(Managed).managed(),
        &["retained"],
    );
}

#[test]
fn desired_and_not_wired_is_wired_and_managed_whether_it_was_managed_or_not() {
    check_wire(&World::new().discovered(), Managed);
    check_wire(&World::new().discovered().managed(), Managed);
}

#[test]
fn desired_and_wired_by_somebody_else_is_preexisting() {
    check(&World::new().discovered().wired(Operator), &["preexisting"]);
    check(
        &World::new().discovered().declared().wired(Static),
        &["preexisting"],
    );
}

#[test]
fn not_desired_and_gone_or_without_an_end_is_pruned() {
    check(&World::new().managed(), &["pruned"]);
    check(&World::new().managed().with_an_end_gone(), &["pruned"]);
    check(
        &World::new().managed().with_an_end_gone().wired(Managed),
        &["pruned"],
    );
}

#[test]
fn not_desired_wired_and_managed_is_unwired() {
    let world = World::new().wired(Managed).managed();
    assert_eq!(
        world.plan().unwire,
        [EdgeStep {
            edge: edge(),
            origin: Managed
        }]
    );
    check(&world, &["unwired"]);
}

#[test]
fn an_operators_edge_is_left_alone_whatever_is_desired() {
    check(&World::new().wired(Operator), &[]);
    check(&World::new().wired(Operator).with_an_end_gone(), &[]);
    check(&World::new().declared().wired(Operator), &["preexisting"]);
}

#[test]
fn a_stale_mark_does_not_claim_what_an_operator_has_wired_since() {
    check(&World::new().wired(Operator).managed(), &[]);
    check(
        &World::new().wired(Operator).managed().discovered(),
        &["preexisting"],
    );
}

#[test]
fn what_the_mob_file_asks_for_is_wired_as_static() {
    check_wire(&World::new().declared(), Static);
    check_wire(&World::new().declared().without_discovery(), Static);
    check_wire(&World::new().declared().discovered(), Static);
    check(&World::new().declared().with_an_end_gone(), &["skipped"]);
    check(&World::new().declared().wired(Static), &["retained"]);
}

#[test]
fn what_the_mob_file_no_longer_asks_for_is_unwired() {
    check(&World::new().wired(Static), &["unwired"]);
    check(
        &World::new().wired(Static).without_discovery(),
        &["unwired"],
    );
}

#[test]
fn an_edge_that_anybody_asks_for_stays_with_who_wired_it() {
    check(
        &World::new().declared().wired(Managed).managed(),
        &["preexisting"],
    );
    check(&World::new().discovered().wired(Static), &["preexisting"]);
    check(
        &World::new()
            .declared()
            .discovered()
            .wired(Managed)
            .managed(),
        &["retained"],
    );
}

#[test]
fn without_edge_discovery_its_edges_stay_as_they_are() {
    check(
        &World::new().without_discovery().wired(Managed).managed(),
        &[],
    );
    check(&World::new().without_discovery().managed(), &[]);
}

#[test]
fn the_report_names_all_that_is_desired() {
    let mut world = World::new().declared();
    world.discovered = Some([Edge::between(&id("x"), &id("a")), edge()].into());
    let desired = world.plan().report(Vec::new()).desired_edges;
    assert_eq!(desired, [edge(), Edge::between(&id("a"), &id("x"))]);
}

#[test]
fn what_failed_is_reported_as_failed_only() {
    let failure = |operation| EdgeFailure {
        edge: edge(),
        operation,
        error: "no".to_owned(),
    };
    let report = World::new()
        .discovered()
        .plan()
        .report(vec![failure(EdgeOperation::Wire)]);
    assert!(report.wired_edges.is_empty() && !report.is_complete());
    let world = World::new().wired(Managed).managed();
    let report = world.plan().report(vec![failure(EdgeOperation::Unwire)]);
    assert!(report.unwired_edges.is_empty() && !report.is_complete());
    assert!(world.plan().report(Vec::new()).is_complete());
    assert!(
        !World::new()
            .discovered()
            .with_an_end_gone()
            .plan()
            .report(Vec::new())
            .is_complete()
    );
}

fn all_members() -> [MemberId; 5] {
    ["a", "b", "c", "d", "e"].map(id)
}

fn all_edges() -> Vec<Edge> {
    let members = all_members();
    let pairs = members
        .iter()
        .flat_map(|a| members.iter().map(move |b| (a, b)));
    pairs
        .filter(|(a, b)| a < b)
        .map(|(a, b)| Edge::between(a, b))
        .collect()
}

fn some_edges() -> impl Strategy<Value = BTreeSet<Edge>> {
    let all = all_edges();
    proptest::sample::subsequence(all.clone(), 0..=all.len())
        .prop_map(|edges| edges.into_iter().collect())
}

fn worlds() -> impl Strategy<Value = World> {
    let origin = prop_oneof![Just(Static), Just(Managed), Just(Operator)];
    let all = all_edges();
    let origins = proptest::collection::vec(proptest::option::of(origin), all.len());
    let wired = origins.prop_map(move |origins| {
        all.iter()
            .cloned()
            .zip(origins)
            .filter_map(|(e, o)| Some((e, o?)))
            .collect()
    });
    let present = proptest::sample::subsequence(all_members().to_vec(), 0..=5);
    let discovered = proptest::option::of(some_edges());
    (discovered, some_edges(), wired, some_edges(), present).prop_map(
        |(discovered, declared, wired, managed, present)| World {
            discovered,
            declared,
            wired,
            managed,
            present: present.into_iter().collect(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_applied_plan_leaves_nothing_to_do(before in worlds()) {
        let first = before.plan();
        let mut after = before.clone();
        after.apply(&first);
        let second = after.plan();
        prop_assert!(second.is_empty(), "{second:?}");
        prop_assert_eq!(&second.desired, &first.desired);
        prop_assert_eq!(&second.skipped, &first.skipped);
        for edge in &second.desired {
            let is_there = after.wired.contains_key(edge);
            prop_assert!(is_there || second.skipped.contains(edge), "{edge}");
        }
    }

    #[test]
    fn no_step_touches_what_is_not_ours(before in worlds()) {
        let plan = before.plan();
        let mut after = before.clone();
        after.apply(&plan);
        for (edge, origin) in &before.wired {
            if *origin == Operator || plan.desired.contains(edge) {
                prop_assert_eq!(after.wired.get(edge), Some(origin));
                prop_assert_eq!(after.managed.contains(edge), before.managed.contains(edge));
            }
        }
    }

    #[test]
    fn each_edge_has_one_outcome(world in worlds()) {
        let plan = world.plan();
        let steps = plan.wire.iter().chain(&plan.unwire).map(|step| &step.edge);
        let rest = [&plan.prune, &plan.retained, &plan.preexisting, &plan.skipped];
        let mut seen = BTreeSet::new();
        for edge in steps.chain(rest.into_iter().flatten()) {
            prop_assert!(seen.insert(edge), "{edge}");
        }
        prop_assert!(plan.desired.iter().all(|edge| seen.contains(edge)));
    }
}
