//! External engines as the journal leaves them.

use super::State;
use crate::event::Event;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The process of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineProcess {
    /// Its id.
    pub pid: u32,
    /// What it says of its version.
    pub version: String,
    /// Since when it answers.
    pub since: Time,
}

/// One external engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineState {
    /// Its process, while it answers.
    pub process: Option<EngineProcess>,
    /// Why it last ended.
    pub reason: Option<String>,
    /// The highest cursor of its own journal that is recorded here; 0: none.
    pub cursor: u64,
}

impl State {
    /// Folds an event of an engine in; `false`: it is none.
    pub(super) fn apply_engine(&mut self, now: Time, event: &Event) -> bool {
        let Some(engine) = event.engine() else {
            return false;
        };
        let known = self.engines.entry(engine).or_default();
        match event {
            Event::EngineStarted(e) => {
                known.process = Some(EngineProcess {
                    pid: e.pid,
                    version: e.version.clone(),
                    since: now,
                });
            }
            Event::EngineStopped(e) => {
                known.process = None;
                known.reason = Some(e.reason.clone());
            }
            Event::EngineEvent(e) => known.cursor = known.cursor.max(e.cursor),
            // EngineLog and EngineGap: what an engine says changes nothing about it.
            _ => {}
        }
        true
    }

    /// No process of an engine outlives the process that started it.
    pub(super) fn engines_gone(&mut self) {
        for engine in self.engines.values_mut() {
            engine.process = None;
        }
    }
}
