//! A mob that is watched: whatever comes in, what follows is compared with what the events say.

use super::docket::Docket;
use super::harness::{Mob, NEWSROOM, member, reply};
use super::ledger::Ledger;
use super::ops::{Came, Op, Said};
use super::recount::{check_helpers, check_members, check_turns};
use mobkit_domain::command::{
    ApprovalCommand, Command, EdgeCommand, EngineCommand, GrantRequest, GrantScopeRequest,
    MemberCommand, MessageCommand, MobCommand, RuntimeCommand, StepRef, Submission, ToolOutcome,
    TurnCommand,
};
use mobkit_domain::definition::{Engine, Role};
use mobkit_domain::edge::Edge;
use mobkit_domain::effect::{Effect, open_effects};
use mobkit_domain::event::{
    DrainReport, Envelope, Fence, KeyUse, MemberOrigin, MessageMode, Offers, ToolEffect,
};
use mobkit_domain::id::{CallId, MessageId, SessionId, TurnId};
use mobkit_domain::model::{Failure, Reply};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{ApprovalState, MessageState, Row};
use mobkit_domain::state::{CallState, State, TurnPhase};
use mobkit_domain::text::Text;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the test knows beside the mob.
pub struct Watch {
    mob: Mob,
    ledger: Ledger,
    docket: Docket,
    folded: State,
    seen: usize,
    /// What a runner has been asked for since the process began.
    dispatched: Vec<Effect>,
    /// How often each call with an effect was handed out.
    handed_out: BTreeMap<CallId, u32>,
}

/// The turn of an engine is the same whether it was resumed or not.
fn same(effect: &Effect) -> Effect {
    match effect.clone() {
        Effect::EngineTurn {
            turn,
            member,
            fence,
            ..
        } => Effect::EngineTurn {
            turn,
            member,
            fence,
            resumed: true,
        },
        other => other,
    }
}

fn said(calls: &[(&'static str, &'static str)]) -> Reply {
    let calls = calls.iter().map(|(tool, to)| (*tool, args(tool, to)));
    reply("said", &calls.collect::<Vec<_>>())
}

/// Which calls need a decision; the first set is that of the start.
const GATES: [&str; 4] = [
    "[[gates]]
tool = \"publish\"
profiles = [\"desk\"]
action = \"review\"
expires = \"60ms\"
unattended = \"deny\"
[[gates]]
tool = \"save\"
action = \"review\"
approvers = [\"role:approver\", \"operator:cleo\"]
expires = \"40ms\"
on_expiry = \"hold\"
unattended = \"allow\"
[[gates]]
tool = \"s*\"
action = \"review\"
four_eyes = true
[[gates]]
tool = \"look\"
members = [\"r1\", \"ann\"]
action = \"audit\"",
    "",
    "[[gates]]
tool = \"publish\"
action = \"deny\"
[[gates]]
tool = \"look\"
action = \"review\"
expires = \"30ms\"",
    "[[gates]]
tool = \"*\"
members = [\"bob\"]
action = \"allow\"
[[gates]]
tool = \"*\"
action = \"review\"",
];

/// The mob file with these gates, with or without the role of the reporters.
fn mob_file(reporters: bool, gates: u8) -> String {
    let text = if reporters {
        NEWSROOM.to_owned()
    } else {
        NEWSROOM
            .replace("profiles.reporter", "profiles.writer")
            .replace(r#"profile = "reporter""#, r#"profile = "writer""#)
            .replace(r#", "reporter"]"#, r#", "writer"]"#)
    };
    let text = text.replace(r#""save", "publish"]"#, r#""save", "publish", "delegate"]"#);
    format!("{text}\n{}", GATES[usize::from(gates)])
}

fn who_decides(by: u8) -> Principal {
    match by {
        0 => Principal::Agent(member("ann")),
        1 => Principal::Runtime,
        2 => Principal::App("desk".to_owned()),
        3 => Principal::Operator("ada".to_owned()),
        4 => Principal::Operator("bob".to_owned()),
        _ => Principal::Operator("cleo".to_owned()),
    }
}

fn came_of(good: bool) -> Result<Text, String> {
    if good {
        Ok("good".into())
    } else {
        Err("bad".to_owned())
    }
}

fn is_call_with_effect(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::ToolCall {
            effect: ToolEffect::Effect,
            ..
        }
    )
}

fn args(tool: &str, to: &str) -> Value {
    match tool {
        "send_message" | "ask_peer" => json!({"to": to, "content": "hello"}),
        "delegate" => json!({"task": "hello"}),
        "look" if to == "nobody" => json!("no object"),
        _ => json!({}),
    }
}

impl Watch {
    /// A mob with the gates of this number.
    pub fn new(gates: u8) -> Self {
        let mob = Mob::ready_of(&mob_file(true, gates));
        let folded = State::of(mob.world.state.mob.clone());
        let (ledger, docket, dispatched, handed_out) = Default::default();
        let mut watch = Self {
            mob,
            ledger,
            docket,
            folded,
            seen: 0,
            dispatched,
            handed_out,
        };
        watch.look();
        watch
    }

    /// The turn of a member, or of another one where that has none.
    fn turn(&self, who: &str) -> TurnId {
        let found = self
            .mob
            .world
            .state
            .members
            .get(&member(who))
            .and_then(|found| found.turn);
        let turns = &self.mob.world.state.turns;
        let other = || turns.keys().nth(who.len() % turns.len().max(1)).copied();
        found.or_else(other).unwrap_or(TurnId(7))
    }

    fn fence(&self, who: &str) -> Fence {
        let state = &self.mob.world.state;
        let of_turn = state.turns.get(&self.turn(who)).map(|turn| turn.fence);
        let found = of_turn.or_else(|| Some(state.members.get(&member(who))?.fence));
        found.unwrap_or(Fence {
            generation: 9,
            incarnation: 9,
        })
    }

    fn call(&self, who: &str, pick: usize) -> CallId {
        let turn = self.mob.world.state.turns.get(&self.turn(who));
        let found = turn
            .and_then(|turn| turn.calls.get(pick))
            .map(|call| call.id);
        found.unwrap_or(CallId { reply: 7, index: 1 })
    }

    fn at(&self, who: &str, stale: u8) -> StepRef {
        let turn = self.turn(who);
        let (step, attempt, fence) = match self.mob.world.state.turns.get(&turn) {
            Some(open) => match open.phase {
                TurnPhase::Model { attempt, .. } => (open.step, attempt, open.fence),
                _ => (open.step, 1, open.fence),
            },
            None => (1, 1, self.fence(who)),
        };
        let at = StepRef {
            turn,
            fence,
            step,
            attempt,
        };
        match stale {
            1 => StepRef {
                step: step + 1,
                ..at
            },
            2 => StepRef {
                attempt: attempt + 1,
                ..at
            },
            3 => StepRef {
                fence: Fence {
                    incarnation: fence.incarnation + 1,
                    ..fence
                },
                ..at
            },
            _ => at,
        }
    }

    fn submission(&self, op: &Op) -> Option<Submission> {
        let ada = Principal::Operator("ada".to_owned());
        let by_ada = |command| Submission {
            actor: ada.clone(),
            ..Submission::internal(command)
        };
        Some(match op {
            Op::Runtime { verb: 0 } | Op::Pass { .. } | Op::Redefine { .. } => return None,
            Op::Runtime { verb } => Submission::internal(Command::Runtime(runtime_command(*verb))),
            Op::Send { to, mode, key, .. } => {
                let digest = format!("{to}{mode:?}");
                let key = key.map(|key| KeyUse {
                    key: key.to_string(),
                    digest,
                });
                let command = self.order(op)?;
                Submission {
                    key,
                    ..by_ada(command)
                }
            }
            Op::SendAs {
                from: "runtime",
                to,
            } => Submission::internal(send(to, None, None)),
            Op::Decide(said) => Submission {
                actor: who_decides(said.by),
                ..Submission::internal(Command::Approval(self.decision(said)?))
            },
            Op::Revoke { pick, by } => {
                let grants = &self.mob.world.state.grants;
                let grant = *grants.keys().nth(pick % grants.len().max(1))?;
                Submission {
                    actor: who_decides(*by),
                    ..Submission::internal(Command::Approval(ApprovalCommand::Revoke { grant }))
                }
            }
            Op::SendAs { from, to } => {
                let actor = Principal::Agent(member(from));
                Submission {
                    actor,
                    ..Submission::internal(send(to, None, None))
                }
            }
            other => match self.order(other) {
                Some(command) => by_ada(command),
                None => Submission::internal(self.outcome(other)?),
            },
        })
    }

    /// What somebody says about an approval that waits.
    fn decision(&self, said: &Said) -> Option<ApprovalCommand> {
        let waiting = &self.mob.world.state.approvals;
        let (id, open) = waiting.iter().nth(said.pick % waiting.len().max(1))?;
        let digest = if said.is_stale {
            "sha256:00"
        } else {
            &open.request.digest
        };
        let now = self.mob.now;
        let grant = said.grant.map(|(scope, args)| GrantRequest {
            scope: match scope {
                0 => GrantScopeRequest::Turn,
                1 => GrantScopeRequest::Until { until: now },
                2 => GrantScopeRequest::Run,
                _ => GrantScopeRequest::Until {
                    until: now.plus_ms(200),
                },
            },
            args: match args {
                0 => None,
                1 => Some(BTreeMap::new()),
                _ => Some([("n".to_owned(), json!(2))].into()),
            },
        });
        let roles = if said.is_approver {
            vec![Role::Approver]
        } else {
            Vec::new()
        };
        Some(ApprovalCommand::Decide {
            approval: *id,
            digest: digest.to_owned(),
            decision: said.decision,
            args: said.with_args.then(|| json!({"n": 2})),
            reason: None,
            grant,
            roles,
        })
    }

    /// What a person asks for.
    fn order(&self, op: &Op) -> Option<Command> {
        let state = &self.mob.world.state;
        Some(match op {
            Op::Send {
                to,
                mode,
                expires_ms,
                ..
            } => send(to, *mode, expires_ms.map(|ms| self.mob.now.plus_ms(ms))),
            Op::Withdraw { pick } => {
                let message = *state
                    .messages
                    .keys()
                    .nth(pick % state.messages.len().max(1))?;
                let reason = None;
                Command::Message(MessageCommand::Cancel { message, reason })
            }
            Op::TurnCancel { pick } => {
                let turn = *state.turns.keys().nth(pick % state.turns.len().max(1))?;
                Command::Turn(TurnCommand::Cancel { turn, reason: None })
            }
            Op::Resolve {
                who,
                pick,
                how,
                result,
            } => {
                let mut calls = state.turns.values().flat_map(|turn| &turn.calls);
                let unknown = calls.find(|call| call.state == CallState::Unknown);
                let call = unknown.map_or_else(|| self.call(who, *pick), |call| call.id);
                super::harness::resolve(call, *how, result.then_some("it did"))
            }
            Op::Mob { verb } => Command::Mob(mob_command(*verb)),
            Op::Spawn { .. } | Op::Respawn { .. } | Op::Retire { .. } | Op::Member { .. } => {
                Command::Member(member_command(op))
            }
            Op::Wire { a, b, origin } => {
                let (edge, origin) = (Edge::between(&member(a), &member(b)), *origin);
                Command::Edge(EdgeCommand::Wire { edge, origin })
            }
            Op::Unwire { a, b, reason } => {
                let (edge, reason) = (Edge::between(&member(a), &member(b)), *reason);
                Command::Edge(EdgeCommand::Unwire { edge, reason })
            }
            _ => return None,
        })
    }

    /// What came of an effect, or seems to.
    fn outcome(&self, op: &Op) -> Option<Command> {
        match op {
            Op::EngineStarted { who, good, stale } => Some(self.engine_started(who, *good, *stale)),
            Op::EngineFailed => Some(Command::Engine(EngineCommand::Failed {
                engine: Engine::Meerkat,
                reason: "it ends each time".to_owned(),
                outcome: None,
            })),
            Op::Elicit { who, pick } => Some(Command::Approval(ApprovalCommand::Elicit {
                turn: self.turn(who),
                call: self.call(who, *pick),
                message: "how many?".to_owned(),
                schema: json!({"properties": {"n": {"type": "integer"}}, "required": ["n"]}),
            })),
            other => self.turn_outcome(other).map(Command::Turn),
        }
    }

    fn engine_started(&self, who: &str, good: bool, stale: bool) -> Command {
        let members = &self.mob.world.state.members;
        let mut starting = members.iter().filter(|(_, found)| found.starting);
        let found = starting.next().map(|(id, found)| (id.clone(), found.fence));
        let (member, mut fence) = found.unwrap_or((member(who), self.fence(who)));
        fence.incarnation += u32::from(stale);
        let error = (!good).then(|| "no binary".to_owned());
        Command::Member(MemberCommand::EngineStarted {
            member,
            fence,
            offers: Offers {
                steer: self.mob.now.0 % 3 > 0,
                deltas: stale,
                ..Offers::default()
            },
            error,
        })
    }

    fn turn_outcome(&self, op: &Op) -> Option<TurnCommand> {
        let latency_ms = 1;
        Some(match op {
            Op::Reply { who, calls, stale } => TurnCommand::ModelReplied {
                at: self.at(who, *stale),
                reply: said(calls),
                latency_ms,
            },
            Op::Fail {
                who,
                class,
                retry_after_ms,
            } => TurnCommand::ModelFailed {
                at: self.at(who, 0),
                failure: Failure {
                    class: *class,
                    reason: "no luck".to_owned(),
                    retry_after_ms: *retry_after_ms,
                },
                latency_ms,
            },
            Op::ToolEnded { who, pick, came } => TurnCommand::ToolEnded {
                turn: Some(self.turn(who)),
                call: self.call(who, *pick),
                outcome: match came {
                    Came::Good => ToolOutcome::Finished("good".into()),
                    Came::Bad => ToolOutcome::Failed("bad".to_owned()),
                    Came::Lost => ToolOutcome::Lost("gone".to_owned()),
                },
            },
            Op::EngineReplied { who, calls } => TurnCommand::EngineReplied {
                turn: self.turn(who),
                fence: self.fence(who),
                reply: said(calls),
                original: json!({}),
            },
            Op::EngineSteered { who, pick } => {
                let mut waiting = self.mob.world.state.messages.iter();
                let picked = waiting.nth(*pick).map_or(MessageId(7), |(id, _)| *id);
                TurnCommand::EngineSteered {
                    turn: self.turn(who),
                    fence: self.fence(who),
                    message: picked,
                }
            }
            Op::EngineLost { who } => TurnCommand::EngineLost {
                turn: self.turn(who),
                fence: self.fence(who),
                reason: "killed".to_owned(),
            },
            Op::EngineEnded { who, good } => TurnCommand::EngineEnded {
                turn: self.turn(who),
                fence: self.fence(who),
                outcome: came_of(*good),
            },
            _ => return None,
        })
    }

    /// Something comes in.
    pub fn step(&mut self, op: &Op) {
        match op {
            Op::Pass { ms } => self.mob.pass_ms(*ms),
            Op::Redefine { reporters, gates } => {
                self.mob.redefine(&mob_file(*reporters, *gates));
            }
            Op::Runtime { verb: 0 } => {
                self.mob.start();
                self.dispatched = open_effects(&self.mob.world.state)
                    .iter()
                    .map(same)
                    .collect();
                for effect in &self.dispatched {
                    let anew = !is_call_with_effect(effect) || self.mob.asked.contains(effect);
                    assert!(anew, "a start repeats {effect:?}");
                }
                self.look();
            }
            other => {
                let Some(submission) = self.submission(other) else {
                    return;
                };
                // A refusal is an answer like any other; that it changes nothing is checked there.
                if self.mob.run(&submission).is_ok() {
                    self.look();
                }
            }
        }
    }

    /// Looks at what the last command led to.
    fn look(&mut self) {
        for envelope in &self.mob.journal[self.seen..] {
            self.ledger.feed(envelope);
            self.docket.feed(envelope, &self.mob.world.definition);
            let json = serde_json::to_string(envelope).expect("an event is JSON");
            let read: Envelope = serde_json::from_str(&json).expect("an envelope");
            assert_eq!(read, *envelope);
            self.folded.apply(&read);
        }
        self.seen = self.mob.journal.len();
        for effect in &self.mob.asked {
            match effect {
                Effect::Abort { turn } => self.dispatched.retain(|e| e.turn() != Some(*turn)),
                other => self.dispatched.push(same(other)),
            }
            if let Effect::ToolCall { call, .. } = effect
                && is_call_with_effect(effect)
            {
                let times = self.handed_out.entry(*call).or_default();
                *times += 1;
                assert!(
                    *times <= self.ledger.handed_out_max(*call),
                    "{call} is made twice"
                );
            }
        }
        self.check_owed();
        self.check_state();
        self.check_rows();
    }

    fn check_owed(&self) {
        let state = &self.mob.world.state;
        let open: Vec<Effect> = open_effects(state).iter().map(same).collect();
        let owed = self.ledger.owed();
        assert_eq!(open.len(), owed.len(), "{open:?}\n{owed:?}");
        for effect in &owed {
            assert!(open.contains(effect), "a start would forget {effect:?}");
            assert!(
                self.dispatched.contains(effect),
                "nobody was asked for {effect:?}"
            );
        }
    }

    fn check_state(&self) {
        let state = &self.mob.world.state;
        assert_eq!(state.head, self.mob.journal.len() as u64);
        assert!(
            self.mob
                .journal
                .iter()
                .zip(1..)
                .all(|(envelope, seq)| envelope.seq == seq)
        );
        assert_eq!(self.folded, *state, "folded from the journal");
        let json = serde_json::to_string(state).expect("a state is JSON");
        assert_eq!(
            serde_json::from_str::<State>(&json).expect("a state"),
            *state
        );
        let messages: BTreeSet<MessageId> = state.messages.keys().copied().collect();
        assert_eq!(messages, self.ledger.messages);
        self.docket.check(state, self.mob.now);
        check_turns(state);
        check_helpers(state);
        check_members(state, self.mob.world.definition.queue_max);
    }

    fn check_rows(&self) {
        let state = &self.mob.world.state;
        for (id, turn) in &state.turns {
            assert_eq!(self.mob.turn_row(*id).status, turn.status(), "{id}");
        }
        for (id, row) in &self.mob.rows {
            let Row::Approval(row) = row else { continue };
            let open = state.approvals.get(&row.request.approval);
            let waits = row.state == ApprovalState::Pending;
            assert_eq!((open.is_some(), row.request.approval.0), (waits, id.1));
            assert!(open.is_none_or(|open| open.held == row.held && open.request == row.request));
        }
        for (id, message) in &state.messages {
            let row = self.mob.message_row(*id);
            let expected = match message.turn {
                Some(_) => MessageState::Delivered,
                None => MessageState::Queued,
            };
            assert_eq!((row.state, row.turn), (expected, message.turn), "{id}");
        }
    }
}

fn send(
    to: &str,
    mode: Option<MessageMode>,
    expires: Option<mobkit_domain::time::Time>,
) -> Command {
    let (to, content, correlation) = (member(to), "hello".into(), None);
    Command::Message(MessageCommand::Send {
        to,
        content,
        mode,
        correlation,
        expires,
    })
}

fn mob_command(verb: u8) -> MobCommand {
    match verb {
        0 => MobCommand::Reset,
        1 => MobCommand::Pause { reason: None },
        _ => MobCommand::Resume,
    }
}

fn runtime_command(verb: u8) -> RuntimeCommand {
    match verb {
        1 => RuntimeCommand::Drain { timeout_ms: 1 },
        2 => RuntimeCommand::Checkpoint,
        3 => RuntimeCommand::Stop {
            drain: DrainReport::default(),
        },
        4 => RuntimeCommand::Tick,
        _ => RuntimeCommand::Ready,
    }
}

fn member_command(op: &Op) -> MemberCommand {
    let profile = |id: &str| id.parse().expect("a valid id");
    match op {
        Op::Spawn {
            who,
            profile,
            ensure,
            session,
        } => {
            let mut spec = super::harness::spec(who, profile);
            spec.session = session.map(SessionId);
            let (spec, origin, ensure) = (Box::new(spec), MemberOrigin::Operator, *ensure);
            MemberCommand::Spawn {
                spec,
                origin,
                ensure,
                wire: true,
            }
        }
        Op::Respawn { who, profile: role } => {
            let (member, profile) = (member(who), role.map(profile));
            MemberCommand::Respawn {
                member,
                profile,
                reason: "asked for".to_owned(),
            }
        }
        Op::Retire { who, mode } => MemberCommand::Retire {
            member: member(who),
            mode: *mode,
            reason: None,
        },
        Op::Member { who, verb } => {
            let member = member(who);
            match verb {
                0 => MemberCommand::Reset { member },
                1 => MemberCommand::Delete { member },
                2 => MemberCommand::Pause {
                    member,
                    reason: None,
                },
                3 => MemberCommand::Cancel {
                    member,
                    reason: None,
                },
                _ => MemberCommand::Resume { member },
            }
        }
        other => unreachable!("{other:?} is no command about a member"),
    }
}
