//! Entries of the mob file that a caller gives as parameters.

use mobkit_domain::definition::EntryError;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The parameters as the object that they were.
pub(crate) fn object(params: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The refusal of an entry: the first error, with all of them as facts.
pub(crate) fn refused(errors: &[EntryError]) -> Refusal {
    let problems = errors.iter().map(|error| {
        json!({
            "code": error.code, "field": error.field, "message": error.message, "hint": error.hint,
        })
    });
    let problems: Vec<Value> = problems.collect();
    let Some(first) = errors.first() else {
        let message = "the parameters define nothing";
        return Refusal::new(RefusalKind::Invalid, "params.invalid", message);
    };
    let mut facts = json!({ "problems": problems });
    if let Some(field) = &first.field {
        facts["field"] = json!(field);
    }
    let refusal = Refusal::new(RefusalKind::Invalid, &first.code, &first.message).data(facts);
    match &first.hint {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}
