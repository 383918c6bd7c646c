//! Secrets from where the mob file says they are.

use async_trait::async_trait;
use mobkit_delivery::Settings;
use mobkit_domain::definition::{Secret, Setting};
use mobkit_modules::{Environment, SecretError, secret_of_program};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How environment variables are looked up; the library itself reads none.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Why a secret can't be had. Names the place, never the secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretMissing {
    #[error("environment variable {0} is not set")]
    Variable(String),
    #[error("file {path} can't be read: {reason}")]
    File { path: String, reason: String },
    #[error(transparent)]
    Program(#[from] SecretError),
}

/// Fetches a secret.
pub(crate) async fn fetch(
    secret: &Secret,
    folder: &Path,
    variables: &Variables,
) -> Result<String, SecretMissing> {
    match secret {
        Secret::Env(name) => variables(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| SecretMissing::Variable(name.clone())),
        Secret::File(path) => match std::fs::read_to_string(folder.join(path)) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => Err(SecretMissing::File {
                path: path.clone(),
                reason: error.to_string(),
            }),
        },
        Secret::Command(line) => {
            let seen = ["PATH", "HOME"];
            let environment: Vec<(String, String)> = seen
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), variables(name)?)))
                .collect();
            Ok(secret_of_program(line, folder, &environment).await?)
        }
    }
}

/// Whether a secret can be had: it is looked up as a start would, and dropped. `folder` is that of
/// the mob file. The error names its place, never its value.
pub async fn find_secret(
    secret: &Secret,
    folder: &Path,
    variables: &Variables,
) -> Result<(), String> {
    let found = fetch(secret, folder, variables).await;
    match found {
        Ok(value) if value.is_empty() => Err(format!("{secret} is empty")),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// What modules get of the host: variables, and secrets from where the mob file says they are.
pub(crate) struct HostEnvironment {
    pub(crate) folder: PathBuf,
    pub(crate) variables: Variables,
}

#[async_trait]
impl Environment for HostEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name)
    }

    async fn setting(&self, setting: &Setting) -> Result<String, String> {
        match setting {
            Setting::Text(text) => Ok(text.clone()),
            Setting::Secret(secret) => fetch(secret, &self.folder, &self.variables)
                .await
                .map_err(|error| error.to_string()),
        }
    }
}

/// What sinks get of the host: the same.
#[async_trait]
impl Settings for HostEnvironment {
    async fn setting(&self, setting: &Setting) -> Result<String, String> {
        Environment::setting(self, setting).await
    }

    async fn secret(&self, secret: &Secret) -> Result<String, String> {
        Environment::setting(self, &Setting::Secret(secret.clone())).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_setting_is_itself_or_its_secret_and_an_error_names_the_place() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("key"), "s3cret\n").expect("a file");
        let host = HostEnvironment {
            folder: folder.path().to_owned(),
            variables: Arc::new(|name| (name == "TOKEN").then(|| "t0ken".to_owned())),
        };
        let text = Setting::Text("plain".to_owned());
        assert_eq!(
            Environment::setting(&host, &text).await,
            Ok("plain".to_owned())
        );
        let secret = |secret| Setting::Secret(secret);
        let token = secret(Secret::Env("TOKEN".to_owned()));
        assert_eq!(
            Environment::setting(&host, &token).await,
            Ok("t0ken".to_owned())
        );
        let file = secret(Secret::File("key".to_owned()));
        assert_eq!(
            Environment::setting(&host, &file).await,
            Ok("s3cret".to_owned())
        );
        assert_eq!(host.variable("TOKEN").as_deref(), Some("t0ken"));
        assert_eq!(host.variable("PATH"), None);
        let script = "echo s3cret; exit 1".to_owned();
        let program = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
        for (missing, place) in [
            (Secret::Env("OTHER".to_owned()), "variable OTHER"),
            (Secret::File("no-key".to_owned()), "no-key"),
            (Secret::Command(program), "/bin/sh"),
        ] {
            let error = Environment::setting(&host, &secret(missing))
                .await
                .expect_err("missing");
            assert!(
                error.contains(place) && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
