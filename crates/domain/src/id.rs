//! Identifiers: one type per noun, parsed at the edge.
//!
//! Ids that people choose (mob, member, profile, …) follow the grammar of their noun. Ids that the
//! runtime gives (message, turn, call, session) name the journal position of the event that created
//! the thing, so they are unique in a mob, ordered, and need no source of randomness.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why a string is not an id of the wanted noun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {noun} id: {rule}")]
pub struct IdError {
    /// The noun whose grammar was violated, e.g. `member`.
    pub noun: &'static str,
    /// What was given.
    pub value: String,
    /// The grammar in words.
    pub rule: &'static str,
}

fn grammar(value: &str, max: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    let bytes = value.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= max
        && first(bytes[0])
        && bytes[1..].iter().all(|b| rest(*b))
}

fn lower_or_digit(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn slug_rest(b: u8) -> bool {
    lower_or_digit(b) || b == b'-'
}

fn name_rest(b: u8) -> bool {
    slug_rest(b) || b == b'_' || b == b'.'
}

fn member_rest(b: u8) -> bool {
    lower_or_digit(b) || matches!(b, b'.' | b'_' | b':' | b'@' | b'-')
}

macro_rules! named_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $max:literal, $rest:ident, $class:literal,
     $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the id; the error says which rule was broken.
            pub fn parse(value: &str) -> Result<Self, IdError> {
                if grammar(value, $max, lower_or_digit, $rest) {
                    Ok(Self(Arc::from(value)))
                } else {
                    Err(IdError { noun: $noun, value: value.to_owned(), rule: $rule })
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::parse(value)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let value = Cow::<'de, str>::deserialize(d)?;
                Self::parse(&value).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!("Id of a ", $noun, "."),
                    "type": "string",
                    "pattern": concat!("^[a-z0-9]", $class, "*$"),
                    "maxLength": $max,
                 })
            }
        }
    };
}

named_id!(
    /// Id of a mob: `[a-z0-9][a-z0-9-]{0,62}`.
    MobId, "mob", 63, slug_rest, "[a-z0-9-]",
    "1 to 63 of a-z, 0-9 and '-', starting with a letter or digit"
);
named_id!(
    /// Id of a member: `[a-z0-9][a-z0-9._:@-]{0,127}`, e.g. `editor` or `user:ada`.
    MemberId, "member", 128, member_rest, "[a-z0-9._:@-]",
    "1 to 128 of a-z, 0-9, '.', '_', ':', '@' and '-', starting with a letter or digit"
);
named_id!(
    /// Id of a profile, which is also the name of a role: `[a-z0-9][a-z0-9_.-]{0,62}`.
    ProfileId, "profile", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);
named_id!(
    /// Id of a model entry: `[a-z0-9][a-z0-9_.-]{0,62}`.
    ModelId, "model", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);
named_id!(
    /// Id of a module: `[a-z0-9][a-z0-9_.-]{0,62}`.
    ModuleId, "module", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);
named_id!(
    /// Id of a schedule: `[a-z0-9][a-z0-9_.-]{0,62}`.
    ScheduleId, "schedule", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);
named_id!(
    /// Id of a route: `[a-z0-9][a-z0-9_.-]{0,62}`.
    RouteId, "route", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);
named_id!(
    /// Id of a flow: `[a-z0-9][a-z0-9_.-]{0,62}`.
    FlowId, "flow", 63, name_rest, "[a-z0-9_.-]",
    "1 to 63 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
);

/// The position of an event in the journal of its mob: dense from 1.
pub type Seq = u64;

macro_rules! seq_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Seq);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                let digits = value.strip_prefix($prefix).filter(|d| {
                    !d.is_empty() && !d.starts_with('0') && d.bytes().all(|b| b.is_ascii_digit())
                });
                digits.and_then(|d| d.parse().ok()).map(Self).ok_or_else(|| IdError {
                    noun: $noun,
                    value: value.to_owned(),
                    rule: concat!("'", $prefix, "' and a journal position, e.g. ", $prefix, "42"),
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let value = Cow::<'de, str>::deserialize(d)?;
                value.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!("Id of a ", $noun, ", e.g. ", $prefix, "42."),
                    "type": "string",
                    "pattern": concat!("^", $prefix, "[1-9][0-9]*$"),
                 })
            }
        }
    };
}

seq_id!(
    /// Id of a message: the position of its `message.accepted`.
    MessageId, "message", "msg-"
);
seq_id!(
    /// Id of a turn: the position of its `turn.started`.
    TurnId, "turn", "turn-"
);
seq_id!(
    /// Id of a session: the position of the `member.spawned` or `member.reset` that began it.
    SessionId, "session", "ses-"
);

seq_id!(
    /// Id of an approval: the position of its `approval.requested`.
    ApprovalId, "approval", "apr-"
);
seq_id!(
    /// Id of a delivery: the position of its `delivery.queued`.
    DeliveryId, "delivery", "dlv-"
);
seq_id!(
    /// Id of a grant: the position of its `grant.created`.
    GrantId, "grant", "grant-"
);

seq_id!(
    /// Id of what a host program registered at once: the position of its `host.registered`.
    HostId, "host", "host-"
);

seq_id!(
    /// Id of a task of the shared list: the position of its `task.added`.
    TaskId, "task", "task-"
);

/// Id of a tool call: the position of the model reply that asked for it, and its place in there. A
/// call that no reply asked for, since somebody called a module directly, has the position of its
/// own `tool.started` and place 0.
///
/// It stays the same over retries and restarts, so that a tool can recognise a repeated call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// Position of the `model.replied` event, or of the `tool.started` of a direct call.
    pub reply: Seq,
    /// Place in the reply, from 1; 0: a direct call.
    pub index: u32,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call-{}-{}", self.reply, self.index)
    }
}

impl FromStr for CallId {
    type Err = IdError;
    fn from_str(value: &str) -> Result<Self, IdError> {
        let parts = value
            .strip_prefix("call-")
            .and_then(|rest| rest.split_once('-'));
        let parsed =
            parts.and_then(|(reply, index)| Some((reply.parse().ok()?, index.parse().ok()?)));
        match parsed {
            Some((reply, index)) => Ok(Self { reply, index }),
            None => Err(IdError {
                noun: "call",
                value: value.to_owned(),
                rule: "'call-', a journal position, '-' and a place in the reply, e.g. call-42-1",
            }),
        }
    }
}

impl Serialize for CallId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let value = Cow::<'de, str>::deserialize(d)?;
        value.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for CallId {
    fn schema_name() -> Cow<'static, str> {
        "CallId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Id of a call, e.g. call-42-1.",
            "type": "string",
            "pattern": "^call-[0-9]+-[0-9]+$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_ids_follow_their_grammar() {
        for good in ["editor", "user:ada", "a", "9.x_y@z-1"] {
            assert_eq!(
                MemberId::parse(good).map(|id| id.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in ["", "Editor", ":x", "a b", "é", &"a".repeat(129)] {
            assert!(MemberId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn given_ids_survive_a_round_trip() {
        assert_eq!("msg-7".parse(), Ok(MessageId(7)));
        assert_eq!(
            "call-42-1".parse(),
            Ok(CallId {
                reply: 42,
                index: 1
            })
        );
        for bad in ["msg-", "msg-07", "turn-7", "msg-x", "msg--1"] {
            assert!(bad.parse::<MessageId>().is_err(), "{bad:?}");
        }
    }
}
