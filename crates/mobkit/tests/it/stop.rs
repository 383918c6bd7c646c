//! Serving, and ending it.

use crate::kit::{builder, echo, send};
use mobkit::lifecycle::Phase;
use mobkit::{Access, MemoryStore};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn an_open_stream_never_holds_the_process() {
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(""), &store).start().await.expect("started");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = mob.run(listener, Access::operator_token("t"), async {
        let _ = stopped.await;
    });
    let reading = async {
        let mut stream = tokio::net::TcpStream::connect(address)
            .await
            .expect("connected");
        let request = format!(
            "GET /api/v1/events?after=0&follow=true HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: Bearer t\r\nAccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut seen = String::new();
        let mut buffer = [0_u8; 4096];
        let mut stop = Some(stop);
        loop {
            let read = stream.read(&mut buffer).await.expect("read");
            if read == 0 {
                return seen;
            }
            seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
            if seen.contains("runtime.ready")
                && let Some(stop) = stop.take()
            {
                stop.send(()).expect("the run listens");
            }
        }
    };
    let (report, seen) = tokio::join!(serving, reading);
    assert_eq!(report.serve, None);
    assert!(report.shutdown.is_orderly(), "{report:?}");
    let (stopped, last) = (seen.find("runtime.stopped"), seen.find("runtime.stopping"));
    assert!(stopped.is_some() && stopped < last, "{seen}");
    assert!(mob.engine().tasks().live().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_takes_too_long_is_put_aside_and_goes_on_at_the_next_start() {
    let script = "[[rules]]\nwhen = { text = \"slow\" }\ndelay = \"60s\"\nsay = \"done\"\n";
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(script), &store)
        .drain_timeout_ms(1_000)
        .start()
        .await
        .expect("started");
    let message = send(&mob, "echo", "slow").await;
    let report = mob.shutdown().await;
    assert_eq!(report.state, Phase::Stopped);
    assert!(report.drain.timed_out);
    assert_eq!(
        (report.drain.turns_finished, report.drain.turns_checkpointed),
        (0, 1)
    );
    assert!(report.is_orderly(), "{report:?}");

    let reopened = Arc::new(store.reopen());
    let mob = builder(echo(script), &reopened)
        .start()
        .await
        .expect("started");
    let turn = crate::kit::ended(&mob, message).await;
    assert_eq!(crate::kit::text_of(&turn), "done");
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_others_are_served() {
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(""), &store).start().await.expect("started");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("bound");
    let serving = mob.serve(listener, Access::operator_token("t"));
    let asking = async {
        let long = format!("GET / HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
        let health =
            format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut answers = Vec::new();
        for request in [long, health] {
            let mut stream = tokio::net::TcpStream::connect(address)
                .await
                .expect("connected");
            // The server may hang up before it has read everything.
            let _ = stream.write_all(request.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answers.push(String::from_utf8_lossy(&answer).into_owned());
        }
        mob.shutdown().await;
        answers
    };
    let (served, answers) = tokio::join!(serving, asking);
    assert!(served.is_ok());
    assert!(!answers[0].contains("200 OK"), "{}", answers[0]);
    assert!(answers[1].starts_with("HTTP/1.1 200 OK"), "{}", answers[1]);
}
