//! `[[modules]]` and `[[gates]]`.

use super::rule::{
    backoff, choice, flag, integer, may, must, named, or, settings, span, table, text, texts,
};
use crate::definition::gate::{GateAction, OnExpiry, Unattended};
use crate::definition::module::{Network, RestartPolicy, SandboxRequire, StartKind, TransportKind};
use crate::event::ToolEffect;
use serde_json::{Value, json};

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

pub(super) fn module() -> Value {
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

pub(super) fn gate() -> Value {
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
