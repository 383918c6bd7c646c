//! Sources of members and edges that a test can change, hold and break.

use super::mob::{member, spec};
use super::wait::pass_ms;
use async_trait::async_trait;
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::id::MemberId;
use mobkit_engine::{Discovery, EdgeDiscovery, HookError};
use serde_json::Value;
use std::sync::Mutex;

/// Says what it was told to say.
pub struct Source {
    members: Mutex<Result<Vec<MemberSpec>, HookError>>,
    edges: Mutex<Result<Vec<(MemberId, MemberId)>, HookError>>,
    contexts: Mutex<Vec<Value>>,
    pub takes_ms: Mutex<u64>,
    pub panics: Mutex<bool>,
}

impl Source {
    pub fn of(members: &[&str]) -> Self {
        let source = Self {
            members: Mutex::new(Ok(Vec::new())),
            edges: Mutex::new(Ok(Vec::new())),
            contexts: Mutex::default(),
            takes_ms: Mutex::default(),
            panics: Mutex::default(),
        };
        source.says(members);
        source
    }

    pub fn says(&self, members: &[&str]) {
        self.says_specs(members.iter().map(|id| spec(id, "worker")).collect());
    }

    pub fn says_specs(&self, specs: Vec<MemberSpec>) {
        *self.members.lock().expect("not poisoned") = Ok(specs);
    }

    pub fn fails(&self) {
        *self.members.lock().expect("not poisoned") = Err(HookError("the source is down".into()));
    }

    pub fn wires(&self, edges: &[(&str, &str)]) {
        let edges = edges.iter().map(|(a, b)| (member(a), member(b))).collect();
        *self.edges.lock().expect("not poisoned") = Ok(edges);
    }

    pub fn edges_fail(&self) {
        *self.edges.lock().expect("not poisoned") = Err(HookError("the source is down".into()));
    }

    /// With what it was called, in order.
    pub fn contexts(&self) -> Vec<Value> {
        self.contexts.lock().expect("not poisoned").clone()
    }

    async fn work(&self) {
        let takes_ms = *self.takes_ms.lock().expect("not poisoned");
        pass_ms(takes_ms).await;
        let panics = *self.panics.lock().expect("not poisoned");
        assert!(!panics, "a source that panics on purpose");
    }
}

#[async_trait]
impl Discovery for Source {
    async fn discover(&self, context: Value) -> Result<Vec<MemberSpec>, HookError> {
        self.contexts.lock().expect("not poisoned").push(context);
        self.work().await;
        self.members.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl EdgeDiscovery for Source {
    async fn edges(&self, _members: &[MemberId]) -> Result<Vec<(MemberId, MemberId)>, HookError> {
        self.work().await;
        self.edges.lock().expect("not poisoned").clone()
    }
}
