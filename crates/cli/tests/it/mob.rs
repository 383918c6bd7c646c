//! A mob in memory, as far as `send` sees one: keys, messages, turns and their events.

use crate::fake::{Reply, Request, problem};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const SSE: &str = "text/event-stream";

/// What has happened.
#[derive(Default)]
pub(crate) struct Mob {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    events: Vec<Value>,
    /// Content and first answer by key.
    keys: BTreeMap<String, (String, Value)>,
    /// In the order of acceptance.
    texts: Vec<String>,
    turns: BTreeMap<String, Value>,
    approvals: BTreeMap<String, Value>,
}

impl State {
    fn next(&self) -> u64 {
        self.events.len() as u64 + 1
    }

    fn event(&mut self, kind: &str, data: &Value) -> u64 {
        let seq = self.next();
        self.events.push(json!({
            "seq": seq, "time": "2026-11-22T06:00:00.123Z", "mob": "m", "kind": kind,
            "source": "agent", "subject": "member/desk", "data": data,
            "summary": format!("summary of {kind}"),
        }));
        seq
    }

    /// A message and its turn. The text says how it ends.
    fn accept(&mut self, text: &str) -> Value {
        let (message, turn) = (
            format!("msg-{}", self.next()),
            format!("turn-{}", self.next()),
        );
        let seq = self.event(
            "message.accepted",
            &json!({"message": message, "text": text}),
        );
        self.texts.push(text.to_owned());
        // Somebody else's turn in between must not be taken for this one.
        self.event(
            "turn.completed",
            &json!({"turn": "turn-0", "text": "of another"}),
        );
        self.event(
            "message.delivered",
            &json!({"message": message, "turn": turn}),
        );
        let word = text.split(' ').next().unwrap_or_default();
        let mut row = json!({"turn": turn, "status": "completed"});
        match word {
            "fail" => {
                row["status"] = "failed".into();
                self.event(
                    "turn.failed",
                    &json!({"turn": turn, "reason": "429 from the model"}),
                );
            }
            "human" => {
                row["status"] = "waiting".into();
                let data = json!({"turn": turn, "on": "operator", "call": "call-1"});
                self.event("turn.waiting", &data);
            }
            "gated" => {
                // Another call of the same reply still runs, so the turn does too.
                row["status"] = "running".into();
                self.ask(&turn, "pending");
            }
            "decided" => {
                self.ask(&turn, "approved");
                let data = json!({"turn": turn, "text": "let through"});
                self.event("turn.completed", &data);
            }
            "resolved" => {
                let data = json!({"turn": turn, "call": "call-1", "tool": "publish"});
                self.event("tool.unknown", &data);
                self.event("tool.resolved", &data);
                self.event(
                    "turn.completed",
                    &json!({"turn": turn, "text": "after all"}),
                );
            }
            "hang" => row["status"] = "running".into(),
            "long" => {
                row["text"] = "a long answer".into();
                let text = json!({"blob": "sha256:1", "bytes": 40_000});
                self.event("turn.completed", &json!({"turn": turn, "text": text}));
            }
            _ => {
                let answer = format!("re: {text}");
                self.event("turn.completed", &json!({"turn": turn, "text": answer}));
            }
        }
        self.turns.insert(turn, row);
        json!({"message": message, "seq": seq})
    }
}

impl State {
    /// An approval of the turn, as it stands by now.
    fn ask(&mut self, turn: &str, state: &str) {
        let id = format!("apr-{}", self.next());
        let approval = json!({
            "id": id, "digest": "sha256:seen", "tool": "module:mail/send", "member": "desk",
            "state": state, "args": {"to": "all"}, "turn": turn, "why": "mail needs a decision",
            "effect": "effect", "about": "gate", "gate": "module:mail/*",
        });
        let data = json!({"turn": turn, "approval": id, "tool": "module:mail/send"});
        self.event("approval.requested", &data);
        let data = json!({"turn": turn, "on": "approval", "approval": id, "call": "call-1"});
        self.event("turn.waiting", &data);
        self.approvals.insert(id, approval);
    }
}

impl Mob {
    /// The texts that were accepted, in their order.
    pub fn texts(&self) -> Vec<String> {
        self.state.lock().expect("no panic elsewhere").texts.clone()
    }

    pub fn keys(&self) -> Vec<String> {
        self.state
            .lock()
            .expect("no panic elsewhere")
            .keys
            .keys()
            .cloned()
            .collect()
    }

    /// Answers as a server does.
    pub fn answer(&self, request: &Request) -> Reply {
        let mut state = self.state.lock().expect("no panic elsewhere");
        let text = |name: &str| request.body[name].as_str().unwrap_or_default().to_owned();
        match request.path.as_str() {
            "/api/v1/member/send" if text("to") != "desk" => {
                let detail = format!("there is no member \"{}\"", text("to"));
                problem(404, "missing", "member.not_found", &detail)
            }
            "/api/v1/member/send" => {
                let (key, content) = (text("key"), text("content"));
                let known = state.keys.get(&key).cloned();
                match known {
                    Some((first, answer)) if first == content => Reply::Json(200, answer),
                    Some(_) => problem(409, "conflict", "message.key_reused", "other content"),
                    None => {
                        let answer = state.accept(&content);
                        state.keys.insert(key, (content, answer.clone()));
                        Reply::Json(200, answer)
                    }
                }
            }
            "/api/v1/turn/get" => Reply::Json(
                200,
                state.turns.get(&text("turn")).cloned().unwrap_or_default(),
            ),
            "/api/v1/approval/get" => match state.approvals.get(&text("approval")) {
                Some(approval) => Reply::Json(200, approval.clone()),
                None => problem(
                    404,
                    "missing",
                    "approval.not_found",
                    "there is no such approval",
                ),
            },
            "/api/v1/event/query" => {
                let after = request.body["after"].as_u64().unwrap_or(0);
                let kinds = request.body["kinds"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let later = state.events.iter().filter(|event| {
                    event["seq"].as_u64() > Some(after) && kinds.contains(&event["kind"])
                });
                let head = state.next() - 1;
                let events: Vec<&Value> = later.collect();
                Reply::Json(
                    200,
                    json!({"events": events, "next_after": head, "head": head}),
                )
            }
            "/api/v1/member/get" => Reply::Json(200, json!({"id": "desk", "state": "idle"})),
            "/api/v1/system/info" => Reply::Json(200, json!({"rehearsal": true})),
            "/api/v1/events" => {
                let lines = events(&state.events, request);
                if request
                    .query
                    .get("follow")
                    .is_some_and(|follow| follow == "true")
                {
                    Reply::Hold(NDJSON, lines)
                } else {
                    Reply::Text(200, NDJSON, lines)
                }
            }
            path => problem(404, "missing", "operation.not_found", path),
        }
    }
}

/// The events that the query asks for, one per line.
pub(crate) fn events(events: &[Value], request: &Request) -> String {
    let after: u64 = request
        .query
        .get("after")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let kinds = request.query.get("kinds");
    let wanted = events.iter().filter(|event| {
        let kind = event["kind"].as_str().unwrap_or_default();
        event["seq"].as_u64().is_some_and(|seq| seq > after)
            && kinds.is_none_or(|kinds| kinds.split(',').any(|wanted| wanted == kind))
    });
    wanted.fold(String::new(), |text, event| {
        text + &event.to_string() + "\n"
    })
}
