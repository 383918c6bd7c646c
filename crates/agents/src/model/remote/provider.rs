//! The remote models behind the seam.

use super::answer::{Answer, Call};
use super::failure::Failures;
use super::names::ToolNames;
use super::target::{Address, RemoteProvider};
use super::{chat, format, frames::Frames};
use crate::model::key::ApiKey;
use crate::model::seam::{ModelEvents, ModelProvider, ModelRequest};
use crate::model::settings::SettingsError;
use futures::{StreamExt, stream};
use genai::chat::{CacheControl, ChatOptions};
use genai::{Client, ServiceTarget};
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Making a connection never needs longer.
const CONNECT_TIMEOUT_MS_MAX: u64 = 10_000;

/// What is known of a remote model.
#[derive(Clone)]
pub struct RemoteSettings {
    /// Whose API it speaks.
    pub provider: RemoteProvider,
    /// The provider's name for the model; sent as it is.
    pub model: String,
    /// Where the API is; needed for [`RemoteProvider::OpenAiCompatible`], otherwise the provider's
    /// own address where absent.
    pub base_url: Option<String>,
    /// The key; needed at a provider's own address.
    pub api_key: Option<ApiKey>,
    /// How long one call may take from its start to its last byte, in milliseconds. Once the answer
    /// has begun, half of that without a byte is too long as well.
    pub timeout_ms: u64,
}

impl fmt::Debug for RemoteSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address may hold a password.
        write!(
            f,
            "RemoteSettings({} {})",
            self.provider.as_str(),
            self.model
        )
    }
}

/// A model behind an API. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct RemoteModel {
    model: Arc<str>,
    provider: RemoteProvider,
    described: Arc<str>,
    client: Client,
    target: ServiceTarget,
    failures: Arc<Failures>,
    timeout_ms: u64,
}

impl fmt::Debug for RemoteModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteModel({})", self.described)
    }
}

impl RemoteModel {
    /// Prepares a model; nothing is called. Fails where an address or a key is missing, the address
    /// is none, or TLS can't be set up.
    pub fn new(settings: RemoteSettings) -> Result<Self, SettingsError> {
        let RemoteSettings {
            provider,
            model,
            base_url,
            api_key,
            timeout_ms,
        } = settings;
        let address = Address::of(provider, base_url.as_deref())?;
        if base_url.is_none() && api_key.is_none() {
            return Err(SettingsError::KeyMissing {
                provider: provider.as_str(),
            });
        }
        let connect_timeout = Duration::from_millis(timeout_ms.min(CONNECT_TIMEOUT_MS_MAX));
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("mobkit/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect_timeout)
            // A redirected call would be made without its body or its key.
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if address.is_local {
            http = http.no_proxy();
        }
        let unbuilt = |reason: String| SettingsError::Client { reason };
        let http = http.build().map_err(|error| unbuilt(error.to_string()))?;
        let client = Client::builder().with_reqwest(http).build();
        let client = client.map_err(|error| unbuilt(error.to_string()))?;
        let target = address.target(provider, &model, api_key.as_ref());
        let named = format!("{} {model}", provider.as_str());
        let described = match base_url {
            Some(_) => format!("{named} at {}", address.shown),
            None => named.clone(),
        };
        let failures = Failures {
            model: named,
            address: address.shown,
            key: api_key,
        };
        Ok(Self {
            model: model.into(),
            provider,
            described: described.into(),
            client,
            target,
            failures: Arc::new(failures),
            timeout_ms,
        })
    }

    fn call(&self, request: &ModelRequest) -> Call {
        let names = ToolNames::of(request);
        let frames = Arc::new(Frames::default());
        let mut options = ChatOptions::default()
            .with_capture_usage(true)
            .with_capture_tool_calls(true)
            .with_capture_reasoning_content(tells_thoughts(self.provider, &self.model))
            .with_raw_frame_sink_arc(frames.clone());
        if self.provider.is_open_ai() {
            options = options.with_extra_body(json!({ "model": &*self.model }));
        }
        if self.provider == RemoteProvider::Anthropic {
            // The tools and the instructions of a member stay the same from call to call; the other
            // providers cache such a beginning without being told.
            options = options.with_cache_control(CacheControl::Ephemeral);
        }
        let has_tools = !request.tools.is_empty();
        let schema = request.output_schema.as_ref();
        if let Some(format) = format::of((self.provider, &self.model), schema, has_tools) {
            options = options.with_response_format(format);
        }
        Call {
            provider: self.provider,
            chat: chat::request((self.provider, &self.failures.model), request, &names),
            options,
            client: self.client.clone(),
            target: self.target.clone(),
            names,
            frames,
            failures: self.failures.clone(),
            timeout: Duration::from_millis(self.timeout_ms),
        }
    }
}

/// Whether a model may be asked to tell its thoughts: Gemini refuses that for models that can't
/// think.
fn tells_thoughts(provider: RemoteProvider, model: &str) -> bool {
    let cannot_think = ["gemma", "gemini-1", "gemini-2.0"];
    !provider.is_gemini() || !cannot_think.iter().any(|name| model.starts_with(name))
}

impl ModelProvider for RemoteModel {
    fn describe(&self) -> String {
        self.described.to_string()
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let model = self.clone();
        let answer = async move { Answer::begin(model.call(&request)) };
        stream::once(answer).flat_map(Answer::events).boxed()
    }
}
