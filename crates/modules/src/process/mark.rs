//! The mark that every process of a module carries, so that it is found wherever it went.

use mobkit_domain::id::ModuleId;
use rustix::rand::GetRandomFlags;
use std::fmt::Write;

/// The environment variable that carries it. Children inherit it, whatever group or session they
/// make for themselves.
pub(crate) const MARK_VARIABLE: &str = "MOBKIT_MODULE";
const TOKEN_BYTES: usize = 16;

/// What the modules of one runtime have in common and nobody else has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

/// What is looked for in the environment of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// That of one module: the whole value.
    Module(String),
    /// That of any module of a runtime: what the value begins with.
    Runtime(String),
}

impl Token {
    /// Draws one. The error says why the operating system gave no chance.
    #[expect(
        clippy::disallowed_methods,
        reason = "a name that nobody else has, for processes that no replay starts again"
    )]
    pub(crate) fn draw() -> Result<Self, String> {
        let mut bytes = [0_u8; TOKEN_BYTES];
        let filled = rustix::rand::getrandom(&mut bytes[..], GetRandomFlags::empty())
            .map_err(|error| format!("the operating system gives no random bytes: {error}"))?;
        if filled != TOKEN_BYTES {
            return Err("the operating system gave too few random bytes".to_owned());
        }
        let mut text = String::with_capacity(2 * TOKEN_BYTES);
        for byte in bytes {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        }
        Ok(Self(text))
    }

    /// The token as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The mark of a module.
    pub(crate) fn module(&self, module: &ModuleId) -> Mark {
        Mark::Module(format!("{}/{module}", self.0))
    }

    /// The mark of a process that is no module; no module has an id with a colon.
    pub(super) fn other(&self, name: &str) -> Mark {
        Mark::Module(format!("{}/other:{name}", self.0))
    }

    /// What all modules have.
    pub(crate) fn runtime(&self) -> Mark {
        Mark::Runtime(format!("{}/", self.0))
    }
}

impl Mark {
    /// The value of the variable, as far as it is given.
    pub(crate) fn value(&self) -> &str {
        match self {
            Self::Module(value) | Self::Runtime(value) => value,
        }
    }

    /// Whether an environment carries it, as `/proc` shows it: entries that end with a NUL.
    pub(crate) fn is_in(&self, environment: &[u8]) -> bool {
        environment.split(|byte| *byte == 0).any(|entry| {
            let value = entry
                .strip_prefix(MARK_VARIABLE.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="));
            match self {
                Self::Module(whole) => value == Some(whole.as_bytes()),
                Self::Runtime(start) => {
                    value.is_some_and(|value| value.starts_with(start.as_bytes()))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_the_environments_of_its_own() {
        let (ours, theirs) = (
            Token::draw().expect("a token"),
            Token::draw().expect("a token"),
        );
        assert_ne!(ours, theirs);
        let id = |text: &str| ModuleId::parse(text).expect("a module id");
        let environment = format!("PATH=/bin\0MOBKIT_MODULE={}/a\0X=1\0", ours.as_str());
        let environment = environment.as_bytes();
        assert!(ours.module(&id("a")).is_in(environment));
        assert!(ours.runtime().is_in(environment));
        assert!(!ours.module(&id("a2")).is_in(environment));
        assert!(!theirs.runtime().is_in(environment));
        assert!(!ours.runtime().is_in(b""));
        let quoted = format!("X=MOBKIT_MODULE={}/a\0", ours.as_str());
        assert!(!ours.runtime().is_in(quoted.as_bytes()));
    }
}
