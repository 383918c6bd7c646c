//! The JSON Schema of the mob file, for editors.
//!
//! It says which keys there are, of which sort their values are, what holds without them and which
//! words a choice has. What only the whole file can say (references, cycles, cron, zones), and
//! which keys belong together, is left to the check of the file. That it knows what the readers
//! know is tested with every golden mob file, and with wrong values for each key.

use super::engine::{EXTERNAL, Engine};
use super::flow::{self, Dispatch};
use super::gate::{GateAction, OnExpiry, Unattended};
use super::model::Provider;
use super::module::{Network, RestartPolicy, SandboxRequire, StartKind, TransportKind};
use super::profile::Busy;
use super::retry::{Backoff, Retry};
use super::route;
use super::scalar::Choice;
use super::schedule::{MissedPolicy, Overlap};
use super::server::AuthMode;
use super::store::{Durability, StoreName};
use crate::event::ToolEffect;
use crate::time::span_text;
use serde_json::{Map, Value, json};

/// A key of a table: its name, whether it must be there, and the schema of its value.
type Key = (&'static str, bool, Value);

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

fn must(name: &'static str, value: Value) -> Key {
    (name, true, value)
}

fn may(name: &'static str, value: Value) -> Key {
    (name, false, value)
}

fn table(description: &str, keys: Vec<Key>) -> Value {
    let required: Vec<&str> = keys.iter().filter(|key| key.1).map(|key| key.0).collect();
    let keys = keys
        .into_iter()
        .map(|(name, _, value)| (name.to_owned(), value));
    let properties: Map<String, Value> = keys.collect();
    let mut schema = json!({
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn named(description: &str, of: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "object" });
    schema["additionalProperties"] = of;
    schema
}

fn list(description: &str, of: Value) -> Value {
    let mut schema = json!({ "description": description, "type": "array" });
    schema["items"] = of;
    schema
}

fn text(description: &str) -> Value {
    json!({ "description": description, "type": "string" })
}

fn texts(description: &str) -> Value {
    list(description, json!({ "type": "string" }))
}

fn flag(description: &str) -> Value {
    json!({ "description": description, "type": "boolean" })
}

fn integer(description: &str, least: u64, most: u64) -> Value {
    json!({ "description": description, "type": "integer", "minimum": least, "maximum": most })
}

/// What holds where the key is left out.
fn or(default: impl Into<Value>, mut value: Value) -> Value {
    value["default"] = default.into();
    value
}

fn amount(description: &str) -> Value {
    json!({ "description": description, "type": "number", "minimum": 0 })
}

fn choice<C: Choice>(description: &str) -> Value {
    let words: Vec<&str> = C::OPTIONS.iter().map(|(word, _)| *word).collect();
    json!({ "description": description, "enum": words })
}

fn reference(description: &str, to: &str) -> Value {
    json!({ "description": description, "$ref": format!("#/$defs/{to}") })
}

fn span(description: &str) -> Value {
    reference(description, "span")
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

fn settings(description: &str) -> Value {
    named(description, json!({ "$ref": "#/$defs/setting" }))
}

fn backoff() -> Value {
    json!({
        "description": "The first pause and the longest one",
        "type": "array",
        "items": { "$ref": "#/$defs/span" },
        "minItems": 2,
        "maxItems": 2,
    })
}

fn pairs(description: &str) -> Value {
    let pair =
        json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 });
    list(description, pair)
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

fn model() -> Value {
    let price = table(
        "US dollars per million tokens; without it the model is unpriced",
        vec![
            must("input", amount("Tokens that are sent")),
            must("output", amount("Tokens that come back")),
            may(
                "cached_input",
                amount("Tokens that the provider has in its cache"),
            ),
            may(
                "cache_creation",
                amount("Tokens that the provider puts into its cache"),
            ),
        ],
    );
    table(
        "A model",
        vec![
            must("provider", choice::<Provider>("Who runs it")),
            may("model", text("Its name at the provider")),
            may("base_url", text("Where it is reached")),
            may("api_key", reference("The key", "secret")),
            may("script", text("What a rehearsal follows, a file")),
            may("recording", text("What a replay repeats, a file")),
            may(
                "fallback",
                texts("Models that are tried when it fails, in order"),
            ),
            may("timeout", or("120s", span("How long a call may take"))),
            may("price", price),
            may(
                "turns_max",
                integer("Most turns that use it at once", 1, 1_000_000),
            ),
        ],
    )
}

fn budget() -> Value {
    table(
        "What its members may use",
        vec![
            may(
                "steps_per_turn",
                integer("Model calls of one turn; 50 where absent", 1, 10_000),
            ),
            may(
                "tokens_per_turn",
                integer(
                    "Tokens of one turn, in and out together",
                    1,
                    1_000_000_000_000,
                ),
            ),
            may("usd_per_day", amount("US dollars a day")),
            may("turns_per_hour", integer("Turns an hour", 1, 1_000_000)),
        ],
    )
}

fn compaction() -> Value {
    table(
        "When the old part of a session is summarised",
        vec![
            must(
                "at_tokens",
                integer("Above so many tokens", 1_000, 1_000_000_000),
            ),
            may(
                "keep_turns",
                or(4, integer("So many turns stay as they are", 0, 10_000)),
            ),
        ],
    )
}

fn profile() -> Value {
    let idle_retire = json!({
        "description": "How long a helper may be idle before it leaves; five minutes where absent",
        "anyOf": [{ "$ref": "#/$defs/span" }, { "const": "never" }],
    });
    table(
        "A role",
        vec![
            may(
                "engine",
                or("native", choice::<Engine>("What runs its turns")),
            ),
            must("model", text("The model, by its id in [models]")),
            may("description", text("What peers are told about it")),
            may("instructions", text("What its members are told")),
            may("instructions_file", text("The same, as a file")),
            may(
                "tools",
                or(
                    json!(["peers", "now"]),
                    texts("Tools: built-in ones, module:<id>/<name>, host tools"),
                ),
            ),
            may(
                "output_schema",
                text("A file with the JSON Schema of its answers"),
            ),
            may("budget", budget()),
            may("compaction", compaction()),
            may(
                "busy",
                or(
                    "queue",
                    choice::<Busy>("What a message does while a turn runs"),
                ),
            ),
            may("idle_retire", idle_retire),
            may(
                "exposed",
                or(
                    false,
                    flag("Whether its members are reachable from outside"),
                ),
            ),
        ],
    )
}

fn member() -> Value {
    let labels = named(
        "Labels, for people and queries",
        json!({ "type": "string" }),
    );
    table(
        "A member",
        vec![
            must("id", text("Its name")),
            may("profile", text("Its role")),
            may("labels", labels),
            may(
                "context",
                json!({ "description": "Data for the agent", "type": "object" }),
            ),
            may(
                "additional_instructions",
                texts("What it is told beside its role"),
            ),
        ],
    )
}

fn wiring() -> Value {
    table(
        "Who may message whom",
        vec![
            may(
                "roles",
                pairs("Every member of the one role with every one of the other"),
            ),
            may("edges", pairs("Two members")),
        ],
    )
}

fn restart() -> Value {
    table(
        "When it is started again",
        vec![
            may(
                "policy",
                or("on-failure", choice::<RestartPolicy>("After which ends")),
            ),
            may(
                "intensity",
                or(
                    5,
                    integer(
                        "Most restarts within the period; one more and it is quarantined",
                        0,
                        1_000,
                    ),
                ),
            ),
            may("period", or("1m", span("The period"))),
            may("backoff", or(json!(["200ms", "30s"]), backoff())),
        ],
    )
}

fn sandbox() -> Value {
    table(
        "What it may reach",
        vec![
            may("filesystem", texts("Paths: ro:<path> or rw:<path>")),
            may("network", or("none", choice::<Network>("The network"))),
            may(
                "require",
                or(
                    "best-effort",
                    choice::<SandboxRequire>("What to do where the kernel can't"),
                ),
            ),
        ],
    )
}

fn module() -> Value {
    table(
        "A module",
        vec![
            must("id", text("Its name")),
            must("transport", choice::<TransportKind>("How it is spoken to")),
            may("command", texts("The program and its arguments")),
            may("url", text("Where a remote one is")),
            may("headers", settings("Headers for a remote one")),
            may("restart", restart()),
            may(
                "start",
                or("eager", choice::<StartKind>("When it is started")),
            ),
            may(
                "idle_stop",
                or("5m", span("How long a lazy one stays without a call")),
            ),
            may(
                "env",
                settings("Its environment, beside PATH, HOME, LANG and TZ"),
            ),
            may(
                "effects",
                named(
                    "What a repeated call does, by tool",
                    choice::<ToolEffect>("What it does"),
                ),
            ),
            may("sandbox", sandbox()),
            may(
                "pin",
                or(false, flag("Whether a changed tool needs an approval")),
            ),
            may("timeout", or("60s", span("How long a call may take"))),
        ],
    )
}

fn schedule() -> Value {
    let to = table(
        "What it starts",
        vec![
            may("member", text("A message to this member")),
            may("flow", text("This flow")),
            may("module", text("A tool of this module")),
            may("tool", text("The tool")),
            may("route", text("A delivery over this route")),
        ],
    );
    let missed = table(
        "What becomes of due times that passed while nothing ran",
        vec![
            may(
                "policy",
                or("latest", choice::<MissedPolicy>("Which are run")),
            ),
            may("within", or("12h", span("None that is older than this"))),
        ],
    );
    table(
        "A schedule",
        vec![
            must("id", text("Its name")),
            may("cron", text("When, as cron says it, with 5 or 6 fields")),
            may("every", span("When, as a period")),
            may("at", text("When, once: date and time")),
            may("timezone", or("UTC", text("The zone of cron and at"))),
            may("jitter", span("Up to so much later")),
            must("to", to),
            may("message", text("What it says, a template")),
            may("missed", missed),
            may(
                "overlap",
                or(
                    "skip",
                    choice::<Overlap>("What happens while the last one runs"),
                ),
            ),
            may("enabled", or(true, flag("Whether it fires"))),
        ],
    )
}

fn gate() -> Value {
    table(
        "A gate",
        vec![
            must("tool", text("Which tools, a pattern such as module:mail/*")),
            may("profiles", texts("Only members of these roles")),
            may("members", texts("Only these members")),
            must("action", choice::<GateAction>("What it does")),
            may("approvers", texts("Who may decide, e.g. role:approver")),
            may("four_eyes", or(false, flag("Not who started the turn"))),
            may("expires", span("How long it waits for a decision")),
            may(
                "on_expiry",
                or("deny", choice::<OnExpiry>("What happens then")),
            ),
            may(
                "unattended",
                or(
                    "queue",
                    choice::<Unattended>("What happens in turns of schedules"),
                ),
            ),
        ],
    )
}

fn retry(default: Retry) -> Value {
    let Backoff { min_ms, max_ms } = default.backoff;
    let pauses = json!([span_text(min_ms), span_text(max_ms)]);
    let attempts = integer("Most attempts, the first one included", 1, 1_000);
    table(
        "When it is tried again",
        vec![
            may("attempts", or(default.attempts, attempts)),
            may("backoff", or(pauses, backoff())),
        ],
    )
}

fn route() -> Value {
    let matches = table(
        "What it takes",
        vec![
            must("recipient", text("For whom, or *")),
            may("channel", or("*", text("On which channel, or *"))),
        ],
    );
    let sink = json!({
        "description": "Where it goes",
        "type": "object",
        "oneOf": [
            sink("member", vec![must("member", text("The member that gets a message"))]),
            sink("webhook", vec![
                must("url", text("The address")),
                may("secret", reference("What it is signed with", "secret")),
                may("headers", settings("Headers")),
                may("allow_private", or(false, flag("Whether it may lead into a private network"))),
            ]),
            sink("email", vec![
                must("server", text("The mail server, smtps://… or smtp://…")),
                must("from", text("The sender")),
                must("to", texts("The receivers")),
                may("username", text("Who signs in")),
                may("password", reference("With which password", "secret")),
                may("allow_private", or(false, flag("Whether it may lead into a private network"))),
            ]),
            sink("module", vec![
                must("module", text("The module")),
                must("tool", text("Its tool")),
            ]),
            sink("file", vec![must("path", text("The file that lines are added to"))]),
        ],
    });
    let per_minute = must(
        "per_minute",
        integer("Most attempts a minute", 1, 1_000_000),
    );
    table(
        "A route",
        vec![
            must("id", text("Its name")),
            must("match", matches),
            must("sink", sink),
            may("retry", retry(route::RETRY)),
            may("rate", table("How fast", vec![per_minute])),
        ],
    )
}

fn sink(kind: &str, mut keys: Vec<Key>) -> Value {
    keys.insert(
        0,
        must(
            "kind",
            json!({ "description": "How it is sent", "const": kind }),
        ),
    );
    table(&format!("A sink of the kind {kind}"), keys)
}

fn flow() -> Value {
    let to = table(
        "Who does it",
        vec![
            may("member", text("This member")),
            may("role", text("Members of this role")),
            may(
                "dispatch",
                or("one", choice::<Dispatch>("How many of them")),
            ),
        ],
    );
    let repeat = table(
        "Until when it is repeated",
        vec![
            must("when", text("A condition")),
            must("times_max", integer("Most times", 1, 1_000)),
        ],
    );
    let collect = json!({
        "description": "Whose answers are waited for: all, any, or quorum:<n>",
        "type": "string",
        "pattern": "^(all|any|quorum:0*[1-9][0-9]*)$",
    });
    let step = table(
        "A step",
        vec![
            must("id", text("Its name")),
            must("to", to),
            must("message", text("What is said, a template")),
            may("needs", texts("Steps that come before")),
            may("when", text("Only if this holds")),
            may("collect", or("all", collect)),
            may("timeout", span("How long it may take")),
            may("retry", retry(flow::RETRY)),
            may(
                "approve",
                or(false, flag("Whether somebody has to approve it")),
            ),
            may(
                "output_schema",
                text("A file with the JSON Schema of its output"),
            ),
            may("repeat_until", repeat),
        ],
    );
    table(
        "A workflow",
        vec![
            may("description", text("What it is for")),
            may("steps", list("Its steps", step)),
        ],
    )
}

fn store() -> Value {
    let retention = table(
        "How long things are kept; for ever without it",
        vec![
            may("events", span("Events")),
            may("logs", span("Log lines of modules and engines")),
        ],
    );
    table(
        "Where everything is kept",
        vec![
            may("kind", or("sqlite", choice::<StoreName>("Which store"))),
            may("url", reference("Where a postgres store is", "secret")),
            may(
                "durability",
                or(
                    "power",
                    choice::<Durability>("What an accepted event survives"),
                ),
            ),
            may("retention", retention),
        ],
    )
}

fn server() -> Value {
    let auth = table(
        "Who gets in",
        vec![
            must(
                "mode",
                choice::<AuthMode>("With the token of the state directory, or those of a provider"),
            ),
            may("issuer", text("Who signs the tokens")),
            may("audience", text("For whom they are")),
        ],
    );
    table(
        "Where it is reached",
        vec![
            may("listen", or("127.0.0.1:7373", text("Address and port"))),
            may("auth", auth),
        ],
    )
}

fn engines() -> Value {
    let keys = EXTERNAL.map(|engine| {
        let command = must("command", texts("The program and its arguments"));
        may(
            engine.as_str(),
            table("How this engine is started", vec![command]),
        )
    });
    table(
        "How engines are started that are programs of their own",
        keys.into(),
    )
}
