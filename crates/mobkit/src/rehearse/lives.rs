//! One process of a mob after the other, in virtual time.

use mobkit_domain::time::Time;
use mobkit_engine::{Clock, TokioClock};
use mobkit_store::{MemoryStore, Store, Tap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that can be set while a mob runs.
#[derive(Debug)]
pub struct ShiftedClock {
    true_time: TokioClock,
    shift_ms: AtomicI64,
}

impl ShiftedClock {
    /// Sets it on by so many milliseconds, or back where they are negative.
    pub fn shift_ms(&self, by: i64) {
        self.shift_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// The time that it would show if nobody had ever set it.
    pub fn true_now(&self) -> Time {
        self.true_time.now()
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Time {
        let shift = self.shift_ms.load(Ordering::SeqCst);
        Time(self.true_time.now().0.saturating_add(shift))
    }
}

/// What one process of a mob has of the world: its store, and a clock.
#[derive(Clone)]
pub struct Process {
    /// What earlier processes left, through a tap.
    pub tap: Arc<Tap>,
    /// The clock.
    pub clock: Arc<ShiftedClock>,
}

impl Process {
    /// The tap, as a mob wants it.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.tap) as Arc<dyn Store>
    }
}

/// The processes that a mob has one after the other. What one of them made durable the next one
/// finds.
pub struct Lives {
    memory: MemoryStore,
    true_now: Time,
    shift_ms: i64,
}

impl Lives {
    /// A mob that has not lived yet.
    pub fn starting_at(now: Time) -> Self {
        Self {
            memory: MemoryStore::new(),
            true_now: now,
            shift_ms: 0,
        }
    }

    /// What the clock shows between two processes.
    pub fn now(&self) -> Time {
        Time(self.true_now.0.saturating_add(self.shift_ms))
    }

    /// Lets so many milliseconds pass without a process.
    pub fn pass_ms(&mut self, ms: u64) {
        self.true_now = self.true_now.plus_ms(ms);
    }

    /// The memory in which it lives.
    pub fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// One process, from its first instruction to the moment at which `life` ends: whatever it has
    /// not stopped by then is killed.
    ///
    /// # Errors
    ///
    /// The runtime can't be had from the operating system.
    pub fn live<T>(&mut self, life: impl AsyncFnOnce(Process) -> T) -> std::io::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let (left, clock) = runtime.block_on(async {
            let clock = Arc::new(ShiftedClock {
                true_time: TokioClock::starting_at(self.true_now),
                shift_ms: AtomicI64::new(self.shift_ms),
            });
            let process = Process {
                tap: Arc::new(Tap::over(Arc::new(self.memory.reopen()))),
                clock: Arc::clone(&clock),
            };
            let left = life(process).await;
            // Time ends with the runtime.
            (
                left,
                (clock.true_now(), clock.shift_ms.load(Ordering::SeqCst)),
            )
        });
        (self.true_now, self.shift_ms) = clock;
        Ok(left)
    }
}
