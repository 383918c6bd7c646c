//! What a model is shown of its session.

use crate::kit::{ask, builder, definition, ended, member, send, submit};
use async_trait::async_trait;
use futures::StreamExt;
use mobkit::command::{Command, MemberCommand};
use mobkit::event::ToolEffect;
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
    tools = ["hang"]
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
    assert_eq!(tools, ["hang"]);
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
