//! `member/send`.

use super::content;
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Answer, Command, MessageCommand};
use mobkit_domain::event::MessageMode;
use mobkit_domain::id::{MemberId, MessageId, Seq};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(in crate::operations) struct Send;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Whom it is for.
    #[serde(alias = "member")]
    pub(super) to: MemberId,
    /// What it says: a text, or a list of parts.
    #[schemars(extend("type" = ["string", "array"]))]
    pub(super) content: Value,
    /// What it does while a turn runs; without it, as the profile says.
    pub(super) mode: Option<MessageMode>,
    /// The sender's own correlation id.
    pub(super) correlation: Option<String>,
    /// When it is dropped if it still waits (RFC 3339).
    pub(super) expires: Option<Time>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The message.
    pub(super) message: MessageId,
    /// Position of its `message.accepted`.
    pub(super) seq: Seq,
}

impl Define for Send {
    const NAME: &'static str = "member/send";
    const DOC: &'static str = "Gives a member a message; answers once the message is durable.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    const BODY_BYTES_MAX: usize = content::BODY_BYTES_MAX;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        send(&cx, params).await
    }
}

pub(super) async fn send(cx: &Context, params: Params) -> Result<Output, Refusal> {
    let Params {
        to,
        content,
        mode,
        correlation,
        expires,
    } = params;
    let content = content::read(&cx.engine, content).await?;
    let command = MessageCommand::Send {
        to,
        content,
        mode,
        correlation,
        expires,
    };
    match cx.submit(Command::Message(command)).await? {
        Answer::Message { message, seq } => Ok(Output { message, seq }),
        Answer::Done { seq } => {
            let message = format!("what was kept under the key, at {seq}, is no message");
            Err(Refusal::new(RefusalKind::Conflict, "key.reused", message)
                .hint("use a new key for a new request"))
        }
    }
}
