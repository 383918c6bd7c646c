//! The documents under `docs/reference` are what the program says of itself.
//!
//! Each test writes its document into the temporary folder of the build, from where
//! `cargo xtask docs` takes it.

use crate::program::Place;
use clap::{Arg, Command};
use mobkit::code::{Explanation, Sort, all};
use mobkit::definition::outline;
use mobkit::event::MEANINGS;
use mobkit_gateway::{Keys, OPERATIONS};
use serde_json::Value;
use std::path::{Path, PathBuf};

const FOLDER: &str = "docs/reference";

fn committed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(path.join(FOLDER).join(name)).unwrap_or_default()
}

/// Where a generated document is left.
fn generated(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reference");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

fn check(name: &str, intro: &str, body: &str) {
    let document = format!("{intro}\n\nWritten by `cargo xtask docs`.\n{body}");
    std::fs::write(generated(name), &document).expect("a file");
    assert!(
        committed(name) == document,
        "{FOLDER}/{name} is not what the sources say: run `cargo xtask docs`"
    );
}

/// A table; what has a meaning in Markdown stands for itself, but for backticks.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = format!("\n{}{}|\n", line(&head), "|---".repeat(head.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| plain(cell)).collect();
        text.push_str(&line(&cells));
    }
    text
}

fn plain(cell: &str) -> String {
    let is_code = |i: usize| i % 2 == 1;
    let parts = cell.split('`').enumerate().map(|(i, part)| {
        let part = part.replace('|', "\\|").replace('\n', " ");
        if is_code(i) {
            part
        } else {
            part.replace('<', "\\<").replace('*', "\\*")
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

fn rows(sort: Sort) -> Vec<Vec<String>> {
    let of_sort = all().into_iter().filter(|e| e.sort == sort);
    let row = |e: Explanation| vec![code(e.name), e.meaning.to_owned(), e.next.to_owned()];
    of_sort.map(row).collect()
}

#[test]
fn the_schema_is_the_committed_one() {
    let run = Place::empty().run(&["config", "schema"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let name = "mob.schema.json";
    std::fs::write(generated(name), &run.stdout).expect("a file");
    let committed: Value = serde_json::from_str(&committed(name)).unwrap_or_default();
    assert!(
        committed == run.document(),
        "{FOLDER}/{name} is not what `mobkit config schema` prints: run `cargo xtask docs`"
    );
}

#[test]
fn the_codes_are_the_documented_ones() {
    let intro = "# Errors\n\nEvery code with which something is refused or fails; \
                 `mobkit explain CODE` says the same.";
    let codes = table(&["code", "meaning", "what to do"], rows(Sort::Code));
    let mut findings = rows(Sort::Finding);
    for row in &mut findings {
        row.truncate(2);
    }
    let findings = table(&["code", "meaning"], findings);
    let what = "\n## Findings in a mob file\n\n`mobkit check` shows the place of each.\n";
    check("errors.md", intro, &format!("{codes}{what}{findings}"));
}

#[test]
fn the_events_are_the_documented_ones() {
    let intro = "# Events\n\nEvery kind of event of a journal, as `mobkit events` prints them.";
    let row = |(kind, meaning): &(&str, &str)| vec![code(kind), meaning.trim().to_owned()];
    let events = table(&["kind", "meaning"], MEANINGS.iter().map(row));
    check("events.md", intro, &events);
}

#[test]
fn the_keys_of_the_mob_file_are_the_documented_ones() {
    let intro = "# The mob file\n\nEvery table and key. Names leave out the ids that a file \
                 gives: `models.timeout` is `timeout` in `[models.main]`. Editors take \
                 [the JSON Schema](mob.schema.json), which `mobkit config schema` prints too.";
    let mut body = String::new();
    for section in outline().iter().filter(|key| !key.name.contains('.')) {
        let head = format!(
            "\n## {}\n\n{} {}\n",
            section.name, section.meaning, section.wants
        );
        body.push_str(&head);
        let keys = outline().iter().filter_map(|key| {
            let rest = key.name.strip_prefix(&section.name)?.strip_prefix('.')?;
            Some(vec![code(rest), key.meaning.clone(), key.wants.clone()])
        });
        body.push_str(&table(&["key", "meaning", "what is written"], keys));
    }
    check("mob-file.md", intro, &body);
}

#[test]
fn the_operations_are_the_documented_ones() {
    let intro = "# Operations\n\nEvery operation of the API; [the API](../api.md) says how they \
                 are called. A key is an idempotency key: kept by the journal it holds across \
                 restarts, kept by the process until it ends.";
    let rows = OPERATIONS.iter().map(|operation| {
        let mut params: Vec<String> = (operation.params)().iter().map(|name| code(name)).collect();
        params.sort();
        let keys = match operation.keys {
            Keys::Absent => "none",
            Keys::Journal | Keys::JournalAs { .. } => "journal",
            Keys::Process => "process",
        };
        vec![
            code(operation.name),
            operation.permission.to_string(),
            keys.to_owned(),
            params.join(", "),
            operation.doc.to_owned(),
        ]
    });
    let head = [
        "operation",
        "permission",
        "key",
        "parameters",
        "what it does",
    ];
    check("operations.md", intro, &table(&head, rows));
}

#[test]
fn the_commands_are_the_documented_ones() {
    let mut tree = mobkit_cli::command();
    tree.build();
    let intro = "# Commands\n\nEvery command, as `mobkit help COMMAND` tells.";
    let mut body = String::from("\n## Everywhere\n");
    let everywhere = tree.get_arguments().filter(|arg| arg.is_global_set());
    body.push_str(&arguments(everywhere));
    tree.get_subcommands_mut()
        .for_each(|command| describe(command, &mut body));
    check("cli.md", intro, &body);
}

fn describe(command: &mut Command, body: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim().to_owned();
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let text = format!("\n## {name}\n\n{about}\n\n```text\n{usage}\n```\n");
    body.push_str(&text);
    let own = command.get_arguments().filter(|arg| !arg.is_global_set());
    body.push_str(&arguments(own));
    command
        .get_subcommands_mut()
        .for_each(|command| describe(command, body));
}

fn arguments<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let shown = arguments
        .filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()));
    let rows: Vec<Vec<String>> = shown.map(argument).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(&["argument", "meaning"], rows)
}

fn argument(arg: &Arg) -> Vec<String> {
    let help = arg.get_long_help().or(arg.get_help());
    let mut help = help.map(ToString::to_string).unwrap_or_default();
    let values = arg.get_possible_values();
    let values: Vec<String> = values
        .iter()
        .filter(|value| !value.is_hide_set() && arg.get_action().takes_values())
        .map(|value| code(value.get_name()))
        .collect();
    if !values.is_empty() {
        help.extend([". One of ", &values.join(", ")]);
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<String> = defaults
        .filter(|_| arg.get_action().takes_values())
        .map(|value| code(&value.to_string_lossy()))
        .collect();
    if !defaults.is_empty() {
        help.extend(["; ", &defaults.join(", "), " where absent"]);
    }
    vec![code(&arg.to_string()), help]
}
