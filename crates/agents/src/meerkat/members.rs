//! Members of ours in the runtime: each is there once, with the session that is its own.

use super::config::ModelName;
use super::definition::{self, Change, Wanted};
use super::engine::Runtime;
use super::frames::RequestError;
use super::structure;
use super::supervision::Live;
use super::tools;
use crate::external::{EngineError, MemberStart};
use mobkit_domain::id::MemberId;
use mobkit_domain::model::Usage;
use mobkit_engine::Engine;
use serde_json::{Value, json};

/// Where a member is.
pub(super) struct Place<'a> {
    pub(super) live: &'a Live,
    /// What the runtime calls our mob.
    pub(super) mob: &'a str,
}

impl Place<'_> {
    async fn ask(&self, method: &str, params: Value) -> Result<Value, RequestError> {
        self.live.connection.request(method, params).await
    }

    async fn row(&self, identity: &str) -> Result<Option<Value>, RequestError> {
        let members = self.ask("mob/members", json!({"mob_id": self.mob})).await?;
        let rows = members.get("members").and_then(Value::as_array);
        let mut rows = rows.into_iter().flatten();
        let is_it =
            |row: &&Value| row.get("agent_identity").and_then(Value::as_str) == Some(identity);
        Ok(rows.find(is_it).cloned())
    }

    async fn status(&self, identity: &str) -> Result<Value, RequestError> {
        let params = json!({"mob_id": self.mob, "agent_identity": identity});
        self.ask("mob/member_status", params).await
    }

    /// Lets a member go; one that is not there is no failure.
    async fn retire(&self, identity: &str) -> Result<(), RequestError> {
        let params = json!({"mob_id": self.mob, "agent_identity": identity});
        self.ask("mob/retire", params).await.map(|_| ())
    }

    async fn spawn(&self, wanted: &Wanted, session: Option<&str>) -> Result<(), RequestError> {
        self.ask("mob/spawn", wanted.spawn(self.mob, session))
            .await
            .map(|_| ())
    }

    /// Brings a member to what it is to be.
    async fn change(&self, wanted: &Wanted, change: Change) -> Result<(), RequestError> {
        let identity = wanted.identity.as_str();
        match change {
            Change::Keep => Ok(()),
            Change::Spawn => self.spawn(wanted, None).await,
            Change::Reset => {
                self.retire(identity).await?;
                self.spawn(wanted, None).await
            }
            Change::Retell | Change::Renew => {
                let status = self.status(identity).await?;
                let session = status.get("current_session_id").and_then(Value::as_str);
                self.retire(identity).await?;
                self.spawn(wanted, session).await?;
                if change == Change::Retell && session.is_some() {
                    self.ask("mob/append_system_context", wanted.told_again(self.mob))
                        .await?;
                }
                Ok(())
            }
        }
    }
}

/// Sees to it that a member is there as it is to be.
pub(super) async fn start(
    runtime: &Runtime,
    start: MemberStart,
    mob: &Engine,
) -> Result<(), EngineError> {
    let live = runtime.live(mob).await?;
    let current = runtime
        .counterpart
        .of(&live)
        .ok_or_else(|| lost_between(&live))?;
    let wanted = wanted(&start, mob)?;
    let place = Place {
        live: &live,
        mob: &current.name,
    };
    let failed = |error: RequestError| runtime.failed(&live, "the start of the member", error);
    let done = async {
        let row = place.row(&wanted.identity).await?;
        let is_working = has_turn(mob, &start.member);
        let change = match wanted.change(row.as_ref()) {
            // What it is told otherwise waits for a start between two turns.
            Change::Retell if is_working => Change::Keep,
            change => change,
        };
        if row.is_some() && !is_working && change == Change::Keep {
            still(&place, &wanted.identity).await?;
        }
        place.change(&wanted, change).await?;
        runtime.set_wanted(&start.member, wanted.clone());
        match change {
            Change::Keep => return Ok(()),
            Change::Spawn | Change::Reset => {
                runtime.set_total(&start.member, Some(Usage::default()));
            }
            Change::Retell | Change::Renew => {}
        }
        structure::read(&live.connection, &current.name, mob).await
    };
    match done.await {
        Ok(()) => Ok(()),
        Err(error) => Err(failed(error).await),
    }
}

/// Replaces a member by one with the same session. What was sent to it and never taken is stranded
/// then, and can be sent again under another key.
pub(super) async fn renew(
    runtime: &Runtime,
    place: &Place<'_>,
    member: &MemberId,
) -> Result<(), RequestError> {
    match runtime.wanted(member) {
        Some(wanted) => place.change(&wanted, Change::Renew).await,
        None => Ok(()),
    }
}

/// Nothing runs for a member that has no turn: what is left of one that was cancelled while nobody
/// could tell the runtime is stopped.
async fn still(place: &Place<'_>, identity: &str) -> Result<(), RequestError> {
    let status = place.status(identity).await?;
    let state = status
        .pointer("/progress/run_state")
        .and_then(Value::as_str);
    if state != Some("run_open") {
        return Ok(());
    }
    let params = json!({
        "mob_id": place.mob,
        "agent_identity": identity,
        "reason": "its turn has ended in mobkit",
    });
    match place.ask("mob/hard_cancel_member", params).await {
        // It has ended by itself meanwhile.
        Ok(_) | Err(RequestError::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lets a member go that has left. Where the runtime does not answer it stays there; its session is
/// known to be another's if its name comes back.
pub(super) async fn stop(runtime: &Runtime, member: &MemberId, mob: &Engine) {
    let Some((live, current)) = runtime.present() else {
        return;
    };
    let place = Place {
        live: &live,
        mob: &current.name,
    };
    let identity = definition::identity(member);
    let done = async {
        place.retire(&identity).await?;
        structure::read(&live.connection, &current.name, mob).await
    };
    if let Err(error) = done.await {
        tracing::warn!(%member, "the engine did not let the member go: {error}");
    }
}

fn wanted(start: &MemberStart, mob: &Engine) -> Result<Wanted, EngineError> {
    let id = &start.profile.model;
    let model = mob.view(|world| {
        let model = world.definition.models.get(id)?;
        Some(ModelName::of(id, model))
    });
    let gone = || EngineError::Failed(format!("the mob file has no model {id}"));
    let model = model.ok_or_else(gone)?;
    let instructions = vec![start.instructions.clone(), tools::ABOUT.to_owned()];
    let identity = definition::identity(&start.member);
    let session = start.session.to_string();
    Ok(Wanted::new(
        (&identity, &session),
        &start.profile,
        &model,
        instructions,
    ))
}

fn has_turn(mob: &Engine, member: &MemberId) -> bool {
    mob.view(|world| {
        world
            .state
            .turns
            .values()
            .any(|turn| turn.member == *member)
    })
}

pub(super) fn lost_between(live: &Live) -> EngineError {
    EngineError::Lost(format!("process {} of the engine was replaced", live.start))
}
