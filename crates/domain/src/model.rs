//! What a model call answers, in the shape in which it is recorded.

use crate::definition::Price;
use crate::text::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::ops::AddAssign;

/// Tokens of one call or a sum of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(
    clippy::struct_field_names,
    reason = "the names of the wire say what is counted"
)]
pub struct Usage {
    /// Tokens sent to the model, cached ones included.
    pub input_tokens: u64,
    /// Tokens that the model produced, reasoning included.
    pub output_tokens: u64,
    /// The part of `input_tokens` that the provider served from its cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// The part of `input_tokens` that the provider wrote to its cache; no part of
    /// `cached_input_tokens`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_creation_input_tokens: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Usage {
    /// Input and output together.
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cached_input_tokens = self
            .cached_input_tokens
            .saturating_add(other.cached_input_tokens);
        self.cache_creation_input_tokens = self
            .cache_creation_input_tokens
            .saturating_add(other.cache_creation_input_tokens);
    }
}

/// Money, counted in billionths of a US dollar so that sums are exact. As JSON: a number of
/// dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(pub u64);

impl Cost {
    /// The cost of `usage` at `price`, rounded once to a billionth of a dollar. It is counted in
    /// whole numbers: prices to a millionth of a dollar per million tokens.
    ///
    /// Without a price of its own, an input token that was read from or written to a cache costs
    /// what any input token costs.
    pub fn of(usage: Usage, price: &Price) -> Self {
        let read = usage.cached_input_tokens.min(usage.input_tokens);
        let written = usage
            .cache_creation_input_tokens
            .min(usage.input_tokens - read);
        let fresh = usage.input_tokens - read - written;
        let parts = [
            (fresh, price.input),
            (read, price.cached_input.unwrap_or(price.input)),
            (written, price.cache_creation.unwrap_or(price.input)),
            (usage.output_tokens, price.output),
        ];
        let exact = parts
            .into_iter()
            .map(|(tokens, usd)| u128::from(tokens).saturating_mul(pico_per_token(usd)))
            .fold(0, u128::saturating_add);
        Self(u64::try_from(exact.saturating_add(500) / 1_000).unwrap_or(u64::MAX))
    }

    /// An amount of dollars; one that is no amount counts as none.
    #[must_use]
    pub fn from_usd(usd: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, at 0 below and for what is no number"
        )]
        let nano = (usd * 1e9).round() as u64;
        Self(nano)
    }

    /// In dollars.
    pub fn usd(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact below nine million dollars"
        )]
        let nano = self.0 as f64;
        nano / 1e9
    }
}

/// A price in dollars per million tokens as trillionths of a dollar per token.
fn pico_per_token(usd_per_million: f64) -> u128 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "prices are validated as finite and not negative; the cast saturates"
    )]
    let pico = (usd_per_million * 1e6).round() as u128;
    pico
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.6}", self.usd())
    }
}

impl Serialize for Cost {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_f64(self.usd())
    }
}

impl<'de> Deserialize<'de> for Cost {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let usd = f64::deserialize(d)?;
        if !usd.is_finite() || usd < 0.0 {
            return Err(serde::de::Error::custom(
                "a cost is a number of dollars, 0 or more",
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked as finite and not negative; the cast saturates"
        )]
        let nano = (usd * 1e9).round() as u64;
        Ok(Self(nano))
    }
}

impl JsonSchema for Cost {
    fn schema_name() -> Cow<'static, str> {
        "Cost".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0 })
    }
}

/// A tool call as the model asked for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRequest {
    /// Qualified tool name.
    pub tool: String,
    /// Arguments as the model gave them; usually a JSON object.
    pub args: Value,
    /// The provider's own id of the call, returned to it unchanged with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything.
    Stop,
    /// It wants tools to be called.
    Calls,
    /// It reached the limit of tokens.
    Length,
    /// The provider withheld the answer.
    Filtered,
    /// Anything else.
    Other,
}

impl Finish {
    /// The reason, where an answer that ended for it may not be whole.
    #[must_use]
    pub fn cut(self) -> Option<Self> {
        match self {
            Self::Stop | Self::Calls => None,
            Self::Length | Self::Filtered | Self::Other => Some(self),
        }
    }
}

/// A whole answer of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What it said; may be empty beside calls.
    pub text: Text,
    /// Tool calls in the order in which the model gave them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallRequest>,
    /// Tokens, as the provider counted them; zero where it did not say.
    pub usage: Usage,
    /// Why it stopped.
    pub finish: Finish,
    /// What the provider wants back unchanged in the next call of the same turn, e.g. signed
    /// reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry: Option<Value>,
}

/// What sort of failure a model call met; decides whether it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// HTTP 429: too many requests, or the quota is used up.
    RateLimited,
    /// HTTP 401 or 403: the key is wrong or may not use the model.
    Unauthorized,
    /// HTTP 5xx.
    Server,
    /// No answer, or no further byte, in time.
    Timeout,
    /// The stream ended before the answer was whole.
    Cut,
    /// The answer does not follow the protocol.
    Garbage,
    /// The server can't be reached.
    Unreachable,
    /// HTTP 4xx other than 401, 403, 408 and 429: the request itself is refused.
    Rejected,
    /// A defect on our side.
    Internal,
}

impl FailureClass {
    /// Whether the same call may succeed later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::RateLimited
            | Self::Server
            | Self::Timeout
            | Self::Cut
            | Self::Garbage
            | Self::Unreachable => true,
            Self::Unauthorized | Self::Rejected | Self::Internal => false,
        }
    }
}

/// A failed model call. Never holds a key, not even a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What sort of failure.
    pub class: FailureClass,
    /// One line for a person.
    pub reason: String,
    /// What the provider asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price {
        input: 1.25,
        output: 10.0,
        cached_input: Some(0.125),
        cache_creation: Some(1.5625),
    };

    #[test]
    fn costs_add_up_exactly() {
        let usage = Usage {
            input_tokens: 1_000,
            output_tokens: 10,
            cached_input_tokens: 400,
            cache_creation_input_tokens: 100,
        };
        let cost = Cost::of(usage, &PRICE);
        let written = 156_250;
        assert_eq!(cost, Cost(500 * 1_250 + 400 * 125 + written + 10 * 10_000));
        let json = serde_json::to_string(&cost).expect("a number");
        assert_eq!(serde_json::from_str::<Cost>(&json).expect("a cost"), cost);
    }

    #[test]
    fn cached_tokens_without_a_price_of_their_own_cost_what_others_cost() {
        let usage = Usage {
            input_tokens: 900,
            cached_input_tokens: 300,
            cache_creation_input_tokens: 600,
            output_tokens: 0,
        };
        let plain = Price {
            cached_input: None,
            cache_creation: None,
            ..PRICE
        };
        assert_eq!(Cost::of(usage, &plain), Cost(900 * 1_250));
        // More than there were is not believed.
        let nonsense = Usage {
            cached_input_tokens: u64::MAX,
            ..usage
        };
        assert_eq!(Cost::of(nonsense, &PRICE), Cost(900 * 125));
    }

    #[test]
    fn a_million_small_calls_cost_what_one_large_call_costs() {
        // A tenth of a dollar is no binary fraction: summed as one it drifts.
        let price = Price {
            input: 0.1,
            output: 0.3,
            cached_input: None,
            cache_creation: None,
        };
        let call = |n| Usage {
            input_tokens: 3 * n,
            output_tokens: n,
            ..Usage::default()
        };
        let mut sum = Cost::default();
        let mut read_back = Cost::default();
        for _ in 0..1_000_000 {
            sum += Cost::of(call(1), &price);
        }
        for _ in 0..1_000 {
            read_back += Cost::of(call(1_000), &price);
            let json = serde_json::to_string(&read_back).expect("a number");
            read_back = serde_json::from_str(&json).expect("a cost");
        }
        assert_eq!(sum, Cost::of(call(1_000_000), &price));
        assert_eq!(read_back, sum);
        assert_eq!(sum.to_string(), "$0.600000");
    }
}
