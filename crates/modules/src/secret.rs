//! Secrets that a program prints, e.g. a password manager.

use crate::process::start_program;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long the program may take.
pub const SECRET_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a program gave no secret. Never holds what it printed on its standard output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It could not be started.
    #[error("{program} could not be started: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// It ended with an error.
    #[error("{program} ended with {status}")]
    Failed {
        /// The program.
        program: String,
        /// Its exit status.
        status: String,
    },
    /// It took too long and was killed.
    #[error("{program} did not end within {} s", SECRET_TIMEOUT.as_secs())]
    TimedOut {
        /// The program.
        program: String,
    },
    /// It printed no text.
    #[error("{program} printed no text")]
    NoText {
        /// The program.
        program: String,
    },
}

/// Runs a program and returns what it prints, without trailing line ends.
///
/// `environment` is all that it sees. It is killed when the time is over or the caller stops
/// waiting.
pub async fn secret_of_program(
    line: &[String],
    folder: &std::path::Path,
    environment: &[(String, String)],
) -> Result<String, SecretError> {
    let (program, arguments) = match line.split_first() {
        Some((program, arguments)) => (program.clone(), arguments),
        None => {
            return Err(SecretError::NoText {
                program: String::new(),
            });
        }
    };
    let mut command = Command::new(&program);
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = start_program(command)
        .await
        .map_err(|error| SecretError::NotStarted {
            program: program.clone(),
            reason: error.to_string(),
        })?;
    let output = Box::into_pin(child.wait_with_output());
    let output = match tokio::time::timeout(SECRET_TIMEOUT, output).await {
        Err(_) => return Err(SecretError::TimedOut { program }),
        Ok(Err(error)) => {
            return Err(SecretError::NotStarted {
                program,
                reason: error.to_string(),
            });
        }
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        return Err(SecretError::Failed {
            program,
            status: output.status.to_string(),
        });
    }
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        Err(SecretError::NoText { program })
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(line: &[&str]) -> Result<String, SecretError> {
        let line: Vec<String> = line.iter().map(|part| (*part).to_owned()).collect();
        let environment = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        secret_of_program(&line, std::path::Path::new("/"), &environment).await
    }

    #[tokio::test]
    async fn a_secret_is_what_the_program_prints() {
        assert_eq!(run(&["printf", "s3cret\n"]).await, Ok("s3cret".to_owned()));
        let failed = run(&["sh", "-c", "echo leaked; exit 3"])
            .await
            .expect_err("refused");
        assert!(matches!(failed, SecretError::Failed { .. }));
        assert!(!failed.to_string().contains("leaked"));
        assert!(matches!(
            run(&["true"]).await,
            Err(SecretError::NoText { .. })
        ));
        assert!(matches!(
            run(&["no-such-program-x"]).await,
            Err(SecretError::NotStarted { .. })
        ));
    }
}
