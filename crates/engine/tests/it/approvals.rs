//! Approvals through the engine: what waits survives everything, and is done once.

use crate::kit::{
    Death, Mob, ada, beside, kinds, member, quiet, send, settle, sound, text_of, until,
};
use mobkit_domain::command::{ApprovalCommand, Command, MemberCommand, Submission};
use mobkit_domain::event::{Envelope, Event, Verdict};
use mobkit_domain::id::{ApprovalId, MessageId};
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{ApprovalState, Row, Table, TurnStatus};
use mobkit_domain::state::{CallState, MemberState};
use mobkit_engine::{DeltaKind, Engine};
use serde_json::{Value, json};
use std::time::Duration;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
[profiles.worker]
model = "main"
instructions = "Work."
tools = ["look", "put", "pay", "send_message", "ask_peer", "module:files/*"]
[profiles.guest]
engine = "meerkat"
model = "main"
instructions = "Work."
tools = ["pay"]
[[members]]
id = "a"
profile = "worker"
[[members]]
id = "b"
profile = "worker"
[[members]]
id = "g"
profile = "guest"
[wiring]
roles = [["worker", "worker"]]
[[modules]]
id = "files"
transport = "mcp-stdio"
command = ["x"]
[[gates]]
tool = "pay"
action = "review"
expires = "10m"
"#;

fn pending(engine: &Engine) -> Vec<(ApprovalId, String)> {
    engine.view(|world| {
        let approvals = world.state.approvals.iter();
        let pending = approvals.map(|(id, approval)| (*id, approval.request.digest.clone()));
        pending.collect()
    })
}

async fn asked(engine: &Engine, count: usize) -> Vec<(ApprovalId, String)> {
    until("somebody is asked", || pending(engine).len() == count).await;
    pending(engine)
}

async fn decide(
    engine: &Engine,
    (approval, digest): &(ApprovalId, String),
    decision: Verdict,
    args: Option<Value>,
) -> Result<(), Refusal> {
    let command = ApprovalCommand::Decide {
        approval: *approval,
        digest: digest.clone(),
        decision,
        args,
        reason: Some("because".to_owned()),
        grant: None,
        roles: Vec::new(),
    };
    let submission = Submission {
        command: Command::Approval(command),
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.map(drop)
}

async fn approve(engine: &Engine, open: &(ApprovalId, String)) {
    decide(engine, open, Verdict::Approve, None)
        .await
        .expect("approved");
}

async fn state_of(engine: &Engine, approval: ApprovalId) -> ApprovalState {
    let row = engine
        .store()
        .row(engine.mob(), Table::Approval, approval.0);
    match row.await.expect("readable") {
        Some(Row::Approval(row)) => row.state,
        other => panic!("{approval} has the row {other:?}"),
    }
}

fn count(events: &[Envelope], kind: &str) -> usize {
    kinds(events).iter().filter(|found| **found == kind).count()
}

async fn kill(mob: &mut Mob, engine: Engine) {
    mob.tap.dies(Death::Before(mob.tap.appends().len() + 1));
    engine.shutdown().await;
    mob.again();
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_decision_over_crashes_and_stops_and_is_made_once() {
    for stops in [false, true] {
        let mut mob = Mob::of(MOB);
        let mut engine = mob.up().await;
        let message = send(&engine, "a", "pay+look; say paid").await;
        let open = asked(&engine, 1).await.remove(0);
        for _ in 0..3 {
            quiet().await;
            if stops {
                assert!(engine.shutdown().await.is_orderly());
                mob.again();
            } else {
                kill(&mut mob, engine).await;
            }
            engine = mob.up().await;
            assert_eq!(pending(&engine), std::slice::from_ref(&open));
            let state = engine.view(|w| w.state.member_state(&member("a")));
            assert_eq!(state, Some(MemberState::Waiting));
        }
        assert_eq!(mob.runner.calls("pay").len(), 0);
        assert_eq!(mob.runner.calls("look").len(), 1, "it held nobody back");
        approve(&engine, &open).await;
        let twice = decide(&engine, &open, Verdict::Approve, None).await;
        assert_eq!(twice.expect_err("decided").code, "approval.not_open");
        assert_eq!(text_of(&settle(&engine, message).await), "paid");
        assert_eq!(mob.runner.calls("pay").len(), 1);
        assert_eq!(state_of(&engine, open.0).await, ApprovalState::Approved);
        let events = sound(&mob.memory).await;
        assert_eq!(count(&events, "approval.requested"), 1);
        assert_eq!(count(&events, "approval.decided"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_right_after_the_decision_makes_the_call_once() {
    for death in [Death::Before as fn(usize) -> Death, Death::After] {
        for later in 1..=3 {
            let mut mob = Mob::of(MOB);
            let engine = mob.up().await;
            let message = send(&engine, "a", "pay; say paid").await;
            let open = asked(&engine, 1).await.remove(0);
            quiet().await;
            mob.tap.dies(death(mob.tap.appends().len() + later));
            // It may be told that the journal failed, and the decision be durable all the same.
            let _ = decide(&engine, &open, Verdict::Approve, None).await;
            quiet().await;
            engine.shutdown().await;
            mob.again();
            let engine = mob.up().await;
            if pending(&engine).is_empty() {
                let unknown = engine.view(|world| {
                    let calls = world.state.turns.values().flat_map(|turn| &turn.calls);
                    let unknown = calls.filter(|call| call.state == CallState::Unknown);
                    unknown.map(|call| call.id).next()
                });
                if let Some(call) = unknown {
                    // Whoever looks sees whether it happened.
                    let happened = mob.runner.calls("pay").contains(&call);
                    resolve(&engine, call, happened).await;
                }
            } else {
                approve(&engine, &open).await;
            }
            assert_eq!(text_of(&settle(&engine, message).await), "paid");
            assert_eq!(mob.runner.calls("pay").len(), 1);
            let events = sound(&mob.memory).await;
            assert_eq!(count(&events, "approval.requested"), 1);
        }
    }
}

async fn resolve(engine: &Engine, call: mobkit_domain::id::CallId, happened: bool) {
    use mobkit_domain::command::TurnCommand;
    use mobkit_domain::event::ResolveHow;
    let (how, result) = if happened {
        (ResolveHow::Happened, Some("ok".into()))
    } else {
        (ResolveHow::Run, None)
    };
    let command = Command::Turn(TurnCommand::ToolResolve { call, how, result });
    let submission = Submission {
        command,
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("resolved");
}

#[tokio::test(start_paused = true)]
async fn a_decision_on_a_turn_that_was_put_aside_takes_effect_at_the_next_start() {
    let mut mob = Mob::of(MOB);
    *mob.runner.stop_takes_ms.lock().expect("not poisoned") = 500;
    let engine = mob.up().await;
    let message = send(&engine, "a", "pay; say paid").await;
    let open = asked(&engine, 1).await.remove(0);
    let stop = beside({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    let aside = || engine.view(|w| w.state.turns.values().all(|turn| turn.checkpointed));
    until("the turn is put aside", aside).await;
    assert_eq!(engine.phase().now(), Phase::Draining);
    approve(&engine, &open).await;
    assert!(stop.await.expect("ended").is_orderly());
    assert_eq!(mob.runner.calls("pay").len(), 0);
    mob.again();
    let engine = mob.up().await;
    assert_eq!(text_of(&settle(&engine, message).await), "paid");
    assert_eq!(mob.runner.calls("pay").len(), 1);
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_decision_before_it_is_ready_takes_effect_once_it_is() {
    let mut mob = Mob::of(MOB);
    let engine = mob.up().await;
    let message = send(&engine, "a", "pay; say paid").await;
    let open = asked(&engine, 1).await.remove(0);
    engine.shutdown().await;
    mob.again();
    let engine = mob.open().await.expect("opened");
    approve(&engine, &open).await;
    quiet().await;
    assert_eq!(mob.runner.calls("pay").len(), 0);
    engine.bring_up().await.expect("brought up");
    assert_eq!(text_of(&settle(&engine, message).await), "paid");
    assert_eq!(mob.runner.calls("pay").len(), 1);
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn whatever_is_decided_the_turn_goes_on_with_it() {
    let mob = Mob::of(MOB);
    let engine = mob.up().await;
    let work = r#"pay {"to": "bob"}+pay {"to": "eve"}+pay {"to": "joe"}; say done"#;
    let message = send(&engine, "a", work).await;
    let open = asked(&engine, 3).await;
    let edited = Some(json!({"to": "ann"}));
    decide(&engine, &open[2], Verdict::Deny, None)
        .await
        .expect("denied");
    decide(&engine, &open[0], Verdict::Edit, edited)
        .await
        .expect("edited");
    // Nobody looks at the third: it expires.
    assert_eq!(text_of(&settle(&engine, message).await), "done");
    assert_eq!(mob.runner.calls("pay").len(), 1);
    assert_eq!(state_of(&engine, open[0].0).await, ApprovalState::Edited);
    assert_eq!(state_of(&engine, open[1].0).await, ApprovalState::Expired);
    assert_eq!(state_of(&engine, open[2].0).await, ApprovalState::Denied);
    assert_eq!(engine.now().since_ms(crate::kit::BASE), 600_000);
    let events = sound(&mob.memory).await;
    let made: Vec<&Value> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::ToolStarted(e) => Some(&e.args),
            _ => None,
        })
        .collect();
    assert_eq!(made, [&json!({"to": "ann"})]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_takes_its_approvals_back() {
    let mob = Mob::of(MOB);
    let engine = mob.up().await;
    let message = send(&engine, "a", "pay+pay; say done").await;
    let open = asked(&engine, 2).await;
    let cancel = MemberCommand::Cancel {
        member: member("a"),
        reason: None,
    };
    let submission = Submission {
        command: Command::Member(cancel),
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("cancelled");
    assert_eq!(settle(&engine, message).await.status, TurnStatus::Cancelled);
    for one in &open {
        assert_eq!(state_of(&engine, one.0).await, ApprovalState::Withdrawn);
    }
    assert_eq!(pending(&engine), []);
    let next = send(&engine, "a", "say free").await;
    assert_eq!(text_of(&settle(&engine, next).await), "free");
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_works_through_a_peer_meets_the_same_gate() {
    let mob = Mob::of(MOB);
    let engine = mob.up().await;
    let message = send(&engine, "a", "ask b pay; say through").await;
    let open = asked(&engine, 1).await.remove(0);
    let (whose, origin) = engine.view(|world| {
        let request = &world.state.approvals[&open.0].request;
        (request.member.clone(), request.origin.clone())
    });
    assert_eq!((whose, origin), (member("b"), ada()));
    approve(&engine, &open).await;
    assert_eq!(text_of(&settle(&engine, message).await), "through");
    assert_eq!(mob.runner.calls("pay").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_external_engine_waits_for_a_decision_as_long_as_it_takes() {
    let mut mob = Mob::of(&MOB.replace("expires = \"10m\"", ""));
    let engine = mob.up().await;
    let message = send(&engine, "g", "pay; say paid").await;
    let open = asked(&engine, 1).await.remove(0);
    tokio::time::sleep(Duration::from_hours(30)).await;
    assert_eq!(pending(&engine), std::slice::from_ref(&open));
    kill(&mut mob, engine).await;
    let engine = mob.up().await;
    tokio::time::sleep(Duration::from_hours(30)).await;
    approve(&engine, &open).await;
    assert_eq!(text_of(&settle(&engine, message).await), "paid");
    assert_eq!(mob.runner.calls("pay").len(), 1);
    sound(&mob.memory).await;
}

/// Lets a call of a module ask a person.
async fn ask(engine: &Engine, tool: &str) -> (MessageId, (ApprovalId, String)) {
    until("the module answers", || {
        engine.view(|w| w.state.modules.values().all(|m| m.tools.is_some()))
    })
    .await;
    let text = format!(r#"module:files/{tool} {{"ask": "your name?"}}; say on"#);
    let message = send(engine, "a", &text).await;
    (message, asked(engine, 1).await.remove(0))
}

fn results(events: &[Envelope]) -> Vec<&str> {
    let results = events.iter().filter_map(|event| match &event.event {
        Event::ToolFinished(e) => e.result.inline(),
        _ => None,
    });
    results.collect()
}

#[tokio::test(start_paused = true)]
async fn a_module_is_told_what_a_person_answers_or_that_nobody_does() {
    let cases = [
        (
            Verdict::Approve,
            Some(json!({"name": "ada"})),
            r#"{"name":"ada"}"#,
        ),
        (Verdict::Deny, None, "nobody said"),
    ];
    for (decision, args, told) in cases {
        let mob = Mob::of(MOB);
        let engine = mob.up().await;
        let mut lane = engine.deltas();
        let (message, open) = ask(&engine, "pay").await;
        let wrong = Some(json!({"name": 7}));
        let refused = decide(&engine, &open, Verdict::Approve, wrong).await;
        assert_eq!(refused.expect_err("refused").code, "approval.bad_args");
        tokio::time::sleep(Duration::from_hours(5)).await;
        decide(&engine, &open, decision, args).await.expect("told");
        assert_eq!(text_of(&settle(&engine, message).await), "on");
        assert_eq!(results(&sound(&mob.memory).await), [told]);
        let delta = lane.try_recv().expect("progress");
        assert_eq!(
            (delta.kind, delta.text.as_str()),
            (DeltaKind::Progress, "asking")
        );
        let call = delta.call.expect("of a call");
        assert_eq!(mob.runner.calls("module:files/pay"), [call]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_ends_with_its_call() {
    // The turn is cancelled.
    let mob = Mob::of(MOB);
    let engine = mob.up().await;
    let (message, open) = ask(&engine, "pay").await;
    let cancel = MemberCommand::Cancel {
        member: member("a"),
        reason: None,
    };
    let submission = Submission {
        command: Command::Member(cancel),
        actor: ada(),
        key: None,
        trace: None,
    };
    engine.submit(submission).await.expect("cancelled");
    assert_eq!(settle(&engine, message).await.status, TurnStatus::Cancelled);
    assert_eq!(state_of(&engine, open.0).await, ApprovalState::Withdrawn);

    // The process dies: the effect is unknown, what only reads asks anew.
    for (tool, again) in [("pay", 0), ("look", 1)] {
        let mut mob = Mob::of(MOB);
        let engine = mob.up().await;
        let (message, open) = ask(&engine, tool).await;
        kill(&mut mob, engine).await;
        let engine = mob.up().await;
        quiet().await;
        assert_eq!(state_of(&engine, open.0).await, ApprovalState::Withdrawn);
        let asked_again = pending(&engine);
        assert_eq!(asked_again.len(), again, "{tool}");
        if let Some(open) = asked_again.first() {
            let answer = Some(json!({"name": "bob"}));
            decide(&engine, open, Verdict::Approve, answer)
                .await
                .expect("told");
            assert_eq!(text_of(&settle(&engine, message).await), "on");
        } else {
            let seen = kinds(&sound(&mob.memory).await);
            assert!(seen.contains(&"tool.unknown"), "{seen:?}");
        }
    }
}
