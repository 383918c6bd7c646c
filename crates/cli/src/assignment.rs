//! Arguments of tools as people type them: `to=ops@example.org`, `count=3`, `tags=["a","b"]`.

use serde_json::{Map, Value};

/// A name and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    pub name: String,
    pub value: Value,
}

/// Reads `NAME=VALUE`: the value as JSON, or as text where it is none.
pub(crate) fn parse(text: &str) -> Result<Assignment, String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("write NAME=VALUE, e.g. count=3 or to=ada@example.org")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok(Assignment {
        name: name.to_owned(),
        value,
    })
}

/// The object that they make; the last one of a name wins.
pub(crate) fn object(assignments: &[Assignment]) -> Map<String, Value> {
    assignments
        .iter()
        .map(|one| (one.name.clone(), one.value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_json_or_else_text() {
        for (text, name, value) in [
            ("n=3", "n", json!(3)),
            ("to=a@b", "to", json!("a@b")),
            ("to=\"3\"", "to", json!("3")),
            ("on=true", "on", json!(true)),
            ("list=[1, 2]", "list", json!([1, 2])),
            ("q=a=b", "q", json!("a=b")),
            ("empty=", "empty", json!("")),
            ("broken={\"a\"", "broken", json!("{\"a\"")),
        ] {
            let name = name.to_owned();
            assert_eq!(parse(text), Ok(Assignment { name, value }), "{text}");
        }
        for text in ["", "=", "=x", "name"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
