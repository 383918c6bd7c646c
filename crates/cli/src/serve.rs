//! The library, run for `mobkit up`.

use crate::failure::{Exit, Failure};
use crate::state_dir::{Announcement, token};
use crate::up::{Launch, ModuleState, Ready, Stopped};
use crate::{environment, listen};
use mobkit::definition::Start;
use mobkit::event::{Event, EventFilter};
use mobkit::id::Seq;
use mobkit::{
    Access, BuildError, Engine, Mob, MobBuilder, ModelError, StartError, StartParts, StoreError,
};
use std::path::PathBuf;

/// Who hears of a mob that runs.
pub(crate) trait Audience {
    /// It takes messages.
    fn ready(&self, ready: &Ready);
    /// A module has come to answer, or no longer does.
    fn module(&self, event: &Event);
    /// Waits until the mob may be brought up; an error says why not.
    fn may_start(&self) -> impl Future<Output = Result<(), Failure>> {
        std::future::ready(Ok(()))
    }
    /// Does what is to be done beside the mob for as long as it lives; it ends when the mob stops.
    fn accompany(&self, _: &Mob) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// Runs the mob until `stop`, and then stops it in order.
pub(crate) async fn serve(
    (launch, parts): (Launch, StartParts),
    audience: &impl Audience,
    stop: impl Future<Output = ()>,
) -> Result<Stopped, Failure> {
    let mob = MobBuilder::of_file(launch.file.clone())
        .state_dir(&launch.state)
        .variables(environment::variable)
        .rehearse(launch.rehearse)
        .force(launch.force)
        .served(parts)
        .open()
        .await
        .map_err(|error| refused(&error))?;
    match serve_open(&mob, &launch, audience, stop).await {
        Ok(stopped) => Ok(stopped),
        Err(failure) => {
            mob.shutdown().await;
            Err(failure)
        }
    }
}

async fn serve_open(
    mob: &Mob,
    launch: &Launch,
    audience: &impl Audience,
    stop: impl Future<Output = ()>,
) -> Result<Stopped, Failure> {
    let (token, token_file) = token(&launch.state)?;
    let listener = listen::bind(launch.listen)?;
    let setup = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            "listen.failed",
            format!("cannot listen: {error}"),
        )
    };
    let url = format!("http://{}/", listener.local_addr().map_err(setup)?);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(setup)?;
    let started = mob.engine().now().to_string();
    let _announced = Announcement::publish(&launch.state, &url, &started)?;
    let running = mob.run(listener, Access::operator_token(&token), stop);
    let starting = async {
        if let Err(failure) = audience.may_start().await {
            mob.shutdown().await;
            return Ok(Some(failure));
        }
        mob.bring_up().await?;
        let known = mob.engine().head();
        audience.ready(&ready(mob.engine(), &url, token_file));
        watch_modules(mob, known, audience).await;
        Ok::<Option<Failure>, BuildError>(None)
    };
    // Reads are served while the mob comes up; a start that fails stops the serving too.
    let (report, started, ()) = tokio::join!(running, starting, audience.accompany(mob));
    match started {
        // Asked to stop before it was up: what was brought up is taken down again, in order.
        Err(BuildError::Start(StartError::Cancelled)) if report.shutdown.is_orderly() => {}
        started => {
            if let Some(failure) = started.map_err(|error| refused(&error))? {
                return Err(failure);
            }
        }
    }
    if let Some(error) = report.serve {
        let message = format!("the server failed: {error}");
        return Err(Failure::new(Exit::Failed, "serve.failed", message));
    }
    let clean = report.shutdown.is_orderly();
    let report = serde_json::to_value(&report.shutdown).unwrap_or_default();
    Ok(Stopped { clean, report })
}

fn ready(engine: &Engine, url: &str, token_file: PathBuf) -> Ready {
    engine.view(|world| {
        let state = &world.state;
        let word = |id| state.member_state(id).map_or("", |s| s.as_str()).to_owned();
        let members = state.present().map(|(id, _)| (id.to_string(), word(id)));
        let modules = world.definition.modules.iter().map(|defined| {
            let found = state.modules.get(&defined.id);
            ModuleState {
                id: defined.id.to_string(),
                state: found.map_or("stopped", |found| found.status.as_str()),
                reason: found.and_then(|found| found.reason.clone()),
                is_held: found.is_some_and(|found| found.held),
                is_lazy: matches!(defined.start, Start::Lazy { .. }),
            }
        });
        Ready {
            url: url.to_owned(),
            members: members.collect(),
            modules: modules.collect(),
            token_file,
        }
    })
}

/// Kinds of events that say how a module is.
const MODULE_KINDS: [&str; 4] = [
    "module.healthy",
    "module.unhealthy",
    "module.restarting",
    "module.quarantined",
];

/// Tells of the modules until the mob has stopped.
async fn watch_modules(mob: &Mob, after: Seq, audience: &impl Audience) {
    let filter = EventFilter {
        kinds: MODULE_KINDS.map(str::to_owned).to_vec(),
        ..EventFilter::default()
    };
    let Ok(mut reader) = mob.events(after, filter).await else {
        return;
    };
    while let Ok(Some(events)) = reader.next(MODULE_KINDS.len()).await {
        for event in events {
            audience.module(&event.envelope.event);
        }
    }
}

fn refused(error: &BuildError) -> Failure {
    let message = error.to_string();
    match error {
        BuildError::Unsupported(_) => Failure::new(Exit::Config, "definition.unsupported", message)
            .hint("take these parts out of the mob file"),
        BuildError::Model(ModelError::KeyMissing { .. }) => {
            Failure::new(Exit::Failed, "model.key_missing", message)
                .hint("set it, or let a script answer for every model: `mobkit up --rehearse`")
        }
        BuildError::Model(_) => Failure::new(Exit::Failed, "model.unusable", message)
            .hint("set the key, or let a script answer: `mobkit up --rehearse`"),
        BuildError::Store(StoreError::Locked { .. }) => {
            Failure::new(Exit::Conflict, "state_dir.locked", message)
                .hint("that process serves this mob already; `mobkit status` asks it")
        }
        BuildError::Store(_) | BuildError::StateDirMissing | BuildError::EngineStateDirMissing => {
            Failure::new(Exit::Failed, "store.failed", message)
                .hint("name another state directory with --state, or mend this one")
        }
        BuildError::OtherMob { .. } => Failure::new(Exit::Conflict, "state_dir.other_mob", message)
            .hint("name a state directory of its own with --state, or take the old id back"),
        BuildError::Start(StartError::Refused(refusal)) if refusal.code == "plan.mass_removal" => {
            Failure::new(Exit::Conflict, "plan.mass_removal", message)
                .hint("if that is what you want: `mobkit up --force`")
        }
        BuildError::Start(_) => Failure::new(Exit::Failed, "start.failed", message)
            .hint("nothing runs any longer; mend the cause and start again"),
    }
}
