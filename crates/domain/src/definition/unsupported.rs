//! Parts of the format that have no runner in this version.

use super::engine::Engine;
use super::mob::Definition;
use super::profile::Profile;
use super::schedule::ScheduleTarget;
use super::server::Auth;
use super::store::StoreKind;
use super::tool::ToolSelector;
use serde::{Deserialize, Serialize};

/// A part of a definition that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsupported {
    /// Where it is, e.g. `profiles.editor.tools[2]` or `schedules`.
    pub path: String,
    /// What it is, for people, e.g. `schedules`.
    pub what: String,
}

/// Every part of a definition that has no runner in this version. A mob with any of them must not
/// be started, since the part would be ignored silently.
pub fn unsupported(definition: &Definition) -> Vec<Unsupported> {
    let mut found = Vec::new();
    let mut add = |used: bool, path: String, what: &str| {
        if used {
            found.push(Unsupported {
                path,
                what: what.to_owned(),
            });
        }
    };
    for (i, schedule) in definition.schedules.iter().enumerate() {
        let flow = matches!(schedule.to, ScheduleTarget::Flow(_));
        let path = format!("schedules[{i}].to");
        add(flow, path, "schedules that start flows");
    }
    add(!definition.flows.is_empty(), "flows".to_owned(), "flows");
    let postgres = matches!(definition.store.kind, StoreKind::Postgres { .. });
    add(postgres, "store.kind".to_owned(), "a postgres store");
    let auth = definition.server.auth != Auth::Token;
    add(
        auth,
        "server.auth.mode".to_owned(),
        "an auth mode other than token",
    );
    let exposed = !definition.server.listen.ip().is_loopback();
    add(
        exposed,
        "server.listen".to_owned(),
        "a server that other machines can reach",
    );
    for engine in definition.engines.keys() {
        let what = format!("the engine {engine}");
        add(!runs(*engine), format!("engines.{engine}"), &what);
    }
    for (id, profile) in &definition.profiles {
        unsupported_profile(&format!("profiles.{id}"), profile, &mut add);
    }
    found
}

/// Whether this version knows how to run an engine of its own accord.
fn runs(engine: Engine) -> bool {
    match engine {
        Engine::Native | Engine::Meerkat => true,
        Engine::A2a | Engine::Acp => false,
    }
}

fn unsupported_profile(path: &str, profile: &Profile, add: &mut impl FnMut(bool, String, &str)) {
    add(
        !runs(profile.engine),
        format!("{path}.engine"),
        &format!("the engine {}", profile.engine),
    );
    for (i, tool) in profile.tools.iter().enumerate() {
        let unknown = match tool {
            ToolSelector::BuiltIn(name) => {
                let group = matches!(name.as_str(), "peers" | "schedule" | "task");
                !group && !crate::tool::is_built_in(name)
            }
            ToolSelector::Engine(set) => !profile.engine.tool_sets().contains(&set.as_str()),
            ToolSelector::Module { .. } | ToolSelector::Host(_) => false,
        };
        add(
            unknown,
            format!("{path}.tools[{i}]"),
            &format!("the tool {tool}"),
        );
    }
    add(
        profile.exposed,
        format!("{path}.exposed"),
        "members that are reachable from outside",
    );
}
