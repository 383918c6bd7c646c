//! `turn/cancel`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::{Command, TurnCommand};
use mobkit_domain::id::{Seq, TurnId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::TurnStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(in crate::operations) struct Cancel;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The turn.
    #[serde(alias = "id")]
    turn: TurnId,
    /// Why, in the words of who asks.
    reason: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The turn.
    turn: TurnId,
    /// Where it stands now.
    status: TurnStatus,
    /// Position of the event.
    seq: Seq,
}

impl Define for Cancel {
    const NAME: &'static str = "turn/cancel";
    const DOC: &'static str = "Stops a turn. Messages that wait behind it are not touched.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Cancel;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let Params { turn, reason } = params;
        let command = Command::Turn(TurnCommand::Cancel { turn, reason });
        let seq = cx.submit(command).await?.seq();
        Ok(Output {
            turn,
            status: TurnStatus::Cancelled,
            seq,
        })
    }
}
