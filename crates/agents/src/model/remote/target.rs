//! Where a provider lives, and how it is addressed.

use crate::model::key::ApiKey;
use crate::model::settings::SettingsError;
use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint};
use genai::{Headers, ModelIden, ServiceTarget};
use reqwest::Url;

/// Whose API a remote model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteProvider {
    /// OpenAI, by its chat completions.
    OpenAi,
    /// Any server with OpenAI's chat completions.
    OpenAiCompatible,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
}

impl RemoteProvider {
    /// Its name in a mob file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::OpenAiCompatible => "openai-compatible",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    fn own_address(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::OpenAiCompatible => None,
            Self::Anthropic => Some("https://api.anthropic.com/v1"),
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
        }
    }

    fn adapter(self) -> AdapterKind {
        match self {
            Self::OpenAi | Self::OpenAiCompatible => AdapterKind::OpenAI,
            Self::Anthropic => AdapterKind::Anthropic,
            Self::Gemini => AdapterKind::Gemini,
        }
    }

    /// Whether it signs its calls one by one, and may leave them without ids.
    pub(super) fn is_gemini(self) -> bool {
        self == Self::Gemini
    }

    /// Whether it speaks OpenAI's chat completions.
    pub(super) fn is_open_ai(self) -> bool {
        match self {
            Self::OpenAi | Self::OpenAiCompatible => true,
            Self::Anthropic | Self::Gemini => false,
        }
    }
}

/// A provider's address: where requests go, and what people are told.
pub(super) struct Address {
    url: Url,
    /// Without user, password and query, which may hold secrets.
    pub shown: String,
    /// Whether it is this machine, which no proxy can reach.
    pub is_local: bool,
}

impl Address {
    pub(super) fn of(
        provider: RemoteProvider,
        base_url: Option<&str>,
    ) -> Result<Self, SettingsError> {
        let base_url = base_url
            .or(provider.own_address())
            .ok_or(SettingsError::BaseUrlMissing)?;
        let url = base_url.parse().ok().filter(|url: &Url| {
            matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base() && url.has_host()
        });
        let Some(url) = url else {
            return Err(SettingsError::BaseUrlInvalid);
        };
        let path = url.path().trim_end_matches('/');
        let shown = format!("{}{path}", url.origin().ascii_serialization());
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let ip = host.parse::<std::net::IpAddr>();
        let is_local = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
        Ok(Self {
            url,
            shown,
            is_local,
        })
    }

    /// The address of `model` for genai.
    pub(super) fn target(
        &self,
        provider: RemoteProvider,
        model: &str,
        key: Option<&ApiKey>,
    ) -> ServiceTarget {
        // For OpenAI's protocol the whole URL and all headers are given, since genai refuses to
        // call without a key, and joins addresses with a final slash in another way than without.
        let auth = if provider.is_open_ai() {
            let mut url = self.url.clone();
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop_if_empty().extend(["chat", "completions"]);
            }
            let bearer = key.map(|key| ("Authorization", format!("Bearer {}", key.expose())));
            let headers = Headers::from(bearer.into_iter().collect::<Vec<_>>());
            AuthData::RequestOverride {
                url: url.into(),
                headers,
            }
        } else {
            AuthData::Key(key.map(|key| key.expose().to_owned()).unwrap_or_default())
        };
        let mut base = self.url.clone();
        if let Ok(mut path) = base.path_segments_mut() {
            path.pop_if_empty().push("");
        }
        let endpoint = Endpoint::from_owned(String::from(base));
        // The name that OpenAI's protocol sends is set in the body, see `chat`.
        let name = if provider.is_open_ai() {
            "model"
        } else {
            model
        };
        ServiceTarget {
            endpoint,
            auth,
            model: ModelIden::new(provider.adapter(), name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(base_url: &str) -> String {
        let provider = RemoteProvider::OpenAiCompatible;
        let address = Address::of(provider, Some(base_url)).expect("an address");
        match address.target(provider, "m", None).auth {
            AuthData::RequestOverride { url, .. } => url,
            other => panic!("unexpected: {other:?}"),
        }
    }

    #[test]
    fn the_path_is_the_same_with_and_without_a_final_slash() {
        for base_url in ["http://h:1/v1", "http://h:1/v1/"] {
            assert_eq!(called(base_url), "http://h:1/v1/chat/completions");
        }
        assert_eq!(called("http://h/a?v=2"), "http://h/a/chat/completions?v=2");
    }

    #[test]
    fn what_people_are_told_holds_no_secret() {
        let provider = RemoteProvider::OpenAiCompatible;
        let address = Address::of(provider, Some("https://ada:pw@h.test/v1/?code=x"));
        assert_eq!(
            address.map(|address| address.shown),
            Ok("https://h.test/v1".to_owned())
        );
    }

    #[test]
    fn only_http_addresses_are_taken() {
        for base_url in ["", "h:1/v1", "ftp://h/", "unix:/run/x"] {
            let address = Address::of(RemoteProvider::OpenAi, Some(base_url));
            assert!(
                matches!(address, Err(SettingsError::BaseUrlInvalid)),
                "{base_url}"
            );
        }
        let missing = Address::of(RemoteProvider::OpenAiCompatible, None).map(|_| ());
        assert_eq!(missing, Err(SettingsError::BaseUrlMissing));
    }
}
