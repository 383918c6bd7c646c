//! Metrics: every line as OpenMetrics wants it, and figures that agree with the journal.

use crate::kit::Server;
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const COUNTER: &str = "counter";

async fn scrape(server: &Server) -> (String, String) {
    server.text("/metrics").await
}

/// Reads the text as strictly as OpenMetrics 1.0 says: families in one piece each, with help and
/// type before their samples; names and labels of the right letters; counters that end on `_total`;
/// buckets that only grow and end at `+Inf`; no sample twice; the mark of the end, and nothing
/// after it. Returns the samples.
fn read(text: &str) -> BTreeMap<String, f64> {
    let text = text.strip_suffix("# EOF\n").expect("it ends with its mark");
    let (mut families, mut samples) = (BTreeSet::new(), BTreeMap::new());
    let (mut family, mut kind, mut described) = (String::new(), "", false);
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            assert!(is_name(name) && name.starts_with("mobkit_"), "{line}");
            assert!(help.ends_with('.') && !help.contains('\\'), "{line}");
            assert!(
                families.insert(name.to_owned()),
                "a family in two pieces: {line}"
            );
            (family, described) = (name.to_owned(), false);
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, of) = of.split_once(' ').expect("a name and a type");
            assert!(name == family && !described, "{line}");
            assert!([COUNTER, "gauge", "histogram"].contains(&of), "{line}");
            (kind, described) = (of, true);
        } else {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            let suffix = name.strip_prefix(family.as_str());
            let suffix = suffix.unwrap_or_else(|| panic!("not of {family}: {line}"));
            let allowed: &[&str] = match kind {
                COUNTER => &["_total"],
                "histogram" => &["_sum", "_count", "_bucket"],
                _ => &[""],
            };
            assert!(described && allowed.contains(&suffix), "{line}");
            check_labels(labels);
            let value: f64 = value
                .parse()
                .unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(kind == "gauge" || value >= 0.0, "{line}");
            assert!(
                samples.insert(sample.to_owned(), value).is_none(),
                "twice: {line}"
            );
        }
    }
    samples
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn check_labels(labels: &str) {
    let mut rest = labels.strip_suffix('}').expect("labels end");
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").expect("a name and a value");
        assert!(is_name(name), "{labels}");
        let (value, more) = value.split_once('"').expect("a value ends");
        assert!(!value.contains(['\\', '\n']), "{labels}");
        rest = more.strip_prefix(',').unwrap_or(more);
        assert!(more.is_empty() || more.starts_with(','), "{labels}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_figure_is_well_formed_and_agrees_with_the_journal() {
    let server = Server::up().await;
    for text in ["say one", "say two"] {
        server
            .call("member/ask", json!({ "to": "ada", "content": text }))
            .await;
    }
    server
        .call("member/pause", json!({ "member": "cid" }))
        .await;
    server
        .call("member/send", json!({ "to": "cid", "content": "later" }))
        .await;
    server
        .call("member/send", json!({ "to": "bob", "content": "hang" }))
        .await;
    let (sort, text) = scrape(&server).await;
    assert!(sort.starts_with("application/openmetrics-text;"), "{sort}");
    let found = read(&text);
    let journal = server.journal().await;
    let count = |kind: &str| {
        let of_kind = journal.iter().filter(|event| event.event.kind() == kind);
        f64::from(u32::try_from(of_kind.count()).expect("few"))
    };
    let head = f64::from(u32::try_from(journal.len()).expect("few"));
    for (sample, value) in [
        (r#"mobkit_turns_total{outcome="completed"}"#, 2.0),
        (r#"mobkit_turns_total{outcome="failed"}"#, 0.0),
        (r#"mobkit_turns_open{status="running"}"#, 1.0),
        (r#"mobkit_messages_total{outcome="accepted"}"#, 4.0),
        ("mobkit_messages_waiting", 1.0),
        (r#"mobkit_members{state="idle"}"#, 1.0),
        (r#"mobkit_members{state="working"}"#, 1.0),
        (r#"mobkit_members{state="paused"}"#, 1.0),
        (
            r#"mobkit_model_calls_total{model="main",outcome="replied"}"#,
            2.0,
        ),
        ("mobkit_journal_head", head),
        ("mobkit_journal_events_total", head),
        ("mobkit_runtime_ready", 1.0),
        ("mobkit_event_readers", 0.0),
        (r#"mobkit_occurrences_total{state="missed"}"#, 0.0),
        (
            r#"mobkit_turns_total{outcome="cancelled"}"#,
            count("turn.cancelled"),
        ),
    ] {
        assert_eq!(found.get(sample), Some(&value), "{sample}\n{text}");
    }
    let used = r#"mobkit_model_tokens_total{model="main",type="output"}"#;
    assert!(found[used] > 0.0, "{text}");
    assert!(found[r#"mobkit_model_cost_usd_total{model="main"}"#] > 0.0);
    let commits = found["mobkit_commit_duration_seconds_count"];
    assert!(commits > 0.0 && commits <= head);
    let all = r#"mobkit_commit_duration_seconds_bucket{le="+Inf"}"#;
    assert!((found[all] - commits).abs() < f64::EPSILON, "{text}");
    // No figure names a member, a turn or a message: their number has no bound.
    for id in ["ada", "bob", "msg-", "turn-"] {
        assert!(!text.contains(&format!("\"{id}")), "{id}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn readers_are_counted_while_they_read() {
    let server = Server::up().await;
    let stream = server.stream("", &[]).await;
    let (_, text) = scrape(&server).await;
    assert!(read(&text)["mobkit_event_readers"] > 0.0, "{text}");
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_metrics_without_the_token() {
    let server = Server::up().await;
    let asked = Request::get("/metrics").header("host", "127.0.0.1:7373");
    let asked = asked.body(Body::empty()).expect("a request");
    let answer = server.send(asked).await;
    assert_eq!(answer.status, 401);
}
