//! A route as clients see it.

use crate::suggestion::hint;
use mobkit_domain::definition::{self, Backoff, Rate, RouteMatch, Secret, Setting, Sink};
use mobkit_domain::event::RouteOrigin;
use mobkit_domain::id::RouteId;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::state::Route;
use mobkit_domain::time::span_text;
use mobkit_engine::Engine;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A route as it is at one moment, in the words of the mob file. Secrets are references; what a
/// header says in clear text is not shown, since it may be a secret all the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RouteView {
    /// Its id.
    pub id: RouteId,
    /// Which deliveries it takes.
    #[serde(rename = "match")]
    matches: RouteMatch,
    /// How they are sent.
    sink: Value,
    /// How often each is tried.
    retry: RetryView,
    /// Most attempts of a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    /// Who wants it.
    origin: RouteOrigin,
    /// Why nothing is sent over it, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<String>,
    /// Deliveries on their way over it.
    open: usize,
}

/// How often a delivery is tried.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct RetryView {
    attempts: u32,
    backoff: [String; 2],
}

impl RouteView {
    /// The route, over which `open` deliveries are on their way.
    pub fn of(route: &Route, open: usize) -> Self {
        let definition::Route {
            id,
            matches,
            sink,
            retry,
            rate,
        } = route.spec.clone();
        let Backoff { min_ms, max_ms } = retry.backoff;
        Self {
            id,
            matches,
            sink: shown(&sink),
            retry: RetryView {
                attempts: retry.attempts,
                backoff: [span_text(min_ms), span_text(max_ms)],
            },
            rate,
            origin: route.origin,
            disabled: route.disabled.clone(),
            open,
        }
    }
}

/// The word for how deliveries are sent.
pub(crate) fn sink_kind(sink: &Sink) -> &'static str {
    match sink {
        Sink::Member { .. } => "member",
        Sink::Webhook { .. } => "webhook",
        Sink::Email { .. } => "email",
        Sink::Module { .. } => "module",
        Sink::File { .. } => "file",
    }
}

fn shown(sink: &Sink) -> Value {
    let mut entry = match sink {
        Sink::Member { member } => json!({ "member": member }),
        Sink::Webhook {
            url,
            secret,
            headers,
            allow_private,
        } => json!({
            "url": url, "secret": reference(secret.as_ref()), "headers": names(headers),
            "allow_private": allow_private,
        }),
        Sink::Email {
            server,
            from,
            to,
            username,
            password,
            allow_private,
        } => json!({
            "server": server, "from": from, "to": to, "username": username,
            "password": reference(password.as_ref()), "allow_private": allow_private,
        }),
        Sink::Module { module, tool } => json!({ "module": module, "tool": tool }),
        Sink::File { path } => json!({ "path": path }),
    };
    entry["kind"] = json!(sink_kind(sink));
    if let Some(entry) = entry.as_object_mut() {
        entry.retain(|_, value| !value.is_null());
    }
    entry
}

fn reference(secret: Option<&Secret>) -> Value {
    secret.map_or(Value::Null, |secret| json!(secret))
}

/// Headers, each with where its value is found; null where there are none.
fn names(headers: &BTreeMap<String, Setting>) -> Value {
    if headers.is_empty() {
        return Value::Null;
    }
    let shown = headers.iter().map(|(name, setting)| {
        let value = match setting {
            Setting::Text(_) => json!({ "hidden": true }),
            Setting::Secret(secret) => json!(secret),
        };
        (name.clone(), value)
    });
    Value::Object(shown.collect::<Map<String, Value>>())
}

/// The refusal for a route that does not exist.
pub(crate) fn route_missing(engine: &Engine, id: &RouteId) -> Refusal {
    let hint = engine.view(|world| {
        let names: Vec<&str> = world.state.routes.keys().map(RouteId::as_str).collect();
        hint(id.as_str(), "routes", &names)
    });
    let message = format!("there is no route {id}");
    Refusal::new(RefusalKind::Missing, "route.not_found", message).hint(hint)
}
