//! Edges, from their sources to the journal and over restarts.

use crate::kit::{Mob, Source, ada, journal, kinds, member, same_but_errors, sound, spec};
use mobkit_domain::command::{Command, EdgeCommand, MemberCommand, Submission};
use mobkit_domain::edge::Edge;
use mobkit_domain::event::{EdgeOrigin, MemberOrigin, RetireMode};
use mobkit_domain::plan::EdgeReport;
use mobkit_engine::Engine;
use std::sync::Arc;

fn edge(a: &str, b: &str) -> Edge {
    Edge::between(&member(a), &member(b))
}

fn names(edges: &[Edge]) -> Vec<String> {
    edges.iter().map(Edge::to_string).collect()
}

async fn order(engine: &Engine, command: Command) {
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("done");
}

/// A mob whose file wires nobody: every edge is that of the source, or an operator's.
fn mob_of(members: &[&str]) -> (Mob, Arc<Source>) {
    let of = |id: &&str| format!("[[members]]\nid = \"{id}\"\nprofile = \"worker\"\n");
    let members: String = members.iter().map(of).collect();
    let head = crate::kit::HEAD.split("[wiring]").next().expect("a head");
    let mut mob = Mob::of(&(head.to_owned() + &members));
    let source = Arc::new(Source::of(&[]));
    mob.hooks.edge_discovery = Some(Arc::clone(&source) as _);
    (mob, source)
}

fn managed(engine: &Engine) -> Vec<String> {
    engine.view(|world| world.state.managed.iter().map(Edge::to_string).collect())
}

fn wired(engine: &Engine) -> Vec<String> {
    engine.view(|world| world.state.wired.keys().map(Edge::to_string).collect())
}

async fn reconcile(engine: &Engine) -> EdgeReport {
    engine.reconcile_edges(&ada()).await.expect("reconciled")
}

#[tokio::test(start_paused = true)]
async fn every_row_of_the_table_of_edges() {
    let (mob, source) = mob_of(&["a", "b", "c", "d"]);
    source.wires(&[("a", "b"), ("b", "c")]);
    let engine = mob.up().await;
    let origin = EdgeOrigin::Operator;
    let wire = Command::Edge(EdgeCommand::Wire {
        edge: edge("c", "d"),
        origin,
    });
    order(&engine, wire).await;
    source.wires(&[("b", "a"), ("c", "d"), ("a", "d"), ("a", "ghost")]);
    let report = reconcile(&engine).await;
    assert_eq!(
        names(&report.desired_edges),
        ["a+b", "a+d", "a+ghost", "c+d"]
    );
    assert_eq!(names(&report.retained_edges), ["a+b"]);
    assert_eq!(names(&report.wired_edges), ["a+d"]);
    assert_eq!(names(&report.preexisting_edges), ["c+d"]);
    assert_eq!(names(&report.unwired_edges), ["b+c"]);
    assert_eq!(names(&report.skipped_missing_members), ["a+ghost"]);
    assert!(!report.is_complete());
    assert_eq!(managed(&engine), ["a+b", "a+d"]);
    // An edge of the source whose end leaves is still its own, and forgotten when it is not wanted.
    let (member, mode) = (member("d"), RetireMode::Now);
    order(
        &engine,
        Command::Member(MemberCommand::Retire {
            member,
            mode,
            reason: None,
        }),
    )
    .await;
    assert_eq!(wired(&engine), ["a+b"]);
    assert_eq!(managed(&engine), ["a+b", "a+d"]);
    source.wires(&[("a", "b")]);
    let report = reconcile(&engine).await;
    assert_eq!(names(&report.pruned_stale_managed_edges), ["a+d"]);
    assert_eq!(managed(&engine), ["a+b"]);
    assert!(report.is_complete());
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn an_edge_comes_back_with_its_member() {
    let (mob, source) = mob_of(&["a", "b"]);
    source.wires(&[("a", "b")]);
    let engine = mob.up().await;
    let (gone, mode) = (member("b"), RetireMode::Now);
    order(
        &engine,
        Command::Member(MemberCommand::Retire {
            member: gone,
            mode,
            reason: None,
        }),
    )
    .await;
    assert_eq!(
        names(&reconcile(&engine).await.skipped_missing_members),
        ["a+b"]
    );
    let spawn = MemberCommand::Spawn {
        spec: Box::new(spec("b", "worker")),
        origin: MemberOrigin::Operator,
        ensure: false,
        wire: true,
    };
    order(&engine, Command::Member(spawn)).await;
    let report = reconcile(&engine).await;
    assert_eq!(names(&report.wired_edges), ["a+b"]);
    assert_eq!(managed(&engine), ["a+b"]);
}

#[tokio::test(start_paused = true)]
async fn the_managed_set_survives_a_restart() {
    let (mut mob, source) = mob_of(&["a", "b", "c"]);
    source.wires(&[("a", "b"), ("b", "c")]);
    let engine = mob.up().await;
    engine.shutdown().await;
    mob.again();
    let engine = mob.up().await;
    assert_eq!(managed(&engine), ["a+b", "b+c"]);
    source.wires(&[("b", "c")]);
    let report = reconcile(&engine).await;
    assert_eq!(names(&report.unwired_edges), ["a+b"]);
    assert_eq!(names(&report.retained_edges), ["b+c"]);
    // Without the hook its edges stay as they are.
    engine.shutdown().await;
    mob.again();
    mob.hooks.edge_discovery = None;
    let engine = mob.up().await;
    assert_eq!(
        (wired(&engine), managed(&engine)),
        (vec!["b+c".to_owned()], vec!["b+c".to_owned()])
    );
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn edge_discovery_that_fails_changes_nothing() {
    let (mob, source) = mob_of(&["a", "b"]);
    source.wires(&[("a", "b")]);
    let engine = mob.up().await;
    let before = journal(&mob.memory).await;
    source.edges_fail();
    let refusal = engine
        .reconcile_edges(&ada())
        .await
        .expect_err("the source is down");
    assert_eq!(refusal.code, "discovery.failed");
    source.wires(&[("a", "a")]);
    let refusal = engine
        .reconcile_edges(&ada())
        .await
        .expect_err("an edge with itself");
    assert_eq!(refusal.code, "edge.self");
    assert!(same_but_errors(&before, &journal(&mob.memory).await));
    assert_eq!(wired(&engine), ["a+b"]);
}

#[tokio::test(start_paused = true)]
async fn the_roles_of_the_mob_file_wire_members_as_they_come_and_go() {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(&["a", "b"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine = mob.up().await;
    assert_eq!(wired(&engine), ["a+b"]);
    source.says(&["a", "b", "c"]);
    let report = engine
        .apply(&ada(), &mobkit_engine::ApplyOptions::default())
        .await;
    assert_eq!(
        names(&report.expect("applied").edges.wired_edges),
        ["a+c", "b+c"]
    );
    source.says(&["a", "c"]);
    engine
        .apply(&ada(), &mobkit_engine::ApplyOptions::default())
        .await
        .expect("applied");
    assert_eq!(wired(&engine), ["a+c"]);
    assert!(managed(&engine).is_empty());
    let found = kinds(&sound(&mob.memory).await);
    assert_eq!(
        found.iter().filter(|kind| **kind == "edge.unwired").count(),
        2
    );
}
