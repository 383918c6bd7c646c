//! What one process of the runtime says by itself, on its way to the turns that wait for it.
//!
//! Events come on streams that turns open, calls with the run that makes them. A call stays here
//! until it is answered, so that a turn that takes over from another finds what it owes.

use super::connection::{Connection, Flooded, HEARD_MAX, Listener};
use super::frames::RequestError;
use super::run::arguments;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// A call of a tool that the runtime wants answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Callback {
    /// Under which id it is answered.
    pub(super) id: String,
    /// The run that makes it.
    pub(super) run: String,
    /// Which round of the run.
    pub(super) round: u64,
    /// The id that the model's provider gave the call.
    pub(super) call: String,
    /// The tool, as the runtime knows it.
    pub(super) name: String,
    /// Its arguments.
    pub(super) args: Value,
}

/// What a turn hears.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// An event of its member.
    Event(Value),
    /// Its stream has ended, for this reason; nobody asked for that.
    Ended(String),
    /// A call of its run.
    Call(Callback),
    /// A call came of a run that nobody knows: it may be this turn's.
    Look,
}

/// Where a turn hears.
type Ear = mpsc::Sender<Heard>;

#[derive(Default)]
struct Inner {
    /// Who listens to which stream.
    streams: HashMap<String, Ear>,
    /// How many streams are being opened. Their first events may come before their names.
    opening: usize,
    early: Vec<(String, Heard)>,
    /// Who follows which run.
    runs: HashMap<String, Ear>,
    /// Calls that are not answered, in the order of their arrival.
    calls: Vec<Callback>,
}

/// What one process of the runtime says.
#[derive(Default)]
pub(super) struct Router {
    inner: Mutex<Inner>,
}

impl Router {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the calls of a run, those that came already and those that come.
    pub(super) fn follow(&self, run: &str, ear: &Ear) -> Vec<Callback> {
        let mut inner = self.lock();
        inner.runs.insert(run.to_owned(), ear.clone());
        let calls = inner.calls.iter().filter(|call| call.run == run);
        calls.cloned().collect()
    }

    /// Lets a run go; its calls wait for whoever follows it next.
    pub(super) fn leave(&self, run: &str, ear: &Ear) {
        let mut inner = self.lock();
        if inner
            .runs
            .get(run)
            .is_some_and(|known| known.same_channel(ear))
        {
            inner.runs.remove(run);
        }
    }

    /// Answers a call, unless it was answered before.
    pub(super) fn answer(&self, connection: &Connection, id: &str, (text, failed): (&str, bool)) {
        let mut inner = self.lock();
        let before = inner.calls.len();
        inner.calls.retain(|call| call.id != id);
        let is_owed = inner.calls.len() < before;
        drop(inner);
        if is_owed {
            connection.answer(id, Ok(json!({"content": text, "is_error": failed})));
        }
    }

    fn tell(ear: &Ear, heard: Heard) -> Result<(), Flooded> {
        match ear.try_send(heard) {
            Err(TrySendError::Full(_)) => Err(Flooded),
            // Who does not listen any longer does not miss it.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        }
    }

    fn on_stream(&self, stream: &str, heard: Heard) -> Result<(), Flooded> {
        let mut inner = self.lock();
        if let Some(ear) = inner.streams.get(stream) {
            return Self::tell(ear, heard);
        }
        if inner.opening > 0 {
            if inner.early.len() >= HEARD_MAX {
                return Err(Flooded);
            }
            inner.early.push((stream.to_owned(), heard));
        }
        Ok(())
    }

    fn adopt(&self, stream: &str, ear: &Ear) {
        let mut inner = self.lock();
        inner.streams.insert(stream.to_owned(), ear.clone());
        let early = std::mem::take(&mut inner.early);
        for (of, heard) in early {
            if of == stream {
                // Where the ear is full the stream is full of holes, which its end would say too.
                let _ = Self::tell(ear, heard);
            } else {
                inner.early.push((of, heard));
            }
        }
    }
}

impl Listener for Router {
    fn notification(&self, method: &str, mut params: Value) -> Result<(), Flooded> {
        let stream = params.get("stream_id").and_then(Value::as_str);
        let Some(stream) = stream.map(str::to_owned) else {
            return Ok(());
        };
        match method {
            "mob/stream_event" => {
                let event = params.get_mut("event").map(Value::take).unwrap_or_default();
                self.on_stream(&stream, Heard::Event(payload(event)))
            }
            "mob/stream_end" => {
                let reason = end_of_stream(&params);
                self.on_stream(&stream, Heard::Ended(reason))
            }
            _ => Ok(()),
        }
    }

    fn call(&self, id: String, method: &str, params: Value) -> Result<(), Flooded> {
        let Some(call) = callback(id, &params).filter(|_| method == "tool/execute") else {
            tracing::warn!(method, "the engine makes a call that is not known here");
            return Ok(());
        };
        let mut inner = self.lock();
        if inner.calls.len() >= HEARD_MAX {
            return Err(Flooded);
        }
        inner.calls.push(call.clone());
        if let Some(ear) = inner.runs.get(&call.run) {
            return Self::tell(ear, Heard::Call(call));
        }
        for ear in inner.streams.values() {
            Self::tell(ear, Heard::Look)?;
        }
        Ok(())
    }

    fn closed(&self, _reason: &str) {
        // Turns see the end of the connection themselves.
        *self.lock() = Inner::default();
    }
}

/// The event itself, without what surrounds it.
fn payload(mut event: Value) -> Value {
    let envelope = match event.get_mut("envelope") {
        Some(envelope) => envelope.take(),
        None => event,
    };
    match envelope {
        Value::Object(mut fields) => fields.remove("payload").unwrap_or_default(),
        _ => Value::Null,
    }
}

fn end_of_stream(params: &Value) -> String {
    let outcome = params
        .get("outcome")
        .and_then(Value::as_str)
        .unwrap_or("no outcome");
    let code = params.pointer("/error/code").and_then(Value::as_str);
    match code {
        Some(code) => format!("its stream ended with {outcome}: {code}"),
        None => format!("its stream ended with {outcome}"),
    }
}

fn callback(id: String, params: &Value) -> Option<Callback> {
    let key = params.get("dedupe_key")?;
    Some(Callback {
        id,
        run: key.get("run_id")?.as_str()?.to_owned(),
        round: key.get("round").and_then(Value::as_u64).unwrap_or(0),
        call: key.get("call_id")?.as_str()?.to_owned(),
        name: params.get("name")?.as_str()?.to_owned(),
        args: arguments(params.get("arguments")),
    })
}

/// The events of one member, heard by one turn.
pub(super) struct Stream {
    id: String,
    router: Arc<Router>,
    connection: Connection,
}

/// A stream that is being opened.
struct Opening<'a>(&'a Router);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        // The connection may have ended meanwhile, and nothing is counted any longer.
        inner.opening = inner.opening.saturating_sub(1);
        if inner.opening == 0 {
            inner.early.clear();
        }
    }
}

impl Stream {
    /// Opens the stream of a member. It has everything from now on.
    pub(super) async fn open(
        (router, connection): (&Arc<Router>, &Connection),
        (mob, member): (&str, &str),
        ear: &Ear,
    ) -> Result<Self, RequestError> {
        router.lock().opening += 1;
        let opening = Opening(router);
        let params = json!({"mob_id": mob, "agent_identity": member});
        let opened = connection.request("mob/stream_open", params).await?;
        let id = opened
            .get("stream_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        router.adopt(&id, ear);
        drop(opening);
        Ok(Self {
            id,
            router: Arc::clone(router),
            connection: connection.clone(),
        })
    }

    /// Closes it, and does not wait for that.
    pub(super) async fn close(self) {
        let (connection, id) = (self.connection.clone(), self.id.clone());
        drop(self);
        // It may be gone with the runtime, or by itself.
        let _ = connection
            .request("mob/stream_close", json!({"stream_id": id}))
            .await;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.router.lock().streams.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, run: &str) -> (String, Value) {
        let key = json!({"run_id": run, "round": 2, "call_id": "c1"});
        let params = json!({"name": "mobkit_now", "arguments": {"q": 1}, "dedupe_key": key});
        (id.to_owned(), params)
    }

    #[test]
    fn events_that_come_before_the_name_of_their_stream_are_kept() {
        let router = Router::default();
        let (ear, mut heard) = mpsc::channel(8);
        router.lock().opening = 1;
        let event = |kind: &str| {
            let payload = json!({"type": kind});
            json!({"stream_id": "s1", "event": {"envelope": {"payload": payload}}})
        };
        let told = router.notification("mob/stream_event", event("run_started"));
        assert_eq!(told, Ok(()));
        router.adopt("s1", &ear);
        let plain = json!({"stream_id": "s1", "event": {"payload": {"type": "turn_started"}}});
        assert_eq!(router.notification("mob/stream_event", plain), Ok(()));
        let end = json!({
            "stream_id": "s1", "outcome": "terminal_error",
            "error": {"code": "stream_queue_overflow"},
        });
        assert_eq!(router.notification("mob/stream_end", end), Ok(()));
        let kinds = [heard.try_recv(), heard.try_recv()];
        let expected = ["run_started", "turn_started"];
        assert_eq!(
            kinds,
            expected.map(|kind| Ok(Heard::Event(json!({"type": kind}))))
        );
        let Ok(Heard::Ended(reason)) = heard.try_recv() else {
            panic!("the end of the stream is told");
        };
        assert!(reason.contains("stream_queue_overflow"), "{reason}");
    }

    #[test]
    fn a_call_waits_until_its_run_is_followed() {
        let router = Router::default();
        let (ear, mut heard) = mpsc::channel(8);
        router.adopt("s1", &ear);
        let (id, params) = call("srv-0", "r1");
        assert_eq!(router.call(id, "tool/execute", params), Ok(()));
        assert_eq!(heard.try_recv(), Ok(Heard::Look));
        let waiting = router.follow("r1", &ear);
        let found: Vec<(&str, u64)> = waiting
            .iter()
            .map(|call| (call.id.as_str(), call.round))
            .collect();
        assert_eq!(found, [("srv-0", 2)]);
        let (id, params) = call("srv-1", "r1");
        assert_eq!(router.call(id, "tool/execute", params), Ok(()));
        assert!(matches!(heard.try_recv(), Ok(Heard::Call(call)) if call.id == "srv-1"));
        router.leave("r1", &ear);
        let (other, _) = mpsc::channel(8);
        assert_eq!(
            router.follow("r1", &other).len(),
            2,
            "who takes over finds what is owed"
        );
    }

    #[test]
    fn who_does_not_listen_is_flooded() {
        let router = Router::default();
        let (ear, _heard) = mpsc::channel(1);
        router.adopt("s1", &ear);
        let event = || json!({"stream_id": "s1", "event": {"payload": {}}});
        assert_eq!(router.notification("mob/stream_event", event()), Ok(()));
        assert_eq!(
            router.notification("mob/stream_event", event()),
            Err(Flooded)
        );
    }
}
