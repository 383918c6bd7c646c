//! One message and its answer.

use crate::client::Client;
use crate::commands::approvals::Approval;
use crate::commands::decide::inline;
use crate::commands::send::{Accepted, End, Outcome, Patience, Speech, send, wait};
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone, visible_line};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// Where the conversation takes place.
pub(super) struct Exchange<'a> {
    pub client: &'a Client<'a>,
    pub member: &'a str,
    /// Whether a person types, who can be asked.
    pub is_typed: bool,
    pub longest: Option<Duration>,
}

impl Exchange<'_> {
    /// Sends a line and waits for what becomes of it.
    pub async fn run(&self, line: &str, interrupts: &mut Signal) -> Result<Outcome, Failure> {
        let key = environment::random_key()?;
        let accepted = send(self.client, self.member, &json!(line), &key).await?;
        // What was said is not said again when the wait begins anew after a decision.
        let heard = Cell::new(accepted.seq);
        let mut through = false;
        loop {
            let outcome = self.wait(&accepted, &heard, through, interrupts).await?;
            let End::Asked { approval, .. } = &outcome.end else {
                return Ok(outcome);
            };
            if !self.is_typed {
                return Ok(outcome);
            }
            through = !self.decide(approval, &outcome).await?;
        }
    }

    /// Asks the person about a call that waits. Returns whether it was decided.
    async fn decide(&self, id: &str, outcome: &Outcome) -> Result<bool, Failure> {
        let approval = Approval::fetch(self.client, id).await?;
        let decided = if approval.is_question() {
            false
        } else {
            match inline(self.client, &approval).await {
                // Somebody else was faster, or the time was over: it is said, and the turn goes on.
                Err(failure) if failure.exit() == Exit::Conflict => {
                    self.client.output.notice(&failure.to_string());
                    true
                }
                decided => decided?,
            }
        };
        if let (false, Some(way)) = (decided, outcome.end.way_out()) {
            self.client.output.notice(&way);
        }
        Ok(decided)
    }

    async fn wait(
        &self,
        accepted: &Accepted,
        heard: &Cell<u64>,
        through_approvals: bool,
        interrupts: &mut Signal,
    ) -> Result<Outcome, Failure> {
        let output = self.client.output;
        let streams = !output.is_json() && output.stdout_is_terminal();
        let mut speech = streams.then(|| Speech::new(output));
        let hear = |envelope: &Value| {
            let seq = envelope["seq"].as_u64().unwrap_or(0);
            if seq > heard.get() {
                heard.set(seq);
                tell(output, envelope);
            }
        };
        let patience = Patience {
            longest: self.longest,
            through_approvals,
            tell: &|_| {},
            hear: Some(&hear),
        };
        let outcome = {
            let waiting = wait(
                self.client,
                self.member,
                accepted,
                speech.as_mut(),
                patience,
            );
            let mut waiting = std::pin::pin!(waiting);
            let mut is_stopped = false;
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut waiting => break outcome?,
                    _ = interrupts.recv() => {
                        if std::mem::replace(&mut is_stopped, true) {
                            return Err(left());
                        }
                        output.notice("stopping the turn; Ctrl-C again leaves");
                        self.stop(accepted).await?;
                    }
                }
            }
        };
        if let (Some(speech), End::Completed { text, .. }) = (&mut speech, &outcome.end) {
            speech.finish(text)?;
        }
        Ok(outcome)
    }

    /// Stops the turn that took the message, or takes the message back.
    async fn stop(&self, accepted: &Accepted) -> Result<(), Failure> {
        let message = json!({"message": accepted.message});
        let found = self.client.call("message/get", &message).await?;
        let (operation, params) = match found["turn"].as_str() {
            Some(turn) => (
                "turn/cancel",
                json!({"turn": turn, "reason": "stopped in a chat"}),
            ),
            None => ("message/cancel", message),
        };
        match self.client.call(operation, &params).await {
            // It has ended in the meantime.
            Err(failure) if failure.exit() == Exit::Conflict => Ok(()),
            stopped => stopped.map(|_| ()),
        }
    }
}

/// The second Ctrl-C.
pub(super) fn left() -> Failure {
    Failure::new(Exit::Interrupted, "command.interrupted", "interrupted").silently()
}

/// Says what happens on the way to an answer.
fn tell(output: &Output, envelope: &Value) {
    let summary = envelope["summary"].as_str().unwrap_or_default();
    let tone = match envelope["kind"].as_str().unwrap_or_default() {
        "tool.started" | "tool.finished" => Tone::Faint,
        "tool.failed" | "tool.refused" | "model.failed" => Tone::Warning,
        // What becomes of the turn is said when it has ended or waits.
        _ => return,
    };
    let line = format!("  - {}", visible_line(summary));
    output.notice(&output.paint_notice(tone, &line));
}
