//! The documents that describe the API: whole, well-formed and behind the guard.

use crate::kit::{Server, holds, request};
use axum::body::Body;
use axum::http::Request;
use mobkit_gateway::{Keys, OPERATIONS};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPENAPI: &str = include_str!("standards/openapi-3.1.json");
const OPENRPC: &str = include_str!("standards/openrpc.json");

async fn document(path: &str) -> Value {
    let answer = Server::up().await.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.body
}

#[tokio::test(start_paused = true)]
async fn the_openapi_document_is_one_by_its_standard() {
    let document = document("/openapi.json").await;
    let standard = serde_json::from_str(OPENAPI).expect("JSON");
    holds("/openapi.json", &standard, &document);
}

#[tokio::test(start_paused = true)]
async fn the_openrpc_document_is_one_by_its_standard() {
    let document = document("/openrpc.json").await;
    let mut standard: Value = serde_json::from_str(OPENRPC).expect("JSON");
    // It names schemas of schemas that stand elsewhere; ours are checked one by one.
    standard["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    standard["definitions"]["JSONSchema"] = json!(true);
    standard["definitions"]["referenceObject"]["properties"]["$ref"] = json!(true);
    let standard = jsonschema::draft7::new(&standard).expect("a schema");
    let errors: Vec<String> = standard
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_openapi_document_has_every_operation() {
    let document = document("/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    for operation in OPERATIONS {
        let methods = &paths[&format!("/api/v1/{}", operation.name)];
        let post = &methods["post"];
        assert_eq!(post["summary"], operation.doc);
        assert_eq!(post["x-permission"], json!(operation.permission));
        let body = &post["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(*body, operation.params_schema(), "{}", operation.name);
        let answer = &post["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(*answer, operation.result_schema(), "{}", operation.name);
        let keyed = post["parameters"][0]["$ref"] == "#/components/parameters/IdempotencyKey";
        assert_eq!(keyed, operation.keys != Keys::Absent, "{}", operation.name);
        assert_eq!(
            methods.get("get").is_some(),
            operation.is_read(),
            "{}",
            operation.name
        );
    }
    let others: BTreeSet<&str> = paths
        .keys()
        .map(String::as_str)
        .filter(|path| OPERATIONS.iter().all(|known| !path.ends_with(known.name)))
        .collect();
    let expected = "/api/v1/events /healthz /metrics /openapi.json /openrpc.json /readyz /rpc";
    assert_eq!(others, expected.split(' ').collect());
}

#[tokio::test(start_paused = true)]
async fn every_name_of_an_operation_is_given_once() {
    let document = document("/openapi.json").await;
    let mut seen = BTreeSet::new();
    let paths = document["paths"].as_object().expect("paths");
    for method in paths.values().filter_map(Value::as_object) {
        for described in method.values() {
            let name = described["operationId"].as_str().expect("a name");
            assert!(seen.insert(name.to_owned()), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_looked_at_is_served_as_described() {
    let server = Server::up().await;
    let document = server.get("/openapi.json").await.body;
    let paths = document["paths"].as_object().expect("paths");
    for path in paths.keys().filter(|path| !path.starts_with("/api/")) {
        if path == "/rpc" {
            continue;
        }
        let asked = request("GET", path).body(Body::empty()).expect("a request");
        let answer = server.send(asked).await;
        assert_eq!(answer.status, 200, "{path}");
        let content = &paths[path]["get"]["responses"]["200"]["content"];
        let schema = &content[answer.header("content-type")]["schema"];
        assert!(!schema.is_null(), "{path}");
        if answer.header("content-type") == "application/json" {
            holds(path, schema, &answer.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_openrpc_document_has_every_operation_and_the_codes_of_errors() {
    let document = document("/openrpc.json").await;
    let methods = document["methods"].as_array().expect("methods");
    assert_eq!(methods.len(), OPERATIONS.len());
    for (method, operation) in methods.iter().zip(OPERATIONS) {
        assert_eq!(method["name"], operation.name);
        assert_eq!(method["summary"], operation.doc);
        assert_eq!(method["x-permission"], json!(operation.permission));
        assert_eq!(method["result"]["schema"], operation.result_schema());
        let schema = operation.params_schema();
        let params = method["params"].as_array().expect("parameters");
        assert_eq!(
            params.len(),
            schema["properties"].as_object().expect("names").len()
        );
        for param in params {
            let name = param["name"].as_str().expect("a name");
            assert_eq!(param["schema"], schema["properties"][name]);
        }
    }
    let errors = document["components"]["errors"]
        .as_object()
        .expect("errors");
    let codes: BTreeSet<i64> = errors.values().filter_map(|e| e["code"].as_i64()).collect();
    let expected = [
        -32602, -32001, -32003, -32004, -32009, -32010, -32011, -32012, -32603,
    ];
    assert_eq!(codes, BTreeSet::from(expected));
}

#[test]
fn every_schema_is_one_and_stands_for_itself() {
    for operation in OPERATIONS {
        for schema in [operation.params_schema(), operation.result_schema()] {
            let checked = jsonschema::draft202012::meta::validate(&schema);
            assert!(checked.is_ok(), "{}: {schema}", operation.name);
            assert!(
                !schema.to_string().contains("\"$ref\""),
                "{}",
                operation.name
            );
        }
    }
}

#[test]
fn every_parameter_is_described_under_a_name_that_is_read() {
    for operation in OPERATIONS {
        let schema = operation.params_schema();
        let read = (operation.params)();
        let described = schema["properties"].as_object().expect("names");
        for name in described
            .keys()
            .filter(|name| *name != "mob" && *name != "key")
        {
            assert!(read.contains(&name.as_str()), "{}: {name}", operation.name);
        }
        assert_eq!(schema["additionalProperties"], false, "{}", operation.name);
        assert_eq!(
            described.contains_key("key"),
            operation.keys != Keys::Absent,
            "{}",
            operation.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_problem_of_a_refusal_is_as_described() {
    let server = Server::up().await;
    let document = server.get("/openapi.json").await.body;
    let problem = &document["components"]["schemas"]["Problem"];
    for (operation, params) in [
        ("member/get", json!({"member": "nobody"})),
        ("member/get", json!({"membr": "ada"})),
        ("no/such", json!({})),
    ] {
        let answer = server.post(operation, params).await;
        assert!(answer.status >= 400);
        holds(operation, problem, &answer.body);
        assert!(
            document["paths"]["/api/v1/member/get"]["get"]["responses"][answer.status.to_string()]
                .is_object()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_documents_are_for_those_who_may_look() {
    let server = Server::up().await;
    for path in ["/openapi.json", "/openrpc.json"] {
        let stranger = Request::builder()
            .uri(path)
            .header("host", "127.0.0.1:7373")
            .body(Body::empty())
            .expect("a request");
        assert_eq!(server.send(stranger).await.status, 401, "{path}");
    }
}

#[test]
fn no_schema_takes_just_anything() {
    for operation in OPERATIONS {
        let unknown = json!({ "no_such_parameter": 1 });
        let taken = jsonschema::is_valid(&operation.params_schema(), &unknown);
        let answered = jsonschema::is_valid(&operation.result_schema(), &json!("done"));
        assert!(!taken && !answered, "{}", operation.name);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_of_what_is_not_there_are_as_described() {
    let server = Server::up().await;
    // Each call holds its answer against the description.
    for (operation, list) in [("engine/list", "engines"), ("task/list", "tasks")] {
        let answer = server.call(operation, json!({})).await;
        assert!(answer[list].is_array(), "{answer}");
    }
}
