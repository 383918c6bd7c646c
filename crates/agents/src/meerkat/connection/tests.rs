use super::*;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, Lines, ReadHalf, WriteHalf};
use tokio::io::{BufReader, DuplexStream};

/// Keeps what it hears; takes no more than so much.
struct Ears {
    heard: Mutex<Vec<String>>,
    most: usize,
}

impl Ears {
    fn note(&self, what: String) -> Result<(), Flooded> {
        let mut heard = self.heard.lock().expect("not poisoned");
        heard.push(what);
        if heard.len() > self.most {
            Err(Flooded)
        } else {
            Ok(())
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("not poisoned").clone()
    }
}

impl Listener for Ears {
    fn notification(&self, method: &str, params: Value) -> Result<(), Flooded> {
        self.note(format!("{method} {params}"))
    }

    fn call(&self, id: String, method: &str, params: Value) -> Result<(), Flooded> {
        self.note(format!("{id}: {method} {params}"))
    }

    fn closed(&self, reason: &str) {
        // Whatever the bound, the end is heard.
        let _ = self.note(format!("closed: {reason}"));
    }
}

/// The other side of a connection.
struct Peer {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    output: WriteHalf<DuplexStream>,
}

impl Peer {
    async fn read(&mut self) -> Value {
        let line = self.lines.next_line().await.expect("readable");
        serde_json::from_str(&line.expect("a line")).expect("JSON")
    }

    async fn write(&mut self, text: &str) {
        self.output
            .write_all(text.as_bytes())
            .await
            .expect("written");
    }

    async fn say(&mut self, line: Value) {
        self.write(&format!("{line}\n")).await;
    }
}

fn connected(most: usize) -> (Connection, Peer, Arc<Ears>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (output, input) = tokio::io::split(ours);
    let ears = Arc::new(Ears {
        heard: Mutex::default(),
        most,
    });
    let listener = Arc::clone(&ears);
    let connection = Connection::over(input, output, listener, &Tasks::new());
    let (read, output) = tokio::io::split(theirs);
    let lines = BufReader::new(read).lines();
    (connection, Peer { lines, output }, ears)
}

fn closed(error: &str) -> Result<Value, RequestError> {
    Err(RequestError::Closed(error.to_owned()))
}

#[tokio::test]
async fn answers_find_who_asked_in_whatever_order_they_come() {
    let (connection, mut peer, _) = connected(10);
    let first = connection.request("one", json!({}));
    let second = connection.request("two", json!({"x": 1}));
    let answering = async {
        let (one, two) = (peer.read().await, peer.read().await);
        assert_eq!(one["jsonrpc"], "2.0");
        assert_eq!(
            (&one["method"], &two["method"]),
            (&json!("one"), &json!("two"))
        );
        assert_eq!(two["params"], json!({"x": 1}));
        let refused = json!({"code": -32_602, "message": "no such mob", "data": {"a": 1}});
        peer.say(json!({"jsonrpc": "2.0", "id": two["id"], "error": refused}))
            .await;
        // Answers that nobody waits for are passed over.
        peer.say(json!({"jsonrpc": "2.0", "id": 999, "result": 1}))
            .await;
        peer.say(json!({"jsonrpc": "2.0", "id": "x", "result": 1}))
            .await;
        peer.say(json!({"jsonrpc": "2.0", "id": one["id"], "result": "done"}))
            .await;
    };
    let (first, second, ()) = tokio::join!(first, second, answering);
    assert_eq!(first, Ok(json!("done")));
    let refused = RequestError::Refused {
        code: -32_602,
        message: "no such mob".to_owned(),
        data: Some(json!({"a": 1})),
    };
    assert_eq!(second, Err(refused));
}

#[tokio::test]
async fn what_is_no_answer_is_heard_in_its_order_and_calls_are_answered_by_their_id() {
    let (connection, mut peer, ears) = connected(10);
    let asking = connection.request("mob/stream_open", json!({}));
    let answering = async {
        let asked = peer.read().await;
        peer.say(json!({"jsonrpc": "2.0", "method": "mob/stream_event", "params": {"n": 1}}))
            .await;
        let call = json!({"jsonrpc": "2.0", "id": "srv-0", "method": "tool/execute", "params": 2});
        peer.say(call).await;
        peer.write("\n  \n").await;
        peer.say(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}}))
            .await;
    };
    let (asked, ()) = tokio::join!(asking, answering);
    assert_eq!(asked, Ok(json!({})));
    let wanted = ["mob/stream_event {\"n\":1}", "srv-0: tool/execute 2"];
    assert_eq!(ears.heard(), wanted);
    connection.answer("srv-0", Ok(json!({"content": "x"})));
    connection.answer("srv-1", Err("no such tool".to_owned()));
    connection.notify("initialized", &json!({}));
    let answer = peer.read().await;
    assert_eq!(
        (&answer["id"], &answer["result"]),
        (&json!("srv-0"), &json!({"content": "x"}))
    );
    let answer = peer.read().await;
    assert_eq!(answer["error"]["message"], "no such tool");
    assert_eq!(peer.read().await.get("id"), None);
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_forgotten() {
    let (connection, mut peer, _) = connected(10);
    let dropped = tokio::select! {
        biased;
        _ = connection.request("slow", json!({})) => panic!("not answered yet"),
        line = peer.read() => line,
    };
    let next = connection.request("next", json!({}));
    let answering = async {
        let asked = peer.read().await;
        peer.say(json!({"jsonrpc": "2.0", "id": dropped["id"], "result": "late"}))
            .await;
        peer.say(json!({"jsonrpc": "2.0", "id": asked["id"], "result": "mine"}))
            .await;
    };
    assert_eq!(tokio::join!(next, answering).0, Ok(json!("mine")));
}

#[tokio::test]
async fn a_line_that_breaks_the_protocol_breaks_the_connection() {
    let table = [
        ("oops {\n", "wrote a line that is not JSON: \"oops {\""),
        ("[1]\n", "wrote a line that is no JSON object: \"[1]\""),
        ("{\"id\":1}\n", "wrote a line that is not JSON-RPC 2.0: "),
        (
            "{\"jsonrpc\":\"2.0\"}\n",
            "wrote a line with neither id nor method: ",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1}\n",
            "wrote an answer that has not one result or error: ",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"method\":3}\n",
            "wrote a method that is no text: ",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"a\"}\n",
            "asks under an id that is no text: ",
        ),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"bad\"}}\n",
            "could not read what it was sent: bad (-32700)",
        ),
    ];
    for (line, reason) in table {
        let (connection, mut peer, ears) = connected(10);
        let asking = connection.request("any", json!({}));
        let (asked, ()) = tokio::join!(asking, peer.write(line));
        let Err(RequestError::Closed(why)) = asked else {
            panic!("{line}: {asked:?}");
        };
        assert!(why.starts_with(reason), "{line}: {why}");
        assert!(connection.is_broken());
        assert_eq!(connection.request("more", json!({})).await, closed(&why));
        while ears.heard().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ears.heard(), [format!("closed: {why}")]);
    }
}

#[tokio::test]
async fn of_a_long_broken_line_the_beginning_is_quoted() {
    let (connection, mut peer, _) = connected(10);
    peer.write(&format!("{}\n", "ä".repeat(5_000))).await;
    connection.closed().cancelled().await;
    let quoted = format!("wrote a line that is not JSON: \"{}\" […]", "ä".repeat(200));
    assert_eq!(connection.reason(), quoted);
}

#[tokio::test]
async fn a_line_without_an_end_is_not_kept_for_ever() {
    let (connection, mut peer, _) = connected(10);
    let chunk = "x".repeat(1024 * 1024);
    let writing = async {
        for _ in 0..=65 {
            if peer.output.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = connection.closed().cancelled() => {}
        () = writing => {}
    }
    assert_eq!(connection.reason(), "wrote a line over 64 MiB");
}

#[tokio::test]
async fn an_end_in_the_middle_leaves_nobody_waiting() {
    let (connection, mut peer, _) = connected(10);
    let asking = connection.request("any", json!({}));
    let ending = async {
        let id = peer.read().await["id"].clone();
        peer.write(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"res"))
            .await;
        drop(peer);
    };
    let (asked, ()) = tokio::join!(asking, ending);
    assert_eq!(asked, closed("has closed its output within a line"));
    assert!(!connection.is_broken());
}

#[tokio::test]
async fn a_flood_breaks_the_connection() {
    let (connection, mut peer, ears) = connected(3);
    for n in 0..5 {
        peer.say(json!({"jsonrpc": "2.0", "method": "m", "params": n}))
            .await;
    }
    connection.closed().cancelled().await;
    assert_eq!(
        connection.reason(),
        "floods: more than 65536 lines wait to be heard"
    );
    assert_eq!(ears.heard()[..4], ["m 0", "m 1", "m 2", "m 3"]);
}

#[tokio::test]
async fn who_does_not_read_is_not_waited_for() {
    let (connection, _peer, _) = connected(3);
    let text = json!("x".repeat(1024));
    // One after the other without a pause, so that nothing is written in between.
    for _ in 0..=OUTGOING_MAX {
        connection.notify("any", &text);
    }
    assert_eq!(connection.reason(), "does not read what it is sent");
    assert!(connection.is_broken());
}

#[tokio::test]
async fn a_closed_input_lets_answers_come() {
    let (connection, mut peer, _) = connected(3);
    let asking = connection.request("last", json!({}));
    let answering = async {
        let asked = peer.read().await;
        connection.close_input();
        assert_eq!(peer.lines.next_line().await.expect("readable"), None);
        peer.say(json!({"jsonrpc": "2.0", "id": asked["id"], "result": 1}))
            .await;
    };
    assert_eq!(tokio::join!(asking, answering).0, Ok(json!(1)));
}
