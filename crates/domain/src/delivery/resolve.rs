//! Which route takes a delivery.

use crate::definition::nearest_name;
use crate::event::RouteOrigin;
use crate::id::{MemberId, RouteId};
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{MemberMode, Route, State};
use std::collections::BTreeSet;

/// Fits everything.
const ANY: &str = "*";
/// What the recipients of members begin with.
const MEMBER: &str = "member:";
/// How many recipients a hint names.
const SHOWN_MAX: usize = 10;

/// Who takes a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Taker<'s> {
    /// A route that somebody defined.
    Route(&'s RouteId, &'s Route),
    /// The route that every member has.
    Member(MemberId),
}

impl Taker<'_> {
    /// The name of the route, as events have it.
    pub fn name(&self) -> String {
        match self {
            Self::Route(id, _) => id.to_string(),
            Self::Member(member) => format!("{MEMBER}{member}"),
        }
    }
}

/// The member of `member:<id>`, whether there is one or not.
pub(super) fn member_of(name: &str) -> Option<MemberId> {
    MemberId::parse(name.strip_prefix(MEMBER)?).ok()
}

/// Finds who takes a delivery for this recipient on this channel.
///
/// The exact recipient goes before any, and within that the exact channel before any; a delivery
/// without a channel meets only routes that take any. The route that every member has is found
/// after the routes of that very recipient. Two routes that fit alike: that of the mob file, then
/// the first by id. The error is `route.none` where nobody takes it, and `route.disabled` where who
/// would take it is out of use.
pub fn taker<'s>(
    state: &'s State,
    recipient: &str,
    channel: Option<&str>,
) -> Result<Taker<'s>, Refusal> {
    let ranked = state.routes.iter().filter_map(|(id, route)| {
        let rank = rank(route, recipient, channel)?;
        Some((rank, route.origin == RouteOrigin::Api, id, route))
    });
    let best = ranked.min_by_key(|(rank, api, id, _)| (*rank, *api, *id));
    let of_itself = matches!(best, Some(((0, _), ..)));
    if !of_itself
        && let Some(member) = member_of(recipient)
        && let Some(found) = state.members.get(&member)
        && found.mode != MemberMode::Retired
    {
        return Ok(Taker::Member(member));
    }
    let Some((_, _, id, route)) = best else {
        return Err(none(state, recipient, channel));
    };
    if let Some(why) = &route.disabled {
        let message = format!("route {id} takes it, and is out of use: {why}");
        return Err(
            Refusal::new(RefusalKind::Conflict, "route.disabled", message)
                .hint(format!("`mobkit routes enable {id}` brings it back")),
        );
    }
    Ok(Taker::Route(id, route))
}

/// How well a route fits, the best first; `None`: not at all.
fn rank(route: &Route, recipient: &str, channel: Option<&str>) -> Option<(u8, u8)> {
    let matches = &route.spec.matches;
    let fits = |wanted: &str, given: Option<&str>| match given {
        _ if wanted == ANY => Some(1),
        Some(given) if wanted == given => Some(0),
        Some(_) | None => None,
    };
    Some((
        fits(&matches.recipient, Some(recipient))?,
        fits(&matches.channel, channel)?,
    ))
}

fn none(state: &State, recipient: &str, channel: Option<&str>) -> Refusal {
    let message = match channel {
        Some(channel) => format!("no route takes {recipient:?} on channel {channel:?}"),
        None => format!("no route takes {recipient:?} without a channel"),
    };
    let refusal = Refusal::new(RefusalKind::Missing, "route.none", message);
    let of_routes = || state.routes.values().map(|route| &route.spec.matches);
    let channels: BTreeSet<&str> = of_routes()
        .filter(|matches| matches.recipient == recipient)
        .map(|matches| matches.channel.as_str())
        .collect();
    if !channels.is_empty() {
        return refusal.hint(format!("its channels are {}", shown(channels)));
    }
    let recipients: BTreeSet<&str> = of_routes()
        .map(|matches| matches.recipient.as_str())
        .filter(|recipient| *recipient != ANY)
        .collect();
    let members = state.present().map(|(id, _)| format!("{MEMBER}{id}"));
    let members: Vec<String> = members.collect();
    let known = recipients.iter().copied();
    let known = known.chain(members.iter().map(String::as_str));
    match nearest_name(recipient, known) {
        Some(near) => refusal.hint(format!("did you mean {near:?}?")),
        None if recipients.is_empty() => refusal.hint("[[routes]] in the mob file defines routes"),
        None => refusal.hint(format!("routes take {}", shown(recipients))),
    }
}

fn shown(names: BTreeSet<&str>) -> String {
    let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
    let first: Vec<&str> = names.into_iter().take(SHOWN_MAX).collect();
    format!("{}{more}", first.join(", "))
}
