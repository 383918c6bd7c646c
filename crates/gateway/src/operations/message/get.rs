//! `message/get`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::text::fetched;
use crate::turn_view::event_at;
use mobkit_domain::event::{Envelope, Event, MessageMode};
use mobkit_domain::id::MessageId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::{MessageRow, Row, Table};
use mobkit_domain::text::{Part, Text};
use mobkit_domain::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Get;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The message.
    #[serde(alias = "id")]
    message: MessageId,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// Where it stands.
    #[serde(flatten)]
    row: MessageRow,
    /// What it says; a reference where it is longer than 1 MiB. What it says is absent where
    /// retention has taken it.
    #[serde(flatten)]
    said: Option<Said>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Said {
    text: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    mode: MessageMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
}

impl Define for Get {
    const NAME: &'static str = "message/get";
    const DOC: &'static str = "Shows a message: what it says, where it stands, which turn took it.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let engine = &cx.engine;
        let row = engine
            .store()
            .row(engine.mob(), Table::Message, params.message.0)
            .await;
        let Some(Row::Message(row)) = row.map_err(|error| store_refusal(&error))? else {
            let message = format!("there is no message {}", params.message);
            return Err(
                Refusal::new(RefusalKind::Missing, "message.not_found", message)
                    .hint("`message/list` shows the messages"),
            );
        };
        let said = match event_at(engine, params.message.0).await? {
            Some(Envelope {
                event: Event::MessageAccepted(e),
                ..
            }) => {
                let text = fetched(engine, e.text).await?;
                Some(Said {
                    text,
                    parts: e.parts,
                    mode: e.mode,
                    expires: e.expires,
                })
            }
            _ => None,
        };
        Ok(Output { row, said })
    }
}
