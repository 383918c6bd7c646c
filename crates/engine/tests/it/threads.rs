//! Real threads: whatever comes at the same moment, the journal stays sound.

use crate::kit::{Mob, ada, beside, ends_of, kinds, member, send_as, sound};
use mobkit_domain::command::{Command, MemberCommand, Submission, TurnCommand};
use mobkit_domain::event::ResolveHow;
use mobkit_domain::id::{CallId, MessageId};
use mobkit_domain::refusal::Refusal;
use mobkit_domain::state::CallState;
use mobkit_engine::Engine;
use std::collections::BTreeSet;
use tokio::task::JoinSet;

const MEMBERS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const MESSAGES: usize = 120;

fn text(n: usize) -> (&'static str, String) {
    let (to, next) = (MEMBERS[n % 6], MEMBERS[(n + 1) % 6]);
    let text = match n % 5 {
        0 => "look+look; put; say done".to_owned(),
        1 => "pay; say done".to_owned(),
        2 => format!("tell {next} look; say done"),
        3 => format!("ask {next} pay; say done"),
        _ => "say done".to_owned(),
    };
    (to, text)
}

/// An operator who knows which payments were made.
async fn resolve(engine: &Engine, mob: &Mob) {
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
        let submission = Submission {
            command,
            actor: ada(),
            key: None,
            trace: None,
        };
        engine.submit(submission).await.expect("resolved");
    }
}

/// Sends everything at once and counts the answers; stops when so many have come.
async fn live(mob: &Mob, stop_after: usize) -> usize {
    let engine = mob.up().await;
    resolve(&engine, mob).await;
    let mut clients: JoinSet<Result<MessageId, Refusal>> = JoinSet::new();
    for n in 0..MESSAGES {
        let engine = engine.clone();
        let (to, text) = text(n);
        clients.spawn(async move {
            let message = send_as(&engine, to, &text, Some(&format!("key {n}"))).await?;
            engine.outcome(message).await.map(|_| message)
        });
    }
    let respawn = beside({
        let engine = engine.clone();
        async move {
            for id in MEMBERS {
                let (member, reason) = (member(id), "a test".to_owned());
                let command = MemberCommand::Respawn {
                    member,
                    profile: None,
                    reason,
                };
                let command = Command::Member(command);
                let submission = Submission {
                    command,
                    actor: ada(),
                    key: None,
                    trace: None,
                };
                // Refused once the runtime stops.
                engine.submit(submission).await.ok();
            }
        }
    });
    let mut answered = 0;
    while answered < stop_after
        && let Some(ended) = clients.join_next().await
    {
        answered += usize::from(ended.expect("ended").is_ok());
    }
    let report = engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert!(
        engine.tasks().live().is_empty(),
        "{:?}",
        engine.tasks().live()
    );
    while let Some(ended) = clients.join_next().await {
        answered += usize::from(ended.expect("ended").is_ok());
    }
    respawn.await.expect("ended");
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stops_and_starts_under_load_answer_everything_once() {
    let mut mob = Mob::workers(&MEMBERS);
    // Turns in flight are put aside at once, so that every stop interrupts some.
    mob.drain_timeout_ms = 0;
    for stop_after in [3, 20, 40, 60, 80, 100] {
        live(&mob, stop_after).await;
        sound(&mob.memory).await;
        mob.again();
    }
    mob.drain_timeout_ms = 5_000;
    let mut rounds = 0;
    while live(&mob, MESSAGES).await < MESSAGES {
        mob.again();
        rounds += 1;
        assert!(rounds < 5, "not everything is answered");
    }
    mob.again();
    let engine = mob.up().await;
    resolve(&engine, &mob).await;
    // What members told each other is still to be answered.
    let open = || engine.view(|world| world.state.messages.keys().next().copied());
    while let Some(message) = open() {
        engine.outcome(message).await.expect("an outcome");
    }
    engine.shutdown().await;
    let events = sound(&mob.memory).await;
    let pays = mob.runner.calls("pay");
    assert_eq!(
        pays.iter().collect::<BTreeSet<_>>().len(),
        pays.len(),
        "no effect happens twice"
    );
    assert!(!kinds(&events).contains(&"turn.failed"));
    let open = ends_of(&events).values().filter(|ends| **ends == 0).count();
    assert_eq!(open, 0);
}
