//! The one process of the runtime: started when it is first needed, watched, started again after an
//! end that nobody wanted, given up when that happens too often, and stopped in order.

use super::config::Config;
use super::connection::{Connection, Listener};
use super::launch::Launcher;
use super::life::Life;
use async_trait::async_trait;
use mobkit_engine::{Engine, OnError, OnStop, TaskKind};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const SUPERVISION: TaskKind = TaskKind {
    name: "engine supervision",
    on_stop: OnStop::Abort,
    on_error: OnError::Report,
};

/// A runtime that runs and is ready for use.
#[derive(Clone)]
pub struct Live {
    /// The way to speak to it.
    pub connection: Connection,
    /// The how-manieth process of this mobkit it is, from 1 on.
    pub start: u64,
    /// With which models it was started.
    pub(super) config: Arc<Config>,
}

/// Why there is no runtime to speak to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Down {
    /// It could not be started, or ended too often; the reason says what helps. The next who needs
    /// it has it tried again.
    #[error("{0}")]
    GaveUp(String),
    /// It was stopped, since mobkit stops.
    #[error("the engine was stopped")]
    Stopping,
}

/// What is to be done with each new process before anybody may use it.
#[async_trait]
pub trait Attach: Send + Sync + 'static {
    /// Who hears what this process says.
    fn listener(&self, start: u64) -> Arc<dyn Listener>;

    /// Makes it ready. The error ends the process, and counts like its end.
    async fn attach(&self, live: &Live, mob: &Engine) -> Result<(), String>;
}

/// How it stands.
#[derive(Clone)]
pub(super) enum Standing {
    /// Nobody has needed it, or it was given up, for this reason.
    Down { gave_up: Option<String> },
    /// It is being started, or waits to be.
    Starting,
    /// It is ready.
    Up(Live),
    /// It was stopped, and this was seen.
    Stopped(String),
}

/// What the task that watches over the process shares with those who need it.
pub(super) struct Shared {
    pub(super) launcher: Arc<dyn Launcher>,
    pub(super) attach: Arc<dyn Attach>,
    pub(super) state_dir: PathBuf,
    pub(super) standing: watch::Sender<Standing>,
    /// The last process whose end is recorded, and why it ended.
    pub(super) ended: watch::Sender<(u64, String)>,
    /// The last process that is to be replaced, since the models have changed.
    pub(super) outdated: watch::Sender<u64>,
    /// Fires when it is to be stopped.
    pub(super) stopping: CancellationToken,
}

/// Watches over the one process of the runtime. Nothing runs before somebody needs it.
pub struct Supervision {
    shared: Arc<Shared>,
}

impl Supervision {
    /// Whose processes `launcher` starts, with private folders below `state_dir`, and of which each
    /// is made ready by `attach`.
    pub fn new(launcher: Arc<dyn Launcher>, state_dir: PathBuf, attach: Arc<dyn Attach>) -> Self {
        let shared = Shared {
            launcher,
            attach,
            state_dir,
            standing: watch::Sender::new(Standing::Down { gave_up: None }),
            ended: watch::Sender::new((0, String::new())),
            outdated: watch::Sender::new(0),
            stopping: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The runtime as it is ready for use. Starts it where it is down, once for all who ask, and
    /// waits out the pause before a restart. One whose models are no longer those of the mob file
    /// is replaced first.
    pub async fn connection(&self, mob: &Engine) -> Result<Live, Down> {
        let mut standing = self.shared.standing.subscribe();
        loop {
            self.begin(mob);
            let found = standing.wait_for(is_settled).await;
            let found = found.map_err(|_| Down::Stopping)?.clone();
            match found {
                Standing::Up(live) if is_outdated(&live, mob) => {
                    self.shared.outdated.send_if_modified(|outdated| {
                        let is_new = *outdated < live.start;
                        *outdated = live.start.max(*outdated);
                        is_new
                    });
                    self.ended(live.start).await;
                }
                Standing::Up(live) => return Ok(live),
                Standing::Down { gave_up } => {
                    return Err(Down::GaveUp(gave_up.unwrap_or_default()));
                }
                Standing::Stopped(_) => return Err(Down::Stopping),
                Standing::Starting => {}
            }
        }
    }

    /// Waits until the end of a process is recorded, and says why it ended.
    pub async fn ended(&self, start: u64) -> String {
        let mut ended = self.shared.ended.subscribe();
        let found = ended.wait_for(|(last, _)| *last >= start).await;
        found.map(|found| found.1.clone()).unwrap_or_default()
    }

    /// Stops the process, for good, and says in one line what was seen.
    pub async fn stop(&self) -> String {
        self.shared.stopping.cancel();
        let mut standing = self.shared.standing.subscribe();
        self.shared.standing.send_if_modified(|standing| {
            let is_down = matches!(standing, Standing::Down { .. });
            if is_down {
                *standing = Standing::Stopped("it was not running".to_owned());
            }
            is_down
        });
        let seen = standing
            .wait_for(|standing| matches!(standing, Standing::Stopped(_)))
            .await;
        match seen.as_deref() {
            Ok(Standing::Stopped(seen)) => seen.clone(),
            _ => String::new(),
        }
    }

    /// Has the process started, unless it is up or on its way.
    fn begin(&self, mob: &Engine) {
        let begins = self.shared.standing.send_if_modified(|standing| {
            let begins =
                matches!(standing, Standing::Down { .. }) && !self.shared.stopping.is_cancelled();
            if begins {
                *standing = Standing::Starting;
            }
            begins
        });
        if begins {
            let life = Life::of(Arc::clone(&self.shared), mob.clone());
            mob.tasks().spawn(SUPERVISION, life.run());
        }
    }
}

/// Whether there is nothing to wait for.
fn is_settled(standing: &Standing) -> bool {
    match standing {
        Standing::Starting => false,
        // The next thing that is known of it is its end.
        Standing::Up(live) => !live.connection.closed().is_cancelled(),
        Standing::Down { .. } | Standing::Stopped(_) => true,
    }
}

/// Whether it was started with other models than the mob file has now. Models that it can't use
/// change nothing for those who use others.
fn is_outdated(live: &Live, mob: &Engine) -> bool {
    let config = Config::of(&mob.view(|world| Arc::clone(&world.definition)));
    config.is_ok_and(|config| config != *live.config)
}

#[cfg(test)]
mod tests;
