//! The message of a delivery.

use crate::sending::Sending;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, SinglePart};
use lettre::{Address, Message};
use serde_json::Value;
use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

/// How much of a subject is sent, in characters.
const SUBJECT_CHARS_MAX: usize = 200;

/// The message of a delivery, the same for every attempt.
pub(super) fn message(
    from: &Address,
    to: &[Address],
    sending: &Sending,
) -> Result<Message, String> {
    let (subject, text) = content(sending);
    let queued_ms = u64::try_from(sending.queued.0).unwrap_or(0);
    let id = format!("<{}@{}>", local_part(&sending.id), from.domain());
    let mut message = Message::builder()
        .from(Mailbox::new(None, from.clone()))
        .date(UNIX_EPOCH + Duration::from_millis(queued_ms))
        .message_id(Some(id))
        .subject(subject)
        // Holiday notices and the like must not answer (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    for address in to {
        message = message.to(Mailbox::new(None, address.clone()));
    }
    let body = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(body(&text)?);
    message
        .singlepart(body)
        .map_err(|error| format!("the message can't be written: {error}"))
}

/// Subject and text: those of a payload that has them, else what it is.
fn content(sending: &Sending) -> (String, String) {
    let field = |name: &str| sending.payload.get(name).and_then(Value::as_str);
    let text = match (&sending.payload, field("text")) {
        (Value::String(text), _) => text.clone(),
        (_, Some(text)) => text.to_owned(),
        (other, None) => format!("{other:#}"),
    };
    let by_default = match &sending.channel {
        Some(channel) => format!("{} ({channel})", sending.recipient),
        None => sending.recipient.clone(),
    };
    let subject = field("subject").map_or(by_default, str::to_owned);
    let words = subject.split(|c: char| c.is_control() || c.is_whitespace());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    // Otherwise it could be taken for a word in another encoding, and read as something else.
    let line = words.join(" ").replace("=?", "= ?");
    let subject = line.chars().take(SUBJECT_CHARS_MAX).collect();
    (subject, text)
}

/// The text, encoded where a server could take a line of it for something else.
fn body(text: &str) -> Result<Body, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    let is_plain = text.chars().all(plain);
    // Line ends as mail has them: the library would put them in one by one, which takes for ever.
    let text = text.replace('\n', "\r\n");
    if is_plain {
        return Ok(Body::new(text));
    }
    Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| "the text can't be encoded".to_owned())
}

/// The id of a delivery as the left side of a `Message-ID`: no two ids give the same.
fn local_part(id: &str) -> String {
    let mut part = String::new();
    for byte in id.bytes() {
        match byte {
            b':' => part.push('.'),
            _ if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' => {
                part.push(char::from(byte));
            }
            // Writing to a string can't fail.
            _ => drop(write!(part, "={byte:02X}")),
        }
    }
    part
}
