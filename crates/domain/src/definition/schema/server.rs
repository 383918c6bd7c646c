//! `[store]`, `[server]` and `[engines]`.

use super::rule::{choice, may, must, or, reference, span, table, text, texts};
use crate::definition::engine::EXTERNAL;
use crate::definition::server::AuthMode;
use crate::definition::store::{Durability, StoreName};
use serde_json::Value;

pub(super) fn store() -> Value {
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

pub(super) fn server() -> Value {
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

pub(super) fn engines() -> Value {
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
