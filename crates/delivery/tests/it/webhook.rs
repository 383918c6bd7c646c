//! What a webhook says, and what its receiver's answers mean.

use crate::kit::{Outbox, Receiver, Reply, answer, failure, route, sending};
use mobkit_delivery::{Sent, is_idempotent};
use mobkit_domain::definition::Route;
use mobkit_domain::time::Time;
use serde_json::{Value, json};

fn hook(receiver: &Receiver, path: &str) -> Route {
    route(&json!({ "kind": "webhook", "url": receiver.url(path), "allow_private": true }))
}

#[tokio::test]
async fn a_delivery_is_one_signed_request() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new().with("KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let route = route(&json!({
        "kind": "webhook", "url": receiver.url("/in?from=mob"), "allow_private": true,
        "secret": { "env": "KEY" },
        "headers": { "X-Desk": { "text": "news" }, "Content-Type": { "text": "text/json" } },
    }));
    let mut first = sending("news:dlv-7");
    first.payload = json!({ "wort": "grüß", "n": 7 });
    first.now = Time::parse("2026-11-22T06:00:00.999Z").expect("a time");
    let sent = outbox.attempt(&route, first.clone()).await;
    let ok = Sent::Delivered {
        status: Some(200),
        excerpt: Some("ok".to_owned()),
    };
    assert_eq!(sent, ok);
    first.now = first.now.plus_ms(1_000);
    outbox.attempt(&route, first).await;

    let requests = receiver.requests();
    let [one, two] = requests.as_slice() else {
        panic!("two requests: {requests:?}");
    };
    assert_eq!(one.line, "POST /in?from=mob HTTP/1.1");
    let body: Value = serde_json::from_slice(&one.body).expect("JSON");
    assert_eq!(body, json!({ "wort": "grüß", "n": 7 }));
    for (name, value) in [
        ("webhook-id", "news:dlv-7"),
        ("webhook-timestamp", "1795327200"),
        ("x-desk", "news"),
        ("content-type", "text/json"),
        ("user-agent", concat!("mobkit/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(one.headers[name], value, "{name}");
    }
    assert!(one.headers["webhook-signature"].starts_with("v1,"));
    assert_eq!(two.headers["webhook-id"], "news:dlv-7");
    assert_eq!(two.headers["webhook-timestamp"], "1795327201");
    assert_ne!(
        two.headers["webhook-signature"],
        one.headers["webhook-signature"]
    );
    assert_eq!(receiver.count("news:dlv-7"), 2);
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let receiver = Receiver::start(vec![answer("204 No Content", "")]);
    let outbox = Outbox::new();
    let sent = outbox.attempt(&hook(&receiver, "/"), sending("a")).await;
    assert!(
        matches!(
            sent,
            Sent::Delivered {
                status: Some(204),
                ..
            }
        ),
        "{sent:?}"
    );
    assert!(
        !receiver.requests()[0]
            .headers
            .contains_key("webhook-signature")
    );
    assert_eq!(
        receiver.requests()[0].headers["content-type"],
        "application/json"
    );
}

#[tokio::test]
async fn every_2xx_is_a_receipt_and_nothing_else_is() {
    let outbox = Outbox::new();
    for (status, delivered) in [
        ("200 OK", true),
        ("201 Created", true),
        ("202 Accepted", true),
        ("299 Whatever", true),
        ("304 Not Modified", false),
        ("400 Bad Request", false),
        ("404 Not Found", false),
        ("422 Unprocessable Content", false),
        ("500 Internal Server Error", false),
        ("503 Service Unavailable", false),
        ("999 Nonsense", false),
    ] {
        let receiver = Receiver::start(vec![answer(status, "")]);
        let sent = outbox.attempt(&hook(&receiver, "/"), sending("a")).await;
        let number = status[..3].parse().ok();
        match sent {
            Sent::Delivered { status, .. } => assert!(delivered && status == number, "{status:?}"),
            Sent::Failed(failure) => {
                assert!(
                    !delivered && failure.status == number,
                    "{status}: {failure:?}"
                );
                assert!(failure.reason.contains(&status[..3]), "{failure:?}");
                assert!(!failure.hopeless && !failure.gone, "{failure:?}");
            }
            Sent::Unknown { reason } => panic!("{status}: {reason}"),
        }
        assert_eq!(
            receiver.count("a"),
            1,
            "{status}: one attempt is one request"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_follows_it() {
    let other = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new();
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Moved",
        "308 Moved",
    ] {
        let location = format!("Location: {}\r\n", other.url("/token-0123456789abcdef"));
        let receiver = Receiver::start(vec![answer(status, &location)]);
        let failure = failure(outbox.attempt(&hook(&receiver, "/"), sending("a")).await);
        assert_eq!(failure.status, status[..3].parse().ok());
        assert!(
            failure.reason.contains("redirects are not followed"),
            "{failure:?}"
        );
        assert!(!format!("{failure:?}").contains("token"), "{failure:?}");
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_gone_and_one_that_wants_to_be_left_alone_are_heard() {
    let outbox = Outbox::new();
    let gone = Receiver::start(vec![answer("410 Gone", "")]);
    let gone = failure(outbox.attempt(&hook(&gone, "/"), sending("a")).await);
    assert!(gone.gone && gone.status == Some(410), "{gone:?}");

    let mut late = sending("b");
    late.now = Time::parse("2026-11-22T06:00:00Z").expect("a time");
    for (status, asked, wait_ms) in [
        ("429 Too Many Requests", "120", Some(120_000)),
        (
            "503 Service Unavailable",
            "Sun, 22 Nov 2026 06:00:30 GMT",
            Some(30_000),
        ),
        (
            "503 Service Unavailable",
            "Sun, 22 Nov 2026 05:00:00 GMT",
            Some(0),
        ),
        ("429 Too Many Requests", "31536000", Some(86_400_000)),
        ("429 Too Many Requests", "soon", None),
    ] {
        let asked = format!("Retry-After: {asked}\r\n");
        let receiver = Receiver::start(vec![answer(status, &asked)]);
        let failure = failure(outbox.attempt(&hook(&receiver, "/"), late.clone()).await);
        assert_eq!(failure.retry_after_ms, wait_ms, "{asked}");
    }
}

#[tokio::test]
async fn headers_that_are_ours_and_ids_that_are_no_header_are_refused() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new();
    for name in [
        "Webhook-Id",
        "webhook-signature",
        "Content-Length",
        "transfer-encoding",
    ] {
        let route = route(&json!({
            "kind": "webhook", "url": receiver.url("/"), "allow_private": true,
            "headers": { name: { "text": "1" } },
        }));
        let failure = failure(outbox.attempt(&route, sending("a")).await);
        assert!(
            failure.hopeless && failure.reason.contains(name),
            "{failure:?}"
        );
    }
    let hook = hook(&receiver, "/");
    let failure = failure(outbox.attempt(&hook, sending("a\r\nwebhook-x: 1")).await);
    assert!(failure.hopeless, "{failure:?}");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn what_a_receiver_repeats_of_our_secrets_is_not_recorded() {
    let receiver = Receiver::start(vec![Reply::Echo("404 Not Found"), Reply::Echo("200 OK")]);
    let outbox = Outbox::new()
        .with("TOKEN", "Bearer hunter2hunter2")
        .with("KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let route = route(&json!({
        "kind": "webhook", "allow_private": true,
        "url": receiver.url("/services/T0123456789abcdef?key=k0123456789abcdef"),
        "secret": { "env": "KEY" },
        "headers": { "Authorization": { "secret": { "env": "TOKEN" } } },
    }));
    for _ in 0..2 {
        let sent = outbox.attempt(&route, sending("a")).await;
        let said = format!("{sent:?}");
        assert!(
            said.contains("[secret]") && said.contains("webhook-id: a"),
            "{said}"
        );
        for secret in ["hunter2", "T0123456789", "k0123456789", "MfKQ9r8"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
    }
    let head = &receiver.requests()[0].headers;
    assert_eq!(head["authorization"], "Bearer hunter2hunter2");
}

#[tokio::test]
async fn what_goes_to_members_and_modules_is_not_sent_from_here() {
    let member = route(&json!({ "kind": "member", "member": "editor" }));
    let module = route(&json!({ "kind": "module", "module": "search", "tool": "warm" }));
    let outbox = Outbox::new();
    for route in [&member, &module] {
        assert!(failure(outbox.attempt(route, sending("a")).await).hopeless);
        assert!(!is_idempotent(&route.sink));
    }
    let file = route(&json!({ "kind": "file", "path": "out.jsonl" }));
    let hook = route(&json!({ "kind": "webhook", "url": "https://example.org" }));
    let mail = json!({
        "kind": "email", "server": "smtp://a", "from": "a@example.org", "to": ["b@example.org"],
    });
    assert!(is_idempotent(&file.sink) && is_idempotent(&hook.sink));
    assert!(!is_idempotent(&route(&mail).sink));
}
