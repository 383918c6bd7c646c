//! Whose certificates are trusted: those that the system trusts, and nobody else's.

use super::receivers::Receivers;
use crate::kit::{Outbox, again, failure, is_again, route, sending};
use mobkit_delivery::Sent;
use serde_json::{Value, json};

fn hook(host: &str, places: &Value) -> Value {
    let url = format!("https://{host}:{}/", places["https"]);
    json!({ "kind": "webhook", "url": url, "allow_private": true })
}

fn mail(host: &str, places: &Value) -> Value {
    json!({
        "kind": "email", "server": format!("smtps://{host}:{}", places["smtps"]),
        "from": "mob@example.org", "to": ["ops@example.org"], "allow_private": true,
    })
}

/// The attempt fails for its certificate.
async fn refused(sink: &Value) {
    let failure = failure(
        Outbox::new()
            .attempt(&route(sink), sending("refused"))
            .await,
    );
    assert!(failure.reason.contains("certificate"), "{failure:?}");
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_system_and_the_name() {
    if let Some(places) = is_again() {
        let places = serde_json::from_str(&places).expect("places");
        for sink in [hook("localhost", &places), mail("localhost", &places)] {
            let sent = Outbox::new()
                .attempt(&route(&sink), sending("trusted"))
                .await;
            assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
        }
        refused(&hook("127.0.0.1", &places)).await;
        refused(&mail("127.0.0.1", &places)).await;
        return;
    }
    let mut receivers = Receivers::start();
    refused(&hook("localhost", &receivers.places)).await;
    refused(&mail("localhost", &receivers.places)).await;

    let authority = receivers.places["authority"].as_str().expect("a path");
    again(
        "strangers::trust::a_certificate_is_checked_against_the_system_and_the_name",
        &receivers.places.to_string(),
        &[("SSL_CERT_FILE", authority)],
    );
    let web = receivers.next().expect("a request");
    assert_eq!(
        (&web["sink"], &web["id"]),
        (&json!("web"), &json!("trusted"))
    );
    let mail = receivers.next().expect("a message");
    assert_eq!(
        (&mail["sink"], &mail["tls"]),
        (&json!("mail"), &json!(true))
    );
    assert_eq!(receivers.rest(), Vec::<Value>::new());
}
