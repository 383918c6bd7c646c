//! A run: everything that one seed leads to, and whether what is promised holds of it.

use crate::callers::Callers;
use crate::cast::Shelf;
use crate::invariants::{self, Seen};
use crate::life;
use crate::model::Moody;
use crate::outside::Outside;
use crate::settle;
use mobkit::event::Envelope;
use mobkit::rehearse::Chance;
use mobkit::rehearse::{Lives, Process};
use mobkit::state::State;
use mobkit::time::Time;
use mobkit::{MobBuilder, Tap};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// When every run begins: a Saturday in November, in the night of which no clock is changed.
const BASE: Time = Time(1_763_791_200_000);
const DRAIN_TIMEOUT_MS: u64 = 5_000;

/// What a run leaves.
#[derive(Debug)]
pub struct Report {
    /// SHA-256 over the journal.
    pub digest: String,
    /// How many events the journal has.
    pub events: usize,
    /// How many processes the mob had.
    pub lives: usize,
    /// What is promised and does not hold, one line each.
    pub broken: Vec<String>,
    /// The journal, a line for each event.
    pub journal: Vec<String>,
}

/// A seed at work.
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) calm: Arc<AtomicBool>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) callers: Callers,
    pub(crate) broken: Vec<String>,
    /// The state of the last process, before it was stopped.
    pub(crate) last_state: Option<State>,
}

impl Run {
    fn of(seed: u64) -> Self {
        let calm = Arc::new(AtomicBool::new(false));
        Self {
            seed,
            calm: Arc::clone(&calm),
            shelf: Arc::new(Shelf::of(seed)),
            outside: Arc::new(Outside::of(seed, calm)),
            callers: Callers::default(),
            broken: Vec::new(),
            last_state: None,
        }
    }

    /// A mob of this process, which is still to be started.
    pub(crate) fn builder(&self, process: &Process) -> MobBuilder {
        let mut builder = MobBuilder::new(self.shelf.definition())
            .definition_source(Arc::clone(&self.shelf) as _)
            .store(process.store())
            .clock(Arc::clone(&process.clock) as _)
            .outside(Arc::clone(&self.outside) as _)
            .drain_timeout_ms(DRAIN_TIMEOUT_MS)
            .force(true);
        for name in ["main", "spare"] {
            let model = Moody {
                name,
                seed: self.seed,
                calm: Arc::clone(&self.calm),
            };
            let id = name.parse().expect("an id of a model");
            builder = builder.model(id, Arc::new(model));
        }
        builder
    }

    pub(crate) fn says(&mut self, broken: impl Into<String>) {
        self.broken.push(broken.into());
    }
}

/// Runs a seed once, and looks for everything that is promised.
pub fn run(seed: u64) -> Report {
    let mut run = Run::of(seed);
    let mut lives = Lives::starting_at(BASE);
    let mut chance = Chance::of(seed, "lives");
    let count = usize::try_from(chance.between(1, 5)).expect("a small number");
    for number in 1..=count {
        let life = lives.live(async |process| life::live(&mut run, process, number).await);
        life.expect("the operating system has room for a runtime");
        run.outside.process_gone();
        if chance.percent(60) {
            lives.pass_ms(chance.between(0, 4 * 3_600_000));
        }
        if chance.percent(30) {
            run.shelf.change();
        }
    }
    let settled = lives.live(async |process| settle::live(&mut run, process).await);
    settled.expect("the operating system has room for a runtime");
    look(run, &lives, count + 1)
}

fn look(mut run: Run, lives: &Lives, count: usize) -> Report {
    let mut lives_of = Lives::starting_at(lives.now());
    let tap = Tap::over(Arc::new(lives.memory().reopen()));
    let seen = lives_of
        .live(async |_| invariants::read(&tap).await)
        .expect("the operating system has room for a runtime");
    let mut broken = std::mem::take(&mut run.broken);
    broken.extend(invariants::all(&seen, &run));
    let Seen { events, .. } = &seen;
    let journal: Vec<String> = events.iter().map(line).collect();
    Report {
        digest: digest(&journal),
        events: events.len(),
        lives: count,
        broken,
        journal,
    }
}

fn line(event: &Envelope) -> String {
    serde_json::to_string(event).expect("an event is a document")
}

fn digest(journal: &[String]) -> String {
    let mut hash = Sha256::new();
    for line in journal {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    let mut digest = String::new();
    for byte in hash.finalize() {
        write!(digest, "{byte:02x}").expect("memory takes it");
    }
    digest
}

/// Runs a seed twice. The error holds everything that is wrong, and how to see it again.
pub fn check(seed: u64) -> Result<Report, String> {
    let again = || format!("again: cargo xtask sim --seed {seed}");
    let first = run(seed);
    if !first.broken.is_empty() {
        return Err(format!("{}\n{}", first.broken.join("\n"), again()));
    }
    let second = run(seed);
    if first.digest != second.digest {
        let lines = first.journal.iter().zip(&second.journal);
        let differing = lines.enumerate().find(|(_, (one, other))| one != other);
        let difference = differing.map_or_else(
            || format!("{} events, then {}", first.events, second.events),
            |(at, (one, other))| format!("event {}:\n  {one}\n  {other}", at + 1),
        );
        return Err(format!(
            "seed {seed}: two runs have two journals: {difference}\n{}",
            again()
        ));
    }
    Ok(first)
}
