//! Taking a table of a script apart.

use mobkit_domain::time::parse_span_ms;
use regex::Regex;
use toml::{Table, Value as Toml};

pub(super) fn table_of(what: &str, value: Toml) -> Result<Table, String> {
    match value {
        Toml::Table(table) => Ok(table),
        other => Err(format!(
            "{what} must be a table, not a {}",
            other.type_str()
        )),
    }
}

/// A table from which what is known is taken, so that the rest is unknown.
pub(super) struct Fields {
    table: Table,
}

impl Fields {
    pub(super) fn new(table: Table) -> Self {
        Self { table }
    }

    pub(super) fn any(&mut self, key: &str) -> Option<Toml> {
        self.table.remove(key)
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Toml::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("{key} must be a text, not a {}", other.type_str())),
        }
    }

    pub(super) fn regex(&mut self, key: &str) -> Result<Option<Regex>, String> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        Regex::new(&text)
            .map(Some)
            .map_err(|e| format!("{key} is not a regular expression: {e}"))
    }

    pub(super) fn count(&mut self, key: &str) -> Result<Option<u32>, String> {
        let Some(value) = self.table.remove(key) else {
            return Ok(None);
        };
        let count = value
            .as_integer()
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0);
        count
            .map(Some)
            .ok_or_else(|| format!("{key} must be a whole number from 1"))
    }

    pub(super) fn span_ms(&mut self, key: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        let ms = parse_span_ms(&text);
        ms.map(Some)
            .ok_or_else(|| format!("{key} must be a span such as \"200ms\", \"2s\" or \"5m\""))
    }

    pub(super) fn table(&mut self, key: &str) -> Result<Option<Table>, String> {
        self.table
            .remove(key)
            .map(|value| table_of(key, value))
            .transpose()
    }

    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Toml>, String> {
        match self.table.remove(key) {
            None => Ok(Vec::new()),
            Some(Toml::Array(values)) => Ok(values),
            Some(other) => Err(format!("{key} must be a list, not a {}", other.type_str())),
        }
    }

    /// Nothing may be left; `known` are the keys that could have been there.
    pub(super) fn done(&self, known: &[&str]) -> Result<(), String> {
        let Some(key) = self.table.keys().next() else {
            return Ok(());
        };
        let near = known.iter().find(|name| alike(key, name));
        let hint = match near {
            Some(name) => format!("did you mean {name:?}?"),
            None => format!("known here: {}", known.join(", ")),
        };
        Err(format!("unknown key {key:?}; {hint}"))
    }
}

/// Whether two short names differ by a slip: one of them begins the other, or they have the same
/// letters up to one.
fn alike(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let extra = |a: &str, b: &str| {
        let mut rest: Vec<char> = b.chars().collect();
        a.chars()
            .filter(|c| {
                rest.iter()
                    .position(|r| r == c)
                    .map(|at| rest.remove(at))
                    .is_none()
            })
            .count()
    };
    let begins = a.len().min(b.len()) >= 3 && (a.starts_with(&b) || b.starts_with(&a));
    begins || (extra(&a, &b) <= 1 && extra(&b, &a) <= 1)
}
