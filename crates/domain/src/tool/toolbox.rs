//! Tools that the host of the library offers.

use crate::event::ToolEffect;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A tool as a model is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Qualified name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub schema: Value,
    /// What a repeated call does.
    pub effect: ToolEffect,
}

/// The tools of the host, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Toolbox(pub BTreeMap<String, ToolSpec>);
