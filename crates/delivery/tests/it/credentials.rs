//! When keys are read, and what happens when one is missing, wrong or replaced.

use crate::kit::{Outbox, Receiver, answer, failure, route, sending};
use mobkit_delivery::Sent;
use mobkit_domain::definition::Route;
use serde_json::json;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn hook(receiver: &Receiver, path: &str) -> Route {
    route(&json!({
        "kind": "webhook", "url": receiver.url(path), "allow_private": true,
        "headers": { "Authorization": { "secret": { "env": "TOKEN" } } },
    }))
}

#[tokio::test]
async fn a_key_is_read_once_and_again_when_it_is_refused_or_its_route_changes() {
    let receiver = Receiver::start(vec![
        answer("200 OK", ""),
        answer("200 OK", ""),
        answer("401 Unauthorized", ""),
        answer("200 OK", ""),
        answer("403 Forbidden", ""),
        answer("500 Internal Server Error", ""),
        answer("200 OK", ""),
    ]);
    let outbox = Outbox::new().with("TOKEN", "the first one");
    let route = hook(&receiver, "/");
    for reads in [1, 1] {
        outbox.attempt(&route, sending("a")).await;
        assert_eq!(outbox.reads(), reads);
    }
    outbox.put("TOKEN", "the second one");
    let refused = failure(outbox.attempt(&route, sending("b")).await);
    assert!(
        refused.status == Some(401) && !refused.hopeless,
        "{refused:?}"
    );
    for _ in 0..2 {
        outbox.attempt(&route, sending("b")).await;
        assert_eq!(outbox.reads(), 2, "after a refusal it is read anew, once");
    }
    outbox.attempt(&route, sending("b")).await;
    assert_eq!(outbox.reads(), 3, "403 is a refusal as well");
    outbox.attempt(&route, sending("b")).await;
    assert_eq!(outbox.reads(), 3, "500 is none");
    outbox
        .attempt(&hook(&receiver, "/elsewhere"), sending("b"))
        .await;
    assert_eq!(outbox.reads(), 4, "a changed route has a new sink");
    outbox.sinks.forget(&route.id);
    outbox
        .attempt(&hook(&receiver, "/elsewhere"), sending("b"))
        .await;
    assert_eq!(outbox.reads(), 5, "a forgotten one as well");

    let requests = receiver.requests();
    let tokens = requests
        .iter()
        .map(|request| request.headers["authorization"].as_str());
    let (first, second) = ("the first one", "the second one");
    let expected = [vec![first; 3], vec![second; 6]].concat();
    assert_eq!(tokens.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn attempts_side_by_side_share_one_sink() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new().with("TOKEN", "the only one");
    let route = hook(&receiver, "/");
    let attempts = (0..20).map(|_| outbox.attempt(&route, sending("a")));
    for sent in futures::future::join_all(attempts).await {
        assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    }
    assert_eq!(outbox.reads(), 1);
    assert_eq!(receiver.count("a"), 20);
}

#[tokio::test]
async fn a_missing_or_broken_key_is_named_and_mended_without_a_restart() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new();
    let route = route(&json!({
        "kind": "webhook", "url": receiver.url("/"), "allow_private": true,
        "secret": { "env": "KEY" },
    }));
    let missing = failure(outbox.attempt(&route, sending("a")).await);
    assert!(
        missing.reason.contains("variable KEY is not set"),
        "{missing:?}"
    );
    assert!(!missing.hopeless);
    for broken in [
        "hunter2hunter2",
        "whsec_c2hvcnQ=",
        "whsk_aGFsZg==",
        " ",
        "whsec_!!",
    ] {
        outbox.put("KEY", broken);
        let failure = failure(outbox.attempt(&route, sending("a")).await);
        assert!(
            !failure.hopeless && failure.reason.contains("secret"),
            "{failure:?}"
        );
        assert!(
            broken == " " || !failure.reason.contains(broken),
            "{failure:?}"
        );
    }
    assert!(receiver.requests().is_empty());
    outbox.put("KEY", KEY);
    let sent = outbox.attempt(&route, sending("a")).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
}

#[tokio::test]
async fn a_header_whose_secret_has_a_line_end_is_not_sent() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new().with("TOKEN", "hunter2\r\nX-Admin: yes");
    let failure = failure(outbox.attempt(&hook(&receiver, "/"), sending("a")).await);
    assert!(failure.reason.contains("Authorization"), "{failure:?}");
    assert!(!failure.reason.contains("hunter2"), "{failure:?}");
    assert!(receiver.requests().is_empty());
}
