//! What a cut leaves for sessions.

use mobkit_domain::id::Seq;
use mobkit_domain::row::Row;
use mobkit_domain::state::Stretch;
use std::collections::HashMap;

/// The stretches by their subject, so that each event is looked up once.
#[derive(Debug, Default)]
pub(crate) struct Keep(HashMap<String, Vec<Stretch>>);

impl Keep {
    pub(crate) fn of(stretches: &[Stretch]) -> Self {
        let mut keep: HashMap<String, Vec<Stretch>> = HashMap::new();
        for stretch in stretches {
            let of_subject = keep.entry(stretch.subject.clone()).or_default();
            of_subject.push(stretch.clone());
        }
        Self(keep)
    }

    /// Whether an event about this subject stays.
    pub(crate) fn holds(&self, subject: &str, seq: Seq) -> bool {
        let mut stretches = self.0.get(subject).into_iter().flatten();
        stretches.any(|stretch| stretch.holds(subject, seq))
    }

    /// Whether anything about this subject stays.
    pub(crate) fn is_about(&self, subject: &str) -> bool {
        self.0.contains_key(subject)
    }

    /// Whether a row stays. A message stays with the turn that took it, which may have begun long
    /// after it was accepted.
    pub(crate) fn holds_row(&self, row: &Row) -> bool {
        match row {
            Row::Message(message) => {
                let taken = message.turn.map_or(0, |turn| turn.0);
                let (member, number) = (message.to.as_str(), message.message.0);
                self.holds_of_member(member, number) || self.holds_of_member(member, taken)
            }
            Row::Turn(_) | Row::Approval(_) => self.holds_of_member(row.owner(), row.number()),
            Row::Occurrence(_) | Row::Delivery(_) => false,
            // What things cost is summed up, and is wanted for longer than what was said.
            Row::Cost(_) => true,
        }
    }

    fn holds_of_member(&self, member: &str, number: Seq) -> bool {
        !self.0.is_empty() && self.holds(&format!("member/{member}"), number)
    }
}
