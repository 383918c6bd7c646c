//! A crash at every point: before and after every append of a whole scenario.

use crate::kit::{Death, Mob, Tap, ada, ends_of, kinds, send_as, sound};
use futures::future::try_join_all;
use mobkit_domain::command::{ApprovalCommand, Command, Submission, TurnCommand};
use mobkit_domain::event::{Event, EventFilter, ResolveHow, Verdict};
use mobkit_domain::id::{CallId, MessageId};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::CallState;
use mobkit_engine::{Engine, EventReader};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Turns with retries, tools of every sort, questions between members, calls that need a decision,
/// and an external engine.
const SCENARIO: [(&str, &str); 7] = [
    ("a", "look; put; say one"),
    ("a", "pay; say two"),
    ("b", "ask c pay; say three"),
    ("c", "flaky 2 say four"),
    ("b", "look+look; tell a put; say five"),
    ("g", "look; pay; ask a say yes; say six"),
    ("c", "fail rejected"),
];

fn mob() -> Mob {
    let members =
        ["a", "b", "c"].map(|id| format!("[[members]]\nid = \"{id}\"\nprofile = \"worker\"\n"));
    Mob::of(
        &(crate::kit::HEAD.to_owned()
            + &members.concat()
            + "[[members]]\nid = \"g\"\nprofile = \"guest\"\n"
            + "[[gates]]\ntool = \"put\"\naction = \"review\"\n"),
    )
}

/// An operator who looks into the outside world and says what came of calls that nobody knows of.
async fn resolve(engine: &Engine, mob: &Mob) -> Result<(), Refusal> {
    let unknown: Vec<CallId> = engine.view(|world| {
        let calls = world.state.turns.values().flat_map(|turn| &turn.calls);
        calls
            .filter(|call| call.state == CallState::Unknown)
            .map(|call| call.id)
            .collect()
    });
    for call in unknown {
        let happened = mob.runner.calls("pay").contains(&call);
        let how = if happened {
            ResolveHow::Happened
        } else {
            ResolveHow::Run
        };
        let result = happened.then(|| "ok".into());
        let command = Command::Turn(TurnCommand::ToolResolve { call, how, result });
        engine
            .submit(Submission {
                command,
                actor: ada(),
                key: None,
                trace: None,
            })
            .await?;
    }
    Ok(())
}

/// An operator who approves whatever there is to approve.
async fn approve(engine: &Engine) {
    let filter = EventFilter {
        kinds: vec!["approval.requested".to_owned()],
        ..EventFilter::default()
    };
    let Ok(mut reader) = EventReader::open(engine, 0, filter).await else {
        return;
    };
    while let Ok(Some(events)) = reader.next(10).await {
        for event in events {
            let Event::ApprovalRequested(asked) = &event.envelope.event else {
                continue;
            };
            let command = ApprovalCommand::Decide {
                approval: asked.approval,
                digest: asked.digest.clone(),
                decision: Verdict::Approve,
                args: None,
                reason: None,
                grant: None,
                roles: Vec::new(),
            };
            let submission = Submission {
                command: Command::Approval(command),
                actor: ada(),
                key: None,
                trace: None,
            };
            // It may be decided, or the process be about to die.
            let _ = engine.submit(submission).await;
        }
    }
}

/// One process: sends everything, each with its key, and waits for every answer.
async fn live(mob: &Mob) -> Result<Vec<MessageId>, ()> {
    let engine = mob.start().await.map_err(drop)?;
    let work = async {
        resolve(&engine, mob).await?;
        let sent = (1..).zip(SCENARIO).map(|(n, (to, text))| {
            let engine = &engine;
            async move { send_as(engine, to, text, Some(&format!("key {n}"))).await }
        });
        let messages = try_join_all(sent).await?;
        try_join_all(messages.iter().map(|message| engine.outcome(*message))).await?;
        // What members told each other is part of it.
        loop {
            let open: Vec<MessageId> =
                engine.view(|world| world.state.messages.keys().copied().collect());
            if open.is_empty() {
                return Ok::<_, Refusal>(messages);
            }
            try_join_all(open.into_iter().map(|message| engine.outcome(message))).await?;
        }
    };
    let approving = async {
        approve(&engine).await;
        std::future::pending::<()>().await;
    };
    let done = tokio::select! {
        done = work => done,
        () = approving => return Err(()),
    };
    let report = engine.shutdown().await;
    assert!(engine.tasks().live().is_empty());
    if mob.tap.is_dead() || !report.is_orderly() {
        return Err(());
    }
    done.map_err(drop)
}

/// What must hold at the end, however it came about.
async fn check(mob: &Mob, messages: &[MessageId]) {
    let events = sound(&mob.memory).await;
    assert!(
        ends_of(&events).values().all(|ends| *ends == 1),
        "{:?}",
        ends_of(&events)
    );
    assert_eq!(
        messages.iter().collect::<BTreeSet<_>>().len(),
        SCENARIO.len()
    );
    let ended = |kind| {
        kinds(&events)
            .iter()
            .filter(|found| **found == kind)
            .count()
    };
    let failed: Vec<&str> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::TurnFailed(e) => Some(e.reason.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(failed, ["on purpose"]);
    // Each of the scenario, the three questions and the message between members.
    assert_eq!(
        (ended("turn.completed"), ended("turn.failed")),
        (SCENARIO.len() - 1 + 3, 1)
    );
    let distinct = |tool| {
        mob.runner
            .calls(tool)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len()
    };
    assert_eq!(
        (distinct("look"), distinct("put"), distinct("pay")),
        (4, 2, 3)
    );
    assert_eq!(mob.runner.calls("pay").len(), 3, "no effect happens twice");
    let asked = kinds(&events);
    let asked = asked.iter().filter(|kind| **kind == "approval.requested");
    assert_eq!(asked.count(), 2, "nothing is asked twice");
    let accepted = events
        .iter()
        .filter(|e| matches!(&e.event, Event::MessageAccepted(_)))
        .count();
    assert_eq!(accepted, SCENARIO.len() + 3);
}

async fn survives(deaths: &[Death]) {
    let mut mob = mob();
    for death in deaths {
        mob.tap = Arc::new(Tap::mortal(Arc::new(mob.memory.reopen()), *death));
        let lived = live(&mob).await;
        assert!(lived.is_err() || !mob.tap.is_dead());
        sound(&mob.memory).await;
    }
    mob.again();
    let messages = live(&mob)
        .await
        .unwrap_or_else(|()| panic!("{deaths:?}: no answers"));
    check(&mob, &messages).await;
}

/// How many appends the scenario takes without a crash.
async fn appends() -> usize {
    let mob = mob();
    let messages = live(&mob).await.expect("all are answered");
    check(&mob, &messages).await;
    mob.tap.appends().len()
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_or_after_any_append_loses_nothing_and_does_nothing_twice() {
    let appends = appends().await;
    assert!(appends > 20, "only {appends} appends");
    for at in 1..=appends {
        survives(&[Death::Before(at)]).await;
        survives(&[Death::After(at)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_during_the_recovery_from_a_crash_loses_nothing_either() {
    let appends = appends().await;
    for first in (6..=appends).step_by(5) {
        for second in 1..=8 {
            survives(&[Death::Before(first), Death::After(second)]).await;
        }
    }
}
