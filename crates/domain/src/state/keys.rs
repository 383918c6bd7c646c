//! Idempotency keys: a repeated request gets the first answer.

use crate::command::Answer;
use crate::event::KeyUse;
use crate::principal::Principal;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How long a key is remembered, in milliseconds: seven days.
pub const KEY_AGE_MAX_MS: u64 = 7 * 86_400_000;
/// How many keys are remembered; the oldest go first.
pub const KEYS_MAX: usize = 200_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KeyRecord {
    digest: String,
    answer: Answer,
}

/// The keys of late, with the answers that they got.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    records: BTreeMap<String, KeyRecord>,
    order: VecDeque<(Time, String)>,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyLookup<'a> {
    /// It was never used, or too long ago.
    Fresh,
    /// It was used for the same request, which got this answer.
    Repeated(&'a Answer),
    /// It was used for another request.
    Reused,
}

fn name(principal: &Principal, key: &str) -> String {
    format!("{principal}\n{key}")
}

impl Keys {
    /// Looks a key up.
    pub fn lookup(&self, principal: &Principal, used: &KeyUse) -> KeyLookup<'_> {
        match self.records.get(&name(principal, &used.key)) {
            None => KeyLookup::Fresh,
            Some(record) if record.digest == used.digest => KeyLookup::Repeated(&record.answer),
            Some(_) => KeyLookup::Reused,
        }
    }

    /// Remembers a key, and forgets those that are too old or too many.
    pub(super) fn remember(
        &mut self,
        principal: &Principal,
        used: &KeyUse,
        answer: Answer,
        now: Time,
    ) {
        let name = name(principal, &used.key);
        let record = KeyRecord {
            digest: used.digest.clone(),
            answer,
        };
        if self.records.insert(name.clone(), record).is_none() {
            self.order.push_back((now, name));
        }
        while let Some((at, oldest)) = self.order.front() {
            if self.records.len() <= KEYS_MAX && now.since_ms(*at) <= KEY_AGE_MAX_MS {
                break;
            }
            self.records.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_per_principal_and_is_forgotten_after_a_week() {
        let ada = Principal::Operator("ada".to_owned());
        let bob = Principal::Operator("bob".to_owned());
        let used = KeyUse {
            key: "k".to_owned(),
            digest: "d".to_owned(),
        };
        let other = KeyUse {
            key: "k".to_owned(),
            digest: "e".to_owned(),
        };
        let mut keys = Keys::default();
        keys.remember(&ada, &used, Answer::Done { seq: 1 }, Time(0));
        assert_eq!(
            keys.lookup(&ada, &used),
            KeyLookup::Repeated(&Answer::Done { seq: 1 })
        );
        assert_eq!(keys.lookup(&ada, &other), KeyLookup::Reused);
        assert_eq!(keys.lookup(&bob, &used), KeyLookup::Fresh);
        let later = Time(0).plus_ms(KEY_AGE_MAX_MS + 1);
        keys.remember(&bob, &used, Answer::Done { seq: 2 }, later);
        assert_eq!(keys.lookup(&ada, &used), KeyLookup::Fresh);
    }
}
