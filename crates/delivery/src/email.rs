//! Email: a delivery is a message over SMTP.

use crate::guard::{Guard, GuardError, Lookup};
use crate::sending::{SendFailure, Sending, Sent, excerpt};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a step of the conversation with the server may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);
const SUBJECT_CHARS_MAX: usize = 200;

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
    from: Mailbox,
    to: Vec<Mailbox>,
    credentials: Option<Credentials>,
    guard: Guard,
    allow_private: bool,
}

impl EmailSink {
    /// A sink for one route. The error names what is wrong with its settings.
    pub(crate) fn new(email: &Email, lookup: Arc<dyn Lookup>) -> Result<Self, String> {
        let (scheme, rest) = email.server.split_once("://").ok_or("the server is no URL")?;
        let wrapped = scheme.eq_ignore_ascii_case("smtps");
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let by_default = if wrapped { 465 } else { 587 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().map_err(|_| "the port of the server is none")?;
                (host, port)
            }
            _ => (authority, by_default),
        };
        let mailbox = |address: &String| {
            let parsed = address.parse::<Mailbox>();
            parsed.map_err(|_| format!("{address} is not an email address"))
        };
        let credentials = match (&email.username, &email.password) {
            (Some(name), Some(password)) => Some(Credentials::new(name.clone(), password.clone())),
            _ => None,
        };
        Ok(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            wrapped,
            from: mailbox(&email.from)?,
            to: email.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            credentials,
            guard: Guard::new(lookup, email.allow_private),
            allow_private: email.allow_private,
        })
    }

    /// Makes one attempt. A server does not know repetitions, so one that was cut short after the
    /// message went out is unknown.
    pub(crate) async fn send(&self, sending: &Sending) -> Sent {
        let addresses = match self.guard.addresses(&self.host).await {
            Ok(addresses) => addresses,
            Err(error) => {
                let hopeless = matches!(error, GuardError::Inner { .. });
                let failure = SendFailure::of(error.to_string());
                return Sent::Failed(SendFailure { hopeless, ..failure });
            }
        };
        let message = match self.message(sending) {
            Ok(message) => message,
            Err(reason) => {
                return Sent::Failed(SendFailure {
                    hopeless: true,
                    ..SendFailure::of(reason)
                });
            }
        };
        let transport = match addresses.first().map(|address| self.transport(*address)) {
            Some(Ok(transport)) => transport,
            Some(Err(reason)) => return Sent::Failed(SendFailure::of(reason)),
            None => return Sent::Failed(SendFailure::of("the server has no address")),
        };
        match transport.send(message).await {
            Ok(response) => {
                let said: Vec<&str> = response.message().collect();
                Sent::Delivered {
                    status: Some(u16::from(response.code())),
                    excerpt: excerpt(said.join(" ").as_bytes()),
                }
            }
            Err(error) => failed(&error),
        }
    }

    /// A connection to a checked address; the certificate is checked against the name.
    fn transport(&self, address: IpAddr) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
        let tls = TlsParameters::new(self.host.clone());
        let tls = tls.map_err(|error| format!("TLS can't be used: {error}"))?;
        let tls = match (self.wrapped, self.allow_private) {
            (true, _) => Tls::Wrapper(tls),
            // A server inside may not offer TLS; outside nothing is sent in the clear.
            (false, true) => Tls::Opportunistic(tls),
            (false, false) => Tls::Required(tls),
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string());
        let mut builder = builder.port(self.port).tls(tls).timeout(Some(STEP_TIMEOUT));
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        Ok(builder.build())
    }

    fn message(&self, sending: &Sending) -> Result<Message, String> {
        let (subject, text) = content(sending);
        let domain = self.from.email.domain();
        let date = u64::try_from(sending.queued.0).unwrap_or(0);
        let date = std::time::UNIX_EPOCH + Duration::from_millis(date);
        let mut message = Message::builder()
            .from(self.from.clone())
            .date(date)
            .message_id(Some(format!("<{}@{domain}>", sending.id)))
            .subject(subject);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let body = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text);
        message
            .singlepart(body)
            .map_err(|error| format!("the message can't be written: {error}"))
    }
}

/// Subject and text: those of a payload that has them, else what it is.
fn content(sending: &Sending) -> (String, String) {
    let field = |name: &str| sending.payload.get(name).and_then(Value::as_str);
    let text = match (&sending.payload, field("text")) {
        (Value::String(text), _) => text.clone(),
        (_, Some(text)) => text.to_owned(),
        (other, None) => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let by_default = match &sending.channel {
        Some(channel) => format!("{} ({channel})", sending.recipient),
        None => sending.recipient.clone(),
    };
    let subject = field("subject").map_or(by_default, str::to_owned);
    let line = subject.replace(|c: char| c.is_control(), " ");
    (line.chars().take(SUBJECT_CHARS_MAX).collect(), text)
}

fn failed(error: &lettre::transport::smtp::Error) -> Sent {
    let reason = error.to_string();
    match error.status() {
        // The server said no: it has not taken the message.
        Some(code) => Sent::Failed(SendFailure {
            status: Some(u16::from(code)),
            hopeless: error.is_permanent(),
            ..SendFailure::of(reason)
        }),
        None if error.is_client() || error.is_tls() => Sent::Failed(SendFailure::of(reason)),
        None if reason.to_lowercase().contains("connection error") => {
            Sent::Failed(SendFailure::of(reason))
        }
        // The line broke somewhere in the conversation: the server may have it.
        None => Sent::Unknown { reason },
    }
}
