//! Opening a stream of events.

use super::deltas::Deltas;
use super::feed::Feed;
use super::frame::Form;
use crate::access::{Permission, permit};
use crate::cursor::{cursor_refusal, filter, oldest_cursor};
use crate::gateway::{Caller, Gateway};
use crate::words::Words;
use mobkit_domain::id::Seq;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use mobkit_engine::{Engine, EventReader};

/// What a reader asks for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Only events after this position. Without it a stream that follows begins with what is still
    /// to come, and one that ends begins with the oldest event that is kept.
    pub after: Option<Seq>,
    /// Kinds, each whole or by noun.
    pub kinds: Option<&'a Words>,
    /// Subject, whole or by noun.
    pub subject: Option<&'a str>,
    /// Source.
    pub source: Option<&'a str>,
    /// Whether to wait for what is still to come.
    pub follow: bool,
    /// Whether to carry text as it is written; only where the stream follows.
    pub deltas: bool,
}

/// Lets the caller read the mob as `name`, or says why not.
pub(crate) fn admit(gateway: &Gateway, caller: &Caller, name: &str) -> Result<(), Refusal> {
    let engine = &gateway.engine;
    permit(&caller.principal, Permission::Read, name).inspect_err(|refusal| {
        gateway.denials.note(engine, name, refusal, caller.remote);
    })?;
    engine.phase().check(Verb::Read)
}

/// A stream of what is wanted, for a caller that was let in. A cursor that can't be followed is
/// refused here.
pub(crate) async fn open(engine: &Engine, form: Form, wanted: Wanted<'_>) -> Result<Feed, Refusal> {
    let filter = filter(wanted.kinds, wanted.subject, wanted.source)?;
    // Listening begins before the cursor is looked at, so no text falls between the two.
    let deltas = (wanted.follow && wanted.deltas).then(|| Deltas::of(engine, &filter));
    let head = engine.head();
    let after = match wanted.after {
        Some(after) => after,
        None if wanted.follow => head,
        None => oldest_cursor(engine).await?,
    };
    let reader = EventReader::open(engine, after, filter).await;
    let reader = reader.map_err(|error| cursor_refusal(&error))?;
    let mut feed = Feed::of(
        engine.clone(),
        reader,
        form,
        (!wanted.follow).then_some(head),
    );
    feed.deltas = deltas;
    Ok(feed)
}
