//! A test that runs itself again in a process of its own, for what a process is told at its start.

use std::process::Command;

const MARK: &str = "MOBKIT_TEST_AGAIN";

/// What the second run is told; `None` in the first one.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is told by its environment what it is"
)]
pub fn is_again() -> Option<String> {
    std::env::var(MARK).ok()
}

/// Runs the test of this path once more, telling it something, with these variables; it must pass.
pub fn again(test: &str, told: &str, variables: &[(&str, &str)]) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--nocapture"])
        .env(MARK, told);
    command.envs(variables.iter().copied());
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "no such test: {test}\n{said}");
}
