//! Which server, and with which token.

use crate::failure::{Exit, Failure};
use reqwest::Url;
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Name of the state directory beside the mob file.
pub(crate) const STATE_FOLDER: &str = ".mobkit";
/// Name of the file that says where the server is.
pub(crate) const SERVER_FILE: &str = "server.json";
/// Name of the file that holds the token of the operator.
pub(crate) const TOKEN_FILE: &str = "operator.token";

/// Where to look for the server. Looked at anew for every attempt, since a server that starts again
/// may have another port.
#[derive(Debug, Clone)]
pub(crate) struct Locator {
    /// Named on the command line or in the environment.
    pub url: Option<Url>,
    /// Named on the command line or in the environment.
    pub token: Option<String>,
    /// The state directory.
    pub state: PathBuf,
}

/// A server, as far as a request needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub url: Url,
    pub token: Option<String>,
    /// The process, where the state directory names it.
    pub pid: Option<i32>,
}

/// What a running server writes down. It may hold more.
#[derive(Deserialize)]
struct ServerFile {
    url: String,
    pid: Option<i32>,
}

impl Locator {
    /// The server that is named, or else the one that left its address in the state directory.
    pub fn locate(&self) -> Result<Server, Failure> {
        let token = self.token.clone();
        let Some(url) = self.url.clone() else {
            let (url, pid) = self.recorded()?;
            let token = token.map_or_else(|| self.own_token(), |t| Ok(Some(t)))?;
            return Ok(Server { url, token, pid });
        };
        if token.is_some() {
            return Ok(Server {
                url,
                token,
                pid: None,
            });
        }
        // The token of the state directory is for the server of the state directory alone.
        let is_own = self
            .recorded()
            .is_ok_and(|(own, _)| own.origin() == url.origin());
        let token = if is_own { self.own_token()? } else { None };
        Ok(Server {
            url,
            token,
            pid: None,
        })
    }

    fn recorded(&self) -> Result<(Url, Option<i32>), Failure> {
        let path = self.state.join(SERVER_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if is_absent(error.kind()) => {
                let message = format!("no server runs here: there is no {}", path.display());
                return Err(
                    Failure::new(Exit::Unreachable, "server.not_running", message).passing(None),
                );
            }
            Err(error) => return Err(unreadable(&path, &error)),
        };
        // A file that is being written reads well the next time.
        serde_json::from_str::<ServerFile>(&text)
            .map_err(|error| error.to_string())
            .and_then(|file| Ok((parse_url(&file.url)?, file.pid)))
            .map_err(|error| {
                let message = format!("{} is not what a server writes: {error}", path.display());
                Failure::new(Exit::Unreachable, "server.unknown", message).passing(None)
            })
    }

    fn own_token(&self) -> Result<Option<String>, Failure> {
        let path = self.state.join(TOKEN_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty())),
            Err(error) if is_absent(error.kind()) => Ok(None),
            Err(error) => Err(unreadable(&path, &error)),
        }
    }
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == ErrorKind::PermissionDenied {
        Exit::Denied
    } else {
        Exit::Failed
    };
    Failure::new(
        exit,
        "state.unreadable",
        format!("cannot read {}: {error}", path.display()),
    )
    .hint("run the command as the user who started the server, or pass --url and --token")
}

/// Reads an address; a host and port are enough.
pub(crate) fn parse_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let mut url = Url::parse(&whole).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("write http://HOST:PORT or https://HOST".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address holds no password; use --token".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locator(state: &Path, url: Option<&str>, token: Option<&str>) -> Locator {
        Locator {
            url: url.map(|url| parse_url(url).expect("an address")),
            token: token.map(str::to_owned),
            state: state.to_owned(),
        }
    }

    fn check(locator: &Locator, url: &str, token: Option<&str>) {
        let server = locator.locate().expect("a server");
        assert_eq!((server.url.as_str(), server.token.as_deref()), (url, token));
    }

    #[test]
    fn what_is_named_wins_over_what_is_recorded() {
        let state = tempfile::tempdir().expect("a folder");
        let record = r#"{"pid": 1, "url": "http://127.0.0.1:7000", "started": "x"}"#;
        std::fs::write(state.path().join(SERVER_FILE), record).expect("a file");
        std::fs::write(state.path().join(TOKEN_FILE), "own\n").expect("a file");
        let at = |url, token| locator(state.path(), url, token);
        check(&at(None, None), "http://127.0.0.1:7000/", Some("own"));
        check(&at(None, Some("t")), "http://127.0.0.1:7000/", Some("t"));
        check(&at(Some("http://h:1"), Some("t")), "http://h:1/", Some("t"));
        check(
            &at(Some("127.0.0.1:7000"), None),
            "http://127.0.0.1:7000/",
            Some("own"),
        );
    }

    #[test]
    fn the_own_token_is_not_shown_to_others() {
        let state = tempfile::tempdir().expect("a folder");
        std::fs::write(state.path().join(TOKEN_FILE), "own").expect("a file");
        check(
            &locator(state.path(), Some("http://elsewhere:1"), None),
            "http://elsewhere:1/",
            None,
        );
    }

    #[test]
    fn without_a_record_no_server_runs() {
        let state = tempfile::tempdir().expect("a folder");
        let failure = locator(state.path(), None, None)
            .locate()
            .expect_err("no server");
        assert_eq!(
            (failure.code(), failure.exit()),
            ("server.not_running", Exit::Unreachable)
        );
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for text in [
            "",
            "http://",
            "ftp://h",
            "http://user:secret@h",
            "http://h:99999",
        ] {
            assert!(parse_url(text).is_err(), "{text}");
        }
    }
}
