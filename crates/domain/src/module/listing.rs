//! The tools of a module: which may be used, and what changed against what is known.

use crate::canonical::sha256_hex;
use crate::event::{ToolChange, ToolDefinition};
use crate::state::Module;
use crate::text::Text;
use std::collections::{BTreeMap, BTreeSet};

/// Most tools of a module.
const TOOLS_MAX: usize = 512;
/// Longest name of a tool, in bytes.
const NAME_LEN_MAX: usize = 128;
/// Longest definition of a tool, in bytes of canonical JSON.
const DEFINITION_LEN_MAX: usize = 256 * 1_024;
/// Longest definitions of all tools of a module together, in bytes of canonical JSON.
const LISTING_LEN_MAX: usize = 4 * 1_024 * 1_024;
/// How many tools that are left out are named.
const NAMED_MAX: usize = 5;

/// What a listing leads to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listing {
    /// The tools in force from here on; `None`: as before.
    pub(super) tools: Option<Vec<ToolDefinition>>,
    /// Definitions that wait for an approval.
    pub(super) held: Vec<ToolDefinition>,
    /// What changed against what was listed last.
    pub(super) changed: Vec<ToolChange>,
    /// Which tools can't be used and why, one line.
    pub(super) left_out: Option<String>,
}

/// Whether a tool of a module may have this name: no pattern and nothing that would have to be
/// escaped.
pub(crate) fn is_tool_name(name: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(known)
}

/// Compares a listing with what is known of a module. The first listing is trusted. Where the
/// module is pinned, a tool whose definition differs keeps the pinned one; so does one that was
/// gone and comes back.
pub(super) fn listing(module: &Module, listed: &[ToolDefinition], pin: bool) -> Listing {
    let (usable, left_out) = sift(listed);
    let known = module.tools.as_ref();
    let mut tools = Vec::new();
    let mut held = Vec::new();
    for tool in usable.values() {
        let known = known.and_then(|known| known.get(&tool.name));
        let pinned = known.or_else(|| module.gone.get(&tool.name));
        match pinned.filter(|pinned| pin && pinned.hash != tool.hash) {
            Some(pinned) => {
                tools.push(pinned.clone());
                held.push(tool.clone());
            }
            None => tools.push(tool.clone()),
        }
    }
    let changed = known.map_or_else(Vec::new, |known| changes(module, known, &usable));
    let same_tools = known.is_some_and(|known| known.values().eq(&tools));
    let same = same_tools && changed.is_empty() && module.tools_digest == module.digest;
    if same {
        return Listing::default();
    }
    Listing {
        tools: Some(tools),
        held,
        changed,
        left_out,
    }
}

/// What differs from what was listed last, in the order of names.
fn changes(
    module: &Module,
    known: &BTreeMap<String, ToolDefinition>,
    listed: &BTreeMap<&str, ToolDefinition>,
) -> Vec<ToolChange> {
    let names: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    let names = names.into_iter().chain(listed.keys().copied());
    let names: BTreeSet<&str> = names.collect();
    let hash = |tool: &ToolDefinition| tool.hash.clone();
    names
        .into_iter()
        .filter_map(|name| {
            let last = module.changed.get(name).or_else(|| known.get(name));
            let before = last.map(hash);
            let after = listed.get(name).map(hash);
            (before != after).then(|| ToolChange {
                tool: name.to_owned(),
                before,
                after,
            })
        })
        .collect()
}

/// The tools that can be used, by name, each with its hash; and which can't, in words.
fn sift(listed: &[ToolDefinition]) -> (BTreeMap<&str, ToolDefinition>, Option<String>) {
    let mut usable: BTreeMap<&str, ToolDefinition> = BTreeMap::new();
    let mut left_out = Vec::new();
    let mut room = LISTING_LEN_MAX;
    for tool in listed {
        let text = tool.canonical();
        let why = if !is_tool_name(&tool.name) {
            "its name is not 1 to 128 of A-Z, a-z, 0-9, '_', '-', '.' and '/'"
        } else if usable.contains_key(tool.name.as_str()) {
            "there is another one of this name"
        } else if usable.len() == TOOLS_MAX {
            "a module may have 512 tools"
        } else if text.len() > DEFINITION_LEN_MAX.min(room) {
            "its definition is too long"
        } else {
            room -= text.len();
            let hash = sha256_hex(text);
            let known = ToolDefinition {
                hash,
                ..tool.clone()
            };
            usable.insert(&tool.name, known);
            continue;
        };
        let name = Text::from(tool.name.as_str()).excerpt(40);
        left_out.push(format!("{name:?} ({why})"));
    }
    (usable, in_words(&left_out))
}

fn in_words(left_out: &[String]) -> Option<String> {
    let named = left_out.get(..NAMED_MAX).unwrap_or(left_out).join(", ");
    match left_out.len().saturating_sub(NAMED_MAX) {
        0 if left_out.is_empty() => None,
        0 => Some(format!("some of its tools can't be used: {named}")),
        more => Some(format!(
            "some of its tools can't be used: {named}, and {more} more"
        )),
    }
}
