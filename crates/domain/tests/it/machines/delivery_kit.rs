//! A mob with a route of every sink, and what comes of attempts.

use super::harness::{Mob, ada};
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, RuntimeCommand, Submission,
};
use mobkit_domain::definition::Route;
use mobkit_domain::effect::Effect;
use mobkit_domain::id::{DeliveryId, RouteId};
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::row::{DeliveryRow, Row, Table};
use mobkit_domain::state::{Delivery, DeliveryStatus};
use serde_json::{Value, json};

/// Two desks, a module, and a route of every sink.
pub const POST: &str = r#"
[mob]
id = "post"
queue_max = 2

[models.main]
provider = "rehearsal"

[profiles.desk]
model = "main"
instructions = "You write."
tools = ["now", "deliver"]

[[members]]
id = "ann"
profile = "desk"

[[members]]
id = "bob"
profile = "desk"

[[modules]]
id = "chat"
transport = "json-lines"
command = ["chat"]
effects = { post = "effect", upsert = "idempotent" }

[[routes]]
id = "hook"
match = { recipient = "ops" }
sink = { kind = "webhook", url = "https://ops.example.com/hook" }
retry = { attempts = 3, backoff = ["1s", "1m"] }

[[routes]]
id = "mail"
match = { recipient = "desk", channel = "mail" }
sink = { kind = "email", server = "smtps://m.example", from = "m@m.example", to = ["a@m.example"] }

[[routes]]
id = "slow"
match = { recipient = "slow" }
sink = { kind = "file", path = "out.jsonl" }
rate = { per_minute = 3 }

[[routes]]
id = "to-bob"
match = { recipient = "bob" }
sink = { kind = "member", member = "bob" }

[[routes]]
id = "post"
match = { recipient = "chat", channel = "post" }
sink = { kind = "module", module = "chat", tool = "post" }

[[routes]]
id = "upsert"
match = { recipient = "chat", channel = "upsert" }
sink = { kind = "module", module = "chat", tool = "upsert" }
"#;

pub fn route(id: &str) -> RouteId {
    RouteId::parse(id).expect("the test gives a valid id")
}

pub fn put(spec: Route) -> DeliveryCommand {
    DeliveryCommand::RoutePut(Box::new(spec))
}

pub fn send(recipient: &str, channel: Option<&str>, payload: Value) -> DeliveryCommand {
    DeliveryCommand::Send {
        recipient: recipient.to_owned(),
        channel: channel.map(str::to_owned),
        payload,
    }
}

/// The receiver has it.
pub fn taken() -> AttemptOutcome {
    AttemptOutcome::Delivered {
        status: Some(200),
        excerpt: Some("ok".to_owned()),
    }
}

/// The receiver does not have it, and another attempt may go better.
pub fn unwell() -> AttemptOutcome {
    AttemptOutcome::Failed {
        status: Some(503),
        reason: "it answered 503".to_owned(),
        excerpt: None,
        retry_after_ms: None,
        gone: false,
        hopeless: false,
    }
}

/// The receiver wants nothing more.
pub fn gone() -> AttemptOutcome {
    AttemptOutcome::Failed {
        status: Some(410),
        reason: "it answered 410".to_owned(),
        excerpt: None,
        retry_after_ms: None,
        gone: true,
        hopeless: false,
    }
}

/// Nobody knows.
pub fn lost() -> AttemptOutcome {
    AttemptOutcome::Unknown {
        reason: "no answer came".to_owned(),
    }
}

impl Mob {
    /// The mob of [`POST`], ready, with its routes.
    pub fn post() -> Self {
        let mut mob = Self::ready_of(POST);
        mob.converge_routes();
        mob
    }

    /// Brings every route to the definition, as an apply does.
    pub fn converge_routes(&mut self) {
        let defined = self.world.definition.routes.iter();
        let mut ids: Vec<RouteId> = defined.map(|route| route.id.clone()).collect();
        ids.extend(self.world.state.routes.keys().cloned());
        for route in ids {
            self.order(Command::Delivery(DeliveryCommand::RouteConverge { route }));
        }
    }

    pub fn delivery_as(&mut self, who: Principal, command: DeliveryCommand) -> Result<(), Refusal> {
        let command = Command::Delivery(command);
        let submission = Submission {
            actor: who,
            ..Submission::internal(command)
        };
        self.run(&submission).map(|_| ())
    }

    #[track_caller]
    pub fn delivery_refused(&mut self, command: DeliveryCommand) -> Refusal {
        self.delivery_as(ada(), command)
            .expect_err("the command is refused")
    }

    /// Sends and gives the id.
    #[track_caller]
    pub fn deliver(
        &mut self,
        recipient: &str,
        channel: Option<&str>,
        payload: Value,
    ) -> DeliveryId {
        let answer = self.order(Command::Delivery(send(recipient, channel, payload)));
        DeliveryId(answer.seq())
    }

    /// Sends something to the webhook.
    #[track_caller]
    pub fn hook(&mut self) -> DeliveryId {
        self.deliver("ops", None, json!({"n": 1}))
    }

    #[track_caller]
    pub fn delivery(&self, id: DeliveryId) -> &Delivery {
        &self.world.state.deliveries[&id]
    }

    pub fn is_attempting(&self, id: DeliveryId) -> bool {
        matches!(self.delivery(id).status, DeliveryStatus::Attempting { .. })
    }

    #[track_caller]
    pub fn waits_until(&self, id: DeliveryId) -> mobkit_domain::time::Time {
        match self.delivery(id).status {
            DeliveryStatus::Waiting { not_before } => not_before,
            DeliveryStatus::Attempting { .. } => panic!("{id} is in attempt"),
        }
    }

    /// What came of the attempt that is in flight.
    #[track_caller]
    pub fn attempt_ended(&mut self, id: DeliveryId, outcome: AttemptOutcome) {
        let attempt = self.delivery(id).attempts;
        self.internal(Command::Delivery(DeliveryCommand::Ended {
            delivery: id,
            attempt,
            outcome,
        }));
    }

    /// The attempts that the last command asked of the outside world.
    pub fn attempts_asked(&self) -> Vec<(DeliveryId, u32)> {
        let asked = self.asked.iter().filter_map(|effect| match effect {
            Effect::DeliveryAttempt { delivery, attempt } => Some((*delivery, *attempt)),
            _ => None,
        });
        asked.collect()
    }

    #[track_caller]
    pub fn delivery_row(&self, id: DeliveryId) -> DeliveryRow {
        match self.rows.get(&(Table::Delivery, id.0)) {
            Some(Row::Delivery(row)) => (**row).clone(),
            other => panic!("{id} has no row: {other:?}"),
        }
    }

    #[track_caller]
    pub fn replay(&mut self, id: DeliveryId) {
        let row = self.delivery_row(id);
        self.order(Command::Delivery(DeliveryCommand::Replay(Box::new(row))));
    }

    /// Time passes until something is due, and it happens.
    #[track_caller]
    pub fn until_due(&mut self) {
        let due = mobkit_domain::world::next_due(&self.world.state);
        self.now = self.now.max(due.expect("something is due"));
        self.runtime(RuntimeCommand::Tick);
    }
}
