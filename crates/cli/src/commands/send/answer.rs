//! Waiting for the end of the turn that takes a message: told by ids, never by text.

use super::outcome::{End, Outcome};
use super::run::Accepted;
use super::speech::Speech;
use crate::client::{Client, EventQuery, EventReader, Format, Frame};
use crate::commands::approvals::Approval;
use crate::environment;
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};
use std::time::Duration;

/// The kinds that say what becomes of a message.
const KINDS: &str = "message.delivered,message.steered,turn.completed,turn.failed,turn.cancelled,\
    message.cancelled,message.expired,tool.unknown,turn.waiting,approval.requested";
/// The kinds that tell of a turn on its way.
const KINDS_ON_THE_WAY: &str = "tool.started,tool.finished,tool.failed,tool.refused,model.failed";

/// How to wait.
pub(crate) struct Patience<'a> {
    /// For how long at most.
    pub longest: Option<Duration>,
    /// Whether to go on while somebody decides an approval.
    pub through_approvals: bool,
    /// Gets what is to be said on the way.
    pub tell: &'a dyn Fn(&str),
    /// Hears of the tool calls and failures of the turn.
    pub hear: Option<&'a dyn Fn(&Value)>,
}

/// Reads the journal from the message on until its turn has ended, or waits for a person. With
/// `speech`, text is shown while it is being written.
pub(crate) async fn wait(
    client: &Client<'_>,
    to: &str,
    accepted: &Accepted,
    speech: Option<&mut Speech<'_>>,
    patience: Patience<'_>,
) -> Result<Outcome, Failure> {
    let kinds = match patience.hear {
        Some(_) => format!("{KINDS},{KINDS_ON_THE_WAY}"),
        None => KINDS.to_owned(),
    };
    let query = EventQuery {
        after: accepted.seq.saturating_sub(1),
        kinds: Some(kinds),
        subject: Some(format!("member/{to}")),
        source: None,
        follow: true,
    };
    let format = if speech.is_some() {
        Format::Stream
    } else {
        Format::Lines
    };
    let reader = EventReader::new(client, query, format);
    let longest = patience.longest;
    let mut waiter = Waiter {
        client,
        to,
        accepted,
        patience,
        turn: None,
        seq: None,
    };
    let reading = waiter.read(reader, speech);
    let end = match longest {
        None => reading.await,
        Some(longest) => tokio::time::timeout(longest, reading)
            .await
            .unwrap_or(Ok(End::TimedOut)),
    };
    Ok(Outcome {
        message: accepted.message.clone(),
        end: end?,
        turn: waiter.turn,
        seq: waiter.seq,
    })
}

struct Waiter<'a> {
    client: &'a Client<'a>,
    to: &'a str,
    accepted: &'a Accepted,
    patience: Patience<'a>,
    turn: Option<String>,
    /// Place of the event that ended the wait.
    seq: Option<u64>,
}

impl Waiter<'_> {
    async fn read(
        &mut self,
        mut reader: EventReader<'_>,
        mut speech: Option<&mut Speech<'_>>,
    ) -> Result<End, Failure> {
        while let Some(frame) = reader.next().await? {
            match frame {
                Frame::Event(envelope, _) => {
                    if let (Some(hear), Some(turn)) = (self.patience.hear, &self.turn)
                        && envelope["data"]["turn"] == turn.as_str()
                        && envelope["kind"] != "turn.completed"
                    {
                        if let Some(speech) = &mut speech {
                            speech.end_line()?;
                        }
                        hear(&envelope);
                    }
                    if let Some(end) = self.take(&envelope).await? {
                        self.seq = envelope["seq"].as_u64();
                        return Ok(end);
                    }
                }
                Frame::Delta(delta) => {
                    if let (Some(speech), Some(turn)) = (&mut speech, &self.turn)
                        && delta["turn"] == turn.as_str()
                    {
                        speech.say(&delta)?;
                    }
                }
            }
        }
        let message = "the server ended a stream that it was asked to go on with";
        Err(Failure::new(Exit::Failed, "stream.ended", message))
    }

    /// What the event means for the message, if it ends the wait.
    async fn take(&mut self, envelope: &Value) -> Result<Option<End>, Failure> {
        let data = &envelope["data"];
        let text = |name: &str| data[name].as_str().unwrap_or("unknown").to_owned();
        let is_own_turn = self
            .turn
            .as_deref()
            .is_some_and(|turn| data["turn"] == turn);
        let is_own = data["message"] == self.accepted.message.as_str();
        Ok(match envelope["kind"].as_str().unwrap_or_default() {
            "message.delivered" | "message.steered" if is_own => {
                self.turn = Some(text("turn"));
                None
            }
            "message.cancelled" if is_own => Some(End::Cancelled {
                reason: text("reason"),
            }),
            "message.expired" if is_own => Some(End::Expired),
            "turn.completed" if is_own_turn => Some(self.completed(data).await?),
            "turn.failed" if is_own_turn => Some(End::Failed {
                reason: text("reason"),
            }),
            "turn.cancelled" if is_own_turn => Some(End::Cancelled {
                reason: text("reason"),
            }),
            "turn.waiting" if is_own_turn && data["on"] == "operator" => {
                let reason = format!("for a person, about {}", text("call"));
                self.unresolved(envelope, reason).await?
            }
            "tool.unknown" if is_own_turn => {
                let (tool, call) = (text("tool"), text("call"));
                let reason = format!("nobody knows whether {tool} ({call}) happened");
                self.unresolved(envelope, reason).await?
            }
            "approval.requested" if is_own_turn => self.asked(&text("approval")).await?,
            _ => None,
        })
    }

    /// The answer. Long texts are not in the event; the turn has them.
    async fn completed(&self, data: &Value) -> Result<End, Failure> {
        let given = |data: &Value| data.get("data").filter(|data| !data.is_null()).cloned();
        let finish = data["finish"].as_str().filter(|finish| *finish != "stop");
        let finish = finish.map(str::to_owned);
        if let Some(text) = data["text"].as_str() {
            return Ok(End::Completed {
                text: text.to_owned(),
                data: given(data),
                finish,
            });
        }
        let turn = self.turn().await?;
        let Some(text) = turn["text"].as_str() else {
            let message = format!("the answer is held elsewhere: {}", data["text"]);
            return Err(Failure::new(Exit::Failed, "answer.by_reference", message));
        };
        Ok(End::Completed {
            text: text.to_owned(),
            data: given(data),
            finish,
        })
    }

    /// What a call means of which nobody knows whether it happened. An event read late may tell of
    /// one that was resolved since.
    async fn unresolved(&self, envelope: &Value, reason: String) -> Result<Option<End>, Failure> {
        let turn = self.turn().await?;
        if matches!(
            turn["status"].as_str(),
            Some("completed" | "failed" | "cancelled")
        ) {
            return Ok(None);
        }
        let params = json!({"after": envelope["seq"], "kinds": ["tool.resolved"],
            "subject": format!("member/{}", self.to), "limit": 1_000});
        let page = self.client.call("event/query", &params).await?;
        let mut later = page["events"].as_array().into_iter().flatten();
        let call = &envelope["data"]["call"];
        if later.any(|event| event["data"]["call"] == *call) {
            return Ok(None);
        }
        Ok(Some(End::Waiting { reason }))
    }

    /// What a question means that somebody has to decide. It counts even while other calls of the
    /// turn still run.
    async fn asked(&self, id: &str) -> Result<Option<End>, Failure> {
        let approval = Approval::fetch(self.client, id).await?;
        if !approval.is_pending() {
            return Ok(None);
        }
        let end = End::asked(&approval, environment::now());
        if self.patience.through_approvals {
            if let Some(line) = end.way_out() {
                (self.patience.tell)(&line);
            }
            return Ok(None);
        }
        Ok(Some(end))
    }

    async fn turn(&self) -> Result<Value, Failure> {
        self.client
            .call("turn/get", &json!({"turn": self.turn}))
            .await
    }
}
