//! Receivers of deliveries that do what payloads say.
//!
//! A payload is a list of words, separated by `;`, one for each attempt; the last one counts for
//! those after it as well: `ok`, `fail`, `later <ms>` (a failure that asks for a pause), `gone`,
//! `hopeless`, `lost` (it arrives, and nobody hears so), `never` (it arrives, and no answer comes).
//! Before a word may stand `after <ms>`. Any other payload is taken with `ok`.

use super::runner::{Did, Scripted};
use super::wait::pass_ms;
use mobkit_domain::command::{AttemptOutcome, Command, DeliveryCommand};
use mobkit_domain::id::DeliveryId;
use mobkit_engine::EffectPort;
use serde_json::Value;

/// What a receiver says to an attempt, and whether it has taken what was sent.
fn answer(word: &str) -> (bool, Option<AttemptOutcome>) {
    let failed = |gone, hopeless, retry_after_ms| AttemptOutcome::Failed {
        status: Some(500),
        reason: "on purpose".to_owned(),
        excerpt: None,
        retry_after_ms,
        gone,
        hopeless,
    };
    let (verb, rest) = word.split_once(' ').unwrap_or((word, ""));
    let outcome = match verb {
        "fail" => failed(false, false, None),
        "gone" => failed(true, false, None),
        "hopeless" => failed(false, true, None),
        "later" => failed(false, false, Some(rest.parse().expect("milliseconds"))),
        "lost" => AttemptOutcome::Unknown {
            reason: "on purpose".to_owned(),
        },
        "never" => return (true, None),
        _ => AttemptOutcome::Delivered {
            status: Some(200),
            excerpt: None,
        },
    };
    let taken = !matches!(outcome, AttemptOutcome::Failed { .. });
    (taken, Some(outcome))
}

impl Scripted {
    pub(super) async fn delivery_attempt(
        &self,
        delivery: DeliveryId,
        attempt: u32,
        port: &EffectPort,
    ) -> Option<Command> {
        let (payload, tried) = port.engine.view(|world| {
            let open = world.state.deliveries.get(&delivery)?;
            let tried = open.attempts - open.attempts_before;
            Some((open.queued.payload.clone(), tried as usize))
        })?;
        let words: Vec<&str> = match &payload {
            Value::String(text) => text.split(';').map(str::trim).collect(),
            _ => vec!["ok"],
        };
        let mut word = words[tried.min(words.len()) - 1];
        if let Some(rest) = word.strip_prefix("after ") {
            let (ms, rest) = rest.split_once(' ').expect("after <ms> <word>");
            pass_ms(ms.parse().expect("milliseconds")).await;
            word = rest;
        }
        let (taken, outcome) = answer(word);
        self.note(Did::Delivery {
            delivery,
            attempt,
            taken,
        });
        let Some(outcome) = outcome else {
            return std::future::pending().await;
        };
        Some(Command::Delivery(DeliveryCommand::Ended {
            delivery,
            attempt,
            outcome,
        }))
    }

    /// What receivers have taken, in order, as often as they have.
    pub fn taken(&self) -> Vec<DeliveryId> {
        let did = self.did();
        let taken = did.iter().filter_map(|did| match did {
            Did::Delivery {
                delivery,
                taken: true,
                ..
            } => Some(*delivery),
            _ => None,
        });
        taken.collect()
    }

    /// Each attempt that was made, in order.
    pub fn attempts(&self) -> Vec<(DeliveryId, u32)> {
        let did = self.did();
        let made = did.iter().filter_map(|did| match did {
            Did::Delivery {
                delivery, attempt, ..
            } => Some((*delivery, *attempt)),
            _ => None,
        });
        made.collect()
    }
}
