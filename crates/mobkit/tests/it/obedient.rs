//! A model that calls what it is told to call, and a tool that remembers what it was told.

use async_trait::async_trait;
use futures::StreamExt;
use mobkit::event::ToolEffect;
use mobkit::id::CallId;
use mobkit::model::{CallRequest, Finish};
use mobkit::{
    HostCall, HostTool, Item, ModelEvent, ModelEvents, ModelProvider, ModelRequest, ToolSpec,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A call that a message asks for: the tool and its arguments.
#[derive(Deserialize)]
pub(crate) struct Asked(pub(crate) String, pub(crate) Value);

/// Calls what the last message says, where it is a list of calls; else it says what it was told
/// last. Keeps what it was asked.
#[derive(Default)]
pub(crate) struct Obedient(Mutex<Vec<ModelRequest>>);

impl Obedient {
    /// The last request.
    pub(crate) fn last(&self) -> ModelRequest {
        let requests = self.0.lock().expect("not poisoned");
        requests.last().expect("it was asked").clone()
    }
}

impl ModelProvider for Obedient {
    fn describe(&self) -> String {
        "obedient".to_owned()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let end = |finish| ModelEvent::End {
            finish,
            carry: None,
        };
        let last = request.items.last().cloned();
        self.0.lock().expect("not poisoned").push(request);
        let text = match last {
            Some(Item::User { text, .. }) => text,
            Some(Item::ToolResult { result, .. }) => result,
            other => panic!("it is asked after {other:?}"),
        };
        let calls: Vec<Asked> = serde_json::from_str(&text).unwrap_or_default();
        let calling = !calls.is_empty();
        let calls = (1..).zip(calls).map(|(n, Asked(tool, args))| {
            ModelEvent::Call(CallRequest {
                tool,
                args,
                provider_id: Some(format!("p{n}")),
            })
        });
        let mut events: Vec<ModelEvent> = calls.collect();
        if calling {
            events.push(end(Finish::Calls));
        } else {
            events.extend([ModelEvent::Text { text }, end(Finish::Stop)]);
        }
        futures::stream::iter(events.into_iter().map(Ok)).boxed()
    }
}

/// A result as a model is shown it.
pub(crate) struct Shown {
    pub(crate) call: CallId,
    pub(crate) text: String,
    pub(crate) failed: bool,
}

/// The results of calls, in their order.
pub(crate) fn results(items: &[Item]) -> Vec<Shown> {
    let results = items.iter().filter_map(|item| match item {
        Item::ToolResult {
            call,
            result,
            failed,
            ..
        } => Some(Shown {
            call: *call,
            text: result.clone(),
            failed: *failed,
        }),
        _ => None,
    });
    results.collect()
}

/// What every provider demands of a request: each call has one result before anything else follows,
/// and each result has its call.
pub(crate) fn sound(items: &[Item]) {
    let mut open = BTreeSet::new();
    for item in items {
        match item {
            Item::Assistant { calls, .. } => {
                assert_eq!(open, BTreeSet::new(), "calls without a result: {items:?}");
                open.extend(calls.iter().map(|(id, _)| *id));
            }
            Item::ToolResult { call, .. } => {
                assert!(open.remove(call), "{call} is answered without being asked");
            }
            Item::User { .. } => {
                assert_eq!(open, BTreeSet::new(), "calls without a result: {items:?}");
            }
        }
    }
    assert_eq!(open, BTreeSet::new(), "calls without a result: {items:?}");
}

/// The tool `pay`. Clones share what was paid.
#[derive(Clone, Default)]
pub(crate) struct Till(Arc<Mutex<Vec<Value>>>);

impl Till {
    /// The arguments of every call that was made, in order.
    pub(crate) fn paid(&self) -> Vec<Value> {
        self.0.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl HostTool for Till {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "pay".to_owned(),
            description: "Pays somebody.".to_owned(),
            schema: json!({"type": "object"}),
            effect: ToolEffect::Effect,
        }
    }

    async fn call(&self, call: HostCall) -> Result<String, String> {
        let to = call.args["to"].as_str().unwrap_or("nobody").to_owned();
        self.0.lock().expect("not poisoned").push(call.args);
        if let Some(bytes) = to.strip_prefix("bytes ") {
            return Ok("x".repeat(bytes.parse().expect("a number")));
        }
        Ok(format!("paid {to}"))
    }
}
