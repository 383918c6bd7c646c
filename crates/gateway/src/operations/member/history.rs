//! `member/history`.

use super::transcript::{Entry, read};
use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use mobkit_domain::id::{MemberId, Seq, SessionId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::SessionSpan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGES: page::List = page::List("history");

pub(in crate::operations) struct History;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// The member.
    #[serde(alias = "id")]
    member: MemberId,
    /// One of its sessions; without it, the one that it writes.
    session: Option<SessionId>,
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The session.
    session: SessionId,
    /// What was said and done in it, oldest first.
    entries: Vec<Entry>,
    /// Where the next page continues; absent at the end of what is recorded so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for History {
    const NAME: &'static str = "member/history";
    const DOC: &'static str = "Pages through the transcript of a member's session, oldest first.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let after: Seq = PAGES.seq(params.cursor.as_deref())?;
        let current = cx.snapshot(&params.member)?.session;
        let session = params.session.unwrap_or(current);
        let spans = spans(&cx, &params.member, session, current)?;
        let mut entries = read(&cx.engine, &spans, after, limit + 1).await?;
        let next_cursor = PAGES.cut(&mut entries, limit, |last| &last.seq);
        Ok(Output {
            session,
            entries,
            next_cursor,
        })
    }
}

/// The stretches of the journal that hold the session, if it is one of the member's.
fn spans(
    cx: &Context,
    member: &MemberId,
    session: SessionId,
    current: SessionId,
) -> Result<Vec<SessionSpan>, Refusal> {
    let spans = cx
        .engine
        .view(|world| world.state.sessions.get(&session).cloned());
    let spans = spans.unwrap_or_default();
    if session == current || spans.iter().any(|span| span.member == *member) {
        return Ok(spans);
    }
    let message = format!("{member} has no session {session}");
    Err(
        Refusal::new(RefusalKind::Missing, "session.not_found", message)
            .hint("leave `session` out for the one that it writes"),
    )
}
