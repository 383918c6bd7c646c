//! Cycles among things that name each other.

use std::collections::{BTreeMap, BTreeSet};

/// Finds one cycle for every arrow that closes one, in the order of `arrows`. Each result is the
/// place of the closing arrow in `arrows`, and the names along the cycle, first and last the same.
pub(super) fn cycles<'a>(arrows: &[(&'a str, &'a str)]) -> Vec<(usize, Vec<&'a str>)> {
    let mut ahead: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut found = Vec::new();
    for (i, (from, to)) in arrows.iter().enumerate() {
        // Arrows that close a cycle are left out, so that each cycle is reported once.
        if let Some(path) = path(&ahead, to, from) {
            let mut names = vec![*from];
            names.extend(path);
            found.push((i, names));
        } else {
            ahead.entry(from).or_default().push(to);
        }
    }
    found
}

/// A way along the arrows from `start` to `end`, both included.
fn path<'a>(
    ahead: &BTreeMap<&str, Vec<&'a str>>,
    start: &'a str,
    end: &str,
) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &'a str> = BTreeMap::new();
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        if at == end {
            let mut path = vec![at];
            while let Some(before) = path.last().and_then(|last| came_from.get(last)) {
                path.push(before);
            }
            path.reverse();
            return Some(path);
        }
        for next in ahead.get(at).into_iter().flatten() {
            if seen.insert(next) {
                came_from.insert(next, at);
                open.push(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cycle_is_found_once_with_its_way() {
        assert_eq!(cycles(&[("a", "b"), ("b", "c"), ("a", "c")]), vec![]);
        assert_eq!(cycles(&[("a", "a")]), vec![(0, vec!["a", "a"])]);
        let arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")];
        assert_eq!(cycles(&arrows), vec![(2, vec!["c", "a", "b", "c"])]);
    }
}
