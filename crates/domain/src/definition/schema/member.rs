//! `[models.<id>]`, `[profiles.<id>]`, `[[members]]` and `[wiring]`.

use super::rule::{
    amount, choice, flag, integer, may, must, named, or, pairs, reference, span, table, text, texts,
};
use crate::definition::engine::Engine;
use crate::definition::model::Provider;
use crate::definition::profile::Busy;
use serde_json::{Value, json};

pub(super) fn model() -> Value {
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

pub(super) fn profile() -> Value {
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

pub(super) fn member() -> Value {
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

pub(super) fn wiring() -> Value {
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
