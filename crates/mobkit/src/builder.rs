//! Putting a mob together.

use crate::deliveries::{Deliveries, forget_changed};
use crate::file::{MobFile, Reread};
use crate::hosted::{HostedDiscovery, HostedEdges, HostedModel};
use crate::meerkat::MeerkatLauncher;
use crate::mob::Mob;
use crate::models::{ModelError, Models, is_rehearsal};
use crate::rehearsal::{Rehearsed, rehearsed};
use crate::runner::{Outside, Runners};
use crate::secrets::{HostEnvironment, Variables};
use crate::tool::HostTool;
use futures::future::BoxFuture;
use mobkit_agents::external::{ExternalEngines, TurnEngine};
use mobkit_agents::meerkat::Meerkat;
use mobkit_agents::model::ModelProvider;
use mobkit_agents::native::NativeEngine;
use mobkit_domain::definition::{
    Definition, Engine as EngineKind, StoreKind, Unsupported, unsupported,
};
use mobkit_domain::event::ErrorEvent;
use mobkit_domain::id::{MemberId, ModelId};
use mobkit_domain::plan::ApplyReport;
use mobkit_domain::tool::Toolbox;
use mobkit_engine::{
    Clock, DRAIN_TIMEOUT_MS, DefinitionSource, Discovery, EdgeDiscovery, Engine, EngineConfig,
    HookError, Hooks, Runner, StartError, SystemClock,
};
use mobkit_gateway::StartParts;
use mobkit_modules::Modules;
use mobkit_store::{Durability, MemoryStore, SqliteStore, Store, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a mob could not be built or started. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The definition uses parts that nothing here can run.
    #[error("the definition uses what this version can't run: {}", join(.0))]
    Unsupported(Vec<Unsupported>),
    /// A model can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state directory belongs to another mob, which would look lost otherwise.
    #[error("the state directory holds the mob {found}, not {wanted}")]
    OtherMob {
        /// The mob that was to be started.
        wanted: String,
        /// The mobs that the state directory holds.
        found: String,
    },
    /// No state directory was named for a store that needs one.
    #[error("a store of kind sqlite needs a state directory")]
    StateDirMissing,
    /// No state directory was named for an engine that keeps its own state there.
    #[error("the engine meerkat needs a state directory")]
    EngineStateDirMissing,
    /// The start failed and was undone.
    #[error(transparent)]
    Start(#[from] StartError),
}

fn join(parts: &[Unsupported]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|p| format!("{} ({})", p.path, p.what))
        .collect();
    parts.join(", ")
}

/// Puts a mob together; every part has a default but the definition.
pub struct MobBuilder {
    definition: Definition,
    folder: PathBuf,
    source: Option<Arc<dyn DefinitionSource>>,
    state_dir: Option<PathBuf>,
    store: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    hooks: Hooks,
    variables: Variables,
    rehearse: bool,
    drain_timeout_ms: u64,
    force: bool,
    models: BTreeMap<ModelId, Arc<dyn ModelProvider>>,
    tools: BTreeMap<String, Arc<dyn HostTool>>,
    engines: ExternalEngines,
    outside: Option<Arc<dyn Runner>>,
}

impl MobBuilder {
    /// A mob of a definition that was made in code. Relative paths start in the working directory.
    pub fn new(definition: Definition) -> Self {
        Self {
            definition,
            folder: PathBuf::from("."),
            source: None,
            state_dir: None,
            store: None,
            clock: Arc::new(SystemClock),
            hooks: Hooks::default(),
            variables: Arc::new(|_| None),
            rehearse: false,
            drain_timeout_ms: DRAIN_TIMEOUT_MS,
            force: false,
            models: BTreeMap::new(),
            tools: BTreeMap::new(),
            engines: ExternalEngines::default(),
            outside: None,
        }
    }

    /// A mob of a mob file, which is read again whenever a plan is made.
    pub fn of_file(file: MobFile) -> Self {
        let source: Arc<dyn DefinitionSource> = Arc::new(Reread(file.path));
        Self {
            folder: file.folder,
            source: Some(source),
            ..Self::new(file.definition)
        }
    }

    /// Where relative paths of the definition start, instead of the working directory or the folder
    /// of the mob file.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// Where the database, blobs and lock are kept.
    #[must_use]
    pub fn state_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(dir.into());
        self
    }

    /// Where a changed definition is read from whenever a plan is made, instead of the mob file.
    #[must_use]
    pub fn definition_source(mut self, source: Arc<dyn DefinitionSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// A store of the host, instead of the one that the definition names.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// A clock of the host, instead of that of the system.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Says which members should exist beside those of the definition.
    #[must_use]
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.hooks.discovery = Some(Arc::new(discovery));
        self
    }

    /// Says which edges should exist beside those of the definition.
    #[must_use]
    pub fn edge_discovery(mut self, discovery: impl EdgeDiscovery) -> Self {
        self.hooks.edge_discovery = Some(Arc::new(discovery));
        self
    }

    /// Runs once, before the first discovery; its value is the context of that. An error undoes the
    /// start.
    #[must_use]
    pub fn pre_spawn<F>(mut self, hook: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<Value, HookError>> + Send + Sync + 'static,
    {
        self.hooks.pre_spawn = Some(Arc::new(hook));
        self
    }

    /// Runs after every batch of spawns of which at least one succeeded, with those that did.
    #[must_use]
    pub fn post_spawn<F>(mut self, hook: F) -> Self
    where
        F: Fn(Vec<MemberId>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    {
        self.hooks.post_spawn = Some(Arc::new(hook));
        self
    }

    /// Runs after every apply, with what came of it.
    #[must_use]
    pub fn post_reconcile<F>(mut self, hook: F) -> Self
    where
        F: Fn(ApplyReport) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    {
        self.hooks.post_reconcile = Some(Arc::new(hook));
        self
    }

    /// Gets every error in the order of the journal, one at a time. What the host has not seen when
    /// the process ends it gets at the next start.
    #[must_use]
    pub fn on_error<F>(mut self, hook: F) -> Self
    where
        F: Fn(ErrorEvent) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    {
        self.hooks.on_error = Some(Arc::new(hook));
        self
    }

    /// How environment variables are looked up, for secrets and for what modules get of PATH, HOME,
    /// LANG and TZ. Without it none is found.
    #[must_use]
    pub fn variables<F>(mut self, variables: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        self.variables = Arc::new(variables);
        self
    }

    /// Lets the script of the first rehearsal model answer for every model, also for members whose
    /// profile names another engine: the native one runs them then.
    #[must_use]
    pub fn rehearse(mut self, rehearse: bool) -> Self {
        self.rehearse = rehearse;
        self
    }

    /// How long running turns may take to end at a shutdown, in milliseconds.
    #[must_use]
    pub fn drain_timeout_ms(mut self, ms: u64) -> Self {
        self.drain_timeout_ms = ms;
        self
    }

    /// Lets the start retire more than half of the members. Without it such a start is refused,
    /// since a source that is down looks the same.
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// A provider of the host for a model of the definition, instead of the one that it names.
    #[must_use]
    pub fn model(mut self, id: ModelId, provider: Arc<dyn ModelProvider>) -> Self {
        self.models.insert(id, provider);
        self
    }

    /// Lets the program with which [`Mob::talk`] talks serve these parts over its session; tools it
    /// registers by itself. Takes the place of a discovery that was given before.
    #[must_use]
    pub fn served(mut self, parts: StartParts) -> Self {
        let hosts = self.hooks.hosts.clone();
        if parts.discovery {
            self = self.discovery(HostedDiscovery(hosts.clone()));
        }
        if parts.edges {
            self = self.edge_discovery(HostedEdges(hosts.clone()));
        }
        for model in parts.models {
            let hosts = hosts.clone();
            let provider = HostedModel {
                hosts,
                model: model.clone(),
            };
            self = self.model(model, Arc::new(provider));
        }
        self
    }

    /// Offers a tool of the host to members whose profile names it.
    #[must_use]
    pub fn tool(mut self, tool: impl HostTool) -> Self {
        self.tools.insert(tool.spec().name, Arc::new(tool));
        self
    }

    /// Runs members whose profile names this kind of engine.
    #[must_use]
    pub fn engine(mut self, kind: EngineKind, engine: Arc<dyn TurnEngine>) -> Self {
        self.engines.add(kind, engine);
        self
    }

    /// Runs what reaches outside, instead of processes and sinks: starts, stops and calls of
    /// modules, and attempts at deliveries. It is asked to end its modules at a stop.
    #[must_use]
    pub fn outside(mut self, runner: Arc<dyn Runner>) -> Self {
        self.outside = Some(runner);
        self
    }

    /// Opens the store and reads the journal; the mob serves reads. [`Mob::bring_up`] does the
    /// rest.
    pub async fn open(mut self) -> Result<Mob, BuildError> {
        if self.rehearse {
            self.definition = rehearsed(self.definition);
            let source = self.source.take();
            self.source = source.map(|source| Arc::new(Rehearsed(source)) as _);
        }
        self.check_supported()?;
        let needs_meerkat = self.needs_meerkat()?;
        let rehearsal = self.rehearse || is_rehearsal(&self.definition);
        // Before the state directory is made: who lacks a key finds nothing left behind.
        let (folder, given) = (self.folder.clone(), std::mem::take(&mut self.models));
        let models = Models::new(self.rehearse, folder, self.variables.clone(), given);
        models.make_all(&self.definition).await?;
        let store = self.open_store().await?;
        let (modules, deliveries, launcher) = self.real_outside();
        if let Some(state_dir) = needs_meerkat {
            let engine = Meerkat::new(Arc::new(launcher), state_dir);
            self.engines.add(EngineKind::Meerkat, Arc::new(engine));
        }
        // Sinks that nothing is sent over hold nothing to forget.
        let sinks = self.outside.is_none().then(|| deliveries.sinks());
        let real = Outside {
            modules,
            deliveries,
        };
        let outside = self.outside.unwrap_or_else(|| Arc::new(real));
        let toolbox = self
            .tools
            .iter()
            .map(|(name, tool)| (name.clone(), tool.spec()))
            .collect();
        let config = EngineConfig {
            store: Arc::clone(&store),
            clock: self.clock,
            definition: Arc::new(self.definition),
            source: self.source,
            toolbox: Arc::new(Toolbox(toolbox)),
            runner: Arc::new(Runners {
                native: NativeEngine::new(Arc::new(models)),
                external: self.engines,
                outside,
                tools: self.tools,
            }),
            hooks: self.hooks,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rehearsal,
            drain_timeout_ms: self.drain_timeout_ms,
            force_first: self.force,
        };
        match Engine::open(config).await {
            Ok(engine) => {
                if let Some(sinks) = sinks {
                    forget_changed(&engine, sinks);
                }
                Ok(Mob::new(engine))
            }
            Err(error) => {
                // Whatever the reason, the state directory is free again.
                let _ = store.close().await;
                Err(error.into())
            }
        }
    }

    /// Opens and brings up: returns once turns may begin. A failure undoes everything.
    pub async fn start(self) -> Result<Mob, BuildError> {
        let mob = self.open().await?;
        mob.bring_up().await?;
        Ok(mob)
    }

    /// Where the Meerkat runtime keeps its state, if a profile wants it and the host brought none.
    fn needs_meerkat(&self) -> Result<Option<PathBuf>, BuildError> {
        let mut profiles = self.definition.profiles.values();
        let is_wanted = profiles.any(|profile| profile.engine == EngineKind::Meerkat);
        if !is_wanted || self.engines.kinds().any(|kind| kind == EngineKind::Meerkat) {
            return Ok(None);
        }
        let state_dir = self.state_dir.clone();
        state_dir.map(Some).ok_or(BuildError::EngineStateDirMissing)
    }

    /// What reaches outside: the modules, of which none runs yet, the sinks, and whoever could
    /// start the Meerkat runtime.
    fn real_outside(&self) -> (Modules, Deliveries, MeerkatLauncher) {
        let environment = Arc::new(HostEnvironment {
            folder: self.folder.clone(),
            variables: Arc::clone(&self.variables),
        });
        let modules = Modules::new(self.folder.clone(), environment.clone());
        let launcher = MeerkatLauncher {
            host: Arc::clone(&environment),
            processes: modules.processes(),
        };
        let deliveries = Deliveries::new(self.folder.clone(), environment);
        (modules, deliveries, launcher)
    }

    fn check_supported(&self) -> Result<(), BuildError> {
        let plugged: Vec<EngineKind> = self.engines.kinds().collect();
        let parts: Vec<Unsupported> = unsupported(&self.definition)
            .into_iter()
            .filter(|part| !self.is_plugged(part, &plugged))
            .collect();
        if parts.is_empty() {
            Ok(())
        } else {
            Err(BuildError::Unsupported(parts))
        }
    }

    /// Whether the host brought what the part needs.
    fn is_plugged(&self, part: &Unsupported, engines: &[EngineKind]) -> bool {
        let named = part.path.strip_prefix("engines.");
        if named.is_some_and(|name| engines.iter().any(|engine| engine.as_str() == name)) {
            return true;
        }
        let profile = part
            .path
            .strip_prefix("profiles.")
            .and_then(|p| p.strip_suffix(".engine"));
        let engine = profile.and_then(|name| {
            let mut profiles = self.definition.profiles.iter();
            profiles
                .find(|(id, _)| id.as_str() == name)
                .map(|(_, profile)| profile.engine)
        });
        engine.is_some_and(|engine| engines.contains(&engine))
    }

    async fn open_store(&self) -> Result<Arc<dyn Store>, BuildError> {
        if let Some(store) = &self.store {
            return Ok(Arc::clone(store));
        }
        match self.definition.store.kind {
            StoreKind::Memory => Ok(Arc::new(MemoryStore::new())),
            StoreKind::Sqlite => self.open_sqlite().await,
            // `check_supported` names it before anything is opened.
            StoreKind::Postgres { .. } => {
                Err(BuildError::Unsupported(unsupported(&self.definition)))
            }
        }
    }

    async fn open_sqlite(&self) -> Result<Arc<dyn Store>, BuildError> {
        let dir = self.state_dir.as_ref().ok_or(BuildError::StateDirMissing)?;
        let durability = match self.definition.store.durability {
            mobkit_domain::definition::Durability::Power => Durability::Power,
            mobkit_domain::definition::Durability::Process => Durability::Process,
        };
        let store = SqliteStore::open(dir, durability)?;
        let mobs = store.mobs().await?;
        let wanted = self.definition.id.as_str();
        if mobs.is_empty() || mobs.iter().any(|mob| mob == wanted) {
            return Ok(Arc::new(store));
        }
        store.close().await?;
        let (wanted, found) = (wanted.to_owned(), mobs.join(", "));
        Err(BuildError::OtherMob { wanted, found })
    }
}
