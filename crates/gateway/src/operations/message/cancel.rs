//! `message/cancel`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, MessageCommand};
use mobkit_domain::id::{MessageId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::MessageState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Cancel;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The message.
    #[serde(alias = "id")]
    message: MessageId,
    /// Why, in the words of who asks.
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The message.
    message: MessageId,
    /// Where it stands now.
    state: MessageState,
    /// Position of the event.
    seq: Seq,
}

impl Define for Cancel {
    const NAME: &'static str = "message/cancel";
    const DOC: &'static str = "Withdraws a message that no turn has taken yet.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Cancel;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let Params { message, reason } = params;
        let command = Command::Message(MessageCommand::Cancel { message, reason });
        let seq = cx.submit(command).await?.seq();
        Ok(Output {
            message,
            state: MessageState::Cancelled,
            seq,
        })
    }
}
