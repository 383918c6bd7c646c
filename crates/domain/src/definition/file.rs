//! Files that the mob file names.

use super::report::{Finding, Report};
use super::source::Node;

impl Node<'_> {
    /// The path of a file and its content.
    pub fn file(&self, cx: &mut Report<'_>) -> Option<(String, String)> {
        let path = self.text(cx)?;
        match cx.files.read(&path) {
            Ok(content) => Some((path, content)),
            Err(problem) => {
                let message = format!("{} cannot be read: {problem}", self.name());
                let finding = Finding::new("file_unreadable", &self.span, message);
                let hint = "paths are relative to the folder of the mob file";
                cx.error(finding.label("no readable file").hint_str(hint));
                None
            }
        }
    }

    /// A JSON Schema from a file.
    pub fn json_schema(&self, cx: &mut Report<'_>) -> Option<serde_json::Value> {
        let (path, content) = self.file(cx)?;
        let problem = match serde_json::from_str::<serde_json::Value>(&content) {
            Ok(schema) if schema.is_object() => return Some(schema),
            Ok(_) => "it is not an object".to_owned(),
            Err(error) => error.to_string(),
        };
        let message = format!("{path:?} is not a JSON Schema: {problem}");
        cx.error(Finding::new("schema_invalid", &self.span, message).label("see this file"));
        None
    }
}
