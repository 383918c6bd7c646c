//! Many measurements of one thing.

use std::time::{Duration, Instant};

/// Measurements, and what half or nearly all of them stay below.
#[derive(Debug, Default, Clone)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// Adds the time since `began`.
    pub fn since(&mut self, began: Instant) {
        self.push(began.elapsed());
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The sample that `share` of all stay at or below.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        sorted.get(at).copied().unwrap_or_default()
    }

    /// Half stay below it.
    pub fn p50(&self) -> Duration {
        self.quantile(0.5)
    }

    /// All but one in a hundred stay below it.
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// Both, for people.
    pub fn show(&self) -> String {
        format!("p50 {}, p99 {}", time(self.p50()), time(self.p99()))
    }
}

/// How late a thread wakes that asks for a millisecond: what others on the same cores take from
/// everything that is measured here.
pub fn lateness(times: usize) -> Samples {
    let asked = Duration::from_millis(1);
    let mut samples = Samples::default();
    for _ in 0..times {
        let began = Instant::now();
        std::thread::park_timeout(asked);
        samples.push(began.elapsed().saturating_sub(asked));
    }
    samples
}

/// A time in the unit that suits it.
pub fn time(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1_000.0 {
        format!("{micros:.0} µs")
    } else if micros < 1e6 {
        format!("{:.2} ms", micros / 1e3)
    } else {
        format!("{:.2} s", micros / 1e6)
    }
}

/// How many a second, in thousands separated by commas.
pub fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// A number with commas.
pub fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many times `of` goes into `value`.
pub fn ratio(value: Duration, of: Duration) -> f64 {
    value.as_secs_f64() / of.as_secs_f64()
}
