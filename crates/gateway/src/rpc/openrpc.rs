//! The OpenRPC document: JSON-RPC as the table of operations has it.

use crate::operation::Operation;
use crate::operations::OPERATIONS;
use crate::problem::{KINDS, codes, facts_schema};
use serde_json::{Map, Value, json};

/// Version of the OpenRPC specification.
const OPENRPC: &str = "1.3.2";

/// What carries it. Servers are named by whole addresses, and a mob does not know its own.
const CARRIERS: &str =
    "Served at `POST /rpc`, over a WebSocket at `/rpc/ws` and by `mobkit stdio`.";

/// The document.
pub(crate) fn document(version: &str) -> Value {
    let methods: Vec<Value> = OPERATIONS.iter().map(method).collect();
    json!({
        "openrpc": OPENRPC,
        "info": { "title": "mobkit", "version": version, "description": CARRIERS },
        "methods": methods,
        "components": { "errors": errors(), "schemas": { "Facts": facts_schema() } },
    })
}

fn method(operation: &Operation) -> Value {
    let refs = KINDS.map(|kind| json!({ "$ref": format!("#/components/errors/{kind:?}") }));
    json!({
        "name": operation.name,
        "summary": operation.doc,
        "paramStructure": "by-name",
        "params": params(&operation.params_schema()),
        "result": { "name": "result", "schema": operation.result_schema() },
        "errors": refs,
        "x-permission": operation.permission,
    })
}

/// The parameters, one by one; those that must be given come first.
fn params(schema: &Value) -> Vec<Value> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let is_required = |name: &str| {
        let required = schema["required"].as_array();
        required.is_some_and(|names| names.iter().any(|one| one == name))
    };
    let described = properties.iter().map(
        |(name, schema)| json!({ "name": name, "required": is_required(name), "schema": schema }),
    );
    let mut params: Vec<Value> = described.collect();
    params.sort_by_key(|param| param["required"] == false);
    params
}

/// The errors by kind. What comes with each is in `data`, as the schema `Facts` says.
fn errors() -> Map<String, Value> {
    let described = KINDS.iter().map(|kind| {
        let error = json!({
            "code": codes(*kind).1,
            "message": format!("{kind:?}"),
            "data": { "kind": kind },
        });
        (format!("{kind:?}"), error)
    });
    described.collect()
}
