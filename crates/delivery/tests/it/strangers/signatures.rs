//! Signatures as the published packages check them.

use super::installed::{node, python};
use crate::kit::{Outbox, Receiver, answer, route, sending};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDAAECAwQFBgc=";
const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Requests that were signed with these keys.
async fn requests(keys: &str, payloads: &[Value]) -> Vec<Value> {
    let receiver = Receiver::start(vec![answer("200 OK", "")]);
    let outbox = Outbox::new().with("KEYS", keys);
    let route = route(&json!({
        "kind": "webhook", "url": receiver.url("/"), "allow_private": true,
        "secret": { "env": "KEYS" },
    }));
    for payload in payloads {
        let mut sending = sending("news:dlv-7");
        sending.payload = payload.clone();
        outbox.attempt(&route, sending).await;
    }
    let seen = receiver.requests();
    assert_eq!(seen.len(), payloads.len());
    let request = |body: Vec<u8>| String::from_utf8(body).expect("text");
    seen.into_iter()
        .map(|seen| json!({ "headers": seen.headers, "body": request(seen.body) }))
        .collect()
}

/// The same requests, checked with a key.
fn with(requests: &[Value], name: &str, key: &str) -> Vec<Value> {
    let mut requests = requests.to_vec();
    for request in &mut requests {
        request[name] = json!(key);
    }
    requests
}

/// What a program says to requests.
fn verdicts(mut program: Command, requests: &[Value]) -> Vec<Value> {
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = serde_json::to_vec(requests).expect("JSON");
    stdin.write_all(&text).expect("it listens");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("a list")
}

fn payloads() -> [Value; 4] {
    [
        json!({ "type": "alert.raised", "text": "grüß Gott, 世界 \u{1f5de}\u{2028}", "n": 1.5 }),
        json!("only words"),
        json!([1, { "b": 1, "a": [null, true] }]),
        json!({ "text": "long ".repeat(20_000) }),
    ]
}

#[tokio::test]
async fn the_published_packages_accept_what_is_signed_and_nothing_else() {
    let payloads = payloads();
    let signed = requests(OLD, &payloads).await;
    let mut asked = with(&signed, "secret", OLD);
    let mut expected = payloads.to_vec();
    let mut wrong = |request: Value| {
        asked.push(request);
        expected.push(json!("WebhookVerificationError"));
    };
    let first = with(&signed[..1], "secret", OLD).remove(0);
    wrong(with(&signed[..1], "secret", OTHER).remove(0));
    let mut changed = first.clone();
    changed["body"] = json!(r#"{"type":"alert.cleared"}"#);
    wrong(changed);
    for name in ["webhook-id", "webhook-timestamp"] {
        let mut changed = first.clone();
        let value = changed["headers"][name]
            .as_str()
            .expect("a header")
            .to_owned();
        let last = if value.ends_with('1') { "2" } else { "1" };
        let (before, _) = value.split_at(value.len() - 1);
        changed["headers"][name] = json!(format!("{before}{last}"));
        wrong(changed);
    }
    assert_eq!(verdicts(python("verify.py"), &asked), expected);
    assert_eq!(verdicts(node("verify.js"), &asked), expected);
}

#[tokio::test]
async fn while_a_key_is_replaced_both_are_accepted() {
    let payloads = payloads();
    let signed = requests(&format!("{NEXT} {OLD}"), &payloads).await;
    for key in [OLD, NEXT] {
        let asked = with(&signed, "secret", key);
        assert_eq!(verdicts(python("verify.py"), &asked), payloads);
        assert_eq!(verdicts(node("verify.js"), &asked), payloads);
    }
}

#[tokio::test]
async fn a_signature_of_ed25519_is_accepted_by_its_public_key() {
    let seed = [7; 32];
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a pair");
    let public = pair.public_key().as_ref();
    let key = format!("whsk_{}", STANDARD.encode([&seed, public].concat()));
    let payloads = payloads();
    let signed = requests(&format!("{key} {OLD}"), &payloads).await;
    let asked = with(&signed, "public", &STANDARD.encode(public));
    assert_eq!(verdicts(python("verify.py"), &asked), payloads);
    let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).expect("a pair");
    let asked = with(
        &signed[..1],
        "public",
        &STANDARD.encode(other.public_key().as_ref()),
    );
    assert_eq!(verdicts(python("verify.py"), &asked), ["InvalidSignature"]);
    let asked = with(&signed, "secret", OLD);
    assert_eq!(
        verdicts(python("verify.py"), &asked),
        payloads,
        "a receiver may know the other"
    );
}
