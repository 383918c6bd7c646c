//! What an idempotency key stands for.

use crate::operation::{Keys, Operation};
use mobkit_domain::canonical::{canonical_json, sha256_hex};
use mobkit_domain::event::KeyUse;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Map, Value, json};

/// Longest idempotency key, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 255;

/// The key that a call is made under: from its parameters or from the header, not two different.
pub(crate) fn choose(
    param: Option<String>,
    header: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let header = header.map(unquoted);
    let key = match (param, header) {
        (Some(param), Some(header)) if param != header => {
            let message = "the parameter `key` and the header Idempotency-Key differ";
            return Err(Refusal::new(RefusalKind::Invalid, "key.ambiguous", message)
                .hint("give the key once"));
        }
        (Some(key), _) => key,
        (None, Some(key)) => key.to_owned(),
        (None, None) => return Ok(None),
    };
    if key.is_empty() || key.len() > KEY_BYTES_MAX || key.chars().any(char::is_control) {
        let message =
            format!("an idempotency key has 1 to {KEY_BYTES_MAX} bytes and no control character");
        return Err(Refusal::new(RefusalKind::Invalid, "key.malformed", message));
    }
    Ok(Some(key))
}

/// A header holds the key bare, or quoted as a structured field does.
fn unquoted(header: &str) -> &str {
    let header = header.trim();
    let inner = header
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(header)
}

/// The key with the digest of what it was used for.
pub(crate) fn key_use(operation: &Operation, key: String, params: &Map<String, Value>) -> KeyUse {
    let mut params = params.clone();
    let name = match operation.keys {
        Keys::JournalAs { operation, without } => {
            params.retain(|name, _| !without.contains(&name.as_str()));
            operation
        }
        Keys::Absent | Keys::Journal | Keys::Process => operation.name,
    };
    let request = json!({ "operation": name, "params": params });
    KeyUse {
        key,
        digest: format!("sha256:{}", sha256_hex(canonical_json(&request))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(param: Option<&str>, header: Option<&str>) -> Result<Option<String>, String> {
        choose(param.map(str::to_owned), header).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_key_is_given_once_and_is_short() {
        assert_eq!(chosen(None, None), Ok(None));
        assert_eq!(chosen(Some("a"), Some("\"a\"")), Ok(Some("a".to_owned())));
        assert_eq!(
            chosen(Some("a"), Some("b")),
            Err("key.ambiguous".to_owned())
        );
        for bad in ["", "a\nb", &"a".repeat(256)] {
            assert_eq!(chosen(Some(bad), None), Err("key.malformed".to_owned()));
        }
    }
}
