//! Events of budgets.

use crate::id::{MemberId, TurnId};
use crate::model::Cost;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much of a budget: a number of steps, tokens or turns, or an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Steps, tokens or turns.
    Count(u64),
    /// US dollars.
    Usd(Cost),
}

impl Amount {
    /// Whether it is four fifths of `limit` or more. Amounts of different sorts never are.
    pub fn is_near(self, limit: Self) -> bool {
        let (used, limit) = match (self, limit) {
            (Self::Count(used), Self::Count(limit)) => (used, limit),
            (Self::Usd(used), Self::Usd(limit)) => (used.0, limit.0),
            (Self::Count(_), Self::Usd(_)) | (Self::Usd(_), Self::Count(_)) => return false,
        };
        u128::from(used) * 5 >= u128::from(limit) * 4
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Usd(cost) => write!(f, "{cost}"),
        }
    }
}

/// A budget stopped something: the turn, where it is the budget of a turn, else the member, whose
/// `member.paused` follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetExhausted {
    /// The member.
    pub member: MemberId,
    /// The turn that it stopped, or that used up the rest; absent where none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// Which budget: a key of the profile's `budget` table.
    pub budget: String,
    /// Its limit.
    pub limit: Amount,
    /// What had been used by then.
    pub used: Amount,
}

/// Four fifths of the budget of a day or an hour are used. Said once a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetWarned {
    /// The member.
    pub member: MemberId,
    /// The turn in which it was noticed.
    pub turn: TurnId,
    /// Which budget: a key of the profile's `budget` table.
    pub budget: String,
    /// Its limit.
    pub limit: Amount,
    /// What has been used.
    pub used: Amount,
}
