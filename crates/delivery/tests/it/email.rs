//! What a mail server hears, and what its answers mean.

use crate::kit::{MailServer, Outbox, Turn, failure, route, sending};
use mobkit_delivery::Sent;
use mobkit_domain::definition::Route;
use mobkit_domain::time::Time;
use serde_json::{Value, json};

fn mail(server: &MailServer, more: &Value) -> Route {
    let mut sink = json!({
        "kind": "email", "server": format!("smtp://{}", server.address()),
        "from": "mob@example.org", "to": ["ops@example.org", "ada@example.com"],
        "allow_private": true,
    });
    let fields = sink.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    route(&sink)
}

#[tokio::test]
async fn a_delivery_is_a_message_that_is_the_same_at_every_attempt() {
    let server = MailServer::start(Vec::new());
    let outbox = Outbox::new();
    let mut mine = sending("news:dlv-7");
    mine.queued = Time::parse("2026-11-22T06:00:00Z").expect("a time");
    mine.payload = json!({ "subject": "Grüße", "text": "all is well" });
    let sent = outbox
        .attempt(&mail(&server, &json!({})), mine.clone())
        .await;
    let ok = Sent::Delivered {
        status: Some(250),
        excerpt: Some("2.0.0 queued as 42".to_owned()),
    };
    assert_eq!(sent, ok);
    mine.now = mine.now.plus_ms(60_000);
    outbox.attempt(&mail(&server, &json!({})), mine).await;

    let heard = server.heard();
    assert_eq!(
        heard[..5],
        [
            "EHLO example.org\r\n",
            "MAIL FROM:<mob@example.org>\r\n",
            "RCPT TO:<ops@example.org>\r\n",
            "RCPT TO:<ada@example.com>\r\n",
            "DATA\r\n",
        ]
    );
    let [one, two] = &server.messages()[..] else {
        panic!("two messages: {heard:?}");
    };
    assert_eq!(one, two);
    for line in [
        "From: mob@example.org",
        "To: ops@example.org, ada@example.com",
        "Date: Sun, 22 Nov 2026 06:00:00 +0000",
        "Message-ID: <news.dlv-7@example.org>",
        "Auto-Submitted: auto-generated",
        "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
    ] {
        assert!(one.contains(&format!("{line}\r\n")), "{line}: {one}");
    }
}

#[tokio::test]
async fn the_text_is_what_the_payload_says() {
    let outbox = Outbox::new();
    for (payload, subject, text) in [
        (json!("plain words"), "ops (alert)", "plain words"),
        (json!({ "text": "words" }), "ops (alert)", "words"),
        (json!({ "subject": "S", "n": 7 }), "S", "\"n\": 7"),
        (json!([1, 2]), "ops (alert)", "[\r\n  1,\r\n  2\r\n]"),
        (json!(null), "ops (alert)", "null"),
    ] {
        let server = MailServer::start(Vec::new());
        let mut mine = sending("a");
        mine.payload = payload;
        outbox.attempt(&mail(&server, &json!({})), mine).await;
        let message = &server.messages()[0];
        assert!(
            message.contains(&format!("Subject: {subject}\r\n")),
            "{message}"
        );
        let (_, body) = message.split_once("\r\n\r\n").expect("a body");
        assert!(body.contains(text), "{text}: {message}");
    }
}

#[tokio::test]
async fn neither_headers_nor_commands_can_be_slipped_in() {
    let outbox = Outbox::new();
    let evil = "x\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>\r\n";
    for text in [
        evil,
        "x\n.\nQUIT\n",
        "x\r.\rQUIT\r",
        "x\n.\r\nQUIT\r\n",
        ".",
        "\0.\u{1}\r\n.\r\n",
    ] {
        let server = MailServer::start(Vec::new());
        let mut mine = sending(text);
        mine.recipient = text.to_owned();
        mine.channel = Some(text.to_owned());
        mine.payload = json!({ "text": text });
        let sent = outbox
            .attempt(&mail(&server, &json!({})), mine.clone())
            .await;
        assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
        mine.payload = json!({ "subject": text, "text": "" });
        outbox.attempt(&mail(&server, &json!({})), mine).await;
        let heard = server.heard();
        let commands: Vec<&str> = heard
            .iter()
            .filter(|said| !said.ends_with("\r\n.\r\n"))
            .filter_map(|said| said.split([' ', '\r']).next())
            .collect();
        let once = ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"];
        assert_eq!(commands, [once, once].concat(), "{text:?}");
        for message in server.messages() {
            let (headers, _) = message.split_once("\r\n\r\n").expect("a head");
            assert!(!headers.contains("\r\nBcc"), "{headers}");
            assert!(
                !message.replace("\r\n", "").contains(['\r', '\n', '\0']),
                "{message:?}"
            );
        }
    }
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_before_anything_is_sent() {
    let server = MailServer::start(Vec::new());
    let outbox = Outbox::new();
    for address in [
        "a\r\nRCPT@example.org",
        "a@b\r\nDATA",
        "Ada <ada@example.org>",
        "a",
        "@b",
        "",
    ] {
        for more in [
            json!({ "from": address }),
            json!({ "to": ["ops@example.org", address] }),
        ] {
            let failure = failure(outbox.attempt(&mail(&server, &more), sending("a")).await);
            assert!(
                failure.hopeless && !failure.reason.contains('\r'),
                "{failure:?}"
            );
        }
    }
    assert!(server.heard().is_empty());
}

#[tokio::test]
async fn a_no_for_good_is_hopeless_and_a_no_of_the_moment_is_not() {
    let outbox = Outbox::new();
    for (at, answer, status, hopeless) in [
        ("GREETING", "421 busy\r\n", 421, false),
        ("GREETING", "554 not here\r\n", 554, false),
        ("EHLO", "500 what\r\n", 500, false),
        ("MAIL", "451 later\r\n", 451, false),
        ("MAIL", "553 not from you\r\n", 553, true),
        ("RCPT", "450-not\r\n450 now\r\n", 450, false),
        ("RCPT", "550 5.1.1 nobody of that name\r\n", 550, true),
        (
            "RCPT TO:<ada",
            "550 5.1.1 nobody of that name\r\n",
            550,
            true,
        ),
        ("DATA", "421 going down\r\n", 421, false),
        ("DATA", "554 no\r\n", 554, true),
        ("MESSAGE", "452 full\r\n", 452, false),
        ("MESSAGE", "552 too big\r\n", 552, true),
    ] {
        let server = MailServer::start(vec![(at, Turn::Say(answer))]);
        let failure = failure(
            outbox
                .attempt(&mail(&server, &json!({})), sending("a"))
                .await,
        );
        assert_eq!(
            (failure.status, failure.hopeless),
            (Some(status), hopeless),
            "{failure:?}"
        );
        assert!(failure.reason.contains(&status.to_string()), "{failure:?}");
        let word = answer.trim_end().rsplit(' ').next().expect("a word");
        let said = failure.excerpt.expect("what the server said");
        assert!(said.ends_with(word) && !said.contains('\r'), "{said}");
        assert_eq!(server.messages().len(), usize::from(at == "MESSAGE"));
    }
}

#[tokio::test]
async fn a_password_that_is_refused_is_read_again_and_never_told() {
    let server = MailServer::start(vec![
        (
            "AUTH",
            Turn::Say("535 no AG1vYgBodW50ZXIy, hunter2 is wrong\r\n"),
        ),
        ("AUTH", Turn::Say("235 welcome\r\n")),
    ]);
    let outbox = Outbox::new().with("PASSWORD", "hunter2");
    let more = json!({ "username": "mob", "password": { "env": "PASSWORD" } });
    let route = mail(&server, &more);
    let refused = failure(outbox.attempt(&route, sending("a")).await);
    assert_eq!((refused.status, refused.hopeless), (Some(535), false));
    let said = refused.excerpt.clone().expect("what the server said");
    assert_eq!(said, "no [secret], [secret] is wrong");
    assert!(server.messages().is_empty());
    outbox.put("PASSWORD", "correct horse");
    let sent = outbox.attempt(&route, sending("a")).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    let heard = server.heard();
    let signs: Vec<&String> = heard
        .iter()
        .filter(|said| said.starts_with("AUTH"))
        .collect();
    assert_eq!(
        signs,
        [
            "AUTH PLAIN AG1vYgBodW50ZXIy\r\n",
            "AUTH PLAIN AG1vYgBjb3JyZWN0IGhvcnNl\r\n"
        ]
    );
    let half = mail(&server, &json!({ "username": "mob" }));
    assert!(failure(outbox.attempt(&half, sending("a")).await).hopeless);
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let outbox = Outbox::new();
    let to = json!({ "to": ["jörg@example.org"] });
    let old = MailServer::start(Vec::new());
    let failure = failure(outbox.attempt(&mail(&old, &to), sending("a")).await);
    assert!(
        failure.hopeless && failure.reason.contains("ASCII"),
        "{failure:?}"
    );
    let hello = "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    let modern = MailServer::start(vec![("EHLO", Turn::Say(hello))]);
    let sent = outbox.attempt(&mail(&modern, &to), sending("a")).await;
    assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
    let heard = modern.heard();
    assert!(
        heard[1].contains("SMTPUTF8") && heard[2].contains("jörg@"),
        "{heard:?}"
    );
}
