//! What people see of a rehearsal.

use crate::commands::check::counted;
use crate::failure::Failure;
use crate::terminal::{Output, Table, Tone, visible_line};
use mobkit::rehearse::{Judged, Rehearsal};

/// Prints what happened, what was expected, and the sums.
pub(super) fn show(rehearsal: &Rehearsal, output: &Output) -> Result<(), Failure> {
    if !rehearsal.timeline.is_empty() {
        output.line(&timeline(rehearsal, output))?;
        output.line("")?;
    }
    if !rehearsal.expectations.is_empty() {
        output.line(&expectations(rehearsal, output))?;
        output.line("")?;
    }
    output.line(&sums(rehearsal))?;
    output.line(&verdict(rehearsal, output))
}

/// The sign and colour of what went well, or did not.
fn sign(ok: bool) -> (Tone, String) {
    if ok {
        (Tone::Good, "✓".to_owned())
    } else {
        (Tone::Bad, "✗".to_owned())
    }
}

fn timeline(rehearsal: &Rehearsal, output: &Output) -> String {
    let mut table = Table::new(output, &["", "TIME", "WHAT", "OUTCOME"]);
    for entry in &rehearsal.timeline {
        let (tone, sign) = sign(entry.ok);
        let cells = vec![
            sign,
            entry.local.clone(),
            visible_line(&entry.what),
            visible_line(&entry.outcome),
        ];
        table.row(tone, cells);
    }
    table.render()
}

/// Whatever holds on one line; of the rest what was expected and what was found.
fn expectations(rehearsal: &Rehearsal, output: &Output) -> String {
    let mut lines = Vec::new();
    for judged in &rehearsal.expectations {
        let (tone, sign) = sign(judged.ok);
        let what = visible_line(&judged.what);
        if judged.ok {
            let found = visible_line(&judged.found);
            lines.push(format!("{}  {what}: {found}", output.paint(tone, &sign)));
        } else {
            lines.push(format!(
                "{}  {what}, {} (line {})",
                output.paint(tone, &sign),
                judged.local,
                judged.line
            ));
            lines.extend(difference(judged, output));
        }
    }
    lines.join("\n")
}

fn difference(judged: &Judged, output: &Output) -> [String; 2] {
    let expected = format!("   - expected {}", visible_line(&judged.expected));
    let found = format!("   + found    {}", visible_line(&judged.found));
    [
        output.paint(Tone::Good, &expected),
        output.paint(Tone::Bad, &found),
    ]
}

fn sums(rehearsal: &Rehearsal) -> String {
    let totals = &rehearsal.totals;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let parts = [
        (totals.messages, "message"),
        (totals.turns_completed, "turn answered"),
        (totals.turns_failed, "turn failed"),
        (totals.model_calls, "model call"),
        (totals.tool_calls, "tool call"),
        (totals.occurrences, "occurrence"),
        (rehearsal.deliveries.len() as u64, "delivery kept"),
        (rehearsal.processes, "process"),
        (rehearsal.events, "event"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> = parts
        .map(|(count, noun)| plural(number(count), noun))
        .collect();
    if totals.unpriced_calls == 0 && totals.model_calls > 0 {
        parts.push(totals.cost_usd.to_string());
    }
    parts.join(", ")
}

/// A number with its noun, of which the first word has the plural.
fn plural(number: usize, noun: &str) -> String {
    match noun.split_once(' ') {
        _ if number == 1 => format!("1 {noun}"),
        Some(("delivery", rest)) => format!("{number} deliveries {rest}"),
        // The last word is what is counted, unless it says what came of it.
        Some((first, rest)) if matches!(rest, "answered" | "failed") => {
            format!("{} {rest}", counted(number, first))
        }
        None if noun == "process" => format!("{number} processes"),
        Some(_) | None => counted(number, noun),
    }
}

fn verdict(rehearsal: &Rehearsal, output: &Output) -> String {
    let broken = rehearsal.expectations.iter().filter(|judged| !judged.ok);
    let undone = rehearsal.timeline.iter().filter(|entry| !entry.ok);
    let (broken, undone) = (broken.count(), undone.count());
    let seed = rehearsal.seed;
    if broken + undone == 0 {
        let held = counted(rehearsal.expectations.len(), "expectation");
        let ok = output.paint(Tone::Good, "as expected");
        return format!("{ok}: {held} held, seed {seed}");
    }
    let mut parts = Vec::new();
    if broken > 0 {
        let all = counted(rehearsal.expectations.len(), "expectation");
        parts.push(format!("{broken} of {all} broken"));
    }
    if undone > 0 {
        parts.push(format!(
            "{} of the timeline not done",
            counted(undone, "entry")
        ));
    }
    let bad = output.paint(Tone::Bad, "not as expected");
    format!("{bad}: {}, seed {seed}", parts.join("; "))
}
