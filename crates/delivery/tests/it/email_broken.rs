//! Mail servers that break off, talk nonsense or say nothing: what is known then, and what is not.

use crate::kit::{MailServer, Outbox, Turn, failure, route, sending};
use mobkit_delivery::Sent;
use mobkit_domain::definition::Route;
use serde_json::json;

fn mail(server: &MailServer) -> Route {
    route(&json!({
        "kind": "email", "server": format!("smtp://{}", server.address()),
        "from": "mob@example.org", "to": ["ops@example.org"], "allow_private": true,
    }))
}

async fn outcome(rules: Vec<(&'static str, Turn)>) -> Sent {
    let server = MailServer::start(rules);
    Outbox::new().attempt(&mail(&server), sending("a")).await
}

/// The outcome where the server falls silent; the time after it is virtual.
async fn silence(at: &'static str) -> Sent {
    let server = MailServer::start(vec![(at, Turn::Hold)]);
    let outbox = Outbox::new();
    let route = mail(&server);
    let (sent, ()) = tokio::join!(outbox.attempt(&route, sending("a")), async {
        server.held().await;
        tokio::time::pause();
    });
    sent
}

#[tokio::test]
async fn before_the_message_is_out_everything_that_breaks_is_a_failure() {
    for at in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"] {
        for turn in [
            Turn::Break(""),
            Turn::Say("what do you want\r\n"),
            Turn::Say("\u{fffd}\r\n"),
        ] {
            let failure = failure(outcome(vec![(at, turn)]).await);
            assert!(
                !failure.hopeless && failure.status.is_none(),
                "{at} {turn:?}: {failure:?}"
            );
            assert!(failure.reason.starts_with("127.0.0.1"), "{failure:?}");
        }
    }
    let failure = failure(outcome(vec![("DATA", Turn::Say("250 ok\r\n"))]).await);
    assert!(failure.reason.contains("DATA"), "{failure:?}");
}

#[tokio::test]
async fn a_message_that_did_not_leave_whole_is_a_failure() {
    let server = MailServer::start(vec![("DATA", Turn::Choke)]);
    let mut long = sending("a");
    long.payload = json!({ "text": "long lines and many\n".repeat(500_000) });
    let failure = failure(Outbox::new().attempt(&mail(&server), long).await);
    assert!(
        failure.reason.contains("the message") && !failure.hopeless,
        "{failure:?}"
    );
}

#[tokio::test]
async fn after_the_message_is_out_nobody_knows_what_a_broken_line_means() {
    for turn in [
        Turn::Break(""),
        Turn::Say("what do you want\r\n"),
        Turn::Break("250-half an ans"),
        Turn::Say("354 go on\r\n"),
    ] {
        let server = MailServer::start(vec![("MESSAGE", turn)]);
        let sent = Outbox::new().attempt(&mail(&server), sending("a")).await;
        let Sent::Unknown { reason } = sent else {
            panic!("nobody knows: {turn:?} {sent:?}");
        };
        assert!(reason.starts_with("127.0.0.1"), "{reason}");
        assert_eq!(server.messages().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_before_the_message_is_left() {
    for at in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"] {
        let failure = failure(silence(at).await);
        assert!(failure.reason.contains("within 60 s"), "{at}: {failure:?}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_after_the_message_may_have_it() {
    let sent = silence("MESSAGE").await;
    let Sent::Unknown { reason } = sent else {
        panic!("nobody knows: {sent:?}");
    };
    assert!(reason.contains("did not say in time"), "{reason}");
}

#[tokio::test]
async fn where_no_server_listens_nothing_is_sent() {
    let route = mail(&MailServer::start(Vec::new()));
    let failure = failure(Outbox::new().attempt(&route, sending("a")).await);
    assert!(failure.reason.contains("can't be reached"), "{failure:?}");
}
