//! What modules get of the host.

use crate::redaction::Redaction;
use async_trait::async_trait;
use mobkit_domain::command::Ended;
use mobkit_domain::definition::{Secret, Setting};
use std::collections::BTreeMap;

/// What modules get of the host: nothing is read from the environment of the process here.
#[async_trait]
pub trait Environment: Send + Sync + 'static {
    /// A variable of the host's environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// The value of a setting, which may be a secret. The error names the place, never the value.
    async fn setting(&self, setting: &Setting) -> Result<String, String>;
}

/// What a child gets of the host without being asked for.
const PASSED_ON: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// The settings of a module with their values, and what of them is secret.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) values: BTreeMap<String, String>,
    pub(super) secrets: Vec<String>,
}

/// Why a setting can't be had.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
pub(super) struct SettingMissing {
    name: String,
    reason: String,
    is_lasting: bool,
}

impl SettingMissing {
    /// What a restart policy is to make of it: the environment of this process never changes, what
    /// a file or a program says may.
    pub(super) fn ended(&self) -> Ended {
        if self.is_lasting {
            Ended::Hopeless
        } else {
            Ended::Failure
        }
    }
}

impl Settings {
    /// Looks up the values.
    pub(super) async fn resolve(
        settings: &BTreeMap<String, Setting>,
        environment: &dyn Environment,
    ) -> Result<Self, SettingMissing> {
        let mut found = Self::default();
        for (name, setting) in settings {
            let value = environment.setting(setting).await;
            let value = value.map_err(|reason| SettingMissing {
                name: name.clone(),
                reason,
                is_lasting: matches!(setting, Setting::Secret(Secret::Env(_))),
            })?;
            if matches!(setting, Setting::Secret(_)) {
                found.secrets.push(value.clone());
            }
            found.values.insert(name.clone(), value);
        }
        Ok(found)
    }

    /// What keeps the secrets out of what is recorded.
    pub(super) fn redaction(&self) -> Redaction {
        Redaction::of(self.secrets.iter().cloned())
    }

    /// As the environment of a child: with what every child gets.
    pub(super) fn environment(self, host: &dyn Environment) -> BTreeMap<String, String> {
        let passed_on = PASSED_ON.iter().filter_map(|name| {
            let value = host.variable(name)?;
            Some(((*name).to_owned(), value))
        });
        let mut whole: BTreeMap<String, String> = passed_on.collect();
        whole.extend(self.values);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Host;

    #[async_trait]
    impl Environment for Host {
        fn variable(&self, name: &str) -> Option<String> {
            (name != "TZ").then(|| format!("the {name} of the host"))
        }

        async fn setting(&self, setting: &Setting) -> Result<String, String> {
            match setting {
                Setting::Text(text) => Ok(text.clone()),
                Setting::Secret(Secret::File(path)) => Ok(format!("secret of {path}")),
                Setting::Secret(secret) => Err(format!("{secret} is not there")),
            }
        }
    }

    #[tokio::test]
    async fn a_child_gets_what_is_listed_and_four_variables_of_the_host() {
        let settings = BTreeMap::from([
            ("LANG".to_owned(), Setting::Text("C".to_owned())),
            (
                "KEY".to_owned(),
                Setting::Secret(Secret::File("key".to_owned())),
            ),
        ]);
        let found = Settings::resolve(&settings, &Host).await.expect("found");
        assert_eq!(found.secrets, ["secret of key"]);
        let environment: Vec<_> = found.environment(&Host).into_iter().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted = [
            pair("HOME", "the HOME of the host"),
            pair("KEY", "secret of key"),
            pair("LANG", "C"),
            pair("PATH", "the PATH of the host"),
        ];
        assert_eq!(environment, wanted);
    }

    #[tokio::test]
    async fn a_setting_that_is_missing_is_named_with_its_place() {
        let of = |secret| BTreeMap::from([("KEY".to_owned(), Setting::Secret(secret))]);
        let missing = async |secret| {
            let found = Settings::resolve(&of(secret), &Host).await;
            found.err().expect("missing")
        };
        let variable = missing(Secret::Env("TOKEN".to_owned())).await;
        assert_eq!(
            variable.to_string(),
            "KEY: environment variable TOKEN is not there"
        );
        assert_eq!(variable.ended(), Ended::Hopeless);
        let program = missing(Secret::Command(vec!["pass".to_owned()])).await;
        assert_eq!(program.ended(), Ended::Failure);
    }
}
