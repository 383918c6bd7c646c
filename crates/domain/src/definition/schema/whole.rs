//! The file as a whole.

use super::member::{member, model, profile, wiring};
use super::module::{gate, module};
use super::route::route;
use super::rule::{integer, list, may, must, named, or, table, text, texts};
use super::schedule::{flow, schedule};
use super::server::{engines, server, store};
use serde_json::{Value, json};

/// The JSON Schema of the mob file, of draft 2020-12. Every table and key has a `description`; a
/// `default` is what holds where the key is left out.
pub fn schema() -> Value {
    let mut schema = table(
        "A mob: who is in it, and what they work with",
        vec![
            must("mob", mob()),
            may("models", named("Models, by id", model())),
            may("profiles", named("Roles, by id", profile())),
            may("members", list("Who is in it", member())),
            may("wiring", wiring()),
            may(
                "modules",
                list("Helper processes and remote MCP servers", module()),
            ),
            may("schedules", list("When work begins by itself", schedule())),
            may(
                "gates",
                list(
                    "Rules that stop tool calls; the first that fits counts",
                    gate(),
                ),
            ),
            may("routes", list("Where named outputs go", route())),
            may("flows", named("Workflows, by id", flow())),
            may("store", store()),
            may("server", server()),
            may("engines", engines()),
        ],
    );
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "mob.toml".into();
    schema["$defs"] = json!({ "secret": secret(), "setting": setting(), "span": span_def() });
    schema
}

fn span_def() -> Value {
    json!({
        "description": "A span of time: a whole number and ms, s, m, h or d",
        "type": "string",
        "pattern": "^[0-9]+(ms|s|m|h|d)$",
        "examples": ["30s", "12h"],
    })
}

fn secret() -> Value {
    let description = "Where a secret is found; never the secret itself";
    let mut secret = table(
        description,
        vec![
            may("env", text("An environment variable of the mobkit process")),
            may("file", text("A file, relative to the mob file")),
            may(
                "command",
                texts("A program that prints it, and its arguments"),
            ),
        ],
    );
    secret["minProperties"] = 1.into();
    secret["maxProperties"] = 1.into();
    secret
}

fn setting() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/secret" }] })
}

fn mob() -> Value {
    let defaults = table(
        "What members have that don't say otherwise",
        vec![may("profile", text("Their role"))],
    );
    let id = json!({
        "description": "The name of the mob",
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]{0,62}$",
    });
    table(
        "The mob as a whole",
        vec![
            must("id", id),
            may("description", text("What it is for")),
            may("defaults", defaults),
            may(
                "turns_max",
                or(1024, integer("Most turns that run at once", 1, 1_000_000)),
            ),
            may(
                "queue_max",
                or(
                    1000,
                    integer("Most messages that wait for one member", 1, 1_000_000),
                ),
            ),
        ],
    )
}
