//! Decisions about external engines.

use crate::command::EngineCommand;
use crate::definition::Engine;
use crate::draft::{Decision, Draft};
use crate::event::{
    EngineEvent, EngineGap, EngineLog, EngineNext, EngineStarted, EngineStopped, StopOutcome,
};
use crate::id::Seq;
use serde_json::Value;

pub(crate) fn decide(mut draft: Draft<'_>, command: &EngineCommand) -> Decision {
    match command {
        EngineCommand::Started {
            engine,
            pid,
            version,
        } => {
            draft.emit(EngineStarted {
                engine: *engine,
                pid: *pid,
                version: version.clone(),
            });
        }
        EngineCommand::Stopped {
            engine,
            reason,
            outcome,
            restart,
        } => {
            let next = match *restart {
                Some(not_before) => EngineNext::Restart { not_before },
                None => EngineNext::Stopped,
            };
            stopped(&mut draft, *engine, (reason, *outcome), next);
        }
        EngineCommand::Failed {
            engine,
            reason,
            outcome,
        } => {
            let cause = stopped(&mut draft, *engine, (reason, *outcome), EngineNext::Failed);
            crate::member::engine_failed(&mut draft, cause, *engine, reason);
        }
        EngineCommand::Logged {
            engine,
            lines,
            dropped,
        } => {
            draft.emit(EngineLog {
                engine: *engine,
                lines: lines.clone(),
                dropped: *dropped,
                forgotten: 0,
            });
        }
        EngineCommand::Observed { engine, events } => observed(&mut draft, *engine, events),
        EngineCommand::Gap {
            engine,
            member,
            turn,
            reason,
            reconciled,
        } => {
            draft.emit(EngineGap {
                engine: *engine,
                member: member.clone(),
                turn: *turn,
                reason: reason.clone(),
                reconciled: reconciled.clone(),
            });
        }
    }
    draft.done()
}

fn stopped(
    draft: &mut Draft<'_>,
    engine: Engine,
    (reason, outcome): (&str, Option<StopOutcome>),
    next: EngineNext,
) -> Seq {
    draft.emit(EngineStopped {
        engine,
        reason: reason.to_owned(),
        outcome,
        next,
    })
}

/// Records what lies above the cursor of the state, each cursor once and in their order.
fn observed(draft: &mut Draft<'_>, engine: Engine, events: &[(u64, Value)]) {
    let known = draft.state().engines.get(&engine);
    let mut cursor = known.map_or(0, |known| known.cursor);
    let mut events: Vec<&(u64, Value)> = events.iter().collect();
    events.sort_by_key(|(at, _)| *at);
    for (at, original) in events {
        if *at > cursor {
            cursor = *at;
            draft.emit(EngineEvent {
                engine,
                cursor,
                original: original.clone(),
            });
        }
    }
}
