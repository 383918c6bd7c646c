//! What is broken right now.

use mobkit_domain::definition::{ModelFault, RouteFault};
use mobkit_domain::id::{ModelId, RouteId};
use mobkit_domain::time::Time;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A fault of model calls.
struct OfModels {
    kind: ModelFault,
    only: Option<ModelId>,
    until: Time,
}

/// A fault of a route.
struct OfRoute {
    kind: RouteFault,
    route: RouteId,
    until: Time,
}

#[derive(Default)]
struct Faults {
    models: Vec<OfModels>,
    routes: Vec<OfRoute>,
}

/// What is broken, and until when; it outlives the processes of a mob.
#[derive(Default)]
pub(super) struct Weather(Mutex<Faults>);

impl Weather {
    fn lock(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks model calls.
    pub(super) fn break_models(&self, kind: ModelFault, only: Option<ModelId>, until: Time) {
        self.lock().models.push(OfModels { kind, only, until });
    }

    /// Breaks a route.
    pub(super) fn break_route(&self, route: RouteId, kind: RouteFault, until: Time) {
        self.lock().routes.push(OfRoute { kind, route, until });
    }

    /// How a call of this model fails now; the fault that came last counts.
    pub(super) fn of_model(&self, model: &ModelId, now: Time) -> Option<ModelFault> {
        let faults = self.lock();
        let mut found = faults.models.iter().rev();
        let hits = |fault: &&OfModels| {
            now < fault.until && fault.only.as_ref().is_none_or(|only| only == model)
        };
        found.find(hits).map(|fault| fault.kind)
    }

    /// How an attempt over this route fails now.
    pub(super) fn of_route(&self, route: &str, now: Time) -> Option<RouteFault> {
        let faults = self.lock();
        let mut found = faults.routes.iter().rev();
        let hits = |fault: &&OfRoute| now < fault.until && fault.route.as_str() == route;
        found.find(hits).map(|fault| fault.kind)
    }
}
