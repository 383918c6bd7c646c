//! Walking the parsed TOML with spans: tables that know which keys were asked for, and nodes that
//! know their own name and place.

use super::report::{Finding, Noun, Report};
use super::suggest;
use crate::id::IdError;
use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place in the file.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub value: &'a DeValue<'a>,
    /// The value; for a table with a header, the header.
    pub span: Range<usize>,
    /// The name within its owner, e.g. `budget.usd_per_day` or `tools[2]`.
    pub key: String,
    /// What the value belongs to, e.g. `profile "editor"`.
    pub owner: String,
    /// The path from the root, e.g. `profiles.editor.tools[2]`.
    pub path: String,
}

/// A table being read. Keys are known by being asked for; [`Table::finish`] reports the others.
pub(super) struct Table<'a> {
    /// What the keys belong to, e.g. `profile "editor"`.
    pub owner: String,
    /// Where an error about the whole table points.
    pub span: Range<usize>,
    /// The path from the root; empty for the root.
    pub path: String,
    prefix: String,
    entries: &'a DeTable<'a>,
    known: Vec<&'static str>,
    /// What is reported by [`Table::finish`] for keys that are not there.
    missing: Vec<(&'static str, Finding)>,
}

/// A key that the file chose, with its value.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub key_span: Range<usize>,
    pub node: Node<'a>,
}

impl<'a> Table<'a> {
    pub fn root(entries: &'a DeTable<'a>) -> Self {
        Self {
            owner: "the mob file".to_owned(),
            span: 0..0,
            path: String::new(),
            prefix: String::new(),
            entries,
            known: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The value of `key`, if it is there.
    pub fn take(&mut self, cx: &mut Report<'_>, key: &'static str) -> Option<Node<'a>> {
        self.known.push(key);
        let (name, value) = self.entries.get_key_value(key)?;
        Some(self.node(cx, name, value))
    }

    /// The value of `key`; its absence is an error, for which `example` shows what to write.
    pub fn need(
        &mut self,
        cx: &mut Report<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<Node<'a>> {
        let node = self.take(cx, key);
        if node.is_none() {
            let message = format!("{} has no {:?}", self.owner, self.named(key));
            let finding = Finding::new("key_missing", &self.span, message);
            let finding = finding.label(format!("{key:?} is required"));
            self.miss(key, finding.hint(format!("add {example}")));
        }
        node
    }

    /// Notes that `key` is not there. [`Self::finish`] reports `finding`, unless the table has an
    /// unknown key that looks like a misspelt `key`, which says the same better.
    pub fn miss(&mut self, key: &'static str, finding: Finding) {
        self.missing.push((key, finding));
    }

    /// Reads the value of `key` with `read`, if the key is there.
    pub fn read<T>(
        &mut self,
        cx: &mut Report<'_>,
        key: &'static str,
        read: impl FnOnce(&Node<'a>, &mut Report<'_>) -> Option<T>,
    ) -> Option<T> {
        self.take(cx, key).and_then(|node| read(&node, cx))
    }

    /// How many of `keys` are there.
    pub fn given(&self, keys: &[&str]) -> usize {
        keys.iter()
            .filter(|key| self.entries.contains_key(**key))
            .count()
    }

    /// Reports `key` where it is there although `why` speaks against it.
    pub fn forbid(&mut self, cx: &mut Report<'_>, key: &'static str, why: &str) {
        self.known.push(key);
        if let Some((name, _)) = self.entries.get_key_value(key) {
            let message = format!(
                "\"{}\" of {} has no use: {why}",
                self.named(key),
                self.owner
            );
            let finding = Finding::new("key_out_of_place", &name.span(), message);
            cx.error(finding.label("not used here").hint_str("remove it"));
        }
    }

    /// All entries of a table whose keys the file chooses.
    pub fn entries(self, cx: &mut Report<'_>) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        for (name, value) in self.entries {
            let node = self.node(cx, name, value);
            entries.push(Entry {
                name: name.get_ref(),
                key_span: name.span(),
                node,
            });
        }
        entries
    }

    /// Reports the keys that nobody asked for, and those that are missing. Every table that was
    /// read by keys ends here.
    pub fn finish(self, cx: &mut Report<'_>) {
        let mut meant = Vec::new();
        for name in self.entries.keys() {
            let key: &str = name.get_ref();
            if self.known.contains(&key) {
                continue;
            }
            let message = format!("{} has the unknown key {:?}", self.owner, self.named(key));
            let hint = suggest::hint(key, "known keys", self.known.iter().copied());
            meant.extend(suggest::nearest(key, self.known.iter().copied()));
            let finding = Finding::new("key_unknown", &name.span(), message);
            cx.error(finding.label("not a key of this table").hint(hint));
        }
        for (key, finding) in self.missing {
            if !meant.contains(&key) {
                cx.error(finding);
            }
        }
    }

    /// Reports what is missing, where it is open which other keys there may be.
    pub fn finish_without_choice(mut self, cx: &mut Report<'_>) {
        for (_, finding) in self.missing.drain(..) {
            cx.error(finding);
        }
    }

    fn named(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn node(
        &self,
        cx: &mut Report<'_>,
        name: &'a Spanned<toml::de::DeString<'a>>,
        value: &'a Spanned<DeValue<'a>>,
    ) -> Node<'a> {
        let key: &str = name.get_ref();
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        // A table or list that was written with a header is shown by its name in the header.
        let place = trimmed(cx.text, value.span());
        let inside = place.start <= name.span().start && name.span().end <= place.end;
        cx.locate(&path, if inside { name.span() } else { place.clone() });
        Node {
            value: value.get_ref(),
            span: place,
            key: self.named(key),
            owner: self.owner.clone(),
            path,
        }
    }
}

impl<'a> Node<'a> {
    /// How an error calls this value, e.g. `"timeout" of model "main"`.
    pub fn name(&self) -> String {
        format!("{:?} of {}", self.key, self.owner)
    }

    /// Reports that the value is of another type than `wanted`.
    pub fn wrong_type(&self, cx: &mut Report<'_>, wanted: &str) {
        cx.error(self.not_a(wanted));
    }

    fn not_a(&self, wanted: &str) -> Finding {
        let found = match self.value {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("{} must be {wanted}, but is {found}", self.name());
        Finding::new("type_wrong", &self.span, message).label(format!("this is {found}"))
    }

    /// As [`Self::table`]; of anything else the error says how such a table is written.
    pub fn table_as(&self, cx: &mut Report<'_>, example: &str) -> Option<Table<'a>> {
        if matches!(self.value, DeValue::Table(_)) {
            return self.table(cx);
        }
        cx.error(self.not_a("a table").hint_str(example));
        None
    }

    /// The value as a table whose keys belong to the same owner.
    pub fn table(&self, cx: &mut Report<'_>) -> Option<Table<'a>> {
        let mut table = self.table_of(cx, self.owner.clone())?;
        table.prefix = format!("{}.", self.key);
        Some(table)
    }

    /// The value as a table whose keys belong to `owner`.
    pub fn table_of(&self, cx: &mut Report<'_>, owner: String) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value else {
            self.wrong_type(cx, "a table");
            return None;
        };
        let (span, path) = (self.span.clone(), self.path.clone());
        Some(Table {
            owner,
            span,
            path,
            prefix: String::new(),
            entries,
            known: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// The items of a list.
    pub fn list(&self, cx: &mut Report<'_>) -> Option<Vec<Node<'a>>> {
        let DeValue::Array(items) = self.value else {
            self.wrong_type(cx, "a list");
            return None;
        };
        let nodes = items.iter().enumerate().map(|(i, item)| {
            let path = format!("{}[{i}]", self.path);
            let (value, span) = (item.get_ref(), trimmed(cx.text, item.span()));
            cx.locate(&path, span.clone());
            Node {
                value,
                span,
                key: format!("{}[{i}]", self.key),
                owner: self.owner.clone(),
                path,
            }
        });
        Some(nodes.collect())
    }

    /// The items of a list, each read by `read`; `None` if any of them is wrong.
    pub fn each<T>(
        &self,
        cx: &mut Report<'_>,
        mut read: impl FnMut(&Node<'a>, &mut Report<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.list(cx)?.iter().map(|item| read(item, cx)).collect();
        read.into_iter().collect()
    }

    /// A list of exactly two items.
    pub fn pair(&self, cx: &mut Report<'_>, of: &str) -> Option<(Node<'a>, Node<'a>)> {
        let items = self.list(cx)?;
        if let [a, b] = items.as_slice() {
            return Some((a.clone(), b.clone()));
        }
        let message = format!(
            "{} must hold two {of}, but holds {}",
            self.name(),
            items.len()
        );
        cx.error(Finding::new("pair_wrong", &self.span, message).label(format!("wants two {of}")));
        None
    }
}

/// The parser counts the blanks before an inline table to it; a caret should not.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let inside = text.get(span.clone()).unwrap_or_default();
    span.start + (inside.len() - inside.trim_start().len())..span.end
}

/// A name of the file as an id of its noun.
pub(super) fn parse_id<T: FromStr<Err = IdError>>(
    cx: &mut Report<'_>,
    name: &str,
    span: &Range<usize>,
) -> Option<T> {
    match name.parse() {
        Ok(id) => Some(id),
        Err(IdError { noun, rule, .. }) => {
            let message = format!("{name:?} cannot be the id of a {noun}");
            let finding = Finding::new("id_invalid", span, message).label("not a valid id");
            cx.error(finding.hint(format!("an id is {rule}")));
            None
        }
    }
}

/// Reads `[<nouns>.<id>]` tables.
pub(super) fn named<K: FromStr<Err = IdError> + Ord, V>(
    cx: &mut Report<'_>,
    root: &mut Table<'_>,
    (key, noun): (&'static str, Noun),
    read: fn(&mut Report<'_>, &str, Table<'_>) -> Option<V>,
) -> BTreeMap<K, V> {
    let mut found = BTreeMap::new();
    let table = root.read(cx, key, |node, cx| node.table_of(cx, format!("[{key}]")));
    for entry in table.map(|table| table.entries(cx)).into_iter().flatten() {
        cx.declare(noun, entry.name, &entry.key_span);
        let id = parse_id(cx, entry.name, &entry.key_span);
        let owner = format!("{} {:?}", noun.word(), entry.name);
        let Some(table) = entry.node.table_of(cx, owner) else {
            continue;
        };
        if let (Some(value), Some(id)) = (read(cx, entry.name, table), id) {
            found.insert(id, value);
        }
    }
    found
}

/// Reads `[[<nouns>]]` tables; each names itself with `id`.
pub(super) fn listed<K: FromStr<Err = IdError>, V>(
    cx: &mut Report<'_>,
    root: &mut Table<'_>,
    (key, noun): (&'static str, Noun),
    mut read: impl FnMut(&mut Report<'_>, Option<K>, Table<'_>) -> Option<V>,
) -> Vec<V> {
    let mut found = Vec::new();
    for (i, node) in tables(cx, root, key).into_iter().enumerate() {
        let Some(mut table) = node.table_of(cx, format!("[[{key}]] number {}", i + 1)) else {
            continue;
        };
        let id = table.need(cx, "id", &format!("id = \"…\" to the [[{key}]] entry"));
        let id = id.and_then(|node| {
            let name = node.text(cx)?;
            table.owner = format!("{} {name:?}", noun.word());
            cx.declare(noun, &name, &node.span);
            parse_id::<K>(cx, &name, &node.span)
        });
        // Without a valid id the rest is still read, so that all its errors are reported at once.
        found.extend(read(cx, id, table));
    }
    found
}

/// The items of a `[[key]]` list.
pub(super) fn tables<'a>(
    cx: &mut Report<'_>,
    root: &mut Table<'a>,
    key: &'static str,
) -> Vec<Node<'a>> {
    let Some(node) = root.take(cx, key) else {
        return Vec::new();
    };
    if matches!(node.value, DeValue::Table(_)) {
        let message = format!("{key:?} is a list, so each entry is written [[{key}]]");
        let finding = Finding::new("type_wrong", &node.span, message).label("this is one table");
        cx.error(finding.hint(format!("write [[{key}]] with two brackets")));
        return Vec::new();
    }
    node.list(cx).unwrap_or_default()
}
