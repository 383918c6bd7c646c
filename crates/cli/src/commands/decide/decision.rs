//! Showing what is decided, asking, and deciding exactly that.

use crate::client::Client;
use crate::commands::approvals::{Approval, LongText, card, long_texts};
use crate::commands::pause::declined;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::{Value, json};

/// What is to be decided, and what somebody has said about it.
pub(super) struct Decision<'a> {
    pub approval: &'a Approval,
    /// The word on the wire: `approve`, `edit` or `deny`.
    pub verdict: &'static str,
    /// Lines about what the decision adds to what is shown.
    pub additions: Vec<String>,
    pub question: String,
    /// What answers the question where nobody can be asked.
    pub flags: String,
    /// What is sent beside id, digest and decision.
    pub more: Value,
}

impl Decision<'_> {
    /// Shows the whole action on stderr and asks, unless `yes`; then sends the decision with the
    /// digest of what was shown.
    pub async fn make(self, client: &Client<'_>, yes: bool) -> Result<Value, Failure> {
        let long = long_texts(client, self.approval.args()).await?;
        show(client.output, self.approval, &long, &self.additions, yes);
        if !yes && !client.output.confirm(&self.question, &self.flags).await? {
            return Err(declined());
        }
        self.send(client).await
    }

    /// Sends the decision with the digest of what was shown.
    pub async fn send(self, client: &Client<'_>) -> Result<Value, Failure> {
        let mut params = json!({
            "id": self.approval.id(),
            "digest": self.approval.digest(),
            "decision": self.verdict,
            // The same decision sent again, after a lost answer, is no second one.
            "key": environment::random_key()?,
        });
        for (name, value) in self.more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        let decided = client.call("approval/decide", &params).await;
        decided.map_err(|failure| self.refused(failure))
    }

    fn refused(&self, failure: Failure) -> Failure {
        let id = self.approval.id();
        match failure.code() {
            "approval.decided" | "approval.stale" | "approval.expired" | "approval.withdrawn" => {
                failure.hint(format!("see all of it with `mobkit approvals {id}`"))
            }
            "approval.not_yours" => failure.hint(format!(
                "somebody else has to decide; `mobkit approvals {id}` says who may"
            )),
            "approval.bad_args" => {
                failure.hint("nothing was decided: change the arguments and approve it again")
            }
            _ => failure,
        }
    }
}

/// Shows the whole action, on stderr.
pub(super) fn show(
    output: &Output,
    approval: &Approval,
    long: &[LongText],
    additions: &[String],
    yes: bool,
) {
    let paint = |tone: Tone, text: &str| output.paint_notice(tone, text);
    let shown = card(approval, long, environment::now(), paint);
    for line in shown.iter().chain(additions) {
        // Who is asked has to see it, however quiet it should be.
        if yes {
            output.notice(line);
        } else {
            output.finding(line);
        }
    }
}

/// The approval, if it still waits.
pub(super) async fn pending(client: &Client<'_>, id: &str) -> Result<Approval, Failure> {
    let approval = Approval::fetch(client, id).await?;
    if approval.is_pending() {
        Ok(approval)
    } else {
        Err(approval.over(environment::now()))
    }
}

/// Refuses a decision about something else than what somebody has seen.
pub(super) fn checked_digest(approval: &Approval, seen: Option<&str>) -> Result<(), Failure> {
    match seen {
        Some(seen) if seen != approval.digest() => {
            let id = approval.id();
            let message = format!(
                "{id} is not what was seen: its digest is {}",
                approval.digest()
            );
            Err(Failure::new(Exit::Conflict, "approval.stale", message)
                .fact("digest", approval.digest())
                .hint(format!("look at it again with `mobkit approvals {id}`")))
        }
        _ => Ok(()),
    }
}
