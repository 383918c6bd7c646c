//! A year of five hundred schedules in twenty zones, with downtimes, pauses, clocks that jump both
//! ways and crashes: what is dispatched is what the policies say, none twice, and what is dropped
//! is counted. Virtual time, from due time to due time.

use super::harness::define;
use super::schedule_kit::{HOUR, MINUTE, ROTA, time};
use mobkit_domain::command::{
    Command, MobCommand, RuntimeCommand, ScheduleCommand, Submission, ToolOutcome, TurnCommand,
};
use mobkit_domain::definition::{Definition, Missed, MissedPolicy, Overlap, Schedule};
use mobkit_domain::definition::{ScheduleTarget, Trigger};
use mobkit_domain::event::{Event, NewEvent};
use mobkit_domain::id::ScheduleId;
use mobkit_domain::schedule::{Calendar, LATE_MS_MAX, fires};
use mobkit_domain::state::State;
use mobkit_domain::time::Time;
use mobkit_domain::tool::Toolbox;
use mobkit_domain::world::{World, advance, decide, next_due};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SCHEDULES: u64 = 500;
const BEGIN: &str = "2027-06-01T00:00:00Z";
const END: &str = "2028-06-01T00:00:00Z";
const ZONES: [&str; 20] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "America/New_York",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Africa/Casablanca",
];

/// A row of numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn spec(dice: &mut Dice, n: u64) -> Schedule {
    let (minute, hour) = (dice.below(60), dice.below(24));
    let (day, month, week) = (1 + dice.below(31), 1 + dice.below(12), dice.below(7));
    let trigger = match n % 10 {
        0 | 9 => Trigger::Cron(format!("{minute} {hour} * * {week}")),
        1 => Trigger::Cron(format!("{minute} {hour} 29 2 *")),
        2 => Trigger::Cron(format!("{minute} {hour} L * *")),
        3 => Trigger::Cron(format!("{minute} {hour} {} {month} *", day.min(28))),
        4 => Trigger::Cron(format!("{minute} {hour} {day} * *")),
        5 => Trigger::Cron(format!("{minute} {hour} 13 * 5")),
        6 => Trigger::EveryMs(200 * HOUR + dice.below(HOUR)),
        7 => Trigger::Cron("30 2 * 3,4,10,11 0".to_owned()),
        _ => Trigger::At(
            format!(
                "2027-{:02}-{:02}T{hour:02}:{minute:02}:00",
                6 + month / 2,
                day.min(28)
            )
            .parse()
            .expect("a time"),
        ),
    };
    let policy = [MissedPolicy::Skip, MissedPolicy::Latest, MissedPolicy::All];
    let within = [HOUR, 12 * HOUR, 10 * 24 * HOUR];
    Schedule {
        id: ScheduleId::parse(&format!("s{n}")).expect("an id"),
        trigger,
        timezone: ZONES[usize::try_from(n % 20).expect("small")].to_owned(),
        jitter_ms: if n % 10 == 9 { 20 * MINUTE } else { 0 },
        to: ScheduleTarget::Module {
            module: "search".parse().expect("an id"),
            tool: "warm".to_owned(),
        },
        message: None,
        missed: Missed {
            policy: policy[usize::try_from(dice.below(3)).expect("small")],
            within_ms: within[usize::try_from(dice.below(3)).expect("small")],
        },
        overlap: Overlap::Allow,
        enabled: true,
    }
}

/// What the policies say of one schedule, without looking at how the machine does it.
struct Expected {
    spec: Schedule,
    /// Every due time of the year, with when it fires.
    dues: Vec<(Time, Time)>,
    /// How many of them have been looked at.
    seen: usize,
    run: BTreeSet<Time>,
    dropped: u64,
}

impl Expected {
    fn of(spec: Schedule, begin: Time, end: Time) -> Self {
        let calendar = Calendar::of(&spec.trigger, &spec.timezone, begin).expect("valid");
        let (mut dues, mut at) = (Vec::new(), begin);
        while let Some(due) = calendar.next(at).filter(|due| *due < end) {
            assert!(due > at, "time runs on");
            dues.push((due, fires(&spec.id, due, spec.jitter_ms)));
            at = due;
        }
        let (seen, run, dropped) = (0, BTreeSet::new(), 0);
        Self {
            spec,
            dues,
            seen,
            run,
            dropped,
        }
    }

    /// Somebody looks at `now`; due times are kept since `since`.
    fn look(&mut self, now: Time, since: Time) {
        let (mut late, mut prompt) = (Vec::new(), Vec::new());
        while let Some((due, at)) = self.dues.get(self.seen).copied() {
            if at > now {
                break;
            }
            self.seen += 1;
            let missed = at <= since || now.since_ms(at) > LATE_MS_MAX;
            let list = if missed { &mut late } else { &mut prompt };
            list.push(due);
        }
        let fresh = |due: &Time| now.since_ms(*due) <= self.spec.missed.within_ms;
        let made_up: Vec<Time> = match self.spec.missed.policy {
            MissedPolicy::Skip => Vec::new(),
            MissedPolicy::Latest => late.last().copied().into_iter().filter(fresh).collect(),
            MissedPolicy::All => late.iter().copied().filter(fresh).collect(),
        };
        self.dropped += (late.len() - made_up.len()) as u64;
        self.run.extend(made_up);
        self.run.extend(prompt);
    }
}

/// A writer without a store.
struct Year {
    world: World,
    now: Time,
    since: Time,
    epoch: u64,
    run: BTreeSet<(ScheduleId, Time)>,
    dropped: BTreeMap<ScheduleId, u64>,
    expected: Vec<Expected>,
}

impl Year {
    fn of(seed: u64) -> Self {
        let (begin, end) = (time(BEGIN), time(END));
        let mut dice = Dice(seed);
        let specs: Vec<Schedule> = (0..SCHEDULES).map(|n| spec(&mut dice, n)).collect();
        let definition = Definition {
            schedules: specs.clone(),
            ..define(ROTA)
        };
        let expected = specs.into_iter().map(|spec| Expected::of(spec, begin, end));
        let mut year = Self {
            world: World {
                state: State::of(definition.id.clone()),
                definition: Arc::new(definition),
                toolbox: Arc::new(Toolbox::default()),
            },
            now: begin,
            since: begin,
            epoch: 0,
            run: BTreeSet::new(),
            dropped: BTreeMap::new(),
            expected: expected.collect(),
        };
        year.restart();
        for schedule in year
            .expected
            .iter()
            .map(|e| e.spec.id.clone())
            .collect::<Vec<_>>()
        {
            year.command(Command::Schedule(ScheduleCommand::Converge { schedule }));
        }
        year
    }

    fn extend(&mut self, events: Vec<NewEvent>) {
        for event in events {
            let state = &mut self.world.state;
            let envelope = event.at(state.head + 1, self.now, &state.mob.clone());
            state.apply(&envelope);
            match envelope.event {
                Event::OccurrenceDispatched(e) => {
                    let (id, due) = (e.schedule, e.due);
                    assert!(
                        self.run.insert((id.clone(), due)),
                        "{id} of {due} ran twice"
                    );
                }
                Event::OccurrenceMissed(e) => {
                    assert!(e.counted && e.count > 0 && e.due <= e.until, "{e:?}");
                    *self.dropped.entry(e.schedule).or_insert(0) += e.count;
                }
                Event::OccurrenceFailed(e) => panic!("{e:?}"),
                Event::OccurrenceSkipped(e) => panic!("{e:?}"),
                _ => {}
            }
        }
    }

    fn command(&mut self, command: Command) {
        let submission = Submission::internal(command);
        let decision = decide(&self.world, &submission, self.now).expect("it is accepted");
        self.extend(decision.events);
        for round in 0.. {
            assert!(round < 10_000, "it comes to no end");
            let events = advance(&self.world, self.now);
            if events.is_empty() {
                break;
            }
            self.extend(events);
        }
    }

    /// The process is there and looks; what is called answers.
    fn look(&mut self) {
        self.command(Command::Runtime(RuntimeCommand::Tick));
        self.expect();
        while let Some(call) = self.world.state.occurrence_calls.keys().next().copied() {
            let outcome = ToolOutcome::Finished("ok".into());
            let ended = TurnCommand::ToolEnded {
                turn: None,
                call,
                outcome,
            };
            self.command(Command::Turn(ended));
        }
        let due = next_due(&self.world.state);
        assert!(
            due.is_none_or(|due| due > self.now),
            "something due was left"
        );
    }

    fn expect(&mut self) {
        for expected in &mut self.expected {
            expected.look(self.now, self.since);
        }
    }

    /// A process dies and another one comes back, from what was written of the state.
    fn restart(&mut self) {
        let written = serde_json::to_string(&self.world.state).expect("the state is JSON");
        self.world.state = serde_json::from_str(&written).expect("it is read back");
        self.epoch += 1;
        self.command(Command::Runtime(RuntimeCommand::Start {
            version: "0.0.0".to_owned(),
            epoch: self.epoch,
            durability: "power".to_owned(),
            rehearsal: true,
        }));
        self.since = self.now;
        self.command(Command::Runtime(RuntimeCommand::Ready));
    }

    /// The mob is paused for a time.
    fn pause(&mut self, ms: u64) {
        self.command(Command::Mob(MobCommand::Pause { reason: None }));
        self.forward(ms);
        self.since = self.now;
        self.command(Command::Mob(MobCommand::Resume));
    }

    /// Time passes, not beyond the year: the model knows no due times there.
    fn forward(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms).min(Time(time(END).0 - 1));
    }

    fn live(&mut self, dice: &mut Dice) {
        let end = time(END);
        while self.now < end {
            match dice.below(200) {
                0 => {
                    self.forward(MINUTE + dice.below(9 * 24 * HOUR));
                    self.restart();
                }
                1 => self.restart(),
                2 => self.pause(MINUTE + dice.below(2 * 24 * HOUR)),
                3 => self.forward(dice.below(2 * 24 * HOUR)),
                4 | 5 => {
                    let back = i64::try_from(dice.below(24 * HOUR)).expect("small");
                    self.now = Time(self.now.0 - back);
                }
                _ => {
                    let due = next_due(&self.world.state).unwrap_or(end);
                    // Not to the millisecond, as timers are.
                    self.now = self.now.max(due);
                    self.forward(dice.below(1_000));
                }
            }
            self.look();
            if next_due(&self.world.state).is_none_or(|due| due >= end) {
                break;
            }
        }
    }
}

#[test]
fn a_year_of_schedules_runs_what_the_policies_say() {
    check(1);
}

#[test]
fn another_year_of_schedules_does_so_too() {
    check(2);
}

fn check(seed: u64) {
    let mut year = Year::of(seed);
    year.live(&mut Dice(seed ^ 0xfeed));
    let mut dispatched = BTreeSet::new();
    let mut dropped = BTreeMap::new();
    for expected in &year.expected {
        let id = &expected.spec.id;
        dispatched.extend(expected.run.iter().map(|due| (id.clone(), *due)));
        if expected.dropped > 0 {
            dropped.insert(id.clone(), expected.dropped);
        }
        let whole = expected.run.len() as u64 + expected.dropped;
        assert_eq!(whole, expected.seen as u64, "{id}");
    }
    let differ: Vec<_> = dispatched.symmetric_difference(&year.run).take(5).collect();
    assert!(differ.is_empty(), "seed {seed}: {differ:?}");
    assert_eq!(year.dropped, dropped, "seed {seed}");
    assert!(
        year.run.len() > 5_000 && dropped.len() > 50,
        "{}",
        year.run.len()
    );
    assert!(year.world.state.direct_calls.is_empty());
    let mut leap = year
        .expected
        .iter()
        .filter(|e| e.spec.id.as_str().ends_with('1'));
    assert!(leap.any(|e| !e.run.is_empty()), "the leap day was run");
}
