use super::JsonLines;
use crate::client::{Call, Client, ClientError, Host, Limits};
use async_trait::async_trait;
use mobkit_domain::id::CallId;
use mobkit_engine::Tasks;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Heard {
    fn note(&self, text: String) {
        self.0.lock().expect("not poisoned").push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl Host for Heard {
    async fn elicit(&self, _call: CallId, _message: String, _schema: Value) -> Option<Value> {
        None
    }

    fn progress(&self, call: CallId, message: String) {
        self.note(format!("progress of {call}: {message}"));
    }

    fn said(&self, event: Value) {
        self.note(format!("event {event}"));
    }

    fn tools_changed(&self) {}

    fn stray(&self, line: String) {
        self.note(format!("stray {line}"));
    }
}

/// A module that says what a test says.
struct Module {
    client: Arc<JsonLines>,
    heard: Arc<Heard>,
    reads: Lines<BufReader<DuplexStream>>,
    writes: DuplexStream,
    tasks: Tasks,
}

impl Module {
    fn new(limits: Limits) -> Self {
        let (stdin, reads) = tokio::io::duplex(1024);
        let (writes, stdout) = tokio::io::duplex(1024);
        let heard = Arc::new(Heard::default());
        let tasks = Tasks::new();
        let host = Arc::clone(&heard) as Arc<dyn Host>;
        Self {
            client: Arc::new(JsonLines::connect(stdin, stdout, host, limits, &tasks)),
            heard,
            reads: BufReader::new(reads).lines(),
            writes,
            tasks,
        }
    }

    async fn read(&mut self) -> Option<Value> {
        let line = self.reads.next_line().await.expect("readable")?;
        Some(serde_json::from_str(&line).expect("a line is JSON"))
    }

    async fn says(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.writes
            .write_all(line.as_bytes())
            .await
            .expect("written");
    }

    fn calls(&self, reply: u64) -> tokio::task::JoinHandle<Option<Result<String, ClientError>>> {
        let client = Arc::clone(&self.client);
        let kind = mobkit_engine::TaskKind {
            name: "call",
            on_stop: mobkit_engine::OnStop::Abort,
            on_error: mobkit_engine::OnError::Report,
        };
        self.tasks
            .spawn(kind, async move { client.call(call(reply)).await })
    }
}

fn call(reply: u64) -> Call {
    Call {
        id: CallId { reply, index: 1 },
        tool: "fetch".to_owned(),
        args: json!({ "url": "x" }),
    }
}

async fn ended(
    call: tokio::task::JoinHandle<Option<Result<String, ClientError>>>,
) -> Result<String, ClientError> {
    call.await.expect("joined").expect("it did not panic")
}

#[tokio::test(start_paused = true)]
async fn calls_run_side_by_side_by_their_ids() {
    let mut module = Module::new(Limits::default());
    let (first, second) = (module.calls(12), module.calls(13));
    let mut asked = vec![module.read().await, module.read().await];
    asked.sort_by_key(|line| line.as_ref().map(ToString::to_string));
    let line = |id: &str| json!({ "id": id, "tool": "fetch", "args": { "url": "x" } });
    assert_eq!(asked, [Some(line("call-12-1")), Some(line("call-13-1"))]);
    module.says(r#"{"id":"call-13-1","progress":"half"}"#).await;
    module.says(r#"{"event":{"kind":"tick"}}"#).await;
    module
        .says(r#"{"id":"call-13-1","result":{ "a": [1] }}"#)
        .await;
    module
        .says(r#"{"id":"call-12-1","error":"no such page"}"#)
        .await;
    assert_eq!(ended(second).await, Ok(r#"{"a":[1]}"#.to_owned()));
    assert_eq!(
        ended(first).await,
        Err(ClientError::Failed("no such page".to_owned()))
    );
    assert_eq!(
        module.heard.all(),
        ["progress of call-13-1: half", r#"event {"kind":"tick"}"#]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_cancelled_at_the_module() {
    let mut module = Module::new(Limits::default());
    let call = module.calls(12);
    module.read().await.expect("the call");
    call.abort();
    assert_eq!(
        module.read().await,
        Some(json!({ "id": "call-12-1", "cancel": true }))
    );
    // Its answer was on the way already, which is no mistake.
    module.says(r#"{"id":"call-12-1","result":"late"}"#).await;
    let next = module.calls(13);
    module.read().await.expect("the next call");
    module.says(r#"{"id":"call-13-1","result":"ok"}"#).await;
    assert_eq!(ended(next).await, Ok("ok".to_owned()));
    assert_eq!(module.heard.all(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn tools_and_signs_of_life_are_asked_for() {
    let mut module = Module::new(Limits::default());
    let client = Arc::clone(&module.client);
    let module_says = async {
        assert_eq!(
            module.read().await,
            Some(json!({ "id": "tools", "list": "tools" }))
        );
        module
            .says(r#"{"id":"tools","result":{"tools":[{"name":"fetch"}]}}"#)
            .await;
        assert_eq!(
            module.read().await,
            Some(json!({ "id": "probe-1", "ping": true }))
        );
        module.says(r#"{"id":"probe-1","error":"what?"}"#).await;
        assert_eq!(
            module.read().await,
            Some(json!({ "id": "tools-2", "list": "tools" }))
        );
        module.says(r#"{"id":"tools-2","result":[]}"#).await;
    };
    let asked = async {
        (
            client.tools().await,
            client.probe().await,
            client.tools().await,
        )
    };
    let ((tools, probe, again), ()) = tokio::join!(asked, module_says);
    assert_eq!(tools.expect("listed")[0].name, "fetch");
    assert_eq!(probe, Ok(()));
    assert!(matches!(again, Err(ClientError::Broken(_))));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_output_ends_every_call_and_what_was_answered_stays_answered() {
    let mut module = Module::new(Limits::default());
    let (first, second) = (module.calls(12), module.calls(13));
    module.read().await.expect("a call");
    module.read().await.expect("a call");
    module.says(r#"{"id":"call-12-1","result":"ok"}"#).await;
    drop(module.writes);
    assert_eq!(ended(first).await, Ok("ok".to_owned()));
    assert_eq!(ended(second).await, Err(ClientError::Closed));
    assert_eq!(module.client.closed().await, ClientError::Closed);
    assert_eq!(module.client.call(call(14)).await, Err(ClientError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_close_ends_the_input_of_the_module() {
    let mut module = Module::new(Limits::default());
    module.client.close().await;
    assert_eq!(module.read().await, None);
    let mut dropped = Module::new(Limits::default());
    drop(dropped.client);
    assert!(dropped.reads.next_line().await.expect("readable").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_too_long_breaks_the_conversation() {
    let limits = Limits {
        line_bytes_max: 2 * 1024 * 1024,
        ..Limits::default()
    };
    let mut module = Module::new(limits);
    let call = module.calls(12);
    module.read().await.expect("the call");
    let fits = format!(
        r#"{{"id":"call-12-1","result":"{}"}}"#,
        "x".repeat(2 * 1024 * 1024 - 40)
    );
    module.says(&fits).await;
    assert_eq!(
        ended(call).await.expect("an answer").len(),
        2 * 1024 * 1024 - 40
    );
    let flood = vec![b'x'; 3 * 1024 * 1024];
    // Not all of it is read.
    let writing = module.writes.write_all(&flood);
    let over = module.client.closed();
    let why = tokio::select! {
        why = over => why,
        written = writing => panic!("the whole flood was read: {written:?}"),
    };
    assert_eq!(
        why,
        ClientError::Broken("wrote a line over 2 MiB".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn some_stray_lines_are_shown_and_too_many_break_the_conversation() {
    let limits = Limits {
        unexpected_lines_max: 2,
        ..Limits::default()
    };
    let mut module = Module::new(limits);
    for line in ["starting up", "", r#"{"id":"call-9-9","result":1}"#] {
        module.says(line).await;
    }
    let call = module.calls(12);
    module.read().await.expect("the call");
    module.says(r#"{"id":"call-12-1","result":"ok"}"#).await;
    assert_eq!(ended(call).await, Ok("ok".to_owned()));
    let shown = ["stray starting up", r#"stray {"id":"call-9-9","result":1}"#];
    assert_eq!(module.heard.all(), shown);
    module.says("one more").await;
    let why = module.client.closed().await;
    let text = "wrote more than 2 lines that are no part of the protocol";
    assert_eq!(why, ClientError::Broken(text.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_does_not_read_holds_up_nobody_who_gives_up() {
    let module = Module::new(Limits::default());
    let waiting: Vec<_> = (0..200).map(|reply| module.calls(reply + 1)).collect();
    let patience = std::time::Duration::from_secs(5);
    let probe = tokio::time::timeout(patience, module.client.probe());
    assert!(probe.await.is_err());
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    module.client.close().await;
}
