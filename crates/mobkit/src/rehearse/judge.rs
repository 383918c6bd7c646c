//! Whether something holds.

use super::outside::ScriptedOutside;
use super::report::Judged;
use mobkit_domain::definition::{Counts, Expectation, Subject};
use mobkit_domain::event::{Envelope, Event};
use mobkit_domain::id::{MemberId, MessageId, MobId};
use mobkit_domain::model::Cost;
use mobkit_domain::row::{MessageState, Row, Table};
use mobkit_domain::time::Time;
use mobkit_engine::unstash;
use mobkit_store::{RowQuery, Store, StoreError};
use regex::Regex;
use std::collections::BTreeMap;

/// More than a rehearsal has of anything.
pub(super) const ALL: usize = 10_000_000;

/// Where the messages of the timeline are: accepted, or refused and why.
pub(super) type Sent = BTreeMap<String, Result<MessageId, String>>;

/// What a look needs.
pub(super) struct Look<'a> {
    pub(super) mob: &'a MobId,
    pub(super) store: &'a dyn Store,
    pub(super) events: &'a [Envelope],
    pub(super) sent: &'a Sent,
    pub(super) outside: &'a ScriptedOutside,
}

/// What an answer has to be.
struct Fits<'a> {
    status: &'a str,
    text: Option<&'a str>,
    matches: Option<&'a Regex>,
}

/// What was looked at, what was expected, what was found, and whether it holds.
type Found = (String, String, String, bool);

impl Look<'_> {
    /// Looks whether an expectation holds.
    pub(super) async fn judge(
        &self,
        expectation: &Expectation,
        (at, local): (Time, String),
    ) -> Result<Judged, StoreError> {
        let (what, expected, found, ok) = self.look(&expectation.subject).await?;
        Ok(Judged {
            at,
            local,
            line: expectation.line,
            what,
            expected,
            found,
            ok,
        })
    }

    async fn look(&self, subject: &Subject) -> Result<Found, StoreError> {
        Ok(match subject {
            Subject::Answer {
                to,
                text,
                matches,
                status,
            } => {
                let fits = Fits {
                    status,
                    text: text.as_deref(),
                    matches: matches.as_ref(),
                };
                self.answered(to, &fits).await?
            }
            Subject::Events {
                kind,
                member,
                matches,
                counts,
            } => {
                let found = self.events_of(kind, member.as_ref(), matches.as_ref());
                let who = member.as_ref().map(|member| format!(" of {member}"));
                let what = format!("events {kind}{}", who.unwrap_or_default());
                counted(&what, matches.as_ref(), *counts, found)
            }
            Subject::Deliveries {
                route,
                matches,
                counts,
            } => {
                let captured = self.outside.captured();
                let found = captured.iter().filter(|captured| {
                    captured.route == route.as_str()
                        && is_match(matches.as_ref(), || captured.payload.to_string())
                });
                let what = format!("deliveries over {route}");
                counted(&what, matches.as_ref(), *counts, found.count() as u64)
            }
            Subject::Occurrences {
                schedule,
                state,
                counts,
            } => {
                let found = self.occurrences(schedule.as_str(), state).await?;
                let what = format!("occurrences of {schedule} {state}");
                counted(&what, None, *counts, found)
            }
            Subject::CostAtMost(most) => self.cost(*most),
            Subject::TurnsFailed(wanted) => {
                let failed = self.count(|event| matches!(event, Event::TurnFailed(_)));
                same("turns failed", *wanted, failed)
            }
            Subject::Pending(wanted) => {
                let pending = self.rows(Table::Approval, None, "pending").await?;
                same("approvals pending", *wanted, pending.len() as u64)
            }
        })
    }

    async fn answered(&self, to: &str, wanted: &Fits<'_>) -> Result<Found, StoreError> {
        let (found, said) = self.answer(to).await?;
        let text = wanted.text.map(|text| format!(", {text:?}"));
        let matching = wanted.matches.map(|regex| format!(", matching /{regex}/"));
        let parts = [Some(wanted.status.to_owned()), text, matching];
        let expected: String = parts.into_iter().flatten().collect();
        let fits = found == wanted.status
            && wanted.text.is_none_or(|text| *text == said)
            && wanted.matches.is_none_or(|regex| regex.is_match(&said));
        let shown = if said.is_empty() {
            found
        } else {
            format!("{found}, {said:?}")
        };
        Ok((format!("answer to {to}"), expected, shown, fits))
    }

    fn events_of(&self, kind: &str, member: Option<&MemberId>, matches: Option<&Regex>) -> u64 {
        let subject = member.map(|member| format!("member/{member}"));
        let found = self.events.iter().filter(|event| {
            let of_member = subject.as_ref().is_none_or(|is| *is == event.subject);
            event.event.kind() == kind && of_member && is_match(matches, || data(&event.event))
        });
        found.count() as u64
    }

    fn count(&self, is: impl Fn(&Event) -> bool) -> u64 {
        self.events.iter().filter(|event| is(&event.event)).count() as u64
    }

    async fn rows(
        &self,
        table: Table,
        owner: Option<&str>,
        state: &str,
    ) -> Result<Vec<Row>, StoreError> {
        let query = RowQuery {
            table,
            owner: owner.map(str::to_owned),
            state: Some(state.to_owned()),
            before: 0,
            limit: ALL,
        };
        Ok(self.store.rows(self.mob, query).await?.rows)
    }

    async fn occurrences(&self, schedule: &str, state: &str) -> Result<u64, StoreError> {
        let rows = self.rows(Table::Occurrence, Some(schedule), state).await?;
        let counts = rows.iter().filter_map(|row| match row {
            Row::Occurrence(row) => Some(row.count),
            Row::Message(_) | Row::Turn(_) | Row::Approval(_) | Row::Delivery(_) | Row::Cost(_) => {
                None
            }
        });
        Ok(counts.sum())
    }

    /// Where the turn of a message stands, and what it said.
    async fn answer(&self, id: &str) -> Result<(String, String), StoreError> {
        let message = match self.sent.get(id) {
            None => return Ok(("not sent yet".to_owned(), String::new())),
            Some(Err(refused)) => return Ok((format!("refused: {refused}"), String::new())),
            Some(Ok(message)) => *message,
        };
        let row = self.store.row(self.mob, Table::Message, message.0).await?;
        let Some(Row::Message(row)) = row else {
            return Ok(("lost".to_owned(), String::new()));
        };
        let Some(turn) = row.turn else {
            let state = match row.state {
                MessageState::Queued | MessageState::Delivered => "queued",
                MessageState::Cancelled => "cancelled",
                MessageState::Expired => "expired",
            };
            return Ok((state.to_owned(), row.reason.unwrap_or_default()));
        };
        let row = self.store.row(self.mob, Table::Turn, turn.0).await?;
        let Some(row @ Row::Turn(_)) = row else {
            return Ok(("lost".to_owned(), String::new()));
        };
        let state = row.state().to_owned();
        let Row::Turn(row) = row else {
            return Ok((state, String::new()));
        };
        let said = match &row.text {
            Some(text) => unstash(self.store, text).await?,
            None => row.reason.unwrap_or_default(),
        };
        Ok((state, said))
    }

    fn cost(&self, most: f64) -> Found {
        let (cost, unpriced) = cost(self.events);
        let found = match unpriced {
            0 => cost.to_string(),
            calls => format!("{cost}, and {calls} calls without a price"),
        };
        let fits = unpriced == 0 && cost <= Cost::from_usd(most);
        let expected = format!("at most {}", Cost::from_usd(most));
        ("cost".to_owned(), expected, found, fits)
    }
}

/// What model calls cost together, and how many of them have no price.
pub(super) fn cost(events: &[Envelope]) -> (Cost, u64) {
    let (mut sum, mut unpriced) = (Cost::default(), 0);
    for event in events {
        let cost = match &event.event {
            Event::ModelReplied(e) => e.cost_usd,
            Event::SessionCompacted(e) => e.cost_usd,
            _ => continue,
        };
        match cost {
            Some(cost) => sum += cost,
            None => unpriced += 1,
        }
    }
    (sum, unpriced)
}

fn is_match(regex: Option<&Regex>, text: impl FnOnce() -> String) -> bool {
    regex.is_none_or(|regex| regex.is_match(&text()))
}

fn data(event: &Event) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

fn counted(what: &str, matches: Option<&Regex>, counts: Counts, found: u64) -> Found {
    let matching = matches.map(|regex| format!(" matching /{regex}/"));
    let what = format!("{what}{}", matching.unwrap_or_default());
    (
        what,
        counts.to_string(),
        found.to_string(),
        counts.fits(found),
    )
}

fn same(what: &str, wanted: u64, found: u64) -> Found {
    (
        what.to_owned(),
        wanted.to_string(),
        found.to_string(),
        wanted == found,
    )
}
