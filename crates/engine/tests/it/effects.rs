//! Effects: each failed once, repeated once, aborted, replaced.

use crate::kit::{
    Did, Mob, Scripted, ada, beside, ends_of, journal, kinds, member, quiet, send, settle, sound,
    text_of, until,
};
use async_trait::async_trait;
use mobkit_domain::command::{Command, MemberCommand, Submission, ToolOutcome, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::Event;
use mobkit_domain::row::TurnStatus;
use mobkit_engine::{EffectPort, Engine, Runner};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const EVERYTHING: &str = "look+look; put; pay; ask g say yes; flaky 1 say all done";

fn mob() -> Mob {
    let members = "[[members]]\nid = \"a\"\nprofile = \"worker\"\n\
                   [[members]]\nid = \"g\"\nprofile = \"guest\"\n";
    Mob::of(&(crate::kit::HEAD.to_owned() + members))
}

async fn up_with(mob: &Mob, runner: Arc<dyn Runner>) -> Engine {
    let config = mobkit_engine::EngineConfig {
        runner,
        ..mob.config()
    };
    let engine = Engine::open(config).await.expect("opened");
    engine.bring_up().await.expect("brought up");
    engine
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

/// Reports everything twice.
struct Twice(Arc<Scripted>, Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Runner for Twice {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        let engine = port.engine.clone();
        let outcome = self.0.run(effect, port).await;
        if let Some(command) = outcome.clone() {
            let refused = Arc::clone(&self.1);
            // Beside the effect, which may be over as soon as its outcome is known.
            beside(async move {
                engine
                    .submit_internal(command.clone())
                    .await
                    .expect("the first time");
                let again = engine
                    .submit_internal(command)
                    .await
                    .expect_err("the second time");
                refused.lock().expect("not poisoned").push(again.code);
            });
            return None;
        }
        outcome
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_comes_again_changes_nothing() {
    let mob = mob();
    let runner = Arc::new(Twice(Arc::clone(&mob.runner), Arc::default()));
    let engine = up_with(&mob, Arc::clone(&runner) as _).await;
    let message = send(&engine, "a", EVERYTHING).await;
    assert_eq!(text_of(&settle(&engine, message).await), "all done");
    quiet().await;
    let events = sound(&mob.memory).await;
    assert!(ends_of(&events).values().all(|ends| *ends == 1));
    let refused = runner.1.lock().expect("not poisoned").clone();
    // Six answers of models, four of tools, the start of the guest, and the end of its turn.
    let known =
        |code: &String| ["turn.stale", "turn.not_open", "member.stale"].contains(&code.as_str());
    assert!(
        refused.len() >= 11 && refused.iter().all(known),
        "{refused:?}"
    );
}

/// Panics at the first attempt of every effect.
struct Clumsy(Arc<Scripted>, Mutex<Vec<Effect>>);

#[async_trait]
impl Runner for Clumsy {
    async fn run(&self, effect: Effect, port: EffectPort) -> Option<Command> {
        let first = {
            let mut seen = self.1.lock().expect("not poisoned");
            let first = !seen.contains(&effect);
            seen.push(effect.clone());
            first
        };
        assert!(!first, "on purpose");
        self.0.run(effect, port).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_panics_fails_its_effect_and_nothing_else() {
    let mob = mob();
    let runner = Arc::new(Clumsy(Arc::clone(&mob.runner), Mutex::default()));
    let engine = up_with(&mob, runner).await;
    until("the guest failed", || {
        engine.view(|w| w.state.members[&member("g")].last_error.is_some())
    })
    .await;
    let message = send(&engine, "a", "say x").await;
    let row = settle(&engine, message).await;
    assert_eq!(row.status, TurnStatus::Failed);
    assert!(row.reason.is_some_and(|reason| reason.contains("panicked")));
    let events = sound(&mob.memory).await;
    assert!(kinds(&events).contains(&"member.failed"));
    assert!(
        engine
            .phase()
            .check(mobkit_domain::lifecycle::Verb::Mutate)
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_fails_or_panics_is_told_to_the_model_and_the_turn_goes_on() {
    let mob = mob();
    let engine = mob.up().await;
    let text = r#"look {"fail": true}; put {"panic": true}; pay {"fail": true}; say still here"#;
    let message = send(&engine, "a", text).await;
    assert_eq!(text_of(&settle(&engine, message).await), "still here");
    let events = sound(&mob.memory).await;
    let failed: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::ToolFailed(e) => Some(e.reason.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(failed.len(), 3);
    assert!(
        failed[0] == "on purpose" && failed[1].contains("panicked"),
        "{failed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_for_a_while_is_asked_again_with_growing_pauses() {
    let mob = mob();
    let engine = mob.up().await;
    let message = send(&engine, "a", "flaky 3 say x").await;
    let row = settle(&engine, message).await;
    assert_eq!((text_of(&row), row.steps), ("x", 1));
    assert_eq!(mob.runner.model_calls(), 4);
    let waited = engine.now().since_ms(crate::kit::BASE);
    assert!((2_500..6_000).contains(&waited), "{waited} ms");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_stops_its_work_and_frees_its_member() {
    let mob = mob();
    let engine = mob.up().await;
    let stuck = send(&engine, "a", r#"look {"never": true}+look {"never": true}"#).await;
    until("both calls run", || mob.runner.calls("look").len() == 2).await;
    let running = engine.tasks().live()["effect"];
    order(
        &engine,
        Command::Member(MemberCommand::Cancel {
            member: member("a"),
            reason: None,
        }),
    )
    .await;
    assert_eq!(settle(&engine, stuck).await.status, TurnStatus::Cancelled);
    quiet().await;
    assert_eq!(running, 2);
    assert!(
        !engine.tasks().live().contains_key("effect"),
        "{:?}",
        engine.tasks().live()
    );
    let next = send(&engine, "a", "say free").await;
    assert_eq!(text_of(&settle(&engine, next).await), "free");
}

#[tokio::test(start_paused = true)]
async fn the_late_outcome_of_a_cancelled_turn_is_refused() {
    let mob = mob();
    let engine = mob.up().await;
    let message = send(&engine, "a", r#"pay {"never": true}"#).await;
    until("the call runs", || mob.runner.calls("pay").len() == 1).await;
    let call = mob.runner.calls("pay")[0];
    let turn = engine.view(|w| *w.state.turns.keys().next().expect("a turn"));
    order(
        &engine,
        Command::Turn(TurnCommand::Cancel { turn, reason: None }),
    )
    .await;
    let before = journal(&mob.memory).await;
    let late = TurnCommand::ToolEnded {
        turn: Some(turn),
        call,
        outcome: ToolOutcome::Finished("late".into()),
    };
    let refusal = engine
        .submit_internal(Command::Turn(late))
        .await
        .expect_err("late");
    assert_eq!(refusal.code, "turn.not_open");
    assert_eq!(journal(&mob.memory).await, before);
    assert_eq!(ends_of(&before)[&message], 1);
}

#[tokio::test(start_paused = true)]
async fn a_respawn_makes_no_running_call_again_and_asks_the_model_under_the_new_token() {
    let mob = mob();
    let engine = mob.up().await;
    let respawn = || {
        let (member, reason) = (member("a"), "a test".to_owned());
        Command::Member(MemberCommand::Respawn {
            member,
            profile: None,
            reason,
        })
    };
    for tool in ["look", "put", "pay"] {
        let text = format!("{tool} {{\"after_ms\": 500}}; after 500 say done");
        let message = send(&engine, "a", &text).await;
        until("the call runs", || mob.runner.calls(tool).len() == 1).await;
        order(&engine, respawn()).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        // The model is at work by now; its call is made again, since its answer would be stale.
        let asked = mob.runner.model_calls();
        order(&engine, respawn()).await;
        let row = settle(&engine, message).await;
        assert_eq!((text_of(&row), row.steps), ("done", 2), "{tool}");
        assert_eq!(mob.runner.calls(tool).len(), 1, "{tool}");
        assert_eq!(mob.runner.model_calls(), asked + 1, "{tool}");
    }
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_outcome_is_on_its_way_is_not_made_again_by_a_respawn() {
    let mob = mob();
    let engine = mob.up().await;
    let message = send(&engine, "a", r#"put {"after_ms": 100}; say done"#).await;
    until("the call runs", || mob.runner.calls("put").len() == 1).await;
    // The respawn reaches the writer before the outcome, in one and the same batch.
    mob.tap.hold(true);
    let first = beside({
        let engine = engine.clone();
        async move { send(&engine, "g", "say x").await }
    });
    until("an append waits", || mob.tap.waiting() == 1).await;
    let respawn = beside({
        let engine = engine.clone();
        let (member, reason) = (member("a"), "a test".to_owned());
        let command = MemberCommand::Respawn {
            member,
            profile: None,
            reason,
        };
        async move { order(&engine, Command::Member(command)).await }
    });
    quiet().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    quiet().await;
    mob.tap.hold(false);
    first.await.expect("accepted");
    respawn.await.expect("respawned");
    assert_eq!(text_of(&settle(&engine, message).await), "done");
    assert_eq!(mob.runner.calls("put").len(), 1);
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn an_external_engine_runs_whole_turns_and_its_calls_are_made_here() {
    let mob = mob();
    let engine = mob.up().await;
    let message = send(
        &engine,
        "g",
        "look; peers; ask a say yes; look {\"fail\": true}; say end",
    )
    .await;
    let row = settle(&engine, message).await;
    assert_eq!((text_of(&row), row.steps), ("end", 4));
    assert_eq!(mob.runner.calls("look").len(), 2);
    let did = mob.runner.did();
    let turns = did
        .iter()
        .filter(|did| matches!(did, Did::EngineTurn { resumed: false, .. }));
    assert_eq!(turns.count(), 1);
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_engine_does_not_start_fails_and_takes_its_time_from_nobody() {
    let members = "[[members]]\nid = \"a\"\nprofile = \"worker\"\n\
                   [[members]]\nid = \"bad\"\nprofile = \"guest\"\n";
    let mob = Mob::of(&(crate::kit::HEAD.to_owned() + members));
    let engine = mob.up().await;
    quiet().await;
    let events = sound(&mob.memory).await;
    assert!(kinds(&events).contains(&"member.failed"));
    assert!(
        events
            .iter()
            .any(|event| matches!(&event.event, Event::ErrorRaised(_)))
    );
    let message = send(&engine, "a", "say fine").await;
    assert_eq!(text_of(&settle(&engine, message).await), "fine");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_waits_at_the_start_is_begun_once() {
    let mut mob = mob();
    let engine = mob.up().await;
    order(
        &engine,
        Command::Mob(mobkit_domain::command::MobCommand::Pause { reason: None }),
    )
    .await;
    let message = send(&engine, "a", "look; say x").await;
    engine.shutdown().await;
    mob.again();
    let engine = mob.open().await.expect("opened");
    order_internal(&engine).await;
    engine.bring_up().await.expect("brought up");
    assert_eq!(text_of(&settle(&engine, message).await), "x");
    assert_eq!(
        (mob.runner.model_calls(), mob.runner.calls("look").len()),
        (2, 1)
    );
}

/// Lets the line go on before the runtime is ready, so that the turn begins with it.
async fn order_internal(engine: &Engine) {
    let resume = Command::Mob(mobkit_domain::command::MobCommand::Resume);
    engine.submit_internal(resume).await.expect("resumed");
}
