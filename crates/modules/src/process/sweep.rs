//! Killing what a module left behind, wherever it went.

use super::listing::{Listed, belonging};
use super::mark::{Mark, Token};
use mobkit_engine::Tasks;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked again. Whoever has started a process in the meantime was killed in the
/// same round, so a second one finds the last of them; more are needed where the machine is slow to
/// end what was killed.
const ROUNDS_MAX: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// Kills once what belongs to the mark or the group; returns what was found.
fn kill_once(mark: &Mark, group: Option<i32>) -> Vec<Listed> {
    let found = belonging(mark, group);
    found.iter().for_each(Listed::kill);
    found
}

/// How many processes of the modules of a runtime are there.
pub(crate) fn processes(token: &Token) -> u64 {
    belonging(&token.runtime(), None).len() as u64
}

/// Kills what belongs to the mark or the group until nothing is left; returns how many processes
/// that were.
pub(crate) async fn sweep(tasks: &Tasks, mark: &Mark, group: Option<i32>) -> usize {
    let mut killed: BTreeMap<(i32, u64), Listed> = BTreeMap::new();
    for round in 0..ROUNDS_MAX {
        if round > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let mark = mark.clone();
        let look = move || kill_once(&mark, group);
        let found = tasks.compute("sweep", look).await.unwrap_or_default();
        if found.is_empty() {
            break;
        }
        killed.extend(found.into_iter().map(|one| ((one.pid, one.began), one)));
    }
    killed.values().for_each(Listed::bury);
    killed.len()
}

/// The same without waiting, where nothing can be awaited; `false`: something may be left. Two
/// rounds find everything but what starts processes faster than it can be killed; the watchdog and
/// the next sweep find that.
pub(super) fn sweep_at_once(mark: &Mark, group: Option<i32>) -> bool {
    (0..2).any(|_| kill_once(mark, group).is_empty())
}
