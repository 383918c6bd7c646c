//! Many seeds, one after the other on each of the machine's cores.

use crate::run::{check, run};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    /// The first seed.
    from: u64,
    /// How many.
    seeds: u64,
    /// Whether to print the journal.
    journal: bool,
}

/// Reads the words of the command line.
///
/// # Errors
///
/// A word that is not known, or a number that is none.
pub fn asked(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        from: 0,
        seeds: 1_000,
        journal: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--journal" {
            asked.journal = true;
            continue;
        }
        let number = words.next().and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| format!("{word} needs a whole number"))?;
        match word.as_str() {
            "--seed" => (asked.from, asked.seeds) = (number, 1),
            "--seeds" => asked.seeds = number,
            "--from" => asked.from = number,
            _ => return Err(format!("{word:?} is not known")),
        }
    }
    Ok(asked)
}

/// Runs the seeds, and says of each that fails how to see it again.
pub fn run_all(asked: &Asked) -> ExitCode {
    if asked.journal {
        for line in run(asked.from).journal {
            println!("{line}");
        }
        return ExitCode::SUCCESS;
    }
    let next = AtomicU64::new(asked.from);
    let end = asked.from.saturating_add(asked.seeds);
    let (failed, events) = (AtomicU64::new(0), AtomicU64::new(0));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    match check(seed) {
                        Ok(report) => {
                            events.fetch_add(report.events as u64, Ordering::Relaxed);
                        }
                        Err(problem) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            println!("{problem}\n");
                        }
                    }
                }
            });
        }
    });
    let (failed, events) = (failed.into_inner(), events.into_inner());
    println!(
        "{} seeds from {}: {failed} failed, {events} events",
        asked.seeds, asked.from
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn seeds_are_numbers() {
        let read = |words: &[&str]| asked(&words.iter().map(|&w| w.into()).collect::<Vec<_>>());
        let one = Asked {
            from: 7,
            seeds: 1,
            journal: false,
        };
        assert_eq!(read(&["--seed", "7"]), Ok(one));
        for wrong in [&["--seed"][..], &["--seeds", "many"], &["--sed", "7"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
