//! Whatever happens to modules in whatever order: no two processes of one, no restart too many, and
//! nothing that is due goes unused.

use super::harness::{Mob, ada, define};
use super::module_kit::{WORKSHOP, ended, healthy, module, stopped, tools};
use mobkit_domain::command::{
    Command, Ended, ModuleCommand, RuntimeCommand, Submission, ToolOutcome, TurnCommand,
};
use mobkit_domain::definition::Restart;
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::{DrainReport, Event, StartReason};
use mobkit_domain::id::{CallId, ModuleId, Seq, TurnId};
use mobkit_domain::state::{CallState, Stage, State};
use mobkit_domain::time::Time;
use mobkit_domain::tool::module_of;
use mobkit_domain::world::next_due;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const IDS: [&str; 4] = ["search", "mail", "once", "vault"];

#[derive(Debug, Clone)]
enum Op {
    Start(usize),
    Stop(usize),
    Restart(usize),
    /// Another definition comes into force; `apply`: and every module is brought to it.
    Define {
        which: usize,
        apply: bool,
    },
    Converge(usize),
    Healthy(usize),
    Unhealthy(usize),
    Ended(usize, Ended),
    Stopped(usize),
    /// Something comes of a process that is gone.
    Late(usize, u8),
    Call(usize),
    CallEnds(u8),
    Ask(usize, usize),
    ToolEnds(u8),
    Cancel,
    Tick(u64),
    Crash,
    Shutdown,
}

fn op() -> impl Strategy<Value = Op> {
    let id = || 0..IDS.len();
    let how = prop::sample::select(vec![
        Ended::Success,
        Ended::Failure,
        Ended::Failure,
        Ended::Failure,
        Ended::Hopeless,
    ]);
    prop_oneof![
        2 => id().prop_map(Op::Start),
        2 => id().prop_map(Op::Stop),
        2 => id().prop_map(Op::Restart),
        2 => (0..definitions().len(), any::<bool>())
            .prop_map(|(which, apply)| Op::Define { which, apply }),
        1 => id().prop_map(Op::Converge),
        6 => id().prop_map(Op::Healthy),
        2 => id().prop_map(Op::Unhealthy),
        6 => (id(), how).prop_map(|(id, how)| Op::Ended(id, how)),
        5 => id().prop_map(Op::Stopped),
        2 => (id(), 0..4u8).prop_map(|(id, what)| Op::Late(id, what)),
        2 => id().prop_map(Op::Call),
        2 => (0..3u8).prop_map(Op::CallEnds),
        3 => (id(), id()).prop_map(|(a, b)| Op::Ask(a, b)),
        3 => (0..3u8).prop_map(Op::ToolEnds),
        1 => Just(Op::Cancel),
        8 => prop::sample::select(vec![0, 1, 150, 200, 1_000, 10_000, 70_000]).prop_map(Op::Tick),
        1 => Just(Op::Crash),
        1 => Just(Op::Shutdown),
    ]
}

/// As it was, another process, other rules, another start, fewer modules, none.
fn definitions() -> [String; 6] {
    let all = WORKSHOP.to_owned();
    let slower = all.replace("--fast", "--slow");
    let looser = all
        .replace("intensity = 2", "intensity = 5")
        .replace("policy = \"never\"", "policy = \"always\"");
    let eager = all.replace("start = \"lazy\"\nidle_stop = \"10s\"\n", "");
    let fewer = without(&without(&all, "search"), "mail");
    let none = without(&without(&fewer, "once"), "vault");
    [all, slower, looser, eager, fewer, none]
}

fn without(text: &str, id: &str) -> String {
    let parts = text.split("[[modules]]");
    let kept: Vec<&str> = parts
        .filter(|part| !part.starts_with(&format!("\nid = \"{id}\"")))
        .collect();
    kept.join("[[modules]]")
        .replace(&format!("module:{id}/*"), "now")
}

struct Watch {
    mob: Mob,
    definitions: Vec<String>,
    /// The processes that are there, by what happened.
    live: BTreeMap<ModuleId, Seq>,
    /// Those that were told to end.
    told: BTreeSet<ModuleId>,
    /// When the policy restarted a module, since somebody gave it a fresh chance.
    restarts: BTreeMap<ModuleId, Vec<Time>>,
    folded: State,
    seen: usize,
}

impl Watch {
    fn new() -> Self {
        let mob = Mob::workshop();
        let mut watch = Self {
            folded: State::of(mob.world.state.mob.clone()),
            mob,
            definitions: definitions().to_vec(),
            live: BTreeMap::new(),
            told: BTreeSet::new(),
            restarts: BTreeMap::new(),
            seen: 0,
        };
        watch.look();
        watch
    }

    /// Runs a command that may be refused, as an operator or the runtime.
    fn run(&mut self, command: Command) -> Option<String> {
        let internal = command.verb().is_none();
        let mut submission = Submission::internal(command);
        if !internal {
            submission.actor = ada();
        }
        let refused = self.mob.run(&submission).err().map(|refusal| refusal.code);
        self.look();
        refused
    }

    fn step(&mut self, op: &Op) {
        match op {
            Op::Start(i) => self.order(|module| ModuleCommand::Start { module }, *i),
            Op::Stop(i) => self.order(|module| ModuleCommand::Stop { module }, *i),
            Op::Restart(i) => self.order(|module| ModuleCommand::Restart { module }, *i),
            Op::Converge(i) => self.order(|module| ModuleCommand::Converge { module }, *i),
            Op::Define { which, apply } => self.define(*which, *apply),
            Op::Healthy(i) => self.with_process(*i, |id, start| {
                healthy(id, start, Some(tools(&["fetch", "publish"])))
            }),
            Op::Unhealthy(i) => self.with_process(*i, |id, start| {
                Command::Module(ModuleCommand::Unhealthy {
                    module: module(id),
                    start,
                    reason: "no answer".to_owned(),
                })
            }),
            Op::Ended(i, how) => self.ends(*i, |id, start| ended(id, start, *how)),
            Op::Stopped(i) if self.told.contains(&module(IDS[*i])) => {
                self.ends(*i, |id, start| stopped(id, start, None));
            }
            Op::Stopped(_) => {}
            Op::Late(i, what) => self.late(IDS[*i], *what),
            Op::Call(i) => {
                let (module, tool) = (module(IDS[*i]), "publish".to_owned());
                let args = json!({});
                self.run(Command::Module(ModuleCommand::Call { module, tool, args }));
            }
            Op::CallEnds(what) => {
                if let Some(call) = self.mob.world.state.direct_calls.keys().next().copied() {
                    self.call_ends(None, call, *what);
                }
            }
            Op::Ask(a, b) => self.ask(IDS[*a], IDS[*b]),
            Op::ToolEnds(what) => {
                let running = self.running_call();
                if let Some((turn, call)) = running {
                    self.call_ends(Some(turn), call, *what);
                }
            }
            Op::Cancel => {
                if let Some(turn) = self.mob.world.state.turns.keys().next().copied() {
                    let reason = None;
                    self.run(Command::Turn(TurnCommand::Cancel { turn, reason }));
                }
            }
            Op::Tick(ms) => {
                self.mob.pass_ms(*ms);
                self.run(Command::Runtime(RuntimeCommand::Tick));
                let due = next_due(&self.mob.world.state);
                assert!(due.is_none_or(|due| due > self.mob.now), "{due:?} is left");
            }
            Op::Crash => self.restart_runtime(),
            Op::Shutdown => self.shut_down(),
        }
    }

    fn order(&mut self, command: fn(ModuleId) -> ModuleCommand, i: usize) {
        let refused = self.run(Command::Module(command(module(IDS[i]))));
        if let Some(code) = refused {
            assert_eq!(code, "module.not_found");
        }
    }

    fn define(&mut self, which: usize, apply: bool) {
        let text = self.definitions[which].clone();
        self.mob.redefine(&text);
        for id in IDS.iter().filter(|_| apply) {
            let module = module(id);
            let converge = ModuleCommand::Converge { module };
            assert_eq!(self.run(Command::Module(converge)), None);
        }
    }

    /// What comes of a process that is there; only one that was told to end may be answered that
    /// nobody wants to know.
    fn with_process(&mut self, i: usize, command: impl Fn(&str, Seq) -> Command) {
        let id = module(IDS[i]);
        let Some(start) = self.live.get(&id).copied() else {
            return;
        };
        let told = self.told.contains(&id);
        assert_eq!(self.run(command(IDS[i], start)).is_some(), told, "{id}");
    }

    fn ends(&mut self, i: usize, command: impl Fn(&str, Seq) -> Command) {
        let id = module(IDS[i]);
        self.told.remove(&id);
        if let Some(start) = self.live.remove(&id) {
            assert_eq!(self.run(command(IDS[i], start)), None, "{id}");
        }
    }

    fn late(&mut self, id: &str, what: u8) {
        let current = self.live.get(&module(id)).copied().unwrap_or_default();
        for start in [current.saturating_sub(1), current + 1] {
            let command = match what {
                0 => healthy(id, start, None),
                1 => ended(id, start, Ended::Failure),
                2 => stopped(id, start, None),
                _ => stopped(id, start, Some("shutdown")),
            };
            let before = self.mob.world.state.head;
            assert_eq!(self.run(command).as_deref(), Some("module.stale"));
            assert_eq!(self.mob.world.state.head, before);
        }
    }

    fn ask(&mut self, a: &str, b: &str) {
        if self.mob.world.state.turns.is_empty() {
            let send = super::harness::send("ann", "work");
            self.run(Command::Message(send));
        }
        let Some(turn) = self.mob.world.state.turns.values().next() else {
            return;
        };
        if turn.calls.is_empty() && turn.is_working() {
            let (a, b) = (format!("module:{a}/publish"), format!("module:{b}/fetch"));
            let calls = [(a.as_str(), json!({})), (b.as_str(), json!({}))];
            let said = super::harness::reply("", &calls);
            let at = self.mob.at("ann");
            self.run(super::harness::replied(at, said));
        }
    }

    fn running_call(&self) -> Option<(TurnId, CallId)> {
        self.mob.world.state.turns.iter().find_map(|(id, turn)| {
            let running = |state: &CallState| matches!(state, CallState::Running { .. });
            let call = turn.calls.iter().find(|call| running(&call.state))?;
            Some((*id, call.id))
        })
    }

    fn call_ends(&mut self, turn: Option<TurnId>, call: CallId, what: u8) {
        let outcome = match what {
            0 => ToolOutcome::Finished("done".into()),
            1 => ToolOutcome::Failed("no".to_owned()),
            _ => ToolOutcome::Lost("gone".to_owned()),
        };
        let ended = TurnCommand::ToolEnded {
            turn,
            call,
            outcome,
        };
        assert_eq!(self.run(Command::Turn(ended)), None);
    }

    fn shut_down(&mut self) {
        self.run(Command::Runtime(RuntimeCommand::Drain {
            timeout_ms: 1_000,
        }));
        self.run(Command::Runtime(RuntimeCommand::Checkpoint));
        while let Some((id, start)) = self.live.pop_first() {
            self.told.remove(&id);
            let command = stopped(id.as_str(), start, Some("shutdown"));
            assert_eq!(self.run(command), None, "{id}");
        }
        let drain = DrainReport::default();
        self.run(Command::Runtime(RuntimeCommand::Stop { drain }));
        self.restart_runtime();
    }

    fn restart_runtime(&mut self) {
        self.live.clear();
        self.told.clear();
        self.mob.crash();
        self.look();
        assert!(self.mob.world.state.direct_calls.is_empty());
        self.run(Command::Runtime(RuntimeCommand::Ready));
        let open = open_effects(&self.mob.world.state);
        let starts = open.iter().filter_map(|effect| match effect {
            Effect::ModuleStart { module, start } => Some((module.clone(), *start)),
            _ => None,
        });
        assert_eq!(starts.collect::<BTreeMap<_, _>>(), self.live);
    }

    /// Checks what the last command did.
    fn look(&mut self) {
        for effect in std::mem::take(&mut self.mob.asked) {
            match effect {
                Effect::ModuleStart { module, start } => {
                    let other = self.live.insert(module.clone(), start);
                    assert_eq!(other, None, "two processes of {module}");
                    self.told.remove(&module);
                }
                Effect::ModuleStop { module, start } => {
                    assert_eq!(self.live.get(&module), Some(&start), "{module}");
                    self.told.insert(module);
                }
                _ => {}
            }
        }
        for at in self.seen..self.mob.journal.len() {
            self.folded.apply(&self.mob.journal[at]);
            self.count(at);
        }
        self.seen = self.mob.journal.len();
        assert_eq!(self.folded, self.mob.world.state, "the journal says it all");
        self.recount();
    }

    /// The policy restarts within its intensity, and pauses as it should.
    fn count(&mut self, at: usize) {
        let envelope = &self.mob.journal[at];
        match &envelope.event {
            Event::ModuleStarting(e)
                if matches!(e.reason, StartReason::Ordered | StartReason::Wanted) =>
            {
                self.restarts.remove(&e.module);
            }
            Event::ModuleRestarting(e) if e.restarts == 0 => {
                self.restarts.remove(&e.module);
            }
            Event::ModuleStopped(e) if e.removed => {
                self.restarts.remove(&e.module);
            }
            Event::ModuleRestarting(e) => {
                let rules: Restart = policy(&self.mob, &e.module);
                let times = self.restarts.entry(e.module.clone()).or_default();
                times.retain(|time| envelope.time.since_ms(*time) < rules.period_ms);
                times.push(envelope.time);
                assert_eq!(times.len(), e.restarts as usize);
                assert!(e.restarts <= rules.intensity, "{e:?}");
                let pause_ms = e.not_before.since_ms(envelope.time);
                let allowed = rules.backoff.min_ms..=rules.backoff.max_ms;
                assert!(allowed.contains(&pause_ms), "{pause_ms}");
            }
            _ => {}
        }
    }

    /// The state knows exactly the processes and calls that there are, and what is due.
    fn recount(&self) {
        let state = &self.mob.world.state;
        let running = state.modules.iter().filter(|(_, module)| module.running);
        let running: BTreeMap<_, _> = running.map(|(id, m)| (id.clone(), m.start)).collect();
        if state.stage != Stage::Stopped {
            assert_eq!(running, self.live);
        }
        let dues = state.modules.iter();
        let dues = dues.filter_map(|(id, module)| Some((module.due()?, id.clone())));
        let ready = state.stage == Stage::Ready;
        let dues: BTreeSet<_> = dues.filter(|_| ready).collect();
        assert_eq!(dues, state.module_dues, "recounted");
        for (id, module) in &state.modules {
            let of_turns = state.turns.values().filter(|turn| !turn.checkpointed);
            let of_turns = of_turns.flat_map(|turn| &turn.calls).filter(|call| {
                matches!(call.state, CallState::Running { .. })
                    && module_of(&call.tool).is_some_and(|(of, _)| of == id.as_str())
            });
            let direct = state.direct_calls.iter();
            let direct = direct.filter(|(_, call)| call.module == *id);
            let calls: BTreeSet<CallId> = of_turns
                .map(|call| call.id)
                .chain(direct.map(|(call, _)| *call))
                .collect();
            assert_eq!(calls, module.calls, "{id}");
        }
    }

    /// When no module is wanted any longer, all ends, and nothing is left.
    fn leaves_nothing(mut self) {
        self.define(5, true);
        for (i, id) in IDS.iter().enumerate() {
            if self.told.contains(&module(id)) {
                self.ends(i, |id, start| stopped(id, start, None));
            }
        }
        let state = &self.mob.world.state;
        assert!(state.modules.is_empty(), "{:?}", state.modules);
        assert!(state.module_dues.is_empty() && self.live.is_empty());
        while let Some(call) = self.mob.world.state.direct_calls.keys().next().copied() {
            self.call_ends(None, call, 2);
        }
        let saved = serde_json::to_value(&self.mob.world.state).expect("a state is JSON");
        let back: State = serde_json::from_value(saved).expect("a state");
        assert_eq!(back, self.mob.world.state);
    }
}

fn policy(mob: &Mob, id: &ModuleId) -> Restart {
    let modules = &mob.world.definition.modules;
    let found = modules.iter().find(|module| module.id == *id);
    found.expect("only what is defined is restarted").restart
}

#[test]
fn the_definitions_of_the_test_differ_as_they_should() {
    let modules = definitions().map(|text| define(&text).modules);
    assert_eq!(modules.each_ref().map(Vec::len), [4, 4, 4, 4, 2, 0]);
    assert_ne!(modules[0][0].digest(), modules[1][0].digest());
    assert_eq!(modules[0][0].digest(), modules[2][0].digest());
    assert_ne!(modules[0][1].is_lazy(), modules[3][1].is_lazy());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_modules_they_are_looked_after(
        ops in prop::collection::vec(op(), 1..100)
    ) {
        let mut watch = Watch::new();
        for op in &ops {
            watch.step(op);
        }
        watch.leaves_nothing();
    }
}
