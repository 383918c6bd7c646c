//! Sinks with their surroundings.

use async_trait::async_trait;
use mobkit_delivery::{SendFailure, Sending, Sent, Settings, Sinks};
use mobkit_domain::definition::{Route, Secret, Setting};
use mobkit_engine::{Clock, SystemClock, Tasks};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Secrets by the names of environment variables, and how often they were read.
#[derive(Default)]
pub struct Safe {
    secrets: Mutex<BTreeMap<String, String>>,
    reads: Mutex<usize>,
}

#[async_trait]
impl Settings for Safe {
    async fn setting(&self, setting: &Setting) -> Result<String, String> {
        match setting {
            Setting::Text(text) => Ok(text.clone()),
            Setting::Secret(secret) => self.secret(secret).await,
        }
    }

    async fn secret(&self, secret: &Secret) -> Result<String, String> {
        let Secret::Env(name) = secret else {
            return Err(format!("{secret} is nothing that these tests know"));
        };
        *self.reads.lock().expect("no panic") += 1;
        let secrets = self.secrets.lock().expect("no panic");
        let found = secrets.get(name).cloned();
        found.ok_or_else(|| format!("environment variable {name} is not set"))
    }
}

/// Sinks, what they own and what they read.
pub struct Outbox {
    pub sinks: Sinks,
    pub tasks: Tasks,
    safe: Arc<Safe>,
    folder: tempfile::TempDir,
}

impl Outbox {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let safe = Arc::new(Safe::default());
        Self {
            sinks: Sinks::new(folder.path().to_owned(), safe.clone()),
            tasks: Tasks::new(),
            safe,
            folder,
        }
    }

    /// With a secret.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    /// Sets a secret.
    pub fn put(&self, name: &str, value: &str) {
        let mut secrets = self.safe.secrets.lock().expect("no panic");
        secrets.insert(name.to_owned(), value.to_owned());
    }

    /// How often secrets were read.
    pub fn reads(&self) -> usize {
        *self.safe.reads.lock().expect("no panic")
    }

    /// A path below the folder of the mob file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn attempt(&self, route: &Route, sending: Sending) -> Sent {
        self.sinks.attempt(&self.tasks, route, sending).await
    }
}

/// A route with this sink.
pub fn route(sink: &Value) -> Route {
    let route = json!({
        "id": "out",
        "match": { "recipient": "ops", "channel": "*" },
        "sink": sink,
        "retry": { "attempts": 8, "backoff": { "min_ms": 1000, "max_ms": 3_600_000 } },
    });
    serde_json::from_value(route).expect("a route")
}

/// An attempt at a delivery, now.
pub fn sending(id: &str) -> Sending {
    let now = SystemClock.now();
    Sending {
        id: id.to_owned(),
        recipient: "ops".to_owned(),
        channel: Some("alert".to_owned()),
        payload: json!({ "text": "the press stands still", "n": 7 }),
        queued: now,
        now,
        repeated: false,
    }
}

/// The failure that came of an attempt.
pub fn failure(sent: Sent) -> SendFailure {
    match sent {
        Sent::Failed(failure) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}
