//! The environment of a host, as a test wants it.

use async_trait::async_trait;
use mobkit_domain::definition::{Secret, Setting};
use mobkit_modules::Environment;
use std::collections::BTreeMap;

/// What modules get of the host.
pub struct Host(pub BTreeMap<String, String>);

impl Host {
    /// A host with the search path of the test, so that its modules find their interpreter.
    #[expect(clippy::disallowed_methods, reason = "a test finds its interpreter")]
    pub fn plain() -> Self {
        let path = std::env::var("PATH").expect("there is a search path");
        let home = std::env::var("HOME").unwrap_or_else(|_| "/".to_owned());
        let variables = [
            ("PATH", path.as_str()),
            ("HOME", home.as_str()),
            ("LANG", "C.UTF-8"),
            ("SECRET_OF_HOST", "nobody is told"),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(variables.into_iter().map(owned).collect())
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }
}

#[async_trait]
impl Environment for Host {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    async fn setting(&self, setting: &Setting) -> Result<String, String> {
        match setting {
            Setting::Text(text) => Ok(text.clone()),
            Setting::Secret(Secret::Env(name)) => {
                let value = self.variable(name);
                value.ok_or_else(|| format!("environment variable {name} is not set"))
            }
            Setting::Secret(secret) => Err(format!("{secret} is not of these tests")),
        }
    }
}
