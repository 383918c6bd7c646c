//! What a model is shown of a turn that others reach into, and of a session that grows long.

use crate::kit::{ask, builder, definition, ended, kinds, member, send, submit, text_of};
use crate::obedient::{Obedient, results, sound};
use async_trait::async_trait;
use futures::StreamExt;
use mobkit::command::{Answer, Command, MessageCommand};
use mobkit::definition::Engine as EngineKind;
use mobkit::event::{EventFilter, MessageMode, ToolEffect};
use mobkit::id::{MemberId, MessageId, ModelId};
use mobkit::model::{Failure, FailureClass, Finish, Usage};
use mobkit::row::TurnStatus;
use mobkit::{
    Engine, EngineError, HostCall, HostTool, Item, MemberStart, MemoryStore, Mob, ModelEvent,
    ModelEvents, ModelProvider, ModelRequest, Offers, SteerInput, ToolSpec, TurnEngine, TurnInput,
    TurnPort,
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
    tools = ["hold"]
    compaction = { at_tokens = 1000, keep_turns = 1 }
    [[members]]
    id = "worker"
    profile = "worker"
"#;

const HOLD: &str = r#"[["hold", {}]]"#;

fn main_model() -> ModelId {
    ModelId::parse("main").expect("an id")
}

/// Says when it was called, and waits to be released.
#[derive(Clone, Default)]
struct Hold {
    called: Arc<Notify>,
    released: Arc<Notify>,
}

#[async_trait]
impl HostTool for Hold {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "hold".to_owned(),
            description: "Waits.".to_owned(),
            schema: json!({"type": "object"}),
            effect: ToolEffect::Read,
        }
    }

    async fn call(&self, _call: HostCall) -> Result<String, String> {
        self.called.notify_one();
        self.released.notified().await;
        Ok("held".to_owned())
    }
}

async fn send_in(mob: &Mob, to: &str, text: &str, mode: MessageMode) -> MessageId {
    let command = Command::Message(MessageCommand::Send {
        to: member(to),
        content: text.into(),
        mode: Some(mode),
        correlation: None,
        expires: None,
    });
    match submit(mob, command).await {
        Answer::Message { message, .. } => message,
        done @ Answer::Done { .. } => panic!("not a message: {done:?}"),
    }
}

fn shape(items: &[Item]) -> Vec<String> {
    let told = items.iter().map(|item| match item {
        Item::User { text, .. } => format!("user {text}"),
        Item::Assistant { text, calls, .. } => format!("assistant {text}{}", calls.len()),
        Item::ToolResult { result, .. } => format!("result {result}"),
    });
    told.collect()
}

async fn holding() -> (Mob, Arc<Obedient>, Hold) {
    let store = Arc::new(MemoryStore::new());
    let (model, hold) = (Arc::new(Obedient::default()), Hold::default());
    let mob = builder(definition(MOB, ""), &store)
        .model(main_model(), model.clone())
        .tool(hold.clone())
        .start()
        .await
        .expect("started");
    (mob, model, hold)
}

#[tokio::test(start_paused = true)]
async fn a_steered_message_is_seen_after_the_results_of_the_step_that_ran() {
    let (mob, model, hold) = holding().await;
    let first = send(&mob, "worker", HOLD).await;
    hold.called.notified().await;
    let second = send_in(&mob, "worker", "in capitals", MessageMode::Steer).await;
    hold.released.notify_one();
    let turn = ended(&mob, second).await;
    assert_eq!(turn.messages, [first, second]);
    assert_eq!(
        ended(&mob, first).await.turn,
        turn.turn,
        "one turn answers both"
    );
    assert_eq!(text_of(&turn), "in capitals");
    let request = model.last();
    let wanted = [
        &format!("user {HOLD}"),
        "assistant 1",
        "result held",
        "user in capitals",
    ];
    assert_eq!(shape(&request.items), wanted);
    sound(&request.items);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_turn_leaves_no_call_without_a_result() {
    let (mob, model, hold) = holding().await;
    let first = send(&mob, "worker", HOLD).await;
    hold.called.notified().await;
    let second = send_in(&mob, "worker", "stop that", MessageMode::Interrupt).await;
    let stopped = ended(&mob, first).await;
    assert_eq!(stopped.status, TurnStatus::Cancelled);
    let reason = format!("interrupted by {second} of operator:test");
    assert_eq!(stopped.reason, Some(reason));
    assert_eq!(ended(&mob, second).await.status, TurnStatus::Completed);
    let items = model.last().items;
    sound(&items);
    let told = results(&items);
    assert!(
        told[0].failed && told[0].text.contains("may have happened"),
        "{}",
        told[0].text
    );
    mob.shutdown().await;
}

/// Says what it was told last, as a model whose every call has so many tokens. Its summaries fail
/// where it is told so.
#[derive(Default)]
struct Long {
    asked: Mutex<Vec<ModelRequest>>,
    no_summary: bool,
}

impl Long {
    fn asked(&self) -> Vec<ModelRequest> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

impl ModelProvider for Long {
    fn describe(&self) -> String {
        "long".to_owned()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let summarises = request.instructions.starts_with("You summarise");
        let text = match request.items.last() {
            Some(Item::User { .. }) if summarises => "the gist".to_owned(),
            Some(Item::User { text, .. }) => text.clone(),
            other => panic!("it is asked after {other:?}"),
        };
        self.asked.lock().expect("not poisoned").push(request);
        if summarises && self.no_summary {
            let failure = Failure {
                class: FailureClass::Server,
                reason: "not today".to_owned(),
                retry_after_ms: None,
            };
            return futures::stream::iter([Err(failure)]).boxed();
        }
        let usage = Usage {
            input_tokens: 2_000,
            output_tokens: 5,
            ..Usage::default()
        };
        let end = ModelEvent::End {
            finish: Finish::Stop,
            carry: None,
        };
        let events = [ModelEvent::Text { text }, ModelEvent::Usage(usage), end];
        futures::stream::iter(events.map(Ok)).boxed()
    }
}

async fn three_turns(model: &Arc<Long>, store: &Arc<MemoryStore>) -> Mob {
    let mob = builder(definition(MOB, ""), store)
        .model(main_model(), model.clone())
        .tool(Hold::default())
        .start()
        .await
        .expect("started");
    for text in ["one", "two", "three"] {
        assert_eq!(text_of(&ask(&mob, "worker", text).await), text);
    }
    mob
}

#[tokio::test(start_paused = true)]
async fn old_turns_are_summarised_and_the_session_begins_with_the_summary() {
    let (model, store) = (Arc::new(Long::default()), Arc::new(MemoryStore::new()));
    let mob = three_turns(&model, &store).await;
    let asked = model.asked();
    // Before the second turn there is nothing older than what stays.
    let [_, _, summary, third] = &asked[..] else {
        panic!("{} requests", asked.len())
    };
    let told = shape(&summary.items);
    assert!(
        told[0].contains("one") && !told[0].contains("two"),
        "{told:?}"
    );
    assert!(summary.tools.is_empty());
    let wanted = [
        "user What was said before, summarised:\n\nthe gist",
        "user two",
        "assistant two0",
        "user three",
    ];
    assert_eq!(shape(&third.items), wanted);
    let compacted = EventFilter {
        kinds: vec!["session.compacted".to_owned()],
        ..EventFilter::default()
    };
    let engine = mob.engine();
    let events = engine.events_between(0, engine.head(), &compacted).await;
    let events = events.expect("events");
    assert_eq!(events.len(), 1);
    let data = serde_json::to_value(&events[0].envelope).expect("JSON")["data"].clone();
    assert_eq!(
        (&data["turns"], &data["tokens_before"]),
        (&json!(1), &json!(2_005))
    );
    assert_eq!(data["summary"], "the gist");
    mob.shutdown().await;

    // Another process reads the same session, and goes on from the summary.
    let mob = three_turns(&model, &Arc::new(store.reopen())).await;
    let last = model.asked().pop().expect("it was asked");
    let told = shape(&last.items);
    assert!(told[0].ends_with("the gist"), "{told:?}");
    let gists = told.iter().filter(|told| told.contains("the gist")).count();
    assert_eq!(gists, 1, "one summary in the place of another: {told:?}");
    assert_eq!(told.last().map(String::as_str), Some("user three"));
    sound(&last.items);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_fails_fails_no_turn() {
    let model = Arc::new(Long {
        no_summary: true,
        ..Long::default()
    });
    let mob = three_turns(&model, &Arc::new(MemoryStore::new())).await;
    let told = shape(&model.asked().pop().expect("it was asked").items);
    let wanted = [
        "user one",
        "assistant one0",
        "user two",
        "assistant two0",
        "user three",
    ];
    assert_eq!(told, wanted);
    assert!(!kinds(&mob).await.contains(&"session.compacted"));
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_fit_is_asked_for_with_what_is_wrong() {
    let model = Arc::new(Obedient::default());
    let mut definition = definition(MOB, "");
    let worker = "worker".parse().expect("an id");
    let profile = definition.profiles.get_mut(&worker).expect("it is there");
    profile.output_schema = Some(json!({"type": "object", "required": ["title"]}));
    let mob = builder(definition, &Arc::new(MemoryStore::new()))
        .model(main_model(), model.clone())
        .tool(Hold::default())
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "worker", "no title").await;
    assert_eq!(
        turn.status,
        TurnStatus::Failed,
        "it repeats what it was told"
    );
    let request = model.last();
    assert!(request.instructions.contains(r#""required":["title"]"#));
    let told = shape(&request.items);
    assert_eq!(told[..2], ["user no title", "assistant no title0"]);
    assert!(
        told[2].contains("not JSON") && told[2].contains("once more"),
        "{told:?}"
    );
    assert_eq!(
        text_of(&ask(&mob, "worker", r#"{"title": "x"}"#).await),
        r#"{"title": "x"}"#
    );
    mob.shutdown().await;
}

/// An engine whose turn ends once a message has joined it, or is refused.
#[derive(Default)]
struct Guest {
    steered: Mutex<Vec<String>>,
    news: Notify,
    begun: Notify,
    deaf: bool,
}

#[async_trait]
impl TurnEngine for Guest {
    fn name(&self) -> &'static str {
        "guest"
    }

    fn offers(&self) -> Offers {
        Offers {
            steer: true,
            ..Offers::default()
        }
    }

    async fn start_member(&self, _start: MemberStart, _mob: &Engine) -> Result<(), EngineError> {
        Ok(())
    }

    async fn run_turn(&self, input: TurnInput, _port: TurnPort) -> Result<String, EngineError> {
        let said = shape(&input.items).join(", ");
        if said.contains("short") {
            return Ok("short".to_owned());
        }
        self.begun.notify_one();
        self.news.notified().await;
        let steered = self.steered.lock().expect("not poisoned").join(", ");
        Ok(format!("{said}, {steered}"))
    }

    async fn steer(&self, steer: SteerInput) -> Result<(), EngineError> {
        let SteerInput { text, from, .. } = steer;
        self.steered
            .lock()
            .expect("not poisoned")
            .push(format!("{from} {text}"));
        // Its turn may end before this returns; the message belongs to it all the same.
        self.news.notify_one();
        tokio::task::yield_now().await;
        if self.deaf {
            return Err(EngineError::Failed("no".to_owned()));
        }
        Ok(())
    }

    async fn stop_member(&self, _member: &MemberId) {}

    async fn stop(&self) -> String {
        "gone".to_owned()
    }
}

async fn with_guest(guest: &Arc<Guest>) -> Mob {
    let file = MOB.replace(
        "[profiles.worker]",
        "[profiles.worker]\n    engine = \"acp\"",
    );
    builder(definition(&file, ""), &Arc::new(MemoryStore::new()))
        .engine(EngineKind::Acp, guest.clone())
        .tool(Hold::default())
        .start()
        .await
        .expect("started")
}

#[tokio::test(start_paused = true)]
async fn an_engine_takes_a_message_into_the_turn_that_it_runs() {
    let guest = Arc::new(Guest::default());
    let mob = with_guest(&guest).await;
    let first = send(&mob, "worker", "begin").await;
    guest.begun.notified().await;
    let second = send_in(&mob, "worker", "and this", MessageMode::Steer).await;
    let turn = ended(&mob, second).await;
    assert_eq!(turn.messages, [first, second]);
    assert_eq!(text_of(&turn), "user begin, operator:test and this");
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn what_an_engine_does_not_take_in_gets_a_turn_of_its_own() {
    let guest = Arc::new(Guest {
        deaf: true,
        ..Guest::default()
    });
    let mob = with_guest(&guest).await;
    let first = send(&mob, "worker", "begin").await;
    guest.begun.notified().await;
    let second = send_in(&mob, "worker", "a short one", MessageMode::Steer).await;
    assert_eq!(ended(&mob, second).await.messages, [second]);
    assert_eq!(ended(&mob, first).await.messages, [first]);
    mob.shutdown().await;
}
