//! Helpers stand under the members that delegate to them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The members with how deep each stands: helpers right under their parents, and with each family
/// in the place of the first of it. Who has a parent that is not in the list stands on its own.
pub(super) fn under_parents(members: Vec<Value>) -> Vec<(usize, Value)> {
    let id = |member: &Value| member["id"].as_str().unwrap_or_default().to_owned();
    let listed: BTreeSet<String> = members.iter().map(id).collect();
    let parent = |member: &Value| {
        let parent = member["parent"].as_str().map(str::to_owned);
        parent.filter(|parent| listed.contains(parent))
    };
    let parents: BTreeMap<String, String> = members
        .iter()
        .filter_map(|member| Some((id(member), parent(member)?)))
        .collect();
    let mut roots = Vec::new();
    let mut below: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in &members {
        let own = id(member);
        let mut root = &own;
        while let Some(above) = parents.get(root) {
            root = above;
        }
        if !roots.contains(root) {
            roots.push(root.clone());
        }
        if let Some(parent) = parents.get(&own) {
            below.entry(parent.clone()).or_default().push(own);
        }
    }
    let mut by_id: BTreeMap<String, Value> = members
        .into_iter()
        .map(|member| (id(&member), member))
        .collect();
    let mut found = Vec::new();
    let mut next: Vec<(usize, String)> = roots.into_iter().rev().map(|root| (0, root)).collect();
    while let Some((depth, own)) = next.pop() {
        let helpers = below.remove(&own).unwrap_or_default();
        next.extend(helpers.into_iter().rev().map(|helper| (depth + 1, helper)));
        found.extend(by_id.remove(&own).map(|member| (depth, member)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(members: &[(&str, Option<&str>)]) -> Vec<String> {
        let members = members.iter();
        let members = members
            .map(|(id, parent)| json!({"id": id, "parent": parent}))
            .collect();
        let found = under_parents(members).into_iter();
        found
            .map(|(depth, member)| {
                format!(
                    "{}{}",
                    "-".repeat(depth),
                    member["id"].as_str().unwrap_or("")
                )
            })
            .collect()
    }

    #[test]
    fn helpers_stand_under_their_parents_and_the_first_of_a_family_says_where() {
        let members = [
            ("bob.h-9", Some("bob")),
            ("ann", None),
            ("ann.h-3.h-5", Some("ann.h-3")),
            ("bob", None),
            ("ann.h-3", Some("ann")),
            ("gone.h-1", Some("gone")),
        ];
        let expected = [
            "bob",
            "-bob.h-9",
            "ann",
            "-ann.h-3",
            "--ann.h-3.h-5",
            "gone.h-1",
        ];
        assert_eq!(order(&members), expected);
        assert_eq!(order(&[]), [""; 0]);
    }
}
