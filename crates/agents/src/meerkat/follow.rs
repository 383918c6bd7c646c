//! One run, followed from its sending to its end.

mod answers;
mod reconcile;

use super::calls::PENDING;
use super::connection::HEARD_MAX;
use super::counterpart::Current;
use super::definition;
use super::held::Sent;
use super::members::{self, Place};
use super::receipt::{self, Receipt, Status};
use super::run::{Ended, Run, Step, Told};
use super::stream::{Callback, Heard, Stream};
use super::supervision::Live;
use super::tools::is_ours;
use super::turn::Turn;
use crate::external::EngineError;
use answers::{CallEnd, Owed};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a call may take before the runtime is told to go on without its result; it waits for
/// 120 s by itself.
const CALL_PATIENCE: Duration = Duration::from_secs(90);
/// How long the events of a round may be late for its calls.
const EVENTS_PATIENCE: Duration = Duration::from_secs(2);
/// When the runtime is asked again what became of what was sent; doubles up to the longest.
const ASKED_AGAIN: Duration = Duration::from_millis(100);
const ASKED_AGAIN_MAX: Duration = Duration::from_secs(2);
/// How long something that was sent may stay untaken. The runtime forgets to take what it had only
/// just been sent when it was killed.
const TAKEN_PATIENCE: Duration = Duration::from_secs(5);
/// How long a run may be silent before the runtime is asked whether it is over.
const SILENCE: Duration = Duration::from_secs(30);

/// What time brings.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Alarm {
    /// Ask what became of what was sent, if nothing was heard since this alarm was set.
    Look(u64),
    /// Take the calls of a round whose events do not come.
    Insist,
    /// A call takes too long.
    Late(String),
}

/// A run that is followed.
pub(super) struct Follow<'t, 'a> {
    turn: &'t mut Turn<'a>,
    /// Which run of the turn, from 1.
    number: u32,
    live: Live,
    current: Current,
    /// The parameters of its sending.
    params: Value,
    /// How many keys were used up for it: what was sent under those was never taken.
    stranded: u32,
    ear: mpsc::Sender<Heard>,
    heard: mpsc::Receiver<Heard>,
    stream: Option<Stream>,
    /// Its session and input there.
    input: Option<(String, String)>,
    run: Option<Run>,
    /// Events that came before the run was known.
    early: Vec<Value>,
    /// Calls whose round is not recorded yet.
    unknown: Vec<Callback>,
    owed: Vec<Owed>,
    ends: FuturesUnordered<BoxFuture<'static, CallEnd>>,
    alarms: FuturesUnordered<BoxFuture<'static, Alarm>>,
    looks: u64,
    pause: Duration,
    /// How long what was sent has not been taken.
    waited: Duration,
    /// Why events were lost, until the truth is found.
    gap: Option<String>,
}

impl<'t, 'a> Follow<'t, 'a> {
    /// Gets ready to send.
    pub(super) async fn begin(
        turn: &'t mut Turn<'a>,
        number: u32,
        content: &str,
    ) -> Result<Self, EngineError> {
        let live = turn.runtime.live(turn.mob()).await?;
        let counterpart = &turn.runtime.counterpart;
        let current = counterpart.of(&live);
        let current = current.ok_or_else(|| members::lost_between(&live))?;
        let registered = counterpart
            .tools
            .register((&live.connection, live.start), &turn.input.tools);
        if let Err(error) = registered.await {
            return Err(turn.runtime.failed(&live, "a tool", error).await);
        }
        let (ear, heard) = mpsc::channel(HEARD_MAX);
        let params = json!({
            "mob_id": current.name,
            "agent_identity": definition::identity(&turn.input.member),
            "content": content,
            "handling_mode": "queue",
            "idempotency_key": key(turn, number, 0),
        });
        Ok(Self {
            turn,
            number,
            live,
            current,
            params,
            stranded: 0,
            ear,
            heard,
            stream: None,
            input: None,
            run: None,
            early: Vec::new(),
            unknown: Vec::new(),
            owed: Vec::new(),
            ends: FuturesUnordered::new(),
            alarms: FuturesUnordered::new(),
            looks: 0,
            pause: ASKED_AGAIN,
            waited: Duration::ZERO,
            gap: None,
        })
    }

    /// Sends, and follows the run to its end.
    pub(super) async fn ended(mut self) -> Result<Ended, EngineError> {
        let ended = self.follow().await;
        if let Some(run) = &self.run {
            self.current.router.leave(run.id(), &self.ear);
        }
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
        ended
    }

    async fn follow(&mut self) -> Result<Ended, EngineError> {
        self.open().await?;
        let mut ended = self.look().await?;
        loop {
            if let Some(ended) = ended {
                return Ok(ended);
            }
            ended = tokio::select! {
                biased;
                () = self.turn.port.cancelled().cancelled() => return Err(EngineError::Stale),
                Some(heard) = self.heard.recv() => self.hear(heard).await?,
                () = self.live.connection.closed().cancelled() => {
                    return Err(self.turn.runtime.lost(&self.live).await);
                }
                Some(end) = self.ends.next() => {
                    self.call_ended(end)?;
                    None
                }
                Some(alarm) = self.alarms.next() => self.wake(alarm).await?,
            };
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, EngineError> {
        match self.live.connection.request(method, params).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.turn.runtime.failed(&self.live, method, error).await),
        }
    }

    async fn open(&mut self) -> Result<(), EngineError> {
        let identity = definition::identity(&self.turn.input.member);
        let connection = &self.live.connection;
        let opened = Stream::open(
            (&self.current.router, connection),
            (&self.current.name, &identity),
            &self.ear,
        );
        match opened.await {
            Ok(stream) => {
                self.stream = Some(stream);
                Ok(())
            }
            Err(error) => Err(self
                .turn
                .runtime
                .failed(&self.live, "mob/stream_open", error)
                .await),
        }
    }

    fn alarm(&self, after: Duration, alarm: Alarm) {
        let rings = async move {
            tokio::time::sleep(after).await;
            alarm
        };
        self.alarms.push(rings.boxed());
    }

    fn look_after(&mut self, after: Duration) {
        self.looks += 1;
        self.alarm(after, Alarm::Look(self.looks));
    }

    /// Sends, or asks what became of what was sent: that is the same request.
    async fn look(&mut self) -> Result<Option<Ended>, EngineError> {
        if self.run.is_some() {
            return self.check().await;
        }
        self.turn.last.set(Some(Sent {
            live: self.live.clone(),
            current: self.current.clone(),
            params: self.params.clone(),
            run: None,
        }));
        let answer = self.ask("mob/member_send", self.params.clone()).await?;
        match receipt::read(&answer) {
            Receipt::Pending => {
                self.waited += self.pause;
                if self.waited > TAKEN_PATIENCE {
                    self.renew().await?;
                }
                self.look_after(self.pause);
                self.pause = (self.pause * 2).min(ASKED_AGAIN_MAX);
                Ok(None)
            }
            Receipt::Admitted { session, input } => {
                self.input = Some((session, input));
                self.admitted().await
            }
            Receipt::Stranded => Ok(self.send_anew()),
            Receipt::Refused(reason) => {
                let reason = format!("the engine did not take the message: {reason}");
                Ok(Some(Ended::Failed(reason)))
            }
        }
    }

    /// What was sent was never taken, and never will be: it is sent under another key.
    fn send_anew(&mut self) -> Option<Ended> {
        self.stranded += 1;
        self.input = None;
        self.params["idempotency_key"] = json!(key(self.turn, self.number, self.stranded));
        self.look_after(Duration::ZERO);
        None
    }

    /// Has the member replaced, so that what it did not take is stranded for certain.
    async fn renew(&mut self) -> Result<(), EngineError> {
        self.waited = Duration::ZERO;
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
        let place = Place {
            live: &self.live,
            mob: &self.current.name,
        };
        let member = self.turn.input.member.clone();
        if let Err(error) = members::renew(self.turn.runtime, &place, &member).await {
            let what = "the renewal of the member";
            return Err(self.turn.runtime.failed(&self.live, what, error).await);
        }
        self.open().await
    }

    /// It was taken: its run has begun, will begin, or is over.
    async fn admitted(&mut self) -> Result<Option<Ended>, EngineError> {
        if let Some(run) = self.begun() {
            return self.bind(&run, false).await;
        }
        let status = self.status().await?;
        let Some(run) = status.run else {
            if status.ended.is_some() {
                // Taken, and given up before any run: as good as never taken.
                return Ok(self.send_anew());
            }
            self.look_after(ASKED_AGAIN_MAX);
            return Ok(None);
        };
        if status.ended.is_none() && self.early.iter().any(|event| run_of(event) == Some(&run)) {
            return self.bind(&run, false).await;
        }
        self.turn.doubtful = true;
        if let Some(ended) = self.bind(&run, true).await? {
            return Ok(Some(ended));
        }
        self.check().await
    }

    /// The run that its first event names.
    fn begun(&self) -> Option<String> {
        let (_, input) = self.input.as_ref()?;
        let begun = self.early.iter().find(|event| {
            let interaction = event
                .pointer("/identity/interaction_id")
                .and_then(Value::as_str);
            kind_of(event) == "run_started" && interaction == Some(input)
        });
        begun.and_then(run_of).map(str::to_owned)
    }

    async fn status(&mut self) -> Result<Status, EngineError> {
        let Some((session, input)) = &self.input else {
            return Ok(Status::default());
        };
        let params = receipt::status(session, input);
        let answer = self.ask("session/input_status", params).await?;
        Ok(Status::of(&answer))
    }

    /// The run is known: what came of it before is taken now.
    async fn bind(&mut self, id: &str, torn: bool) -> Result<Option<Ended>, EngineError> {
        let mut run = Run::new(id, is_ours);
        if torn {
            run.tear();
        }
        self.run = Some(run);
        self.turn.last.runs(id);
        for callback in self.current.router.follow(id, &self.ear) {
            self.call(callback);
        }
        let early = std::mem::take(&mut self.early);
        let first = early.iter().position(|event| run_of(event) == Some(id));
        for event in early.into_iter().skip(first.unwrap_or(0)) {
            let ended = self.take(event).await?;
            if ended.is_some() {
                return Ok(ended);
            }
        }
        self.look_after(SILENCE);
        Ok(None)
    }

    async fn hear(&mut self, heard: Heard) -> Result<Option<Ended>, EngineError> {
        match heard {
            Heard::Event(event) if self.run.is_some() => self.take(event).await,
            Heard::Event(event) => {
                let begins = matches!(kind_of(&event), "run_started" | "run_resumed");
                self.early.push(event);
                match (begins, &self.input) {
                    (true, Some(_)) => self.admitted().await,
                    (true, None) => self.look().await,
                    (false, _) => Ok(None),
                }
            }
            Heard::Ended(reason) => {
                self.gap = Some(reason);
                self.turn.doubtful = true;
                self.open().await?;
                match &mut self.run {
                    Some(run) => run.tear(),
                    None => self.early.clear(),
                }
                self.look().await
            }
            Heard::Call(callback) => {
                self.call(callback);
                Ok(None)
            }
            Heard::Look if self.run.is_none() => self.look().await,
            Heard::Look => Ok(None),
        }
    }

    /// Takes an event of the member, if it is one of this run.
    async fn take(&mut self, event: Value) -> Result<Option<Ended>, EngineError> {
        let Some(run) = &mut self.run else {
            return Ok(None);
        };
        if run_of(&event).is_some_and(|of| of != run.id()) {
            return Ok(None);
        }
        for told in run.hear(&event) {
            match told {
                Told::Delta(text) => self.delta(&text),
                Told::Step(step) => self.step(*step).await?,
                Told::Gap(reason) => {
                    self.gap = Some(reason);
                    self.turn.doubtful = true;
                }
                Told::Ended(ended) => {
                    if self.turn.doubtful {
                        self.reconcile(None).await?;
                    }
                    return Ok(Some(ended));
                }
            }
        }
        self.look_after(SILENCE);
        Ok(None)
    }

    fn delta(&self, text: &str) {
        let step = u32::try_from(self.turn.ledger.steps()).unwrap_or(u32::MAX);
        self.turn.port.delta(step.saturating_add(1), text);
    }

    /// Records a round, and takes the calls that waited for that.
    async fn step(&mut self, mut step: Step) -> Result<(), EngineError> {
        if step.torn {
            let rounds = self.reconcile(Some(&step.mark)).await?;
            let kept = rounds
                .into_iter()
                .find(|round| round.step.mark.is_same(&step.mark));
            if let Some(kept) = kept {
                step.calls = kept.owed_calls();
                step.text = kept.step.text;
            }
        }
        if self.turn.ledger.has(&step.mark) {
            if let Some(run) = &mut self.run {
                run.keep(step.usage);
            }
        } else if self.turn.is_blocked() {
            let step = Step {
                calls: Vec::new(),
                ..step
            };
            self.turn.rest.push(step);
        } else {
            self.turn.flush().await?;
            self.turn.record(self.number, &step).await?;
        }
        for callback in std::mem::take(&mut self.unknown) {
            self.call(callback);
        }
        Ok(())
    }

    async fn wake(&mut self, alarm: Alarm) -> Result<Option<Ended>, EngineError> {
        match alarm {
            Alarm::Look(number) if number == self.looks => self.look().await,
            Alarm::Look(_) => Ok(None),
            Alarm::Insist => {
                self.insist().await?;
                Ok(None)
            }
            Alarm::Late(callback) => {
                if let Some(at) = self.owed.iter().position(|owed| owed.callback == callback) {
                    let owed = self.owed.swap_remove(at);
                    self.turn.ledger.defer(owed.call, true);
                    self.answer(&owed.callback, (PENDING, false));
                }
                Ok(None)
            }
        }
    }
}

/// The key of a run of a turn: the same after every restart, so it runs once.
fn key(turn: &Turn<'_>, number: u32, stranded: u32) -> String {
    let turn = turn.input.turn;
    match stranded {
        0 => format!("{turn}/{number}"),
        times => format!("{turn}/{number}~{times}"),
    }
}

fn kind_of(event: &Value) -> &str {
    event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The run that an event names; most name none.
fn run_of(event: &Value) -> Option<&str> {
    let named = event
        .pointer("/identity/run_id")
        .or_else(|| event.get("run_id"));
    named.and_then(Value::as_str)
}
