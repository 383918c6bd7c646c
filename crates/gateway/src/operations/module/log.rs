//! `module/log`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::cursor::cursor_refusal;
use crate::module_view::module_missing;
use crate::operation::Define;
use crate::page;
use mobkit_domain::event::{Event, EventFilter};
use mobkit_domain::id::{ModuleId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::time::Time;
use mobkit_engine::{EventReader, Published};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far back the first look for the newest lines goes, in positions of the journal.
const LOOK_BACK: Seq = 1_024;

pub(in crate::operations) struct Log;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The module.
    #[serde(alias = "id")]
    module: ModuleId,
    /// Only lines after this position, oldest first; without it, the newest lines.
    after: Option<Seq>,
    /// About how many lines: what was recorded together comes together.
    limit: Option<u64>,
}

/// A line that a module wrote to its standard error.
#[derive(Debug, Serialize, JsonSchema)]
struct Written {
    /// Position of the event that holds it; lines that came together share it.
    seq: Seq,
    /// When it was recorded.
    time: Time,
    /// What it says.
    line: String,
    /// How many lines were dropped before it, above the rate that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The lines, oldest first.
    lines: Vec<Written>,
    /// The `after` of what follows.
    next_after: Seq,
}

impl Define for Log {
    const NAME: &'static str = "module/log";
    const DOC: &'static str = "Reads what a module wrote to its standard error: the newest lines, \
                               or those after a position.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let module = params.module;
        let output = match params.after {
            Some(after) => following(&cx, &module, after, limit).await?,
            None => newest(&cx, &module, limit).await?,
        };
        let known = || {
            cx.engine.view(|world| {
                let mut modules = world.definition.modules.iter();
                modules.any(|defined| defined.id == module)
                    || world.state.modules.contains_key(&module)
            })
        };
        // A module that is gone may have left lines behind.
        if output.lines.is_empty() && !known() {
            return Err(module_missing(&cx.engine, &module));
        }
        Ok(output)
    }
}

fn filter(module: &ModuleId) -> EventFilter {
    EventFilter {
        kinds: vec!["module.log".to_owned()],
        subject: Some(format!("module/{module}")),
        source: None,
    }
}

/// The lines of an event.
fn lines(event: &Arc<Published>) -> Vec<Written> {
    let Event::ModuleLog(log) = &event.envelope.event else {
        return Vec::new();
    };
    let dropped = (log.dropped > 0).then_some(log.dropped);
    let (seq, time) = (event.envelope.seq, event.envelope.time);
    let line = |(place, line): (usize, &String)| Written {
        seq,
        time,
        line: line.clone(),
        dropped: dropped.filter(|_| place == 0),
    };
    log.lines.iter().enumerate().map(line).collect()
}

async fn following(
    cx: &Context,
    module: &ModuleId,
    after: Seq,
    limit: usize,
) -> Result<Output, Refusal> {
    let reader = EventReader::open(&cx.engine, after, filter(module)).await;
    let mut reader = reader.map_err(|error| cursor_refusal(&error))?;
    let mut found = Vec::new();
    while found.len() < limit {
        let event = reader.ready(1).await;
        let event = event.map_err(|error| cursor_refusal(&error))?;
        if event.is_empty() {
            break;
        }
        found.extend(event.iter().flat_map(lines));
    }
    Ok(Output {
        lines: found,
        next_after: reader.cursor(),
    })
}

async fn newest(cx: &Context, module: &ModuleId, limit: usize) -> Result<Output, Refusal> {
    let head = cx.engine.head();
    let (mut until, mut window) = (head, LOOK_BACK);
    let mut found: Vec<Vec<Written>> = Vec::new();
    let mut count = 0;
    while until > 0 && count < limit {
        let from = until.saturating_sub(window);
        let page = cx.engine.events_between(from, until, &filter(module)).await;
        let page = page.map_err(|error| store_refusal(&error))?;
        for event in page.iter().rev() {
            if count >= limit {
                break;
            }
            let lines = lines(event);
            count += lines.len();
            found.push(lines);
        }
        (until, window) = (from, window.saturating_mul(4));
    }
    Ok(Output {
        lines: found.into_iter().rev().flatten().collect(),
        next_after: head,
    })
}
