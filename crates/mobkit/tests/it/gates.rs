//! Tools of the host behind gates, from the message to the answer.

use crate::kit::{ask, builder, definition, ended, kinds, member, operator, send, submit, text_of};
use crate::obedient::{Asked, Obedient, Till, results, sound};
use async_trait::async_trait;
use mobkit::command::{ApprovalCommand, Command, GrantRequest, GrantScopeRequest, MemberCommand};
use mobkit::command::{MessageCommand, Submission};
use mobkit::definition::Engine as EngineKind;
use mobkit::event::Verdict;
use mobkit::id::{ApprovalId, MemberId, MessageId};
use mobkit::model::{CallRequest, Finish, Reply, Usage};
use mobkit::principal::Principal;
use mobkit::refusal::Refusal;
use mobkit::row::TurnStatus;
use mobkit::{
    Engine, EngineError, Item, MemberStart, MemoryStore, Mob, Offers, TurnEngine, TurnInput,
    TurnPort,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Two members that may pay after somebody has agreed, and one on another engine.
fn mob_file(gate: &str) -> String {
    format!(
        r#"
        [mob]
        id = "test"
        [models.main]
        provider = "rehearsal"
        [profiles.clerk]
        model = "main"
        instructions = "Work."
        tools = ["pay", "ask_peer"]
        [profiles.outside]
        engine = "acp"
        model = "main"
        instructions = "Work."
        tools = ["pay"]
        [[members]]
        id = "a"
        profile = "clerk"
        [[members]]
        id = "b"
        profile = "clerk"
        [[members]]
        id = "guest"
        profile = "outside"
        [wiring]
        roles = [["clerk", "clerk"]]
        [[gates]]
        tool = "pay"
        action = "review"
        {gate}
    "#
    )
}

/// What goes on outside of the mob: it outlives its processes.
struct Outside {
    store: Arc<MemoryStore>,
    model: Arc<Obedient>,
    till: Till,
}

impl Outside {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            model: Arc::default(),
            till: Till::default(),
        }
    }

    async fn start(&self, gate: &str) -> Mob {
        let main = "main".parse().expect("an id");
        builder(definition(&mob_file(gate), ""), &self.store)
            .model(main, self.model.clone())
            .tool(self.till.clone())
            .engine(EngineKind::Acp, Arc::new(Caller))
            .start()
            .await
            .expect("started")
    }

    async fn restart(&mut self, mob: &Mob, gate: &str) -> Mob {
        assert!(mob.shutdown().await.is_orderly());
        self.store = Arc::new(self.store.reopen());
        self.start(gate).await
    }
}

/// Waits until so many approvals wait.
async fn pending(mob: &Mob, count: usize) -> Vec<(ApprovalId, String)> {
    let engine = mob.engine();
    let open = || {
        engine.view(|world| {
            let open = world.state.approvals.iter();
            open.map(|(id, open)| (*id, open.request.digest.clone()))
                .collect::<Vec<_>>()
        })
    };
    let mut reader = mob
        .events(0, mobkit::event::EventFilter::default())
        .await
        .expect("readable");
    while open().len() != count {
        reader.next(1).await.expect("readable").expect("it runs");
    }
    open()
}

struct Said<'t> {
    decision: Verdict,
    args: Option<Value>,
    reason: Option<&'t str>,
    grant: Option<GrantRequest>,
}

const APPROVE: Said<'static> = Said {
    decision: Verdict::Approve,
    args: None,
    reason: None,
    grant: None,
};

async fn decide(mob: &Mob, open: &(ApprovalId, String), said: Said<'_>) -> Result<(), Refusal> {
    let command = ApprovalCommand::Decide {
        approval: open.0,
        digest: open.1.clone(),
        decision: said.decision,
        args: said.args,
        reason: said.reason.map(str::to_owned),
        grant: said.grant,
        roles: Vec::new(),
    };
    let submission = Submission {
        command: Command::Approval(command),
        actor: operator(),
        key: None,
        trace: None,
    };
    mob.engine().submit(submission).await.map(drop)
}

fn pay(to: &str) -> Value {
    json!([["pay", { "to": to }]])
}

async fn order(mob: &Mob, to: &str, calls: &Value) -> MessageId {
    send(mob, to, &calls.to_string()).await
}

#[tokio::test(start_paused = true)]
async fn a_gated_call_waits_over_restarts_and_is_made_once() {
    let mut outside = Outside::new();
    let mut mob = outside.start("").await;
    let message = order(&mob, "a", &pay("bob")).await;
    let open = pending(&mob, 1).await.remove(0);
    for _ in 0..2 {
        mob = outside.restart(&mob, "").await;
        assert_eq!(pending(&mob, 1).await, std::slice::from_ref(&open));
    }
    assert_eq!(outside.till.paid(), Vec::<Value>::new());
    decide(&mob, &open, APPROVE).await.expect("approved");
    let turn = ended(&mob, message).await;
    assert_eq!(text_of(&turn), "paid bob");
    assert_eq!(outside.till.paid(), [json!({"to": "bob"})]);
    // Nothing is left that a later start could do again.
    mob = outside.restart(&mob, "").await;
    ask(&mob, "a", "go on").await;
    sound(&outside.model.last().items);
    assert_eq!(outside.till.paid().len(), 1);
    let kinds = kinds(&mob).await;
    let asked = kinds.iter().filter(|kind| **kind == "approval.requested");
    assert_eq!(asked.count(), 1);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn every_call_of_a_reply_is_decided_by_itself_in_any_order() {
    let outside = Outside::new();
    let mob = outside.start("").await;
    let calls = json!([
        ["pay", {"to": "bob"}],
        ["pay", {"to": "eve"}],
        ["pay", {"to": "joe"}],
    ]);
    let message = order(&mob, "a", &calls).await;
    let open = pending(&mob, 3).await;
    decide(&mob, &open[2], APPROVE).await.expect("approved");
    let denied = Said {
        decision: Verdict::Deny,
        reason: Some("not her"),
        ..APPROVE
    };
    decide(&mob, &open[1], denied).await.expect("denied");
    decide(&mob, &open[0], APPROVE).await.expect("approved");
    ended(&mob, message).await;
    assert_eq!(
        outside.till.paid(),
        [json!({"to": "joe"}), json!({"to": "bob"})]
    );
    let items = outside.model.last().items;
    sound(&items);
    let mut told = results(&items);
    told.sort_by_key(|result| result.call);
    let told: Vec<_> = told.iter().map(|r| (r.text.as_str(), r.failed)).collect();
    let expected = [
        ("paid bob", false),
        ("the call was denied: not her", true),
        ("paid joe", false),
    ];
    assert_eq!(told, expected);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn changed_arguments_reach_the_tool_and_the_model_is_told() {
    let outside = Outside::new();
    let mob = outside.start("").await;
    let message = order(&mob, "a", &pay("bob")).await;
    let open = pending(&mob, 1).await.remove(0);
    let edited = Said {
        decision: Verdict::Edit,
        args: Some(json!({"to": "ann"})),
        ..APPROVE
    };
    decide(&mob, &open, edited).await.expect("edited");
    ended(&mob, message).await;
    assert_eq!(outside.till.paid(), [json!({"to": "ann"})]);
    let items = outside.model.last().items;
    let told = results(&items).remove(0);
    let (line, result) = told.text.split_once('\n').expect("two lines");
    assert!(
        line.contains("a person changed") && line.contains(r#"{"to":"ann"}"#),
        "{line}"
    );
    assert_eq!(result, "paid ann");
    // What the model itself said stays as it was.
    let said = items.iter().find_map(|item| match item {
        Item::Assistant { calls, .. } => Some(calls[0].1.args.clone()),
        _ => None,
    });
    assert_eq!(said, Some(json!({"to": "bob"})));
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_decides_in_time_is_not_called_a_denial() {
    let outside = Outside::new();
    let mob = outside.start("expires = \"10m\"").await;
    let message = order(&mob, "a", &pay("bob")).await;
    let open = pending(&mob, 1).await.remove(0);
    ended(&mob, message).await;
    let told = results(&outside.model.last().items).remove(0);
    assert_eq!(
        (told.text.as_str(), told.failed),
        ("no decision in time", true)
    );
    let late = decide(&mob, &open, APPROVE).await.expect_err("too late");
    assert_eq!(late.code, "approval.not_open");
    assert_eq!(outside.till.paid(), Vec::<Value>::new());
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_pays_through_a_peer_meets_the_gate_and_no_agent_decides() {
    let outside = Outside::new();
    let mob = outside.start("four_eyes = true").await;
    let ask = json!([["ask_peer", {"to": "b", "content": pay("bob").to_string()}]]);
    let message = order(&mob, "a", &ask).await;
    let open = pending(&mob, 1).await.remove(0);
    let own = decide(&mob, &open, APPROVE)
        .await
        .expect_err("his own message");
    assert_eq!(own.code, "approval.not_yours");
    for actor in [Principal::Agent(member("a")), Principal::Runtime] {
        let command = ApprovalCommand::Decide {
            approval: open.0,
            digest: open.1.clone(),
            decision: Verdict::Approve,
            args: None,
            reason: None,
            grant: None,
            roles: vec![mobkit::definition::Role::Admin],
        };
        let submission = Submission {
            command: Command::Approval(command),
            actor,
            key: None,
            trace: None,
        };
        let refused = mob.engine().submit(submission).await.expect_err("refused");
        assert_eq!(refused.code, "approval.not_yours");
    }
    assert_eq!(outside.till.paid(), Vec::<Value>::new());
    let command = ApprovalCommand::Decide {
        approval: open.0,
        digest: open.1.clone(),
        decision: Verdict::Approve,
        args: None,
        reason: None,
        grant: None,
        roles: Vec::new(),
    };
    let submission = Submission {
        command: Command::Approval(command),
        actor: Principal::Operator("bob".to_owned()),
        key: None,
        trace: None,
    };
    mob.engine()
        .submit(submission)
        .await
        .expect("a second person");
    assert_eq!(text_of(&ended(&mob, message).await), "paid bob");
    assert_eq!(outside.till.paid().len(), 1);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_grant_lets_the_same_call_pass_and_no_other() {
    let outside = Outside::new();
    let mob = outside.start("").await;
    let message = order(&mob, "a", &pay("bob")).await;
    let open = pending(&mob, 1).await.remove(0);
    let until = mob.engine().now().plus_ms(3_600_000);
    let granted = Said {
        grant: Some(GrantRequest {
            scope: GrantScopeRequest::Until { until },
            args: None,
        }),
        ..APPROVE
    };
    decide(&mob, &open, granted).await.expect("approved");
    ended(&mob, message).await;
    let again = order(&mob, "a", &pay("bob")).await;
    assert_eq!(text_of(&ended(&mob, again).await), "paid bob");
    for (to, whom) in [("a", "eve"), ("b", "bob")] {
        let other = order(&mob, to, &pay(whom)).await;
        let open = pending(&mob, 1).await.remove(0);
        decide(&mob, &open, APPROVE).await.expect("approved");
        ended(&mob, other).await;
    }
    tokio::time::sleep(Duration::from_hours(2)).await;
    order(&mob, "a", &pay("bob")).await;
    pending(&mob, 1).await;
    assert_eq!(outside.till.paid().len(), 4);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_attends_the_gate_says_what_happens() {
    for (word, paid, told) in [
        ("deny", 0, "nobody attends"),
        ("allow", 1, "paid bob"),
        ("queue", 0, ""),
    ] {
        let outside = Outside::new();
        let mob = outside.start(&format!("unattended = \"{word}\"")).await;
        let message = Command::Message(MessageCommand::Send {
            to: member("a"),
            content: pay("bob").to_string().as_str().into(),
            mode: None,
            correlation: None,
            expires: None,
        });
        let answer = mob.engine().submit_internal(message).await;
        let message = MessageId(answer.expect("accepted").seq());
        if word == "queue" {
            pending(&mob, 1).await;
        } else {
            ended(&mob, message).await;
            let result = results(&outside.model.last().items).remove(0);
            assert!(result.text.contains(told), "{word}: {}", result.text);
        }
        assert_eq!(outside.till.paid().len(), paid, "{word}");
        mob.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_closes_after_the_approval_stops_the_call() {
    let mut outside = Outside::new();
    let mob = outside.start("").await;
    let message = order(&mob, "a", &pay("bob")).await;
    let open = pending(&mob, 1).await.remove(0);
    assert!(mob.shutdown().await.is_orderly());
    outside.store = Arc::new(outside.store.reopen());
    let text = mob_file("").replace("action = \"review\"", "action = \"deny\"");
    let mob = builder(definition(&text, ""), &outside.store)
        .model("main".parse().expect("an id"), outside.model.clone())
        .tool(outside.till.clone())
        .engine(EngineKind::Acp, Arc::new(Caller))
        .start()
        .await
        .expect("started");
    decide(&mob, &open, APPROVE).await.expect("approved");
    ended(&mob, message).await;
    let told = results(&outside.model.last().items).remove(0);
    assert!(told.failed, "{}", told.text);
    assert_eq!(outside.till.paid(), Vec::<Value>::new());
    mob.shutdown().await;
}

/// Makes the call that its message names, and answers with what came of it.
struct Caller;

#[async_trait]
impl TurnEngine for Caller {
    fn name(&self) -> &'static str {
        "caller"
    }

    fn offers(&self) -> Offers {
        Offers::default()
    }

    async fn start_member(&self, _: MemberStart, _: &Engine) -> Result<(), EngineError> {
        Ok(())
    }

    async fn run_turn(&self, input: TurnInput, port: TurnPort) -> Result<String, EngineError> {
        let recorded = input.items.iter().find_map(|item| match item {
            Item::Assistant { calls, .. } => {
                Some(calls.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            }
            _ => None,
        });
        let results = match recorded {
            Some(calls) => port.results(&calls).await?,
            None => port.step(step_of(&input), json!({"event": "own"})).await?,
        };
        let told: Vec<String> = results
            .into_iter()
            .map(|result| {
                result
                    .outcome
                    .unwrap_or_else(|reason| format!("not: {reason}"))
            })
            .collect();
        Ok(told.join("; "))
    }

    async fn stop_member(&self, _member: &MemberId) {}

    async fn stop(&self) -> String {
        "exited".to_owned()
    }
}

/// The step whose calls a message names.
fn step_of(input: &TurnInput) -> Reply {
    let Some(Item::User { text, .. }) = input.items.first() else {
        panic!("a turn without a message")
    };
    let calls: Vec<Asked> = serde_json::from_str(text).expect("calls");
    let calls = calls.into_iter().map(|Asked(tool, args)| CallRequest {
        tool,
        args,
        provider_id: None,
    });
    Reply {
        text: "let me pay".into(),
        calls: calls.collect(),
        usage: Usage::default(),
        finish: Finish::Calls,
        carry: None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_of_its_own_meets_the_same_gate_and_waits_for_days() {
    let mut outside = Outside::new();
    let mob = outside.start("").await;
    let calls = json!([["pay", {"to": "bob"}], ["pay", {"to": "eve"}], ["pay", {"to": "joe"}]]);
    let message = order(&mob, "guest", &calls).await;
    let open = pending(&mob, 3).await;
    tokio::time::sleep(Duration::from_hours(50)).await;
    let denied = Said {
        decision: Verdict::Deny,
        reason: Some("no"),
        ..APPROVE
    };
    decide(&mob, &open[1], denied).await.expect("denied");
    let mob = outside.restart(&mob, "").await;
    tokio::time::sleep(Duration::from_hours(50)).await;
    let edited = Said {
        decision: Verdict::Edit,
        args: Some(json!({"to": "ann"})),
        ..APPROVE
    };
    decide(&mob, &open[0], edited).await.expect("edited");
    decide(&mob, &open[2], APPROVE).await.expect("approved");
    let turn = ended(&mob, message).await;
    assert_eq!(turn.status, TurnStatus::Completed, "{turn:?}");
    let text = text_of(&turn);
    assert!(
        text.contains("a person changed") && text.contains("paid ann"),
        "{text}"
    );
    assert!(
        text.contains("not: the call was denied: no; paid joe"),
        "{text}"
    );
    assert_eq!(
        outside.till.paid(),
        [json!({"to": "ann"}), json!({"to": "joe"})]
    );
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn no_request_after_a_turn_that_ended_early_holds_a_call_without_a_result() {
    let mut outside = Outside::new();
    let mut mob = outside.start("").await;
    let calls = json!([["pay", {"to": "bob"}], ["pay", {"to": "eve"}]]);
    // One is approved and paid, the other waits when the turn is cancelled.
    let message = order(&mob, "a", &calls).await;
    let open = pending(&mob, 2).await;
    decide(&mob, &open[0], APPROVE).await.expect("approved");
    pending(&mob, 1).await;
    mob = outside.restart(&mob, "").await;
    let cancel = MemberCommand::Cancel {
        member: member("a"),
        reason: None,
    };
    submit(&mob, Command::Member(cancel)).await;
    assert_eq!(ended(&mob, message).await.status, TurnStatus::Cancelled);
    ask(&mob, "a", "go on").await;
    let items = outside.model.last().items;
    sound(&items);
    assert_eq!(results(&items).len(), 2);
    // The same session after another restart, and in the middle of the next gated call.
    mob = outside.restart(&mob, "").await;
    let message = order(&mob, "a", &pay("joe")).await;
    let open = pending(&mob, 1).await.remove(0);
    mob = outside.restart(&mob, "").await;
    decide(&mob, &open, APPROVE).await.expect("approved");
    ended(&mob, message).await;
    sound(&outside.model.last().items);
    mob.shutdown().await;
}
