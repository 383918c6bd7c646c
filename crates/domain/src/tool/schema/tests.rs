//! What is told of arguments that do not fit, and what is not enforced.

use super::violation;
use serde_json::{Value, json};

fn mail() -> Value {
    json!({
        "type": "object",
        "properties": {
            "to": {"type": "string", "pattern": "^[a-z]+@example\\.com$", "maxLength": 40},
            "copies": {"type": "integer", "minimum": 1, "maximum": 5},
            "kind": {"enum": ["plain", "urgent"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "body": {"anyOf": [{"type": "string", "minLength": 3}, {"type": "null"}]}
        },
        "required": ["to"],
        "additionalProperties": false
    })
}

#[test]
fn what_fits_is_no_violation() {
    let fitting = [
        json!({"to": "desk@example.com"}),
        json!({"to": "desk@example.com", "copies": 5, "kind": "urgent", "tags": ["a"],
               "body": null}),
    ];
    for args in fitting {
        assert_eq!(violation(&mail(), &args), None, "{args}");
    }
}

#[test]
fn a_violation_names_the_field_and_the_rule_and_not_the_value() {
    let secret = "hunter2".repeat(40);
    let cases = [
        (json!({}), "\"to\" is a required property (rule required)"),
        (
            json!({"to": 5}),
            "/to is not of type \"string\" (rule type)",
        ),
        (
            json!({"to": secret}),
            "/to is longer than 40 characters (rule maxLength); /to does not match",
        ),
        (
            json!({"to": "desk@example.com", "copies": 0}),
            "/copies is less than the minimum of 1 (rule minimum)",
        ),
        (
            json!({"to": "desk@example.com", "kind": secret}),
            "/kind is not one of \"plain\" or \"urgent\" (rule enum)",
        ),
        (
            json!({"to": "desk@example.com", "tags": ["a", 7]}),
            "/tags/1 is not of type \"string\" (rule type)",
        ),
        (
            json!({"to": "desk@example.com", "bcc": "x"}),
            "Additional properties are not allowed ('bcc' was unexpected)",
        ),
        (
            json!({"to": "desk@example.com", "body": "x"}),
            "/body is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
    ];
    for (args, told) in cases {
        let found = violation(&mail(), &args).expect("a violation");
        assert!(found.contains(told), "{found}");
        assert!(!found.contains("hunter2"), "{found}");
        assert!(found.chars().count() < 600, "{found}");
    }
}

#[test]
fn whatever_is_told_is_short() {
    let schema = json!({"propertyNames": {"maxLength": 10}, "additionalProperties": false});
    let many: Vec<(String, Value)> = (0..200)
        .map(|n| (format!("{}{n}", "long".repeat(500)), json!(n)))
        .collect();
    let args = Value::Object(many.into_iter().collect());
    let found = violation(&schema, &args).expect("a violation");
    assert!(found.chars().count() < 600, "{}", found.len());
}

#[test]
fn a_reference_counts_as_the_text_that_it_stands_for() {
    let blob = json!({"blob": format!("sha256:{}", "0a".repeat(32)), "bytes": 40_000});
    let with = |field: &str, value: &Value| {
        let mut args = json!({"to": "desk@example.com"});
        args[field] = value.clone();
        violation(&mail(), &args)
    };
    for field in ["to", "body", "kind"] {
        assert_eq!(with(field, &blob), None, "{field}: nobody here has read it");
    }
    assert_eq!(with("tags", &json!([blob])), None);
    let wrong = with("copies", &blob).expect("a text is no number");
    assert_eq!(wrong, "/copies is not of type \"integer\" (rule type)");
    let missing = violation(&mail(), &json!({"body": blob})).expect("it is missing");
    assert_eq!(missing, "\"to\" is a required property (rule required)");
    let forged = json!({"blob": "sha256:short", "bytes": 1});
    assert!(with("to", &forged).is_some(), "no name that the store gave");
}

#[test]
fn a_schema_that_can_not_be_used_holds_nobody_up() {
    let large = format!("a{}", "b".repeat(70_000));
    let unusable = [
        json!({"type": "strange"}),
        json!({"properties": {"a": {"pattern": "(unclosed"}}}),
        json!({"$ref": "https://example.com/schema.json"}),
        json!({"$ref": "#/$defs/missing"}),
        json!({"properties": {"a": {"$ref": "file:///etc/passwd"}}}),
        json!({"required": ["b"], "description": large}),
        json!([]),
        json!("text"),
    ];
    for schema in unusable {
        assert_eq!(violation(&schema, &json!({"a": 1})), None);
    }
    assert!(
        violation(&json!(false), &json!({})).is_some(),
        "nothing is allowed"
    );
}

#[test]
fn a_pattern_is_checked_in_linear_time() {
    let schema = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
    let args = json!({"a": format!("{}!", "a".repeat(20_000))});
    assert!(violation(&schema, &args).is_some());
}

/// `$defs` in which each entry leads to the next one twice.
fn doubling(length: usize, rule: &str) -> Value {
    let next = |n: usize| json!({"$ref": format!("#/$defs/d{}", n + 1)});
    let entry = |n: usize| (format!("d{n}"), json!({rule: [next(n), next(n)]}));
    let mut defs: serde_json::Map<String, Value> = (0..length).map(entry).collect();
    defs.insert(format!("d{length}"), json!({"type": "string"}));
    json!({"$ref": "#/$defs/d0", "$defs": defs})
}

#[test]
fn a_schema_that_would_be_too_dear_to_check_is_not() {
    let nested = (0..100).fold(
        json!({"type": "string"}),
        |inner, _| json!({"anyOf": [inner]}),
    );
    let mut deep = json!([]);
    for _ in 0..60 {
        deep = json!([deep]);
    }
    let branching = json!({"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}, false]});
    let patterns: serde_json::Map<String, Value> = (0..100)
        .map(|n| (format!("p{n}"), json!({"pattern": "^\\w{1,300}$"})))
        .collect();
    let cases = [
        (doubling(60, "anyOf"), json!({})),
        (doubling(60, "allOf"), json!({})),
        (nested, json!({})),
        (branching, json!({"a": deep})),
        (json!({"$ref": "#"}), json!({})),
        (json!({"allOf": [{"$ref": "#"}]}), json!({})),
        (json!({"properties": patterns}), json!({"p1": "x"})),
        (json!({"$dynamicRef": "#node"}), json!({})),
    ];
    for (schema, args) in &cases {
        assert_eq!(violation(schema, args), None);
    }
}

#[test]
fn a_tree_of_its_own_kind_is_checked() {
    let schema = json!({
        "properties": {
            "name": {"type": "string"},
            "parts": {"type": "array", "items": {"$ref": "#"}}
        },
        "required": ["name"]
    });
    let mut tree = json!({"name": "leaf"});
    for _ in 0..10 {
        tree = json!({"name": "node", "parts": [tree, {"name": "leaf"}]});
    }
    assert_eq!(violation(&schema, &tree), None);
    let wrong = json!({"name": "root", "parts": [{"name": "a"}, {"parts": []}]});
    let told = "/parts/1: \"name\" is a required property (rule required)";
    assert_eq!(violation(&schema, &wrong).as_deref(), Some(told));
}

#[test]
fn what_no_argument_meets_costs_nothing() {
    for rule in ["anyOf", "allOf", "oneOf"] {
        let mut schema = doubling(60, rule);
        schema["properties"] = json!({"x": {"$ref": "#/$defs/d0"}});
        schema["required"] = json!(["y"]);
        schema.as_object_mut().expect("an object").remove("$ref");
        assert!(violation(&schema, &json!({})).is_some(), "{rule}");
    }
}

#[test]
fn a_long_chain_of_references_does_not_end_the_process() {
    for wrapped in [false, true] {
        let entry = |n: usize| {
            let next = json!({"$ref": format!("#/$defs/{}", n + 1)});
            let rule = if wrapped {
                json!({"items": {"not": next}})
            } else {
                next
            };
            (n.to_string(), rule)
        };
        let count = if wrapped { 1_200 } else { 1_900 };
        let mut defs: serde_json::Map<String, Value> = (0..count).map(entry).collect();
        defs.insert(count.to_string(), json!({"type": "string"}));
        let schema = json!({"properties": {"x": {"$ref": "#/$defs/0"}}, "$defs": defs});
        assert!(schema.to_string().len() <= super::SCHEMA_BYTES_MAX);
        assert_eq!(violation(&schema, &json!({})), None);
        assert_eq!(violation(&schema, &json!({"x": 1})), None);
    }
}
