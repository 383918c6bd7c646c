//! A grant that is given with a decision: which later calls pass without being asked about.

use crate::assignment::{Assignment, object};
use crate::duration;
use crate::terminal::{visible_json_line, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How long later calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// To the end of the turn.
    Turn,
    /// For a time from now on.
    For(Duration),
}

/// Reads `turn`, or a duration such as `30m`.
pub(super) fn parse_scope(text: &str) -> Result<Scope, String> {
    if text == "turn" {
        return Ok(Scope::Turn);
    }
    match duration::parse(text) {
        Ok(duration) if !duration.is_zero() => Ok(Scope::For(duration)),
        _ => Err("write turn, or a duration such as 30m or 1h".to_owned()),
    }
}

/// Which arguments later calls may have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Latitude {
    /// Those of the call that is approved.
    Same,
    /// These as they are here, others as they like.
    Where(Map<String, Value>),
    /// Whatever they like.
    Any,
}

/// A grant as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grant {
    scope: Scope,
    latitude: Latitude,
}

impl Grant {
    /// The grant that the flags make; without a scope there is none.
    pub fn of(scope: Option<Scope>, any: bool, given: &[Assignment]) -> Option<Self> {
        let latitude = match (any, given) {
            (true, _) => Latitude::Any,
            (false, []) => Latitude::Same,
            (false, given) => Latitude::Where(object(given)),
        };
        scope.map(|scope| Self { scope, latitude })
    }

    /// What is sent.
    pub fn to_json(&self, now: jiff::Timestamp) -> Value {
        let mut grant = match self.scope {
            Scope::Turn => json!({"scope": "turn"}),
            Scope::For(duration) => json!({"scope": "until", "until": end(duration, now)}),
        };
        match &self.latitude {
            Latitude::Same => {}
            Latitude::Where(args) => grant["args"] = Value::Object(args.clone()),
            Latitude::Any => grant["args"] = json!({}),
        }
        grant
    }

    /// What it means, for who is asked.
    pub fn told(&self, member: &str, tool: &str, now: jiff::Timestamp) -> String {
        let end = match self.scope {
            Scope::Turn => "to the end of this turn".to_owned(),
            Scope::For(duration) => format!("until {}", end(duration, now)),
        };
        let with = match &self.latitude {
            Latitude::Same => "with the same arguments".to_owned(),
            Latitude::Where(args) => {
                let parts: Vec<String> = args
                    .iter()
                    .map(|(name, value)| {
                        format!("{} = {}", visible_line(name), visible_json_line(value))
                    })
                    .collect();
                format!(
                    "where {}, whatever the other arguments are",
                    parts.join(" and ")
                )
            }
            Latitude::Any => "with any arguments".to_owned(),
        };
        let (member, tool) = (visible_line(member), visible_line(tool));
        format!("and {end} {member} may call {tool} {with} without asking")
    }
}

/// The time to which a grant holds, to the millisecond as the server keeps times.
fn end(duration: Duration, now: jiff::Timestamp) -> String {
    let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let end = now.as_millisecond().saturating_add(ms);
    let end = jiff::Timestamp::from_millisecond(end).unwrap_or(jiff::Timestamp::MAX);
    format!("{end:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assignment::parse;

    #[test]
    fn a_grant_lasts_for_the_turn_or_for_a_time() {
        assert_eq!(parse_scope("turn"), Ok(Scope::Turn));
        assert_eq!(parse_scope("1h"), Ok(Scope::For(Duration::from_hours(1))));
        for text in ["", "0", "run", "ever", "1d"] {
            assert!(parse_scope(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_sent_is_what_is_told() {
        let now = "2026-11-22T06:00:00Z".parse().expect("a time");
        let given = [parse("to=\"a@b\"").expect("an assignment")];
        let hour = Some(Scope::For(Duration::from_hours(1)));
        for (grant, sent, told) in [
            (
                Grant::of(Some(Scope::Turn), false, &[]),
                json!({"scope": "turn"}),
                "and to the end of this turn w may call t with the same arguments without asking",
            ),
            (
                Grant::of(hour, true, &[]),
                json!({"scope": "until", "until": "2026-11-22T07:00:00.000Z", "args": {}}),
                "and until 2026-11-22T07:00:00.000Z w may call t with any arguments without asking",
            ),
            (
                Grant::of(hour, false, &given),
                json!({"scope": "until", "until": "2026-11-22T07:00:00.000Z", "args": {"to": "a@b"}}),
                "and until 2026-11-22T07:00:00.000Z w may call t where to = \"a@b\", whatever the \
                 other arguments are without asking",
            ),
        ] {
            let grant = grant.expect("a scope makes a grant");
            assert_eq!(grant.to_json(now), sent);
            assert_eq!(grant.told("w", "t", now), told);
        }
        assert_eq!(Grant::of(None, false, &[]), None);
    }
}
