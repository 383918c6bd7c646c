//! What operations take and answer, held against how they are described.

use jsonschema::Draft;
use mobkit_gateway::{OPERATIONS, Operation};
use serde_json::{Map, Value, json};

/// Fails unless both the parameters and the answer of a call are as described, the answer without
/// anything beside what is described.
pub fn check(name: &str, params: &Value, answer: &Value) {
    let mut named = OPERATIONS.iter().filter(|known| known.name == name);
    let operation = named.next().expect("an operation of the table");
    let taken = operation.params_schema();
    holds(name, &taken, &first_names(operation, &taken, params));
    let mut answered = operation.result_schema();
    if answered.get("additionalProperties").is_none() {
        answered["unevaluatedProperties"] = json!(false);
    }
    holds(name, &answered, answer);
}

/// Fails unless a value is as a schema says.
pub fn holds(what: &str, schema: &Value, value: &Value) {
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    let validator = options.build(schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\n{value}\n{schema}");
}

/// The parameters with the names that the schema has.
fn first_names(operation: &Operation, schema: &Value, params: &Value) -> Value {
    let Value::Object(params) = params else {
        return json!({});
    };
    let renamed = params.iter().map(|(name, value)| {
        let name = first_name(operation, schema, params, name).unwrap_or(name);
        (name.to_owned(), value.clone())
    });
    Value::Object(renamed.collect())
}

/// The name for which another one stands: what is required and missing, or else its neighbour where
/// the names of each parameter stand together, in alphabetical order.
fn first_name<'a>(
    operation: &Operation,
    schema: &'a Value,
    params: &Map<String, Value>,
    name: &str,
) -> Option<&'a str> {
    let described = schema["properties"].as_object()?;
    let names = (operation.params)();
    let place = names.iter().position(|known| *known == name)?;
    if described.contains_key(name) {
        return None;
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let mut missing = required.filter_map(Value::as_str);
    let missing = missing.find(|required| !params.contains_key(*required));
    let after = names.get(place + 1).filter(|after| **after > name);
    let first = missing
        .or(after.copied())
        .or(place.checked_sub(1).map(|before| names[before]))?;
    described
        .get_key_value(first)
        .map(|(first, _)| first.as_str())
}
