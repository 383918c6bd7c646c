//! Which tools a profile offers, and patterns over their names.

use super::engine::Engine;
use super::glob::globs_meet;
use super::report::{Finding, Noun, Report};
use super::source::Node;
use super::suggest;
use crate::id::ModuleId;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Built-in names that a profile may list, groups included.
const BUILT_IN: &[&str] = &[
    "peers",
    "memory",
    "schedule",
    "task",
    "send_message",
    "ask_peer",
    "delegate",
    "remember",
    "recall",
    "deliver",
    "now",
];
/// Tools whose names have one of these beginnings are built in.
const BUILT_IN_FAMILIES: &[&str] = &["schedule_", "task_"];
const TOOL_NAME_MAX: usize = 128;

/// An entry of a profile's `tools`. As text it is what the mob file says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ToolSelector {
    /// A built-in tool or group: `peers`, `memory`, `schedule`, `task`, `now`, ….
    BuiltIn(String),
    /// One tool of a module, or all of them where `tool` is `*`.
    Module {
        /// The module.
        module: ModuleId,
        /// The tool's name in the module, or `*`.
        tool: String,
    },
    /// A tool set of the external engine itself, written `engine:<name>`. The engine makes these
    /// calls, so no gate sees them; it offers no tool of ours.
    Engine(String),
    /// A tool that the host program registers.
    Host(String),
}

impl ToolSelector {
    /// The names of the tools it stands for, as patterns.
    pub fn patterns(&self) -> Vec<String> {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match self {
            Self::BuiltIn(name) => match name.as_str() {
                "peers" => list(&["peers", "send_message", "ask_peer"]),
                "memory" => list(&["remember", "recall"]),
                "schedule" => list(&["schedule_*"]),
                "task" => list(&["task_*"]),
                name => list(&[name]),
            },
            Self::Engine(_) => Vec::new(),
            Self::Module { .. } | Self::Host(_) => vec![self.to_string()],
        }
    }

    /// Whether it stands for the tool of this qualified name (`now`, `module:search/fetch`).
    pub fn offers(&self, tool: &str) -> bool {
        self.patterns()
            .iter()
            .any(|pattern| globs_meet(pattern, tool))
    }
}

impl fmt::Display for ToolSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(name) | Self::Host(name) => f.write_str(name),
            Self::Module { module, tool } => write!(f, "module:{module}/{tool}"),
            Self::Engine(name) => write!(f, "engine:{name}"),
        }
    }
}

/// Why a text is not an entry of `tools`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a tool: write a built-in name, module:<id>/<name or *>, engine:<name>, or the \
     host's name"
)]
pub struct ToolSelectorError(pub String);

impl FromStr for ToolSelector {
    type Err = ToolSelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ToolSelectorError(text.to_owned());
        if text.len() > TOOL_NAME_MAX {
            return Err(error());
        }
        if let Some(rest) = text.strip_prefix("module:") {
            let (module, tool) = rest.split_once('/').ok_or_else(error)?;
            let module = module.parse().map_err(|_| error())?;
            let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/');
            if tool != "*" && (tool.is_empty() || !tool.bytes().all(known)) {
                return Err(error());
            }
            return Ok(Self::Module {
                module,
                tool: tool.to_owned(),
            });
        }
        let (engine, name) = match text.strip_prefix("engine:") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain {
            return Err(error());
        }
        if engine {
            return Ok(Self::Engine(name.to_owned()));
        }
        let family = BUILT_IN_FAMILIES
            .iter()
            .any(|family| text.starts_with(family));
        let built_in = family || BUILT_IN.contains(&text);
        Ok(if built_in {
            Self::BuiltIn(text.to_owned())
        } else {
            Self::Host(text.to_owned())
        })
    }
}

impl Serialize for ToolSelector {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ToolSelector {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A pattern over qualified tool names; `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ToolPattern(String);

impl ToolPattern {
    /// Whether the tool of this qualified name fits.
    pub fn matches(&self, tool: &str) -> bool {
        globs_meet(&self.0, tool)
    }

    /// Whether it can fit any of the tools that `selector` stands for.
    pub fn meets(&self, selector: &ToolSelector) -> bool {
        selector
            .patterns()
            .iter()
            .any(|pattern| globs_meet(&self.0, pattern))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Node<'_> {
    /// An entry of the `tools` of a profile with this engine; `None`: it could not be read.
    pub fn tool(
        &self,
        cx: &mut Report<'_>,
        profile: &str,
        engine: Option<Engine>,
    ) -> Option<ToolSelector> {
        let text = self.text(cx)?;
        // The groups may also be written by the names that they hold.
        let name = match text.as_str() {
            "schedule_*" => "schedule",
            "task_*" => "task",
            name => name,
        };
        let Ok(selector) = name.parse::<ToolSelector>() else {
            let message = format!("{} is not a tool: {text:?}", self.name());
            let finding = Finding::new("tool_invalid", &self.span, message).label("not a tool");
            let hint = "write a built-in name (peers, memory, now, …), \"module:<id>/<name>\" or \
                        \"module:<id>/*\", \"engine:<name>\" (a tool set of its engine), or the name of a \
                        tool of the host program (a-z, 0-9, _)";
            cx.error(finding.hint_str(hint));
            return None;
        };
        match &selector {
            ToolSelector::BuiltIn(_) => {}
            ToolSelector::Module { module, .. } => {
                let user = format!("profile {profile:?} offers tools of");
                cx.refer(Noun::Module, module.as_str(), &self.span, user);
            }
            ToolSelector::Engine(set) => {
                if let Some(engine) = engine {
                    self.engine_tools(cx, profile, engine, set)?;
                }
            }
            ToolSelector::Host(name) => {
                let message = format!(
                    "profile {profile:?} offers {name:?}, which is not a built-in tool; \
                     the host program has to register it"
                );
                let finding = Finding::new("tool_unknown", &self.span, message);
                let near = suggest::nearest(name, BUILT_IN.iter().copied());
                let hint = near.map(|near| format!("did you mean {near:?}?"));
                cx.warning(finding.label("not built in").hint(hint));
            }
        }
        Some(selector)
    }

    /// A tool set of the profile's own engine; `None`: the engine has no such set.
    fn engine_tools(
        &self,
        cx: &mut Report<'_>,
        profile: &str,
        engine: Engine,
        set: &str,
    ) -> Option<()> {
        let sets = engine.tool_sets();
        if sets.contains(&set) {
            return Some(());
        }
        let message = format!(
            "profile {profile:?} offers the tool set {set:?} of its engine, and the engine \
             {engine} has none of this name"
        );
        let finding = Finding::new("engine_tool_unknown", &self.span, message);
        let hint = if sets.is_empty() {
            let other = "take it out, or give the profile an engine with tools of its own: \
                         engine = \"meerkat\"";
            Some(other.to_owned())
        } else {
            suggest::hint(set, "its tool sets", sets.iter().copied())
        };
        cx.error(finding.label("no such tool set").hint(hint));
        None
    }

    /// A pattern over qualified tool names.
    pub fn tool_pattern(&self, cx: &mut Report<'_>) -> Option<ToolPattern> {
        let text = self.text(cx)?;
        let known = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/*".contains(&b);
        if text.len() > TOOL_NAME_MAX || !text.bytes().all(known) {
            let message = format!("{} is not a pattern over tool names: {text:?}", self.name());
            let finding = Finding::new("tool_invalid", &self.span, message).label("not a pattern");
            cx.error(finding.hint_str("write e.g. \"send_message\", \"module:mail/*\" or \"*\""));
            return None;
        }
        Some(ToolPattern(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_stand_for_their_tools() {
        let offers = |selector: &str, tool: &str| {
            selector
                .parse::<ToolSelector>()
                .expect("the selector is valid")
                .offers(tool)
        };
        assert!(offers("peers", "ask_peer") && offers("peers", "peers"));
        assert!(offers("schedule", "schedule_put") && !offers("schedule", "schedule"));
        assert!(offers("task_add", "task_add") && !offers("task_add", "task_list"));
        assert!(offers("module:search/*", "module:search/fetch"));
        assert!(!offers("module:search/*", "module:mail/send"));
        assert!(offers("look_up", "look_up"));
        for bad in [
            "",
            "Peers",
            "module:",
            "module:x",
            "module:x/",
            "module:X/y",
            "a b",
            "module:x/a*",
        ] {
            assert!(bad.parse::<ToolSelector>().is_err(), "{bad:?}");
        }
    }
}
