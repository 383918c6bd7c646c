//! Commands about a schedule.

use crate::definition::Schedule;
use crate::id::ScheduleId;
use crate::time::Time;

/// Commands about schedules.
#[derive(Debug, Clone)]
pub enum ScheduleCommand {
    /// Somebody defines a schedule, or changes one that the mob file does not define.
    Put(Box<Schedule>),
    /// The definition in force has this schedule, has it changed, or no longer has it.
    Converge {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Forget it.
    Remove {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// It fires no longer.
    Pause {
        /// The schedule.
        schedule: ScheduleId,
        /// Why.
        reason: Option<String>,
    },
    /// It fires again, from now on.
    Resume {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Run it now, once.
    Trigger {
        /// The schedule.
        schedule: ScheduleId,
    },
    /// Run what was due in the past.
    Backfill {
        /// The schedule.
        schedule: ScheduleId,
        /// Due times of the past, oldest first, that have no occurrence.
        dues: Vec<Time>,
    },
    /// A host that owns time asks what is due: these schedules, at this time.
    Tick {
        /// The schedules of the host.
        schedules: Vec<Schedule>,
        /// The host's time.
        tick: Time,
    },
}
