//! Mail as `aiosmtpd` takes it and Python reads it.

use super::receivers::Receivers;
use crate::kit::{Outbox, failure, route, sending};
use mobkit_delivery::Sent;
use mobkit_domain::definition::Route;
use mobkit_domain::time::Time;
use serde_json::{Value, json};

fn mail(server: &str, more: &Value) -> Route {
    let mut sink = json!({
        "kind": "email", "server": server, "allow_private": true,
        "from": "mob@example.org", "to": ["ops@example.org", "ada@example.com"],
    });
    let fields = sink.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    route(&sink)
}

/// The header of a message.
fn header<'m>(message: &'m Value, name: &str) -> &'m str {
    let headers = message["headers"].as_array().expect("headers");
    let mut found = headers.iter().filter(|header| header[0] == name);
    let value = found
        .next()
        .unwrap_or_else(|| panic!("no {name}: {message}"));
    assert!(found.next().is_none(), "{name} is there twice: {message}");
    value[1].as_str().expect("text")
}

#[tokio::test]
async fn mail_arrives_as_it_was_meant() {
    let mut receivers = Receivers::start();
    let outbox = Outbox::new();
    let route = mail(
        &format!("smtp://127.0.0.1:{}", receivers.port("smtp")),
        &json!({}),
    );
    let long = "ein langer Gruß mit vielen Wörtern und 🗞️ ".repeat(4);
    for (subject, text) in [
        ("Grüße aus der Redaktion", "Schöne Grüße,\n\n世界 🗞️\n"),
        (long.trim(), "plain\n.\n..\n.hidden\nFrom here\n"),
        ("a =?utf-8?q?forged?= word", "tab\there, no line end"),
        ("", ""),
        ("one line", &"x".repeat(5_000)),
        ("lines", &"ü=3D \r\n".repeat(2_000)),
        ("controls", "a\u{1}b\u{c}c\u{7f}"),
    ] {
        let mut sending = sending("news:dlv-7");
        sending.queued = Time::parse("2026-11-22T06:00:00.5Z").expect("a time");
        sending.payload = json!({ "subject": subject, "text": text });
        let sent = outbox.attempt(&route, sending).await;
        assert!(
            matches!(
                sent,
                Sent::Delivered {
                    status: Some(250),
                    ..
                }
            ),
            "{sent:?}"
        );
        let message = receivers.next().expect("a message");
        let subject = subject.replace("=?", "= ?");
        assert_eq!(header(&message, "Subject"), subject, "{message}");
        let arrived = message["text"]
            .as_str()
            .expect("text")
            .replace("\r\n", "\n");
        let expected = text.replace("\r\n", "\n");
        assert_eq!(
            arrived.trim_end_matches('\n'),
            expected.trim_end_matches('\n')
        );
        assert_eq!(message["defects"], json!([]), "{message}");
        assert_eq!(message["from"], "mob@example.org");
        assert_eq!(message["to"], json!(["ops@example.org", "ada@example.com"]));
        assert_eq!(header(&message, "From"), "mob@example.org");
        assert_eq!(header(&message, "To"), "ops@example.org, ada@example.com");
        assert_eq!(header(&message, "Date"), "Sun, 22 Nov 2026 06:00:00 +0000");
        assert_eq!(header(&message, "Message-ID"), "<news.dlv-7@example.org>");
        assert_eq!(header(&message, "Auto-Submitted"), "auto-generated");
        assert_eq!(
            (&message["tls"], &message["user"]),
            (&json!(false), &Value::Null)
        );
    }
    assert_eq!(receivers.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_server_inside_that_offers_tls_gets_mail_and_password_within_it() {
    let mut receivers = Receivers::start();
    let outbox = Outbox::new().with("PASSWORD", "hunter3");
    let server = format!("smtp://localhost:{}", receivers.port("starttls"));
    let with = json!({ "username": "mob", "password": { "env": "PASSWORD" } });
    let route = mail(&server, &with);
    let refused = failure(outbox.attempt(&route, sending("a")).await);
    assert_eq!(
        (refused.status, refused.hopeless),
        (Some(535), false),
        "{refused:?}"
    );
    outbox.put("PASSWORD", "hunter2");
    let sent = outbox.attempt(&route, sending("a")).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    let message = receivers.next().expect("a message");
    assert_eq!(
        (&message["tls"], &message["user"]),
        (&json!(true), &json!("mob"))
    );
    assert_eq!(message["hello"], "example.org");

    let nobody = failure(
        outbox
            .attempt(&mail(&server, &json!({})), sending("b"))
            .await,
    );
    assert_eq!(nobody.status, Some(530), "{nobody:?}");
    assert_eq!(receivers.rest(), Vec::<Value>::new());
}

#[tokio::test]
async fn answers_from_before_tls_are_not_taken_for_answers_within_it() {
    let receivers = Receivers::start();
    let server = format!("smtp://localhost:{}", receivers.port("forger"));
    let sent = Outbox::new()
        .attempt(&mail(&server, &json!({})), sending("a"))
        .await;
    let failure = failure(sent);
    assert!(failure.reason.contains("STARTTLS"), "{failure:?}");
}
