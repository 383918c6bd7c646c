//! The seam of external engines, with one made for the test.

use crate::kit::{ask, builder, definition, kinds, text_of};
use async_trait::async_trait;
use mobkit::command::{Command, ModuleCommand};
use mobkit::definition::Engine as EngineKind;
use mobkit::event::{EventFilter, ToolDefinition, ToolEffect};
use mobkit::id::{MemberId, ModuleId};
use mobkit::model::{CallRequest, Finish, Reply, Usage};
use mobkit::row::TurnStatus;
use mobkit::state::{MemberState, ModuleStatus};
use mobkit::{
    Engine, EngineError, Item, MemberStart, MemoryStore, Offers, TurnEngine, TurnInput, TurnPort,
};
use serde_json::json;
use std::sync::{Arc, Mutex};

const MOB: &str = r#"
    [mob]
    id = "test"
    [models.main]
    provider = "rehearsal"
    [profiles.outside]
    engine = "acp"
    model = "main"
    instructions = "Work."
    [profiles.inside]
    model = "main"
    instructions = "Answer."
    [[members]]
    id = "guest"
    profile = "outside"
    [[members]]
    id = "host"
    profile = "inside"
    [wiring]
    edges = [["guest", "host"]]
"#;

/// Asks a peer through mobkit's tools, then answers with what it heard.
#[derive(Default)]
struct Guest {
    seen: Mutex<Vec<String>>,
    refuses: bool,
}

impl Guest {
    fn note(&self, what: String) {
        self.seen.lock().expect("not poisoned").push(what);
    }
}

#[async_trait]
impl TurnEngine for Guest {
    fn name(&self) -> &'static str {
        "guest"
    }

    fn offers(&self) -> Offers {
        Offers::default()
    }

    async fn start_member(&self, start: MemberStart, _: &Engine) -> Result<(), EngineError> {
        if self.refuses {
            return Err(EngineError::Failed("no licence".to_owned()));
        }
        self.note(format!(
            "start {} {}",
            start.member, start.fence.incarnation
        ));
        Ok(())
    }

    async fn run_turn(&self, input: TurnInput, port: TurnPort) -> Result<String, EngineError> {
        let Some(Item::User { text, .. }) = input.items.first() else {
            return Err(EngineError::Failed("a turn without a message".to_owned()));
        };
        if text == "tools" {
            let names = input.tools.into_iter().map(|tool| tool.name);
            return Ok(names.collect::<Vec<_>>().join(" "));
        }
        if text == "die once" {
            if input.resumed {
                let recorded = input.items.len();
                return Ok(format!("here again, {recorded} items are recorded"));
            }
            return Err(EngineError::Lost("killed by signal 9".to_owned()));
        }
        if text == "die" {
            return Err(EngineError::Lost("killed by signal 9".to_owned()));
        }
        if text == "fail" {
            return Err(EngineError::Failed("out of ideas".to_owned()));
        }
        let call = CallRequest {
            tool: "ask_peer".to_owned(),
            args: json!({"to": "host", "content": text}),
            provider_id: None,
        };
        let reply = Reply {
            text: "let me ask".into(),
            calls: vec![call],
            usage: Usage::default(),
            finish: Finish::Calls,
            carry: None,
        };
        let results = port.step(reply, json!({"event": "own"})).await?;
        let heard = results[0].outcome.clone().map_err(EngineError::Failed)?;
        Ok(format!("heard {heard}"))
    }

    async fn stop_member(&self, member: &MemberId) {
        self.note(format!("stop {member}"));
    }

    async fn stop(&self) -> String {
        "exited".to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn an_external_turn_uses_the_same_tools_edges_and_journal() {
    let store = Arc::new(MemoryStore::new());
    let guest = Arc::new(Guest::default());
    let mob = builder(definition(MOB, ""), &store)
        .engine(EngineKind::Acp, guest.clone())
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "guest", "hello").await;
    assert_eq!(text_of(&turn), "heard rehearsal: hello");
    let failed = ask(&mob, "guest", "fail").await;
    assert_eq!(failed.status, TurnStatus::Failed);
    assert_eq!(failed.reason.as_deref(), Some("out of ideas"));
    let kinds = kinds(&mob).await;
    for kind in [
        "member.updated",
        "model.replied",
        "tool.started",
        "tool.finished",
    ] {
        assert!(kinds.contains(&kind), "{kind} is missing: {kinds:?}");
    }
    let report = mob.shutdown().await;
    assert_eq!(report.engines[0].result, "exited");
    // The next process has its engine prepare the member again, before its first turn.
    let reopened = Arc::new(store.reopen());
    let mob = builder(definition(MOB, ""), &reopened)
        .engine(EngineKind::Acp, guest.clone())
        .start()
        .await
        .expect("started");
    assert_eq!(
        text_of(&ask(&mob, "guest", "again").await),
        "heard rehearsal: again"
    );
    mob.shutdown().await;
    let seen = guest.seen.lock().expect("not poisoned").clone();
    assert_eq!(seen, ["start guest 1", "start guest 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_engine_refuses_it_is_failed_and_the_rest_works() {
    let store = Arc::new(MemoryStore::new());
    let guest = Arc::new(Guest {
        refuses: true,
        ..Guest::default()
    });
    let mob = builder(definition(MOB, ""), &store)
        .engine(EngineKind::Acp, guest)
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "host", "hello").await;
    assert_eq!(text_of(&turn), "rehearsal: hello");
    let (state, error) = mob.engine().view(|world| {
        let guest = crate::kit::member("guest");
        let error = world.state.members[&guest].last_error.clone();
        (world.state.member_state(&guest), error)
    });
    assert_eq!(state.map(MemberState::as_str), Some("failed"));
    assert_eq!(error.as_deref(), Some("no licence"));
    mob.shutdown().await;
}

#[tokio::test]
async fn an_external_engine_is_told_the_tools_of_modules_as_they_are_now() {
    let text = MOB.replace(
        "engine = \"acp\"",
        "engine = \"acp\"\ntools = [\"module:files/*\"]",
    );
    let module = "[[modules]]\nid = \"files\"\ntransport = \"mcp-stdio\"\n\
                  command = [\"/bin/sleep\", \"1000\"]\n";
    let store = Arc::new(MemoryStore::new());
    let mob = builder(definition(&(text + module), ""), &store)
        .engine(EngineKind::Acp, Arc::new(Guest::default()))
        .start()
        .await
        .expect("started");
    assert_eq!(text_of(&ask(&mob, "guest", "tools").await), "");
    // It never says anything itself, so this is what the mob knows of it.
    let files: ModuleId = "files".parse().expect("an id");
    let start = mob.engine().view(|world| world.state.modules[&files].start);
    let tool = ToolDefinition {
        name: "read".to_owned(),
        description: "Reads a file.".to_owned(),
        schema: json!({"type": "object"}),
        output_schema: None,
        hint: ToolEffect::Read,
        hash: "x".to_owned(),
    };
    let healthy = ModuleCommand::Healthy {
        module: files.clone(),
        start,
        pid: None,
        protocol: "mcp".to_owned(),
        sandbox: None,
        tools: Some(vec![tool]),
    };
    let healthy = mob.engine().submit_internal(Command::Module(healthy)).await;
    healthy.expect("accepted");
    let told = ask(&mob, "guest", "tools").await;
    assert_eq!(text_of(&told), "module:files/read");
    // Its start is given up, and nothing of it is left.
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    let (status, reason) = mob.engine().view(|world| {
        let module = &world.state.modules[&files];
        (module.status, module.reason.clone())
    });
    assert_eq!(status, ModuleStatus::Stopped);
    assert_eq!(reason.as_deref(), Some("shutdown"));
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_engine_is_lost_goes_on_and_one_that_kills_it_is_put_aside() {
    let store = Arc::new(MemoryStore::new());
    let mob = builder(definition(MOB, ""), &store)
        .engine(EngineKind::Acp, Arc::new(Guest::default()))
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "guest", "die once").await;
    assert_eq!(text_of(&turn), "here again, 1 items are recorded");
    let turn = ask(&mob, "guest", "die").await;
    assert_eq!(turn.status, TurnStatus::Failed);
    let reason = turn.reason.expect("a reason");
    assert!(reason.ends_with("killed by signal 9"), "{reason}");
    let guest = crate::kit::member("guest");
    let state = mob.engine().view(|world| world.state.member_state(&guest));
    assert_eq!(state, Some(MemberState::Quarantined));
    let resumed = kinds(&mob).await;
    let resumed = resumed.iter().filter(|kind| **kind == "turn.resumed");
    assert_eq!(resumed.count(), 3);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_gone_at_the_next_start_shows_at_once() {
    let store = Arc::new(MemoryStore::new());
    let mob = builder(definition(MOB, ""), &store)
        .engine(EngineKind::Acp, Arc::new(Guest::default()))
        .start()
        .await
        .expect("started");
    assert_eq!(
        text_of(&ask(&mob, "guest", "tools").await),
        "ask_peer now peers send_message"
    );
    mob.shutdown().await;
    let reopened = Arc::new(store.reopen());
    let refusing = Guest {
        refuses: true,
        ..Guest::default()
    };
    let mob = builder(definition(MOB, ""), &reopened)
        .engine(EngineKind::Acp, Arc::new(refusing))
        .start()
        .await
        .expect("started");
    // Nobody sends it anything.
    let guest = crate::kit::member("guest");
    let filter = EventFilter::parse(Some("member.failed"), None, None).expect("a filter");
    let mut reader = mob.events(0, filter).await.expect("readable");
    let failed = reader.next(1).await.expect("readable").expect("it runs");
    assert_eq!(failed[0].envelope.event.member(), Some(&guest));
    mob.shutdown().await;
}
