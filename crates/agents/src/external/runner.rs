//! Effects of external engines on their way to them.

use super::port::TurnPort;
use super::seam::{EngineError, MemberStart, TurnEngine, TurnInput};
use crate::native::{Transcript, instructions, member_tools};
use mobkit_domain::command::{Command, MemberCommand, TurnCommand};
use mobkit_domain::definition::Engine as EngineKind;
use mobkit_domain::event::{Fence, Offers};
use mobkit_domain::id::{MemberId, TurnId};
use mobkit_engine::{EffectPort, Engine, EngineStopped, stash_text};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OnceCell};

/// Members with the token under which each is prepared in this process, and what its engine can do
/// once it is.
type Prepared = BTreeMap<MemberId, (Fence, Arc<OnceCell<Offers>>)>;

/// The external engines of a mob, by the word that profiles use.
#[derive(Default)]
pub struct ExternalEngines {
    engines: Vec<(EngineKind, Arc<dyn TurnEngine>)>,
    /// The token under which each member is prepared in this process, and whether it has been:
    /// its start and its turn may ask for that at the same moment.
    prepared: Mutex<Prepared>,
    /// Turns that run in this process; told when a message waits to join one.
    running: Mutex<BTreeMap<TurnId, Arc<Notify>>>,
}

impl ExternalEngines {
    /// Adds an engine for profiles of a kind; a later one of the same kind replaces it.
    pub fn add(&mut self, kind: EngineKind, engine: Arc<dyn TurnEngine>) {
        self.engines.retain(|(known, _)| *known != kind);
        self.engines.push((kind, engine));
    }

    /// The kinds that have an engine.
    pub fn kinds(&self) -> impl Iterator<Item = EngineKind> {
        self.engines.iter().map(|(kind, _)| *kind)
    }

    fn of(&self, mob: &Engine, member: &MemberId) -> Result<Arc<dyn TurnEngine>, EngineError> {
        let kind = mob.view(|world| {
            let member = world.state.members.get(member)?;
            Some(world.definition.profiles.get(&member.profile)?.engine)
        });
        let undefined = || EngineError::Failed("its profile is no longer defined".to_owned());
        let kind = kind.ok_or_else(undefined)?;
        let found = self.engines.iter().find(|(known, _)| *known == kind);
        let absent = || {
            EngineError::Failed(format!(
                "this program has no engine {kind}; let the profile name another one"
            ))
        };
        found
            .map(|(_, engine)| Arc::clone(engine))
            .ok_or_else(absent)
    }

    /// Starts a member, and says what came of it.
    pub async fn start(
        &self,
        member: MemberId,
        fence: Fence,
        port: &EffectPort,
    ) -> Option<Command> {
        let started = self.prepare(&member, fence, &port.engine).await;
        let (offers, error) = match started {
            Ok(offers) => (offers, None),
            Err(EngineError::Stale) => return None,
            Err(error @ (EngineError::Failed(_) | EngineError::Lost(_))) => {
                (Offers::default(), Some(error.to_string()))
            }
        };
        Some(Command::Member(MemberCommand::EngineStarted {
            member,
            fence,
            offers,
            error,
        }))
    }

    /// Has the engine prepare a member, unless this process had it do so under this token, and
    /// says what the engine can do.
    async fn prepare(
        &self,
        member: &MemberId,
        fence: Fence,
        mob: &Engine,
    ) -> Result<Offers, EngineError> {
        let prepared = self.prepared_under(member, fence)?;
        let offers = prepared.get_or_try_init(|| async {
            let engine = self.of(mob, member)?;
            let start = member_start(mob, member, fence).ok_or(EngineError::Stale)?;
            engine.start_member(start, mob).await?;
            Ok(engine.offers())
        });
        offers.await.copied()
    }

    /// Whether the member is prepared under this token; a token that is older than the last one
    /// is of nobody any longer.
    fn prepared_under(
        &self,
        member: &MemberId,
        fence: Fence,
    ) -> Result<Arc<OnceCell<Offers>>, EngineError> {
        let mut all = self.prepared();
        match all.get(member) {
            Some((known, prepared)) if *known == fence => Ok(Arc::clone(prepared)),
            Some((known, _)) if *known > fence => Err(EngineError::Stale),
            Some(_) | None => {
                let prepared = Arc::default();
                all.insert(member.clone(), (fence, Arc::clone(&prepared)));
                Ok(prepared)
            }
        }
    }

    fn prepared(&self) -> MutexGuard<'_, Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<TurnId, Arc<Notify>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a turn, and says what came of it.
    pub async fn turn(
        &self,
        (turn, member, fence): (TurnId, MemberId, Fence),
        resumed: bool,
        port: EffectPort,
    ) -> Option<Command> {
        let mob = port.engine.clone();
        // After a restart nobody has prepared the member in this process yet.
        let run = async {
            self.prepare(&member, fence, &mob).await?;
            let engine = self.of(&mob, &member)?;
            let input = turn_input(&mob, turn, &member, fence, resumed).await;
            let input = input.map_err(EngineError::Failed)?;
            let port = TurnPort {
                effect: port,
                turn,
                member: member.clone(),
                fence,
            };
            self.run(engine, input, port).await
        };
        let outcome = match run.await {
            Ok(text) => {
                let kept = stash_text(mob.store().as_ref(), &text).await;
                kept.map_err(|error| error.to_string())
            }
            Err(EngineError::Stale) => return None,
            Err(EngineError::Lost(reason)) => {
                return Some(Command::Turn(TurnCommand::EngineLost {
                    turn,
                    fence,
                    reason,
                }));
            }
            Err(EngineError::Failed(reason)) => Err(reason),
        };
        Some(Command::Turn(TurnCommand::EngineEnded {
            turn,
            fence,
            outcome,
        }))
    }

    /// Releases what engines keep of a member that has left.
    pub async fn stop_member(&self, member: &MemberId) {
        self.prepared().remove(member);
        for (_, engine) in &self.engines {
            engine.stop_member(member).await;
        }
    }

    /// Ends all engines.
    pub async fn stop(&self) -> Vec<EngineStopped> {
        let mut stopped = Vec::new();
        for (_, engine) in &self.engines {
            let result = engine.stop().await;
            stopped.push(EngineStopped {
                engine: engine.name().to_owned(),
                result,
            });
        }
        stopped
    }
}

fn member_start(mob: &Engine, id: &MemberId, fence: Fence) -> Option<MemberStart> {
    mob.view(|world| {
        let member = world.state.members.get(id)?;
        let profile = world.definition.profiles.get(&member.profile)?;
        Some(MemberStart {
            member: id.clone(),
            fence,
            session: member.session,
            profile: profile.clone(),
            instructions: instructions(world, id, profile),
            tools: member_tools(world, id, profile),
        })
    })
}

async fn turn_input(
    mob: &Engine,
    turn: TurnId,
    member: &MemberId,
    fence: Fence,
    resumed: bool,
) -> Result<TurnInput, String> {
    let session = mob.view(|world| world.state.members.get(member).map(|m| m.session));
    let session = session.ok_or_else(|| format!("there is no member {member}"))?;
    let mut transcript = Transcript::of(session);
    transcript
        .read_on(mob, member)
        .await
        .map_err(|error| error.to_string())?;
    let items = transcript.of_last_turn().to_vec();
    let tools = mob.view(|world| {
        let found = world.state.members.get(member)?;
        let profile = world.definition.profiles.get(&found.profile)?;
        Some(member_tools(world, member, profile))
    });
    let member = member.clone();
    Ok(TurnInput {
        turn,
        member,
        fence,
        session,
        resumed,
        items,
        tools: tools.unwrap_or_default(),
    })
}
