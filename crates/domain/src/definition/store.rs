//! `[store]`: where everything is kept.

use super::report::Report;
use super::scalar::choice;
use super::secret::Secret;
use super::source::{Node, Table};
use serde::{Deserialize, Serialize};

choice! {
    /// What an acknowledged write survives.
    Durability {
        /// Loss of power: it is on the disk.
        Power = "power",
        /// The death of the process: it is with the operating system.
        Process = "process",
    }
}

choice! {
    /// Which store.
    StoreName {
        /// One file.
        Sqlite = "sqlite",
        /// A PostgreSQL database.
        Postgres = "postgres",
        /// The memory of the process.
        Memory = "memory",
    }
}

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// One file in the state directory.
    Sqlite,
    /// A PostgreSQL database.
    Postgres {
        /// Where its URL is found.
        url: Secret,
    },
    /// The memory of the process; nothing survives it.
    Memory,
}

/// How long things are kept, in milliseconds; without end where absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retention {
    /// Events that no open work and no session needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_ms: Option<u64>,
    /// Log lines of modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs_ms: Option<u64>,
}

/// Where and how everything is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// Where.
    pub kind: StoreKind,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// How long; everything for ever where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            kind: StoreKind::Sqlite,
            durability: Durability::Power,
            retention: None,
        }
    }
}

/// Reads `[store]`.
pub(super) fn read(cx: &mut Report<'_>, mut table: Table<'_>) -> Option<Store> {
    let name = table
        .read(cx, "kind", Node::choice)
        .unwrap_or(StoreName::Sqlite);
    let kind = if name == StoreName::Postgres {
        let url = table.need(cx, "url", "url = { env = \"DATABASE_URL\" }");
        let url = url.and_then(|node| node.secret(cx, "DATABASE_URL"));
        url.map(|url| StoreKind::Postgres { url })
    } else {
        table.forbid(cx, "url", "only a postgres store has one");
        Some(if name == StoreName::Memory {
            StoreKind::Memory
        } else {
            StoreKind::Sqlite
        })
    };
    let durability = table.read(cx, "durability", Node::choice);
    let retention = table.read(cx, "retention", |node, cx| {
        let mut table = node.table(cx)?;
        let events_ms = table.read(cx, "events", Node::span_ms);
        let logs_ms = table.read(cx, "logs", Node::span_ms);
        table.finish(cx);
        Some(Retention { events_ms, logs_ms })
    });
    table.finish(cx);
    Some(Store {
        kind: kind?,
        durability: durability.unwrap_or(Durability::Power),
        retention,
    })
}
