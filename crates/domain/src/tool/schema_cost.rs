//! How dear it is to check a value by a schema.
//!
//! A few lines of references to references can ask for more steps than there are atoms. The
//! writer would take them while everybody waits, so they are counted first. The count is an upper
//! bound; it visits each pair of a rule and a value once.

use serde_json::Value;
use std::collections::HashMap;
use std::ptr::from_ref;

/// More steps than this are too dear.
const STEPS_MAX: u64 = 100_000;
/// A schema with more regular expressions than this is too dear to be read.
const PATTERNS_MAX: usize = 32;
/// How deep rules may lie in rules, references followed.
const DEPTH_MAX: u32 = 200;
/// How many pairs of a rule and a value are looked at.
const PAIRS_MAX: usize = 50_000;

const TOO_DEAR: u64 = u64::MAX;

/// Rules about the same value, a list of them.
const LISTS_IN_PLACE: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Rules about the same value.
const IN_PLACE: [&str; 4] = ["not", "if", "then", "else"];
/// Rules about the same value, by name.
const NAMED_IN_PLACE: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Rules about every value within.
const WITHIN: [&str; 7] = [
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
];

/// Whether `value` can be checked by `schema` in few enough steps.
pub(super) fn is_cheap(schema: &Value, value: &Value) -> bool {
    let mut count = Count {
        root: schema,
        known: HashMap::new(),
        depth: 0,
    };
    patterns(schema) <= PATTERNS_MAX && count.steps(schema, value) <= STEPS_MAX
}

/// How many regular expressions a schema may hold.
fn patterns(schema: &Value) -> usize {
    match schema {
        Value::Array(items) => items.iter().map(patterns).sum(),
        Value::Object(fields) => {
            let own = fields
                .iter()
                .map(|(name, field)| match (name.as_str(), field) {
                    ("pattern", Value::String(_)) => 1,
                    ("patternProperties", Value::Object(rules)) => rules.len(),
                    _ => 0,
                });
            own.sum::<usize>() + fields.values().map(patterns).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

struct Count<'v> {
    root: &'v Value,
    /// What is known of a rule about a value; `None`: it is being counted.
    known: HashMap<(usize, usize), Option<u64>>,
    depth: u32,
}

impl<'v> Count<'v> {
    fn steps(&mut self, rule: &'v Value, value: &'v Value) -> u64 {
        let Value::Object(fields) = rule else {
            return 1;
        };
        let pair = (from_ref(rule).addr(), from_ref(value).addr());
        match self.known.get(&pair) {
            Some(Some(steps)) => return *steps,
            // The rule leads back to itself about the same value.
            Some(None) => return TOO_DEAR,
            None => {}
        }
        // A rule with a name of its own has references that are not followed here.
        let named = ["$id", "id"].iter().any(|id| rule[*id].is_string());
        let elsewhere = named && !std::ptr::eq(rule, self.root);
        if elsewhere || self.depth >= DEPTH_MAX || self.known.len() >= PAIRS_MAX {
            return TOO_DEAR;
        }
        self.known.insert(pair, None);
        self.depth += 1;
        let mut steps: u64 = 1;
        for (name, field) in fields {
            steps = steps.saturating_add(self.steps_of(name, field, value));
        }
        if fields.keys().any(|name| name.starts_with("unevaluated")) {
            // What the other rules have seen is looked up by checking them again.
            steps = steps.saturating_mul(2);
        }
        self.depth -= 1;
        self.known.insert(pair, Some(steps));
        steps
    }

    fn steps_of(&mut self, name: &str, field: &'v Value, value: &'v Value) -> u64 {
        match (name, field) {
            ("$ref", Value::String(target)) => self.referred(target, value),
            ("$dynamicRef" | "$recursiveRef", _) => TOO_DEAR,
            ("enum", Value::Array(options)) => options.len() as u64,
            // They are tried first, and looked at again to say why none fits.
            (list, Value::Array(rules)) if LISTS_IN_PLACE.contains(&list) => {
                self.sum(rules, &[value]).saturating_mul(2)
            }
            (one, rule) if IN_PLACE.contains(&one) => self.steps(rule, value).saturating_mul(2),
            (map, Value::Object(rules)) if NAMED_IN_PLACE.contains(&map) => {
                self.sum(rules.values(), &[value])
            }
            ("properties", Value::Object(rules)) => rules.iter().fold(0, |sum, (name, rule)| {
                let found = value.get(name.as_str());
                sum.saturating_add(found.map_or(1, |within| self.steps(rule, within)))
            }),
            ("patternProperties", Value::Object(rules)) => self.sum(rules.values(), &within(value)),
            ("items" | "prefixItems", Value::Array(rules)) => self.sum(rules, &within(value)),
            (each, rule) if WITHIN.contains(&each) => self.sum([rule], &within(value)),
            _ => 1,
        }
    }

    fn sum(&mut self, rules: impl IntoIterator<Item = &'v Value>, values: &[&'v Value]) -> u64 {
        let mut sum: u64 = 0;
        for rule in rules {
            for value in values {
                sum = sum.saturating_add(self.steps(rule, value));
            }
        }
        sum
    }

    fn referred(&mut self, target: &str, value: &'v Value) -> u64 {
        let here = target.strip_prefix('#');
        match here.and_then(|pointer| self.root.pointer(pointer)) {
            Some(rule) => self.steps(rule, value),
            None => TOO_DEAR,
        }
    }
}

/// The values within a list or an object.
fn within(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
