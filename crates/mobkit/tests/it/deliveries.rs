//! What leaves a mob, over real sockets and files.

use crate::kit::{definition, ended, operator, send, submit, text_of};
use crate::obedient::Obedient;
use crate::receiver::{Receiver, Says};
use mobkit::command::{ApprovalCommand, Command, DeliveryCommand};
use mobkit::event::{Envelope, Event, EventFilter, Verdict};
use mobkit::id::DeliveryId;
use mobkit::{MemoryStore, Mob, MobBuilder, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A key as receivers of Standard Webhooks have it.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A clerk that may deliver, and routes to these receivers.
fn mob_file(routes: &[(&str, &str)], more: &str) -> String {
    let head = r#"
[mob]
id = "test"
[models.main]
provider = "rehearsal"
[profiles.clerk]
model = "main"
instructions = "Work."
tools = ["deliver"]
[[members]]
id = "a"
profile = "clerk"
"#;
    let routes = routes.iter().map(|(id, url)| {
        format!(
            "[[routes]]\nid = \"{id}\"\nmatch = {{ recipient = \"{id}\" }}\n\
             retry = {{ attempts = 4, backoff = [\"1s\", \"2s\"] }}\n\
             sink = {{ kind = \"webhook\", url = \"{url}\", allow_private = true, \
             secret = {{ env = \"WEBHOOK_SECRET\" }} }}\n"
        )
    });
    head.to_owned() + &routes.collect::<String>() + more
}

struct Outside {
    store: Arc<MemoryStore>,
    text: String,
}

impl Outside {
    fn of(routes: &[(&str, &str)], more: &str) -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            text: mob_file(routes, more),
        }
    }

    async fn start(&self) -> Mob {
        self.start_with(|name| (name == "WEBHOOK_SECRET").then(|| SECRET.to_owned()))
            .await
    }

    async fn start_with<V>(&self, variables: V) -> Mob
    where
        V: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        let main = "main".parse().expect("an id");
        let store: Arc<dyn Store> = self.store.clone();
        MobBuilder::new(definition(&self.text, ""))
            .store(store)
            .drain_timeout_ms(100)
            .model(main, Arc::new(Obedient::default()))
            .variables(variables)
            .start()
            .await
            .expect("started")
    }

    async fn restart(&mut self, mob: &Mob) -> Mob {
        mob.shutdown().await;
        self.store = Arc::new(self.store.reopen());
        self.start().await
    }
}

async fn deliver(mob: &Mob, recipient: &str, payload: Value) -> DeliveryId {
    let command = DeliveryCommand::Send {
        recipient: recipient.to_owned(),
        channel: None,
        payload,
    };
    DeliveryId(submit(mob, Command::Delivery(command)).await.seq())
}

/// Reads the journal until so many events of a kind are there.
async fn until(mob: &Mob, kind: &str, at_least: usize) -> Vec<Envelope> {
    let filter = EventFilter::default();
    let mut reader = mob.events(0, filter).await.expect("readable");
    let mut events: Vec<Envelope> = Vec::new();
    while events.iter().filter(|e| e.event.kind() == kind).count() < at_least {
        let next = reader.next(1).await.expect("readable").expect("it runs");
        events.extend(next.iter().map(|event| event.envelope.clone()));
    }
    events
}

#[tokio::test]
async fn a_webhook_gets_what_is_sent_once_and_signed() {
    let receiver = Receiver::start(&[]).await;
    let outside = Outside::of(&[("hook", &receiver.url)], "");
    let mob = outside.start().await;
    let id = deliver(&mob, "hook", json!({"disk": "full"})).await;
    let events = until(&mob, "delivery.delivered", 1).await;
    let requests = receiver.received(1).await;
    assert_eq!(requests.len(), 1);
    let got = &requests[0];
    assert_eq!(got.body, r#"{"disk":"full"}"#);
    assert!(got.id().starts_with(&id.to_string()), "{}", got.id());
    let signature = got.header("webhook-signature").expect("it is signed");
    assert!(signature.starts_with("v1,"), "{signature}");
    assert!(got.header("webhook-timestamp").is_some());
    let delivered = events.iter().find_map(|event| match &event.event {
        Event::DeliveryDelivered(e) => Some((e.status, e.excerpt.clone())),
        _ => None,
    });
    assert_eq!(delivered, Some((Some(200), Some("ok".to_owned()))));
    let said = serde_json::to_string(&events).expect("a document");
    assert!(!said.contains("whsec_"), "no secret is in the journal");
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_receiver_that_is_gone_puts_the_route_out_of_use() {
    let receiver = Receiver::start(&[Says::Status(410, "")]).await;
    let outside = Outside::of(&[("hook", &receiver.url)], "");
    let mob = outside.start().await;
    deliver(&mob, "hook", json!("x")).await;
    until(&mob, "delivery.dead", 1).await;
    until(&mob, "route.defined", 2).await;
    let route = "hook".parse().expect("an id");
    let disabled = mob.engine().view(|world| {
        world
            .state
            .routes
            .get(&route)
            .and_then(|r| r.disabled.clone())
    });
    assert!(disabled.is_some_and(|why| why.contains("410")));
    assert_eq!(receiver.received(1).await.len(), 1);
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_receiver_that_is_busy_is_asked_again_when_it_said() {
    let busy = Says::Status(429, "retry-after: 2\r\n");
    let receiver = Receiver::start(&[busy]).await;
    let outside = Outside::of(&[("hook", &receiver.url)], "");
    let mob = outside.start().await;
    deliver(&mob, "hook", json!("x")).await;
    let events = until(&mob, "delivery.delivered", 1).await;
    let failed = events.iter().find_map(|event| match &event.event {
        Event::DeliveryFailed(e) => Some((e.status, e.retry_at.since_ms(event.time))),
        _ => None,
    });
    let (status, pause_ms) = failed.expect("it was refused first");
    assert_eq!(status, Some(429));
    assert!(pause_ms >= 2_000, "{pause_ms}");
    let requests = receiver.received(2).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].id(), requests[1].id());
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_dead_receiver_delays_no_other_route() {
    let dead = Receiver::start(&vec![Says::Nothing; 20]).await;
    let receiver = Receiver::start(&[]).await;
    let outside = Outside::of(&[("dead", &dead.url), ("hook", &receiver.url)], "");
    let mob = outside.start().await;
    for n in 0..12 {
        deliver(&mob, "dead", json!(n)).await;
    }
    dead.received(8).await;
    deliver(&mob, "hook", json!("x")).await;
    let events = until(&mob, "delivery.delivered", 1).await;
    assert!(events.iter().all(|e| e.event.kind() != "delivery.failed"));
    assert_eq!(receiver.received(1).await.len(), 1);
    mob.shutdown().await;
}

#[tokio::test]
async fn one_that_was_in_flight_at_a_stop_comes_again_under_the_same_id() {
    let receiver = Receiver::start(&[Says::Nothing]).await;
    let mut outside = Outside::of(&[("hook", &receiver.url)], "");
    let mob = outside.start().await;
    deliver(&mob, "hook", json!("x")).await;
    receiver.received(1).await;
    let mob = outside.restart(&mob).await;
    until(&mob, "delivery.delivered", 1).await;
    let requests = receiver.received(2).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].id(), requests[1].id());
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_member_delivers_after_somebody_has_agreed() {
    let receiver = Receiver::start(&[]).await;
    let gate = "[[gates]]\ntool = \"deliver\"\naction = \"review\"\n";
    let outside = Outside::of(&[("hook", &receiver.url)], gate);
    let mob = outside.start().await;
    let args = json!({"recipient": "hook", "text": "the disk is full"});
    let message = send(&mob, "a", &json!([["deliver", args]]).to_string()).await;
    let events = until(&mob, "approval.requested", 1).await;
    assert!(events.iter().all(|e| e.event.kind() != "delivery.queued"));
    let asked = events.iter().find_map(|event| match &event.event {
        Event::ApprovalRequested(e) => Some((e.approval, e.digest.clone())),
        _ => None,
    });
    let (approval, digest) = asked.expect("it was asked");
    let command = ApprovalCommand::Decide {
        approval,
        digest,
        decision: Verdict::Approve,
        args: None,
        reason: None,
        grant: None,
        roles: Vec::new(),
    };
    submit(&mob, Command::Approval(command)).await;
    let turn = ended(&mob, message).await;
    assert!(text_of(&turn).starts_with("queued as dlv-"), "{turn:?}");
    let events = until(&mob, "delivery.delivered", 1).await;
    let from = events.iter().find_map(|event| match &event.event {
        Event::DeliveryQueued(e) => Some((e.from.to_string(), e.origin.clone())),
        _ => None,
    });
    let (from, origin) = from.expect("it was queued");
    assert!(
        from.contains('a') && origin == Some(operator()),
        "{from} {origin:?}"
    );
    assert_eq!(receiver.received(1).await[0].body, r#""the disk is full""#);
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn a_schedule_delivers_over_its_route() {
    let receiver = Receiver::start(&[]).await;
    let schedule = "[[schedules]]\nid = \"beat\"\nevery = \"1s\"\nto = { route = \"hook\" }\n\
                    message = \"it is {{ due }}\"\n";
    let outside = Outside::of(&[("hook", &receiver.url)], schedule);
    let mob = outside.start().await;
    let events = until(&mob, "occurrence.completed", 2).await;
    let requests = receiver.received(2).await;
    assert_ne!(requests[0].id(), requests[1].id());
    assert!(
        requests[0].body.starts_with("\"it is 2"),
        "{:?}",
        requests[0]
    );
    let claims = events
        .iter()
        .filter(|e| e.event.kind() == "occurrence.claimed");
    assert!(claims.count() >= 2);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_file_gets_one_line_for_each_delivery() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.jsonl");
    let more = format!(
        "[[routes]]\nid = \"log\"\nmatch = {{ recipient = \"log\" }}\n\
         sink = {{ kind = \"file\", path = {:?} }}\n",
        path.to_str().expect("text")
    );
    let mut outside = Outside::of(&[], &more);
    let mob = outside.start().await;
    for n in 0..5 {
        deliver(&mob, "log", json!({"n": n})).await;
    }
    until(&mob, "delivery.delivered", 5).await;
    let mob = outside.restart(&mob).await;
    deliver(&mob, "log", json!({"n": 5})).await;
    until(&mob, "delivery.delivered", 6).await;
    let text = std::fs::read_to_string(&path).expect("a file");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let mut numbers: Vec<i64> = lines
        .iter()
        .map(|line| line["payload"]["n"].as_i64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    assert!(lines.iter().all(|line| line["recipient"] == "log"));
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn an_attempt_over_a_route_that_is_removed_at_once_comes_to_an_end() {
    let receiver = Receiver::start(&[]).await;
    let other = Outside::of(&[("short", &receiver.url)], "");
    let route = definition(&other.text, "").routes.remove(0);
    let outside = Outside::of(&[], "");
    let mob = outside.start().await;
    let put = DeliveryCommand::RoutePut(Box::new(route.clone()));
    submit(&mob, Command::Delivery(put)).await;
    let remove = DeliveryCommand::RouteRemove { route: route.id };
    // Both are decided in one batch: the route is gone before the attempt looks at it.
    tokio::join!(
        deliver(&mob, "short", json!("x")),
        submit(&mob, Command::Delivery(remove))
    );
    let events = until(&mob, "delivery.dead", 1).await;
    assert!(events.iter().any(|e| e.event.kind() == "delivery.queued"));
    let open = mob.engine().view(|world| world.state.deliveries.len());
    assert_eq!(open, 0);
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn the_secret_of_a_route_is_kept_between_attempts_and_forgotten_with_the_route() {
    let receiver = Receiver::start(&[]).await;
    let other = Outside::of(&[("short", &receiver.url)], "");
    let route = definition(&other.text, "").routes.remove(0);
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let outside = Outside::of(&[], "");
    let mob = outside
        .start_with(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Some(SECRET.to_owned())
        })
        .await;
    let put = DeliveryCommand::RoutePut(Box::new(route.clone()));
    submit(&mob, Command::Delivery(put.clone())).await;
    for n in 1..=3 {
        deliver(&mob, "short", json!(n)).await;
        until(&mob, "delivery.delivered", n).await;
    }
    assert_eq!(reads.load(Ordering::Relaxed), 1, "it is read once");
    // It is forgotten beside the removal: an attempt soon after may find it still.
    for n in 4..100 {
        let id = route.id.clone();
        let remove = DeliveryCommand::RouteRemove { route: id };
        submit(&mob, Command::Delivery(remove)).await;
        submit(&mob, Command::Delivery(put.clone())).await;
        deliver(&mob, "short", json!(n)).await;
        until(&mob, "delivery.delivered", n).await;
        if reads.load(Ordering::Relaxed) > 1 {
            break;
        }
    }
    assert_eq!(reads.load(Ordering::Relaxed), 2, "it is read anew");
    assert!(mob.shutdown().await.is_orderly());
}
