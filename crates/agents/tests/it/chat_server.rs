//! A small server of model APIs: it takes one call, answers as it is told, and tells what it got.

use futures::future::join;
use mobkit_agents::model::{
    ApiKey, Delta, Item, ModelProvider, ModelRequest, RemoteModel, RemoteProvider, RemoteSettings,
    ToolSpec, collect,
};
use mobkit_domain::id::{CallId, MemberId, ProfileId};
use mobkit_domain::model::{Failure, Reply};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const KEY: &str = "sk-Zq81xVwP0aLm3Trd";
pub const ORIGIN: &str = "models.main.api_key from env TEST_API_KEY";

/// What the server does with a call.
pub struct Script {
    status: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    frames: Vec<String>,
    end: End,
}

/// What happens after the last frame.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    /// The answer is ended as HTTP wants it.
    Clean,
    /// The connection is closed in the middle.
    Drop,
    /// Nothing, until the caller goes away.
    Hang,
}

impl Script {
    /// An event stream with one event for each of `events`.
    pub fn events(events: &[Value]) -> Self {
        let frames = events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect();
        Self {
            status: "200 OK",
            headers: vec![EVENT_STREAM],
            frames,
            end: End::Clean,
        }
    }

    /// As [`Script::events`], with a line that names each event by its type.
    pub fn named_events(events: &[Value]) -> Self {
        let mut script = Self::events(events);
        for (frame, event) in script.frames.iter_mut().zip(events) {
            let name = event["type"].as_str().unwrap_or_default();
            *frame = format!("event: {name}\n{frame}");
        }
        script
    }

    /// As [`Script::events`], with the end mark of OpenAI.
    pub fn whole(events: &[Value]) -> Self {
        let mut script = Self::events(events);
        script.frames.push("data: [DONE]\n\n".to_owned());
        script
    }

    /// An answer of another status.
    pub fn status(status: &'static str, body: &str) -> Self {
        Self {
            status,
            headers: vec![JSON],
            frames: vec![body.to_owned()],
            end: End::Clean,
        }
    }

    /// An answer of 200 with a body that is no event stream of ours.
    pub fn body(body: &str) -> Self {
        Self::status("200 OK", body)
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// No answer at all.
    pub fn mute() -> Self {
        Self {
            status: "",
            headers: Vec::new(),
            frames: Vec::new(),
            end: End::Hang,
        }
    }
}

const EVENT_STREAM: (&str, &str) = ("content-type", "text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

/// What the server got.
pub struct Got {
    /// The first line and the headers.
    pub head: String,
    pub body: Value,
}

/// What came of one call.
pub struct Outcome {
    pub result: Result<Reply, Failure>,
    pub deltas: Vec<Delta>,
    pub got: Got,
}

/// What is called, and with which settings.
pub struct Caller {
    pub provider: RemoteProvider,
    pub model: &'static str,
    pub key: Option<&'static str>,
    pub timeout_ms: u64,
}

impl Default for Caller {
    fn default() -> Self {
        let provider = RemoteProvider::OpenAiCompatible;
        Self {
            provider,
            model: "small",
            key: Some(KEY),
            timeout_ms: 20_000,
        }
    }
}

impl Caller {
    pub fn anthropic() -> Self {
        Self {
            provider: RemoteProvider::Anthropic,
            model: "claude-sonnet-5",
            ..Self::default()
        }
    }

    pub fn gemini() -> Self {
        Self {
            provider: RemoteProvider::Gemini,
            model: "gemini-3-flash",
            ..Self::default()
        }
    }

    pub fn model_at(&self, base_url: &str) -> RemoteModel {
        let key = self
            .key
            .map(|key| ApiKey::new(key, ORIGIN).expect("a sendable key"));
        let settings = RemoteSettings {
            provider: self.provider,
            model: self.model.to_owned(),
            base_url: Some(base_url.to_owned()),
            api_key: key,
            timeout_ms: self.timeout_ms,
        };
        RemoteModel::new(settings).expect("valid settings")
    }

    /// Makes `request` to a server that follows `script`.
    pub async fn call(&self, request: ModelRequest, script: Script) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let model = self.model_at(&format!("http://127.0.0.1:{port}/v1"));
        let mut deltas = Vec::new();
        let called = collect(model.stream(request), |delta| deltas.push(delta));
        let (result, got) = join(called, serve(listener, script)).await;
        Outcome {
            result,
            deltas,
            got,
        }
    }
}

/// A request with one message.
pub fn asked(text: &str) -> ModelRequest {
    let from = "operator:ada".to_owned();
    ModelRequest {
        member: MemberId::parse("desk").expect("a member id"),
        profile: ProfileId::parse("reporter").expect("a profile id"),
        step: 1,
        attempt: 1,
        replies: 0,
        instructions: "You report.".to_owned(),
        items: vec![Item::User {
            text: text.to_owned(),
            from: from.clone(),
            pieces: Vec::new(),
        }],
        tools: Vec::new(),
        output_schema: None,
        from,
    }
}

/// A request that offers these tools.
pub fn with_tools(mut request: ModelRequest, names: &[&str]) -> ModelRequest {
    request.tools = names
        .iter()
        .map(|name| ToolSpec {
            name: (*name).to_owned(),
            description: format!("Does {name}"),
            schema: json!({ "type": "object", "properties": { "q": { "type": "string" } } }),
        })
        .collect();
    request
}

/// The request that follows `reply`, all of whose calls gave "none".
pub fn after(mut request: ModelRequest, reply: &Reply) -> ModelRequest {
    let id = |index| CallId { reply: 7, index };
    let calls: Vec<_> = (1..).map(id).zip(reply.calls.iter().cloned()).collect();
    let results = calls.iter().map(|(call, asked)| Item::ToolResult {
        call: *call,
        tool: asked.tool.clone(),
        result: "none".to_owned(),
        failed: false,
    });
    let results: Vec<_> = results.collect();
    request.items.push(Item::Assistant {
        text: reply.text.inline().unwrap_or_default().to_owned(),
        calls,
        carry: reply.carry.clone(),
    });
    request.items.extend(results);
    request
}

/// A chunk of OpenAI's stream with this `delta`.
pub fn chunk(delta: &Value) -> Value {
    json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] })
}

/// The last chunk of OpenAI's stream that has a choice.
pub fn finish(reason: &str) -> Value {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] })
}

async fn serve(listener: TcpListener, script: Script) -> Got {
    let (mut socket, _) = listener.accept().await.expect("a caller");
    let got = read_request(&mut socket).await;
    // A caller that has heard enough may be gone before the last byte.
    let _ = answer(&mut socket, &script).await;
    got
}

async fn answer(socket: &mut TcpStream, script: &Script) -> std::io::Result<()> {
    if !script.status.is_empty() {
        let mut head = format!("HTTP/1.1 {}\r\n", script.status);
        for (name, value) in &script.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
        socket.write_all(head.as_bytes()).await?;
    }
    for frame in &script.frames {
        let piece = format!("{:x}\r\n{frame}\r\n", frame.len());
        socket.write_all(piece.as_bytes()).await?;
        socket.flush().await?;
    }
    match script.end {
        End::Clean => socket.write_all(b"0\r\n\r\n").await,
        End::Drop => Ok(()),
        End::Hang => {
            let mut rest = [0; 64];
            while socket.read(&mut rest).await? > 0 {}
            Ok(())
        }
    }
}

async fn read_request(socket: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let len = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let len: usize = len.and_then(|len| len.trim().parse().ok()).unwrap_or(0);
            if body.len() >= len {
                let body = serde_json::from_str(body).expect("a JSON body");
                return Got {
                    head: original_head(&bytes),
                    body,
                };
            }
        }
        let mut piece = [0; 4096];
        let read = socket.read(&mut piece).await.expect("a readable caller");
        assert!(
            read > 0,
            "the caller went away before its request was whole"
        );
        bytes.extend_from_slice(&piece[..read]);
    }
}

fn original_head(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}
