//! `[server]`: where the mob is served and how callers prove who they are.

use super::report::{Finding, Report};
use super::scalar::choice;
use super::source::{Node, Table};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};

/// The port of an address that the file leaves out.
const PORT: u16 = 7373;

/// How callers prove who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Auth {
    /// With the operator token of the state directory, or an API key.
    Token,
    /// With a token of an OpenID Connect provider; API keys work as well.
    Oidc {
        /// The provider.
        issuer: String,
        /// The audience that its tokens must name.
        audience: String,
    },
}

choice! {
    /// How callers prove who they are.
    AuthMode {
        /// With the operator token or an API key.
        Token = "token",
        /// With a token of an OpenID Connect provider.
        Oidc = "oidc",
    }
}

/// Where and for whom the mob is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How callers prove who they are.
    pub auth: Auth,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            auth: Auth::Token,
        }
    }
}

/// Reads `[server]`.
pub(super) fn read(cx: &mut Report<'_>, mut table: Table<'_>) -> Option<Server> {
    let listen = table.take(cx, "listen");
    let auth = table.take(cx, "auth");
    let address = listen.as_ref().and_then(|node| node.listen(cx));
    if let (Some(node), Some(address), None) = (&listen, address, &auth)
        && !address.ip().is_loopback()
    {
        let message = format!("{address} is open to other machines, and no auth is configured");
        let finding = Finding::new("listen_exposed", &node.span, message);
        let hint = "listen on 127.0.0.1, or add auth to [server]";
        cx.error(finding.label("anybody could connect").hint_str(hint));
    }
    let auth = match auth {
        Some(node) => read_auth(&node, cx),
        None => Some(Auth::Token),
    };
    table.finish(cx);
    let listen = address.unwrap_or(Server::default().listen);
    Some(Server {
        listen,
        auth: auth?,
    })
}

fn read_auth(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Auth> {
    let mut table = node.table(cx)?;
    let mode = table
        .need(cx, "mode", "mode = \"token\" (or oidc)")
        .map(|node| node.choice(cx));
    let Some(mode) = mode.flatten() else {
        table.finish_without_choice(cx);
        return None;
    };
    let auth = match mode {
        AuthMode::Token => {
            for key in ["issuer", "audience"] {
                table.forbid(cx, key, "it goes with mode = \"oidc\"");
            }
            Some(Auth::Token)
        }
        AuthMode::Oidc => {
            let issuer = table.need(cx, "issuer", "issuer = \"https://…\"");
            let issuer = issuer.and_then(|node| node.url(cx, &["https", "http"]));
            let audience = table.need(cx, "audience", "audience = \"mobkit\"");
            let audience = audience.and_then(|node| node.text(cx));
            issuer
                .zip(audience)
                .map(|(issuer, audience)| Auth::Oidc { issuer, audience })
        }
    };
    table.finish(cx);
    auth
}
