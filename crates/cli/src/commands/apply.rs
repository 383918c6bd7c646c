//! `mobkit apply`.

use super::change::sign;
use super::pause::declined;
use super::plan::{MobArgs, fetch};
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// Retire more than half of the members, where the plan says so
    #[arg(long)]
    force: bool,
    /// Do not ask before changing anything
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    mob: MobArgs,
}

pub(crate) async fn run(args: &ApplyArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.mob.client(output)?;
    let plan = fetch(&client).await?;
    if plan.is_empty() {
        return nothing(output, &plan.digest);
    }
    for line in plan.lines(output, |tone, text| output.paint_notice(tone, text)) {
        output.notice(&line);
    }
    if !args.yes && !output.confirm("Make these changes?", "--yes").await? {
        return Err(declined());
    }
    let mut params = json!({"digest": plan.digest});
    if args.force {
        params["force"] = true.into();
    }
    // The digest makes a repetition harmless: a plan that was applied is no longer the plan.
    let report = client
        .call_once("mob/apply", &params)
        .await
        .map_err(|failure| {
            if failure.code() == "plan.mass_removal" {
                failure.hint("if that is what you want, repeat it with --force")
            } else {
                failure
            }
        })?;
    let failed = failures(&report);
    if output.is_json() {
        output.document(&report)?;
    } else {
        show(output, &report)?;
    }
    for failure in &failed {
        output.notice(&format!("failed: {failure}"));
    }
    Ok(if failed.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn nothing(output: &Output, digest: &str) -> Result<Exit, Failure> {
    if output.is_json() {
        output.document(&json!({"digest": digest, "changed": false}))?;
    } else {
        output.line("nothing to change")?;
    }
    Ok(Exit::Done)
}

/// The lists of a report that hold what was done, with the verb of each.
const DONE: [(&str, &str); 4] = [
    ("spawned", "spawn"),
    ("updated", "update"),
    ("respawned", "respawn"),
    ("retired", "retire"),
];
const DONE_EDGES: [(&str, &str); 3] = [
    ("wired_edges", "wire"),
    ("unwired_edges", "unwire"),
    ("pruned_stale_managed_edges", "prune"),
];

fn show(output: &Output, report: &Value) -> Result<(), Failure> {
    let members = DONE
        .iter()
        .map(|(list, verb)| (&report[*list], *list, *verb));
    let edges = DONE_EDGES
        .iter()
        .map(|(list, verb)| (&report["edges"][*list], *list, *verb));
    for (objects, list, verb) in members.chain(edges) {
        for object in objects.as_array().into_iter().flatten() {
            let (sign, tone) = sign(verb);
            let done = list.split('_').next().unwrap_or(list);
            let line = format!("{done:<9} {}", output.foreign(&name(object)));
            output.line(&format!("{} {line}", output.paint(tone, sign)))?;
        }
    }
    let failed = failures(report);
    let result = if failed.is_empty() {
        output.paint(Tone::Good, "applied")
    } else {
        output.paint(Tone::Bad, &format!("applied, but {} failed", failed.len()))
    };
    output.line(&result)
}

/// A member by its id, an edge by its two ends.
fn name(object: &Value) -> String {
    match (object["a"].as_str(), object["b"].as_str()) {
        (Some(a), Some(b)) => format!("{a}+{b}"),
        _ => object
            .as_str()
            .map_or_else(|| object.to_string(), str::to_owned),
    }
}

fn failures(report: &Value) -> Vec<String> {
    let of = |report: &Value| report["failures"].as_array().cloned().unwrap_or_default();
    let all = of(report).into_iter().chain(of(&report["edges"]));
    all.map(|failure| {
        let object = if failure["object"].is_null() {
            &failure["edge"]
        } else {
            &failure["object"]
        };
        let text = |name: &str| failure[name].as_str().unwrap_or("unknown").to_owned();
        format!("{} {}: {}", text("operation"), name(object), text("error"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_members_and_edges_are_told_alike() {
        let report = json!({
            "failures": [{"object": "member/x", "operation": "spawn", "error": "no engine"}],
            "edges": {"failures": [
                {"edge": {"a": "x", "b": "y"}, "operation": "wire", "error": "gone"}
            ]},
        });
        assert_eq!(
            failures(&report),
            ["spawn member/x: no engine", "wire x+y: gone"]
        );
    }
}
