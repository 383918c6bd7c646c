//! `mobkit-sim`: runs seeds, and says how to see those again that fail.

use std::process::ExitCode;

const USAGE: &str = "takes --seed N, or --seeds N (1000) and --from S (0); --journal prints the \
                     journal of --seed";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match mobkit_sim::asked(&words) {
        Ok(asked) => mobkit_sim::run_all(&asked),
        Err(problem) => {
            eprintln!("{problem}; {USAGE}");
            ExitCode::from(2)
        }
    }
}
