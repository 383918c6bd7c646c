//! Showing values.

use super::args::{ConfigArgs, ConfigCommand};
use super::origin::Origins;
use super::values::values;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::{Output, Table, Tone, visible_line};
use mobkit::definition::{nearest_name, schema};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// So many characters of a value stand in a table.
const SHOWN_MAX: usize = 100;

pub(crate) fn run(args: &ConfigArgs, output: &Output) -> Result<Exit, Failure> {
    match &args.command {
        None => show(None, Path::new("."), output),
        Some(ConfigCommand::Show { below, file }) => show(below.as_deref(), file, output),
        Some(ConfigCommand::Get { key, file }) => get(key, file, output),
        Some(ConfigCommand::Schema) => print_schema(output),
    }
}

/// The values of a mob file, and where each comes from.
struct Config {
    file: String,
    values: BTreeMap<String, Value>,
    origins: Origins,
}

impl Config {
    fn read(path: &Path, output: &Output) -> Result<Self, Failure> {
        let file = mobfile::read(path, output)?;
        let definition = serde_json::to_value(&file.definition);
        Ok(Self {
            file: file.path.display().to_string(),
            values: values(&definition.expect("definitions have string keys only")),
            origins: Origins::of(&file.text),
        })
    }

    fn origin(&self, name: &str) -> String {
        match self.origins.line(name) {
            Some(line) => format!("{}:{line}", self.file),
            None => "default".to_owned(),
        }
    }

    /// What is below a name, or of it.
    fn below<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.values.iter().filter(move |(key, _)| {
            let rest = key.strip_prefix(name);
            name.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn unknown(&self, name: &str) -> Failure {
        let message = format!("{} has no value {name}", self.file);
        let failure = Failure::new(Exit::Missing, "config.key_unknown", message);
        match nearest_name(name, self.values.keys().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean {near}?")),
            None => failure.hint("`mobkit config show` lists them all"),
        }
    }
}

fn show(below: Option<&str>, path: &Path, output: &Output) -> Result<Exit, Failure> {
    let config = Config::read(path, output)?;
    let below = below.unwrap_or_default();
    let shown: Vec<_> = config.below(below).collect();
    if shown.is_empty() {
        return Err(config.unknown(below));
    }
    if output.is_json() {
        let all = shown.into_iter().map(
            |(name, value)| json!({"key": name, "value": value, "origin": config.origin(name)}),
        );
        output.document(&json!({"file": config.file, "values": all.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(output, &["KEY", "ORIGIN", "VALUE"]);
    for (name, value) in shown {
        let origin = config.origin(name);
        let tone = if origin == "default" {
            Tone::Faint
        } else {
            Tone::Plain
        };
        table.row(tone, vec![name.clone(), origin, shown_value(value)]);
    }
    output.line(&table.render())?;
    Ok(Exit::Done)
}

fn get(key: &str, path: &Path, output: &Output) -> Result<Exit, Failure> {
    let config = Config::read(path, output)?;
    let Some(value) = config.values.get(key) else {
        return Err(config.unknown(key));
    };
    if output.is_json() {
        let origin = config.origin(key);
        output.document(&json!({"key": key, "value": value, "origin": origin}))?;
    } else {
        output.line(&text(value))?;
    }
    Ok(Exit::Done)
}

fn print_schema(output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.document(&schema())?;
    } else {
        output.line(&format!("{:#}", schema()))?;
    }
    Ok(Exit::Done)
}

/// A value in a table: its beginning, where it is long.
fn shown_value(value: &Value) -> String {
    let whole = visible_line(&text(value));
    match whole.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &whole[..end], text(value).len()),
        None => whole,
    }
}

/// Text as it is, everything else as JSON.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
