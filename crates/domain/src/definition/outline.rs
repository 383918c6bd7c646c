//! Every table and key of the mob file, as people look them up.

use super::schema::schema;
use serde_json::Value;
use std::sync::LazyLock;

/// A table or key of the mob file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name from the root on, without the ids and numbers that a file gives:
    /// `modules.restart.policy`.
    pub name: String,
    /// What it is; a sentence.
    pub meaning: String,
    /// What is written there, and what holds where it is absent; a sentence.
    pub wants: String,
}

/// Every table and key, by name, each once.
pub fn outline() -> &'static [Key] {
    static OUTLINE: LazyLock<Vec<Key>> = LazyLock::new(|| {
        let mut keys = Vec::new();
        below("", &schema(), &mut keys);
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        keys
    });
    &OUTLINE
}

fn below(name: &str, table: &Value, keys: &mut Vec<Key>) {
    let required = table["required"].as_array();
    for (key, rule) in table["properties"].as_object().into_iter().flatten() {
        let dot = if name.is_empty() { "" } else { "." };
        let name = format!("{name}{dot}{key}");
        // Variants of a table share keys.
        if let Some(known) = keys.iter_mut().find(|known| known.name == name) {
            if let Some(word) = rule.get("const") {
                known.wants.insert_str(0, &format!("{word}, "));
            }
        } else {
            let is_required = required.is_some_and(|keys| keys.iter().any(|name| name == key));
            keys.push(Key {
                meaning: format!("{}.", rule["description"].as_str().unwrap_or_default()),
                wants: sentence(rule, is_required),
                name: name.clone(),
            });
        }
        // A table itself, an entry of a list of them, one with a name of its own, or its variants.
        for table in [rule, &rule["items"], &rule["additionalProperties"]] {
            below(&name, table, keys);
        }
        let variants = rule["oneOf"].as_array().into_iter().flatten();
        variants.for_each(|table| below(&name, table, keys));
    }
}

fn sentence(rule: &Value, is_required: bool) -> String {
    let wants = wants(rule);
    let absent = match (&rule["default"], is_required) {
        (Value::Null, true) => "; required".to_owned(),
        (Value::Null, false) => String::new(),
        (default, _) => format!("; {default} where absent"),
    };
    let mut letters = wants.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let first: String = first.collect();
    format!("{first}{}{absent}.", letters.as_str())
}

/// What is written where the rule holds.
fn wants(rule: &Value) -> String {
    let words = |list: &Value| {
        let words = list.as_array().into_iter().flatten().map(Value::to_string);
        words.collect::<Vec<_>>().join(", ")
    };
    match rule["$ref"].as_str() {
        Some("#/$defs/span") => return "a span of time such as \"30s\"".to_owned(),
        Some("#/$defs/secret") => {
            let forms = "{ env = \"NAME\" }, { file = \"path\" } or { command = [\"program\"] }";
            return forms.to_owned();
        }
        Some("#/$defs/setting") => return "text, or where a secret is found".to_owned(),
        Some(_) | None => {}
    }
    if let Some(word) = rule.get("const") {
        return word.to_string();
    }
    if rule["enum"].is_array() {
        return format!("one of {}", words(&rule["enum"]));
    }
    if let Some(choices) = rule["anyOf"].as_array() {
        let choices: Vec<String> = choices.iter().map(wants).collect();
        return choices.join(", or ");
    }
    match rule["type"].as_str().unwrap_or_default() {
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "number" => "a number of at least 0".to_owned(),
        "integer" => format!(
            "a whole number from {} to {}",
            rule["minimum"], rule["maximum"]
        ),
        "array" if rule["maxItems"] == 2 => format!("a list of two: {}", wants(&rule["items"])),
        "array" => format!("a list: {}", wants(&rule["items"])),
        _ if rule["additionalProperties"].is_object() => {
            let each = wants(&rule["additionalProperties"]);
            format!("a table with names of your own: {each}")
        }
        _ => "a table".to_owned(),
    }
}
