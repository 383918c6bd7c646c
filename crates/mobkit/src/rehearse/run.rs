//! A rehearsal from its files to its report.

use super::lives::Lives;
use super::outside::ScriptedOutside;
use super::play::{Play, Played};
use super::report::{Rehearsal, Totals};
use super::weather::Weather;
use super::{judge, play};
use crate::builder::BuildError;
use crate::file::MobFile;
use mobkit_agents::model::{Script, ScriptError};
use mobkit_domain::definition::{Definition, Model, Provider, Scenario};
use mobkit_domain::event::{Envelope, Event};
use mobkit_domain::id::ModelId;
use mobkit_store::StoreError;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;

/// Why a rehearsal could not be held.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The rules of the scenario, or those of the mob behind them, can't be followed.
    #[error("the rules of the scenario and the script of the mob can't be followed together: {0}")]
    Rules(#[from] ScriptError),
    /// The mob does not start.
    #[error(transparent)]
    Start(#[from] BuildError),
    /// The operating system has no room for it.
    #[error("no runtime could be had from the operating system: {0}")]
    Runtime(#[from] std::io::Error),
    /// What happened can't be read.
    #[error("what happened can't be read: {0}")]
    Store(#[from] StoreError),
}

/// Rehearses a scenario on a mob file: in virtual time and in memory, every model replaced by
/// rehearsal, modules by what the scenario says, and receivers by one that keeps what it gets.
/// Nothing is read but what was read already, and nothing leaves the process.
///
/// The same file, scenario, seed and version give the same journal, byte for byte. The seed decides
/// how long models, modules and receivers take.
///
/// Must not be called inside a runtime: it makes its own.
pub fn rehearse(
    file: &MobFile,
    scenario: &Scenario,
    seed: u64,
) -> Result<Rehearsal, RehearseError> {
    let definition = with_rules(file.definition.clone(), scenario);
    let script = script_of(&definition).unwrap_or_default();
    let script = Arc::new(Script::parse(&script)?);
    let weather = Arc::new(Weather::default());
    let answers = scenario.answers.clone();
    let outside = ScriptedOutside::of(seed, Arc::clone(&weather), &definition, answers);
    let mut lives = Lives::starting_at(scenario.start);
    let mut play = Play {
        definition,
        folder: file.folder.clone(),
        script,
        seed,
        timezone: scenario.timezone.clone(),
        weather,
        outside: Arc::new(outside),
        sent: judge::Sent::new(),
        timeline: Vec::new(),
        expectations: Vec::new(),
    };
    let mut processes = 0;
    let mut next = 0;
    loop {
        processes += 1;
        let from = next;
        let left = lives.live(async |process| play.live(process, scenario, from).await)??;
        play.outside.process_gone();
        match left {
            Played::Whole => break,
            Played::Until { entry, downtime_ms } => {
                lives.pass_ms(downtime_ms);
                next = entry + 1;
            }
        }
    }
    report(play, &lives, scenario, processes)
}

/// The definition with the rules of the scenario before those of its rehearsal model; one that has
/// none gets one.
fn with_rules(mut definition: Definition, scenario: &Scenario) -> Definition {
    let Some(rules) = &scenario.rules else {
        return definition;
    };
    let of_mob = script_of(&definition).unwrap_or_default();
    let text = format!("{rules}\n{of_mob}");
    let mut models = definition.models.values_mut();
    if let Some(model) = models.find(|model| model.provider == Provider::Rehearsal) {
        model.script_text = Some(text);
    } else {
        let id: ModelId = "rehearsal".parse().expect("an id of a model");
        definition.models.insert(id, Model::rehearsal(Some(text)));
    }
    definition
}

/// The script of the first rehearsal model.
fn script_of(definition: &Definition) -> Option<String> {
    let mut models = definition.models.values();
    let model = models.find(|model| model.provider == Provider::Rehearsal)?;
    model.script_text.clone()
}

fn report(
    play: Play,
    lives: &Lives,
    scenario: &Scenario,
    processes: u64,
) -> Result<Rehearsal, RehearseError> {
    let memory = lives.memory().reopen();
    let mob = play.definition.id.clone();
    let mut after = Lives::starting_at(lives.now());
    let events = after.live(async |_| play::journal(&memory, &mob).await)??;
    Ok(Rehearsal {
        mob,
        description: scenario.description.clone(),
        seed: play.seed,
        start: scenario.start,
        end: scenario.start.plus_ms(scenario.length_ms),
        processes,
        events: events.len() as u64,
        digest: digest(&events),
        timeline: play.timeline,
        expectations: play.expectations,
        deliveries: play.outside.captured(),
        totals: totals(&events),
    })
}

fn digest(events: &[Envelope]) -> String {
    let mut hash = Sha256::new();
    for event in events {
        let line = serde_json::to_vec(event).expect("an event is a document");
        hash.update(line);
        hash.update(b"\n");
    }
    let mut digest = "sha256:".to_owned();
    for byte in hash.finalize() {
        write!(digest, "{byte:02x}").expect("memory takes it");
    }
    digest
}

fn totals(events: &[Envelope]) -> Totals {
    let mut totals = Totals::default();
    for event in events {
        match &event.event {
            Event::MessageAccepted(_) => totals.messages += 1,
            Event::TurnCompleted(_) => totals.turns_completed += 1,
            Event::TurnFailed(_) => totals.turns_failed += 1,
            Event::TurnCancelled(_) => totals.turns_cancelled += 1,
            Event::ModelReplied(_) => totals.model_calls += 1,
            Event::ModelFailed(_) => totals.model_failures += 1,
            Event::ToolStarted(_) => totals.tool_calls += 1,
            Event::ApprovalRequested(_) => totals.approvals += 1,
            Event::OccurrenceClaimed(_) => totals.occurrences += 1,
            Event::OccurrenceMissed(e) => totals.missed += e.count,
            _ => {}
        }
    }
    (totals.cost_usd, totals.unpriced_calls) = judge::cost(events);
    totals
}
