//! What a start makes of what it finds open.

use crate::kit::{Death, Mob, ada, ends_of, kinds, member, send, settle, sound, text_of, until};
use mobkit_domain::command::{Command, Submission, TurnCommand};
use mobkit_domain::event::{Event, ResolveHow};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::MemberState;
use mobkit_engine::Engine;

/// Ends the process so that the journal learns nothing of it.
async fn kill(mob: &mut Mob, engine: Engine) {
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    engine.shutdown().await;
    assert!(mob.tap.is_dead());
    mob.again();
}

async fn resolve(
    engine: &Engine,
    call: mobkit_domain::id::CallId,
    how: ResolveHow,
) -> Result<(), Refusal> {
    let result = (how == ResolveHow::Happened).then(|| "seen".into());
    let command = Command::Turn(TurnCommand::ToolResolve { call, how, result });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn what_may_be_repeated_is_repeated_with_the_same_call_id() {
    for tool in ["look", "put"] {
        let mut mob = Mob::workers(&["a"]);
        let engine = mob.up().await;
        let message = send(
            &engine,
            "a",
            &format!("{tool} {{\"after_ms\": 100}}; say done"),
        )
        .await;
        until("the call runs", || mob.runner.calls(tool).len() == 1).await;
        kill(&mut mob, engine).await;
        let engine = mob.up().await;
        assert_eq!(text_of(&settle(&engine, message).await), "done");
        let calls = mob.runner.calls(tool);
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0], calls[1]);
        assert_eq!(
            mob.runner.model_calls(),
            2,
            "a recorded reply is not asked for again"
        );
        sound(&mob.memory).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_in_flight_is_unknown_until_an_operator_says_what_came_of_it() {
    let cases = [
        (ResolveHow::Happened, 1, TurnStatus::Completed),
        (ResolveHow::Run, 2, TurnStatus::Completed),
        (ResolveHow::GiveUp, 1, TurnStatus::Failed),
    ];
    for (how, made, status) in cases {
        let mut mob = Mob::workers(&["a", "b"]);
        let engine = mob.up().await;
        let message = send(&engine, "a", r#"pay {"after_ms": 100}; say paid"#).await;
        until("the call runs", || mob.runner.calls("pay").len() == 1).await;
        kill(&mut mob, engine).await;
        let engine = mob.up().await;
        let other = send(&engine, "b", "say meanwhile").await;
        settle(&engine, other).await;
        assert_eq!(mob.runner.calls("pay").len(), 1);
        let state = engine.view(|w| w.state.member_state(&member("a")));
        assert_eq!(state, Some(MemberState::Waiting));
        let call = mob.runner.calls("pay")[0];
        resolve(&engine, call, how).await.expect("resolved");
        let again = resolve(&engine, call, how)
            .await
            .expect_err("resolved already");
        assert!(again.code.starts_with("tool.not_"), "{again:?}");
        assert_eq!(settle(&engine, message).await.status, status);
        assert_eq!(mob.runner.calls("pay").len(), made);
        let events = sound(&mob.memory).await;
        assert_eq!(
            kinds(&events)
                .iter()
                .filter(|kind| **kind == "tool.unknown")
                .count(),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn three_recoveries_without_progress_quarantine_the_member_and_others_go_on() {
    let mut mob = Mob::workers(&["a", "b"]);
    let mut engine = mob.up().await;
    let killer = send(&engine, "a", "never").await;
    let waits = send(&engine, "a", "say later").await;
    for _ in 0..3 {
        kill(&mut mob, engine).await;
        engine = mob.up().await;
        let other = send(&engine, "b", "say fine").await;
        assert_eq!(text_of(&settle(&engine, other).await), "fine");
    }
    let row = settle(&engine, killer).await;
    assert_eq!(row.status, TurnStatus::Failed);
    assert_eq!(
        engine.view(|w| w.state.member_state(&member("a"))),
        Some(MemberState::Quarantined)
    );
    let events = sound(&mob.memory).await;
    let found = kinds(&events);
    assert_eq!(
        found
            .iter()
            .filter(|kind| **kind == "member.quarantined")
            .count(),
        1
    );
    assert_eq!(
        found.iter().filter(|kind| **kind == "turn.resumed").count(),
        2
    );
    assert_eq!(
        ends_of(&events)[&waits],
        0,
        "what waits is kept for an operator to decide"
    );
}

#[tokio::test(start_paused = true)]
async fn recoveries_with_progress_in_between_quarantine_nobody() {
    let mut mob = Mob::workers(&["a"]);
    let mut engine = mob.up().await;
    let text = "look; after 50 look; after 50 look; after 50 look; after 50 look; say through";
    let message = send(&engine, "a", text).await;
    for step in 1..=4 {
        until("a step was made", || mob.runner.calls("look").len() >= step).await;
        crate::kit::quiet().await;
        kill(&mut mob, engine).await;
        engine = mob.up().await;
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    assert_eq!(text_of(&settle(&engine, message).await), "through");
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_peer_is_not_blamed_for_a_crash() {
    let mut mob = Mob::workers(&["a", "b"]);
    let mut engine = mob.up().await;
    let message = send(&engine, "a", "ask b look; say thanks").await;
    crate::kit::quiet().await;
    settle(&engine, message).await;
    let asks = send(&engine, "a", "ask b after 1000 say slow; say thanks").await;
    until("b is at work", || {
        engine.view(|w| w.state.member_state(&member("b"))) == Some(MemberState::Working)
    })
    .await;
    for _ in 0..2 {
        kill(&mut mob, engine).await;
        engine = mob.up().await;
    }
    assert_eq!(text_of(&settle(&engine, asks).await), "thanks");
    let events = sound(&mob.memory).await;
    let blamed = events.iter().any(|event| match &event.event {
        Event::TurnResumed(e) => e.member == member("a") && e.recoveries > 0,
        _ => false,
    });
    assert!(!blamed);
}

#[tokio::test(start_paused = true)]
async fn a_start_says_what_it_found() {
    let mut mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    send(&engine, "a", "never").await;
    send(&engine, "a", "say later").await;
    crate::kit::quiet().await;
    kill(&mut mob, engine).await;
    let engine = mob.up().await;
    engine.shutdown().await;
    mob.again();
    mob.up().await;
    let events = sound(&mob.memory).await;
    let recovered: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::RuntimeRecovered(e) => Some((
                e.clean,
                e.turns_interrupted.len(),
                e.turns_checkpointed.len(),
                e.messages_waiting,
            )),
            _ => None,
        })
        .collect();
    assert_eq!(recovered, [(false, 1, 0, 1), (true, 0, 1, 1)]);
}
