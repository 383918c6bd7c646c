//! What the environment of the process says to HTTP clients.

use crate::kit::{Outbox, Receiver, again, answer, is_again, route, sending};
use mobkit_delivery::Sent;
use serde_json::json;

#[tokio::test]
async fn proxies_of_the_environment_get_nothing() {
    if is_again().is_some() {
        let receiver = Receiver::start(vec![answer("200 OK", "")]);
        let hook = json!({ "kind": "webhook", "url": receiver.url("/"), "allow_private": true });
        let sent = Outbox::new().attempt(&route(&hook), sending("a")).await;
        assert!(matches!(sent, Sent::Delivered { .. }), "{sent:?}");
        assert_eq!(receiver.count("a"), 1);
        return;
    }
    let proxy = Receiver::start(vec![answer("200 OK", "")]);
    let url = proxy.url("");
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let variables = names.map(|name| (name, url.as_str()));
    again(
        "environment::proxies_of_the_environment_get_nothing",
        "",
        &variables,
    );
    assert!(proxy.requests().is_empty());
}
