//! The other side of a session over lines.

use super::Server;
use mobkit_domain::principal::Principal;
use mobkit_gateway::{OwnerSignals, SessionEnd, talk_over_lines};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A program that talks with a mob.
pub struct Talk {
    input: Option<DuplexStream>,
    output: BufReader<DuplexStream>,
    /// What came while something else was waited for.
    aside: VecDeque<Value>,
    pub may_start: oneshot::Receiver<()>,
    pub gone: oneshot::Receiver<()>,
    pub ended: JoinHandle<SessionEnd>,
}

impl Talk {
    /// Begins to talk, over pipes that hold so many bytes.
    #[expect(clippy::disallowed_methods, reason = "the session ends with the test")]
    pub fn over(server: &Server, pipe_bytes: usize) -> Self {
        let (input, reader) = tokio::io::duplex(pipe_bytes);
        let (writer, output) = tokio::io::duplex(pipe_bytes);
        let (sender, gone) = oneshot::channel();
        let (begun, may_start) = oneshot::channel();
        let signals = OwnerSignals {
            begun: Some(begun),
            gone: Some(sender),
        };
        let operator = Principal::Operator("local".to_owned());
        let talk = talk_over_lines(server.engine.clone(), operator, (reader, writer), signals);
        Self {
            input: Some(input),
            output: BufReader::new(output),
            aside: VecDeque::new(),
            may_start,
            gone,
            ended: tokio::spawn(talk),
        }
    }

    pub fn with(server: &Server) -> Self {
        Self::over(server, 64 * 1024)
    }

    /// Says a line.
    pub async fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("not closed yet");
        input.write_all(line.as_bytes()).await.expect("written");
        input.write_all(b"\n").await.expect("written");
    }

    /// Sends a request.
    pub async fn ask(&mut self, id: u64, method: &str, params: Value) {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.say(&request.to_string()).await;
    }

    /// Says nothing any longer.
    pub fn close(&mut self) {
        self.input = None;
    }

    async fn read(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).await.expect("text");
        let message = |line: &str| serde_json::from_str(line).expect("a line is a message");
        (read > 0).then(|| message(&line))
    }

    /// The next message; `None` at the end.
    pub async fn next(&mut self) -> Option<Value> {
        match self.aside.pop_front() {
            Some(message) => Some(message),
            None => self.read().await,
        }
    }

    /// The next message that fits; others wait.
    pub async fn until(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        if let Some(at) = self.aside.iter().position(&mut fits) {
            return self.aside.remove(at).expect("found");
        }
        loop {
            let message = self.read().await.expect("it comes before the end");
            if fits(&message) {
                return message;
            }
            self.aside.push_back(message);
        }
    }

    /// The answer to a request.
    pub async fn answer(&mut self, id: u64) -> Value {
        let of = |message: &Value| message["id"] == id && message.get("method").is_none();
        self.until(of).await
    }

    /// Calls something that must succeed.
    pub async fn call(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.ask(id, method, params).await;
        let answer = self.answer(id).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Calls something that must be refused, and says the number and the code.
    pub async fn refused(&mut self, id: u64, method: &str, params: Value) -> (i64, String) {
        self.ask(id, method, params).await;
        error(&self.answer(id).await)
    }

    /// The next notification of this name: its parameters.
    pub async fn note(&mut self, method: &str) -> Value {
        self.until(|message| message["method"] == method).await["params"].clone()
    }

    /// The next event of a subscription.
    pub async fn event(&mut self) -> Value {
        self.note("event").await["event"].clone()
    }
}

/// The number and the code of an error.
pub fn error(answer: &Value) -> (i64, String) {
    let error = &answer["error"];
    let code = error["data"]["code"].as_str().unwrap_or_default();
    (error["code"].as_i64().unwrap_or_default(), code.to_owned())
}
