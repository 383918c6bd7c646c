//! `[[schedules]]` and `[flows.<id>]`.

use super::rule::{choice, flag, integer, list, may, must, or, retry, span, table, text, texts};
use crate::definition::flow;
use crate::definition::flow::Dispatch;
use crate::definition::schedule::{MissedPolicy, Overlap};
use serde_json::{Value, json};

pub(super) fn schedule() -> Value {
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

pub(super) fn flow() -> Value {
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
