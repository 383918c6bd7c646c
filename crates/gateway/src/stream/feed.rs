//! A stream of events: pulled from the journal as fast as its reader takes it, and no faster.

use super::deltas::Deltas;
use super::frame::{Form, Frame};
use crate::cursor::cursor_refusal;
use bytes::Bytes;
use mobkit_domain::id::Seq;
use mobkit_engine::{CursorError, Engine, EventReader, Published};
use std::sync::Arc;
use std::time::Duration;

/// How long a stream is silent at most.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events of one chunk at most: what a reader that stalls costs.
const CHUNK_EVENTS_MAX: usize = 128;

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
    Delta,
    Silence,
}

/// A stream in the making.
pub(crate) struct Feed {
    engine: Engine,
    reader: EventReader,
    /// The lossy lane, where it is wanted.
    pub(super) deltas: Option<Deltas>,
    form: Form,
    /// The position at which the stream ends; `None`: it waits for what is still to come.
    until: Option<Seq>,
    stage: Stage,
}

impl Feed {
    pub fn of(engine: Engine, reader: EventReader, form: Form, until: Option<Seq>) -> Self {
        Self {
            engine,
            reader,
            deltas: None,
            form,
            until,
            stage: Stage::Opening,
        }
    }

    /// The position up to which the stream has searched.
    pub fn cursor(&self) -> Seq {
        self.reader.cursor()
    }

    /// The next chunk, of whole items; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            let mut frame = Frame::of(self.form);
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
        let wake = if self.deltas.as_ref().is_some_and(Deltas::is_holding) {
            // The start of a turn is in the journal before its text is in the lane.
            Wake::Events(self.reader.ready(CHUNK_EVENTS_MAX).await.map(Some))
        } else {
            tokio::select! {
                biased;
                events = self.reader.next(CHUNK_EVENTS_MAX) => Wake::Events(events),
                () = arrival(&mut self.deltas) => Wake::Delta,
                () = tokio::time::sleep(HEARTBEAT) => Wake::Silence,
            }
        };
        match wake {
            Wake::Events(Ok(Some(events))) => self.write(&events, frame),
            Wake::Events(Ok(None)) => {
                self.write(&[], frame);
                frame.stopping();
                self.stage = Stage::Ended;
            }
            Wake::Events(Err(error)) => self.fail(&error, frame),
            // It is held now, and written once the events before it are.
            Wake::Delta => {}
            Wake::Silence => frame.heartbeat(self.reader.cursor()),
        }
    }

    /// Writes events, and each delta in its place: after the start of its turn, and before the
    /// event that records what it is a piece of. Without events the reader is at the head, and
    /// nothing is held back any longer.
    fn write(&mut self, events: &[Arc<Published>], frame: &mut Frame) {
        let Some(deltas) = &mut self.deltas else {
            for event in events {
                frame.event(event);
            }
            return;
        };
        deltas.fill();
        for event in events {
            for delta in deltas.before(&event.envelope) {
                frame.delta(&delta);
            }
            frame.event(event);
        }
        let searched = match events {
            [] => Seq::MAX,
            _ => self.reader.cursor(),
        };
        for delta in deltas.until(searched) {
            frame.delta(&delta);
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

/// Waits until a delta has come; for ever where none are wanted.
async fn arrival(deltas: &mut Option<Deltas>) {
    match deltas {
        Some(deltas) => deltas.arrive().await,
        None => std::future::pending().await,
    }
}
