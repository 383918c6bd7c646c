//! What the runtime says of something that was sent under a key: what became of it, at any time.

use serde_json::{Value, json};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Receipt {
    /// It is kept, and will be taken.
    Pending,
    /// It was taken into a session, as this input.
    Admitted { session: String, input: String },
    /// It was never taken, since the member was replaced before.
    Stranded,
    /// It was not taken, for this reason.
    Refused(String),
}

/// Reads the answer to a send.
pub(super) fn read(answer: &Value) -> Receipt {
    let status = answer.pointer("/continuation/status");
    let said = |name: &str| {
        let text = status.and_then(|status| status.get(name)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    match said("state").as_str() {
        "pending" => Receipt::Pending,
        "admitted" => Receipt::Admitted {
            session: said("session_id"),
            input: said("input_id"),
        },
        "stranded" => Receipt::Stranded,
        "refused" => Receipt::Refused(said("reason")),
        other => Receipt::Refused(format!("its state is {other:?}, which is not known here")),
    }
}

/// Asks for the status of an input.
pub(super) fn status(session: &str, input: &str) -> Value {
    json!({"session_id": session, "selector": {"by": "input_id", "value": input}})
}

/// The status of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// The last run that took it.
    pub(super) run: Option<String>,
    /// How that ended, once it has.
    pub(super) ended: Option<String>,
}

impl Status {
    /// Reads the answer.
    pub(super) fn of(answer: &Value) -> Self {
        let said = |name: &str| {
            let text = answer
                .get("state")
                .and_then(|state| state.get(name)?.as_str());
            text.map(str::to_owned)
        };
        Self {
            run: said("last_run_id"),
            ended: said("terminal_outcome"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_message_is_read() {
        let answer = |status: Value| json!({"continuation": {"status": status}});
        assert_eq!(read(&answer(json!({"state": "pending"}))), Receipt::Pending);
        let admitted = json!({"state": "admitted", "session_id": "s", "input_id": "i"});
        assert_eq!(
            read(&answer(admitted)),
            Receipt::Admitted {
                session: "s".to_owned(),
                input: "i".to_owned()
            }
        );
        assert_eq!(
            read(&answer(json!({"state": "stranded"}))),
            Receipt::Stranded
        );
        let refused = read(&answer(json!({"state": "lost at sea"})));
        let Receipt::Refused(reason) = refused else {
            panic!("an unknown state is no admission: {refused:?}");
        };
        assert!(reason.contains("lost at sea"), "{reason}");
    }

    #[test]
    fn a_status_has_its_run_and_its_end() {
        let status = json!({"state": {"last_run_id": "r", "terminal_outcome": "completed"}});
        let read = Status::of(&status);
        assert_eq!(read.run.as_deref(), Some("r"));
        assert_eq!(read.ended.as_deref(), Some("completed"));
        assert_eq!(Status::of(&json!({"state": null})), Status::default());
    }
}
