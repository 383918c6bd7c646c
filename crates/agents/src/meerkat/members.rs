//! Members of ours in the runtime: each is there once, with the session that is its own.

use super::config::ModelName;
use super::definition::{self, Change, Launch, Past, Wanted};
use super::engine::Runtime;
use super::frames::RequestError;
use super::structure;
use super::supervision::Live;
use super::tools;
use crate::external::{EngineError, MemberStart};
use mobkit_domain::id::{MemberId, TurnId};
use mobkit_domain::model::Usage;
use mobkit_engine::Engine;
use serde_json::{Value, json};

/// How many rows of the runtime's own journal are read at once.
const ROWS_READ_MAX: u64 = 100;

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

    async fn rows(&self) -> Result<Vec<Value>, RequestError> {
        let mut members = self.ask("mob/members", json!({"mob_id": self.mob})).await?;
        Ok(match members.get_mut("members").map(Value::take) {
            Some(Value::Array(rows)) => rows,
            Some(_) | None => Vec::new(),
        })
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

    async fn spawn(
        &self,
        wanted: &Wanted,
        name: &str,
        launch: Launch<'_>,
    ) -> Result<(), RequestError> {
        let spawn = wanted.spawn(self.mob, name, &launch);
        self.ask("mob/spawn", spawn).await.map(|_| ())
    }

    /// Brings a member to what it is to be; returns which one stands for it then.
    async fn change(
        &self,
        wanted: &Wanted,
        (number, row): (u32, Option<&Value>),
        change: Change,
    ) -> Result<Stands, RequestError> {
        let name = definition::name(&wanted.identity, number);
        match change {
            Change::Keep => Ok(Stands::As(number)),
            Change::Spawn => {
                let Some((number, session)) = self.left(wanted).await? else {
                    self.spawn(wanted, &name, Launch::Fresh).await?;
                    return Ok(Stands::As(number));
                };
                let name = definition::name(&wanted.identity, number);
                self.spawn(wanted, &name, Launch::Resume(&session)).await?;
                Ok(Stands::As(number))
            }
            Change::Reset => {
                let number = match self.retire(&name).await {
                    Ok(()) => number,
                    Err(RequestError::Refused { .. }) => number + 1,
                    Err(error) => return Err(error),
                };
                let name = definition::name(&wanted.identity, number);
                self.spawn(wanted, &name, Launch::Fresh).await?;
                Ok(Stands::As(number))
            }
            Change::Retell | Change::Renew => {
                let status = self.status(&name).await?;
                let session = status.get("current_session_id").and_then(Value::as_str);
                let stands = match self.retire(&name).await {
                    Ok(()) => {
                        let launch = session.map_or(Launch::Fresh, Launch::Resume);
                        self.spawn(wanted, &name, launch).await?;
                        Stands::As(number)
                    }
                    Err(refused @ RequestError::Refused { .. }) => {
                        self.copy(wanted, number, refused.to_string()).await?
                    }
                    Err(error) => return Err(error),
                };
                let is_told = row.is_some_and(|row| wanted.is_told(row));
                if !is_told && session.is_some() {
                    let name = definition::name(&wanted.identity, stands.number());
                    let told = wanted.told_again(self.mob, &name);
                    self.ask("mob/append_system_context", told).await?;
                }
                Ok(stands)
            }
        }
    }

    /// The session of a member that is not there, if it was let go to be taken up again.
    async fn left(&self, wanted: &Wanted) -> Result<Option<(u32, String)>, RequestError> {
        let mut past = Past::default();
        let mut after = 0;
        loop {
            let params = json!({
                "mob_id": self.mob,
                "after_cursor": after,
                "limit": ROWS_READ_MAX,
                "strict": true,
            });
            let read = self.ask("mob/events", params).await?;
            let rows = read.get("events").and_then(Value::as_array);
            let rows = rows.map(Vec::as_slice).unwrap_or_default();
            for row in rows {
                past.hear(row, wanted);
            }
            let last = rows.last().and_then(|row| row.get("cursor")?.as_u64());
            match last {
                Some(cursor) if cursor > after => after = cursor,
                Some(_) | None => return Ok(past.left()),
            }
        }
    }

    /// Has another stand for a member whose session the runtime holds back: with a copy of what is
    /// kept of that session.
    async fn copy(
        &self,
        wanted: &Wanted,
        number: u32,
        why: String,
    ) -> Result<Stands, RequestError> {
        let of = definition::name(&wanted.identity, number);
        let name = definition::name(&wanted.identity, number + 1);
        self.spawn(wanted, &name, Launch::Copy(&of)).await?;
        Ok(Stands::Instead {
            number: number + 1,
            why,
        })
    }
}

/// Which one stands for a member.
enum Stands {
    /// The one that did, or the first.
    As(u32),
    /// Another one, with a copy of the session; why.
    Instead { number: u32, why: String },
}

impl Stands {
    fn number(&self) -> u32 {
        match self {
            Self::As(number) | Self::Instead { number, .. } => *number,
        }
    }

    /// Notes it, and says in the journal if it is another one.
    async fn note(
        self,
        runtime: &Runtime,
        (member, turn): (&MemberId, Option<TurnId>),
        wanted: &Wanted,
        mob: &Engine,
    ) {
        runtime.set_wanted(member, wanted.clone(), self.number());
        if let Self::Instead { number, why } = self {
            runtime.set_total(member, None);
            let name = definition::name(&wanted.identity, number);
            let how = format!("{name} goes on with a copy of what the runtime has kept of it");
            structure::gap(mob, (Some(member.clone()), turn), &why, &how).await;
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
        let rows = place.rows().await?;
        let (number, row) = match definition::last(&rows, &wanted.identity) {
            Some((number, row)) => (number, Some(row)),
            None => (1, None),
        };
        let is_working = has_turn(mob, &start.member);
        let change = match wanted.change(row) {
            // What it is told otherwise waits for a start between two turns.
            Change::Retell if is_working => Change::Keep,
            change => change,
        };
        if row.is_some() && !is_working && change == Change::Keep {
            still(&place, &definition::name(&wanted.identity, number)).await?;
        }
        let stands = place.change(&wanted, (number, row), change).await?;
        stands
            .note(runtime, (&start.member, None), &wanted, mob)
            .await;
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
    of: (&MemberId, TurnId),
    mob: &Engine,
) -> Result<(), RequestError> {
    let Some(wanted) = runtime.wanted(of.0) else {
        return Ok(());
    };
    let status = place.status(&runtime.name(of.0)).await?;
    if is_at_work(&status) {
        // It is slow; to let it go would stop what it does.
        return Ok(());
    }
    let rows = place.rows().await?;
    let last = definition::last(&rows, &wanted.identity);
    let now = (runtime.number(of.0), last.map(|(_, row)| row));
    let stands = place.change(&wanted, now, Change::Renew).await?;
    stands.note(runtime, (of.0, Some(of.1)), &wanted, mob).await;
    Ok(())
}

/// Has another stand for a member whose session does not work any longer, and why that is. One that
/// is not there takes up its session again. `true`: with a copy of its session.
pub(super) async fn stand_in(
    runtime: &Runtime,
    place: &Place<'_>,
    of: (&MemberId, TurnId),
    (mob, why): (&Engine, String),
) -> Result<bool, RequestError> {
    let Some(wanted) = runtime.wanted(of.0) else {
        return Ok(false);
    };
    let rows = place.rows().await?;
    let Some((number, _)) = definition::last(&rows, &wanted.identity) else {
        let stands = place.change(&wanted, (1, None), Change::Spawn).await?;
        stands.note(runtime, (of.0, Some(of.1)), &wanted, mob).await;
        return Ok(false);
    };
    let stands = place.copy(&wanted, number, why).await?;
    stands.note(runtime, (of.0, Some(of.1)), &wanted, mob).await;
    // One that can still go is not needed any longer; one that is held back stays.
    let name = definition::name(&wanted.identity, number);
    match place.retire(&name).await {
        Ok(()) | Err(RequestError::Refused { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether a run of a member is under way.
fn is_at_work(status: &Value) -> bool {
    let state = status.pointer("/progress/run_state");
    state.and_then(Value::as_str) == Some("run_open")
}

/// Nothing runs for a member that has no turn: what is left of one that was cancelled while nobody
/// could tell the runtime is stopped.
async fn still(place: &Place<'_>, identity: &str) -> Result<(), RequestError> {
    if !is_at_work(&place.status(identity).await?) {
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
    let name = runtime.name(member);
    let done = async {
        place.retire(&name).await?;
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
