//! A served mob, in this process.

use super::described;
use super::runner::Scripted;
use super::stream::Stream;
use axum::Router;
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use mobkit_domain::definition::{NoFiles, parse};
use mobkit_domain::event::{Envelope, Event, ToolEffect};
use mobkit_domain::time::Time;
use mobkit_domain::tool::{ToolSpec, Toolbox};
use mobkit_engine::{Clock, Engine, EngineConfig, Hooks, TokioClock};
use mobkit_gateway::{Access, router};
use mobkit_store::{MemoryStore, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tower::ServiceExt;

/// When every test begins.
pub const BASE: Time = Time(1_763_791_200_000);
/// The operator's token.
pub const TOKEN: &str = "a-token-of-the-tests";

/// The mob file of the usual server.
pub const MOB: &str = r#"
[mob]
id = "desk"
defaults = { profile = "worker" }
queue_max = 5
[models.main]
provider = "rehearsal"
price = { input = 1.0, output = 2.0 }
[profiles.worker]
model = "main"
instructions = "Do what the message says."
tools = ["peers", "pay"]
[profiles.clerk]
model = "main"
instructions = "Do what the message says."
exposed = true
[[members]]
id = "ada"
profile = "worker"
labels = { team = "news", floor = "2" }
[[members]]
id = "bob"
profile = "worker"
[[members]]
id = "cid"
profile = "clerk"
labels = { team = "desk" }
[wiring]
edges = [["ada", "bob"]]
"#;

/// How a server differs from the usual one.
#[derive(Default)]
pub struct Options {
    pub hooks: Hooks,
    pub memory: MemoryStore,
    pub rehearsal: bool,
    /// Whether it is opened and not brought up.
    pub starting: bool,
    /// Another mob file than the usual one.
    pub mob: Option<String>,
    /// Whether payments come to an end.
    pub pays: bool,
    /// Another clock than the virtual one.
    pub clock: Option<Arc<dyn Clock>>,
}

impl Options {
    /// The usual mob with these gates, whose payments come to an end.
    pub fn gated(gates: &str) -> Self {
        Self {
            mob: Some(format!("{MOB}{gates}")),
            pays: true,
            ..Self::default()
        }
    }
}

/// A served mob.
pub struct Server {
    pub engine: Engine,
    pub app: Router,
    pub runner: Arc<Scripted>,
    pub memory: MemoryStore,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// A request of somebody who holds the token, at this address.
pub fn request(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:7373")
        .header("authorization", format!("Bearer {TOKEN}"))
}

fn pay() -> ToolSpec {
    ToolSpec {
        name: "pay".to_owned(),
        description: "Pays.".to_owned(),
        schema: json!({"type": "object"}),
        effect: ToolEffect::Effect,
    }
}

impl Server {
    /// A server of the usual mob, up and running.
    pub async fn up() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let Options {
            hooks,
            memory,
            rehearsal,
            starting,
            mob,
            pays,
            clock,
        } = options;
        let definition = parse("mob.toml", mob.as_deref().unwrap_or(MOB), &NoFiles)
            .expect("a mob file")
            .definition;
        let runner = Arc::new(Scripted::of(pays));
        let config = EngineConfig {
            store: Arc::new(memory.reopen()),
            clock: clock.unwrap_or_else(|| Arc::new(TokioClock::starting_at(BASE))),
            definition: Arc::new(definition),
            source: None,
            toolbox: Arc::new(Toolbox(BTreeMap::from([("pay".to_owned(), pay())]))),
            runner: Arc::clone(&runner) as _,
            hooks,
            version: "0.0.0-test".to_owned(),
            rehearsal,
            drain_timeout_ms: 1_000,
            force_first: false,
        };
        let engine = Engine::open(config).await.expect("opened");
        if !starting {
            engine.bring_up().await.expect("brought up");
        }
        let app = router(engine.clone(), Access::operator_token(TOKEN));
        Self {
            engine,
            app,
            runner,
            memory,
        }
    }

    /// Sends any request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    /// What stands at a path that answers no JSON: its sort and its text.
    pub async fn text(&self, path: &str) -> (String, String) {
        let asked = request("GET", path).body(Body::empty()).expect("a request");
        let answer = self.app.clone().oneshot(asked).await.expect("infallible");
        assert_eq!(answer.status(), 200);
        let sort = answer.headers()["content-type"].to_str().expect("ASCII");
        let sort = sort.to_owned();
        let body = answer.into_body().collect().await.expect("a body");
        let text = String::from_utf8(body.to_bytes().to_vec()).expect("text");
        (sort, text)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).expect("a request"))
            .await
    }

    /// Posts to an operation. What succeeds is held against the description of the operation.
    pub async fn post(&self, operation: &str, params: Value) -> Answer {
        let request = request("POST", &format!("/api/v1/{operation}"));
        let body = Body::from(params.to_string());
        let answer = self.send(request.body(body).expect("a request")).await;
        if answer.status == 200 {
            described::check(operation, &params, &answer.body);
        }
        answer
    }

    /// Calls an operation, which must succeed.
    pub async fn call(&self, operation: &str, params: Value) -> Value {
        let answer = self.post(operation, params).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    /// Calls an operation, which must be refused: with this status and this code.
    pub async fn refused(&self, operation: &str, params: Value, as_is: (u16, &str)) -> Value {
        let answer = self.post(operation, params).await;
        let found = (
            answer.status,
            answer.body["code"].as_str().unwrap_or_default(),
        );
        assert_eq!(found, as_is, "{operation}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        answer.body
    }

    /// Posts to `/rpc`.
    pub async fn rpc(&self, text: &str) -> Answer {
        let request = request("POST", "/rpc").header("content-type", "application/json");
        self.send(
            request
                .body(Body::from(text.to_owned()))
                .expect("a request"),
        )
        .await
    }

    /// Opens a stream of events, which must be served.
    pub async fn stream(&self, query: &str, headers: &[(&str, &str)]) -> Stream {
        let mut request = request("GET", &format!("/api/v1/events{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200);
        Stream::of(response)
    }

    /// Everything that is recorded.
    pub async fn journal(&self) -> Vec<Envelope> {
        let query = mobkit_store::EventQuery {
            limit: 1_000_000,
            ..Default::default()
        };
        self.memory
            .events(self.engine.mob(), query)
            .await
            .expect("readable")
            .events
    }

    /// Waits until an event passes.
    pub async fn until(&self, mut wanted: impl FnMut(&Event) -> bool) {
        let filter = mobkit_domain::event::EventFilter::default();
        let mut reader = mobkit_engine::EventReader::open(&self.engine, 0, filter)
            .await
            .expect("a reader");
        while let Some(events) = reader.next(64).await.expect("readable") {
            if events.iter().any(|event| wanted(&event.envelope.event)) {
                return;
            }
        }
        panic!("the journal ended without it");
    }

    /// Waits until so many events pass.
    pub async fn until_count(&self, count: usize, wanted: impl Fn(&Event) -> bool) {
        let mut seen = 0;
        self.until(|event| {
            seen += usize::from(wanted(event));
            seen == count
        })
        .await;
    }
}
