//! Which line of a mob file sets a value.

use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// The lines of everything that a mob file sets.
pub(super) struct Origins {
    lines: BTreeMap<String, Place>,
}

struct Place {
    line: usize,
    is_table: bool,
}

impl Origins {
    /// Looks through a mob file that is valid.
    pub fn of(text: &str) -> Self {
        let mut lines = BTreeMap::new();
        if let Ok(table) = DeTable::parse(text) {
            walk(text, "", table.get_ref(), &mut lines);
        }
        Self { lines }
    }

    /// The line that sets a value; `None`: it is a default. A key of the file may stand for several
    /// values, or for one with its unit in its name.
    pub fn line(&self, name: &str) -> Option<usize> {
        if let Some(place) = self.lines.get(name) {
            return Some(place.line);
        }
        let mut name = name;
        loop {
            match self.lines.get(name).or_else(|| self.akin(name)) {
                Some(place) if !place.is_table => return Some(place.line),
                // A table alone sets nothing of what is left out in it.
                Some(_) => return None,
                None => name = name.rsplit_once('.')?.0,
            }
        }
    }

    /// The key beside `name` whose name goes on where the other ends: `timeout` and `timeout_ms`.
    fn akin(&self, name: &str) -> Option<&Place> {
        let (table, last) = name.rsplit_once('.').unwrap_or(("", name));
        let prefix = match table {
            "" => String::new(),
            table => format!("{table}."),
        };
        let beside = self.lines.range(prefix.clone()..);
        let mut beside = beside.take_while(|(key, _)| key.starts_with(&prefix));
        let goes_on = |longer: &str, shorter: &str| {
            longer
                .strip_prefix(shorter)
                .is_some_and(|rest| rest.starts_with('_'))
        };
        let found = beside.find(|(key, place)| {
            let key = &key[prefix.len()..];
            !place.is_table && !key.contains('.') && (goes_on(key, last) || goes_on(last, key))
        });
        found.map(|(_, place)| place)
    }
}

fn walk(text: &str, name: &str, table: &DeTable<'_>, lines: &mut BTreeMap<String, Place>) {
    for (key, value) in table {
        let name = match name {
            "" => key.get_ref().to_string(),
            name => format!("{name}.{}", key.get_ref()),
        };
        let before = text.get(..key.span().start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let mut tables = Vec::new();
        match value.get_ref() {
            DeValue::Table(inner) => tables.push((name.clone(), inner)),
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        let id = inner.get("id").and_then(|id| id.get_ref().as_str());
                        let part = id.map_or_else(|| i.to_string(), str::to_owned);
                        tables.push((format!("{name}.{part}"), inner));
                    }
                }
            }
            _ => {}
        }
        let is_table = !tables.is_empty();
        lines.insert(name, Place { line, is_table });
        for (name, inner) in tables {
            walk(text, &name, inner, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_line_of_its_key_or_is_a_default() {
        let text = "[mob]\nid = \"m\"\n\n[[members]]\nid = \"a\"\ntimeout = \"3s\"\n\
                    retry = { attempts = 2 }\n";
        let origins = Origins::of(text);
        for (name, line) in [
            ("mob.id", Some(2)),
            ("mob.description", None),
            ("members.a.id", Some(5)),
            ("members.a.timeout_ms", Some(6)),
            ("members.a.retry.attempts", Some(7)),
            ("members.a.retry.backoff_ms", None),
            ("members.b.id", None),
            ("server.listen", None),
        ] {
            assert_eq!(origins.line(name), line, "{name}");
        }
    }
}
