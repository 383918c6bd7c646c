//! `schedule/occurrences`.

use crate::access::Permission;
use crate::context::{Context, store_refusal};
use crate::operation::Define;
use crate::page;
use crate::schedule_view::schedule_missing;
use mobkit_domain::event::{Occasion, Started};
use mobkit_domain::id::{CallId, DeliveryId, MessageId, ScheduleId, TurnId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{OccurrenceRow, OccurrenceState, Row, Table};
use mobkit_domain::time::Time;
use mobkit_store::RowQuery;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("occurrence");

pub(in crate::operations) struct Occurrences;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The schedule.
    #[serde(alias = "id")]
    schedule: ScheduleId,
    /// Only occurrences in this state.
    state: Option<OccurrenceState>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// An occurrence; of missed ones, one for all in a row.
#[derive(Debug, Serialize, JsonSchema)]
struct OccurrenceView {
    /// Its due time; of missed ones, the first.
    due: Time,
    /// The last due time, where it stands for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// For how many it stands, where these are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// Where it stands.
    state: OccurrenceState,
    /// Attempts to start it.
    attempts: u32,
    /// The message that it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageId>,
    /// The turn that took the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<TurnId>,
    /// The call that it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<CallId>,
    /// The delivery that it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryId>,
    /// Why there is one; absent for missed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    occasion: Option<Occasion>,
    /// Why it stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was claimed, or found to be missed.
    at: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The occurrences, newest first.
    occurrences: Vec<OccurrenceView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for Occurrences {
    const NAME: &'static str = "schedule/occurrences";
    const DOC: &'static str = "Lists what became of the due times of a schedule, newest first.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let query = RowQuery {
            table: Table::Occurrence,
            owner: Some(params.schedule.to_string()),
            state: params.state.map(|state| state.as_str().to_owned()),
            before: PAGES.seq(params.cursor.as_deref())?,
            limit: page::limit(params.limit)?,
        };
        let page = cx.engine.store().rows(cx.engine.mob(), query).await;
        let page = page.map_err(|error| store_refusal(&error))?;
        let schedule = &params.schedule;
        let known = || {
            cx.engine
                .view(|world| world.state.schedules.contains_key(schedule))
        };
        // A schedule that was removed leaves its history behind.
        if page.rows.is_empty() && !known() {
            return Err(schedule_missing(&cx.engine, schedule));
        }
        let mut occurrences = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            if let Row::Occurrence(row) = row {
                occurrences.push(shown(&cx, *row).await?);
            }
        }
        let next_cursor = page.next_before.map(|before| PAGES.cursor_after(before));
        Ok(Output {
            occurrences,
            next_cursor,
        })
    }
}

async fn shown(cx: &Context, row: OccurrenceRow) -> Result<OccurrenceView, Refusal> {
    let (mut message, mut call, mut delivery) = (None, None, None);
    match row.started {
        Some(Started::Message(id)) => message = Some(id),
        Some(Started::Call(id)) => call = Some(id),
        Some(Started::Delivery(id)) => delivery = Some(id),
        None => {}
    }
    let turn = match (row.turn, message) {
        (Some(turn), _) => Some(turn),
        (None, Some(message)) => turn_of(cx, message).await?,
        (None, None) => None,
    };
    Ok(OccurrenceView {
        due: row.due,
        until: row.until,
        count: (row.count > 1).then_some(row.count),
        state: row.state,
        attempts: row.attempts,
        message,
        turn,
        call,
        delivery,
        occasion: row.occasion,
        reason: row.reason,
        at: row.at,
    })
}

async fn turn_of(cx: &Context, message: MessageId) -> Result<Option<TurnId>, Refusal> {
    let store = cx.engine.store();
    let row = store.row(cx.engine.mob(), Table::Message, message.0).await;
    Ok(match row.map_err(|error| store_refusal(&error))? {
        Some(Row::Message(row)) => row.turn,
        Some(
            Row::Turn(_) | Row::Approval(_) | Row::Occurrence(_) | Row::Delivery(_) | Row::Cost(_),
        )
        | None => None,
    })
}
