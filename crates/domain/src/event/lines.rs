//! Forgetting log lines: the event stays in its place, so that the journal stays dense.

use super::Event;

/// The kinds of events that hold log lines.
pub const LOG_KINDS: [&str; 2] = ["module.log", "engine.log"];

impl Event {
    /// Takes the log lines out of the event and leaves how many there were. Says whether there was
    /// anything to take.
    pub fn forget_lines(&mut self) -> bool {
        let (lines, forgotten) = match self {
            Self::ModuleLog(e) => (&mut e.lines, &mut e.forgotten),
            Self::EngineLog(e) => (&mut e.lines, &mut e.forgotten),
            _ => return false,
        };
        let taken = std::mem::take(lines);
        *forgotten += taken.len() as u64;
        !taken.is_empty()
    }
}
