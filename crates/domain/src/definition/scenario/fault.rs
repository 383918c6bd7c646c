//! `fault = { … }` of a scenario: what breaks, and for how long.

use super::super::report::{Finding, Noun, Report};
use super::super::scalar::choice;
use super::super::source::{Node, Table};
use crate::id::{ModelId, ModuleId, RouteId};

choice! {
    /// How model calls fail.
    ModelFault {
        /// The key is refused.
        Unauthorized = "401",
        /// Too many requests.
        RateLimited = "429",
        /// A server error.
        Server = "500",
        /// No answer in time.
        Timeout = "timeout",
        /// The stream ends in the middle.
        Cut = "cut",
        /// An answer against the protocol.
        Garbage = "garbage",
    }
}

choice! {
    /// How attempts at deliveries fail.
    RouteFault {
        /// The receiver answers with a server error.
        Server = "500",
        /// The receiver wants nothing more over this route.
        Gone = "410",
        /// Nobody can say whether it arrived.
        Unknown = "unknown",
    }
}

/// Something that breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Model calls fail.
    Model {
        /// How.
        kind: ModelFault,
        /// Only those of this model; `None`: of every model.
        only: Option<ModelId>,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
    /// A module ends with a failure; its restart policy decides what follows.
    Module(ModuleId),
    /// Attempts over a route fail.
    Route {
        /// The route.
        route: RouteId,
        /// How.
        kind: RouteFault,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
}

const HINT: &str = "write { model = \"429\", for = \"5m\" }, { module = \"…\" } or \
                    { route = \"…\", fails = \"500\", for = \"5m\" }";

/// Reads the value of `fault`.
pub(super) fn read(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Fault> {
    let mut table = node.table_as(cx, HINT)?;
    let given = table.given(&["model", "module", "route"]);
    let found = if given == 1 {
        one(cx, &mut table)
    } else {
        let message = format!("{} must name one thing that breaks", node.name());
        let finding = Finding::new("scenario_choice", &node.span, message);
        let finding = finding.label("wants one of model, module, route");
        cx.error(finding.hint_str(HINT));
        // Their keys are known all the same.
        for key in ["model", "module", "route", "only", "fails", "for"] {
            let _ = table.take(cx, key);
        }
        None
    };
    table.finish(cx);
    found
}

fn one(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Fault> {
    let user = || "the fault breaks".to_owned();
    let model = table.take(cx, "model");
    let module = table.take(cx, "module");
    let route = table.take(cx, "route");
    if let Some(node) = module {
        table.forbid(
            cx,
            "for",
            "a module crashes at once; its restart policy follows",
        );
        table.forbid(cx, "only", "it goes with \"model\"");
        table.forbid(cx, "fails", "it goes with \"route\"");
        return node.reference(cx, Noun::Module, user()).map(Fault::Module);
    }
    let for_ms = table.need(cx, "for", "for = \"5m\", how long it is broken");
    let for_ms = for_ms.and_then(|node| node.span_ms(cx));
    if let Some(node) = model {
        table.forbid(cx, "fails", "it goes with \"route\"");
        let only = table.read(cx, "only", |n, cx| n.reference(cx, Noun::Model, user()));
        let kind = node.choice(cx);
        return Some(Fault::Model {
            kind: kind?,
            only,
            for_ms: for_ms?,
        });
    }
    table.forbid(cx, "only", "it goes with \"model\"");
    let route = route.and_then(|node| node.reference(cx, Noun::Route, user()));
    let kind = table.read(cx, "fails", Node::choice);
    Some(Fault::Route {
        route: route?,
        kind: kind.unwrap_or(RouteFault::Server),
        for_ms: for_ms?,
    })
}
