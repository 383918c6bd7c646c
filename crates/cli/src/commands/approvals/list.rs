//! Many approvals.

use super::approval::Approval;
use crate::client::Client;
use crate::duration;
use crate::failure::Failure;
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Map, Value, json};

/// Every approval in this state, or in `all`. Of those that wait the server puts what expires first
/// before the rest; of others, the newest.
pub(super) async fn fetch(client: &Client<'_>, state: &str) -> Result<Vec<Approval>, Failure> {
    let params = Map::from_iter([("state".to_owned(), json!(state))]);
    let mut approvals = Vec::new();
    for page in client.pages("approval/list", params, "approvals").await? {
        approvals.push(Approval::of(page)?);
    }
    Ok(approvals)
}

/// The table of them; what is decided has somebody who did it, what waits has an end.
pub(super) fn table(
    output: &Output,
    approvals: &[Approval],
    only_pending: bool,
    now: jiff::Timestamp,
) -> String {
    let mut table = if only_pending {
        Table::with_text(
            output,
            &["ID", "MEMBER", "TOOL", "WHY", "AGE", "EXPIRES"],
            3,
        )
    } else {
        Table::with_text(
            output,
            &["ID", "STATE", "MEMBER", "TOOL", "WHY", "AGE", "BY"],
            4,
        )
    };
    for approval in approvals {
        let text = |name: &str| visible_line(approval.text(name));
        let id = visible_line(approval.id());
        let age = duration::since(approval.text("requested"), now).unwrap_or_default();
        let (tone, cells) = if only_pending {
            let tone = if is_due(approval, now) {
                Tone::Bad
            } else {
                Tone::Warning
            };
            let why = text("why");
            (
                tone,
                vec![
                    id,
                    text("member"),
                    text("tool"),
                    why,
                    age,
                    expiry(approval, now),
                ],
            )
        } else {
            let tone = match approval.text("state") {
                "pending" => Tone::Warning,
                "approved" | "edited" => Tone::Good,
                _ => Tone::Plain,
            };
            let state = text("state");
            let by = text("by");
            (
                tone,
                vec![
                    id,
                    state,
                    text("member"),
                    text("tool"),
                    text("why"),
                    age,
                    by,
                ],
            )
        };
        table.row(tone, cells);
    }
    table.render()
}

/// Less than this is left of the time of an approval that should be looked at first.
const DUE_SECONDS: i64 = 300;

fn is_due(approval: &Approval, now: jiff::Timestamp) -> bool {
    let expires = approval.text("expires").parse::<jiff::Timestamp>();
    expires.is_ok_and(|at| at.as_second().saturating_sub(now.as_second()) < DUE_SECONDS)
}

fn expiry(approval: &Approval, now: jiff::Timestamp) -> String {
    match (approval.whole.get("expires"), approval.time_left(now)) {
        (Some(Value::String(_)), Some(left)) => format!("in {left}"),
        (Some(Value::String(_)), None) if approval.whole["held"] == true => "held".to_owned(),
        (Some(Value::String(_)), None) => "now".to_owned(),
        _ => "never".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    fn approval(id: &str, expires: &Value) -> Approval {
        let whole = json!({"id": id, "digest": "d", "tool": "module:mail/send", "member": "writer",
            "state": "pending", "why": "mail needs a decision", "requested": "2026-11-22T06:00:00Z",
            "expires": expires, "by": "operator:ada"});
        Approval::of(whole).expect("an approval")
    }

    #[test]
    fn a_table_of_what_waits_says_how_long_yet() {
        let output = Output::new(&Show::default(), |_| None);
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let approvals = [
            approval("apr-12", &json!("2026-11-22T06:30:00Z")),
            approval("apr-7", &Value::Null),
        ];
        insta::assert_snapshot!(table(&output, &approvals, true, now), @r"
        ID      MEMBER  TOOL              WHY                    AGE  EXPIRES
        apr-12  writer  module:mail/send  mail needs a decision  5m   in 25:00
        apr-7   writer  module:mail/send  mail needs a decision  5m   never
        ");
        insta::assert_snapshot!(table(&output, &approvals[..1], false, now), @r"
        ID      STATE    MEMBER  TOOL              WHY                    AGE  BY
        apr-12  pending  writer  module:mail/send  mail needs a decision  5m   operator:ada
        ");
    }
}
