//! Texts that are too long for an event: arguments hold a reference to them, and whoever decides
//! has to see them all the same.

use crate::client::Client;
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};

/// A long text, with the place of its reference in the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LongText {
    pointer: String,
    blob: String,
    pub text: String,
}

impl LongText {
    #[cfg(test)]
    pub fn of(pointer: &str, blob: &str, text: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            blob: blob.to_owned(),
            text: text.to_owned(),
        }
    }

    /// What it is.
    pub fn title(&self) -> String {
        let (pointer, blob) = (&self.pointer, &self.blob);
        format!("the text of {blob}, at {pointer} in the arguments")
    }
}

/// Every text that `args` refer to, whole.
pub(crate) async fn long_texts(
    client: &Client<'_>,
    args: &Value,
) -> Result<Vec<LongText>, Failure> {
    let mut places = Vec::new();
    find(args, "", &mut places);
    let mut texts = Vec::new();
    for (pointer, blob) in places {
        let text = fetch(client, &blob).await?;
        texts.push(LongText {
            pointer,
            blob,
            text,
        });
    }
    Ok(texts)
}

fn find(value: &Value, pointer: &str, places: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => match (value["blob"].as_str(), value["bytes"].is_u64()) {
            (Some(blob), true) if fields.len() == 2 => {
                places.push((pointer.to_owned(), blob.to_owned()));
            }
            _ => {
                for (name, field) in fields {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    find(field, &format!("{pointer}/{name}"), places);
                }
            }
        },
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                find(item, &format!("{pointer}/{i}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

async fn fetch(client: &Client<'_>, blob: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let mut params = json!({"blob": blob});
    loop {
        let part = match client.call("blob/get", &params).await {
            Ok(part) => part,
            // A model can write what looks like a reference and is none.
            Err(failure) if matches!(failure.exit(), Exit::Missing | Exit::Usage) => {
                return Ok(format!("({failure})"));
            }
            Err(failure) => return Err(failure),
        };
        match (part["text"].as_str(), part["base64"].as_str()) {
            (Some(part), _) => text.push_str(part),
            (None, encoded) => text.push_str(encoded.unwrap_or_default()),
        }
        match part["next_offset"].as_u64() {
            Some(offset) => params["offset"] = json!(offset),
            None => return Ok(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_are() {
        let args = json!({
            "body": {"blob": "sha256:1", "bytes": 40_000},
            "parts": [{"a/b": {"blob": "sha256:2", "bytes": 50_000}}],
            "other": {"blob": "sha256:3", "bytes": 1, "more": true},
            "text": "sha256:4",
        });
        let mut places = Vec::new();
        find(&args, "", &mut places);
        let found: Vec<(&str, &str)> = places.iter().map(|(p, b)| (&**p, &**b)).collect();
        assert_eq!(
            found,
            [("/body", "sha256:1"), ("/parts/0/a~1b", "sha256:2")]
        );
    }
}
