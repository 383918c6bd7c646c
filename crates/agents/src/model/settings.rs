//! Making a provider of settings.

use super::rehearsal::{Rehearsal, Script};
use super::remote::{RemoteModel, RemoteSettings};
use super::seam::ModelProvider;
use std::sync::Arc;

/// Which model answers.
#[derive(Debug)]
pub enum ProviderSettings {
    /// The offline model.
    Rehearsal {
        /// What it follows; [`Script::empty`] where there is no script.
        script: Script,
        /// How long one call may take, in milliseconds.
        timeout_ms: u64,
    },
    /// A model behind an API.
    Remote(RemoteSettings),
}

/// Settings of which no provider can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An OpenAI-compatible server has no address of its own.
    #[error("an openai-compatible model needs a base_url")]
    BaseUrlMissing,
    /// The address can't be called.
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

/// The provider for `settings`. Nothing is called yet; a wrong key shows at the first call.
pub fn provider_for(settings: ProviderSettings) -> Result<Arc<dyn ModelProvider>, SettingsError> {
    Ok(match settings {
        ProviderSettings::Rehearsal { script, timeout_ms } => {
            Arc::new(Rehearsal::new(script, timeout_ms))
        }
        ProviderSettings::Remote(settings) => Arc::new(RemoteModel::new(settings)?),
    })
}
