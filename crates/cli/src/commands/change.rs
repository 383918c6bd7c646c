//! Showing a plan: what joins, what changes, what leaves.

use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::Value;
use std::collections::BTreeMap;

/// A plan as a server tells it.
pub(crate) struct Plan {
    pub whole: Value,
    pub digest: String,
}

/// One line of it.
struct Step<'a> {
    operation: &'a str,
    object: &'a str,
    reason: &'a str,
    survives: Option<&'a str>,
}

impl Plan {
    /// Takes the answer of `mob/plan`. A plan that can't be read must not look like an empty one.
    pub fn of(whole: Value) -> Result<Self, Failure> {
        match whole["digest"].as_str() {
            Some(digest) if whole["steps"].is_array() => Ok(Self {
                digest: digest.to_owned(),
                whole,
            }),
            _ => {
                let message = "the server tells its plan in a way that this version can't read";
                Err(Failure::new(Exit::Failed, "server.foreign", message)
                    .hint("compare `mobkit version` with `mobkit status`"))
            }
        }
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.steps().all(|step| step.operation == "retain")
    }

    fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let steps = self.whole["steps"].as_array();
        steps.into_iter().flatten().map(|step| {
            let text = |name: &str| step[name].as_str().unwrap_or_default();
            Step {
                operation: text("operation"),
                object: text("object"),
                reason: text("reason"),
                survives: step["survives"].as_str(),
            }
        })
    }

    /// The lines for a person; `paint` colours the sign.
    pub fn lines(&self, output: &Output, paint: impl Fn(Tone, &str) -> String) -> Vec<String> {
        let mut lines = Vec::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for step in self.steps() {
            *counts.entry(step.operation).or_default() += 1;
            if step.operation == "retain" {
                continue;
            }
            let (sign, tone) = sign(step.operation);
            let kept = match step.survives {
                Some("session") => "; the conversation goes on",
                // Who joins has none yet.
                Some("nothing") if step.operation != "spawn" => "; the conversation ends",
                _ => "",
            };
            let text = format!(
                "{:<8} {}  {}{kept}",
                step.operation, step.object, step.reason
            );
            lines.push(format!("{} {}", paint(tone, sign), output.foreign(&text)));
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(operation, count)| format!("{count} {operation}"))
            .collect();
        lines.push(if self.is_empty() {
            "nothing to change".to_owned()
        } else {
            format!("plan: {}", counts.join(", "))
        });
        lines
    }
}

/// `+` joins, `~` changes, `-` leaves.
pub(crate) fn sign(operation: &str) -> (&'static str, Tone) {
    let verb = operation.rsplit('_').next().unwrap_or_default();
    match verb {
        "spawn" | "wire" | "start" | "define" => ("+", Tone::Good),
        "retire" | "unwire" | "prune" | "stop" | "remove" => ("-", Tone::Bad),
        _ => ("~", Tone::Warning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;
    use serde_json::json;

    #[test]
    fn a_plan_shows_what_changes_and_counts_the_rest() {
        let output = Output::new(&Show::default(), |_| None);
        let plan = Plan::of(json!({"digest": "sha256:1", "steps": [
            {"object": "member/a", "operation": "retain", "reason": "as it should be"},
            {"object": "member/b", "operation": "spawn", "reason": "in the mob file",
             "survives": "nothing"},
            {"object": "member/c", "operation": "respawn", "reason": "profile changed",
             "survives": "session"},
            {"object": "edge/a+d", "operation": "unwire", "reason": "no longer wanted"},
        ],}))
        .expect("a plan");
        assert!(!plan.is_empty());
        assert_eq!(
            plan.lines(&output, |_, text| text.to_owned()),
            [
                "+ spawn    member/b  in the mob file",
                "~ respawn  member/c  profile changed; the conversation goes on",
                "- unwire   edge/a+d  no longer wanted",
                "plan: 1 respawn, 1 retain, 1 spawn, 1 unwire",
            ]
        );
    }

    #[test]
    fn a_plan_that_retains_everything_changes_nothing() {
        let output = Output::new(&Show::default(), |_| None);
        let plan = Plan::of(json!({"digest": "d", "steps": [{"operation": "retain"}]}));
        let plan = plan.expect("a plan");
        assert!(plan.is_empty());
        assert_eq!(
            plan.lines(&output, |_, text| text.to_owned()),
            ["nothing to change"]
        );
    }

    #[test]
    fn a_plan_that_cannot_be_read_is_no_empty_plan() {
        for whole in [
            json!({}),
            json!({"digest": "d"}),
            json!({"steps": []}),
            json!([]),
        ] {
            assert!(Plan::of(whole).is_err());
        }
    }
}
