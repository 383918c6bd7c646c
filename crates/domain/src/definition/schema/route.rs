//! `[[routes]]`.

use super::rule::{
    Key, flag, integer, may, must, or, reference, retry, settings, table, text, texts,
};
use crate::definition::route;
use serde_json::{Value, json};

pub(super) fn route() -> Value {
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
