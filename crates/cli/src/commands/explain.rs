//! `mobkit explain`.

use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone};
use mobkit::code::{Explanation, all, explain};
use mobkit::definition::nearest_name;
use serde_json::{Value, json};

/// Say what a code, a kind of event, a finding or a key of the mob file means, and what to do
///
/// Error messages carry their code in brackets; events carry their kind. A key is named without the
/// ids that a file gives. Works without a server.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The code, kind or key, e.g. member.not_found or modules.restart; left out: all of them
    pub name: Option<String>,
}

pub(crate) fn run(args: &ExplainArgs, output: &Output) -> Result<Exit, Failure> {
    let Some(given) = &args.name else {
        return list(&all(), output);
    };
    // As it stands in a message: error[member.not_found].
    let name = given
        .trim_start_matches("error")
        .trim_matches(['[', ']', ':']);
    let found = explain(name);
    if found.is_empty() {
        return Err(unknown(name));
    }
    if output.is_json() {
        let explained: Vec<Value> = found.iter().map(document).collect();
        output.document(&json!({"name": name, "explanations": explained}))?;
        return Ok(Exit::Done);
    }
    for (i, explanation) in found.iter().enumerate() {
        if i > 0 {
            output.line("")?;
        }
        let head = output.paint(Tone::Strong, name);
        let sort = output.paint(Tone::Faint, explanation.sort.as_str());
        output.line(&format!("{head}  {sort}"))?;
        output.line(&format!("  {}", explanation.meaning))?;
        if !explanation.next.is_empty() {
            output.line(&format!("  {}", explanation.next))?;
        }
    }
    Ok(Exit::Done)
}

fn list(all: &[Explanation], output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let all: Vec<Value> = all.iter().map(document).collect();
        output.document(&json!({"explanations": all}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(output, &["NAME", "SORT", "MEANING"]);
    for explanation in all {
        let cells = [
            explanation.name,
            explanation.sort.as_str(),
            explanation.meaning,
        ];
        table.row(Tone::Plain, cells.map(str::to_owned).to_vec());
    }
    output.line(&table.render())?;
    Ok(Exit::Done)
}

fn document(explanation: &Explanation) -> Value {
    json!({
        "name": explanation.name,
        "sort": explanation.sort.as_str(),
        "meaning": explanation.meaning,
        "next": explanation.next,
    })
}

fn unknown(name: &str) -> Failure {
    let message = format!("there is no code, kind of event or key of the mob file {name:?}");
    let failure = Failure::new(Exit::Missing, "explain.unknown", message);
    let all = all();
    match nearest_name(name, all.iter().map(|e| e.name)) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure.hint("`mobkit explain` lists everything that can be explained"),
    }
}
