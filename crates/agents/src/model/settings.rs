//! Making a provider of settings.

use super::key::ApiKey;
use super::rehearsal::{Rehearsal, Script, ScriptError};
use super::remote::{RemoteModel, RemoteProvider, RemoteSettings};
use super::replay::{Recording, Replay};
use super::seam::ModelProvider;
use mobkit_domain::definition::{Model, Provider};
use std::sync::Arc;

/// Which model answers.
#[derive(Debug)]
pub enum ProviderSettings {
    /// The offline model.
    Rehearsal {
        /// What it follows; [`Script::empty`] where there is no script.
        script: Arc<Script>,
        /// How long one call may take, in milliseconds.
        timeout_ms: u64,
    },
    /// The model that answers as it was answered before.
    Replay {
        /// What it answers of.
        recording: Arc<Recording>,
        /// How people know the recording.
        name: String,
    },
    /// A model behind an API.
    Remote(RemoteSettings),
}

/// What the references of a model in the mob file led to.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The key.
    pub api_key: Option<ApiKey>,
    /// The recording of a replay model; without one it has no answers.
    pub recording: Option<Arc<Recording>>,
}

/// Settings of which no provider can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The script of a rehearsal model has problems.
    #[error("the rehearsal script can't be used\n{0}")]
    Script(#[from] ScriptError),
    /// An OpenAI-compatible server has no address of its own.
    #[error("an openai-compatible model needs a base_url")]
    BaseUrlMissing,
    /// The address can't be called. It is not repeated, since it may hold a password.
    #[error("the base_url is not an http or https address")]
    BaseUrlInvalid,
    /// The provider's own address can't be used without a key.
    #[error("a model of {provider} needs an api_key")]
    KeyMissing {
        /// The provider.
        provider: &'static str,
    },
    /// TLS could not be set up.
    #[error("the HTTP client can't be built: {reason}")]
    Client {
        /// What the library says.
        reason: String,
    },
}

impl ProviderSettings {
    /// The settings of a model of the mob file, and of what its references led to. Fails where the
    /// script of a rehearsal model has problems.
    pub fn of(model: &Model, resolved: Resolved) -> Result<Self, ScriptError> {
        let timeout_ms = model.timeout_ms;
        let provider = match model.provider {
            Provider::OpenAi => RemoteProvider::OpenAi,
            Provider::OpenAiCompatible => RemoteProvider::OpenAiCompatible,
            Provider::Anthropic => RemoteProvider::Anthropic,
            Provider::Gemini => RemoteProvider::Gemini,
            Provider::Rehearsal => {
                let script = model
                    .script_text
                    .as_deref()
                    .map(Script::parse)
                    .transpose()?;
                let script = Arc::new(script.unwrap_or_else(Script::empty));
                return Ok(Self::Rehearsal { script, timeout_ms });
            }
            Provider::Replay => {
                let recording = resolved.recording.unwrap_or_default();
                let name = model.recording.clone().unwrap_or_default();
                return Ok(Self::Replay { recording, name });
            }
        };
        let (model, base_url) = (model.model.clone(), model.base_url.clone());
        Ok(Self::Remote(RemoteSettings {
            provider,
            model,
            base_url,
            api_key: resolved.api_key,
            timeout_ms,
        }))
    }
}

/// The provider for `settings`. Nothing is called yet; a wrong key shows at the first call.
pub fn provider_for(settings: ProviderSettings) -> Result<Arc<dyn ModelProvider>, SettingsError> {
    Ok(match settings {
        ProviderSettings::Rehearsal { script, timeout_ms } => {
            Arc::new(Rehearsal::new(script, timeout_ms))
        }
        ProviderSettings::Replay { recording, name } => Arc::new(Replay::new(recording, &name)),
        ProviderSettings::Remote(settings) => Arc::new(RemoteModel::new(settings)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(model: &Model, key: Option<ApiKey>) -> Result<String, SettingsError> {
        let resolved = Resolved {
            api_key: key,
            ..Resolved::default()
        };
        let settings = ProviderSettings::of(model, resolved)?;
        provider_for(settings).map(|provider| provider.describe())
    }

    fn model(provider: Provider, base_url: Option<&str>) -> Model {
        let (name, base_url) = ("small".to_owned(), base_url.map(str::to_owned));
        Model {
            provider,
            model: name,
            base_url,
            ..Model::rehearsal(None)
        }
    }

    #[test]
    fn every_provider_of_the_mob_file_can_be_made() {
        let key = || ApiKey::new("sk-1", "file key.txt").ok();
        for provider in [Provider::OpenAi, Provider::Anthropic, Provider::Gemini] {
            let expected = format!("{} small", provider.as_str());
            assert_eq!(described(&model(provider, None), key()), Ok(expected));
            let missing = SettingsError::KeyMissing {
                provider: provider.as_str(),
            };
            assert_eq!(described(&model(provider, None), None), Err(missing));
        }
        let local = model(Provider::OpenAiCompatible, Some("http://127.0.0.1:8080/v1"));
        let expected = "openai-compatible small at http://127.0.0.1:8080/v1".to_owned();
        assert_eq!(described(&local, None), Ok(expected));
        assert_eq!(
            described(&Model::rehearsal(None), None),
            Ok("rehearsal".to_owned())
        );
    }

    #[test]
    fn a_script_with_problems_is_refused() {
        let model = Model::rehearsal(Some("[[rules]]\nsya = 1".to_owned()));
        let error = described(&model, None).expect_err("refused").to_string();
        assert!(error.contains("rule 1: unknown key \"sya\""), "{error}");
    }
}
