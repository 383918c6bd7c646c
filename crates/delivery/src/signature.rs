//! Signatures of webhooks, as Standard Webhooks describes them: what is signed is
//! `<id>.<timestamp>.<body>`, and the header holds one signature for each key, parted by spaces.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Why a text holds no keys. Never repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// It is empty.
    #[error("the secret of the webhook is empty")]
    Empty,
    /// A key is not as it should be.
    #[error(
        "key {place} of the webhook's secret is none: write whsec_ and base64 (HMAC, 24 to 64 \
         bytes), or whsk_ and base64 (ed25519: seed and public key, 64 bytes)"
    )]
    Malformed {
        /// Which, from 1.
        place: usize,
    },
}

enum Key {
    Hmac(Box<hmac::Key>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// The keys with which a webhook is signed. While a key is replaced there are two, so that a
/// receiver that knows either can check.
pub(crate) struct Keys(Vec<Key>);

impl Keys {
    /// Reads keys parted by whitespace.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        let keys: Vec<Key> = text
            .split_whitespace()
            .zip(1..)
            .map(|(key, place)| read(key).ok_or(KeyError::Malformed { place }))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self(keys))
    }

    /// The value of the header `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut content = format!("{id}.{timestamp_s}.").into_bytes();
        content.extend_from_slice(body);
        let signatures: Vec<String> = self
            .0
            .iter()
            .map(|key| match key {
                Key::Hmac(key) => format!("v1,{}", STANDARD.encode(hmac::sign(key, &content))),
                Key::Ed25519(pair) => format!("v1a,{}", STANDARD.encode(pair.sign(&content))),
            })
            .collect();
        signatures.join(" ")
    }
}

fn read(text: &str) -> Option<Key> {
    if let Some(rest) = text.strip_prefix("whsk_") {
        let bytes = STANDARD.decode(rest).ok()?;
        let (seed, public) = bytes.split_at_checked(32)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).ok()?;
        debug_assert_eq!(pair.public_key().as_ref(), public);
        return Some(Key::Ed25519(Box::new(pair)));
    }
    let bytes = STANDARD
        .decode(text.strip_prefix("whsec_").unwrap_or(text))
        .ok()?;
    (24..=64)
        .contains(&bytes.len())
        .then(|| Key::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let keys = Keys::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn two_keys_give_two_signatures() {
        let seed = [7_u8; 32];
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a pair");
        let mut bytes = seed.to_vec();
        bytes.extend_from_slice(pair.public_key().as_ref());
        let text = format!(
            "whsk_{} whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            STANDARD.encode(bytes)
        );
        let signed = Keys::parse(&text).expect("keys").sign("a", 1, b"{}");
        let parts: Vec<&str> = signed.split(' ').collect();
        assert_eq!(parts.len(), 2);
        let first = parts[0].strip_prefix("v1a,").expect("ed25519");
        assert_eq!(
            STANDARD.decode(first).expect("base64"),
            pair.sign(b"a.1.{}").as_ref()
        );
        assert!(parts[1].starts_with("v1,"));
    }

    #[test]
    fn what_is_no_key_is_told_by_its_place_only() {
        assert_eq!(Keys::parse("  ").err(), Some(KeyError::Empty));
        let error = Keys::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw hunter2")
            .err()
            .expect("an error");
        assert_eq!(error, KeyError::Malformed { place: 2 });
        assert!(!error.to_string().contains("hunter2"));
    }
}
