//! A mob with schedules, and what is told of their occurrences.

use super::harness::{Mob, ada};
use mobkit_domain::command::{Command, RuntimeCommand, ScheduleCommand, Submission};
use mobkit_domain::definition::{Schedule, schedule_of};
use mobkit_domain::event::Event;
use mobkit_domain::id::ScheduleId;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{OccurrenceRow, Row};
use mobkit_domain::state;
use mobkit_domain::time::Time;
use serde_json::Value;

/// Spans in milliseconds. The mobs of the tests begin on 2025-11-22T06:00:00Z, a Saturday.
pub const HOUR: u64 = 3_600_000;
pub const MINUTE: u64 = 60_000;

pub const ROTA: &str = r#"
[mob]
id = "rota"
queue_max = 3

[models.main]
provider = "rehearsal"

[profiles.desk]
model = "main"
instructions = "You work."
tools = ["peers", "schedule"]

[[members]]
id = "ann"
profile = "desk"

[[members]]
id = "bob"
profile = "desk"

[[members]]
id = "cat"
profile = "desk"

[wiring]
edges = [["ann", "bob"]]

[[modules]]
id = "search"
transport = "json-lines"
command = ["search"]
effects = { warm = "read", send = "effect" }
"#;

/// A file with one schedule, whose keys besides id, target and message are these.
pub fn rota_with(keys: &str) -> String {
    let given = if keys.contains("to =") {
        String::new()
    } else {
        "to = { member = \"ann\" }\nmessage = \"{{ schedule }} {{ due | datetime }}\"\n".to_owned()
    };
    format!("{ROTA}\n[[schedules]]\nid = \"s\"\n{given}{keys}\n")
}

pub fn schedule(id: &str) -> ScheduleId {
    ScheduleId::parse(id).expect("the test gives a valid id")
}

/// A schedule as callers give it.
#[track_caller]
pub fn entry(value: Value) -> Schedule {
    let Value::Object(object) = value else {
        panic!("{value} is no object")
    };
    schedule_of(&object).expect("the test gives a valid schedule")
}

pub fn time(text: &str) -> Time {
    Time::parse(text).expect("the test gives a valid time")
}

impl Mob {
    /// The mob of a file, ready, with the schedules of the file.
    pub fn rota(text: &str) -> Self {
        let mut mob = Self::ready_of(text);
        mob.converge_schedules();
        mob
    }

    /// Brings every schedule to what the definition in force says, as an apply does.
    pub fn converge_schedules(&mut self) {
        let defined = self.world.definition.schedules.iter().map(|s| s.id.clone());
        let known = self.world.state.schedules.keys().cloned();
        let ids: std::collections::BTreeSet<ScheduleId> = defined.chain(known).collect();
        for schedule in ids {
            self.order(Command::Schedule(ScheduleCommand::Converge { schedule }));
        }
    }

    /// Time passes, and the writer looks.
    pub fn later(&mut self, ms: u64) {
        self.pass_ms(ms);
        self.runtime(RuntimeCommand::Tick);
    }

    pub fn schedules(&mut self, command: ScheduleCommand) {
        self.order(Command::Schedule(command));
    }

    #[track_caller]
    pub fn schedule(&self, id: &str) -> &state::Schedule {
        &self.world.state.schedules[&schedule(id)]
    }

    /// Runs a command of somebody that is refused.
    #[track_caller]
    pub fn schedule_refused(&mut self, actor: &Principal, command: ScheduleCommand) -> Refusal {
        let submission = Submission {
            actor: actor.clone(),
            ..Submission::internal(Command::Schedule(command))
        };
        self.run(&submission).expect_err("the command is refused")
    }

    #[track_caller]
    pub fn put_refused(&mut self, value: Value) -> Refusal {
        let put = ScheduleCommand::Put(Box::new(entry(value)));
        self.schedule_refused(&ada(), put)
    }

    #[track_caller]
    pub fn put(&mut self, value: Value) {
        self.schedules(ScheduleCommand::Put(Box::new(entry(value))));
    }

    pub fn trigger(&mut self, id: &str) {
        let schedule = schedule(id);
        self.schedules(ScheduleCommand::Trigger { schedule });
    }

    /// What the last command led to for occurrences: verb and due time.
    pub fn occurrences(&self) -> Vec<(&str, String)> {
        let found = self.last().filter_map(|envelope| {
            let due = match &envelope.event {
                Event::OccurrenceClaimed(e) => e.due,
                Event::OccurrenceDispatched(e) => e.due,
                Event::OccurrenceCompleted(e) => e.due,
                Event::OccurrenceFailed(e) => e.due,
                Event::OccurrenceSkipped(e) => e.due,
                Event::OccurrenceMissed(e) => e.due,
                _ => return None,
            };
            let (_, verb) = envelope.event.kind().split_once('.')?;
            Some((verb, due.to_string()))
        });
        found.collect()
    }

    /// The rows of occurrences, oldest first.
    pub fn occurrence_rows(&self) -> Vec<&OccurrenceRow> {
        let rows = self.rows.values().filter_map(|row| match row {
            Row::Occurrence(row) => Some(&**row),
            _ => None,
        });
        rows.collect()
    }

    /// Where the occurrences stand, oldest first.
    pub fn stand(&self) -> Vec<&str> {
        let rows = self.occurrence_rows().into_iter();
        rows.map(|row| row.state.as_str()).collect()
    }
}
