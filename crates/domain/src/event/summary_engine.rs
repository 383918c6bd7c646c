//! One line for a person about what befalls an engine.

use super::{EngineNext, Event};
use crate::definition::Engine;
use crate::text::Text;

/// Length of the excerpt of an engine's own event in a summary, in characters.
const EXCERPT_CHARS: usize = 80;

impl Event {
    /// The external engine that the event is about, if it is about one.
    pub fn engine(&self) -> Option<Engine> {
        Some(match self {
            Self::EngineStarted(e) => e.engine,
            Self::EngineStopped(e) => e.engine,
            Self::EngineLog(e) => e.engine,
            Self::EngineEvent(e) => e.engine,
            Self::EngineGap(e) => e.engine,
            _ => return None,
        })
    }

    pub(super) fn summary_of_engine(&self) -> Option<String> {
        Some(match self {
            Self::EngineStarted(e) => {
                format!("engine {} answers, version {}", e.engine, e.version)
            }
            Self::EngineStopped(e) => match e.next {
                EngineNext::Restart { not_before } => format!(
                    "engine {} ended: {}; started again not before {not_before}",
                    e.engine, e.reason
                ),
                EngineNext::Stopped => format!("engine {} stopped: {}", e.engine, e.reason),
                EngineNext::Failed => format!("engine {} is given up: {}", e.engine, e.reason),
            },
            Self::EngineLog(e) if e.forgotten > 0 => {
                format!("engine {}: {} lines, forgotten", e.engine, e.forgotten)
            }
            Self::EngineLog(e) => {
                let first = e.lines.first().map_or("", String::as_str);
                let more = e.lines.len().saturating_sub(1);
                let more = match more {
                    0 => String::new(),
                    1 => " (and 1 more line)".to_owned(),
                    _ => format!(" (and {more} more lines)"),
                };
                format!("engine {}: {first}{more}", e.engine)
            }
            Self::EngineEvent(e) => {
                let said = Text::from(e.original.to_string());
                let said = said.excerpt(EXCERPT_CHARS);
                format!("engine {} at {}: {said}", e.engine, e.cursor)
            }
            Self::EngineGap(e) => match &e.member {
                Some(member) => format!(
                    "engine {} lost events of {member}: {}; {}",
                    e.engine, e.reason, e.reconciled
                ),
                None => format!(
                    "engine {} lost events: {}; {}",
                    e.engine, e.reason, e.reconciled
                ),
            },
            _ => return None,
        })
    }
}
