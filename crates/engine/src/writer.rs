//! The writer: the one loop through which every change of a mob passes.
//!
//! Take what waits, decide it, append it as one batch, then publish, answer and dispatch. Commands
//! that arrive while a batch is on its way to the disk make up the next one: the slower the disk,
//! the larger the batch.

use crate::clock::Stopwatch;
use crate::engine::{Engine, writer_gone};
use crate::publish::publish;
use crate::timers;
use mobkit_domain::command::{Answer, Command, RuntimeCommand, Submission};
use mobkit_domain::definition::Definition;
use mobkit_domain::effect::{Effect, effects, start_effects};
use mobkit_domain::event::{ErrorEvent, NewEvent};
use mobkit_domain::lifecycle::{LifecycleEvent, Phase, Verb};
use mobkit_domain::projection::project;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::time::Time;
use mobkit_domain::world::{World, advance, decide, next_due};
use mobkit_store::{Batch, StoreError};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// How many commands one batch takes at most.
const BATCH_COMMANDS_MAX: usize = 512;
/// How many events end a batch.
const BATCH_EVENTS_MAX: usize = 4_096;

/// A command on its way to the writer.
pub(crate) struct Request {
    pub(crate) submission: Submission,
    /// Whether the runtime itself asks, which it may while it starts.
    pub(crate) internal: bool,
    /// The definition that comes into force with it.
    pub(crate) definition: Option<Arc<Definition>>,
    pub(crate) reply: oneshot::Sender<Result<Answer, Refusal>>,
}

type Reply = (
    oneshot::Sender<Result<Answer, Refusal>>,
    Result<Answer, Refusal>,
);

/// A batch in the making.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) batch: Batch,
    pub(crate) effects: Vec<Effect>,
    pub(crate) definition: Option<Arc<Definition>>,
    phase: Option<LifecycleEvent>,
    replies: Vec<Reply>,
}

/// The writer's own state.
pub(crate) struct Writer {
    engine: Engine,
    world: World,
    requests: mpsc::Receiver<Request>,
    /// Whether the last event of the process is written.
    stopped: bool,
}

#[expect(clippy::large_enum_variant, reason = "one at a time, and never kept")]
enum Wake {
    Request(Request),
    Due,
    End,
}

impl Writer {
    pub(crate) fn new(engine: Engine, world: World, requests: mpsc::Receiver<Request>) -> Self {
        Self {
            engine,
            world,
            requests,
            stopped: false,
        }
    }

    /// Runs until the last event is written, the tasks are ended, or the journal can't be written.
    pub(crate) async fn run(mut self) {
        loop {
            let work = match self.wake().await {
                Wake::Request(request) => self.gather(request),
                Wake::Due => self.tick(),
                Wake::End => return,
            };
            if let Err(error) = self.commit(work).await {
                self.give_up(&error);
                return;
            }
            if self.stopped {
                self.refuse_all();
                return;
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let due = next_due(&self.world.state);
        let soft = self.engine.tasks().soft().clone();
        tokio::select! {
            biased;
            request = self.requests.recv() => request.map_or(Wake::End, Wake::Request),
            () = timers::until(due, self.engine.now()) => Wake::Due,
            () = soft.cancelled() => Wake::End,
        }
    }

    fn gather(&mut self, first: Request) -> Work {
        let mut work = Work::default();
        let now = self.engine.now();
        self.take(&mut work, first, now);
        let mut commands = 1;
        let room = |work: &Work| work.batch.events.len() < BATCH_EVENTS_MAX;
        let goes_on = |work: &Work| work.phase.is_none() && room(work);
        while !self.stopped && commands < BATCH_COMMANDS_MAX && goes_on(&work) {
            let Ok(request) = self.requests.try_recv() else {
                break;
            };
            self.take(&mut work, request, now);
            commands += 1;
        }
        work
    }

    fn tick(&mut self) -> Work {
        let mut work = Work::default();
        let now = self.engine.now();
        let tick = Submission::internal(Command::Runtime(RuntimeCommand::Tick));
        if let Ok(decision) = decide(&self.world, &tick, now) {
            self.extend(&mut work, decision.events, None, now);
            self.settle(&mut work, now);
        }
        work
    }

    fn take(&mut self, work: &mut Work, request: Request, now: Time) {
        let Request {
            submission,
            internal,
            definition,
            reply,
        } = request;
        let admitted = self.admit(&submission.command, internal);
        let decision = admitted.and_then(|()| decide(&self.world, &submission, now));
        let decision = match decision {
            Ok(decision) => decision,
            Err(refusal) => {
                work.replies.push((reply, Err(refusal)));
                return;
            }
        };
        if let Some(definition) = definition {
            self.world.definition = Arc::clone(&definition);
            work.definition = Some(definition);
        }
        let answer = decision.answer;
        self.extend(work, decision.events, submission.trace, now);
        if matches!(submission.command, Command::Runtime(RuntimeCommand::Ready)) {
            // Nothing was begun before. All that is open begins now, and each thing once: what
            // follows in this batch adds to it.
            work.effects = start_effects(&self.world);
        }
        self.settle(work, now);
        self.phase_follows(work, &submission.command);
        work.replies.push((reply, Ok(answer)));
    }

    fn admit(&self, command: &Command, internal: bool) -> Result<(), Refusal> {
        let phase = self.engine.phase();
        let starting = phase.now() == Phase::Starting;
        match command.verb() {
            // A start makes its own changes; a shutdown makes none that a verb governs.
            Some(_) if internal && starting => Ok(()),
            Some(verb) => phase.check(verb),
            // A start that was cancelled in the meantime must not let turns begin.
            None if matches!(command, Command::Runtime(RuntimeCommand::Ready)) && !starting => {
                phase.check(Verb::Mutate).and(Err(already_up()))
            }
            None => Ok(()),
        }
    }

    /// Gives events their places and folds them in.
    fn extend(
        &mut self,
        work: &mut Work,
        events: Vec<NewEvent>,
        mut trace: Option<String>,
        now: Time,
    ) {
        for event in events {
            let seq = self.world.state.head + 1;
            let mut envelope = event.at(seq, now, &self.world.state.mob);
            envelope.trace = trace.take();
            debug_assert!(envelope.check_source().is_ok(), "{envelope:?}");
            work.batch
                .rows
                .extend(project(&mut self.world.state, &envelope));
            work.effects.extend(effects(&self.world.state, &envelope));
            work.batch.events.push(envelope);
        }
    }

    /// Lets everything happen that follows by itself. A batch that is full leaves what has only
    /// come due to the next one: the timer wakes the writer for it at once.
    fn settle(&mut self, work: &mut Work, now: Time) {
        while work.batch.events.len() < BATCH_EVENTS_MAX || !only_due(&self.world, now) {
            let events = advance(&self.world, now);
            if events.is_empty() {
                return;
            }
            self.extend(work, events, None, now);
        }
    }

    /// The phase follows the journal: it changes once the event is durable, and nothing else is
    /// decided in between, since such a command ends its batch.
    fn phase_follows(&mut self, work: &mut Work, command: &Command) {
        let Command::Runtime(command) = command else {
            return;
        };
        match command {
            RuntimeCommand::Ready => work.phase = Some(LifecycleEvent::Ready),
            RuntimeCommand::Drain { .. } => work.phase = Some(LifecycleEvent::ShutdownBegan),
            RuntimeCommand::Stop { .. } => self.stopped = true,
            _ => {}
        }
    }

    async fn commit(&mut self, work: Work) -> Result<(), StoreError> {
        let Work {
            batch,
            effects,
            definition,
            phase,
            replies,
        } = work;
        if let Some(first) = batch.events.first().map(|event| event.seq) {
            let events = batch.events.clone();
            let store = Arc::clone(self.engine.store());
            let watch = Stopwatch::start();
            let appended = store
                .append(self.engine.mob(), self.engine.epoch(), first, batch)
                .await;
            if let Err(error) = appended {
                for (reply, _) in replies {
                    let _ = reply.send(Err(journal_failed(&error)));
                }
                return Err(error);
            }
            self.engine.shared.tally.committed(watch.elapsed());
            if let Some(event) = phase {
                self.engine.phase().on(event);
            }
            publish(&self.engine, events, definition, effects);
        } else if let Some(definition) = definition {
            publish(&self.engine, Vec::new(), Some(definition), effects);
        }
        for (reply, answer) in replies {
            // A caller that stopped waiting needs no answer.
            let _ = reply.send(answer);
        }
        Ok(())
    }

    /// The state in memory is ahead of the journal now, so nothing may follow from it.
    fn give_up(&mut self, error: &StoreError) {
        tracing::error!(%error, "the journal can't be written");
        self.engine.phase().on(LifecycleEvent::Broke);
        self.refuse_all();
        let event = ErrorEvent::JournalFailure {
            error: error.to_string(),
        };
        self.engine.shared.hooks.journal_failed(event);
        self.engine.shared.dispatch.abort_all();
        self.engine.closing().cancel();
    }

    /// Takes nothing any longer.
    fn refuse_all(&mut self) {
        self.requests.close();
        while let Ok(request) = self.requests.try_recv() {
            let _ = request.reply.send(Err(writer_gone()));
        }
    }
}

/// Whether of all that follows by itself only that is left whose time has come.
fn only_due(world: &World, now: Time) -> bool {
    let state = &world.state;
    let is_due = next_due(state).is_some_and(|due| due <= now);
    is_due && state.owed.is_empty() && state.leaving.is_empty()
}

fn already_up() -> Refusal {
    Refusal::new(
        RefusalKind::Conflict,
        "runtime.running",
        "the runtime has been started already",
    )
}

fn journal_failed(error: &StoreError) -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        "journal.failed",
        format!("the journal could not be written: {error}"),
    )
    .hint("what was accepted before is safe; mend the disk and start again")
}
