//! What a rule sees of a request.

use super::script::When;
use crate::model::seam::{Item, ModelRequest};
use serde_json::{Map, Value, json};

/// The parts of a request that rules and templates speak of.
pub(super) struct View<'a> {
    pub request: &'a ModelRequest,
    /// The last message of the session; empty where there is none.
    pub message: &'a str,
    /// The tool whose result came last, if a result came last.
    pub tool: Option<&'a str>,
    /// That result.
    pub result: Option<&'a str>,
}

/// Names that templates know beside the captures.
pub(super) const NAMES: [&str; 9] = [
    "message", "result", "results", "json", "member", "profile", "step", "from", "tool",
];

impl<'a> View<'a> {
    pub(super) fn of(request: &'a ModelRequest) -> Self {
        let message = request.items.iter().rev().find_map(|item| match item {
            Item::User { text, .. } => Some(text.as_str()),
            Item::Assistant { .. } | Item::ToolResult { .. } => None,
        });
        let (tool, result) = match request.items.last() {
            Some(Item::ToolResult { tool, result, .. }) => (Some(&**tool), Some(&**result)),
            Some(Item::User { .. } | Item::Assistant { .. }) | None => (None, None),
        };
        Self {
            request,
            message: message.unwrap_or_default(),
            tool,
            result,
        }
    }

    /// What templates know: the captures of `when`, and [`NAMES`]. `result`, `tool` and `json` are
    /// absent where there is no such thing, as are groups that took no part in the match. `results`
    /// holds the last result of each tool since the last message, parsed where it is JSON.
    pub(super) fn scope(&self, when: &When) -> Map<String, Value> {
        let mut scope = Map::new();
        let matched = [
            (&when.text, Some(self.message)),
            (&when.result, self.result),
        ];
        for (regex, text) in matched {
            let (Some(regex), Some(text)) = (regex, text) else {
                continue;
            };
            let Some(captures) = regex.captures(text) else {
                continue;
            };
            for name in regex.capture_names().flatten() {
                if let Some(group) = captures.name(name) {
                    scope.insert(name.to_owned(), json!(group.as_str()));
                }
            }
        }
        scope.insert("message".to_owned(), json!(self.message));
        scope.insert("member".to_owned(), json!(self.request.member));
        scope.insert("profile".to_owned(), json!(self.request.profile));
        scope.insert("step".to_owned(), json!(self.request.step));
        scope.insert("from".to_owned(), json!(self.request.from));
        scope.extend(self.tool.map(|tool| ("tool".to_owned(), json!(tool))));
        scope.extend(
            self.result
                .map(|result| ("result".to_owned(), json!(result))),
        );
        scope.extend(self.json().map(|json| ("json".to_owned(), json)));
        scope.insert("results".to_owned(), Value::Object(self.results()));
        scope
    }

    fn results(&self) -> Map<String, Value> {
        let items = self.request.items.iter().rev();
        let turn = items.take_while(|item| !matches!(item, Item::User { .. }));
        let mut results = Map::new();
        for item in turn {
            if let Item::ToolResult { tool, result, .. } = item {
                let parsed = || serde_json::from_str(result).unwrap_or_else(|_| json!(result));
                results.entry(tool.clone()).or_insert_with(parsed);
            }
        }
        results
    }

    /// What came last, parsed: the result if it is JSON, else the message if that is.
    fn json(&self) -> Option<Value> {
        let result = self
            .result
            .and_then(|result| serde_json::from_str(result).ok());
        result.or_else(|| serde_json::from_str(self.message).ok())
    }
}
