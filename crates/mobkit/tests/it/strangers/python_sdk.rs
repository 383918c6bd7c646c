//! A server made with the official Python SDK: the revision 2026-07-28, over standard input and
//! output and over HTTP.

use super::hands::{Hands, all, answer, cancel, decide, event, progress, python, say};
use crate::kit::send;
use mobkit::event::Verdict;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// How the module is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Stdio,
    Http,
}

/// A server over HTTP; it does not outlive the test.
pub(crate) struct Remote {
    child: Child,
    /// Its address.
    pub url: String,
}

impl Remote {
    /// Starts one; 0 takes a free port.
    pub fn start(hands: &Hands, port: u16) -> Self {
        let (python, script) = python();
        let mut command = Command::new(python);
        command.arg(script).arg(hands.path()).arg(port.to_string());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("python starts");
        let mut url = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut url).expect("an address");
        let url = url.trim().to_owned();
        Self { child, url }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mob whose module is the server, and the server where it is not a child of the mob.
pub(crate) fn hands(way: Way, more: &str) -> (Hands, Option<Remote>) {
    let hands = Hands::new()
        .when("add", "add", "{ a = 2, b = 3 }")
        .when("fail", "fail", "{ reason = \"the well is dry\" }")
        .when("note", "note", "{ text = \"milk\" }")
        .when("slow", "slow", "{}")
        .when("until", "until", "{ deed = \"slow cancelled\" }")
        .when("confirm", "confirm", "{ what = \"sell\" }");
    let remote = (way == Way::Http).then(|| Remote::start(&hands, 0));
    let keys = if let Some(remote) = &remote {
        format!("transport = \"mcp-http\"\nurl = {:?}\n", remote.url)
    } else {
        let (python, script) = python();
        let line = [&*python, &*script, hands.path()].map(|path| path.to_str());
        let line = line.map(|text| text.expect("a path of text"));
        format!("transport = \"mcp-stdio\"\ncommand = {line:?}\n")
    };
    (hands.module(&keys, more), remote)
}

async fn calls(way: Way) {
    let (hands, _remote) = hands(way, "");
    let mob = hands.open().await;
    let healthy = &all(&mob, "module.healthy").await[0]["data"];
    let protocol = healthy["protocol"].as_str().expect("a protocol");
    assert!(protocol.starts_with("mcp 2026-07-28"), "{healthy}");
    assert_eq!(healthy["pid"].is_u64(), way == Way::Stdio, "{healthy}");
    let sum: Value = serde_json::from_str(&say(&mob, "add").await).expect("structured");
    assert_eq!(sum, json!({"sum": 5}));
    let said = say(&mob, "fail").await;
    assert!(said.contains("the well is dry"), "{said}");
    let failed = event(&mob, "tool.failed", 0).await;
    assert!(failed.to_string().contains("the well is dry"), "{failed}");
    assert!(say(&mob, "note").await.contains("noted milk"));
    let effects: Vec<Value> = all(&mob, "tool.started")
        .await
        .iter()
        .map(|started| started["data"]["effect"].clone())
        .collect();
    assert_eq!(effects, ["read", "read", "effect"]);
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert_eq!(hands.read("deeds.txt"), "note milk\n");
}

#[tokio::test]
async fn a_server_of_the_python_sdk_is_called_over_stdio() {
    calls(Way::Stdio).await;
}

#[tokio::test]
async fn a_server_of_the_python_sdk_is_called_over_http() {
    calls(Way::Http).await;
}

async fn cancelled(way: Way) {
    let (hands, _remote) = hands(way, "");
    let mob = hands.open().await;
    let mut deltas = mob.engine().deltas();
    send(&mob, "worker", "slow").await;
    let told = progress(&mut deltas).await;
    assert!(told.text.contains("step"), "{told:?}");
    cancel(&mob).await;
    event(&mob, "turn.cancelled", 0).await;
    assert!(say(&mob, "until").await.contains("slow cancelled"));
    let sum: Value = serde_json::from_str(&say(&mob, "add").await).expect("structured");
    assert_eq!(sum["sum"], 5, "the module goes on");
    assert_eq!(all(&mob, "module.starting").await.len(), 1);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_turn_cancels_its_call_in_the_module_over_stdio() {
    cancelled(Way::Stdio).await;
}

#[tokio::test]
async fn a_cancelled_turn_cancels_its_call_in_the_module_over_http() {
    cancelled(Way::Http).await;
}

async fn asked(way: Way) {
    let (hands, _remote) = hands(way, "");
    let mob = hands.open().await;
    let message = send(&mob, "worker", "confirm").await;
    let asked = event(&mob, "approval.requested", 0).await;
    assert_eq!(asked["data"]["message"], "May I sell?", "{asked}");
    let consent = json!({"agreed": true, "name": "Ada"});
    decide(&mob, &asked, Verdict::Approve, Some(consent)).await;
    let said = answer(&mob, message).await;
    assert!(said.contains("Ada said True to sell"), "{said}");

    let after = mob.engine().head();
    let message = send(&mob, "worker", "confirm").await;
    let asked = event(&mob, "approval.requested", after).await;
    decide(&mob, &asked, Verdict::Deny, None).await;
    let said = answer(&mob, message).await;
    assert!(said.contains("nobody agreed to sell"), "{said}");
    assert_eq!(hands.read("deeds.txt"), "sell: True\n");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_question_is_answered_by_a_person_over_stdio() {
    asked(Way::Stdio).await;
}

#[tokio::test]
async fn a_question_is_answered_by_a_person_over_http() {
    asked(Way::Http).await;
}
