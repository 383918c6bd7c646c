//! What a model is shown of its session.

use crate::kit::{ask, builder, definition, ended, member, send, submit, text_of};
use crate::obedient::{Obedient, Till, results, sound};
use async_trait::async_trait;
use futures::StreamExt;
use mobkit::command::{Command, MemberCommand, TurnCommand};
use mobkit::event::{EventFilter, ResolveHow, ToolEffect};
use mobkit::id::ModelId;
use mobkit::model::{CallRequest, Finish};
use mobkit::row::TurnStatus;
use mobkit::{
    HostCall, HostTool, Item, MemoryStore, ModelEvent, ModelEvents, ModelProvider, ModelRequest,
    ToolSpec,
};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const MOB: &str = r#"
    [mob]
    id = "test"
    [models.main]
    provider = "rehearsal"
    [profiles.worker]
    model = "main"
    instructions = "Work."
    tools = ["hang", "pay", "fall"]
    [[members]]
    id = "worker"
    profile = "worker"
    context = { region = "eu" }
    additional_instructions = ["Be brief."]
"#;

/// Calls the tool `hang` when it is told to, answers everything else, and keeps what it was asked.
#[derive(Default)]
struct Recorder(Mutex<Vec<ModelRequest>>);

impl Recorder {
    fn last(&self) -> ModelRequest {
        self.0
            .lock()
            .expect("not poisoned")
            .last()
            .expect("it was asked")
            .clone()
    }
}

impl ModelProvider for Recorder {
    fn describe(&self) -> String {
        "recorder".to_owned()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let hang = matches!(request.items.last(), Some(Item::User { text, .. }) if text == "hang");
        self.0.lock().expect("not poisoned").push(request);
        let end = |finish| ModelEvent::End {
            finish,
            carry: None,
        };
        let events = if hang {
            let (tool, args) = ("hang".to_owned(), json!({}));
            let call = CallRequest {
                tool,
                args,
                provider_id: Some("p1".to_owned()),
            };
            vec![ModelEvent::Call(call), end(Finish::Calls)]
        } else {
            vec![
                ModelEvent::Text {
                    text: "done".to_owned(),
                },
                end(Finish::Stop),
            ]
        };
        futures::stream::iter(events.into_iter().map(Ok)).boxed()
    }
}

/// Says when it was called, and never ends.
struct Hang(Arc<Notify>);

#[async_trait]
impl HostTool for Hang {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hang".to_owned(),
            description: "Never ends.".to_owned(),
            schema: json!({"type": "object"}),
            effect: ToolEffect::Effect,
        }
    }

    async fn call(&self, _call: HostCall) -> Result<String, String> {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn calls_without_a_result_get_one_when_their_turn_ends() {
    let store = Arc::new(MemoryStore::new());
    let (recorder, called) = (Arc::new(Recorder::default()), Arc::new(Notify::new()));
    let main = ModelId::parse("main").expect("an id");
    let mob = builder(definition(MOB, ""), &store)
        .model(main, recorder.clone())
        .tool(Hang(called.clone()))
        .start()
        .await
        .expect("started");
    let message = send(&mob, "worker", "hang").await;
    called.notified().await;
    let cancel = MemberCommand::Cancel {
        member: member("worker"),
        reason: None,
    };
    submit(&mob, Command::Member(cancel)).await;
    assert_eq!(ended(&mob, message).await.status, TurnStatus::Cancelled);

    let next = ask(&mob, "worker", "go on").await;
    assert_eq!(next.status, TurnStatus::Completed);
    let items = recorder.last().items;
    let shape: Vec<&str> = items
        .iter()
        .map(|item| match item {
            Item::User { .. } => "user",
            Item::Assistant { .. } => "assistant",
            Item::ToolResult { failed: true, .. } => "failed result",
            Item::ToolResult { .. } => "result",
        })
        .collect();
    assert_eq!(shape, ["user", "assistant", "failed result", "user"]);
    mob.shutdown().await;
}

/// Fails in a way that says nothing of what happened before.
struct Fall;

#[async_trait]
impl HostTool for Fall {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "fall".to_owned(),
            description: "Falls over.".to_owned(),
            schema: json!({"type": "object"}),
            effect: ToolEffect::Effect,
        }
    }

    async fn call(&self, _call: HostCall) -> Result<String, String> {
        panic!("a tool that panics on purpose")
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_nobody_knows_gets_a_result_when_its_turn_is_given_up() {
    let store = Arc::new(MemoryStore::new());
    let model = Arc::new(Obedient::default());
    let main = ModelId::parse("main").expect("an id");
    let mob = builder(definition(MOB, ""), &store)
        .model(main, model.clone())
        .tool(Till::default())
        .tool(Fall)
        .start()
        .await
        .expect("started");
    let calls = r#"[["pay", {"to": "bob"}], ["fall", {}], ["pay", {"to": "eve"}]]"#;
    let message = send(&mob, "worker", calls).await;
    let filter = EventFilter {
        kinds: vec!["tool.unknown".to_owned()],
        ..EventFilter::default()
    };
    let mut unknown = mob.events(0, filter).await.expect("readable");
    unknown.next(1).await.expect("readable").expect("it runs");
    let call = mob.engine().view(|world| {
        let turn = world.state.turns.values().next().expect("a turn");
        turn.calls[1].id
    });
    let give_up = TurnCommand::ToolResolve {
        call,
        how: ResolveHow::GiveUp,
        result: None,
    };
    submit(&mob, Command::Turn(give_up)).await;
    assert_eq!(ended(&mob, message).await.status, TurnStatus::Failed);
    ask(&mob, "worker", "go on").await;
    let items = model.last().items;
    sound(&items);
    let told: Vec<String> = results(&items).into_iter().map(|r| r.text).collect();
    assert_eq!(told[0], "paid bob");
    assert!(told[1].contains("nobody can say"), "{told:?}");
    assert!(told[2].contains("the turn ended"), "{told:?}");
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_result_is_shown_in_part_and_the_turn_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let (model, till) = (Arc::new(Obedient::default()), Till::default());
    let main = ModelId::parse("main").expect("an id");
    let mob = builder(definition(MOB, ""), &store)
        .model(main, model.clone())
        .tool(till.clone())
        .start()
        .await
        .expect("started");
    for bytes in [32 * 1024 + 1, 5_000_000] {
        let turn = ask(
            &mob,
            "worker",
            &format!(r#"[["pay", {{"to": "bytes {bytes}"}}]]"#),
        )
        .await;
        assert_eq!((turn.status, turn.steps), (TurnStatus::Completed, 2));
        let told = results(&model.last().items).pop().expect("a result");
        let (shown, note) = told.text.split_once('\n').expect("a note");
        assert_eq!(shown.len(), 24 * 1024);
        assert!(note.contains(&format!("of {bytes} bytes")), "{note}");
        // All of it is where the note says.
        let at = note.find("sha256:").expect("a reference");
        let blob = note[at..].trim_end_matches(']');
        let kept = mob.engine().store().blob(blob).await.expect("readable");
        assert_eq!(kept.map(|kept| kept.len()), Some(bytes));
    }
    assert_eq!(till.paid().len(), 2, "nothing is tried again");
    mob.shutdown().await;
    // Neither is it in the way of what comes after a restart.
    let store = Arc::new(store.reopen());
    let main = ModelId::parse("main").expect("an id");
    let mob = builder(definition(MOB, ""), &store)
        .model(main, model.clone())
        .tool(till)
        .start()
        .await
        .expect("started");
    assert_eq!(text_of(&ask(&mob, "worker", "fine?").await), "fine?");
    sound(&model.last().items);
    let size: usize = results(&model.last().items)
        .iter()
        .map(|r| r.text.len())
        .sum();
    assert!(size < 60_000, "{size}");
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_model_is_told_who_it_is_and_what_it_may_use() {
    let store = Arc::new(MemoryStore::new());
    let recorder = Arc::new(Recorder::default());
    let main = ModelId::parse("main").expect("an id");
    let mob = builder(definition(MOB, ""), &store)
        .model(main, recorder.clone())
        .tool(Hang(Arc::new(Notify::new())))
        .start()
        .await
        .expect("started");
    ask(&mob, "worker", "hello").await;
    let request = recorder.last();
    for part in ["Work.", "Be brief.", "You are worker", "\"region\":\"eu\""] {
        assert!(
            request.instructions.contains(part),
            "{part}: {}",
            request.instructions
        );
    }
    let tools: Vec<&str> = request
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    assert_eq!(tools, ["hang"], "those that somebody offers");
    assert_eq!(request.from, "operator:test");
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_read_again_after_a_restart_and_empty_after_a_reset() {
    let store = Arc::new(MemoryStore::new());
    let recorder = Arc::new(Recorder::default());
    let main = ModelId::parse("main").expect("an id");
    let start = |store: &Arc<MemoryStore>| {
        builder(definition(MOB, ""), store)
            .model(main.clone(), recorder.clone())
            .start()
    };
    let mob = start(&store).await.expect("started");
    ask(&mob, "worker", "one").await;
    mob.shutdown().await;
    let store = Arc::new(store.reopen());
    let mob = start(&store).await.expect("started");
    ask(&mob, "worker", "two").await;
    assert_eq!(recorder.last().items.len(), 3);
    submit(
        &mob,
        Command::Member(MemberCommand::Reset {
            member: member("worker"),
        }),
    )
    .await;
    ask(&mob, "worker", "three").await;
    assert_eq!(recorder.last().items.len(), 1);
    mob.shutdown().await;
}
