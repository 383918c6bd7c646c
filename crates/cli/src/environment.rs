//! The one place that looks at the process's surroundings: variables, folder, clock, chance.

use crate::failure::{Exit, Failure};
use crate::hex::hex;
use std::path::PathBuf;

/// What a variable of the environment holds; `None` where it is absent, empty or not text.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the environment is read"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder in which the command was typed.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the environment is read"
)]
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(
            Exit::Failed,
            "folder.gone",
            format!("the current folder: {error}"),
        )
    })
}

/// Whether no process has this number. One that belongs to somebody else is there.
pub(crate) fn is_gone(pid: i32) -> bool {
    rustix::process::Pid::from_raw(pid)
        .is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

/// A folder for what is thrown away at once, with a name that nobody else has; it is not made.
#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the environment is read"
)]
pub(crate) fn scratch(name: &str) -> Result<PathBuf, Failure> {
    Ok(std::env::temp_dir().join(format!("{name}-{}", random_key()?)))
}

/// The present time, for ages in tables.
#[expect(
    clippy::disallowed_methods,
    reason = "ages in tables are ages at the time of typing"
)]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Sixteen bytes that nobody else has, in hex: the key of a message that was typed once.
#[expect(
    clippy::disallowed_methods,
    reason = "a key must differ from every other sender's"
)]
pub(crate) fn random_key() -> Result<String, Failure> {
    let failed = |why: String| Failure::new(Exit::Failed, "chance.unavailable", why);
    let mut bytes = [0_u8; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| failed(format!("the system gives no random bytes: {error}")))?;
    if filled < bytes.len() {
        return Err(failed("the system gives too few random bytes".to_owned()));
    }
    Ok(hex(&bytes))
}
