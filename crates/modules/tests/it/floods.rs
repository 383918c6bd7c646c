//! Modules that write more than anybody can read.

use crate::kit::{Mob, module};
use mobkit_domain::event::Event;
use mobkit_domain::state::ModuleStatus;
use serde_json::json;

async fn mob() -> Mob {
    let mob = Mob::up(&[
        module("m", "breaks.py", ""),
        module("other", "tools.py", ""),
    ])
    .await;
    mob.healthy("m").await;
    mob.healthy("other").await;
    mob
}

#[tokio::test]
async fn a_flood_of_garbage_ends_the_module_and_nobody_else() {
    let mob = mob().await;
    let failed = mob.call("m", "garbage", json!({})).await;
    let why = "broken protocol: wrote more than 100 lines that are no part of the protocol";
    assert_eq!(failed, Err(format!("module m ended in the call: {why}")));
    assert_eq!(mob.restarting_after(0, "m").await.1, why);
    let shown = mob
        .event("a stray line", |event| match event {
            Event::ModuleLog(e) => Some(e.lines[0].clone()),
            _ => None,
        })
        .await;
    let line = "on its standard output, no part of its protocol: \u{fffd}\u{fffd} no protocol";
    assert_eq!(shown, line);
    assert_eq!(mob.value("other", "echo", json!({})).await, json!({}));
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn an_endless_line_ends_the_module() {
    let mob = mob().await;
    let failed = mob.call("m", "line", json!({})).await;
    let why = "broken protocol: wrote a line over 16 MiB";
    assert_eq!(failed, Err(format!("module m ended in the call: {why}")));
    assert_eq!(mob.restarting_after(0, "m").await.1, why);
    mob.engine.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_log_lines_is_counted_and_slows_nobody() {
    let mob = mob().await;
    let flooding = mob.call("m", "flood", json!({ "seconds": 2 }));
    let meanwhile = async {
        for n in 0..50 {
            assert_eq!(
                mob.value("m", "echo", json!({ "n": n })).await,
                json!({ "n": n })
            );
            assert_eq!(
                mob.value("other", "echo", json!({ "n": n })).await,
                json!({ "n": n })
            );
        }
    };
    let (flooded, ()) = tokio::join!(flooding, meanwhile);
    assert_eq!(flooded, Ok("flooded".to_owned()));
    assert_eq!(mob.status("m"), ModuleStatus::Healthy);
    mob.engine.shutdown().await;
    let (mut lines, mut dropped, mut longest) = (0, 0, 0);
    for envelope in mob.journal().await {
        if let Event::ModuleLog(e) = envelope.event {
            assert!(e.lines.iter().all(|line| line == "a line of a flood"));
            lines += e.lines.len();
            dropped += e.dropped;
            longest = longest.max(e.lines.len());
        }
    }
    assert!(dropped > 0, "{lines} lines and nothing dropped");
    assert!((500..5_000).contains(&lines), "{lines} lines");
    assert!(longest <= 50, "{longest} lines in one event");
}

#[tokio::test]
async fn log_lines_are_plain_text_and_cut() {
    let mob = mob().await;
    let text = format!(
        "\u{1b}[31mred\u{1b}[0m\nsecond\tline\r\n{}\nlast",
        "w".repeat(9_000)
    );
    mob.call("other", "log", json!({ "text": text }))
        .await
        .expect("logged");
    mob.engine.shutdown().await;
    let logged = mob
        .journal()
        .await
        .into_iter()
        .filter_map(|envelope| match envelope.event {
            Event::ModuleLog(e) if e.module.as_str() == "other" => Some(e.lines),
            _ => None,
        });
    let logged: Vec<String> = logged.flatten().collect();
    let cut = format!("{} […]", "w".repeat(4_096));
    assert_eq!(logged, ["red", "second\tline", &cut, "last"]);
}
