//! The journal that the runtime keeps of its mob: who was spawned and retired there. It is read
//! after what changes it, from the last cursor that is recorded here.

use super::connection::Connection;
use super::frames::RequestError;
use mobkit_domain::command::{Command, EngineCommand};
use mobkit_domain::definition::Engine as EngineKind;
use mobkit_domain::id::{MemberId, TurnId};
use mobkit_engine::Engine;
use serde_json::{Value, json};

/// What our mobs are called there begins so: a name there begins with a letter.
const PREFIX: &str = "mobkit-";
/// How many rows are read at a time.
const PAGE_ROWS: usize = 100;
/// The code for a cursor that lies beyond the end of the journal.
const STALE_CURSOR: i64 = -32_027;

/// The last cursor that is recorded here.
pub(super) fn cursor(mob: &Engine) -> u64 {
    mob.view(|world| {
        let known = world.state.engines.get(&EngineKind::Meerkat);
        known.map_or(0, |known| known.cursor)
    })
}

/// What our mob is called there, if it is made when this cursor is the last one: its rows begin at
/// 1 and are counted on from there, so that cursors rise over all of them.
pub(super) fn name(mob: &str, cursor: u64) -> String {
    if cursor == 0 {
        format!("{PREFIX}{mob}")
    } else {
        format!("{PREFIX}{mob}-{cursor}")
    }
}

/// At which cursor the rows of a mob begin; `None`: it is not ours.
pub(super) fn base(name: &str, mob: &str) -> Option<u64> {
    let rest = name.strip_prefix(PREFIX)?.strip_prefix(mob)?;
    if rest.is_empty() {
        return Some(0);
    }
    rest.strip_prefix('-')?.parse().ok()
}

/// Reads what is new, and records it. A runtime that knows less than is recorded here was put back
/// to an earlier state; that is recorded as a gap.
pub(super) async fn read(
    connection: &Connection,
    name: &str,
    mob: &Engine,
) -> Result<(), RequestError> {
    let base = base(name, mob.mob().as_str()).unwrap_or(0);
    loop {
        let after = cursor(mob).saturating_sub(base);
        let params = json!({
            "mob_id": name,
            "after_cursor": after,
            "limit": PAGE_ROWS,
            "strict": true,
        });
        let read = match connection.request("mob/events", params).await {
            Err(RequestError::Refused {
                code: STALE_CURSOR, ..
            }) => {
                let reason = "the journal of the runtime ends before what is recorded here: its \
                              state was put back";
                let how = "its members are compared one by one as they start";
                gap(mob, (None, None), reason, how).await;
                return Ok(());
            }
            read => read?,
        };
        let events = rows(&read, base);
        let count = events.len();
        if count > 0 {
            let engine = EngineKind::Meerkat;
            submit(mob, EngineCommand::Observed { engine, events }).await;
        }
        if count < PAGE_ROWS || cursor(mob).saturating_sub(base) <= after {
            return Ok(());
        }
    }
}

fn rows(read: &Value, base: u64) -> Vec<(u64, Value)> {
    let rows = read.get("events").and_then(Value::as_array);
    let rows = rows.into_iter().flatten();
    let with_cursor = rows.filter_map(|row| {
        let cursor = row.get("cursor").and_then(Value::as_u64)?;
        Some((base.saturating_add(cursor), row.clone()))
    });
    with_cursor.collect()
}

/// Records that events were lost, and how the truth was found.
pub(super) async fn gap(
    mob: &Engine,
    (member, turn): (Option<MemberId>, Option<TurnId>),
    reason: &str,
    reconciled: &str,
) {
    let command = EngineCommand::Gap {
        engine: EngineKind::Meerkat,
        member,
        turn,
        reason: reason.to_owned(),
        reconciled: reconciled.to_owned(),
    };
    submit(mob, command).await;
}

async fn submit(mob: &Engine, command: EngineCommand) {
    if let Err(refusal) = mob.submit_internal(Command::Engine(command)).await {
        tracing::warn!(
            code = refusal.code,
            "what the engine reports was not recorded: {refusal}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_mob_says_where_its_rows_begin() {
        for cursor in [0, 1, 77] {
            assert_eq!(base(&name("desk", cursor), "desk"), Some(cursor));
        }
        assert_eq!(base("mobkit-desk-two", "desk"), None);
        assert_eq!(base("mobkit-office", "desk"), None);
    }

    #[test]
    fn rows_are_counted_on_from_the_base() {
        let read = json!({"events": [{"cursor": 1, "kind": {"type": "mob_created"}}, {"x": 1}]});
        let rows = rows(&read, 40);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].0, 41);
        assert_eq!(rows[0].1["kind"]["type"], "mob_created");
    }
}
