//! Receivers of webhooks that break off, talk nonsense, never end or say nothing.

use crate::kit::{Outbox, Receiver, Reply, failure, route, sending};
use mobkit_delivery::{SendFailure, Sent};
use mobkit_domain::definition::Route;
use serde_json::json;

fn hook(receiver: &Receiver) -> Route {
    let url = receiver.url("/services/T0123456789abcdef");
    route(&json!({ "kind": "webhook", "url": url, "allow_private": true }))
}

/// A failure that may be tried again and that names the host alone.
fn check(failure: &SendFailure) {
    assert!(failure.reason.contains("127.0.0.1"), "{failure:?}");
    assert!(!failure.reason.contains("T0123456789"), "{failure:?}");
    assert!(!failure.reason.contains("http:"), "{failure:?}");
    assert!(
        !failure.hopeless && !failure.gone && failure.status.is_none(),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_none_is_a_failure() {
    let outbox = Outbox::new();
    for said in [
        b"".to_vec(),
        b"HTTP/1.1 200 O".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_vec(),
        vec![0xff; 4_096],
        [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 1_000_000]].concat(),
    ] {
        let receiver = Receiver::start(vec![Reply::Say(said.clone())]);
        let sent = outbox.attempt(&hook(&receiver), sending("a")).await;
        check(&failure(sent));
        assert_eq!(receiver.count("a"), 1, "{:?}", said.escape_ascii());
    }
}

#[tokio::test]
async fn a_receipt_is_one_even_if_the_rest_of_the_answer_is_lost_or_has_no_end() {
    let outbox = Outbox::new();
    let head = |length: &str| format!("HTTP/1.1 200 OK\r\n{length}\r\nall is well").into_bytes();
    for reply in [
        Reply::Say(head("Content-Length: 1000\r\n")),
        Reply::Say(head("Transfer-Encoding: chunked\r\n")),
        Reply::Endless(head("")),
        Reply::Endless(head("Content-Length: 99999999999\r\n")),
    ] {
        let is_endless = matches!(reply, Reply::Endless(_));
        let receiver = Receiver::start(vec![reply]);
        let sent = outbox.attempt(&hook(&receiver), sending("a")).await;
        let Sent::Delivered { status, excerpt } = sent else {
            panic!("it has arrived: {sent:?}");
        };
        assert_eq!(status, Some(200));
        assert!(excerpt.is_none_or(|said| said.chars().count() <= 501));
        if is_endless {
            receiver.left().await;
        }
    }
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_left_after_half_a_minute() {
    let outbox = Outbox::new();
    let receiver = Receiver::start(vec![Reply::Hold(Vec::new())]);
    let route = hook(&receiver);
    let (sent, ()) = tokio::join!(outbox.attempt(&route, sending("a")), async {
        receiver.came().await;
        tokio::time::pause();
    });
    let failure = failure(sent);
    check(&failure);
    assert!(
        failure.reason.ends_with("did not answer within 30 s"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_answer_that_stalls_after_its_status_is_a_receipt() {
    let outbox = Outbox::new();
    let said = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nall is".to_vec();
    let receiver = Receiver::start(vec![Reply::Hold(said)]);
    let route = hook(&receiver);
    let sent = outbox.attempt(&route, sending("a")).await;
    let Sent::Delivered { excerpt, .. } = sent else {
        panic!("it has arrived: {sent:?}");
    };
    assert_eq!(excerpt.as_deref(), Some("all is"));
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_delivered() {
    let outbox = Outbox::new();
    let route = hook(&Receiver::start(vec![Reply::Hold(Vec::new())]));
    let failure = failure(outbox.attempt(&route, sending("a")).await);
    check(&failure);
    assert!(failure.reason.contains("can't be reached"), "{failure:?}");
}
