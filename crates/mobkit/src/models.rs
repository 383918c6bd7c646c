//! A provider for every model of a definition.

use crate::secrets::{Variables, fetch};
use async_trait::async_trait;
use mobkit_agents::model::{
    ApiKey, KeyError, ModelProvider, ProviderSettings, Recording, RecordingError, Resolved, Script,
    ScriptError, SettingsError, provider_for,
};
use mobkit_agents::native::Providers;
use mobkit_domain::definition::{Definition, Model, Provider, Secret};
use mobkit_domain::id::ModelId;
use mobkit_domain::model::{Failure, FailureClass};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a model can't be used. Names where a key comes from, never the key.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The definition has no such model.
    #[error("the definition has no model {model}")]
    Missing {
        /// The model.
        model: ModelId,
    },
    /// The key can't be had.
    #[error("the key models.{model}.api_key can't be had: {reason}")]
    KeyMissing {
        /// The model.
        model: ModelId,
        /// Why.
        reason: String,
    },
    /// The key can't be sent.
    #[error("model {model}: {source}")]
    Key {
        /// The model.
        model: ModelId,
        /// Why.
        source: KeyError,
    },
    /// The script can't be followed.
    #[error("{}the script of model {model} can't be followed: {source}", of_file(.file.as_deref()))]
    Script {
        /// The model.
        model: ModelId,
        /// Its script, as the mob file names it.
        file: Option<String>,
        /// Everything that is wrong with it.
        source: ScriptError,
    },
    /// The recording can't be read.
    #[error("the recording {path} of model {model} can't be read: {reason}")]
    RecordingUnreadable {
        /// The model.
        model: ModelId,
        /// The file, as the mob file names it.
        path: String,
        /// Why.
        reason: String,
    },
    /// The recording can't be replayed.
    #[error("{path}: model {model} can't answer of it: {source}")]
    Recording {
        /// The model.
        model: ModelId,
        /// The file, as the mob file names it.
        path: String,
        /// What is wrong with it.
        source: RecordingError,
    },
    /// The settings don't fit together.
    #[error("model {model}: {source}")]
    Settings {
        /// The model.
        model: ModelId,
        /// Why.
        source: SettingsError,
    },
}

/// The model whose script answers for all in a rehearsal: the first rehearsal model of the file.
fn rehearsal_of(definition: &Definition) -> Option<(&ModelId, &Model)> {
    definition
        .models
        .iter()
        .find(|(_, model)| model.provider == Provider::Rehearsal)
}

fn of_file(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!("{file}: "))
}

fn unfollowable(id: &ModelId, model: &Model, source: ScriptError) -> ModelError {
    ModelError::Script {
        model: id.clone(),
        file: model.script.clone(),
        source,
    }
}

fn script_of(id: &ModelId, model: &Model) -> Result<Arc<Script>, ModelError> {
    match &model.script_text {
        None => Ok(Arc::new(Script::empty())),
        Some(text) => Script::parse(text)
            .map(Arc::new)
            .map_err(|source| unfollowable(id, model, source)),
    }
}

/// Whether nothing but scripts answers by the definition itself.
pub(crate) fn is_rehearsal(definition: &Definition) -> bool {
    let mut models = definition.models.values();
    !definition.models.is_empty() && models.all(|m| m.provider == Provider::Rehearsal)
}

/// Whether every script can be followed.
pub(crate) fn check_scripts(definition: &Definition) -> Result<(), ModelError> {
    for (id, model) in &definition.models {
        script_of(id, model)?;
    }
    Ok(())
}

/// Providers that were made, with the model of the definition that each was made of.
type Made = BTreeMap<ModelId, (Model, Arc<dyn ModelProvider>)>;

/// Makes providers as the definition in force says, and keeps them until it says otherwise.
pub(crate) struct Models {
    /// Whether one script answers for every model.
    pub(crate) rehearse: bool,
    pub(crate) folder: PathBuf,
    pub(crate) variables: Variables,
    /// Providers of the host.
    pub(crate) given: BTreeMap<ModelId, Arc<dyn ModelProvider>>,
    made: Mutex<Made>,
}

impl Models {
    pub(crate) fn new(
        rehearse: bool,
        folder: PathBuf,
        variables: Variables,
        given: BTreeMap<ModelId, Arc<dyn ModelProvider>>,
    ) -> Self {
        Self {
            rehearse,
            folder,
            variables,
            given,
            made: Mutex::default(),
        }
    }

    /// Makes every provider that a profile uses or falls back to, so that a start fails where a
    /// call would.
    pub(crate) async fn make_all(&self, definition: &Definition) -> Result<(), ModelError> {
        check_scripts(definition)?;
        let first = definition.profiles.values().map(|profile| &profile.model);
        let used: BTreeSet<_> = first.flat_map(|id| definition.models_for(id)).collect();
        for id in used {
            self.of(definition, id).await?;
        }
        Ok(())
    }

    async fn of(
        &self,
        definition: &Definition,
        id: &ModelId,
    ) -> Result<Arc<dyn ModelProvider>, ModelError> {
        if let Some(given) = self.given.get(id) {
            return Ok(Arc::clone(given));
        }
        let model = self.in_force(definition, id)?;
        if let Some((made_of, provider)) = self.made().get(id)
            && *made_of == model
        {
            return Ok(Arc::clone(provider));
        }
        let resolved = Resolved {
            api_key: key_of(id, &model, &self.folder, &self.variables).await?,
            recording: recording_of(id, &model, &self.folder)?,
        };
        let settings = ProviderSettings::of(&model, resolved)
            .map_err(|source| unfollowable(id, &model, source))?;
        let provider = provider_for(settings).map_err(|source| ModelError::Settings {
            model: id.clone(),
            source,
        })?;
        self.made()
            .insert(id.clone(), (model, Arc::clone(&provider)));
        Ok(provider)
    }

    /// The model as it answers: in a rehearsal, the script of the first rehearsal model of the
    /// file.
    fn in_force(&self, definition: &Definition, id: &ModelId) -> Result<Model, ModelError> {
        let missing = || ModelError::Missing { model: id.clone() };
        let model = definition.models.get(id).ok_or_else(missing)?;
        if !self.rehearse {
            return Ok(model.clone());
        }
        let script_text = rehearsal_of(definition).and_then(|(_, m)| m.script_text.clone());
        Ok(Model {
            timeout_ms: model.timeout_ms,
            ..Model::rehearsal(script_text)
        })
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Providers for Models {
    async fn provider(
        &self,
        definition: &Arc<Definition>,
        model: &ModelId,
    ) -> Result<Arc<dyn ModelProvider>, Failure> {
        self.of(definition, model).await.map_err(|error| Failure {
            class: match error {
                ModelError::KeyMissing { .. } | ModelError::Key { .. } => {
                    FailureClass::Unauthorized
                }
                _ => FailureClass::Rejected,
            },
            reason: error.to_string(),
            retry_after_ms: None,
        })
    }
}

/// The recording of a replay model.
fn recording_of(
    id: &ModelId,
    model: &Model,
    folder: &Path,
) -> Result<Option<Arc<Recording>>, ModelError> {
    let Some(path) = &model.recording else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(folder.join(path));
    let text = text.map_err(|error| ModelError::RecordingUnreadable {
        model: id.clone(),
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let recording = Recording::parse(&text).map_err(|source| ModelError::Recording {
        model: id.clone(),
        path: path.clone(),
        source,
    })?;
    Ok(Some(Arc::new(recording)))
}

/// Where a key comes from, in the words of the mob file.
fn origin(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("env {name}"),
        Secret::File(path) => format!("file {path}"),
        Secret::Command(line) => format!("command {}", line.join(" ")),
    }
}

async fn key_of(
    id: &ModelId,
    model: &Model,
    folder: &Path,
    variables: &Variables,
) -> Result<Option<ApiKey>, ModelError> {
    let Some(secret) = &model.api_key else {
        return Ok(None);
    };
    let value = fetch(secret, folder, variables)
        .await
        .map_err(|error| ModelError::KeyMissing {
            model: id.clone(),
            reason: error.to_string(),
        })?;
    ApiKey::new(
        &value,
        &format!("models.{id}.api_key from {}", origin(secret)),
    )
    .map(Some)
    .map_err(|source| ModelError::Key {
        model: id.clone(),
        source,
    })
}
