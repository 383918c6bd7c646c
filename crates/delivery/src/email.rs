//! Email: a delivery is a message over SMTP.

mod message;
mod stream;
mod talk;

use crate::guard::{Guard, GuardError, Lookup};
use crate::redaction::Redaction;
use crate::sending::{SendFailure, Sending, Sent};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::authentication::Credentials;
use mobkit_domain::public_address::is_public;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use talk::{Security, Server};

/// How long the look-up of the server's name may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
const PORT_WRAPPED: u16 = 465;
const PORT_SUBMISSION: u16 = 587;

/// How mail is sent.
pub(crate) struct Email {
    /// `smtp://host:port` or `smtps://host:port`.
    pub(crate) server: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) allow_private: bool,
}

/// A sink that sends mail.
pub(crate) struct EmailSink {
    host: String,
    port: u16,
    /// TLS from the first byte.
    wrapped: bool,
    from: Address,
    to: Vec<Address>,
    credentials: Option<Credentials>,
    guard: Guard,
    redaction: Redaction,
}

impl EmailSink {
    /// A sink for one route. The failure names what is wrong with its settings, never a password.
    pub(crate) fn new(email: Email, lookup: Arc<dyn Lookup>) -> Result<Self, SendFailure> {
        let (host, port, wrapped) = server(&email.server).map_err(SendFailure::hopeless)?;
        let address = |text: &String| {
            let none = || SendFailure::hopeless(format!("{text:?} is not an email address"));
            text.parse::<Address>().map_err(|_| none())
        };
        let secrets = secrets(email.username.as_deref(), email.password.as_deref());
        let credentials = match (email.username, email.password) {
            (Some(name), Some(password)) => Some(Credentials::new(name, password)),
            (None, None) => None,
            _ => {
                let reason = "a mail server wants both a username and a password, or neither";
                return Err(SendFailure::hopeless(reason));
            }
        };
        Ok(Self {
            host,
            port,
            wrapped,
            from: address(&email.from)?,
            to: email.to.iter().map(address).collect::<Result<_, _>>()?,
            credentials,
            guard: Guard::new(lookup, email.allow_private),
            redaction: Redaction::of(secrets),
        })
    }

    /// Whether the server wants other credentials, so that the password should be read again.
    pub(crate) fn refuses_credentials(sent: &Sent) -> bool {
        let wants = |status| matches!(status, Some(454 | 530 | 534 | 535 | 538));
        matches!(sent, Sent::Failed(failure) if wants(failure.status))
    }

    /// Makes one attempt. A server does not know repetitions, so one that was cut short after the
    /// whole message went out is unknown.
    pub(crate) async fn send(&self, sending: &Sending) -> Sent {
        let addresses = match self.addresses().await {
            Ok(addresses) => addresses,
            Err(failure) => return Sent::Failed(failure),
        };
        let message = match message::message(&self.from, &self.to, sending) {
            Ok(message) => message,
            Err(reason) => return Sent::Failed(SendFailure::hopeless(reason)),
        };
        let server = Server {
            host: &self.host,
            addresses: addresses
                .iter()
                .map(|ip| SocketAddr::new(*ip, self.port))
                .collect(),
            security: self.security(&addresses),
            credentials: self.credentials.as_ref(),
            redaction: &self.redaction,
        };
        server.send(&message).await
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, SendFailure> {
        let found = tokio::time::timeout(LOOKUP_TIMEOUT, self.guard.addresses(&self.host)).await;
        match found {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error @ GuardError::Inner { .. })) if Guard::literal(&self.host).is_some() => {
                Err(SendFailure::hopeless(error.to_string()))
            }
            Ok(Err(error)) => Err(SendFailure::of(error.to_string())),
            Err(_) => {
                let reason = format!("{} can't be found in time", self.host);
                Err(SendFailure::of(reason))
            }
        }
    }

    /// A server inside may offer no TLS, or with a certificate that nobody signed; outside nothing
    /// is sent before the certificate has been checked.
    fn security(&self, addresses: &[IpAddr]) -> Security {
        if self.wrapped {
            Security::Wrapped
        } else if addresses.iter().any(|address| is_public(*address)) {
            Security::Required
        } else {
            Security::Opportunistic
        }
    }
}

/// Host, port, and whether TLS begins with the first byte.
fn server(url: &str) -> Result<(String, u16, bool), &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("the mail server is no URL")?;
    let wrapped = scheme.eq_ignore_ascii_case("smtps");
    if !wrapped && !scheme.eq_ignore_ascii_case("smtp") {
        return Err("the mail server is no URL of smtp or smtps");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port = port
                .parse()
                .map_err(|_| "the port of the mail server is none")?;
            (host, port)
        }
        _ if wrapped => (authority, PORT_WRAPPED),
        _ => (authority, PORT_SUBMISSION),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err("the mail server has no host");
    }
    Ok((host.to_owned(), port, wrapped))
}

/// The password as it is, and as it is said to the server.
fn secrets(name: Option<&str>, password: Option<&str>) -> Vec<String> {
    let Some(password) = password else {
        return Vec::new();
    };
    let plain = format!("\0{}\0{password}", name.unwrap_or_default());
    vec![
        password.to_owned(),
        STANDARD.encode(password),
        STANDARD.encode(plain),
    ]
}
