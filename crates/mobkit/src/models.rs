//! A provider for every model of a definition.

use crate::secrets::{Variables, fetch};
use mobkit_agents::model::{
    ApiKey, KeyError, ModelProvider, ProviderSettings, Script, ScriptError, SettingsError,
    provider_for,
};
use mobkit_domain::definition::{Definition, Model, Provider};
use mobkit_domain::id::ModelId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Why a model can't be used. Names where a key comes from, never the key.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The key can't be had.
    #[error("the key of model {model} can't be had: {reason}")]
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
    #[error("the script of model {model} can't be followed: {source}")]
    Script {
        /// The model.
        model: ModelId,
        /// Everything that is wrong with it.
        source: ScriptError,
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
    definition.models.iter().find(|(_, model)| model.provider == Provider::Rehearsal)
}

fn script_of(id: &ModelId, model: &Model) -> Result<Arc<Script>, ModelError> {
    match &model.script_text {
        None => Ok(Arc::new(Script::empty())),
        Some(text) => Script::parse(text)
            .map(Arc::new)
            .map_err(|source| ModelError::Script { model: id.clone(), source }),
    }
}

/// Whether every script can be followed.
pub(crate) fn check_scripts(definition: &Definition) -> Result<(), ModelError> {
    for (id, model) in &definition.models {
        script_of(id, model)?;
    }
    Ok(())
}

/// Makes the providers; with `rehearse`, one script answers for every model.
pub(crate) async fn providers(
    definition: &Definition,
    rehearse: bool,
    folder: &Path,
    variables: &Variables,
) -> Result<BTreeMap<ModelId, Arc<dyn ModelProvider>>, ModelError> {
    let mut providers = BTreeMap::new();
    let stand_in = match rehearsal_of(definition) {
        Some((id, model)) if rehearse => Some(script_of(id, model)?),
        None if rehearse => Some(Arc::new(Script::empty())),
        _ => None,
    };
    for (id, model) in &definition.models {
        let settings = match &stand_in {
            Some(script) => ProviderSettings::Rehearsal {
                script: Arc::clone(script),
                timeout_ms: model.timeout_ms,
            },
            None if model.provider == Provider::Rehearsal => ProviderSettings::Rehearsal {
                script: script_of(id, model)?,
                timeout_ms: model.timeout_ms,
            },
            None if !is_used(definition, id) => continue,
            None => {
                let key = key_of(id, model, folder, variables).await?;
                ProviderSettings::of(model, key)
                    .map_err(|source| ModelError::Script { model: id.clone(), source })?
            }
        };
        let provider = provider_for(settings)
            .map_err(|source| ModelError::Settings { model: id.clone(), source })?;
        providers.insert(id.clone(), provider);
    }
    Ok(providers)
}

fn is_used(definition: &Definition, id: &ModelId) -> bool {
    definition.profiles.values().any(|profile| profile.model == *id)
}

async fn key_of(
    id: &ModelId,
    model: &Model,
    folder: &Path,
    variables: &Variables,
) -> Result<Option<ApiKey>, ModelError> {
    let Some(secret) = &model.api_key else { return Ok(None) };
    let value = fetch(secret, folder, variables).await.map_err(|error| ModelError::KeyMissing {
        model: id.clone(),
        reason: error.to_string(),
    })?;
    ApiKey::new(&value, &secret.to_string())
        .map(Some)
        .map_err(|source| ModelError::Key { model: id.clone(), source })
}
