//! `mobkit deliveries send`.

use super::args::SendDeliveryArgs;
use crate::commands::send::{STDIN, read};
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) async fn run(args: &SendDeliveryArgs, output: &Output) -> Result<Exit, Failure> {
    let payload = if args.payload == STDIN {
        payload(&read(STDIN)?)?
    } else {
        payload(&args.payload)?
    };
    let client = args.server.client(output, None, Duration::ZERO)?;
    let key = match &args.key {
        Some(key) => key.clone(),
        None => environment::random_key()?,
    };
    let mut params = json!({"recipient": args.recipient, "payload": payload, "key": key});
    if let Some(channel) = &args.channel {
        params["channel"] = json!(channel);
    }
    let mut result = client.call("delivery/send", &params).await?;
    let id = visible_line(result["delivery"].as_str().unwrap_or_default());
    if output.is_json() {
        result["key"] = json!(key);
        output.document(&result)?;
    } else {
        output.line(&id)?;
        output.notice(&format!(
            "see where it stands with `mobkit deliveries show {id}`"
        ));
    }
    Ok(Exit::Done)
}

/// An object or a list as JSON, everything else as text: `3` is a text that somebody reads.
fn payload(text: &str) -> Result<Value, Failure> {
    if text.trim().is_empty() {
        return Err(
            Failure::new(Exit::Usage, "payload.empty", "the payload is empty")
                .hint("write a text, or a JSON object"),
        );
    }
    let whole = serde_json::from_str(text).ok();
    let whole = whole.filter(|value: &Value| value.is_object() || value.is_array());
    Ok(whole.unwrap_or_else(|| Value::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_a_structure_or_a_text() {
        for (text, expected) in [
            ("{\"a\": 1}", json!({"a": 1})),
            (" [1, 2]\n", json!([1, 2])),
            ("3", json!("3")),
            ("true", json!("true")),
            ("{broken", json!("{broken")),
            ("disk is full", json!("disk is full")),
        ] {
            assert_eq!(payload(text).ok(), Some(expected), "{text}");
        }
        assert_eq!(payload(" \n").expect_err("empty").exit(), Exit::Usage);
    }
}
