//! What a caller gives an operation, before it is read.

use crate::query;
use crate::suggestion::hint;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt::Display;

/// Parameters, by name.
#[derive(Debug, Clone)]
pub enum Input {
    /// As JSON.
    Json(Map<String, Value>),
    /// As a query string gives them: everything is text.
    Query(Vec<(String, String)>),
}

impl Input {
    /// Reads the parameters from a JSON document: an object, or nothing at all.
    pub(crate) fn of_json(value: Value) -> Result<Self, Refusal> {
        match value {
            Value::Object(params) => Ok(Self::Json(params)),
            Value::Null => Ok(Self::Json(Map::new())),
            Value::Array(list) if list.is_empty() => Ok(Self::Json(Map::new())),
            _ => {
                let message = "parameters are given by name, in a JSON object";
                Err(
                    Refusal::new(RefusalKind::Invalid, "params.malformed", message)
                        .hint("write e.g. {\"member\": \"editor\"}"),
                )
            }
        }
    }

    /// Takes a text parameter off that belongs to every operation.
    pub(crate) fn take_text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self {
            Self::Json(params) => match params.remove(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(_) => Err(invalid(name, format!("`{name}` must be a text"))),
            },
            Self::Query(pairs) => {
                let (taken, rest) = std::mem::take(pairs).into_iter().partition(|p| p.0 == name);
                *pairs = rest;
                let taken: Vec<(String, String)> = taken;
                if taken.len() > 1 {
                    return Err(invalid(name, format!("`{name}` is given more than once")));
                }
                Ok(taken.into_iter().next().map(|(_, text)| text))
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Json(params) => params.keys().map(String::as_str).collect(),
            Self::Query(pairs) => pairs.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// Reads the parameters of `operation`; what it does not know is an error.
    pub(crate) fn parse<T: DeserializeOwned>(self, operation: &str) -> Result<T, Refusal> {
        let known = crate::fields::fields_of::<T>();
        if let Some(name) = self.names().into_iter().find(|name| !known.contains(name)) {
            let message = format!("{operation} has no parameter {name:?}");
            return Err(
                Refusal::new(RefusalKind::Invalid, "params.unknown_field", message)
                    .hint(hint(name, &format!("parameters of {operation}"), known))
                    .data(json!({ "field": name })),
            );
        }
        match self {
            Self::Json(params) => read(operation, Value::Object(params)),
            Self::Query(pairs) => read(operation, query::deserializer(pairs)),
        }
        .map_err(|refusal| {
            let known = known.join(", ");
            refusal.hint(format!(
                "{operation} takes {known}; docs/api.md says what each is"
            ))
        })
    }
}

fn read<'de, T, D>(operation: &str, source: D) -> Result<T, Refusal>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error: Display>,
{
    serde_path_to_error::deserialize(source).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        if path == "." {
            return invalid("", format!("{operation}: {reason}"));
        }
        invalid(&path, format!("{operation}: `{path}`: {reason}"))
    })
}

fn invalid(field: &str, message: String) -> Refusal {
    let refusal = Refusal::new(RefusalKind::Invalid, "params.invalid", message);
    if field.is_empty() {
        refusal
    } else {
        refusal.data(json!({ "field": field }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading matters")]
    struct Params {
        member: String,
        limit: Option<u64>,
    }

    fn refused(value: Value) -> Refusal {
        let input = Input::of_json(value);
        input
            .and_then(|input| input.parse::<Params>("x/y"))
            .expect_err("refused")
    }

    #[test]
    fn every_mistake_is_named() {
        let unknown = refused(json!({"member": "a", "limt": 3}));
        assert_eq!(unknown.code, "params.unknown_field");
        assert_eq!(unknown.hint.as_deref(), Some("did you mean `limit`?"));
        let wrong = refused(json!({"member": "a", "limit": "many"}));
        assert_eq!(wrong.data, json!({"field": "limit"}));
        let hint = wrong.hint.as_deref().unwrap_or_default();
        assert!(hint.starts_with("x/y takes member, limit"), "{hint}");
        assert!(wrong.message.contains("`limit`"), "{wrong}");
        let missing = refused(json!({}));
        assert!(missing.message.contains("member"), "{missing}");
        assert_eq!(refused(json!([1])).code, "params.malformed");
    }
}
