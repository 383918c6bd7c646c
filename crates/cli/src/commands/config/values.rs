//! A definition as single values with names.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Every value by its name: tables joined by dots, items of a list by their id.
pub(super) fn values(definition: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (key, value) in definition.as_object().into_iter().flatten() {
        // What is not of a part of the mob stands in the table of the mob itself.
        let is_part = value.is_object() || value.is_array();
        let name = if is_part && key != "defaults" {
            key.clone()
        } else {
            format!("mob.{key}")
        };
        walk(&name, value, &mut found);
    }
    found
}

fn walk(name: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    let within = |part: &str| format!("{name}.{part}");
    match value {
        Value::Null => {}
        Value::Object(table) if !is_reference(table) => {
            for (key, value) in table {
                walk(&within(key), value, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (i, item) in items.iter().enumerate() {
                let part = item["id"]
                    .as_str()
                    .map_or_else(|| i.to_string(), str::to_owned);
                walk(&within(&part), item, found);
            }
        }
        leaf => {
            found.insert(name.to_owned(), leaf.clone());
        }
    }
}

/// Whether it says where a secret is.
fn is_reference(table: &Map<String, Value>) -> bool {
    table.len() == 1
        && ["env", "file", "command"].iter().any(|key| {
            // A table of variables has this name too.
            table.get(*key).is_some_and(|value| !value.is_object())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_named_by_ids_and_secrets_stay_references() {
        let definition = json!({
            "id": "m", "description": null,
            "models": {"main": {"api_key": {"env": "KEY"}}},
            "members": [{"id": "a", "labels": ["x"]}, {"no": "id"}],
        });
        let found = values(&definition);
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        let expected = [
            "members.1.no",
            "members.a.id",
            "members.a.labels",
            "mob.id",
            "models.main.api_key",
        ];
        assert_eq!(names, expected);
        assert_eq!(found["models.main.api_key"], json!({"env": "KEY"}));
    }
}
