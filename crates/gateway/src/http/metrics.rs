//! `GET /metrics`: counts and levels for a monitoring system, in the text format of OpenMetrics.
//!
//! Counters count from the events that became durable in this process, levels are read from the
//! state. Labels take few values: words of ours, and names of models and modules in the mob file.
//! No member, turn or message is named.

use crate::gateway::Gateway;
use crate::problem::response;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use mobkit_domain::lifecycle::Phase;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::{DeliveryStatus, MemberState, ModuleStatus, State as MobState};
use mobkit_engine::{COMMIT_BUCKETS_S, Counts, Engine};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The media type of the answer.
pub(super) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub(super) async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response<Body> {
    let mut registry = Registry::with_prefix("mobkit");
    registry.register_collector(Box::new(Scrape::of(&gateway.engine)));
    let mut text = String::new();
    if let Err(error) = encode(&mut text, &registry) {
        let message = format!("the metrics can't be written: {error}");
        return response(&Refusal::new(
            RefusalKind::Internal,
            "internal.answer",
            message,
        ));
    }
    let mut answer = Response::new(Body::from(text));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(TYPE));
    answer
}

type Levels = BTreeMap<&'static str, u64>;

/// Everything of one moment.
#[derive(Debug)]
struct Scrape {
    counts: Counts,
    info: [(&'static str, String); 4],
    phase: Phase,
    paused: bool,
    uptime_s: f64,
    head: u64,
    readers: u64,
    members: Levels,
    messages_waiting: u64,
    turns: Levels,
    approvals: u64,
    occurrences: u64,
    deliveries: Levels,
    modules: Levels,
}

impl Scrape {
    fn of(engine: &Engine) -> Self {
        let store = engine.store();
        let info = [
            ("version", engine.version().to_owned()),
            ("store", store.kind().to_owned()),
            ("durability", store.durability().as_str().to_owned()),
            ("rehearsal", engine.is_rehearsal().to_string()),
        ];
        let counts = engine.counts();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a process is not up for so many milliseconds"
        )]
        let uptime_s = engine.uptime_ms() as f64 / 1_000.0;
        let (phase, readers) = (engine.phase().now(), engine.readers());
        engine.view(|world| {
            let state = &world.state;
            Self {
                counts,
                info,
                phase,
                paused: state.paused,
                uptime_s,
                head: state.head,
                readers,
                members: members(state),
                messages_waiting: state.members.values().map(|m| m.queue.len() as u64).sum(),
                turns: turns(state),
                approvals: state.approvals.len() as u64,
                occurrences: state.schedules.values().map(|s| s.open.len() as u64).sum(),
                deliveries: deliveries(state),
                modules: modules(state),
            }
        })
    }
}

/// How many have each of these words; a word that nobody has is there with 0.
fn levels(words: &[&'static str], found: impl Iterator<Item = &'static str>) -> Levels {
    let mut levels: Levels = words.iter().map(|word| (*word, 0)).collect();
    for word in found {
        *levels.entry(word).or_default() += 1;
    }
    levels
}

fn members(state: &MobState) -> Levels {
    let words = MemberState::ALL.map(MemberState::as_str);
    let found = state.members.keys().filter_map(|id| state.member_state(id));
    levels(&words, found.map(MemberState::as_str))
}

fn turns(state: &MobState) -> Levels {
    let word = |status| match status {
        TurnStatus::Waiting => "waiting",
        TurnStatus::Checkpointed => "checkpointed",
        TurnStatus::Running
        | TurnStatus::Completed
        | TurnStatus::Failed
        | TurnStatus::Cancelled => "running",
    };
    let found = state.turns.values().map(|turn| word(turn.status()));
    levels(&["running", "waiting", "checkpointed"], found)
}

fn deliveries(state: &MobState) -> Levels {
    let word = |status: &DeliveryStatus| match status {
        DeliveryStatus::Waiting { .. } => "waiting",
        DeliveryStatus::Attempting { .. } => "attempting",
    };
    let found = state.deliveries.values();
    levels(
        &["waiting", "attempting"],
        found.map(|open| word(&open.status)),
    )
}

fn modules(state: &MobState) -> Levels {
    const WORDS: [&str; 7] = [
        "stopped",
        "starting",
        "healthy",
        "unhealthy",
        "stopping",
        "restarting",
        "quarantined",
    ];
    let word = |status: &ModuleStatus| status.as_str();
    let found = state.modules.values();
    levels(&WORDS, found.map(|module| word(&module.status)))
}

/// A counter for each of these kinds of events, by the word after the noun.
struct Kinds {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    of: &'static [&'static str],
}

const KINDS: [Kinds; 5] = [
    Kinds {
        name: "turns",
        help: "Turns that ended, by how.",
        label: "outcome",
        of: &["turn.completed", "turn.failed", "turn.cancelled"],
    },
    Kinds {
        name: "tool_calls",
        help: "Tool calls that ended, by how.",
        label: "outcome",
        of: &[
            "tool.finished",
            "tool.failed",
            "tool.refused",
            "tool.unknown",
        ],
    },
    Kinds {
        name: "approvals",
        help: "Approvals, by what became of them.",
        label: "outcome",
        of: &["approval.requested", "approval.decided", "approval.expired"],
    },
    Kinds {
        name: "deliveries",
        help: "Deliveries, by the state that they came to; failed ones are tried again.",
        label: "state",
        of: &[
            "delivery.queued",
            "delivery.attempted",
            "delivery.delivered",
            "delivery.failed",
            "delivery.unknown",
            "delivery.dead",
        ],
    },
    Kinds {
        name: "messages",
        help: "Messages, by what became of them.",
        label: "outcome",
        of: &[
            "message.accepted",
            "message.delivered",
            "message.steered",
            "message.cancelled",
            "message.expired",
            "message.refused",
        ],
    },
];

/// The states of occurrences that events say one by one.
const OCCURRENCES: [&str; 5] = ["claimed", "dispatched", "completed", "failed", "skipped"];

impl Collector for Scrape {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        self.runtime(&mut to)?;
        self.levels(&mut to)?;
        self.counters(&mut to)?;
        self.models(&mut to)?;
        self.commits(&mut to)
    }
}

impl Scrape {
    fn runtime(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let labels = self
            .info
            .each_ref()
            .map(|(name, text)| (*name, text.as_str()));
        let help = "What runs here; always 1.";
        let mut info = to.encode_descriptor("runtime_info", help, None, MetricType::Gauge)?;
        ConstGauge::new(1).encode(info.encode_family(&labels)?)?;
        let ready = u64::from(self.phase == Phase::Running);
        gauge(
            to,
            "runtime_ready",
            "Whether the runtime takes work.",
            ready,
        )?;
        let help = "Whether the line stands still.";
        gauge(to, "runtime_paused", help, u64::from(self.paused))?;
        let help = "How long the process has had the mob.";
        let uptime = to.encode_descriptor("uptime_seconds", help, None, MetricType::Gauge)?;
        ConstGauge::new(self.uptime_s).encode(uptime)?;
        let help = "Position of the last event of the journal.";
        gauge(to, "journal_head", help, self.head)?;
        let help = "Streams of events that are open.";
        gauge(to, "event_readers", help, self.readers)
    }

    fn levels(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        by(
            to,
            ("members", "Members, by state."),
            "state",
            &self.members,
        )?;
        let help = "Messages that wait for a turn.";
        gauge(to, "messages_waiting", help, self.messages_waiting)?;
        by(
            to,
            ("turns_open", "Turns that have not ended."),
            "status",
            &self.turns,
        )?;
        let help = "Approvals that wait for a decision.";
        gauge(to, "approvals_pending", help, self.approvals)?;
        let help = "Occurrences that have not come to their end.";
        gauge(to, "occurrences_open", help, self.occurrences)?;
        let help = "Deliveries that have not come to their end.";
        by(to, ("deliveries_open", help), "status", &self.deliveries)?;
        by(
            to,
            ("modules", "Modules, by state."),
            "state",
            &self.modules,
        )
    }

    fn counters(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counted = |kind: &str| self.counts.events.get(kind).copied().unwrap_or_default();
        for Kinds {
            name,
            help,
            label,
            of,
        } in KINDS
        {
            let mut family = to.encode_descriptor(name, help, None, MetricType::Counter)?;
            for kind in of {
                let (_, word) = kind.split_once('.').unwrap_or(("", kind));
                counter(&mut family, &[(label, word)], counted(kind))?;
            }
        }
        let help = "Due times of schedules, by the state that they came to.";
        let mut family = to.encode_descriptor("occurrences", help, None, MetricType::Counter)?;
        for word in OCCURRENCES {
            let count = counted(&format!("occurrence.{word}"));
            counter(&mut family, &[("state", word)], count)?;
        }
        let missed = self.counts.occurrences_missed;
        counter(&mut family, &[("state", "missed")], missed)?;
        let help = "Restarts of modules.";
        let mut family =
            to.encode_descriptor("module_restarts", help, None, MetricType::Counter)?;
        for (module, count) in &self.counts.module_restarts {
            counter(&mut family, &[("module", module.as_str())], *count)?;
        }
        let help = "Errors that somebody should see.";
        let errors = to.encode_descriptor("errors", help, None, MetricType::Counter)?;
        ConstCounter::new(counted("error.raised")).encode(errors)?;
        let help = "Events that became durable.";
        let events = to.encode_descriptor("journal_events", help, None, MetricType::Counter)?;
        let all: u64 = self.counts.events.values().sum();
        ConstCounter::new(all).encode(events)
    }

    fn models(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let models = &self.counts.models;
        let help = "Attempts to call a model, by the entry of the mob file.";
        let mut family = to.encode_descriptor("model_calls", help, None, MetricType::Counter)?;
        for (model, used) in models {
            for (word, count) in [("replied", used.replied), ("failed", used.failed)] {
                let labels = [("model", model.as_str()), ("outcome", word)];
                counter(&mut family, &labels, count)?;
            }
        }
        let help = "Tokens of answered calls; cached ones are part of the input.";
        let mut family = to.encode_descriptor("model_tokens", help, None, MetricType::Counter)?;
        for (model, used) in models {
            for (word, count) in [
                ("input", used.usage.input_tokens),
                ("cached_input", used.usage.cached_input_tokens),
                ("output", used.usage.output_tokens),
            ] {
                let labels = [("model", model.as_str()), ("type", word)];
                counter(&mut family, &labels, count)?;
            }
        }
        let help = "What the calls of models that have a price cost, in US dollars.";
        let mut family = to.encode_descriptor("model_cost_usd", help, None, MetricType::Counter)?;
        for (model, used) in models {
            #[expect(clippy::cast_precision_loss, reason = "a metric needs no billionths")]
            let usd = used.cost as f64 / 1e9;
            let labels = [("model", model.as_str())];
            let at = family.encode_family(&labels)?;
            ConstCounter::new(usd).encode(at)?;
        }
        Ok(())
    }

    fn commits(&self, to: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let commits = &self.counts.commits;
        let bounds = COMMIT_BUCKETS_S.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(commits.buckets).collect();
        let count = commits.buckets.iter().sum();
        let help = "How long the store took for a commit.";
        let name = "commit_duration_seconds";
        let mut family = to.encode_descriptor(name, help, None, MetricType::Histogram)?;
        family.encode_histogram::<[(&str, &str); 0]>(commits.sum_s, count, &buckets, None)
    }
}

fn counter(family: &mut MetricEncoder<'_>, labels: &[(&str, &str)], count: u64) -> fmt::Result {
    let at = family.encode_family(&labels)?;
    ConstCounter::new(count).encode(at)
}

fn gauge(to: &mut DescriptorEncoder<'_>, name: &str, help: &str, level: u64) -> fmt::Result {
    let at = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(level).encode(at)
}

fn by(
    to: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    label: &str,
    levels: &Levels,
) -> fmt::Result {
    let mut family = to.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (word, level) in levels {
        let labels = [(label, *word)];
        let at = family.encode_family(&labels)?;
        ConstGauge::new(*level).encode(at)?;
    }
    Ok(())
}
