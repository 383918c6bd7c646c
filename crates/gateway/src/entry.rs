//! Entries of the mob file that a caller gives as parameters.

use serde::Serialize;
use serde_json::{Map, Value};

/// The parameters as the object that they were.
pub(crate) fn object(params: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}
