//! Reading JSON in which no name of an object is given twice.

use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};
use std::cell::RefCell;
use std::fmt;

/// Why a text could not be read.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// It is no JSON.
    Malformed(serde_json::Error),
    /// An object has this name twice, so nobody can say what is meant.
    Duplicate(String),
}

impl JsonError {
    /// The refusal of a name that is given twice, or under `code` of what is no JSON.
    pub fn refusal(self, code: &str) -> Refusal {
        match self {
            Self::Malformed(error) => {
                let message = format!("this is no JSON: {error}");
                Refusal::new(RefusalKind::Invalid, code, message)
            }
            Self::Duplicate(name) => {
                let shown: String = name.chars().take(80).collect();
                let message = format!("`{shown}` is given twice in one JSON object");
                Refusal::new(RefusalKind::Invalid, "params.duplicate_field", message)
                    .hint("give it once")
                    .data(json!({ "field": shown }))
            }
        }
    }
}

/// The value that the text is.
pub(crate) fn from_slice(bytes: &[u8]) -> Result<Value, JsonError> {
    let duplicate = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&duplicate)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| match duplicate.take() {
        Some(name) => JsonError::Duplicate(name),
        None => JsonError::Malformed(error),
    })
}

/// Notes the first name that is there twice.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.contains_key(&name) {
                self.0.replace(Some(name));
                return Err(A::Error::custom("a name is given twice"));
            }
            let value = map.next_value_seed(self)?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        let text = r#" {"a": [1, -2, 3.5, 1e300, true, null, "x\n"], "b": {"a": {}}} "#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(from_slice(text.as_bytes()).expect("JSON"), expected);
        for bad in ["", "{", "[1,]", "{} {}", "nul", "{\"a\": 1e999}"] {
            assert!(
                matches!(from_slice(bad.as_bytes()), Err(JsonError::Malformed(_))),
                "{bad:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(from_slice(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_name_that_is_given_twice_is_named_at_any_depth() {
        for text in [
            r#"{"x": 1, "x": 1}"#,
            r#"[{"a": {"x": 1, "y": 2, "\u0078": 3}}]"#,
        ] {
            match from_slice(text.as_bytes()) {
                Err(JsonError::Duplicate(name)) => assert_eq!(name, "x"),
                other => panic!("{other:?}"),
            }
        }
    }
}
