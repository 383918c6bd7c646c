//! Plan, apply and rediscover: what changes, what does not, and what is said about it.

use crate::kit::{
    Mob, Source, ada, beside, journal, kinds, member, quiet, same_but_errors, send, sound, spec,
};
use mobkit_domain::command::{Command, MemberCommand, Submission};
use mobkit_domain::definition::{MemberSpec, NoFiles, parse};
use mobkit_domain::event::{ErrorEvent, Event, MemberOrigin};
use mobkit_domain::id::SessionId;
use mobkit_domain::plan::{ApplyReport, Operation};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::MemberState;
use mobkit_engine::{ApplyOptions, Engine, RediscoverMode};
use std::sync::Arc;

const FORCE: ApplyOptions = ApplyOptions {
    digest: None,
    force: true,
};

/// A mob whose members are what a source says, and its engine.
async fn mob_of(members: &[&str]) -> (Mob, Arc<Source>, Engine) {
    let mut mob = Mob::empty();
    let source = Arc::new(Source::of(members));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine = mob.up().await;
    (mob, source, engine)
}

fn present(engine: &Engine) -> Vec<String> {
    engine.view(|world| {
        world
            .state
            .present()
            .map(|(id, _)| id.to_string())
            .collect()
    })
}

async fn converge(engine: &Engine) -> Result<ApplyReport, Refusal> {
    let report = engine
        .rediscover(&ada(), RediscoverMode::Converge, false)
        .await?;
    Ok(report.expect("there is discovery"))
}

fn ids(members: &[mobkit_domain::id::MemberId]) -> Vec<&str> {
    members
        .iter()
        .map(mobkit_domain::id::MemberId::as_str)
        .collect()
}

/// What is wrong with a source, how it comes about, and how it is refused.
struct Wrong {
    change: fn(&Source, SessionId),
    code: &'static str,
    why: &'static str,
}

/// Everything that can be wrong; each leaves the three members as they are.
const WRONG: [Wrong; 7] = [
    Wrong {
        change: |source, _| source.fails(),
        code: "discovery.failed",
        why: "the source is down",
    },
    Wrong {
        change: |source, _| *source.panics.lock().expect("not poisoned") = true,
        code: "discovery.failed",
        why: "panicked",
    },
    Wrong {
        change: |source, _| source.says(&[]),
        code: "plan.mass_removal",
        why: "3 of 3",
    },
    Wrong {
        change: |source, _| source.says(&["a", "b", "c", "b"]),
        code: "roster.invalid",
        why: "\"b\" is named twice",
    },
    Wrong {
        change: |source, _| source.says_specs(and(spec("d", "clown"))),
        code: "roster.invalid",
        why: "clown",
    },
    Wrong {
        change: |source, _| source.says_specs(and(with_session("d", SessionId(9_999)))),
        code: "roster.invalid",
        why: "ses-9999",
    },
    Wrong {
        change: |source, used| source.says_specs(and(with_session("d", used))),
        code: "roster.invalid",
        why: "that of \"a\"",
    },
];

fn and(other: MemberSpec) -> Vec<MemberSpec> {
    vec![
        spec("a", "worker"),
        spec("b", "worker"),
        spec("c", "worker"),
        other,
    ]
}

fn with_session(id: &str, session: SessionId) -> MemberSpec {
    MemberSpec {
        session: Some(session),
        ..spec(id, "worker")
    }
}

#[tokio::test(start_paused = true)]
async fn discovery_that_is_of_no_use_changes_nothing_and_says_why() {
    for Wrong { change, code, why } in WRONG {
        let (mob, source, engine) = mob_of(&["a", "b", "c"]).await;
        change(
            &source,
            engine.view(|w| w.state.members[&member("a")].session),
        );
        let before = journal(&mob.memory).await;
        for mode in [RediscoverMode::Converge, RediscoverMode::Reset] {
            let refusal = engine.rediscover(&ada(), mode, false).await.expect_err(why);
            assert_eq!(refusal.code, code, "{refusal}");
            assert!(refusal.message.contains(why), "{refusal}");
        }
        let applied = engine
            .apply(&ada(), &ApplyOptions::default())
            .await
            .expect_err(why);
        assert_eq!(applied.code, code);
        let after = journal(&mob.memory).await;
        assert!(
            same_but_errors(&before, &after),
            "{why}: {:?}",
            kinds(&after[before.len()..])
        );
        let raised = after[before.len()..]
            .iter()
            .filter(|event| match &event.event {
                Event::ErrorRaised(e) => matches!(e.error, ErrorEvent::RediscoverFailure { .. }),
                _ => false,
            });
        assert_eq!(raised.count(), 2, "{why}");
        assert_eq!(present(&engine), ["a", "b", "c"], "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn converge_changes_what_differs_and_reset_starts_everybody_over() {
    let (mob, source, engine) = mob_of(&["a", "b", "c"]).await;
    source.says(&["a", "b", "d"]);
    let report = converge(&engine).await.expect("converged");
    assert_eq!(ids(&report.spawned), ["d"]);
    assert_eq!(ids(&report.retired), ["c"]);
    assert_eq!(ids(&report.retained), ["a", "b"]);
    assert!(report.is_complete());
    let generation = |id: &str| engine.view(|w| w.state.members[&member(id)].fence.generation);
    assert_eq!((generation("a"), generation("d")), (1, 1));
    let report = engine
        .rediscover(&ada(), RediscoverMode::Reset, false)
        .await;
    let report = report.expect("reset").expect("there is discovery");
    assert_eq!(ids(&report.retired), ["a", "b", "d"]);
    assert_eq!(ids(&report.spawned), ["a", "b", "d"]);
    assert_eq!((generation("a"), generation("d")), (2, 2));
    assert_eq!(present(&engine), ["a", "b", "d"]);
    let again = converge(&engine).await.expect("converged");
    assert!(again.spawned.is_empty() && again.retired.is_empty());
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn without_discovery_there_is_nothing_to_rediscover() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let before = journal(&mob.memory).await;
    for mode in [RediscoverMode::Converge, RediscoverMode::Reset] {
        assert_eq!(engine.rediscover(&ada(), mode, true).await, Ok(None));
    }
    assert_eq!(journal(&mob.memory).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_mass_removal_needs_force() {
    let (_mob, source, engine) = mob_of(&["a", "b", "c"]).await;
    source.says(&["a"]);
    assert!(engine.plan().await.expect("a plan").needs_force);
    let refusal = engine
        .apply(&ada(), &ApplyOptions::default())
        .await
        .expect_err("guarded");
    assert_eq!(refusal.code, "plan.mass_removal");
    assert_eq!(present(&engine), ["a", "b", "c"]);
    let report = engine.apply(&ada(), &FORCE).await.expect("forced");
    assert_eq!(ids(&report.retired), ["b", "c"]);
    assert_eq!(present(&engine), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing_and_its_digest_counts_only_while_the_world_stands_still() {
    let (mob, source, engine) = mob_of(&["a", "b"]).await;
    source.says(&["a", "b", "c"]);
    let before = journal(&mob.memory).await;
    let plan = engine.plan().await.expect("a plan");
    assert_eq!(engine.plan().await.expect("a plan").digest, plan.digest);
    assert_eq!(journal(&mob.memory).await, before);
    assert_eq!(plan.counts["spawn"], 1);
    let spec = Box::new(spec("z", "worker"));
    let command = Command::Member(MemberCommand::Spawn {
        spec,
        origin: MemberOrigin::Operator,
        ensure: false,
        wire: true,
    });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("spawned");
    let options = ApplyOptions {
        digest: Some(plan.digest),
        force: false,
    };
    let refusal = engine
        .apply(&ada(), &options)
        .await
        .expect_err("the world has moved on");
    assert_eq!(refusal.code, "plan.stale");
    let plan = engine.plan().await.expect("a plan");
    let options = ApplyOptions {
        digest: Some(plan.digest),
        force: false,
    };
    assert_eq!(
        ids(&engine
            .apply(&ada(), &options)
            .await
            .expect("applied")
            .spawned),
        ["c"]
    );
    assert!(engine.plan().await.expect("a plan").empty);
    assert_eq!(
        present(&engine),
        ["a", "b", "c", "z"],
        "no plan retires who an operator spawned"
    );
}

#[tokio::test(start_paused = true)]
async fn two_reconciles_at_once_do_not_interleave() {
    let (mob, source, engine) = mob_of(&["a", "b", "c"]).await;
    *source.takes_ms.lock().expect("not poisoned") = 50;
    source.says(&["a", "b", "d", "e"]);
    let apply = || {
        let engine = engine.clone();
        beside(async move { engine.apply(&ada(), &ApplyOptions::default()).await })
    };
    let (first, second) = (apply(), apply());
    let (first, second) = (first.await.expect("ended"), second.await.expect("ended"));
    let (first, second) = (first.expect("applied"), second.expect("applied"));
    assert_eq!(ids(&first.spawned), ["d", "e"]);
    assert!(second.spawned.is_empty() && second.failures.is_empty());
    let events = sound(&mob.memory).await;
    let order: Vec<&str> = kinds(&events)
        .into_iter()
        .filter(|kind| ["mob.planned", "mob.applied"].contains(kind))
        .collect();
    assert_eq!(
        order,
        ["mob.planned", "mob.applied", "mob.planned", "mob.applied"]
    );
    assert_eq!(source.contexts().len(), 3, "the start and each of the two");
}

#[tokio::test(start_paused = true)]
async fn a_spawn_that_fails_half_way_is_reported_and_the_rest_stands() {
    let (mob, source, engine) = mob_of(&["a", "b", "c"]).await;
    // c is told to leave and still has work to do, so it can't come back yet.
    send(&engine, "c", "after 1000 say x").await;
    quiet().await;
    source.says(&["a", "b"]);
    converge(&engine).await.expect("converged");
    assert_eq!(
        engine.view(|w| w.state.member_state(&member("c"))),
        Some(MemberState::Retiring)
    );
    source.says(&["a", "b", "c", "d", "e"]);
    let report = converge(&engine).await.expect("converged");
    assert_eq!(ids(&report.spawned), ["d", "e"]);
    assert_eq!(report.failures.len(), 1);
    assert_eq!(report.failures[0].object, "member/c");
    assert_eq!(report.failures[0].operation, Operation::Spawn);
    assert!(!report.is_complete());
    let events = sound(&mob.memory).await;
    let raised: Vec<&ErrorEvent> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::ErrorRaised(e) => Some(&e.error),
            _ => None,
        })
        .collect();
    assert!(matches!(
        raised[..],
        [
            ErrorEvent::SpawnFailure { .. },
            ErrorEvent::ReconcileIncomplete { .. }
        ]
    ));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let report = converge(&engine).await.expect("converged");
    assert_eq!(ids(&report.spawned), ["c"]);
    assert!(report.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_changed_definition_comes_into_force_with_the_apply() {
    struct File(&'static str);
    #[async_trait::async_trait]
    impl mobkit_engine::DefinitionSource for File {
        async fn load(
            &self,
        ) -> Result<mobkit_domain::definition::Definition, mobkit_engine::DefinitionError> {
            let text = crate::kit::HEAD.replace("Do what the message says.", self.0)
                + "[[members]]\nid = \"a\"\nprofile = \"worker\"\nlabels = { team = \"x\" }\n";
            Ok(parse("mob.toml", &text, &NoFiles)
                .expect("right")
                .definition)
        }
    }
    let mut mob = Mob::workers(&["a", "b"]);
    mob.source = Some(Arc::new(File("Do it better.")));
    let engine = mob.open().await.expect("opened");
    engine.bring_up().await.expect("brought up");
    let told = engine.view(|world| {
        world
            .definition
            .profiles
            .values()
            .all(|profile| profile.instructions == "Do it better.")
    });
    assert!(told);
    assert_eq!(present(&engine), ["a"]);
    let plan = engine.plan().await.expect("a plan");
    assert!(plan.empty, "{:?}", plan.steps);
}
