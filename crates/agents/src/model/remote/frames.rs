//! Watching the frames of a stream.

use genai::chat::{ChatFrameSink, FrameCtx, RawFrameRef};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts of what came over the wire, which genai's events don't tell.
#[derive(Debug, Default)]
pub(super) struct Frames {
    all: AtomicU64,
    data: AtomicU64,
    blocked: AtomicBool,
}

impl Frames {
    /// Frames so far, keep-alives included.
    pub(super) fn all(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }

    /// Whether something came, but nothing of an event stream: a page, a plain document.
    pub(super) fn only_foreign(&self) -> bool {
        self.all() > 0 && self.data.load(Ordering::Relaxed) == 0
    }

    /// Whether Gemini said that it does not answer what it was asked. genai makes an error of that
    /// in which the reason is lost.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }
}

impl ChatFrameSink for Frames {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        self.all.fetch_add(1, Ordering::Relaxed);
        if !frame.data.is_empty() {
            self.data.fetch_add(1, Ordering::Relaxed);
        }
        if frame.data.contains("\"promptFeedback\"")
            && frame
                .json()
                .is_some_and(|frame| frame["promptFeedback"]["blockReason"].is_string())
        {
            self.blocked.store(true, Ordering::Relaxed);
        }
    }
}
