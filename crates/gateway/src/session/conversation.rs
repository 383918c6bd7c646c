//! The course of a session.

use super::backlog::Backlog;
use super::call::{Asker, Finished, Task};
use super::host::{HostSide, Order};
use super::params::{CANCEL, Cancel, PIECE, Piece, REGISTER, SUBSCRIBE, UNSUBSCRIBE, Unsubscribe};
use super::questions::{Questions, is_answer};
use super::subscriptions::{SUBSCRIPTIONS_MAX, Subscriptions};
use super::talk::{Session, Tie};
use super::wire::{Incoming, Inlet, MESSAGE_BYTES_MAX, SessionEnd};
use crate::input::Input;
use crate::problem::{RPC_PARSE, TOO_LARGE};
use crate::rpc::{Call, answered, check_batch, failure, not_a_request, read};
use crate::strict;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

/// Requests of a session that run at once; further ones are refused as busy.
const REQUESTS_MAX: usize = 256;
/// How long requests may take to end once the runtime has stopped; those of its owner see the store
/// closed.
const END_PATIENCE: Duration = Duration::from_millis(1_500);
const OWNER_END_PATIENCE: Duration = Duration::from_secs(15);

/// What a session waits for.
enum Step {
    Room,
    WriterGone,
    Finished(Box<Finished>),
    Incoming(Incoming),
    Chunk(Option<Bytes>),
    Order(Order),
    Withdrawn(Option<u64>),
    Started,
    Closing,
    Late,
}

pub(super) struct Conversation {
    asker: Asker,
    tie: Tie,
    frames: mpsc::Sender<String>,
    backlog: Backlog,
    working: FuturesUnordered<BoxFuture<'static, Finished>>,
    /// What waits for the end of the start.
    held: Vec<BoxFuture<'static, Finished>>,
    /// Requests that run, by id.
    running: HashMap<String, CancellationToken>,
    subscriptions: Subscriptions,
    /// What the mob asks the other side.
    orders: mpsc::Receiver<Order>,
    questions: Questions,
    /// How many messages the other side has sent.
    heard: u64,
    /// Whether the first one serves what the mob is made of.
    registering: bool,
    phase: watch::Receiver<Phase>,
    /// Whether the other side says nothing any longer.
    heard_all: bool,
    /// Ends the wait for what still runs, once the runtime has stopped.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Conversation {
    pub fn of(
        session: Session,
        frames: mpsc::Sender<String>,
        (host, orders): (HostSide, mpsc::Receiver<Order>),
    ) -> Self {
        let Session {
            gateway,
            caller,
            tie,
        } = session;
        Self {
            phase: gateway.engine.phase().subscribe(),
            asker: Asker {
                gateway,
                caller,
                host,
            },
            orders,
            questions: Questions::default(),
            heard: 0,
            registering: false,
            tie,
            frames,
            backlog: Backlog::default(),
            working: FuturesUnordered::new(),
            held: Vec::new(),
            running: HashMap::new(),
            subscriptions: Subscriptions::default(),
            heard_all: false,
            deadline: None,
        }
    }

    pub async fn run(mut self, inlet: &mut impl Inlet) -> SessionEnd {
        loop {
            let step = self.step(inlet).await;
            if let Some(end) = self.take(step).await {
                return end;
            }
            if self.backlog.is_over() {
                return SessionEnd::SlowReader;
            }
            let is_idle = self.working.is_empty()
                && self.held.is_empty()
                && self.subscriptions.is_empty()
                && self.backlog.is_empty();
            if self.deadline.is_some() && is_idle {
                return self.ended();
            }
        }
    }

    /// Whether streams may go on: they wait until all else is on its way.
    fn may_relay(&self) -> bool {
        self.backlog.is_empty() && !self.subscriptions.is_empty()
    }

    fn ended(&self) -> SessionEnd {
        if self.heard_all {
            SessionEnd::ClientGone
        } else {
            SessionEnd::Stopped
        }
    }

    async fn step(&mut self, inlet: &mut impl Inlet) -> Step {
        let closing = self.asker.gateway.engine.closing();
        tokio::select! {
            room = self.frames.reserve(), if !self.backlog.is_empty() => match room {
                Ok(room) => {
                    if let Some(text) = self.backlog.pop() {
                        room.send(text);
                    }
                    Step::Room
                }
                Err(_) => Step::WriterGone,
            },
            Some(done) = self.working.next(), if !self.working.is_empty() => {
                Step::Finished(Box::new(done))
            }
            incoming = inlet.next(), if !self.heard_all => Step::Incoming(incoming),
            chunk = self.subscriptions.next(), if self.may_relay() => Step::Chunk(chunk),
            Some(order) = self.orders.recv() => Step::Order(order),
            id = self.questions.withdrawn(), if !self.questions.is_empty() => Step::Withdrawn(id),
            () = started(&mut self.phase), if !self.held.is_empty() => Step::Started,
            () = closing.cancelled(), if self.deadline.is_none() => Step::Closing,
            () = late(&mut self.deadline) => Step::Late,
        }
    }

    async fn take(&mut self, step: Step) -> Option<SessionEnd> {
        match step {
            Step::Room => {}
            Step::WriterGone => return Some(SessionEnd::Stopped),
            Step::Finished(finished) => self.finish(*finished),
            Step::Incoming(Incoming::Text(text)) => self.hear(&text),
            Step::Incoming(Incoming::TooLarge) => self.say(&failure(&too_large(), &Value::Null)),
            Step::Incoming(Incoming::Ended) => {
                self.heard_all = true;
                match self.tie {
                    Tie::Guest => return Some(SessionEnd::ClientGone),
                    Tie::Owner(_) => {
                        self.serve_no_longer().await;
                        self.hang_up().await;
                    }
                }
            }
            Step::Chunk(chunk) => self.relay(&chunk.unwrap_or_default()),
            Step::Order(order) => {
                let question = self.questions.put(order);
                self.say(&question);
            }
            Step::Withdrawn(id) => {
                if let Some(id) = id {
                    let params = json!({ "id": id });
                    self.say(&json!({ "jsonrpc": "2.0", "method": CANCEL, "params": params }));
                }
            }
            Step::Started => {
                self.working.extend(std::mem::take(&mut self.held));
                self.hang_up().await;
            }
            Step::Closing => {
                let patience = match self.tie {
                    Tie::Guest => END_PATIENCE,
                    Tie::Owner(_) => OWNER_END_PATIENCE,
                };
                self.deadline = Some(Box::pin(sleep(patience)));
            }
            Step::Late => return Some(self.ended()),
        }
        None
    }

    /// Nothing that the mob asks is answered any longer.
    async fn serve_no_longer(&mut self) {
        self.orders.close();
        while self.orders.try_recv().is_ok() {}
        self.questions.lose_all();
        let engine = &self.asker.gateway.engine;
        engine.hosts().set_owner(None);
        let reason = SessionEnd::ClientGone.to_string();
        self.asker.host.leave(engine, &reason).await;
    }

    /// Lets the owner of the runtime know that the other side has gone, once all that it asked has
    /// begun.
    async fn hang_up(&mut self) {
        if !self.heard_all || !self.held.is_empty() {
            return;
        }
        while let Poll::Ready(Some(done)) = futures::poll!(self.working.next()) {
            self.finish(done);
        }
        if let Tie::Owner(signals) = &mut self.tie
            && let Some(gone) = signals.gone.take()
        {
            // Who does not wait for it stops the runtime anyhow.
            let _ = gone.send(());
        }
    }

    fn say(&mut self, message: &Value) {
        self.backlog.push(message.to_string());
    }

    /// Passes on what a stream says, message by message.
    fn relay(&mut self, chunk: &[u8]) {
        let text = String::from_utf8_lossy(chunk);
        for line in text.lines().filter(|line| !line.is_empty()) {
            self.backlog.push(line.to_owned());
        }
    }

    fn finish(&mut self, finished: Finished) {
        for id in finished.ids {
            self.running.remove(&id);
        }
        if let Some(stands) = finished.registered {
            self.begun(stands);
        }
        for number in finished.refused {
            self.subscriptions.end(number);
        }
        if let Some(answer) = finished.answer {
            self.say(&answer);
        }
        for (number, feed) in finished.opened {
            self.subscriptions.begin(number, feed);
        }
    }

    /// Lets the owner of the runtime bring it up, or not at all.
    fn begun(&mut self, stands: bool) {
        let Tie::Owner(signals) = &mut self.tie else {
            return;
        };
        if let Some(begun) = signals.begun.take()
            && stands
        {
            // Who does not wait for it has stopped the runtime.
            let _ = begun.send(());
        }
    }

    /// Begins what a message asks. The start waits for the first one, if that serves what the mob
    /// is made of.
    fn hear(&mut self, text: &[u8]) {
        self.heard += 1;
        self.hear_message(text);
        if self.heard == 1 && !self.registering {
            self.begun(true);
        }
    }

    fn hear_message(&mut self, text: &[u8]) {
        let batch = match strict::from_slice(text) {
            Ok(Value::Array(batch)) => batch,
            Ok(single) => {
                let work = self.begin(single);
                return self.start(work);
            }
            Err(error) => return self.say(&failure(&error.refusal(RPC_PARSE), &Value::Null)),
        };
        if let Err(refusal) = check_batch(&batch) {
            return self.say(&failure(&refusal, &Value::Null));
        }
        let works: Vec<Work> = batch.into_iter().map(|one| self.begin(one)).collect();
        let waits = works.iter().any(|work| work.waits);
        let futures = works.into_iter().map(|work| work.future);
        let all = join_all(futures);
        let future = Box::pin(async move {
            let (mut whole, mut answers) = (Finished::default(), Vec::new());
            for one in all.await {
                whole.ids.extend(one.ids);
                whole.registered = whole.registered.or(one.registered);
                whole.opened.extend(one.opened);
                whole.refused.extend(one.refused);
                answers.extend(one.answer);
            }
            whole.answer = (!answers.is_empty()).then_some(Value::Array(answers));
            whole
        });
        self.start(Work { future, waits });
    }

    fn start(&mut self, work: Work) {
        let is_starting = *self.phase.borrow() == Phase::Starting;
        if work.waits && is_starting && matches!(self.tie, Tie::Owner(_)) {
            self.held.push(work.future);
        } else {
            self.working.push(work.future);
        }
    }

    fn begin(&mut self, request: Value) -> Work {
        if is_answer(&request) {
            if let Value::Object(fields) = request {
                self.questions.answer(fields);
            }
            return Work::done(None);
        }
        let call = match read(request) {
            Ok(call) => call,
            Err((refusal, id)) => return Work::done(Some(failure(&refusal, &id))),
        };
        let at_once = match call.method.as_str() {
            CANCEL => Some(self.cancel(call.params.clone())),
            UNSUBSCRIBE => Some(self.unsubscribe(call.params.clone())),
            PIECE => Some(self.piece(call.params.clone())),
            _ => None,
        };
        match at_once {
            Some(result) => Work::done(call.id.map(|id| answered(result, &id))),
            None => self.begin_call(call),
        }
    }

    fn begin_call(&mut self, call: Call) -> Work {
        let Call { method, params, id } = call;
        let admitted = self.admit(id.as_ref()).and_then(|given_up| {
            let task = match method.as_str() {
                SUBSCRIBE => Task::Subscribe(self.subscriptions.reserve().ok_or_else(too_many)?),
                REGISTER => Task::Register(self.shapes_start()),
                _ => Task::Operation,
            };
            Ok((given_up, task))
        });
        let (given_up, task) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => return Work::done(id.map(|id| failure(&refusal, &id))),
        };
        let key = id.as_ref().map(Value::to_string);
        if let Some(key) = &key {
            self.running.insert(key.clone(), given_up.clone());
        }
        let waits = matches!(task, Task::Operation);
        let starts = matches!(task, Task::Register(true));
        self.registering |= starts;
        let asker = self.asker.clone();
        let future = Box::pin(async move {
            let result = asker.perform(&task, (method, params), given_up).await;
            let mut finished = Finished {
                ids: key.into_iter().collect(),
                ..Finished::default()
            };
            let answer = match (result, &task) {
                (Ok((answer, Some(feed))), Task::Subscribe(number)) => {
                    finished.opened.push((*number, feed));
                    Ok(answer)
                }
                (Err(refusal), Task::Subscribe(number)) => {
                    finished.refused.push(*number);
                    Err(refusal)
                }
                (result, _) => result.map(|(answer, _)| answer),
            };
            finished.registered = starts.then_some(answer.is_ok());
            finished.answer = id.map(|id| answered(answer, &id));
            finished
        });
        Work { future, waits }
    }

    /// Lets a request in, and says how it is given up.
    fn admit(&self, id: Option<&Value>) -> Result<CancellationToken, Refusal> {
        let works = self.working.len() + self.held.len();
        if works.max(self.running.len()) >= REQUESTS_MAX {
            let message = format!("{REQUESTS_MAX} requests of this session run already");
            return Err(Refusal::new(RefusalKind::Busy, "session.busy", message)
                .hint("wait for answers before you send more")
                .retry_after_ms(1_000));
        }
        match id {
            Some(id) if self.running.contains_key(&id.to_string()) => Err(not_a_request(format!(
                "the id {id} is that of a request that still runs"
            ))),
            _ => Ok(CancellationToken::new()),
        }
    }

    fn cancel(&mut self, params: Value) -> Result<Value, Refusal> {
        let Cancel { id } = Input::of_json(params)?.parse(CANCEL)?;
        let running = self.running.get(&id.to_string());
        let was_running = running.inspect(|given_up| given_up.cancel()).is_some();
        Ok(json!({ "cancelled": was_running }))
    }

    /// Whether what is registered now may be what a start is made of: with the first line of the
    /// program that the mob is run for, while it starts.
    fn shapes_start(&self) -> bool {
        let is_first = self.heard == 1 && matches!(self.tie, Tie::Owner(_));
        is_first && *self.phase.borrow() == Phase::Starting
    }

    fn piece(&mut self, params: Value) -> Result<Value, Refusal> {
        let Piece { id, piece } = Input::of_json(params)?.parse(PIECE)?;
        self.questions.piece(id, piece);
        Ok(json!({}))
    }

    fn unsubscribe(&mut self, params: Value) -> Result<Value, Refusal> {
        let Unsubscribe { subscription } = Input::of_json(params)?.parse(UNSUBSCRIBE)?;
        if self.subscriptions.end(subscription) {
            return Ok(json!({ "subscription": subscription }));
        }
        let message = format!("this session has no subscription {subscription}");
        Err(Refusal::new(
            RefusalKind::Missing,
            "subscription.not_found",
            message,
        ))
    }
}

/// Something that was asked.
struct Work {
    future: BoxFuture<'static, Finished>,
    /// Whether it needs a runtime that has started.
    waits: bool,
}

impl Work {
    fn done(answer: Option<Value>) -> Self {
        let finished = Finished {
            answer,
            ..Finished::default()
        };
        Self {
            future: Box::pin(std::future::ready(finished)),
            waits: false,
        }
    }
}

/// Waits for the end of the start.
async fn started(phase: &mut watch::Receiver<Phase>) {
    // The sender lives as long as the gateway.
    let _ = phase.wait_for(|phase| *phase != Phase::Starting).await;
}

async fn late(deadline: &mut Option<Pin<Box<Sleep>>>) {
    match deadline {
        Some(deadline) => deadline.await,
        None => std::future::pending().await,
    }
}

fn too_large() -> Refusal {
    let message = format!("the message is larger than {MESSAGE_BYTES_MAX} bytes");
    Refusal::new(RefusalKind::Invalid, TOO_LARGE, message)
        .hint("send less at once, or put the text where a tool of the agent can read it")
}

fn too_many() -> Refusal {
    let message = format!("this session has {SUBSCRIPTIONS_MAX} subscriptions already");
    Refusal::new(RefusalKind::Busy, "session.busy", message)
        .hint("end one with `event/unsubscribe`")
}
