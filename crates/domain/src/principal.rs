//! Who calls.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Who asked for something: always from authentication or from the runtime itself, never from a
/// request body. As text: `operator:ada`, `app:billing`, `agent:editor`, `runtime`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person.
    Operator(String),
    /// A program that embeds the library or calls an API.
    App(String),
    /// A member of the mob.
    Agent(crate::id::MemberId),
    /// mobkit itself.
    Runtime,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::App(name) => write!(f, "app:{name}"),
            Self::Agent(member) => write!(f, "agent:{member}"),
            Self::Runtime => f.write_str("runtime"),
        }
    }
}

impl FromStr for Principal {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("operator", name)) => Ok(Self::Operator(name.to_owned())),
            Some(("app", name)) => Ok(Self::App(name.to_owned())),
            Some(("agent", id)) => id.parse().map(Self::Agent).map_err(|e| format!("{e}")),
            _ if text == "runtime" => Ok(Self::Runtime),
            _ => Err(format!("{text:?} is not a principal")),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Principal {
    fn schema_name() -> Cow<'static, str> {
        "Principal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(runtime|(operator|app|agent):.*)$",
        })
    }
}
