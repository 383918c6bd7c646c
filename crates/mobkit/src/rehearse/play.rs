//! Playing the timeline, one process after the other.

use super::judge::{self, Look, Sent};
use super::lives::{Process, ShiftedClock};
use super::model;
use super::outside::ScriptedOutside;
use super::report::{Happened, Judged};
use super::run::RehearseError;
use super::weather::Weather;
use crate::builder::MobBuilder;
use crate::mob::Mob;
use mobkit_agents::model::{Rehearsal, Script};
use mobkit_domain::command::{
    Answer, ApprovalCommand, Command, MessageCommand, ScheduleCommand, Submission,
};
use mobkit_domain::definition::{Act, Definition, Entry, Expectation, Fault, Ruling, Scenario};
use mobkit_domain::event::{Envelope, Verdict};
use mobkit_domain::id::{MemberId, MobId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::time::{Time, span_text};
use mobkit_store::{EventQuery, Store, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often everybody else may go on before somebody looks: what takes no time has happened then.
const LOOKS: usize = 500;

/// A rehearsal at work.
pub(super) struct Play {
    pub(super) definition: Definition,
    pub(super) folder: PathBuf,
    pub(super) script: Arc<Script>,
    pub(super) seed: u64,
    /// The zone of the scenario.
    pub(super) timezone: String,
    pub(super) weather: Arc<Weather>,
    pub(super) outside: Arc<ScriptedOutside>,
    pub(super) sent: Sent,
    pub(super) timeline: Vec<Happened>,
    pub(super) expectations: Vec<Judged>,
}

/// How far a process came.
pub(super) enum Played {
    /// To the end.
    Whole,
    /// It was ended by this entry, and another one begins after so long.
    Until { entry: usize, downtime_ms: u64 },
}

/// What an entry did, what came of it, and whether that could be done.
type Outcome = (String, String, bool);

impl Play {
    fn builder(&self, process: &Process) -> MobBuilder {
        let mut builder = MobBuilder::new(self.definition.clone())
            .folder(self.folder.clone())
            .store(process.store())
            .clock(Arc::clone(&process.clock) as _)
            .outside(Arc::clone(&self.outside) as _)
            .rehearse(true)
            .force(true);
        for (id, defined) in &self.definition.models {
            let played = model::Played {
                id: id.clone(),
                script: Rehearsal::new(Arc::clone(&self.script), defined.timeout_ms),
                timeout_ms: defined.timeout_ms,
                seed: self.seed,
                weather: Arc::clone(&self.weather),
                clock: Arc::clone(&process.clock),
            };
            builder = builder.model(id.clone(), Arc::new(played));
        }
        builder
    }

    /// Lives one process, from this entry of the timeline on.
    pub(super) async fn live(
        &mut self,
        process: Process,
        scenario: &Scenario,
        from: usize,
    ) -> Result<Played, RehearseError> {
        let mob = self.builder(&process).start().await?;
        let entries = scenario.timeline.iter().enumerate().skip(from);
        for (number, entry) in entries {
            until(&process.clock, entry.at).await;
            let downtime_ms = match entry.act {
                Act::Kill(ms) | Act::Restart(ms) => Some(ms),
                _ => None,
            };
            self.happens(entry, &mob, &process).await?;
            if let Some(downtime_ms) = downtime_ms {
                return Ok(Played::Until {
                    entry: number,
                    downtime_ms,
                });
            }
        }
        until(&process.clock, scenario.start.plus_ms(scenario.length_ms)).await;
        for expectation in &scenario.expect {
            self.judge(expectation, &mob, process.clock.true_now())
                .await?;
        }
        mob.shutdown().await;
        Ok(Played::Whole)
    }

    async fn happens(
        &mut self,
        entry: &Entry,
        mob: &Mob,
        process: &Process,
    ) -> Result<(), RehearseError> {
        settle().await;
        let at = process.clock.true_now();
        let (what, outcome, ok) = match &entry.act {
            Act::Expect(expectation) => return self.judge(expectation, mob, at).await,
            Act::Send { id, to, text } => self.send(mob, id.as_deref(), to, text).await,
            Act::Decide(ruling) => decide(mob, ruling).await,
            Act::Trigger(schedule) => {
                let schedule = schedule.clone();
                let what = format!("trigger {schedule}");
                let command = ScheduleCommand::Trigger { schedule };
                done(what, submit(mob, Command::Schedule(command)).await)
            }
            Act::Fault(fault) => self.fault(fault, mob, at).await,
            Act::Kill(ms) => {
                let what = "kill the process".to_owned();
                (what, format!("down for {}", span_text(*ms)), true)
            }
            Act::Restart(ms) => {
                let report = mob.shutdown().await;
                let outcome = format!("down for {}", span_text(*ms));
                let orderly = report.is_orderly();
                let problems = report.problems.join("; ");
                let outcome = if orderly { outcome } else { problems };
                ("stop the process in order".to_owned(), outcome, orderly)
            }
            Act::Clock(by_ms) => {
                process.clock.shift_ms(*by_ms);
                let by = span_text(by_ms.unsigned_abs());
                let way = if *by_ms < 0 { "back" } else { "on" };
                let shows = mobkit_engine::Clock::now(process.clock.as_ref());
                (
                    format!("set the clock {way} by {by}"),
                    format!("it shows {shows}"),
                    true,
                )
            }
        };
        self.timeline.push(Happened {
            at,
            local: at.on_clocks_of(&self.timezone),
            line: entry.line,
            what,
            outcome,
            ok,
        });
        Ok(())
    }

    async fn send(&mut self, mob: &Mob, id: Option<&str>, to: &MemberId, text: &str) -> Outcome {
        let command = Command::Message(MessageCommand::Send {
            to: to.clone(),
            content: text.into(),
            mode: None,
            correlation: None,
            expires: None,
        });
        let answer = submit(mob, command).await;
        let message = match &answer {
            Ok(Answer::Message { message, .. }) => Ok(*message),
            Ok(Answer::Done { .. }) => Err("no message was accepted".to_owned()),
            Err(refusal) => Err(refusal.to_string()),
        };
        let outcome = match &message {
            Ok(message) => format!("accepted as {message}"),
            Err(why) => format!("refused: {why}"),
        };
        let ok = message.is_ok();
        if let Some(id) = id {
            self.sent.insert(id.to_owned(), message);
        }
        let name = id.map(|id| format!(" ({id})")).unwrap_or_default();
        (format!("send to {to}{name}: {}", short(text)), outcome, ok)
    }

    async fn fault(&self, fault: &Fault, mob: &Mob, at: Time) -> Outcome {
        match fault {
            Fault::Model { kind, only, for_ms } => {
                let until = at.plus_ms(*for_ms);
                self.weather.break_models(*kind, only.clone(), until);
                let which = only
                    .as_ref()
                    .map_or("every model".to_owned(), ToString::to_string);
                let what = format!("{which} fails: {kind}");
                (what, format!("for {}", span_text(*for_ms)), true)
            }
            Fault::Route {
                route,
                kind,
                for_ms,
            } => {
                let until = at.plus_ms(*for_ms);
                self.weather.break_route(route.clone(), *kind, until);
                let what = format!("route {route} fails: {kind}");
                (what, format!("for {}", span_text(*for_ms)), true)
            }
            Fault::Module(module) => {
                let crashed = self.outside.crash(module, mob.engine()).await;
                let outcome = if crashed {
                    "it crashed"
                } else {
                    "it does not run"
                };
                (
                    format!("module {module} crashes"),
                    outcome.to_owned(),
                    crashed,
                )
            }
        }
    }

    async fn judge(
        &mut self,
        expectation: &Expectation,
        mob: &Mob,
        at: Time,
    ) -> Result<(), RehearseError> {
        settle().await;
        let engine = mob.engine();
        let store = engine.store().as_ref();
        let events = journal(store, engine.mob()).await?;
        let look = Look {
            mob: engine.mob(),
            store,
            events: &events,
            sent: &self.sent,
            outside: &self.outside,
        };
        let judged = look
            .judge(expectation, (at, at.on_clocks_of(&self.timezone)))
            .await?;
        self.expectations.push(judged);
        Ok(())
    }
}

/// Everything that is durable.
pub(super) async fn journal(store: &dyn Store, mob: &MobId) -> Result<Vec<Envelope>, StoreError> {
    let query = EventQuery {
        limit: judge::ALL,
        ..EventQuery::default()
    };
    Ok(store.events(mob, query).await?.events)
}

/// Waits until the time of the scenario.
async fn until(clock: &ShiftedClock, at: Time) {
    let wait_ms = at.since_ms(clock.true_now());
    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
}

/// Lets everybody do what takes no time.
async fn settle() {
    for _ in 0..LOOKS {
        tokio::task::yield_now().await;
    }
}

async fn submit(mob: &Mob, command: Command) -> Result<Answer, Refusal> {
    let submission = Submission {
        command,
        actor: Principal::Operator("rehearsal".to_owned()),
        key: None,
        trace: None,
    };
    mob.engine().submit(submission).await
}

fn done(what: String, answer: Result<Answer, Refusal>) -> Outcome {
    match answer {
        Ok(_) => (what, "done".to_owned(), true),
        Err(refusal) => (what, format!("refused: {refusal}"), false),
    }
}

/// Decides about the oldest call that waits and fits.
async fn decide(mob: &Mob, ruling: &Ruling) -> Outcome {
    let verb = if ruling.approve { "approve" } else { "deny" };
    let fits = |tool: &str| {
        ruling
            .tool
            .as_ref()
            .is_none_or(|wanted| wanted.matches(tool))
    };
    let found = mob.engine().view(|world| {
        let mut waiting = world.state.approvals.iter();
        let found = waiting.find(|(_, approval)| fits(&approval.request.tool));
        found.map(|(id, approval)| {
            let request = &approval.request;
            (*id, request.digest.clone(), request.tool.clone())
        })
    });
    let wanted = ruling
        .tool
        .as_ref()
        .map_or("any tool", |tool| tool.as_str());
    let Some((approval, digest, tool)) = found else {
        let what = format!("{verb} a call of {wanted}");
        return (what, "nothing waits for a decision".to_owned(), false);
    };
    let decision = if ruling.approve {
        Verdict::Approve
    } else {
        Verdict::Deny
    };
    let command = ApprovalCommand::Decide {
        approval,
        digest,
        decision,
        args: None,
        reason: ruling.reason.clone(),
        grant: None,
        roles: Vec::new(),
    };
    let what = format!("{verb} {approval} ({tool})");
    done(what, submit(mob, Command::Approval(command)).await)
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
