//! What the events of modules do to the state.

use super::{CallState, DirectCall, Module, ModuleStatus, Stage, State};
use crate::event::{
    Event, ModuleHealthy, ModuleRestarting, ModuleStarting, ModuleStopped, StartReason,
    ToolDefinition, ToolStarted,
};
use crate::id::{CallId, ModuleId, Seq, TurnId};
use crate::time::Time;
use crate::tool::module_of;
use std::collections::{BTreeMap, BTreeSet};

/// How many tools that are gone are remembered of a module.
const GONE_MAX: usize = 512;
/// How long their definitions may be together, in bytes of canonical JSON.
const GONE_LEN_MAX: usize = 4 * 1_024 * 1_024;

impl State {
    /// Folds an event of a module in; `false`: it is none.
    pub(super) fn apply_module(&mut self, seq: Seq, now: Time, event: &Event) -> bool {
        let Some(id) = event.module() else {
            return false;
        };
        match event {
            Event::ModuleStarting(e) => {
                self.know_module(id, now);
                self.with_module(id, |module| module.starting(e, seq, now));
            }
            Event::ModuleHealthy(e) => self.with_module(id, |module| module.healthy(e, now)),
            Event::ModuleUnhealthy(e) => self.with_module(id, |module| {
                module.last_error = Some(e.reason.clone());
                module.stands(ModuleStatus::Unhealthy, Some(&e.reason), now);
            }),
            Event::ModuleRestarting(e) => self.with_module(id, |module| module.restarting(e, now)),
            Event::ModuleStopping(e) => self.with_module(id, |module| {
                module.held = e.held;
                module.stands(ModuleStatus::Stopping, Some(&e.reason), now);
            }),
            Event::ModuleStopped(e) if e.removed => {
                self.with_module(id, |module| module.stopped(e, now));
                self.modules.remove(id);
            }
            Event::ModuleStopped(e) => {
                self.know_module(id, now);
                self.with_module(id, |module| module.stopped(e, now));
            }
            Event::ModuleQuarantined(e) => self.with_module(id, |module| {
                module.ends();
                module.last_error = Some(e.reason.clone());
                module.stands(ModuleStatus::Quarantined, Some(&e.reason), now);
            }),
            // ModuleEvent and ModuleLog: what a module says changes nothing about it.
            _ => {}
        }
        true
    }

    /// Notes that somebody calls a module directly, or what came of that.
    pub(super) fn apply_direct(&mut self, now: Time, event: &Event) {
        let (call, begun) = match event {
            Event::ToolStarted(e) if e.turn.is_none() => (e.call, Some(e)),
            Event::ToolFinished(e) if e.turn.is_none() => (e.call, None),
            Event::ToolFailed(e) if e.turn.is_none() => (e.call, None),
            Event::ToolUnknown(e) if e.turn.is_none() => (e.call, None),
            _ => return,
        };
        let Some(e) = begun else {
            if let Some(ended) = self.direct_calls.remove(&call) {
                self.call_ended(&ended.module, call, now);
            }
            return;
        };
        if let Some(direct) = direct_call(e) {
            self.call_begun(&direct.module, call, now);
            self.direct_calls.insert(call, direct);
        }
    }

    /// The calls of modules that a turn has in flight.
    pub(super) fn module_calls(&self, turn: Option<TurnId>) -> Vec<(ModuleId, CallId)> {
        let found = turn.and_then(|id| self.turns.get(&id));
        let Some(turn) = found.filter(|turn| !turn.checkpointed) else {
            return Vec::new();
        };
        let in_flight = turn.calls.iter().filter(|call| {
            matches!(
                call.state,
                CallState::Running { .. } | CallState::Eliciting { .. }
            )
        });
        in_flight
            .filter_map(|call| {
                let (module, _) = module_of(&call.tool)?;
                Some((ModuleId::parse(module).ok()?, call.id))
            })
            .collect()
    }

    /// Brings what modules know of calls in flight up to date with what an event did to a turn.
    pub(super) fn module_calls_follow(
        &mut self,
        before: &[(ModuleId, CallId)],
        turn: Option<TurnId>,
        now: Time,
    ) {
        let after = self.module_calls(turn);
        for (module, call) in before.iter().filter(|call| !after.contains(call)) {
            self.call_ended(module, *call, now);
        }
        for (module, call) in after.iter().filter(|call| !before.contains(call)) {
            self.call_begun(module, *call, now);
        }
    }

    /// When the process enters or leaves the stage in which modules are looked after.
    pub(super) fn index_modules(&mut self) {
        self.module_dues.clear();
        if self.stage == Stage::Ready {
            let dues = self.modules.iter();
            self.module_dues = dues
                .filter_map(|(id, module)| Some((module.due()?, id.clone())))
                .collect();
        }
    }

    fn call_begun(&mut self, id: &ModuleId, call: CallId, now: Time) {
        self.with_module(id, |module| {
            module.calls.insert(call);
            module.last_used = now;
        });
    }

    fn call_ended(&mut self, id: &ModuleId, call: CallId, now: Time) {
        self.with_module(id, |module| {
            module.calls.remove(&call);
            module.last_used = now;
        });
    }

    /// Changes a module and keeps the index of dues exact.
    fn with_module(&mut self, id: &ModuleId, change: impl FnOnce(&mut Module)) {
        let Some(module) = self.modules.get_mut(id) else {
            return;
        };
        let before = module.due();
        change(module);
        let after = module.due();
        if self.stage != Stage::Ready || before == after {
            return;
        }
        if let Some(due) = before {
            self.module_dues.remove(&(due, id.clone()));
        }
        if let Some(due) = after {
            self.module_dues.insert((due, id.clone()));
        }
    }

    /// Makes room for a module that is new, with the calls that wait for it already.
    fn know_module(&mut self, id: &ModuleId, now: Time) {
        if self.modules.contains_key(id) {
            return;
        }
        let of_turns = self.turns.keys().flat_map(|turn| {
            let calls = self.module_calls(Some(*turn)).into_iter();
            calls.filter(|(module, _)| module == id)
        });
        let direct = self.direct_calls.iter();
        let direct = direct.filter(|(_, call)| call.module == *id);
        let calls: BTreeSet<CallId> = of_turns
            .map(|(_, call)| call)
            .chain(direct.map(|(call, _)| *call))
            .collect();
        let module = Module {
            calls,
            ..Module::unknown(now)
        };
        self.modules.insert(id.clone(), module);
    }
}

fn direct_call(e: &ToolStarted) -> Option<DirectCall> {
    let (module, _) = module_of(&e.tool)?;
    Some(DirectCall {
        module: ModuleId::parse(module).ok()?,
        tool: e.tool.clone(),
        args: e.args.clone(),
        effect: e.effect,
    })
}

impl Module {
    fn stands(&mut self, status: ModuleStatus, reason: Option<&str>, now: Time) {
        if self.status != status {
            self.since = now;
        }
        self.status = status;
        self.reason = reason.map(str::to_owned);
    }

    /// There is no process any longer.
    fn ends(&mut self) {
        self.running = false;
        self.pid = None;
    }

    fn starting(&mut self, e: &ModuleStarting, seq: Seq, now: Time) {
        let why = self.reason.take();
        match e.reason {
            StartReason::Restart => self.stands(ModuleStatus::Starting, why.as_deref(), now),
            StartReason::Wanted | StartReason::Ordered => {
                // Somebody who knows better gives it a fresh chance.
                self.recent.clear();
                self.stands(ModuleStatus::Starting, None, now);
            }
            StartReason::Called | StartReason::Listing => {
                self.stands(ModuleStatus::Starting, None, now);
            }
        }
        self.since = now;
        self.start = seq;
        self.running = true;
        self.pid = None;
        self.held = false;
        self.digest.clone_from(&e.digest);
        self.idle_stop_ms = e.idle_stop_ms;
        self.last_used = now;
    }

    fn healthy(&mut self, e: &ModuleHealthy, now: Time) {
        if self.status != ModuleStatus::Healthy {
            self.last_used = now;
        }
        self.stands(ModuleStatus::Healthy, None, now);
        self.pid = e.pid;
        self.protocol = Some(e.protocol.clone());
        self.sandbox.clone_from(&e.sandbox);
        if let Some(tools) = &e.tools {
            let known = self.tools.take().unwrap_or_default();
            let tools = by_name(tools);
            self.gone.retain(|name, _| !tools.contains_key(name));
            let gone = known.into_iter();
            self.remember(gone.filter(|(name, _)| !tools.contains_key(name)).collect());
            self.tools = Some(tools);
            self.tools_digest.clone_from(&self.digest);
            self.changed = by_name(&e.held);
        }
    }

    /// Remembers tools that are gone, as far as there is room.
    fn remember(&mut self, gone: Vec<(String, ToolDefinition)>) {
        if gone.is_empty() {
            return;
        }
        let remembered = self.gone.values().map(|tool| tool.canonical().len());
        let mut len: usize = remembered.sum();
        for (name, tool) in gone {
            len += tool.canonical().len();
            if self.gone.len() == GONE_MAX || len > GONE_LEN_MAX {
                return;
            }
            self.gone.insert(name, tool);
        }
    }

    fn restarting(&mut self, e: &ModuleRestarting, now: Time) {
        if e.restarts > 0 {
            self.restarts += 1;
            self.recent.push(now);
            self.last_error = Some(e.reason.clone());
        }
        // The event counts those within the period; older ones are forgotten, and so are all where
        // somebody asked for the restart.
        let kept = usize::try_from(e.restarts).unwrap_or(usize::MAX);
        let forgotten = self.recent.len().saturating_sub(kept);
        self.recent.drain(..forgotten);
        self.held = false;
        if !e.running {
            self.ends();
        }
        let not_before = e.not_before;
        let status = ModuleStatus::Restarting { not_before };
        self.stands(status, Some(&e.reason), now);
    }

    fn stopped(&mut self, e: &ModuleStopped, now: Time) {
        self.ends();
        self.held = e.held;
        self.stands(ModuleStatus::Stopped, Some(&e.reason), now);
    }
}

fn by_name(tools: &[ToolDefinition]) -> BTreeMap<String, ToolDefinition> {
    tools
        .iter()
        .map(|tool| (tool.name.clone(), tool.clone()))
        .collect()
}
