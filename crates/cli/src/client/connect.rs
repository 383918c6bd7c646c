//! Arguments that name the server, and the client that they make.

use super::api::Client;
use super::locate::{Locator, STATE_FOLDER, parse_url};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use crate::{duration, environment};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which server to talk to, and how long to try.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Address of the server; else the one recorded in the state directory
    #[arg(long, value_name = "URL", env = "MOBKIT_URL")]
    pub url: Option<String>,
    /// Bearer token; else the operator token of the state directory
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MOBKIT_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// State directory of the mob [default: .mobkit beside the mob file]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// How long to keep trying, or waiting, before giving up, e.g. 30s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

impl ServerArgs {
    /// A client for the server of the mob in `folder`, by default the current one. `patience` is
    /// how long it puts up with an outage where the user does not say.
    pub fn client<'a>(
        &self,
        output: &'a Output,
        folder: Option<&Path>,
        patience: Duration,
    ) -> Result<Client<'a>, Failure> {
        let state = match (&self.state, folder) {
            (Some(state), _) => state.clone(),
            (None, Some(folder)) => folder.join(STATE_FOLDER),
            (None, None) => environment::folder()?.join(STATE_FOLDER),
        };
        let token = self.token.clone().filter(|token| !token.is_empty());
        if token
            .as_deref()
            .is_some_and(|token| !token.bytes().all(|b| b.is_ascii_graphic()))
        {
            let message = "the token holds characters that no token has";
            return Err(Failure::new(Exit::Usage, "token.malformed", message));
        }
        // A variable that is set to nothing is as good as none.
        let url = self
            .url
            .as_deref()
            .filter(|url| !url.is_empty())
            .map(parse_url)
            .transpose();
        let url = url.map_err(|why| {
            Failure::new(
                Exit::Usage,
                "url.malformed",
                format!("the address is wrong: {why}"),
            )
        })?;
        let locator = Locator { url, token, state };
        // Where nothing was ever started, waiting is of no use, unless it is asked for.
        if self.timeout.is_none() {
            locator.locate()?;
        }
        Client::new(output, locator, self.timeout.unwrap_or(patience))
    }
}
