//! The JSON Schema of the mob file says what the readers of the file say.

use crate::definition::{Folder, WHOLE, golden};
use mobkit_domain::definition::{self, Diagnostic, outline, schema};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// Findings that a schema can make as well.
const OF_FORM: [&str; 3] = [
    "definition.key_unknown",
    "definition.type_wrong",
    "definition.choice_unknown",
];
/// What the whole file does not show.
const REST: &str = "[engines.a2a]\ncommand = [\"a\"]\n[engines.acp]\ncommand = [\"b\"]\n";

/// A value of a mob file and the part of the schema that speaks of it, as JSON pointers.
struct Place {
    value: String,
    rule: String,
    /// The rule before references were followed: one for each key of each table.
    key: String,
}

/// A file in which every table of the schema occurs.
fn everything() -> Value {
    toml::from_str(&format!("{WHOLE}{REST}")).expect("TOML")
}

fn parse(file: &Value) -> Result<String, Vec<Diagnostic>> {
    let text = toml::to_string(file).expect("TOML");
    let parsed = definition::parse("mob.toml", &text, &Folder)?;
    Ok(parsed.definition.digest())
}

fn accepts() -> impl Fn(&Value) -> bool {
    let validator = jsonschema::draft202012::new(&schema()).expect("a schema");
    move |file| validator.is_valid(file)
}

/// The rule itself, past references, and of several the one for a value of this sort.
fn resolved(schema: &Value, rule: String, value: &Value) -> String {
    let here = schema.pointer(&rule).expect("a rule");
    if let Some(to) = here["$ref"].as_str() {
        return resolved(schema, to.trim_start_matches('#').to_owned(), value);
    }
    for word in ["anyOf", "oneOf"] {
        for i in 0..here[word].as_array().map_or(0, Vec::len) {
            let branch = resolved(schema, format!("{rule}/{word}/{i}"), value);
            let rule = schema.pointer(&branch).expect("a rule");
            let kind = rule.pointer("/properties/kind/const");
            let wanted = if value.is_object() {
                "object"
            } else {
                "string"
            };
            if rule["type"] == wanted && kind.is_none_or(|kind| *kind == value["kind"]) {
                return branch;
            }
        }
    }
    rule
}

/// Every value of the file from `at` on.
fn places(schema: &Value, rule: String, file: &Value, at: &str, found: &mut Vec<Place>) {
    let value = file.pointer(at).expect("a value");
    let key = rule.clone();
    let rule = resolved(schema, rule, value);
    let here = schema.pointer(&rule).expect("a rule");
    found.push(Place {
        value: at.to_owned(),
        rule: rule.clone(),
        key,
    });
    for key in value.as_object().into_iter().flat_map(|table| table.keys()) {
        let below = match here["properties"].get(key) {
            Some(_) => format!("{rule}/properties/{key}"),
            None if here["additionalProperties"].is_object() => {
                format!("{rule}/additionalProperties")
            }
            None => continue,
        };
        places(schema, below, file, &format!("{at}/{key}"), found);
    }
    for i in 0..value.as_array().map_or(0, Vec::len) {
        if here["items"].is_object() {
            places(
                schema,
                format!("{rule}/items"),
                file,
                &format!("{at}/{i}"),
                found,
            );
        }
    }
}

fn all_places(schema: &Value, file: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    places(schema, String::new(), file, "", &mut found);
    found
}

/// Where tables with known keys are in the schema.
fn tables(rule: &Value, at: &str, found: &mut BTreeSet<String>) {
    if rule["properties"].is_object() && rule["additionalProperties"] == false {
        found.insert(at.to_owned());
    }
    match rule {
        Value::Object(parts) => {
            for (key, part) in parts {
                tables(part, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(parts) => {
            for (i, part) in parts.iter().enumerate() {
                tables(part, &format!("{at}/{i}"), found);
            }
        }
        _ => {}
    }
}

fn with(file: &Value, at: &str, value: Value) -> Value {
    let mut file = file.clone();
    *file.pointer_mut(at).expect("a value") = value;
    file
}

#[test]
fn golden_files_are_taken_and_refused_as_by_the_readers() {
    let accepts = accepts();
    let (mut taken, mut refused) = (0, 0);
    for entry in fs::read_dir(golden()).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("text");
        let Ok(file) = toml::from_str::<Value>(&text) else {
            continue;
        };
        if path.extension().is_none_or(|end| end != "toml") {
            continue;
        }
        match definition::parse("mob.toml", &text, &Folder) {
            Ok(_) => {
                assert!(accepts(&file), "{}", path.display());
                taken += 1;
            }
            Err(errors) if errors.iter().any(|e| OF_FORM.contains(&e.code.as_str())) => {
                assert!(!accepts(&file), "{}", path.display());
                refused += 1;
            }
            Err(_) => {}
        }
    }
    assert!(
        taken >= 2 && refused >= 8,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn every_table_has_the_keys_that_its_reader_asks_for() {
    let (schema, file) = (schema(), everything());
    assert!(parse(&file).is_ok(), "{:?}", parse(&file));
    let mut unseen = BTreeSet::new();
    tables(&schema, "", &mut unseen);
    for place in all_places(&schema, &file) {
        let rule = schema.pointer(&place.rule).expect("a rule");
        if rule["additionalProperties"] != false {
            continue;
        }
        unseen.remove(&place.rule);
        let mut table = file.pointer(&place.value).expect("a table").clone();
        table["qqqqqqqqqqqqqqqq"] = true.into();
        let errors = parse(&with(&file, &place.value, table)).expect_err("refused");
        let unknown = errors.iter().find(|e| e.message.contains("qqqqqqqq"));
        let hint = unknown.and_then(|e| e.hint.clone()).unwrap_or_default();
        let known = hint.strip_prefix("known keys: ").unwrap_or_default();
        let known: BTreeSet<&str> = known.split(", ").collect();
        let keys = rule["properties"].as_object().expect("keys");
        let keys: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        assert_eq!(keys, known, "{:?}: {errors:?}", place.value);
    }
    assert!(
        unseen.is_empty(),
        "no test file has these tables: {unseen:?}"
    );
}

#[test]
fn every_value_is_taken_and_refused_as_by_its_reader() {
    let (accepts, file) = (accepts(), everything());
    let values = [
        json!(true),
        json!(7),
        json!(1.5),
        json!("x"),
        json!(["x"]),
        json!({"x": "x"}),
    ];
    let mut seen = BTreeSet::from([String::new()]);
    let mut places = all_places(&schema(), &file);
    places.retain(|place| seen.insert(place.key.clone()));
    assert!(places.len() > 100, "{} places", places.len());
    for place in places {
        for value in &values {
            let changed = with(&file, &place.value, value.clone());
            let (accepted, parsed) = (accepts(&changed), parse(&changed));
            let what = format!("{} = {value}: {parsed:?}", place.value);
            match parsed {
                Ok(_) => assert!(accepted, "the schema refuses {what}"),
                Err(errors) => {
                    let of_form = |e: &Diagnostic| OF_FORM.contains(&e.code.as_str());
                    let refused = errors.iter().any(of_form);
                    assert!(!(accepted && refused), "the schema takes {what}");
                }
            }
        }
    }
}

#[test]
fn numbers_have_the_bounds_of_the_readers() {
    let (schema, file) = (schema(), everything());
    let out_of_range = |at: &str, number: i64| {
        let parsed = parse(&with(&file, at, number.into()));
        let errors = parsed.err().unwrap_or_default();
        errors
            .iter()
            .any(|e| e.code == "definition.number_out_of_range")
    };
    let mut bounds = 0;
    for place in all_places(&schema, &file) {
        let rule = schema.pointer(&place.rule).expect("a rule");
        for (word, beyond) in [("minimum", -1), ("maximum", 1)] {
            let Some(bound) = rule[word].as_i64() else {
                continue;
            };
            assert!(!out_of_range(&place.value, bound), "{} {word}", place.value);
            assert!(
                out_of_range(&place.value, bound + beyond),
                "{} {word}",
                place.value
            );
            bounds += 1;
        }
    }
    assert!(bounds > 15, "{bounds} bounds");
}

#[test]
fn a_default_is_what_holds_without_the_key() {
    let (schema, file) = (schema(), everything());
    let mut defaults = 0;
    for place in all_places(&schema, &file) {
        let rule = schema.pointer(&place.rule).expect("a rule");
        for (key, rule) in rule["properties"].as_object().into_iter().flatten() {
            let Some(default) = rule.get("default") else {
                continue;
            };
            let mut said = file.clone();
            let table = said.pointer_mut(&place.value).expect("a table");
            table[key] = default.clone();
            let mut unsaid = said.clone();
            let table = unsaid.pointer_mut(&place.value).expect("a table");
            table.as_object_mut().expect("a table").remove(key);
            let what = format!("{}/{key}", place.value);
            // Some keys have no use here, so that the file would be refused with any value.
            if let Ok(said) = parse(&said) {
                assert_eq!(parse(&unsaid), Ok(said), "{what}");
                defaults += 1;
            }
        }
    }
    assert!(defaults > 40, "{defaults} defaults");
}

#[test]
fn everything_that_can_be_written_is_described() {
    fn look(rule: &Value, at: &str) {
        for (key, rule) in rule["properties"].as_object().into_iter().flatten() {
            let described = rule["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(described || rule.get("const").is_some(), "{at}.{key}");
        }
        let parts = rule.as_object().into_iter().flatten();
        parts.for_each(|(key, part)| look(part, &format!("{at}/{key}")));
        let parts = rule.as_array().into_iter().flatten();
        parts.for_each(|part| look(part, at));
    }
    assert!(jsonschema::meta::is_valid(&schema()));
    look(&schema(), "");
}

#[test]
fn every_key_is_found_by_its_name() {
    let wants = |name: &str| {
        let mut found = outline().iter().filter(|key| key.name == name);
        let key = found.next().unwrap_or_else(|| panic!("no key {name}"));
        assert!(found.next().is_none(), "{name} is there twice");
        key.wants.as_str()
    };
    for (name, written) in [
        ("mob.id", "Text; required."),
        (
            "mob.queue_max",
            "A whole number from 1 to 1000000; 1000 where absent.",
        ),
        (
            "models.timeout",
            "A span of time such as \"30s\"; \"120s\" where absent.",
        ),
        ("modules.sandbox", "A table."),
        ("members", "A list: a table."),
        ("wiring.roles", "A list: a list of two: text."),
        ("routes.sink.url", "Text; required."),
        (
            "flows.steps.retry.attempts",
            "A whole number from 1 to 1000; 1 where absent.",
        ),
    ] {
        assert_eq!(wants(name), written, "{name}");
    }
    for kind in ["member", "webhook", "email", "module", "file"] {
        assert!(wants("routes.sink.kind").contains(kind), "{kind}");
    }
}
