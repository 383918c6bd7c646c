//! Routes come, change and go.

use super::dead;
use crate::definition::{self, nearest_name};
use crate::draft::Draft;
use crate::event::{RouteDefined, RouteOrigin, RouteRemoved};
use crate::id::RouteId;
use crate::principal::Principal;
use crate::refusal::{Refusal, RefusalKind};
use crate::state;

/// How many routes there are at most.
const ROUTES_MAX: usize = 1_000;
/// Longest recipient and channel, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 256;

/// What a route needs so that it is what the mob file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RouteNeed {
    /// It is defined.
    Define,
    /// It is forgotten.
    Remove,
}

/// What a route needs so that it is what the mob file says, and why; `None`: nothing. One that is
/// out of use stays so until its definition changes or somebody brings it back.
pub(crate) fn route_need(
    defined: Option<&definition::Route>,
    found: Option<&state::Route>,
) -> Option<(RouteNeed, &'static str)> {
    match (defined, found) {
        (None, Some(found)) if found.origin == RouteOrigin::File => {
            Some((RouteNeed::Remove, "the mob file no longer has it"))
        }
        (Some(_), None) => Some((
            RouteNeed::Define,
            "the mob file has it, and it is not there",
        )),
        (Some(_), Some(found)) if found.origin == RouteOrigin::Api => {
            Some((RouteNeed::Define, "the mob file has it now"))
        }
        (Some(defined), Some(found)) if found.spec != *defined => {
            Some((RouteNeed::Define, "its definition has changed"))
        }
        (None | Some(_), Some(_)) | (None, None) => None,
    }
}

fn defined<'w>(draft: &Draft<'w>, id: &RouteId) -> Option<&'w definition::Route> {
    let routes = &draft.world.definition.routes;
    routes.iter().find(|route| route.id == *id)
}

/// Brings a route to what the mob file says.
pub(super) fn converge(draft: &mut Draft<'_>, id: &RouteId) {
    let defined = defined(draft, id);
    match (route_need(defined, draft.state().routes.get(id)), defined) {
        (Some((RouteNeed::Define, _)), Some(spec)) => {
            draft.order(RouteDefined {
                route: id.clone(),
                spec: spec.clone(),
                origin: RouteOrigin::File,
                disabled: None,
            });
        }
        (Some((RouteNeed::Remove, reason)), _) => forget(draft, id, reason),
        // Only what is defined needs to be.
        (Some((RouteNeed::Define, _)), None) | (None, _) => {}
    }
}

/// Somebody defines a route of his own.
pub(super) fn put(draft: &mut Draft<'_>, spec: &definition::Route) -> Result<(), Refusal> {
    not_by_agent(draft)?;
    let id = &spec.id;
    if is_of_file(draft, id) {
        return Err(of_file(id));
    }
    let found = draft.state().routes.get(id);
    if found.is_some_and(|found| found.spec == *spec && found.disabled.is_none()) {
        return Ok(());
    }
    check(draft, spec)?;
    draft.order(RouteDefined {
        route: id.clone(),
        spec: spec.clone(),
        origin: RouteOrigin::Api,
        disabled: None,
    });
    Ok(())
}

/// Somebody wants a route used again whose receiver wanted nothing more; nothing happens where it
/// is in use.
pub(super) fn enable(draft: &mut Draft<'_>, id: &RouteId) -> Result<(), Refusal> {
    not_by_agent(draft)?;
    let found = known(draft, id)?;
    if found.disabled.is_some() {
        draft.order(RouteDefined {
            route: id.clone(),
            spec: found.spec.clone(),
            origin: found.origin,
            disabled: None,
        });
    }
    Ok(())
}

/// The route of this id.
fn known<'w>(draft: &Draft<'w>, id: &RouteId) -> Result<&'w state::Route, Refusal> {
    let routes = &draft.state().routes;
    routes.get(id).ok_or_else(|| {
        let message = format!("there is no route {id}");
        let refusal = Refusal::new(RefusalKind::Missing, "route.not_found", message);
        match nearest_name(id.as_str(), routes.keys().map(RouteId::as_str)) {
            Some(near) => refusal.hint(format!("did you mean {near:?}?")),
            None => refusal.hint("`mobkit routes` lists the routes"),
        }
    })
}

/// Somebody forgets a route of his own; what waits on it is dead.
pub(super) fn remove(draft: &mut Draft<'_>, id: &RouteId) -> Result<(), Refusal> {
    not_by_agent(draft)?;
    known(draft, id)?;
    if is_of_file(draft, id) {
        return Err(of_file(id));
    }
    forget(draft, id, "somebody removed it");
    Ok(())
}

fn forget(draft: &mut Draft<'_>, id: &RouteId, reason: &str) {
    let seq = draft.order(RouteRemoved {
        route: id.clone(),
        reason: reason.to_owned(),
    });
    let why = format!("route {id} was removed: {reason}");
    dead::all_waiting(draft, seq, id.as_str(), &why, None);
}

/// Where outputs go is not for agents to say.
fn not_by_agent(draft: &Draft<'_>) -> Result<(), Refusal> {
    let Principal::Agent(member) = &draft.actor else {
        return Ok(());
    };
    let message = format!("{member} is an agent; people and programs define routes");
    Err(Refusal::new(
        RefusalKind::Denied,
        "route.not_yours",
        message,
    ))
}

fn is_of_file(draft: &Draft<'_>, id: &RouteId) -> bool {
    let found = draft.state().routes.get(id);
    defined(draft, id).is_some() || found.is_some_and(|found| found.origin == RouteOrigin::File)
}

fn of_file(id: &RouteId) -> Refusal {
    let message = format!("the mob file defines route {id}");
    Refusal::new(RefusalKind::Conflict, "route.of_file", message)
        .hint("change the mob file and apply it")
}

/// Whether a route may be defined beside those that are there.
fn check(draft: &Draft<'_>, spec: &definition::Route) -> Result<(), Refusal> {
    let matches = &spec.matches;
    for (name, given) in [
        ("recipient", &matches.recipient),
        ("channel", &matches.channel),
    ] {
        if given.is_empty() || given.len() > NAME_BYTES_MAX {
            let message = format!("the {name} must have 1 to {NAME_BYTES_MAX} bytes");
            return Err(Refusal::new(RefusalKind::Invalid, "route.invalid", message));
        }
    }
    let routes = &draft.state().routes;
    if let Some((other, _)) = routes
        .iter()
        .find(|(id, other)| **id != spec.id && other.spec.matches == *matches)
    {
        let message = format!("route {other} takes the same deliveries");
        return Err(
            Refusal::new(RefusalKind::Conflict, "route.ambiguous", message)
                .hint("give each route its own recipient or channel"),
        );
    }
    if !routes.contains_key(&spec.id) && routes.len() >= ROUTES_MAX {
        let message = format!("there are {ROUTES_MAX} routes already");
        return Err(
            Refusal::new(RefusalKind::Conflict, "route.too_many", message)
                .hint("remove some that nobody needs"),
        );
    }
    Ok(())
}
