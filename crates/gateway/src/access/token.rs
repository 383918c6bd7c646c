//! Bearer tokens.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use sha2::{Digest, Sha256};
use std::fmt;

/// The SHA-256 of a token: what is kept and compared in its stead.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenDigest([u8; 32]);

impl TokenDigest {
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Compares in a time that says nothing about where the two differ.
    pub fn matches(&self, token: &str) -> bool {
        let other = Self::of(token);
        let differences = self
            .0
            .iter()
            .zip(other.0)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differences) == 0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// The subprotocol of WebSockets.
pub(crate) const SUBPROTOCOL: &str = "mobkit.rpc";
/// What a token follows that stands among the subprotocols, where a browser can say it and no log
/// keeps it.
const SUBPROTOCOL_TOKEN: &str = "mobkit.token.";

/// The token among the subprotocols that a WebSocket asks for.
fn subprotocol_token(headers: &HeaderMap) -> Option<&str> {
    headers.get(UPGRADE)?;
    let protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = protocols
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    names.find_map(|name| name.trim().strip_prefix(SUBPROTOCOL_TOKEN))
}

/// The token of the `Authorization` header (RFC 6750, section 2.1), or that of a WebSocket.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (given.next(), given.next());
    let Some(header) = first else {
        return subprotocol_token(headers).ok_or_else(|| missing("this needs a bearer token"));
    };
    if second.is_some() {
        return Err(missing("there is more than one Authorization header"));
    }
    let token = header.to_str().ok().and_then(|text| {
        let (scheme, token) = text.trim().split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    });
    token.ok_or_else(|| missing("the Authorization header holds no bearer token"))
}

fn missing(message: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "access.token_missing",
        message,
    )
    .hint(
        "send `Authorization: Bearer TOKEN`; the token is in operator.token in the state directory",
    )
}

/// The refusal for a token that nobody has.
pub(crate) fn invalid() -> Refusal {
    let message = "the bearer token is not one of this server";
    Refusal::new(
        RefusalKind::Unauthenticated,
        "access.token_invalid",
        message,
    )
    .hint("the token is in operator.token in the state directory of this mob")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers).ok().map(str::to_owned)
    }

    #[test]
    fn only_one_bearer_token_is_a_token() {
        assert_eq!(read(&["Bearer abc"]), Some("abc".to_owned()));
        assert_eq!(read(&["bearer  abc "]), Some("abc".to_owned()));
        for bad in [&["Bearer"][..], &["Bearer "], &["Basic abc"], &["abc"], &[]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(&["Bearer abc", "Bearer abc"]), None);
    }

    #[test]
    fn a_websocket_may_name_its_token_among_its_subprotocols() {
        let mut headers = HeaderMap::new();
        let asked = HeaderValue::from_static("mobkit.rpc, mobkit.token.abc");
        headers.append(SEC_WEBSOCKET_PROTOCOL, asked);
        assert!(bearer(&headers).is_err());
        headers.append(UPGRADE, HeaderValue::from_static("websocket"));
        assert_eq!(bearer(&headers).ok(), Some("abc"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer xyz"));
        assert_eq!(bearer(&headers).ok(), Some("xyz"));
    }

    #[test]
    fn a_digest_matches_its_token_alone_and_shows_nothing() {
        let digest = TokenDigest::of("secret");
        assert!(digest.matches("secret"));
        assert!(!digest.matches("secreT") && !digest.matches(""));
        assert_eq!(format!("{digest:?}"), "TokenDigest(…)");
    }
}
