//! `message/list`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::page;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{MessageRow, MessageState, Row, Table};
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("message");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only messages to this member.
    #[serde(alias = "to")]
    member: Option<MemberId>,
    /// Only messages in this state.
    state: Option<MessageState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The messages, newest first. What they say is in `message/get`.
    messages: Vec<MessageRow>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

fn word(state: MessageState) -> &'static str {
    match state {
        MessageState::Queued => "queued",
        MessageState::Delivered => "delivered",
        MessageState::Cancelled => "cancelled",
        MessageState::Expired => "expired",
    }
}

impl Define for List {
    const NAME: &'static str = "message/list";
    const DOC: &'static str = "Lists messages, newest first, by receiver and state.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let query = RowQuery {
            table: Table::Message,
            owner: params.member.map(|member| member.to_string()),
            state: params.state.map(|state| word(state).to_owned()),
            before: PAGES.seq(params.cursor.as_deref())?,
            limit: page::limit(params.limit)?,
        };
        let page = cx.engine.store().rows(cx.engine.mob(), query).await;
        let page = page.map_err(|error| store_refusal(&error))?;
        let messages = page.rows.into_iter().filter_map(|row| match row {
            Row::Message(row) => Some(row),
            Row::Turn(_)
            | Row::Approval(_)
            | Row::Occurrence(_)
            | Row::Delivery(_)
            | Row::Cost(_) => None,
        });
        let next_cursor = page.next_before.map(|before| PAGES.cursor_after(before));
        Ok(Output {
            messages: messages.collect(),
            next_cursor,
        })
    }
}
