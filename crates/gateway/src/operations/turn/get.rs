//! `turn/get`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::turn_view::{TurnView, turn_view};
use mobkit_domain::id::TurnId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;

pub(in crate::operations) struct Get;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The turn.
    #[serde(alias = "id")]
    turn: TurnId,
}

impl Define for Get {
    const NAME: &'static str = "turn/get";
    const DOC: &'static str = "Shows a turn: where it stands, what it used, and its answer.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = TurnView;

    async fn run(cx: Context, params: Params) -> Result<TurnView, Refusal> {
        turn_view(&cx.engine, params.turn).await
    }
}
