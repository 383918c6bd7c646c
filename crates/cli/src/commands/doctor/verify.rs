//! Whether what is stored is whole: the journal, the read tables and the blobs.

use super::finding::Finding;
use mobkit::{Verification, verify_state_dir};
use std::path::Path;

const CHECK: &str = "stored state";

/// Reads everything in the state directory, also while a server works in it. Nothing is changed.
pub(super) fn look(state: &Path) -> Vec<Finding> {
    let shown = state.display();
    match verify_state_dir(state) {
        Ok(None) => {
            let found = format!("{shown} holds nothing yet");
            vec![Finding::ok(CHECK, found)]
        }
        Ok(Some(mobs)) => mobs
            .iter()
            .flat_map(|(mob, found)| of_mob(mob, found))
            .collect(),
        Err(error) => {
            let found = format!("{shown} can't be read: {error}");
            vec![Finding::fail(CHECK, found, RESTORE)]
        }
    }
}

/// What helps against damage that is not named below.
const RESTORE: &str = "keep a copy of the state directory, then bring an export back with \
                       `mobkit import FILE --state DIR` and start with that";

fn of_mob(mob: &str, found: &Verification) -> Vec<Finding> {
    let check = format!("stored state of {mob}");
    if found.problems.is_empty() {
        let Verification {
            events,
            rows,
            blobs,
            ..
        } = found;
        let found = format!("{events} events, {rows} rows and {blobs} blobs are whole");
        return vec![Finding::ok(check, found)];
    }
    let problems = found.problems.iter();
    problems
        .map(|problem| {
            if problem.starts_with("snapshot") {
                return Finding::warn(
                    &check,
                    problem,
                    "nothing is lost: a start reads the journal",
                );
            }
            Finding::fail(&check, problem, RESTORE)
        })
        .collect()
}
