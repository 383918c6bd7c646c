//! Model calls put together by what they have in common.

use mobkit_domain::cost::Spending;
use mobkit_domain::model::Cost;
use mobkit_domain::row::CostRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What model calls are put together by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The member whose turn it was; helpers under their own names.
    #[default]
    Member,
    /// The model that answered.
    Model,
    /// The role in which the member worked.
    Profile,
    /// The UTC day, as `2026-11-22`.
    Day,
    /// The schedule that began the chain of turns and messages; null where none did.
    Schedule,
    /// The turn.
    Turn,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Model => "model",
            Self::Profile => "profile",
            Self::Day => "day",
            Self::Schedule => "schedule",
            Self::Turn => "turn",
        }
    }

    /// Under what a call counts.
    fn key(self, row: &CostRow) -> Option<String> {
        Some(match self {
            Self::Member => row.member.to_string(),
            Self::Model => row.model.to_string(),
            Self::Profile => row.profile.to_string(),
            Self::Day => row
                .at
                .to_string()
                .chars()
                .take("2026-11-22".len())
                .collect(),
            Self::Schedule => row.schedule.as_ref()?.to_string(),
            Self::Turn => row.turn.to_string(),
        })
    }
}

/// A sum as clients see it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Sum {
    /// Model calls that were answered.
    calls: u64,
    /// Those without a price; what they cost is in no sum.
    unpriced_calls: u64,
    /// Input and output tokens of all calls.
    tokens: u64,
    /// Tokens sent, cached ones included.
    input_tokens: u64,
    /// Tokens that came back, reasoning included.
    output_tokens: u64,
    /// The part of the input that was read from a cache of the provider.
    cached_input_tokens: u64,
    /// The part of the input that was written to it.
    cache_creation_input_tokens: u64,
    /// What the calls with a price cost, in dollars; null where there are calls and none has one.
    cost_usd: Option<Cost>,
    /// The same in whole billionths of a dollar.
    cost_nano_usd: Option<u64>,
}

impl From<&Spending> for Sum {
    fn from(of: &Spending) -> Self {
        Self {
            calls: of.calls,
            unpriced_calls: of.unpriced_calls,
            tokens: of.usage.tokens(),
            input_tokens: of.usage.input_tokens,
            output_tokens: of.usage.output_tokens,
            cached_input_tokens: of.usage.cached_input_tokens,
            cache_creation_input_tokens: of.usage.cache_creation_input_tokens,
            cost_usd: of.cost_usd(),
            cost_nano_usd: of.cost_usd().map(|cost| cost.0),
        }
    }
}

/// The sum of one group, under what its calls have in common.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Group {
    /// What they have in common, under the word of it.
    #[serde(flatten)]
    key: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    sum: Sum,
}

/// The sum of the groups that are not listed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Others {
    /// How many they are.
    groups: usize,
    #[serde(flatten)]
    sum: Sum,
}

/// Model calls, summed up as they come.
#[derive(Debug)]
pub(super) struct Groups {
    by: By,
    total: Spending,
    found: BTreeMap<Option<String>, Spending>,
}

impl Groups {
    pub fn new(by: By) -> Self {
        Self {
            by,
            total: Spending::default(),
            found: BTreeMap::new(),
        }
    }

    pub fn add(&mut self, row: &CostRow) {
        self.total.add(row);
        self.found.entry(self.by.key(row)).or_default().add(row);
    }

    /// All calls, the groups that cost most, at most `limit` of them, and what the others cost.
    /// Days come in their order, the latest first.
    pub fn into_sums(self, limit: usize) -> (Sum, Vec<Group>, Option<Others>) {
        let word = self.by.word();
        let mut found: Vec<(Option<String>, Spending)> = self.found.into_iter().collect();
        if self.by == By::Day {
            found.reverse();
        } else {
            // Stable: those that cost the same stay in the order of their names.
            found.sort_by_key(|(_, sum)| {
                std::cmp::Reverse((sum.cost, sum.unpriced_calls, sum.usage.tokens()))
            });
        }
        let rest = found.split_off(limit.min(found.len()));
        let mut others = Spending::default();
        for (_, sum) in &rest {
            others += *sum;
        }
        let groups = found.into_iter().map(|(key, sum)| Group {
            key: BTreeMap::from([(word, key)]),
            sum: Sum::from(&sum),
        });
        let others = (!rest.is_empty()).then(|| Others {
            groups: rest.len(),
            sum: Sum::from(&others),
        });
        (Sum::from(&self.total), groups.collect(), others)
    }
}
