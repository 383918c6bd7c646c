//! The models of the mob file as the runtime's own configuration says them.

use mobkit_domain::definition::{Definition, Engine, Model, Provider, Secret};
use mobkit_domain::id::{ModelId, ProfileId};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The realm in which the runtime finds what every member may use.
const REALM: &str = "global";

/// What the runtime is told of models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The text of its configuration file; holds no secret.
    pub text: String,
    /// Environment variables that are to hold keys, and where each key is found.
    pub keys: BTreeMap<String, Secret>,
}

/// Why a model can't be used by the runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A rehearsal model answers native turns only.
    #[error(
        "profile {profile} runs on meerkat with the rehearsal model {model}, which only the native \
         engine can ask; give it another model, or run `mobkit up --rehearse`"
    )]
    Rehearsal {
        /// The profile.
        profile: ProfileId,
        /// The model.
        model: ModelId,
    },
    /// The provider wants a key.
    #[error("model {model} has no api_key, and {provider} wants one")]
    KeyMissing {
        /// The model.
        model: ModelId,
        /// Its provider.
        provider: Provider,
    },
    /// No such model is in the mob file.
    #[error("there is no model {0}")]
    Missing(ModelId),
}

/// How a profile of the runtime names a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    /// Its name: `model` of a profile.
    pub model: String,
    /// Its provider: `provider` of a profile.
    pub provider: &'static str,
    /// Its server, where it is one of ours: `self_hosted_server_id` of a profile.
    pub server: Option<String>,
    /// Which key it uses: `binding` of an `auth_binding`.
    pub binding: String,
}

impl ModelName {
    /// How the runtime knows a model.
    pub fn of(id: &ModelId, model: &Model) -> Self {
        let alias = alias(id);
        match hosted(model) {
            Some(hosted) => Self {
                model: model.model.clone(),
                provider: hosted.provider,
                server: None,
                binding: alias,
            },
            None => Self {
                model: alias.clone(),
                provider: SELF_HOSTED,
                server: Some(alias.clone()),
                binding: alias,
            },
        }
    }

    /// The `auth_binding` of a spawn.
    pub fn auth_binding(&self) -> Value {
        json!({"realm": REALM, "binding": self.binding})
    }
}

const SELF_HOSTED: &str = "self_hosted";

/// A provider that the runtime knows by itself.
struct Hosted {
    provider: &'static str,
    backend: &'static str,
    /// What its addresses end with that the runtime adds by itself.
    version: &'static str,
}

fn hosted(model: &Model) -> Option<Hosted> {
    let (provider, backend, version) = match model.provider {
        // Somebody else's server with the same API may want no key.
        Provider::OpenAi if model.base_url.is_some() && model.api_key.is_none() => return None,
        Provider::OpenAi => ("openai", "openai_api", "/v1"),
        Provider::Anthropic => ("anthropic", "anthropic_api", "/v1"),
        Provider::Gemini => ("gemini", "google_genai", "/v1beta"),
        Provider::OpenAiCompatible | Provider::Rehearsal | Provider::Replay => return None,
    };
    Some(Hosted {
        provider,
        backend,
        version,
    })
}

/// What the runtime calls a model of ours; no name of its own catalog begins like this.
fn alias(id: &ModelId) -> String {
    format!("mobkit-{id}")
}

impl Config {
    /// The configuration for the profiles of a definition that run on this engine, with the models
    /// that those fall back to.
    pub fn of(definition: &Definition) -> Result<Self, ConfigError> {
        let mut config = Parts::default();
        for id in wanted(definition)? {
            let missing = || ConfigError::Missing(id.clone());
            config.add(id, definition.models.get(id).ok_or_else(missing)?)?;
        }
        Ok(config.finish())
    }
}

/// The models of the profiles with this engine, and what they fall back to.
fn wanted(definition: &Definition) -> Result<BTreeSet<&ModelId>, ConfigError> {
    let mut wanted = BTreeSet::new();
    for (profile, found) in &definition.profiles {
        if found.engine != Engine::Meerkat {
            continue;
        }
        let mut next = vec![&found.model];
        while let Some(id) = next.pop() {
            let missing = || ConfigError::Missing(id.clone());
            let model = definition.models.get(id).ok_or_else(missing)?;
            if matches!(model.provider, Provider::Rehearsal | Provider::Replay) {
                let (profile, model) = (profile.clone(), id.clone());
                return Err(ConfigError::Rehearsal { profile, model });
            }
            if wanted.insert(id) {
                next.extend(&model.fallback);
            }
        }
    }
    Ok(wanted)
}

/// The tables of a configuration that is being made.
#[derive(Default)]
struct Parts {
    servers: Map<String, Value>,
    models: Map<String, Value>,
    backends: Map<String, Value>,
    auths: Map<String, Value>,
    bindings: Map<String, Value>,
    keys: BTreeMap<String, Secret>,
}

impl Parts {
    fn add(&mut self, id: &ModelId, model: &Model) -> Result<(), ConfigError> {
        let name = alias(id);
        let auth = match (&model.api_key, hosted(model)) {
            (Some(secret), hosted) => {
                let variable = format!("MOBKIT_KEY_{}", self.keys.len() + 1);
                self.keys.insert(variable.clone(), secret.clone());
                let provider = hosted
                    .as_ref()
                    .map_or(SELF_HOSTED, |hosted| hosted.provider);
                let method = if hosted.is_some() {
                    "api_key"
                } else {
                    "static_bearer"
                };
                let source = json!({"kind": "env", "env": variable});
                json!({"provider": provider, "auth_method": method, "source": source})
            }
            (None, None) => {
                let source = json!({"kind": "platform_default"});
                json!({"provider": SELF_HOSTED, "auth_method": "none", "source": source})
            }
            (None, Some(_)) => {
                let (model, provider) = (id.clone(), model.provider);
                return Err(ConfigError::KeyMissing { model, provider });
            }
        };
        let backend = match hosted(model) {
            Some(hosted) => hosted_backend(&hosted, model.base_url.as_deref()),
            None => self.self_hosted(id, model),
        };
        self.backends.insert(name.clone(), backend);
        self.auths.insert(name.clone(), auth);
        let binding = json!({"backend_profile": name, "auth_profile": name});
        self.bindings.insert(name, binding);
        Ok(())
    }

    /// A server of ours for a model, and the model; returns its backend.
    fn self_hosted(&mut self, id: &ModelId, model: &Model) -> Value {
        let name = alias(id);
        let server = json!({
            "transport": "openai_compatible",
            "base_url": model.base_url.as_deref().unwrap_or_default(),
            "api_style": "chat_completions",
        });
        let described = json!({
            "server": name,
            "remote_model": model.model,
            "display_name": id.as_str(),
            "family": model.model,
            "call_timeout_secs": model.timeout_ms.div_ceil(1_000),
        });
        self.servers.insert(name.clone(), server);
        self.models.insert(name.clone(), described);
        json!({"provider": SELF_HOSTED, "backend_kind": SELF_HOSTED, "server": name})
    }

    fn finish(self) -> Config {
        let first = self.bindings.keys().next().cloned();
        let mut realm = json!({
            "backend": self.backends,
            "auth": self.auths,
            "binding": self.bindings,
        });
        if let Some(first) = first {
            realm["default_binding"] = Value::String(first);
        }
        let first = self.models.keys().next().cloned();
        let mut self_hosted = json!({"servers": self.servers, "models": self.models});
        if let Some(first) = first {
            self_hosted["default_model"] = Value::String(first);
        }
        let whole = json!({"self_hosted": self_hosted, "realm": {REALM: realm}});
        Config {
            text: toml::to_string(&whole).expect("tables of texts and numbers are TOML"),
            keys: self.keys,
        }
    }
}

fn hosted_backend(hosted: &Hosted, base_url: Option<&str>) -> Value {
    let mut backend = json!({"provider": hosted.provider, "backend_kind": hosted.backend});
    if let Some(base_url) = base_url {
        let base_url = base_url.trim_end_matches('/');
        let base_url = base_url.strip_suffix(hosted.version).unwrap_or(base_url);
        backend["base_url"] = Value::String(base_url.to_owned());
    }
    backend
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobkit_domain::definition::{NoFiles, parse};
    use toml::Value as Toml;

    fn definition(models: &str, model: &str) -> Definition {
        let text = format!(
            "[mob]\nid = \"desk\"\n{models}\n[profiles.coder]\nengine = \"meerkat\"\n\
             model = {model:?}\ninstructions = \"Work.\"\n[profiles.inside]\nmodel = \"script\"\n\
             instructions = \"Answer.\"\n[models.script]\nprovider = \"rehearsal\"\n"
        );
        let parsed = parse("mob.toml", &text, &NoFiles);
        parsed.expect("the mob file is right").definition
    }

    fn text_at<'t>(config: &'t Toml, path: &str) -> Option<&'t str> {
        let found = path.split('/').try_fold(config, |at, key| at.get(key));
        found.and_then(Toml::as_str)
    }

    #[test]
    fn a_server_of_ours_is_told_with_its_models_and_without_its_key() {
        let models = "[models.\"small.1\"]\nprovider = \"openai-compatible\"\nmodel = \"qwen3:8b\"\n\
                      base_url = \"http://127.0.0.1:8080/v1\"\nfallback = [\"plain\"]\n\
                      api_key = { file = \"key.txt\" }\n\
                      [models.plain]\nprovider = \"openai-compatible\"\nmodel = \"tiny\"\n\
                      base_url = \"http://127.0.0.1:8081\"\n";
        let definition = definition(models, "small.1");
        let config = Config::of(&definition).expect("made");
        let key = Secret::File("key.txt".to_owned());
        assert_eq!(config.keys, [("MOBKIT_KEY_1".to_owned(), key)].into());
        let text: Toml = toml::from_str(&config.text).expect("TOML");
        for (path, wanted) in [
            (
                "self_hosted/servers/mobkit-small.1/base_url",
                "http://127.0.0.1:8080/v1",
            ),
            ("self_hosted/models/mobkit-small.1/remote_model", "qwen3:8b"),
            (
                "realm/global/backend/mobkit-small.1/server",
                "mobkit-small.1",
            ),
            (
                "realm/global/auth/mobkit-small.1/auth_method",
                "static_bearer",
            ),
            (
                "realm/global/auth/mobkit-small.1/source/env",
                "MOBKIT_KEY_1",
            ),
            ("realm/global/auth/mobkit-plain/auth_method", "none"),
            (
                "realm/global/binding/mobkit-plain/backend_profile",
                "mobkit-plain",
            ),
        ] {
            assert_eq!(
                text_at(&text, path),
                Some(wanted),
                "{path}\n{}",
                config.text
            );
        }
        assert!(text_at(&text, "realm/global/default_binding").is_some());
        assert!(text_at(&text, "self_hosted/default_model").is_some());
    }

    #[test]
    fn a_model_of_a_known_provider_keeps_its_name_and_has_a_key_of_its_own() {
        let models = "[models.big]\nprovider = \"openai\"\nmodel = \"gpt-5.6\"\n\
                      base_url = \"https://example.com/v1/\"\napi_key = { env = \"BIG_KEY\" }\n";
        let definition = definition(models, "big");
        let config = Config::of(&definition).expect("made");
        let text: Toml = toml::from_str(&config.text).expect("TOML");
        for (path, wanted) in [
            ("realm/global/backend/mobkit-big/provider", "openai"),
            ("realm/global/backend/mobkit-big/backend_kind", "openai_api"),
            (
                "realm/global/backend/mobkit-big/base_url",
                "https://example.com",
            ),
            ("realm/global/auth/mobkit-big/auth_method", "api_key"),
            ("realm/global/auth/mobkit-big/source/kind", "env"),
        ] {
            assert_eq!(text_at(&text, path), Some(wanted), "{path}");
        }
        let id = ModelId::parse("big").expect("an id");
        let name = ModelName::of(&id, &definition.models[&id]);
        assert_eq!((name.model.as_str(), name.provider), ("gpt-5.6", "openai"));
        let binding = json!({"realm": "global", "binding": "mobkit-big"});
        assert_eq!(name.auth_binding(), binding);
    }

    #[test]
    fn what_the_runtime_can_not_ask_is_said() {
        let rehearsal = Config::of(&definition("", "script")).expect_err("refused");
        let said = rehearsal.to_string();
        assert!(
            said.contains("profile coder") && said.contains("--rehearse"),
            "{said}"
        );
        let models = "[models.big]\nprovider = \"anthropic\"\nmodel = \"claude-sonnet-5\"\n\
                      base_url = \"https://example.com\"\n";
        let missing = Config::of(&definition(models, "big")).expect_err("refused");
        assert!(
            matches!(missing, ConfigError::KeyMissing { .. }),
            "{missing}"
        );
    }
}
