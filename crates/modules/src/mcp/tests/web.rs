//! A remote server in the hands of a test. It runs on a thread of its own, so that the tasks of the
//! test's runtime are those of the client.

use super::host::{Heard, Listener};
use super::peer::{discovery, welcome};
use crate::client::{Client, ClientError, Limits};
use crate::mcp::connect_http;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use mobkit_engine::Tasks;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A server that passes every request to the test.
pub(super) struct Web {
    pub(super) url: String,
    asked: mpsc::Receiver<Asked>,
    /// Requests that came before one that was looked for.
    passed: VecDeque<Asked>,
    _stop: oneshot::Sender<()>,
}

/// A request that waits for its answer.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// The message; null where there is none.
    pub(super) body: Value,
    reply: oneshot::Sender<Response<Body>>,
}

/// An answer that is a stream of messages.
pub(super) struct Events(mpsc::Sender<Bytes>);

impl Web {
    /// Starts it; it stops when it is dropped.
    pub(super) fn start() -> Self {
        let (ask, asked) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("non-blocking");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let router = Router::new().fallback(pass_on).with_state(ask);
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("served"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            url: format!("http://{address}/mcp"),
            asked,
            passed: VecDeque::new(),
            _stop: stop,
        }
    }

    /// The next request of any kind.
    pub(super) async fn next(&mut self) -> Asked {
        match self.passed.pop_front() {
            Some(asked) => asked,
            None => self.asked.recv().await.expect("a request"),
        }
    }

    /// The next request, which is a message of this method.
    pub(super) async fn expect(&mut self, method: &str) -> Asked {
        let asked = self.next().await;
        assert_eq!(
            asked.body["method"], method,
            "{} {}",
            asked.method, asked.body
        );
        asked
    }

    /// The next request, which has no message.
    pub(super) async fn expect_bare(&mut self, method: &Method) -> Asked {
        let asked = self.next().await;
        assert_eq!(asked.method, *method, "{}", asked.body);
        asked
    }

    /// Whether no request waits.
    pub(super) fn is_idle(&mut self) -> bool {
        self.passed.is_empty() && self.asked.try_recv().is_err()
    }

    /// Plays the beginning of the newer era.
    pub(super) async fn discovered(&mut self, capabilities: &Value) {
        let asked = self.expect("server/discover").await;
        asked.answer(discovery(capabilities));
    }

    /// Plays the beginning of the era before, with a session; the stream beside the calls is
    /// returned.
    pub(super) async fn initialized(&mut self, session: &str) -> Events {
        let asked = self.expect("server/discover").await;
        asked.status(400, "Bad Request: Server not initialized");
        self.greeted(session).await
    }

    /// Plays `initialize` and what follows it.
    pub(super) async fn greeted(&mut self, session: &str) -> Events {
        let asked = self.expect("initialize").await;
        assert_eq!(asked.headers.get("mcp-session-id"), None);
        let message = json!({
            "jsonrpc": "2.0", "id": asked.body["id"], "result": welcome("2025-11-25"),
        });
        asked.reply(
            Response::builder()
                .header("content-type", "application/json")
                .header("mcp-session-id", session)
                .body(message.to_string().into()),
        );
        let asked = self.expect("notifications/initialized").await;
        asked.of_session(session).status(202, "");
        // A call that waits for the session goes out at the same time.
        loop {
            let asked = self.asked.recv().await.expect("a request");
            if asked.method == Method::GET {
                return asked.of_session(session).events();
            }
            self.passed.push_back(asked);
        }
    }
}

async fn pass_on(
    State(ask): State<mpsc::Sender<Asked>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let (reply, replied) = oneshot::channel();
    let asked = Asked {
        method,
        path: uri.path().to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        reply,
    };
    let gone = || {
        let response = Response::builder().status(StatusCode::IM_A_TEAPOT);
        response.body(Body::empty()).expect("a response")
    };
    match ask.send(asked).await {
        Ok(()) => replied.await.unwrap_or_else(|_| gone()),
        Err(_) => gone(),
    }
}

impl Asked {
    fn reply(self, response: axum::http::Result<Response<Body>>) {
        // The client may have hung up.
        let _ = self.reply.send(response.expect("a response"));
    }

    pub(super) fn answer(self, result: Value) {
        let mut message = json!({ "jsonrpc": "2.0", "id": self.body["id"] });
        message["result"] = result;
        self.text(200, "application/json", message.to_string());
    }

    pub(super) fn refuse(self, status: u16, error: Value) {
        let mut message = json!({ "jsonrpc": "2.0", "id": self.body["id"] });
        message["error"] = error;
        self.text(status, "application/json", message.to_string());
    }

    pub(super) fn status(self, status: u16, words: &str) {
        self.text(status, "text/plain", words.to_owned());
    }

    pub(super) fn text(self, status: u16, content_type: &str, body: String) {
        let response = Response::builder().status(status);
        let response = response.header("content-type", content_type);
        self.reply(response.body(body.into()));
    }

    pub(super) fn with_header(self, status: u16, name: &str, value: &str) {
        let response = Response::builder().status(status).header(name, value);
        self.reply(response.body(Body::empty()));
    }

    /// Answers with a stream.
    pub(super) fn events(self) -> Events {
        let (events, received) = mpsc::channel::<Bytes>(16);
        let stream = futures::stream::unfold(received, |mut received| async {
            let next = received.recv().await?;
            Some((Ok::<Bytes, Infallible>(next), received))
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        self.reply(response.body(Body::from_stream(stream)));
        Events(events)
    }

    /// Waits until the client hangs up without an answer.
    pub(super) async fn abandoned(mut self) {
        self.reply.closed().await;
    }

    pub(super) fn of_session(self, session: &str) -> Self {
        assert_eq!(self.header("mcp-session-id"), session, "{}", self.body);
        self
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }
}

impl Events {
    pub(super) async fn say(&self, message: Value) {
        let event = format!("event: message\ndata: {message}\n\n");
        // The client may have hung up.
        let _ = self.0.send(event.into()).await;
    }

    pub(super) async fn notify(&self, method: &str, params: Value) {
        self.say(json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await;
    }

    pub(super) async fn answer(&self, request: &Value, result: Value) {
        self.say(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
            .await;
    }

    /// Waits until the client hangs up.
    pub(super) async fn abandoned(&self) {
        self.0.closed().await;
    }
}

type Connected = Result<Arc<dyn Client>, ClientError>;

/// Connects while `play` plays the beginning.
pub(super) async fn meet<T>(
    web: &mut Web,
    headers: &[(&str, &str)],
    answers: Vec<Option<Value>>,
    play: impl AsyncFnOnce(&mut Web) -> T,
) -> (Connected, T, mpsc::Receiver<Heard>) {
    let (host, heard) = Listener::answering(answers);
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let url = web.url.clone();
    let tasks = Tasks::new();
    let connecting = connect_http(&url, headers, host, Limits::default(), &tasks);
    let (connected, played) = tokio::join!(connecting, play(web));
    (connected, played, heard)
}

/// A conversation of the newer era.
pub(super) async fn modern(web: &mut Web) -> (Arc<dyn Client>, mpsc::Receiver<Heard>) {
    let tools = json!({ "tools": {} });
    let play = async |web: &mut Web| web.discovered(&tools).await;
    let (client, (), heard) = meet(web, &[], Vec::new(), play).await;
    (client.expect("connected"), heard)
}

/// A conversation of the era before.
pub(super) async fn before(
    web: &mut Web,
    answers: Vec<Option<Value>>,
) -> (Arc<dyn Client>, Events, mpsc::Receiver<Heard>) {
    let play = async |web: &mut Web| web.initialized("s1").await;
    let (client, beside, heard) = meet(web, &[], answers, play).await;
    (client.expect("connected"), beside, heard)
}
