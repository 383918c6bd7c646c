//! `blob/get`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The most bytes of a blob in one answer, and how many there are where nobody says.
const LIMIT_BYTES_MAX: usize = 1024 * 1024;

pub(in crate::operations) struct Get;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The blob, as events name it: `sha256:…`.
    #[serde(alias = "id")]
    blob: String,
    /// How many bytes to pass over, by default 0.
    #[serde(default)]
    offset: u64,
    /// The most bytes to answer; 1 to 1,048,576, by default 1,048,576.
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The blob.
    blob: String,
    /// Its size in bytes.
    bytes: u64,
    /// Its content from `offset` on.
    #[serde(flatten)]
    content: Content,
    /// The `offset` of what is left; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// A blob that is UTF-8 comes as text, cut between characters.
    Text(String),
    /// Any other comes in base64 (RFC 4648, section 4).
    Base64(String),
}

impl Define for Get {
    const NAME: &'static str = "blob/get";
    const DOC: &'static str = "Reads a long text or another payload that an event refers to.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = limit(params.limit)?;
        check_name(&params.blob)?;
        let found = cx.engine.store().blob(&params.blob).await;
        let Some(whole) = found.map_err(|error| store_refusal(&error))? else {
            let message = format!("there is no blob {}", params.blob);
            return Err(
                Refusal::new(RefusalKind::Missing, "blob.not_found", message)
                    .hint("blobs are named in events and histories"),
            );
        };
        let offset = usize::try_from(params.offset).unwrap_or(usize::MAX);
        let (content, end) = part(&whole, offset, limit).ok_or_else(|| {
            let message = format!(
                "`offset` is 0 to {} and begins a character, unlike {}",
                whole.len(),
                params.offset
            );
            Refusal::new(RefusalKind::Invalid, "params.invalid", message)
                .hint("pass the `next_offset` of the answer before")
                .data(json!({ "field": "offset" }))
        })?;
        Ok(Output {
            blob: params.blob,
            bytes: whole.len() as u64,
            content,
            next_offset: (end < whole.len()).then_some(end as u64),
        })
    }
}

/// A name that is none is told from a blob that is not there.
fn check_name(blob: &str) -> Result<(), Refusal> {
    let digest = blob.strip_prefix("sha256:").unwrap_or_default();
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if digest.len() == 64 && digest.bytes().all(hex) {
        return Ok(());
    }
    let message = "`blob` is `sha256:` and 64 hexadecimal digits in lower case";
    Err(
        Refusal::new(RefusalKind::Invalid, "params.invalid", message)
            .data(json!({ "field": "blob" })),
    )
}

fn limit(given: Option<u64>) -> Result<usize, Refusal> {
    let Some(given) = given else {
        return Ok(LIMIT_BYTES_MAX);
    };
    match usize::try_from(given) {
        Ok(limit) if (1..=LIMIT_BYTES_MAX).contains(&limit) => Ok(limit),
        _ => {
            let message = format!("an answer has 1 to {LIMIT_BYTES_MAX} bytes, not {given}");
            Err(
                Refusal::new(RefusalKind::Invalid, "limit.out_of_range", message)
                    .data(json!({ "field": "limit" })),
            )
        }
    }
}

/// A part of the blob and where it ends; `None` where no part begins at `offset`. A character that
/// is larger than `limit` comes whole, so every part leads on.
fn part(whole: &Bytes, offset: usize, limit: usize) -> Option<(Content, usize)> {
    let most = offset.saturating_add(limit).min(whole.len());
    let Ok(text) = std::str::from_utf8(whole) else {
        let bytes = whole.get(offset..most)?;
        return Some((Content::Base64(BASE64_STANDARD.encode(bytes)), most));
    };
    let rest = text.get(offset..)?;
    let first = rest.chars().next().map_or(0, char::len_utf8);
    let end = text.floor_char_boundary(most).max(offset + first);
    Some((Content::Text(text.get(offset..end)?.to_owned()), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_every_part_leads_on() {
        let whole = Bytes::from("aäb€");
        let text = |offset, limit| match part(&whole, offset, limit) {
            Some((Content::Text(text), end)) => Some((text, end)),
            other => {
                assert_eq!(other, None);
                None
            }
        };
        assert_eq!(text(0, 2), Some(("a".to_owned(), 1)));
        assert_eq!(text(1, 1), Some(("ä".to_owned(), 3)));
        assert_eq!(text(3, 100), Some(("b€".to_owned(), 7)));
        assert_eq!(text(7, 1), Some((String::new(), 7)));
        assert_eq!(text(2, 1), None);
        assert_eq!(text(8, 1), None);
    }

    #[test]
    fn what_is_no_text_comes_in_base64() {
        let whole = Bytes::from_static(&[0xff, 0x00, 0x61]);
        let base64 = |text: &str| Content::Base64(text.to_owned());
        assert_eq!(part(&whole, 0, 2), Some((base64("/wA="), 2)));
        assert_eq!(part(&whole, 2, 2), Some((base64("YQ=="), 3)));
        assert_eq!(part(&whole, 4, 2), None);
    }
}
