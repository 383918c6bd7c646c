//! The counterpart of our mob in the runtime, and how each new process is made ready for it.

use super::config::ModelName;
use super::connection::{Connection, Listener};
use super::definition;
use super::frames::RequestError;
use super::home::Home;
use super::stream::Router;
use super::structure;
use super::supervision::{Attach, Live};
use super::tools::Tools;
use crate::model::ToolSpec;
use crate::native;
use async_trait::async_trait;
use mobkit_domain::definition::Engine as EngineKind;
use mobkit_engine::Engine;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The mob of the runtime that is ours, as the present process has it.
#[derive(Clone, Default)]
pub(super) struct Current {
    /// Which process.
    pub(super) start: u64,
    /// What that says by itself.
    pub(super) router: Arc<Router>,
    /// What it calls our mob.
    pub(super) name: String,
}

/// The counterpart of our mob.
pub(super) struct Counterpart {
    state_dir: PathBuf,
    /// Tools of ours as the runtime knows them.
    pub(super) tools: Tools,
    current: Mutex<Current>,
}

impl Counterpart {
    /// Of a mob with this state directory.
    pub(super) fn new(state_dir: PathBuf) -> Self {
        Self {
            state_dir,
            tools: Tools::default(),
            current: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As the process of this start has it; `None`: there is a later one.
    pub(super) fn of(&self, live: &Live) -> Option<Current> {
        let current = self.lock().clone();
        (current.start == live.start).then_some(current)
    }

    /// Finds our mob in the runtime, and takes over the calls of its tools; makes it where it is
    /// not there, or is not ours any longer.
    async fn find(&self, connection: &Connection, mob: &Engine) -> Result<String, String> {
        let home = Home::of(&self.state_dir, mob.mob().as_str());
        let listed = connection.request("mob/list", json!({})).await;
        let listed = listed.map_err(|error| refused("mob/list", &error))?;
        let names = names(&listed, mob.mob().as_str());
        let claimed = |name: &str| home.claim(name).map_err(|error| unreadable(&error));
        for name in names {
            let Some(token) = claimed(&name)? else {
                continue;
            };
            let params = json!({"mob_id": name, "claim_token": token});
            match connection.request("mob/claim_callback_route", params).await {
                Ok(_) => return Ok(name),
                Err(error) if is_lost(&error) => {}
                Err(error) => return Err(refused("mob/claim_callback_route", &error)),
            }
        }
        self.create(connection, &home, mob).await
    }

    async fn create(
        &self,
        connection: &Connection,
        home: &Home,
        mob: &Engine,
    ) -> Result<String, String> {
        let cursor = structure::cursor(mob);
        let name = structure::name(mob.mob().as_str(), cursor);
        let model = mob.view(|world| {
            let profiles = world.definition.profiles.values();
            let mut profiles = profiles.filter(|profile| profile.engine == EngineKind::Meerkat);
            let id = &profiles.next()?.model;
            Some(ModelName::of(id, world.definition.models.get(id)?))
        });
        let model = model.ok_or("no profile of the mob file is of this engine any longer")?;
        let params = json!({"definition": definition::mob(&name, &model)});
        let created = connection.request("mob/create", params).await;
        let created = created.map_err(|error| refused("mob/create", &error))?;
        let token = created.get("claim_token").and_then(Value::as_str);
        let token = token.ok_or("the answer to mob/create has no claim_token")?;
        home.keep_claim(&name, token)
            .map_err(|error| format!("the claim file could not be written: {error}"))?;
        if cursor > 0 {
            let reason = "the runtime no longer has the mob, or the claim on it was lost";
            let how = "a new one was made; its members begin with empty sessions";
            structure::gap(mob, (None, None), reason, how).await;
        }
        Ok(name)
    }
}

#[async_trait]
impl Attach for Counterpart {
    fn listener(&self, start: u64) -> Arc<dyn Listener> {
        let router = Arc::<Router>::default();
        *self.lock() = Current {
            start,
            router: Arc::clone(&router),
            name: String::new(),
        };
        router
    }

    async fn attach(&self, live: &Live, mob: &Engine) -> Result<(), String> {
        let tools = known_tools(mob);
        let registered = self.tools.register((&live.connection, live.start), &tools);
        registered
            .await
            .map_err(|error| refused("tools/register", &error))?;
        let name = self.find(&live.connection, mob).await?;
        self.lock().name.clone_from(&name);
        structure::read(&live.connection, &name, mob)
            .await
            .map_err(|e| refused("mob/events", &e))
    }
}

/// The tools that any profile of this engine offers by now.
fn known_tools(mob: &Engine) -> Vec<ToolSpec> {
    mob.view(|world| {
        let profiles = world.definition.profiles.values();
        let profiles = profiles.filter(|profile| profile.engine == EngineKind::Meerkat);
        profiles
            .flat_map(|profile| native::tools(world, profile))
            .collect()
    })
}

/// The names of mobs that may be ours, the latest first.
fn names(listed: &Value, id: &str) -> Vec<String> {
    let rows = listed
        .get("mobs")
        .or(Some(listed))
        .and_then(Value::as_array);
    let names = rows
        .into_iter()
        .flatten()
        .filter_map(|row| row.get("mob_id")?.as_str());
    let mut names: Vec<(u64, String)> = names
        .filter_map(|name| Some((structure::base(name, id)?, name.to_owned())))
        .collect();
    names.sort();
    names.into_iter().rev().map(|(_, name)| name).collect()
}

/// Whether nobody can take the calls of the mob's tools over any longer.
fn is_lost(error: &RequestError) -> bool {
    match error {
        RequestError::Refused { data, .. } => {
            let reason = data.as_ref().and_then(|data| data.get("reason")?.as_str());
            matches!(reason, Some("claim_token_mismatch" | "not_claimable"))
        }
        RequestError::Closed(_) => false,
    }
}

fn refused(method: &str, error: &RequestError) -> String {
    format!("{method}: {error}")
}

fn unreadable(error: &std::io::Error) -> String {
    format!("the claim file could not be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_mob_of_ours_comes_first() {
        let listed = json!({"mobs": [
            {"mob_id": "mobkit-desk"}, {"mob_id": "mobkit-desk-7"}, {"mob_id": "mobkit-desk-12"},
            {"mob_id": "mobkit-other"}, {"mob_id": "mobkit-desk-x"},
        ]});
        let names = names(&listed, "desk");
        assert_eq!(names, ["mobkit-desk-12", "mobkit-desk-7", "mobkit-desk"]);
    }
}
