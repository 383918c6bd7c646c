//! An approval as a server tells it.

use super::args::PENDING;
use crate::client::Client;
use crate::duration;
use crate::failure::{Exit, Failure};
use crate::terminal::visible_line;
use serde_json::{Value, json};

/// An approval with everything that the server says of it.
#[derive(Debug, Clone)]
pub(crate) struct Approval {
    pub whole: Value,
}

impl Approval {
    /// Takes an answer. What can't be read must not be decided.
    pub fn of(whole: Value) -> Result<Self, Failure> {
        let named = ["id", "digest", "tool", "member", "state"];
        if named.iter().all(|name| whole[*name].is_string()) {
            return Ok(Self { whole });
        }
        let message = "the server tells of an approval in a way that this version can't read";
        Err(Failure::new(Exit::Failed, "server.foreign", message)
            .hint("compare `mobkit version` with `mobkit status`"))
    }

    /// Asks the server for one.
    pub async fn fetch(client: &Client<'_>, id: &str) -> Result<Self, Failure> {
        let whole = client.call("approval/get", &json!({"approval": id})).await;
        Self::of(whole.map_err(|failure| {
            if failure.exit() == Exit::Missing {
                failure.hint("see what waits with `mobkit approvals`")
            } else {
                failure
            }
        })?)
    }

    /// A member of it that is text; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.whole[name].as_str().unwrap_or_default()
    }

    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// Digest of what is decided.
    pub fn digest(&self) -> &str {
        self.text("digest")
    }

    /// The arguments of the call.
    pub fn args(&self) -> &Value {
        &self.whole["args"]
    }

    /// Whether nobody has decided.
    pub fn is_pending(&self) -> bool {
        self.text("state") == PENDING
    }

    /// Whether a module asks for an answer, as opposed to whether a call may be made.
    pub fn is_question(&self) -> bool {
        self.text("about") == "elicitation"
    }

    /// How long it waits yet, e.g. `14:59`; `None`: without end, or its time is over.
    pub fn time_left(&self, now: jiff::Timestamp) -> Option<String> {
        duration::until(self.text("expires"), now)
    }

    /// Says that there is nothing to decide, and who was first.
    pub fn over(&self, now: jiff::Timestamp) -> Failure {
        let id = self.id();
        let by = self.whole["by"].as_str().map(|by| format!(" by {by}"));
        let ago = duration::since(self.text("ended"), now).map(|age| format!(" {age} ago"));
        let (by, ago) = (by.unwrap_or_default(), ago.unwrap_or_default());
        let (code, end) = match self.text("state") {
            "approved" => ("decided", "was approved"),
            "edited" => ("decided", "was approved with other arguments"),
            "denied" => ("decided", "was denied"),
            "expired" => ("expired", "has expired"),
            _ => ("withdrawn", "was withdrawn"),
        };
        let mut message = format!("{id} {end}{by}{ago}");
        if let Some(reason) = self.whole["reason"].as_str() {
            message = format!("{message}: {reason}");
        }
        // However it ended, a conflict, as for a server that is asked to decide it.
        let code = format!("approval.{code}");
        let failure = Failure::new(Exit::Conflict, code, visible_line(&message))
            .fact("approval", id)
            .fact("state", self.text("state"));
        let failure = match self.whole["by"].as_str() {
            Some(by) => failure.fact("by", by),
            None => failure,
        };
        failure.hint(format!("see all of it with `mobkit approvals {id}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(more: &Value) -> Approval {
        let mut whole = json!({"id": "apr-12", "digest": "sha256:1", "tool": "module:mail/send",
            "member": "writer", "state": "pending", "args": {}});
        for (name, value) in more.as_object().expect("an object") {
            whole[name] = value.clone();
        }
        Approval::of(whole).expect("an approval")
    }

    #[test]
    fn whoever_comes_too_late_learns_who_was_first() {
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        for (more, code, message) in [
            (
                json!({"state": "approved", "by": "operator:ada", "ended": "2026-11-22T06:02:00Z"}),
                "approval.decided",
                "apr-12 was approved by operator:ada 3m ago",
            ),
            (
                json!({"state": "denied", "by": "operator:ada", "reason": "not now"}),
                "approval.decided",
                "apr-12 was denied by operator:ada: not now",
            ),
            (
                json!({"state": "expired", "reason": "no decision in time"}),
                "approval.expired",
                "apr-12 has expired: no decision in time",
            ),
            (
                json!({"state": "withdrawn", "reason": "the turn was cancelled"}),
                "approval.withdrawn",
                "apr-12 was withdrawn: the turn was cancelled",
            ),
        ] {
            let failure = approval(&more).over(now);
            assert_eq!((failure.code(), failure.message()), (code, message));
            assert_eq!(failure.exit(), Exit::Conflict, "{code}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_decided() {
        for whole in [
            json!({}),
            json!([]),
            json!({"id": "apr-1", "state": "pending"}),
        ] {
            assert!(Approval::of(whole).is_err());
        }
    }
}
