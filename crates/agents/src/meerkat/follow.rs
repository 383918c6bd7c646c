//! One run, followed from its sending to its end.

mod answers;
mod reconcile;

use super::calls::PENDING;
use super::connection::HEARD_MAX;
use super::counterpart::Current;
use super::frames::RequestError;
use super::held::Sent;
use super::joining::Joined;
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
use mobkit_domain::id::MessageId;
use serde_json::{Value, json};
use std::sync::Arc;
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
const TAKEN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a run may be silent before the runtime is asked whether it is over.
const SILENCE: Duration = Duration::from_secs(30);

/// What was sent begins a run, after all that was sent before.
const QUEUE: &str = "queue";
/// What was sent joins the run under way at its next boundary, or begins one right after it.
const STEER: &str = "steer";

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
    /// The message that begins it, if that was to join another and may have come too late.
    begun_by: Option<MessageId>,
    live: Live,
    current: Current,
    /// Under which key it is sent, at first.
    key: String,
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
    /// What the runtime would not do that it has to.
    refused: Option<String>,
}

impl<'t, 'a> Follow<'t, 'a> {
    /// Gets ready to send what begins this run of the turn.
    pub(super) async fn begin(
        turn: &'t mut Turn<'a>,
        number: u32,
        content: &str,
    ) -> Result<Self, EngineError> {
        let key = format!("{}/{number}", turn.input.turn);
        Self::new(turn, (number, None), (&key, content, QUEUE)).await
    }

    /// What came of a message that was to join a run: `None` if it has, else how the run ended that
    /// it began since it came too late.
    pub(super) async fn joined(
        turn: &'t mut Turn<'a>,
        number: u32,
        joined: &Joined,
    ) -> Result<Option<Ended>, EngineError> {
        let key = turn.joining.key(joined.message);
        let begun_by = Some(joined.message);
        let sent = (key.as_str(), joined.content.as_str(), STEER);
        let mut follow = Self::new(turn, (number, begun_by), sent).await?;
        if follow.has_joined(joined.message).await? {
            follow.turn.open.over(&follow.key());
            return Ok(None);
        }
        follow.ended().await.map(Some)
    }

    async fn new(
        turn: &'t mut Turn<'a>,
        (number, begun_by): (u32, Option<MessageId>),
        (key, content, mode): (&str, &str, &str),
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
        let params = params(turn, &current, (key, content, mode));
        Ok(Self {
            turn,
            number,
            begun_by,
            live,
            current,
            key: key.to_owned(),
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
            refused: None,
        })
    }

    /// Sends, and follows the run to its end.
    pub(super) async fn ended(mut self) -> Result<Ended, EngineError> {
        let mut ended = self.follow().await;
        if let Some(reason) = self.refused.take() {
            ended = Ok(Ended::Broken(reason));
        }
        if let Some(run) = &self.run {
            self.current.router.leave(run.id(), &self.ear);
        }
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
        if ended.is_ok() {
            self.turn.open.over(&self.key());
        }
        ended
    }

    /// The key under which it is sent by now.
    fn key(&self) -> String {
        match self.stranded {
            0 => self.key.clone(),
            times => format!("{}~{times}", self.key),
        }
    }

    /// Whether the runtime has let a message join another run of the turn.
    async fn has_joined(&mut self, message: MessageId) -> Result<bool, EngineError> {
        let answer = self.send().await?;
        let Receipt::Admitted { session, input } = receipt::read(&answer) else {
            return Ok(false);
        };
        self.input = Some((session, input));
        let run = self.status().await?.run;
        Ok(run.is_some_and(|run| self.turn.ledger.has_joined(&run, message)))
    }

    /// Gives the messages that wait to join the turn to the runtime: this run takes them, or they
    /// begin runs right after it.
    async fn let_join(&mut self) -> Result<(), EngineError> {
        for joined in self.turn.joining.give() {
            let key = self.turn.joining.key(joined.message);
            let sent = (key.as_str(), joined.content.as_str(), STEER);
            let params = params(self.turn, &self.current, sent);
            self.turn.open.send(&key, self.sent(params.clone()));
            self.ask("mob/member_send", params).await?;
        }
        Ok(())
    }

    fn sent(&self, params: Value) -> Sent {
        Sent {
            live: self.live.clone(),
            current: self.current.clone(),
            params,
            run: None,
        }
    }

    /// Sends, or asks what became of what was sent: that is the same request.
    async fn send(&mut self) -> Result<Value, EngineError> {
        let sent = self.sent(self.params.clone());
        self.turn.open.send(&self.key(), sent);
        self.ask("mob/member_send", self.params.clone()).await
    }

    async fn follow(&mut self) -> Result<Ended, EngineError> {
        self.open().await?;
        let joining = Arc::clone(&self.turn.joining);
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
                () = joining.news(), if self.run.is_some() => {
                    self.let_join().await?;
                    None
                }
            };
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, EngineError> {
        match self.live.connection.request(method, params).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failed(method, error).await),
        }
    }

    async fn failed(&mut self, what: &str, error: RequestError) -> EngineError {
        if let RequestError::Refused { .. } = error {
            self.refused = Some(format!("the engine refused {what}: {error}"));
        }
        self.turn.runtime.failed(&self.live, what, error).await
    }

    async fn open(&mut self) -> Result<(), EngineError> {
        let name = self.turn.runtime.name(&self.turn.input.member);
        let connection = &self.live.connection;
        let opened = Stream::open(
            (&self.current.router, connection),
            (&self.current.name, &name),
            &self.ear,
        );
        match opened.await {
            Ok(stream) => {
                self.stream = Some(stream);
                Ok(())
            }
            Err(error) => Err(self.failed("mob/stream_open", error).await),
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

    /// Sends, or finds out what became of what was sent.
    async fn look(&mut self) -> Result<Option<Ended>, EngineError> {
        if self.run.is_some() {
            return self.check().await;
        }
        let answer = self.send().await?;
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
        self.turn.open.over(&self.key());
        self.stranded += 1;
        self.input = None;
        self.params["idempotency_key"] = json!(self.key());
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
        let of = (&self.turn.input.member, self.turn.input.turn);
        let runtime = self.turn.runtime;
        if let Err(error) = members::renew(runtime, &place, of, self.turn.mob()).await {
            return Err(self.failed("the renewal of the member", error).await);
        }
        self.params["agent_identity"] = json!(runtime.name(&self.turn.input.member));
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
        self.turn.open.runs(&self.key(), id);
        self.turn.ledger.follow(id, self.begun_by);
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
        self.let_join().await?;
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
            return self.begin_again(event).await;
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

    /// Takes an event of another run: after a crash the runtime may make a new one of what was
    /// sent, and the one that was followed does not go on.
    async fn begin_again(&mut self, event: Value) -> Result<Option<Ended>, EngineError> {
        self.early = vec![event];
        let Some(run) = self.begun() else {
            self.early.clear();
            return Ok(None);
        };
        if let Some(before) = &self.run {
            self.current.router.leave(before.id(), &self.ear);
        }
        Box::pin(self.bind(&run, false)).await
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

/// The parameters of a sending. The key is the same after every restart, so it runs once.
fn params(turn: &Turn<'_>, current: &Current, (key, content, mode): (&str, &str, &str)) -> Value {
    json!({
        "mob_id": current.name,
        "agent_identity": turn.runtime.name(&turn.input.member),
        "content": content,
        "handling_mode": mode,
        "idempotency_key": key,
    })
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
