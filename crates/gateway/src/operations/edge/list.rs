//! `edge/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::operation::Define;
use crate::page;
use mobkit_domain::edge::Edge;
use mobkit_domain::event::EdgeOrigin;
use mobkit_domain::id::MemberId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Bound;
use std::str::FromStr;

const PAGES: page::List = page::List("edge");

pub(in crate::operations) struct List;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Only edges of this member.
    member: Option<MemberId>,
    /// Only edges of this origin.
    origin: Option<EdgeOrigin>,
    cursor: Option<String>,
    limit: Option<u64>,
}

/// An edge and who wants it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct EdgeView {
    /// The two members, in the order of their ids.
    #[serde(flatten)]
    pub(super) edge: Edge,
    /// Who wants it.
    pub(super) origin: EdgeOrigin,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The edges, in the order of their ends.
    edges: Vec<EdgeView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// The last edge of a page. Ids of members hold no `+`.
struct Last(Edge);

impl FromStr for Last {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (a, b) = text.split_once('+').ok_or(())?;
        let end = |id: &str| id.parse::<MemberId>().map_err(drop);
        Ok(Self(Edge {
            a: end(a)?,
            b: end(b)?,
        }))
    }
}

impl Define for List {
    const NAME: &'static str = "edge/list";
    const DOC: &'static str = "Lists who may message whom.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let from = PAGES
            .position::<Last>(params.cursor.as_deref())?
            .map_or(Bound::Unbounded, |Last(edge)| Bound::Excluded(edge));
        let mut edges: Vec<EdgeView> = cx.engine.view(|world| {
            let wired = world.state.wired.range((from, Bound::Unbounded));
            let wanted = wired.filter(|(edge, origin)| {
                params
                    .member
                    .as_ref()
                    .is_none_or(|member| edge.touches(member))
                    && params.origin.is_none_or(|wanted| wanted == **origin)
            });
            let views = wanted.map(|(edge, origin)| EdgeView {
                edge: edge.clone(),
                origin: *origin,
            });
            views.take(limit + 1).collect()
        });
        let next_cursor = PAGES.cut(&mut edges, limit, |last| &last.edge);
        Ok(Output { edges, next_cursor })
    }
}
