//! The whole definition.

use super::check;
use super::engine::{self, Engine, EngineSpec};
use super::flow::{self, Flow};
use super::gate::{self, Gate};
use super::member::{self, MemberSpec};
use super::model::{self, Model};
use super::module::{self, Module};
use super::profile::{self, Profile};
use super::report::{Noun, Report};
use super::route::{self, Route};
use super::schedule::{self, Schedule};
use super::server::{self, Server};
use super::source::{Node, Table, listed, named, tables};
use super::store::{self, Store};
use super::wiring::{self, Wiring};
use crate::canonical::{canonical_json, sha256_hex};
use crate::id::{FlowId, MobId, ModelId, ProfileId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const TURNS_MAX: u32 = 1024;
const QUEUE_MAX: u32 = 1000;

/// What members get that say nothing of their own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Defaults {
    /// The profile of members of the mob file that name none; [`Definition::members`] holds it
    /// already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
}

/// The desired state of a mob: the mob file with every default and every named file filled in, and
/// every reference known to lead somewhere. Secrets are references still.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Id of the mob.
    pub id: MobId,
    /// What the mob is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What members get that say nothing of their own.
    #[serde(default)]
    pub defaults: Defaults,
    /// Most turns of the mob that run at once; at least 1.
    pub turns_max: u32,
    /// Most messages that wait for one member; at least 1.
    pub queue_max: u32,
    /// Who answers.
    #[serde(default)]
    pub models: BTreeMap<ModelId, Model>,
    /// How external engines are run; one that is absent runs as [`Definition::engine_spec`]
    /// says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub engines: BTreeMap<Engine, EngineSpec>,
    /// The roles.
    #[serde(default)]
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// Who is in the mob, in the order of the file, each id once.
    #[serde(default)]
    pub members: Vec<MemberSpec>,
    /// Who may message whom.
    #[serde(default)]
    pub wiring: Wiring,
    /// Helper processes and remote servers, each id once.
    #[serde(default)]
    pub modules: Vec<Module>,
    /// When work is triggered, each id once.
    #[serde(default)]
    pub schedules: Vec<Schedule>,
    /// Which tool calls wait for a decision.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Where named outputs go, each id once.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Workflows.
    #[serde(default)]
    pub flows: BTreeMap<FlowId, Flow>,
    /// Where everything is kept.
    #[serde(default)]
    pub store: Store,
    /// Where the mob is served.
    #[serde(default)]
    pub server: Server,
}

impl Definition {
    /// A mob with nothing in it.
    pub fn new(id: MobId) -> Self {
        Self {
            id,
            description: None,
            defaults: Defaults::default(),
            turns_max: TURNS_MAX,
            queue_max: QUEUE_MAX,
            models: BTreeMap::new(),
            engines: BTreeMap::new(),
            profiles: BTreeMap::new(),
            members: Vec::new(),
            wiring: Wiring::default(),
            modules: Vec::new(),
            schedules: Vec::new(),
            gates: Vec::new(),
            routes: Vec::new(),
            flows: BTreeMap::new(),
            store: Store::default(),
            server: Server::default(),
        }
    }

    /// How an engine is run: as the mob file says, else as is usual; `None`: nobody says it.
    pub fn engine_spec(&self, engine: Engine) -> Option<EngineSpec> {
        let given = self.engines.get(&engine).cloned();
        given.or_else(|| EngineSpec::by_default(engine))
    }

    /// `sha256:` and the digest of the canonical JSON: the same for two files that mean the same.
    pub fn digest(&self) -> String {
        let value = serde_json::to_value(self).expect("every part of a definition is JSON");
        format!("sha256:{}", sha256_hex(canonical_json(&value)))
    }
}

/// What `[mob]` says.
struct Head {
    id: Option<MobId>,
    description: Option<String>,
    defaults: Defaults,
    turns_max: u32,
    queue_max: u32,
}

/// Reads the root of the file. `None` goes with at least one error.
pub(super) fn read(cx: &mut Report<'_>, mut root: Table<'_>) -> Option<Definition> {
    let head = root.need(cx, "mob", "[mob] with id = \"…\"");
    let head = head.and_then(|node| read_head(&node, cx));
    let by_default = head.as_ref().and_then(|head| head.defaults.profile.clone());
    let models = named(cx, &mut root, ("models", Noun::Model), model::read);
    check::fallback_cycles(cx, &models);
    let engines = engine::read(cx, &mut root);
    let profiles = named(cx, &mut root, ("profiles", Noun::Profile), profile::read);
    let members = listed(cx, &mut root, ("members", Noun::Member), |cx, id, table| {
        member::read(cx, id, table, by_default.as_ref())
    });
    let wiring = root.read(cx, "wiring", |node, cx| {
        let table = node.table_of(cx, "[wiring]".to_owned())?;
        Some(wiring::read(cx, table))
    });
    let modules = listed(cx, &mut root, ("modules", Noun::Module), module::read);
    let schedules = listed(cx, &mut root, ("schedules", Noun::Schedule), schedule::read);
    let gates = read_gates(cx, &mut root);
    let mut taken = BTreeSet::new();
    let routes = listed(cx, &mut root, ("routes", Noun::Route), |cx, id, table| {
        route::read(cx, id, table, &mut taken)
    });
    let flows = named(cx, &mut root, ("flows", Noun::Flow), flow::read);
    let store = root.read(cx, "store", |node, cx| {
        let table = node.table_of(cx, "[store]".to_owned())?;
        store::read(cx, table)
    });
    let server = root.read(cx, "server", |node, cx| {
        let table = node.table_of(cx, "[server]".to_owned())?;
        server::read(cx, table)
    });
    root.finish(cx);
    let head = head?;
    Some(Definition {
        id: head.id?,
        description: head.description,
        defaults: head.defaults,
        turns_max: head.turns_max,
        queue_max: head.queue_max,
        models,
        engines,
        profiles,
        members,
        wiring: wiring.unwrap_or_default(),
        modules,
        schedules,
        gates,
        routes,
        flows,
        store: store.unwrap_or_default(),
        server: server.unwrap_or_default(),
    })
}

fn read_head(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Head> {
    let mut table = node.table_of(cx, "[mob]".to_owned())?;
    let id = table
        .need(cx, "id", "id = \"…\"")
        .and_then(|node| node.id(cx));
    let description = table.read(cx, "description", Node::any_text);
    let defaults = table.read(cx, "defaults", |node, cx| {
        let mut table = node.table(cx)?;
        let profile = table.read(cx, "profile", |node, cx| {
            node.reference(cx, Noun::Profile, "[mob] gives members".to_owned())
        });
        table.finish(cx);
        Some(Defaults { profile })
    });
    let turns_max = table.read(cx, "turns_max", |node, cx| node.integer(cx, 1, 1_000_000));
    let queue_max = table.read(cx, "queue_max", |node, cx| node.integer(cx, 1, 1_000_000));
    table.finish(cx);
    Some(Head {
        id,
        description,
        defaults: defaults.unwrap_or_default(),
        turns_max: turns_max.unwrap_or(TURNS_MAX),
        queue_max: queue_max.unwrap_or(QUEUE_MAX),
    })
}

fn read_gates(cx: &mut Report<'_>, root: &mut Table<'_>) -> Vec<Gate> {
    let nodes = tables(cx, root, "gates");
    let mut guarded = BTreeSet::new();
    let gates = nodes.iter().enumerate().filter_map(|(i, node)| {
        let table = node.table_of(cx, format!("gate {}", i + 1))?;
        gate::read(cx, table, &mut guarded)
    });
    gates.collect()
}
