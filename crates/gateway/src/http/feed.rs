//! A stream of events: pulled from the journal as fast as its reader takes it, and no faster.

use super::frame::Frame;
use super::negotiate::Format;
use crate::cursor::cursor_refusal;
use bytes::Bytes;
use mobkit_domain::event::{EventFilter, Source};
use mobkit_domain::id::Seq;
use mobkit_engine::{CursorError, Delta, Engine, EventReader, Published};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// How long a stream is silent at most.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events of one chunk at most: what a reader that stalls costs.
const CHUNK_EVENTS_MAX: usize = 128;
/// Deltas of one chunk at most.
const CHUNK_DELTAS_MAX: usize = 256;

/// Where a stream is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Flowing,
    Ended,
}

/// What ends the wait for the next chunk.
enum Wake {
    Events(Result<Option<Vec<Arc<Published>>>, CursorError>),
    Delta(Delta),
    Silence,
}

/// A stream in the making.
pub(super) struct Feed {
    pub engine: Engine,
    pub reader: EventReader,
    /// The lossy lane, where it is wanted.
    pub deltas: Option<Deltas>,
    pub format: Format,
    /// The position at which the stream ends; `None`: it waits for what is still to come.
    pub until: Option<Seq>,
    stage: Stage,
}

impl Feed {
    pub fn of(engine: Engine, reader: EventReader, format: Format, until: Option<Seq>) -> Self {
        Self {
            engine,
            reader,
            deltas: None,
            format,
            until,
            stage: Stage::Opening,
        }
    }

    /// The next chunk; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let mut frame = Frame::of(self.format);
            match self.stage {
                Stage::Ended => return None,
                Stage::Opening => {
                    self.stage = Stage::Flowing;
                    if self.until.is_none() {
                        frame.opening(self.reader.cursor());
                    }
                }
                Stage::Flowing => match self.until {
                    Some(until) => self.read_on(until, &mut frame).await,
                    None => self.follow(&mut frame).await,
                },
            }
            if !frame.is_empty() {
                return Some(frame.into_bytes());
            }
        }
    }

    /// One page of a stream that ends.
    async fn read_on(&mut self, until: Seq, frame: &mut Frame) {
        if self.reader.cursor() >= until {
            self.stage = Stage::Ended;
            return;
        }
        match self.reader.ready(CHUNK_EVENTS_MAX).await {
            Ok(events) => {
                for event in events
                    .iter()
                    .take_while(|event| event.envelope.seq <= until)
                {
                    frame.event(event);
                }
                if events.is_empty() {
                    self.stage = Stage::Ended;
                }
            }
            Err(error) => self.fail(&error, frame),
        }
    }

    /// Waits for whatever comes next.
    async fn follow(&mut self, frame: &mut Frame) {
        let wake = tokio::select! {
            biased;
            events = self.reader.next(CHUNK_EVENTS_MAX) => Wake::Events(events),
            delta = next_delta(&mut self.deltas) => Wake::Delta(delta),
            () = tokio::time::sleep(HEARTBEAT) => Wake::Silence,
        };
        match wake {
            Wake::Events(events) => {
                // What was said before the event that records it comes before it.
                self.drain_deltas(frame);
                match events {
                    Ok(Some(events)) => events.iter().for_each(|event| frame.event(event)),
                    Ok(None) => {
                        frame.stopping();
                        self.stage = Stage::Ended;
                    }
                    Err(error) => self.fail(&error, frame),
                }
            }
            Wake::Delta(delta) => {
                frame.delta(&delta);
                self.drain_deltas(frame);
            }
            Wake::Silence => frame.heartbeat(self.reader.cursor()),
        }
    }

    fn drain_deltas(&mut self, frame: &mut Frame) {
        let Some(deltas) = &mut self.deltas else {
            return;
        };
        for _ in 0..CHUNK_DELTAS_MAX {
            match deltas.receiver.try_recv() {
                Ok(delta) if deltas.wants(&delta) => frame.delta(&delta),
                Ok(_) | Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn fail(&mut self, error: &CursorError, frame: &mut Frame) {
        if self.engine.closing().is_cancelled() {
            frame.stopping();
        } else {
            frame.problem(&cursor_refusal(error));
        }
        self.stage = Stage::Ended;
    }
}

/// The lossy lane of a stream. What its reader is too slow for is gone.
pub(super) struct Deltas {
    receiver: Receiver<Delta>,
    filter: EventFilter,
}

impl Deltas {
    /// From here on; `filter` is that of the stream, in which kinds say nothing about deltas.
    pub fn of(engine: &Engine, filter: &EventFilter) -> Self {
        let filter = EventFilter {
            kinds: Vec::new(),
            ..filter.clone()
        };
        Self {
            receiver: engine.deltas(),
            filter,
        }
    }

    fn wants(&self, delta: &Delta) -> bool {
        self.filter
            .matches("delta", &format!("member/{}", delta.member), Source::Agent)
    }
}

/// The next delta that is wanted; waits for ever where none are.
async fn next_delta(deltas: &mut Option<Deltas>) -> Delta {
    let Some(deltas) = deltas else {
        return std::future::pending().await;
    };
    loop {
        match deltas.receiver.recv().await {
            Ok(delta) if deltas.wants(&delta) => return delta,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
