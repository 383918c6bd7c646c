//! Tools of ours as the runtime knows them. It keeps one list for all its members, and forgets no
//! tool: whether a member may call one is decided by mobkit, call by call.

use super::connection::Connection;
use super::frames::RequestError;
use crate::model::{ToolNames, ToolSpec};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// What the names of our tools begin with there: the runtime has a `send_message` of its own.
const PREFIX: &str = "mobkit_";

/// What a member is told of tools of ours. The runtime keeps them in a catalog where there are more
/// than one, and names those in it by itself.
pub(super) const ABOUT: &str = "Tools whose names begin with `mobkit_` may have to be loaded by \
                                `tool_catalog_load`, once, before you can call them. Where these \
                                instructions name a tool without that beginning, put it in front; \
                                of `module:a/b` that makes `mobkit_module_a_b`. To other members \
                                you speak by `mobkit_send_message` alone.";

/// Whether a tool of the runtime is one of ours.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The tools that were registered, with the process in which they were.
#[derive(Debug, Default)]
struct Registered {
    start: u64,
    specs: BTreeMap<String, ToolSpec>,
}

/// The tools of ours.
#[derive(Debug, Default)]
pub(super) struct Tools {
    names: std::sync::Mutex<ToolNames>,
    registered: Mutex<Registered>,
}

impl Tools {
    fn names(&self) -> std::sync::MutexGuard<'_, ToolNames> {
        let names = self.names.lock();
        names.unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What the runtime calls a tool of ours.
    pub(super) fn theirs(&self, ours: &str) -> String {
        let prefixed = format!("{PREFIX}{ours}");
        let mut names = self.names();
        names.add(&prefixed);
        names.safe(&prefixed)
    }

    /// The qualified name of a tool that the runtime names; one that was never ours stays as it is.
    pub(super) fn ours(&self, theirs: &str) -> String {
        let ours = self.names().ours(theirs);
        ours.strip_prefix(PREFIX)
            .map_or_else(|| theirs.to_owned(), str::to_owned)
    }

    /// Registers what is new or has changed since the last time in this process of the runtime.
    /// Whoever starts a process registers all that is known before its members do anything.
    pub(super) async fn register(
        &self,
        (connection, start): (&Connection, u64),
        specs: &[ToolSpec],
    ) -> Result<(), RequestError> {
        let mut registered = self.registered.lock().await;
        let is_known = registered.start == start;
        let mut wanted = registered.specs.clone();
        wanted.extend(specs.iter().map(|spec| (spec.name.clone(), spec.clone())));
        let new = wanted
            .values()
            .filter(|spec| !is_known || registered.specs.get(&spec.name) != Some(spec));
        let new: Vec<Value> = new.map(|spec| self.told(spec)).collect();
        if !new.is_empty() {
            connection
                .request("tools/register", json!({"tools": new}))
                .await?;
        }
        *registered = Registered {
            start,
            specs: wanted,
        };
        Ok(())
    }

    fn told(&self, spec: &ToolSpec) -> Value {
        json!({
            "name": self.theirs(&spec.name),
            "description": spec.description,
            "input_schema": spec.schema,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_went_and_are_told_apart_from_the_runtimes_own() {
        let tools = Tools::default();
        for name in ["now", "send_message", "module:search/fetch"] {
            let theirs = tools.theirs(name);
            assert!(is_ours(&theirs), "{theirs}");
            assert_eq!(tools.ours(&theirs), name);
        }
        assert_eq!(
            tools.theirs("module:search/fetch"),
            "mobkit_module_search_fetch"
        );
        assert!(!is_ours("send_message"));
        assert_eq!(tools.ours("send_message"), "send_message");
    }

    #[test]
    fn two_names_that_would_become_one_stay_two() {
        let tools = Tools::default();
        let one = tools.theirs("module:a/b_c");
        let other = tools.theirs("module:a_b/c");
        assert_ne!(one, other);
        assert_eq!(tools.ours(&other), "module:a_b/c");
    }
}
