//! What an agent may not do, whatever credential it has got hold of.

use super::{Caller, Gateway, find};
use crate::access::{Access, Permission};
use crate::input::Input;
use crate::operations::OPERATIONS;
use mobkit_domain::command::Command;
use mobkit_domain::definition::{NoFiles, parse};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::MemberId;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::RefusalKind;
use mobkit_domain::time::Time;
use mobkit_domain::tool::Toolbox;
use mobkit_engine::{EffectPort, Engine, EngineConfig, EventReader, Hooks, Runner, TokioClock};
use mobkit_store::MemoryStore;
use serde_json::json;
use std::sync::Arc;

const MOB: &str = r#"
[mob]
id = "desk"
[models.main]
provider = "rehearsal"
[profiles.worker]
model = "main"
instructions = "Work."
[[members]]
id = "ada"
profile = "worker"
"#;

struct Idle;

#[async_trait::async_trait]
impl Runner for Idle {
    async fn run(&self, _: Effect, _: EffectPort) -> Option<Command> {
        None
    }
}

async fn gateway() -> Gateway {
    let definition = parse("mob.toml", MOB, &NoFiles)
        .expect("a mob file")
        .definition;
    let config = EngineConfig {
        store: Arc::new(MemoryStore::default()),
        clock: Arc::new(TokioClock::starting_at(Time(1_763_791_200_000))),
        definition: Arc::new(definition),
        source: None,
        toolbox: Arc::new(Toolbox::default()),
        runner: Arc::new(Idle),
        hooks: Hooks::default(),
        version: "0.0.0-test".to_owned(),
        rehearsal: false,
        drain_timeout_ms: 1_000,
        force_first: false,
    };
    let engine = Engine::open(config).await.expect("opened");
    engine.bring_up().await.expect("brought up");
    Gateway::new(engine, Access::operator_token("token"))
}

fn agent() -> Caller {
    Caller {
        principal: Principal::Agent(MemberId::parse("ada").expect("an id")),
        trace: None,
        key: None,
        remote: None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_is_let_in_to_nothing_that_it_might_use_for_itself() {
    let gateway = gateway().await;
    let params = || Input::of_json(json!({})).expect("an object");
    for operation in OPERATIONS {
        let answer = gateway.call(&agent(), operation, params()).await;
        let is_denied = answer.is_err_and(|refusal| refusal.kind == RefusalKind::Denied);
        let only_looks = operation.permission == Permission::Read;
        assert_eq!(is_denied, !only_looks, "{}", operation.name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_tries_to_decide_is_recorded() {
    let gateway = gateway().await;
    let decide = find("approval/decide").expect("an operation");
    let params = json!({"id": "apr-1", "digest": "sha256:0", "decision": "approve"});
    let input = Input::of_json(params).expect("an object");
    let refusal = gateway
        .call(&agent(), decide, input)
        .await
        .expect_err("refused");
    assert_eq!(refusal.code, "access.denied");
    let reader = EventReader::open(&gateway.engine, 0, EventFilter::default()).await;
    let mut reader = reader.expect("a reader");
    while let Some(events) = reader.next(64).await.expect("readable") {
        let denied = events.iter().find_map(|event| match &event.envelope.event {
            Event::AccessDenied(e) => Some(e.operation.clone()),
            _ => None,
        });
        if let Some(operation) = denied {
            assert_eq!(operation, "approval/decide");
            return;
        }
    }
    panic!("the journal ended without it");
}
