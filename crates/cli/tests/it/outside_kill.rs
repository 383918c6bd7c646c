//! Schedules and deliveries under SIGKILL, told by the receiver itself: it writes down each request
//! before it answers, so it knows more than the journal does.

use crate::running::{Example, Up};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const ROUNDS: u64 = 8;
/// How long nothing may arrive while a mob runs: a machine with much else to do is slow.
const STANDSTILL_MAX: Duration = Duration::from_mins(2);
/// Kills come at random over more than a whole period of the schedules.
const LINGER_MAX_US: u64 = 1_200_000;

/// Each turn delivers its message, and then says so.
const SCRIPT: &str = r#"
[[rules]]
when = { step = 1, text = '^due ' }
call = [{ tool = "deliver", args = { recipient = "hook", text = "turn {{ message }}" } }]
[[rules]]
when = { tool = "deliver" }
say = "{{ result }}"
"#;

fn mob_file(url: &str) -> String {
    format!(
        r#"
[mob]
id = "outside"
[models.main]
provider = "rehearsal"
script = "rehearsal.toml"
[profiles.worker]
model = "main"
instructions = "Work."
tools = ["deliver"]
[[members]]
id = "a"
profile = "worker"
[[routes]]
id = "hook"
match = {{ recipient = "hook" }}
retry = {{ attempts = 100, backoff = ["100ms", "1s"] }}
sink = {{ kind = "webhook", url = "{url}", allow_private = true }}
[[schedules]]
id = "work"
every = "1s"
to = {{ member = "a" }}
message = "due {{{{ due }}}}"
overlap = "queue"
missed = {{ policy = "all", within = "1h" }}
[[schedules]]
id = "beat"
every = "1s"
to = {{ route = "hook" }}
message = "beat {{{{ due }}}}"
overlap = "allow"
missed = {{ policy = "all", within = "1h" }}
"#
    )
}

/// What arrived: each `webhook-id` with the bodies that came under it.
type Arrived = BTreeMap<String, Vec<String>>;

/// A receiver on this machine. It outlives every life of the process.
struct Receiver {
    url: String,
    arrived: Arc<(Mutex<Arrived>, Condvar)>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let arrived: Arc<(Mutex<Arrived>, Condvar)> = Arc::default();
        let kept = Arc::clone(&arrived);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                // A sender that was killed leaves half a request; it has sent nothing.
                std::thread::spawn(move || take(&stream, &kept).is_ok());
            }
        });
        Self {
            url: format!("http://{address}/hook"),
            arrived,
        }
    }

    /// Waits until so many more have arrived that none had before; a failure shows what the mob
    /// said.
    fn wait(&self, example: &Example, more: usize) {
        let (arrived, changed) = &*self.arrived;
        let mut all = arrived.lock().expect("not poisoned");
        let at_least = all.len() + more;
        while all.len() < at_least {
            let before = all.len();
            let waited = changed.wait_timeout_while(all, STANDSTILL_MAX, |all| all.len() == before);
            let (next, timeout) = waited.expect("not poisoned");
            if timeout.timed_out() {
                let log = std::fs::read_to_string(example.log()).unwrap_or_default();
                panic!("nothing arrives after {before}: {log}");
            }
            all = next;
        }
    }

    /// Waits until something arrives, or so long.
    fn linger(&self, at_most: Duration) {
        let (arrived, changed) = &*self.arrived;
        let all = arrived.lock().expect("not poisoned");
        let _ = changed.wait_timeout(all, at_most).expect("not poisoned");
    }

    fn arrived(&self) -> Arrived {
        self.arrived.0.lock().expect("not poisoned").clone()
    }
}

fn take(mut stream: &TcpStream, kept: &(Mutex<Arrived>, Condvar)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    kept.0
        .lock()
        .expect("not poisoned")
        .entry(id)
        .or_default()
        .push(body);
    kept.1.notify_all();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

/// Random numbers from a seed (splitmix64, by Sebastiano Vigna, public domain).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

fn up(example: &Example) -> Up {
    let mut up = example.up();
    up.document();
    up
}

fn of_kind<'e>(events: &'e [Value], kind: &'e str) -> impl Iterator<Item = &'e Value> {
    let found = events.iter().filter(move |event| event["kind"] == kind);
    found.map(|event| &event["data"])
}

/// The occurrences of a kind of event: none comes twice.
fn occurrences(events: &[Value], kind: &str) -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    for data in of_kind(events, kind) {
        let occurrence = (data["schedule"].to_string(), data["due"].to_string());
        assert!(seen.insert(occurrence), "{kind} twice: {data}");
    }
    seen
}

/// The number of a delivery in its `webhook-id`, which goes on with the mob and a time.
fn delivery_of(webhook_id: &str) -> String {
    let parts: Vec<&str> = webhook_id.splitn(3, '-').collect();
    parts[..2].join("-")
}

/// `before` had arrived before the journal was read, `after` by a later time.
fn check(before: &Arrived, events: &[Value], after: &Arrived) {
    let claimed = occurrences(events, "occurrence.claimed");
    let dispatched = occurrences(events, "occurrence.dispatched");
    let completed = occurrences(events, "occurrence.completed");
    assert!(dispatched.is_subset(&claimed) && completed.is_subset(&dispatched));
    assert!(completed.len() as u64 > ROUNDS, "{}", completed.len());
    assert_eq!(of_kind(events, "occurrence.missed").count(), 0);
    assert_eq!(of_kind(events, "delivery.unknown").count(), 0);
    assert_eq!(of_kind(events, "delivery.dead").count(), 0);
    let mut turns = BTreeSet::new();
    for data in of_kind(events, "turn.started") {
        for message in data["messages"].as_array().expect("a list") {
            assert!(turns.insert(message.to_string()), "two turns: {data}");
        }
    }
    let mut payloads = BTreeMap::new();
    for data in of_kind(events, "delivery.queued") {
        let id = data["delivery"].as_str().expect("an id").to_owned();
        let before = payloads.insert(id, data["payload"].to_string());
        assert_eq!(before, None, "queued twice: {data}");
    }
    for id in before.keys() {
        let queued = payloads.contains_key(&delivery_of(id));
        assert!(queued, "{id} was sent before it was queued");
    }
    let mut received = BTreeSet::new();
    for (id, bodies) in after {
        let delivery = delivery_of(id);
        if let Some(payload) = payloads.get(&delivery) {
            let same = bodies.iter().all(|body| body == payload);
            assert!(same, "{id}: {bodies:?} {payload}");
        }
        assert!(
            received.insert(delivery),
            "{id} came under another id as well"
        );
    }
    let mut delivered = BTreeSet::new();
    for data in of_kind(events, "delivery.delivered") {
        let id = data["delivery"].as_str().expect("an id").to_owned();
        assert!(received.contains(&id), "never arrived: {data}");
        assert!(delivered.insert(id), "delivered twice: {data}");
    }
    let distinct: BTreeSet<&String> = payloads.values().collect();
    assert_eq!(
        distinct.len(),
        payloads.len(),
        "one delivery for each due time"
    );
}

#[test]
fn under_sigkill_nothing_fires_twice_and_what_is_called_delivered_has_arrived() {
    let receiver = Receiver::start();
    let example = Example::written(&[
        ("mob.toml", &mob_file(&receiver.url)),
        ("rehearsal.toml", SCRIPT),
    ]);
    let mut chance = Chance(7);
    for _ in 0..ROUNDS {
        let mob = up(&example);
        receiver.wait(&example, 1);
        receiver.linger(Duration::from_micros(chance.below(LINGER_MAX_US)));
        mob.kill();
    }
    let mob = up(&example);
    receiver.wait(&example, 2);
    let (code, last) = mob.interrupt();
    assert_eq!(code, Some(0), "{last}");
    let mob = up(&example);
    // It goes on while it is asked: what arrives meanwhile may be too young for the answer.
    let before = receiver.arrived();
    let events = example.events();
    mob.kill();
    let after = receiver.arrived();
    check(&before, &events, &after);
    let repeated = after.values().filter(|bodies| bodies.len() > 1).count();
    eprintln!(
        "{} events, {repeated} deliveries came more than once",
        events.len()
    );
}
