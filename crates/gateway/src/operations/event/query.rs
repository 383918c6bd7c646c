//! `event/query`.

use crate::access::Permission;
use crate::context::Context;
use crate::cursor::{cursor_refusal, filter, oldest_cursor};
use crate::operation::Define;
use crate::page;
use crate::words::Words;
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::EventReader;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Query;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only events after this position; without it, from the oldest that is kept.
    after: Option<Seq>,
    /// Kinds, each whole or by noun (`turn.*`).
    kinds: Option<Words>,
    /// Subject, whole or by noun (`member/*`).
    subject: Option<String>,
    /// Source.
    source: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The events, oldest first, each with its one-line summary.
    events: Vec<Value>,
    /// The `after` of the next page.
    next_after: Seq,
    /// Position of the last event of the journal.
    head: Seq,
}

impl Define for Query {
    const NAME: &'static str = "event/query";
    const DOC: &'static str = "Reads a page of the journal.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let filter = filter(
            params.kinds.as_ref(),
            params.subject.as_deref(),
            params.source.as_deref(),
        )?;
        let after = match params.after {
            Some(after) => after,
            None => oldest_cursor(&cx.engine).await?,
        };
        let reader = EventReader::open(&cx.engine, after, filter).await;
        let mut reader = reader.map_err(|error| cursor_refusal(&error))?;
        let events = reader
            .ready(limit)
            .await
            .map_err(|error| cursor_refusal(&error))?;
        let events = events
            .iter()
            .map(|event| event.envelope.to_wire())
            .collect();
        Ok(Output {
            events,
            next_after: reader.cursor(),
            head: cx.engine.head(),
        })
    }
}
