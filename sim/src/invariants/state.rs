//! State is the journal, folded: from its beginning, from a snapshot, and as a process had it.

use super::Seen;
use crate::run::Run;
use mobkit::event::Envelope;
use mobkit::id::MobId;
use mobkit::row::Row;
use mobkit::state::State;
use mobkit_domain::projection::project;
use std::collections::BTreeMap;

/// After how many events a state is written out and read back.
const WRITTEN_EVERY: u64 = 97;

/// What does not hold of the state.
pub(super) fn broken(seen: &Seen, run: &Run) -> Vec<String> {
    let mob = MobId::parse("sim").expect("an id of a mob");
    let mut broken = Vec::new();
    let mut state = State::of(mob);
    let mut written: Option<State> = None;
    let mut rows = BTreeMap::new();
    let last = run.last_state.as_ref();
    for envelope in &seen.events {
        let fresh = project(&mut state, envelope);
        rows.extend(
            fresh
                .into_iter()
                .map(|row| ((row.table(), row.number()), row)),
        );
        if let Some(written) = &mut written {
            written.apply(envelope);
        }
        if state.head.is_multiple_of(WRITTEN_EVERY) {
            if written.as_ref().is_some_and(|written| *written != state) {
                broken.push(format!(
                    "a state that was read back differs at {}",
                    state.head
                ));
            }
            match reread(&state) {
                Ok(read) => written = Some(read),
                Err(error) => broken.push(format!("the state of {}: {error}", state.head)),
            }
        }
        if last.is_some_and(|last| last.head == state.head && *last != state) {
            broken.push(format!(
                "the last process had another state at {}",
                state.head
            ));
        }
    }
    if let Some(snapshot) = &seen.snapshot {
        match tail(snapshot.body.as_ref(), &seen.events) {
            Ok(tailed) if tailed == state => {}
            Ok(_) => broken.push("the snapshot and what follows it give another state".to_owned()),
            Err(error) => broken.push(format!("the snapshot: {error}")),
        }
    }
    broken.extend(differing(&rows, &seen.rows));
    broken
}

fn reread(state: &State) -> Result<State, serde_json::Error> {
    serde_json::from_slice(&serde_json::to_vec(state)?)
}

fn tail(body: &[u8], events: &[Envelope]) -> Result<State, serde_json::Error> {
    let mut state: State = serde_json::from_slice(body)?;
    let at = state.head;
    for envelope in events.iter().filter(|event| event.seq > at) {
        state.apply(envelope);
    }
    Ok(state)
}

type Rows = BTreeMap<(mobkit::row::Table, u64), Row>;

fn differing(folded: &Rows, stored: &Rows) -> Vec<String> {
    let mut broken = Vec::new();
    for (key, row) in folded {
        match stored.get(key) {
            Some(found) if found == row => {}
            found => broken.push(format!("row {key:?} should be {row:?} and is {found:?}")),
        }
    }
    for key in stored.keys().filter(|key| !folded.contains_key(key)) {
        broken.push(format!("row {key:?} follows from no event"));
    }
    broken
}
