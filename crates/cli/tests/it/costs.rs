//! What a day costs, with providers that fail in every way: the same everywhere, to the billionth
//! of a dollar, over a stop and a crash.

use crate::provider::{Provider, Says, Speaks};
use crate::running::Example;
use serde_json::{Value, json};

/// Billionths of a dollar of one answer of each provider, at the prices of [`mob`].
const OPEN_AI: u64 = 602 * 1_250 + 401 * 125 + 7 * 10_000;
const ANTHROPIC: u64 = 11 * 3_000 + 301 * 3_750 + 53 * 300 + 3 * 15_000;
const GEMINI: u64 = 19 * 300 + 3 * 2_500;

struct Providers {
    open_ai: Provider,
    anthropic: Provider,
    gemini: Provider,
}

impl Providers {
    fn start() -> Self {
        Self {
            open_ai: Provider::of(Speaks::OpenAi),
            anthropic: Provider::of(Speaks::Anthropic),
            gemini: Provider::of(Speaks::Gemini),
        }
    }

    fn are_done(&self) -> bool {
        self.open_ai.is_done() && self.anthropic.is_done() && self.gemini.is_done()
    }
}

/// A worker with two models behind its own, and a clerk whose model has no price.
fn mob(at: &Providers) -> String {
    format!(
        r#"
[mob]
id = "costs"
[models.main]
provider = "openai"
model = "large"
base_url = "{}"
fallback = ["second", "third"]
timeout = "2s"
price = {{ input = 1.25, output = 10.0, cached_input = 0.125 }}
[models.second]
provider = "anthropic"
model = "claude-sonnet-5"
base_url = "{}"
price = {{ input = 3.0, output = 15.0, cached_input = 0.3, cache_creation = 3.75 }}
[models.third]
provider = "gemini"
model = "gemini-3-flash"
base_url = "{}"
price = {{ input = 0.3, output = 2.5 }}
[models.unpriced]
provider = "gemini"
model = "gemini-3-flash"
base_url = "{}"
[profiles.worker]
model = "main"
instructions = "Work."
[profiles.clerk]
model = "unpriced"
instructions = "Work."
[[members]]
id = "worker"
profile = "worker"
[[members]]
id = "clerk"
profile = "clerk"
"#,
        at.open_ai.url(),
        at.anthropic.url(),
        at.gemini.url(),
        at.gemini.url(),
    )
}

fn summary(mob: &Example, words: &[&str]) -> Value {
    let run = mob.run(&[&["cost", "--json"], words].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.document()
}

fn rpc(mob: &Example, operation: &str, params: &Value) -> Value {
    let run = mob.run(&["rpc", operation, &params.to_string(), "--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.document()
}

/// Dollars as billionths.
fn nano(usd: &Value) -> u64 {
    let usd = usd.as_f64().expect("a number of dollars");
    format!("{:.0}", usd * 1e9).parse().expect("a whole number")
}

/// Asks every place that tells costs. All must say `nano_usd` for `calls` calls of the worker, and
/// that nobody knows what the clerk cost.
fn all_agree(mob: &Example, calls: u64, nano_usd: u64) {
    let events = mob.events();
    let replies = events
        .iter()
        .filter(|event| event["kind"] == "model.replied");
    let (priced, unpriced): (Vec<_>, Vec<_>) =
        replies.partition(|event| event["data"].get("cost_usd").is_some());
    let of_events: u64 = priced
        .iter()
        .map(|event| nano(&event["data"]["cost_usd"]))
        .sum();
    assert_eq!((priced.len() as u64, unpriced.len()), (calls, 1));
    assert_eq!(of_events, nano_usd, "the events");
    for by in ["member", "model", "profile", "day", "schedule", "turn"] {
        let said = summary(mob, &["--by", by]);
        assert_eq!(said["total"]["cost_nano_usd"], nano_usd, "{by}");
        assert_eq!(said["total"]["calls"], calls + 1, "{by}");
        assert_eq!(said["total"]["unpriced_calls"], 1, "{by}");
        let groups = said["groups"].as_array().expect("groups");
        let sum: u64 = groups
            .iter()
            .filter_map(|group| group["cost_nano_usd"].as_u64())
            .sum();
        assert_eq!(sum, nano_usd, "{by}");
        assert_eq!(rpc(mob, "cost/summary", &json!({"by": by})), said, "{by}");
    }
    let turns = rpc(mob, "turn/list", &json!({"member": "worker"}));
    let turns = turns["turns"].as_array().expect("turns");
    let of_turns = turns.iter().map(|turn| {
        let turn = rpc(mob, "turn/get", &json!({"turn": turn["turn"]}));
        nano(&turn["cost_usd"])
    });
    assert_eq!(of_turns.sum::<u64>(), nano_usd, "the turns");
    let worker = rpc(mob, "member/get", &json!({"member": "worker"}));
    assert_eq!(nano(&worker["cost_usd"]), nano_usd, "the snapshot");
    let clerk = rpc(mob, "member/get", &json!({"member": "clerk"}));
    assert_eq!(clerk["cost_usd"], Value::Null);
    let clerk = summary(mob, &["--member", "clerk"]);
    let (cost, calls) = (
        &clerk["total"]["cost_usd"],
        &clerk["total"]["unpriced_calls"],
    );
    assert_eq!((cost, calls), (&Value::Null, &json!(1)), "never free");
}

#[test]
fn a_day_with_providers_that_fail_in_every_way_costs_the_same_everywhere() {
    let at = Providers::start();
    let mob = Example::written(&[("mob.toml", &mob(&at))]);
    let mut up = mob.up_for_real();
    up.document();
    let refused = mob.run(&["cost"]);
    assert_eq!((refused.code, &*refused.stdout), (0, ""));
    assert!(
        refused.stderr.contains("no model was called"),
        "{}",
        refused.stderr
    );

    let down = Says::Later(503, 700);
    for (open_ai, anthropic, answer) in [
        (
            &[Says::Later(500, 0), Says::Whole][..],
            &[][..],
            "by openai",
        ),
        (&[Says::Cut, Says::Whole], &[], "by openai"),
        (&[Says::Garbage, Says::Whole], &[], "by openai"),
        (&[Says::Silent, Says::Whole], &[], "by openai"),
        (&[Says::Later(429, 1), Says::Whole], &[], "by openai"),
        (&[Says::Later(429, 700)], &[Says::Whole], "by anthropic"),
        (&[Says::Later(429, 700)], &[down], "by gemini"),
    ] {
        at.open_ai.next(open_ai);
        at.anthropic.next(anthropic);
        let run = mob.run(&["send", "worker", "work", "--wait", "--timeout", "60s"]);
        assert_eq!((run.code, run.stdout.trim()), (0, answer), "{}", run.stderr);
        assert!(at.are_done(), "{open_ai:?}");
    }
    at.open_ai.next(&[Says::Later(401, 0)]);
    let run = mob.run(&["send", "worker", "work", "--wait"]);
    assert_eq!(
        run.code, 1,
        "a refused key hides behind no other model: {run:?}"
    );
    assert!(run.stderr.contains("401"), "{}", run.stderr);
    let run = mob.run(&["send", "clerk", "work", "--wait"]);
    assert_eq!(run.stdout.trim(), "by gemini", "{}", run.stderr);

    let spent = 5 * OPEN_AI + ANTHROPIC + GEMINI;
    all_agree(&mob, 7, spent);
    assert_eq!(up.interrupt().0, Some(0));
    let mut up = mob.up_for_real();
    up.document();
    all_agree(&mob, 7, spent);

    let run = mob.run(&["send", "worker", "work", "--wait"]);
    assert_eq!(run.stdout.trim(), "by openai", "{}", run.stderr);
    up.kill();
    let mut up = mob.up_for_real();
    up.document();
    all_agree(&mob, 8, spent + OPEN_AI);
    let table = mob.run(&["cost", "--by", "model"]);
    assert_eq!(table.code, 0, "{}", table.stderr);
    for line in [
        "MODEL     CALLS  IN    CACHED  OUT  COST",
        "main      6      6018  2406    42   $0.005236",
        "unpriced  1      19    0       3    unpriced (1 call)",
        "≥ $0.006472, 1 call unpriced",
    ] {
        assert!(table.stdout.contains(line), "{line}\n{}", table.stdout);
    }
    assert_eq!(up.interrupt().0, Some(0));
}
