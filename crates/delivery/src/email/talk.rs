//! The conversation with a mail server, step by step, so that at each one it is known whether the
//! server can have the message.

use super::stream::Upgradable;
use crate::redaction::Redaction;
use crate::sending::{SendFailure, Sent, excerpt};
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use std::error::Error as _;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a connection to one address may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one step may take.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);
/// How long everything before the message may take.
const BEGIN_TIMEOUT: Duration = Duration::from_mins(5);
/// How long the server may take for the message itself (RFC 5321, 4.5.3.2.6): whoever gives up
/// earlier knows less.
const MESSAGE_TIMEOUT: Duration = Duration::from_mins(10);
/// How long a server is waited for that has nothing to do any more.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// How the conversation is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte, with a certificate that is checked.
    Wrapped,
    /// TLS before anything that matters, with a certificate that is checked.
    Required,
    /// TLS where the server offers it. Its certificate is not checked: who could forge one could
    /// take away the offer as well.
    Opportunistic,
}

/// A server to talk to.
pub(super) struct Server<'s> {
    pub(super) host: &'s str,
    /// Checked addresses; the first that answers is taken.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) security: Security,
    pub(super) credentials: Option<&'s Credentials>,
    pub(super) redaction: &'s Redaction,
}

impl Server<'_> {
    /// Hands a message over.
    pub(super) async fn send(&self, message: &Message) -> Sent {
        let begin = async {
            let mut connection = self.connect(message).await?;
            let announced = self.announce(&mut connection, message).await;
            Ok((connection, announced))
        };
        let (mut connection, announced) = match tokio::time::timeout(BEGIN_TIMEOUT, begin).await {
            Ok(Ok(open)) => open,
            Ok(Err(failure)) => return Sent::Failed(failure),
            Err(_) => {
                let reason = format!("{} takes too long for every step", self.host);
                return Sent::Failed(SendFailure::of(reason));
            }
        };
        let sent = match announced {
            Ok(()) => self.hand_over(&mut connection, message).await,
            Err(failure) => Sent::Failed(failure),
        };
        // The outcome is known; that the server says goodbye changes nothing.
        let _ = tokio::time::timeout(LEAVE_TIMEOUT, connection.abort()).await;
        sent
    }

    /// A conversation that has come to the point where a message can be announced.
    async fn connect(&self, message: &Message) -> Result<AsyncSmtpConnection, SendFailure> {
        let hello = hello(message);
        let tls = self.tls().map_err(|error| self.failure("TLS", &error))?;
        let mut connection = if self.security == Security::Wrapped {
            let open = AsyncSmtpConnection::connect_tokio1(
                self.addresses.as_slice(),
                Some(CONNECT_TIMEOUT),
                &hello,
                Some(tls.clone()),
                None,
            );
            self.step("the greeting", open).await?
        } else {
            let stream = Upgradable::new(self.reach().await?);
            let open = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
            self.step("the greeting", open).await?
        };
        match self.security {
            Security::Required if !connection.can_starttls() => {
                let reason = format!(
                    "{} offers no encryption (STARTTLS), and nothing is sent outside without",
                    self.host
                );
                return Err(SendFailure::of(reason));
            }
            Security::Opportunistic if !connection.can_starttls() => {}
            Security::Required | Security::Opportunistic => {
                self.step("STARTTLS", connection.starttls(tls, &hello))
                    .await?;
            }
            Security::Wrapped => {}
        }
        if let Some(credentials) = self.credentials {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let sign_in = connection.auth(&mechanisms, credentials);
            self.step("the sign-in", sign_in).await?;
        }
        Ok(connection)
    }

    /// The certificate is checked against the name, whatever the address.
    fn tls(&self) -> Result<TlsParameters, Error> {
        TlsParameters::builder(self.host.to_owned())
            .dangerous_accept_invalid_certs(self.security == Security::Opportunistic)
            .build()
    }

    async fn reach(&self) -> Result<TcpStream, SendFailure> {
        let mut cause = "it has no address".to_owned();
        for address in &self.addresses {
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => cause = error.to_string(),
                Err(_) => "no connection in time".clone_into(&mut cause),
            }
        }
        let reason = format!("{} can't be reached: {cause}", self.host);
        Err(SendFailure::of(reason))
    }

    /// Says from whom and to whom. A server that wants one of the receivers not gets no message.
    async fn announce(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), SendFailure> {
        let envelope = message.envelope();
        let mut parameters = Vec::new();
        let foreign = envelope.to().iter().chain(envelope.from());
        if foreign
            .map(AsRef::<str>::as_ref)
            .any(|address: &str| !address.is_ascii())
        {
            let offered = connection.server_info();
            if !offered.supports_feature(Extension::SmtpUtfEight) {
                let host = self.host;
                let reason = format!("{host} takes no address with letters beyond ASCII");
                return Err(SendFailure::hopeless(reason));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = connection.command(Mail::new(envelope.from().cloned(), parameters));
        self.step("the sender", from).await.map_err(final_no)?;
        for address in envelope.to() {
            let to = connection.command(Rcpt::new(address.clone(), Vec::new()));
            let step = format!("the receiver {address}");
            self.step(&step, to).await.map_err(final_no)?;
        }
        let ready = self.step("DATA", connection.command(Data)).await;
        let ready = ready.map_err(final_no)?;
        if !ready.has_code(354) {
            let reason = format!("{} answered {} to DATA", self.host, ready.code());
            return Err(SendFailure::of(reason));
        }
        Ok(())
    }

    /// Sends the message itself. Until its last line has begun to leave, the server can't take it.
    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, message: &Message) -> Sent {
        let whole = AtomicBool::new(false);
        let end = std::iter::from_fn(|| {
            whole.store(true, Ordering::Relaxed);
            None
        });
        let pieces = std::iter::once(message.formatted()).chain(end);
        let handed = tokio::time::timeout(MESSAGE_TIMEOUT, connection.message_iter(pieces)).await;
        let why = match handed {
            Ok(Ok(response)) if response.code().severity == Severity::PositiveCompletion => {
                return Sent::Delivered {
                    status: Some(response.code().into()),
                    excerpt: excerpt(&said(&response), self.redaction),
                };
            }
            Ok(Ok(response)) => {
                format!("{} answered {} to the message", self.host, response.code())
            }
            Ok(Err(error)) if error.status().is_some() || !whole.load(Ordering::Relaxed) => {
                return Sent::Failed(final_no(self.failure("the message", &error)));
            }
            Err(_) if !whole.load(Ordering::Relaxed) => {
                let reason = format!("{} took the message too slowly", self.host);
                return Sent::Failed(SendFailure::of(reason));
            }
            Ok(Err(error)) => self.failure("the message", &error).reason,
            Err(_) => format!(
                "{} did not say in time whether it has the message",
                self.host
            ),
        };
        Sent::Unknown { reason: why }
    }

    async fn step<T>(
        &self,
        name: &str,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, SendFailure> {
        match tokio::time::timeout(STEP_TIMEOUT, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(self.failure(name, &error)),
            Err(_) => {
                let limit_s = STEP_TIMEOUT.as_secs();
                let host = self.host;
                let reason = format!("{host} did not answer {name} within {limit_s} s");
                Err(SendFailure::of(reason))
            }
        }
    }

    /// What went wrong in a step.
    fn failure(&self, step: &str, error: &Error) -> SendFailure {
        let cause = error.source().map(ToString::to_string);
        let cause = excerpt(&cause.unwrap_or_default(), self.redaction);
        let Some(code) = error.status() else {
            let cause = cause.unwrap_or_default();
            return SendFailure::of(format!("{}: {step}: {cause}", self.host));
        };
        SendFailure {
            status: Some(code.into()),
            excerpt: cause,
            ..SendFailure::of(format!("{} answered {code} to {step}", self.host))
        }
    }
}

/// A permanent refusal of this message is the last word (RFC 5321, 4.2.1); before the message is
/// announced it is about the server or the credentials, which may change.
fn final_no(failure: SendFailure) -> SendFailure {
    SendFailure {
        hopeless: failure.status.is_some_and(|status| status >= 500),
        ..failure
    }
}

/// As whom the client greets: the domain that the mail is from.
fn hello(message: &Message) -> ClientId {
    match message.envelope().from() {
        Some(from) if from.domain().is_ascii() => ClientId::Domain(from.domain().to_owned()),
        _ => ClientId::default(),
    }
}

fn said(response: &Response) -> String {
    response.message().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
