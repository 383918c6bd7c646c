//! Where sinks do not go by themselves: what is inside.

use crate::kit::{MailServer, Outbox, Receiver, answer, failure, route, sending};
use serde_json::json;

#[tokio::test]
async fn an_inner_address_is_refused_in_every_spelling() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let port = receiver.address.port();
    let outbox = Outbox::new();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7F.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "%31%32%37.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "168.63.129.16",
    ] {
        let url = format!("http://{host}:{port}/T0123456789abcdef");
        let route = route(&json!({ "kind": "webhook", "url": url }));
        let failure = failure(outbox.attempt(&route, sending("a")).await);
        assert!(
            failure.reason.contains("is not public"),
            "{host}: {failure:?}"
        );
        assert!(failure.hopeless, "{host}: {failure:?}");
        assert!(
            !failure.reason.contains("T0123456789"),
            "{host}: {failure:?}"
        );
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_but_may_lead_outside_again() {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new();
    for host in ["localhost", "LOCALHOST", "localhost."] {
        let url = format!("http://{host}:{}/", receiver.address.port());
        let route = route(&json!({ "kind": "webhook", "url": url }));
        let failure = failure(outbox.attempt(&route, sending("a")).await);
        assert!(!failure.hopeless && failure.status.is_none(), "{failure:?}");
    }
    assert!(receiver.requests().is_empty());

    let url = format!("http://localhost:{}/", receiver.address.port());
    let open = route(&json!({ "kind": "webhook", "url": url, "allow_private": true }));
    outbox.attempt(&open, sending("a")).await;
    assert_eq!(receiver.count("a"), 1, "allowed, it is sent");
}

#[tokio::test]
async fn a_mail_server_inside_is_refused_in_every_spelling() {
    let server = MailServer::start(Vec::new());
    let outbox = Outbox::new();
    for (host, hopeless) in [
        ("127.0.0.1", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("localhost", false),
        ("2130706433", false),
        ("127.1", false),
    ] {
        let route = route(&json!({
            "kind": "email", "server": format!("smtp://{host}:{}", server.port()),
            "from": "mob@example.org", "to": ["ops@example.org"],
        }));
        let failure = failure(outbox.attempt(&route, sending("a")).await);
        assert_eq!(failure.hopeless, hopeless, "{host}: {failure:?}");
    }
    assert!(server.heard().is_empty());
}
