//! A mob without a process: decides, applies and lets follow what follows, as the writer does.

use mobkit_domain::command::{
    Answer, Command, MemberCommand, MessageCommand, MobCommand, RuntimeCommand, StepRef,
    Submission, TurnCommand,
};
use mobkit_domain::definition::{self, Definition, MemberSpec, NoFiles};
use mobkit_domain::effect::{Effect, effects};
use mobkit_domain::event::{
    Envelope, Event, Fence, MemberOrigin, NewEvent, ResolveHow, ToolEffect,
};
use mobkit_domain::id::{CallId, MemberId, MessageId, Seq, TurnId};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Reply, Usage};
use mobkit_domain::principal::Principal;
use mobkit_domain::projection::project;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{MessageRow, Row, Table, TurnRow};
use mobkit_domain::state::{MemberMode, MemberState, State, Turn, TurnPhase};
use mobkit_domain::text::Text;
use mobkit_domain::time::Time;
use mobkit_domain::tool::{ToolSpec, Toolbox};
use mobkit_domain::world::{World, advance, decide};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Two desks, three reporters with one small model, and an agent of another engine.
pub const NEWSROOM: &str = r#"
[mob]
id = "newsroom"
turns_max = 8
queue_max = 3

[models.main]
provider = "rehearsal"
price = { input = 1.0, output = 2.0 }

[models.small]
provider = "rehearsal"
turns_max = 2

[profiles.desk]
model = "main"
instructions = "You edit."
tools = ["peers", "now", "look", "save", "publish"]
budget = { steps_per_turn = 4, tokens_per_turn = 1000 }

[profiles.reporter]
model = "small"
description = "Writes"
instructions = "You write."
tools = ["peers", "now", "look"]

[profiles.remote]
engine = "meerkat"
model = "small"
instructions = "You run elsewhere."
tools = ["peers", "publish"]
budget = { steps_per_turn = 3 }

[[members]]
id = "ann"
profile = "desk"

[[members]]
id = "bob"
profile = "desk"

[[members]]
id = "r1"
profile = "reporter"

[[members]]
id = "r2"
profile = "reporter"

[[members]]
id = "r3"
profile = "reporter"

[wiring]
roles = [["desk", "reporter"]]
edges = [["ann", "bob"]]
"#;

/// An id of a member.
pub fn member(id: &str) -> MemberId {
    MemberId::parse(id).expect("the test gives a valid id")
}

/// The definition that a mob file describes.
pub fn define(text: &str) -> Definition {
    match definition::parse("mob.toml", text, &NoFiles) {
        Ok(parsed) => parsed.definition,
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(|error| error.render(text)).collect();
            panic!("the mob file of the test is wrong: {}", errors.join("\n"))
        }
    }
}

/// The tools of the host: one of each effect.
pub fn toolbox() -> Toolbox {
    let tools = [
        ("look", ToolEffect::Read),
        ("save", ToolEffect::Idempotent),
        ("publish", ToolEffect::Effect),
    ];
    let specs = tools.map(|(name, effect)| {
        let description = "a tool of the test".to_owned();
        let spec = ToolSpec {
            name: name.to_owned(),
            description,
            schema: Value::Null,
            effect,
        };
        (name.to_owned(), spec)
    });
    Toolbox(specs.into_iter().collect())
}

/// What a model says, with its calls.
pub fn reply(text: &str, calls: &[(&str, Value)]) -> Reply {
    let request = |(tool, args): &(&str, Value)| CallRequest {
        tool: (*tool).to_owned(),
        args: args.clone(),
        provider_id: None,
    };
    let finish = if calls.is_empty() {
        Finish::Stop
    } else {
        Finish::Calls
    };
    Reply {
        text: text.into(),
        calls: calls.iter().map(request).collect(),
        usage: Usage {
            input_tokens: 100,
            output_tokens: 10,
            ..Usage::default()
        },
        finish,
        carry: None,
    }
}

/// A mob with its journal.
#[derive(Clone)]
pub struct Mob {
    pub world: World,
    pub now: Time,
    pub journal: Vec<Envelope>,
    /// What the last command asked of the outside world.
    pub asked: Vec<Effect>,
    pub rows: BTreeMap<(Table, Seq), Row>,
    /// Where the events of the last command begin in the journal.
    last_from: usize,
    epoch: u64,
}

impl Mob {
    /// A mob in which nothing has happened yet.
    pub fn of(text: &str) -> Self {
        let definition = define(text);
        let state = State::of(definition.id.clone());
        let toolbox = Arc::new(toolbox());
        Self {
            world: World {
                state,
                definition: Arc::new(definition),
                toolbox,
            },
            now: Time(1_763_791_200_000),
            journal: Vec::new(),
            asked: Vec::new(),
            rows: BTreeMap::new(),
            last_from: 0,
            epoch: 0,
        }
    }

    /// The mob of [`NEWSROOM`], ready, with its members.
    pub fn ready() -> Self {
        Self::ready_of(NEWSROOM)
    }

    /// The mob of a file, ready, with its members.
    pub fn ready_of(text: &str) -> Self {
        let mut mob = Self::of(text);
        mob.start();
        for spec in mob.world.definition.members.clone() {
            mob.spawn(spec);
        }
        mob.internal(Command::Runtime(RuntimeCommand::Ready));
        mob
    }

    /// Decides a command and applies what follows; nothing at all where it is refused.
    pub fn run(&mut self, submission: &Submission) -> Result<Answer, Refusal> {
        self.asked.clear();
        self.last_from = self.journal.len();
        let before = self.world.state.clone();
        let decision = match decide(&self.world, submission, self.now) {
            Ok(decision) => decision,
            Err(refusal) => {
                assert_eq!(self.world.state, before, "a refusal changed something");
                return Err(refusal);
            }
        };
        // Nobody gives the runtime's own commands a key.
        let keyed = !matches!(submission.command, Command::Runtime(_));
        if let Some(first) = decision.events.first().filter(|_| keyed) {
            let seq = before.head + 1;
            let first = first.clone().at(seq, self.now, &before.mob);
            assert_eq!(
                Answer::from_event(&first),
                decision.answer,
                "what a repeated key gets"
            );
        }
        self.extend(decision.events);
        self.settle();
        Ok(decision.answer)
    }

    fn extend(&mut self, events: Vec<NewEvent>) {
        for event in events {
            let seq = self.world.state.head + 1;
            let envelope = event.at(seq, self.now, &self.world.state.mob);
            assert_eq!(envelope.check_source(), Ok(()), "{envelope:?}");
            for row in project(&mut self.world.state, &envelope) {
                self.rows.insert((row.table(), row.number()), row);
            }
            self.asked.extend(effects(&self.world.state, &envelope));
            self.journal.push(envelope);
        }
    }

    /// Lets everything happen that follows by itself; each round must use something up.
    fn settle(&mut self) {
        let mut left = left_to_do(&self.world.state, self.now);
        loop {
            let events = advance(&self.world, self.now);
            if events.is_empty() {
                break;
            }
            self.extend(events);
            let after = left_to_do(&self.world.state, self.now);
            assert!(after < left, "no progress: {left:?} to {after:?}");
            left = after;
        }
        let state = &self.world.state;
        assert!(
            state.owed.is_empty(),
            "a call was not looked at: {:?}",
            state.owed
        );
        assert!(
            state.leaving.is_empty(),
            "a member did not leave: {:?}",
            state.leaving
        );
        assert!(state.orphans.is_empty(), "orphans: {:?}", state.orphans);
    }

    /// Runs a command of an operator that must be accepted.
    pub fn order(&mut self, command: Command) -> Answer {
        let submission = Submission {
            actor: ada(),
            ..Submission::internal(command)
        };
        self.run(&submission).expect("the command is accepted")
    }

    /// Runs a command of the runtime that must be accepted.
    pub fn internal(&mut self, command: Command) -> Answer {
        self.run(&Submission::internal(command))
            .expect("the command is accepted")
    }

    /// Runs a command of an operator that must be refused; gives the code.
    pub fn refused(&mut self, command: Command) -> String {
        let submission = Submission {
            actor: ada(),
            ..Submission::internal(command)
        };
        self.run(&submission)
            .expect_err("the command is refused")
            .code
    }

    /// Checks the kinds of the events that the last command led to.
    #[track_caller]
    pub fn then(&self, kinds: &str) {
        let found: Vec<&str> = self.last().map(|envelope| envelope.event.kind()).collect();
        let wanted: Vec<&str> = kinds.split_whitespace().collect();
        let story: Vec<String> = self.last().map(|e| e.event.summary()).collect();
        assert_eq!(found, wanted, "{}", story.join("\n"));
    }

    /// The events that the last command led to.
    pub fn last(&self) -> impl Iterator<Item = &Envelope> {
        self.journal[self.last_from..].iter()
    }

    /// The data of the only event of a kind that the last command led to.
    #[track_caller]
    pub fn data(&self, kind: &str) -> Value {
        let mut found = self.last().filter(|envelope| envelope.event.kind() == kind);
        let event = found
            .next()
            .unwrap_or_else(|| panic!("there was no {kind}"));
        assert_eq!(found.next(), None, "there was more than one {kind}");
        serde_json::to_value(event).expect("an event is JSON")["data"].clone()
    }

    /// How many events of a kind the journal has.
    pub fn count(&self, kind: &str) -> usize {
        self.journal
            .iter()
            .filter(|envelope| envelope.event.kind() == kind)
            .count()
    }

    // The process.

    /// A process takes the mob over, after a stop or a crash.
    pub fn start(&mut self) {
        self.epoch += 1;
        let (version, durability) = ("0.0.0".to_owned(), "power".to_owned());
        let epoch = self.epoch;
        let start = RuntimeCommand::Start {
            version,
            epoch,
            durability,
            rehearsal: true,
        };
        self.internal(Command::Runtime(start));
    }

    /// The process dies and another one takes over.
    pub fn crash(&mut self) {
        self.start();
    }

    pub fn runtime(&mut self, command: RuntimeCommand) {
        self.internal(Command::Runtime(command));
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Puts another definition into force, as a changed mob file does.
    pub fn redefine(&mut self, text: &str) {
        self.world.definition = Arc::new(define(text));
    }

    // Members.

    pub fn spawn(&mut self, spec: MemberSpec) {
        self.order(Command::Member(spawn(spec)));
    }

    pub fn mob(&mut self, command: MobCommand) {
        self.order(Command::Mob(command));
    }

    pub fn member(&mut self, command: MemberCommand) {
        self.order(Command::Member(command));
    }

    pub fn state_of(&self, id: &str) -> MemberState {
        self.world
            .state
            .member_state(&member(id))
            .expect("the member exists")
    }

    pub fn mode_of(&self, id: &str) -> MemberMode {
        self.world.state.members[&member(id)].mode
    }

    pub fn fence_of(&self, id: &str) -> Fence {
        self.world.state.members[&member(id)].fence
    }

    pub fn queue_of(&self, id: &str) -> usize {
        self.world.state.members[&member(id)].queue.len()
    }

    // Messages and turns.

    pub fn send(&mut self, to: &str, text: &str) -> MessageId {
        match self.order(Command::Message(send(to, text))) {
            Answer::Message { message, .. } => message,
            answer @ Answer::Done { .. } => panic!("{answer:?} names no message"),
        }
    }

    /// The open turn of a member.
    #[track_caller]
    pub fn turn_of(&self, id: &str) -> TurnId {
        self.world.state.members[&member(id)]
            .turn
            .expect("the member has an open turn")
    }

    pub fn open_turn(&self, id: &str) -> &Turn {
        &self.world.state.turns[&self.turn_of(id)]
    }

    /// The model call that the member's turn waits for.
    #[track_caller]
    pub fn at(&self, id: &str) -> StepRef {
        let (turn, open) = (self.turn_of(id), self.open_turn(id));
        let TurnPhase::Model { attempt, .. } = open.phase else {
            panic!("{id} waits for no model: {:?}", open.phase)
        };
        StepRef {
            turn,
            fence: open.fence,
            step: open.step,
            attempt,
        }
    }

    /// The model of a member answers.
    #[track_caller]
    pub fn answers(&mut self, id: &str, text: &str) {
        self.calls(id, text, &[]);
    }

    /// The model of a member answers with calls.
    #[track_caller]
    pub fn calls(&mut self, id: &str, text: &str, calls: &[(&str, Value)]) {
        let command = replied(self.at(id), reply(text, calls));
        self.internal(command);
    }

    /// The model of a member fails.
    #[track_caller]
    pub fn fails(&mut self, id: &str, class: FailureClass, retry_after_ms: Option<u64>) {
        let failure = Failure {
            class,
            reason: "no luck".to_owned(),
            retry_after_ms,
        };
        let at = self.at(id);
        let command = TurnCommand::ModelFailed {
            at,
            failure,
            latency_ms: 7,
        };
        self.internal(Command::Turn(command));
    }

    /// The calls of a member's open turn.
    pub fn open_calls(&self, id: &str) -> Vec<CallId> {
        self.open_turn(id)
            .calls
            .iter()
            .map(|call| call.id)
            .collect()
    }

    /// A tool gives its result for the n-th open call of a member.
    #[track_caller]
    pub fn tool_ends(&mut self, id: &str, n: usize, outcome: Result<&str, &str>) {
        let command = self.tool_ended(id, n, outcome);
        self.internal(command);
    }

    pub fn tool_ended(&self, id: &str, n: usize, outcome: Result<&str, &str>) -> Command {
        let (turn, call) = (self.turn_of(id), self.open_calls(id)[n]);
        let outcome = outcome.map(Text::from).map_err(str::to_owned);
        Command::Turn(TurnCommand::ToolEnded {
            turn: Some(turn),
            call,
            outcome: outcome.into(),
        })
    }

    // Rows.

    #[track_caller]
    pub fn turn_row(&self, turn: TurnId) -> &TurnRow {
        match self.rows.get(&(Table::Turn, turn.0)) {
            Some(Row::Turn(row)) => row,
            other => panic!("{turn} has no row: {other:?}"),
        }
    }

    #[track_caller]
    pub fn message_row(&self, message: MessageId) -> &MessageRow {
        match self.rows.get(&(Table::Message, message.0)) {
            Some(Row::Message(row)) => row,
            other => panic!("{message} has no row: {other:?}"),
        }
    }

    /// The tools that the last command had called.
    pub fn tools_asked(&self) -> Vec<&str> {
        let called = self.asked.iter().filter_map(|effect| match effect {
            Effect::ToolCall { tool, .. } => Some(tool.as_str()),
            _ => None,
        });
        called.collect()
    }

    /// The model calls that the last command asked for.
    pub fn models_asked(&self) -> Vec<StepRef> {
        let called = self.asked.iter().filter_map(|effect| match effect {
            Effect::ModelCall { at, .. } => Some(*at),
            _ => None,
        });
        called.collect()
    }

    /// What the model was told of its tools by the last command.
    pub fn told(&self) -> Vec<String> {
        let told = self.last().filter_map(|envelope| match &envelope.event {
            Event::ToolFinished(e) => e.result.inline().map(str::to_owned),
            Event::ToolFailed(e) => Some(e.reason.clone()),
            Event::ToolRefused(e) => Some(format!("{}: {}", e.code, e.reason)),
            _ => None,
        });
        told.collect()
    }
}

/// What follows by itself uses up one of these, the first first: calls to be looked at,
/// times at which something is due, messages that wait, members that could work, helpers that have
/// to leave, members that leave.
fn left_to_do(state: &State, now: Time) -> (usize, usize, usize, usize, usize, usize) {
    let owed = state.turns.values().flat_map(|turn| &turn.calls);
    let owed = owed.filter(|call| call.state.is_owed()).count();
    let waiting = state
        .messages
        .values()
        .filter(|message| message.turn.is_none())
        .count();
    let willing = |mode| matches!(mode, MemberMode::Active | MemberMode::Retiring);
    let members = state
        .members
        .values()
        .filter(|member| willing(member.mode))
        .count();
    let dues = state.module_dues.len() + state.approval_expiries.len();
    let schedules = state.schedule_dues.iter();
    let schedules = schedules.take_while(|(due, _)| *due <= now).count();
    let routes = state.delivery_waiting.values();
    let waiting_out = routes.flat_map(|route| &route.deliveries);
    let deliveries = waiting_out.filter(|(due, _)| *due <= now).count();
    let helpers = state.helper_dues.iter();
    let helpers = helpers.take_while(|(due, _)| *due <= now).count();
    let dues = dues + schedules + deliveries + helpers;
    let orphans = state.orphans.len();
    (owed, dues, waiting, members, orphans, state.leaving.len())
}

pub fn ada() -> Principal {
    Principal::Operator("ada".to_owned())
}

pub fn spawn(spec: MemberSpec) -> MemberCommand {
    let (spec, origin) = (Box::new(spec), MemberOrigin::Definition);
    MemberCommand::Spawn {
        spec,
        origin,
        ensure: false,
        wire: true,
    }
}

pub fn spec(id: &str, profile: &str) -> MemberSpec {
    MemberSpec::new(
        member(id),
        profile.parse().expect("the test gives a valid id"),
    )
}

pub fn send(to: &str, text: &str) -> MessageCommand {
    MessageCommand::Send {
        to: member(to),
        content: text.into(),
        mode: None,
        correlation: None,
        expires: None,
    }
}

pub fn replied(at: StepRef, reply: Reply) -> Command {
    Command::Turn(TurnCommand::ModelReplied {
        at,
        reply,
        latency_ms: 5,
    })
}

pub fn resolve(call: CallId, how: ResolveHow, result: Option<&str>) -> Command {
    let result = result.map(Into::into);
    Command::Turn(TurnCommand::ToolResolve { call, how, result })
}
