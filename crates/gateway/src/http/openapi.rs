//! The OpenAPI document: HTTP as the table of operations has it.

use super::{events, metrics};
use crate::operation::{Keys, Operation};
use crate::operations::OPERATIONS;
use crate::problem::{KINDS, codes, problem_schema};
use serde_json::{Map, Value, json};

/// Version of the OpenAPI specification.
const OPENAPI: &str = "3.1.0";

/// The document.
pub(super) fn document(version: &str) -> Value {
    let operations = OPERATIONS.iter().map(|operation| {
        let path = format!("/api/v1/{}", operation.name);
        (path, methods(operation))
    });
    let mut paths: Map<String, Value> = operations.collect();
    paths.extend(others());
    json!({
        "openapi": OPENAPI,
        "info": { "title": "mobkit", "version": version },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Problem": problem_schema() },
            "parameters": { "IdempotencyKey": idempotency_key() },
            "responses": { "Problem": {
                "description": "The request was refused (RFC 9457).",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" },
                } },
            } },
        },
    })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repetition with it gets the first answer; instead of `key` in the body.",
        "schema": { "type": "string" },
    })
}

fn methods(operation: &Operation) -> Value {
    let name = operation.name.replace('/', "_");
    let noun = operation.name.split('/').next();
    let params = operation.params_schema();
    let answer = json!({ "application/json": { "schema": operation.result_schema() } });
    let answers = responses("The answer.", &answer);
    let mut post = json!({
        "operationId": name,
        "summary": operation.doc,
        "tags": [noun],
        "requestBody": {
            "required": params.get("required").is_some(),
            "content": { "application/json": { "schema": params } },
        },
        "responses": answers,
        "x-permission": operation.permission,
    });
    if operation.keys != Keys::Absent {
        post["parameters"] = json!([{ "$ref": "#/components/parameters/IdempotencyKey" }]);
    }
    if !operation.is_read() {
        return json!({ "post": post });
    }
    let get = json!({
        "operationId": format!("{name}_query"),
        "summary": operation.doc,
        "tags": [noun],
        "parameters": in_query(&params),
        "responses": answers,
        "x-permission": operation.permission,
    });
    json!({ "get": get, "post": post })
}

/// Parameters as a query gives them. A list is one text with commas there.
fn in_query(schema: &Value) -> Vec<Value> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = schema["required"].as_array();
    let described = properties.iter().map(|(name, schema)| {
        let mut param = json!({ "name": name, "in": "query", "schema": schema });
        if required.is_some_and(|names| names.iter().any(|one| one == name)) {
            param["required"] = json!(true);
        }
        param["explode"] = json!(false);
        param
    });
    described.collect()
}

/// The answer of a success and, by status, those of refusals.
fn responses(description: &str, content: &Value) -> Map<String, Value> {
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    let refusals = KINDS.iter().map(|kind| codes(*kind).0.as_u16().to_string());
    let mut responses: Map<String, Value> =
        refusals.map(|status| (status, problem.clone())).collect();
    responses.insert("default".to_owned(), problem);
    let success = json!({ "description": description, "content": content });
    responses.insert("200".to_owned(), success);
    responses
}

/// What is served beside operations.
fn others() -> [(String, Value); 7] {
    let anything = json!({ "application/json": { "schema": {} } });
    let json_rpc = json!({
        "operationId": "rpc",
        "summary": "JSON-RPC 2.0 over all operations; /openrpc.json describes them.",
        "requestBody": { "required": true, "content": anything },
        "responses": responses("The answer; none, with status 204, to notifications.", &anything),
    });
    let metrics = json!({ metrics::TYPE: { "schema": { "type": "string" } } });
    [
        ("/rpc".to_owned(), json!({ "post": json_rpc })),
        ("/api/v1/events".to_owned(), json!({ "get": stream() })),
        looked_at("metrics", "Counts and levels, as OpenMetrics.", &metrics),
        looked_at("openapi.json", "This document.", &anything),
        looked_at(
            "openrpc.json",
            "JSON-RPC as an OpenRPC document.",
            &anything,
        ),
        healthy("healthz", "Whether the process works."),
        healthy("readyz", "Whether it takes work."),
    ]
}

fn looked_at(path: &str, summary: &str, content: &Value) -> (String, Value) {
    let get = json!({
        "operationId": path.replace('.', "_"),
        "summary": summary,
        "responses": responses(summary, content),
    });
    (format!("/{path}"), json!({ "get": get }))
}

fn healthy(path: &str, summary: &str) -> (String, Value) {
    let health = json!({
        "type": "object",
        "properties": { "ok": { "type": "boolean" }, "state": { "type": "string" } },
        "required": ["ok", "state"],
    });
    let answer = |description: &str| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": health } },
        })
    };
    let get = json!({
        "operationId": path,
        "summary": summary,
        "security": [],
        "responses": { "200": answer("Yes."), "503": answer("No.") },
    });
    (format!("/{path}"), json!({ "get": get }))
}

fn stream() -> Value {
    let mut parameters = in_query(&events::params_schema());
    parameters.push(json!({
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Where a lost stream goes on; wins over `after`.",
        "schema": { "type": "string" },
    }));
    let text = json!({ "schema": { "type": "string" } });
    let content = json!({ "text/event-stream": text, "application/x-ndjson": text });
    json!({
        "operationId": "events",
        "summary": "The journal as a stream: server-sent events, or lines of JSON by `Accept`.",
        "parameters": parameters,
        "responses": responses("The events, each with its position.", &content),
    })
}
