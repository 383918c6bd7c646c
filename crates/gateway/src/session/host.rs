//! What the other side of a session serves, and how it is asked.

use super::params::{REGISTER, Register};
use crate::access::{Permission, permit};
use crate::gateway::{Caller, Gateway};
use crate::input::Input;
use async_trait::async_trait;
use mobkit_domain::id::HostId;
use mobkit_domain::lifecycle::{Phase, Verb};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::tool::ToolSpec;
use mobkit_engine::{Engine, HostFailure, HostLine, HostPieces, OnError, OnStop, TaskKind};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Questions between the mob and the session.
const ORDERS_MAX: usize = 64;

const REGISTRATION: TaskKind = TaskKind {
    name: "registration",
    on_stop: OnStop::Finish,
    on_error: OnError::Report,
};

/// A question for the other side.
pub(super) struct Order {
    pub method: &'static str,
    pub params: Value,
    pub pieces: Option<HostPieces>,
    pub reply: oneshot::Sender<Result<Value, HostFailure>>,
}

struct Line(mpsc::Sender<Order>);

#[async_trait]
impl HostLine for Line {
    async fn ask(
        &self,
        method: &'static str,
        params: Value,
        pieces: Option<HostPieces>,
    ) -> Result<Value, HostFailure> {
        let (reply, answer) = oneshot::channel();
        let order = Order {
            method,
            params,
            pieces,
            reply,
        };
        self.0.send(order).await.map_err(|_| HostFailure::Away)?;
        answer.await.unwrap_or(Err(HostFailure::Lost))
    }
}

/// What was registered so far.
#[derive(Default)]
struct Registered {
    hosts: Vec<HostId>,
    /// Why nothing is served any longer.
    gone: Option<String>,
}

/// The other side as a host program. Clones share it.
#[derive(Clone)]
pub(super) struct HostSide {
    line: Arc<dyn HostLine>,
    registered: Arc<Mutex<Registered>>,
}

impl HostSide {
    /// With what the session has to ask.
    pub fn new() -> (Self, mpsc::Receiver<Order>) {
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        let side = Self {
            line: Arc::new(Line(sender)),
            registered: Arc::default(),
        };
        (side, orders)
    }

    fn lock(&self) -> MutexGuard<'_, Registered> {
        self.registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the other side serve what it names. `shapes_start` says whether it may serve what a
    /// start is made of.
    pub async fn register(
        &self,
        (gateway, caller): (&Gateway, &Caller),
        mut input: Input,
        shapes_start: bool,
    ) -> Result<Value, Refusal> {
        let engine = &gateway.engine;
        let permitted = permit(&caller.principal, Permission::Operate, REGISTER);
        permitted.inspect_err(|refusal| {
            gateway
                .denials
                .note(engine, REGISTER, refusal, caller.remote);
        })?;
        gateway.check_mob(input.take_text("mob")?)?;
        let asked: Register = input.parse(REGISTER)?;
        if !shapes_start && asked.shapes_start() {
            return Err(start_only());
        }
        if !(shapes_start && engine.phase().now() == Phase::Starting) {
            engine.phase().check(Verb::Mutate)?;
        }
        if shapes_start {
            engine.hosts().set_owner(Some(Arc::clone(&self.line)));
        }
        let tools: Vec<ToolSpec> = asked.tools.into_iter().map(ToolSpec::from).collect();
        let names: Vec<String> = tools.iter().map(|tool| tool.name.clone()).collect();
        if tools.is_empty() {
            return Ok(json!({ "host": null, "tools": names }));
        }
        let host = self.record(engine, caller, tools).await?;
        Ok(json!({ "host": host, "tools": names }))
    }

    /// To its end, whatever becomes of the session in the middle.
    async fn record(
        &self,
        engine: &Engine,
        caller: &Caller,
        tools: Vec<ToolSpec>,
    ) -> Result<HostId, Refusal> {
        let (side, principal) = (self.clone(), caller.principal.clone());
        let tasks = engine.tasks().clone();
        let engine = engine.clone();
        let work = async move {
            let host = engine.register_host(principal, tools, &side.line).await?;
            let gone = {
                let mut registered = side.lock();
                registered.hosts.push(host);
                registered.gone.clone()
            };
            if let Some(reason) = gone {
                engine.host_left(host, reason).await;
            }
            Ok(host)
        };
        let ended = tasks.spawn(REGISTRATION, work).await;
        ended.ok().flatten().unwrap_or_else(|| {
            let message = "the runtime stopped in the middle of the registration";
            Err(Refusal::new(
                RefusalKind::Unavailable,
                "runtime.stopping",
                message,
            ))
        })
    }

    /// The other side serves nothing any longer.
    pub async fn leave(&self, engine: &Engine, reason: &str) {
        let hosts = {
            let mut registered = self.lock();
            registered.gone = Some(reason.to_owned());
            std::mem::take(&mut registered.hosts)
        };
        for host in hosts {
            engine.host_left(host, reason.to_owned()).await;
        }
    }
}

fn start_only() -> Refusal {
    let message = "members, edges and models are served only by the program that a mob is run for, \
                   and it says so with its first line";
    Refusal::new(RefusalKind::Conflict, "host.start_only", message)
        .hint("run the mob with `mobkit stdio`; tools can be registered at any time")
}
