//! The same scenario gives the same journal.

use crate::kit::{Death, Mob, Source, ada, beside, journal, pass_ms, quiet, send, settle};
use mobkit_engine::{ApplyOptions, RediscoverMode};
use std::sync::Arc;

/// Members that talk, fail, wait and are stopped; a crash and a restart; discovery that changes.
async fn scenario() -> Vec<String> {
    let mut mob = Mob::workers(&["a", "b", "c"]);
    let source = Arc::new(Source::of(&["d", "e"]));
    mob.hooks.discovery = Some(Arc::clone(&source) as _);
    let engine = mob.up().await;
    let texts = [
        "look; after 20 say x",
        "flaky 2 say y",
        "ask a look; say z",
        "fail rejected",
    ];
    let clients: Vec<_> = ["a", "b", "c", "d", "e"]
        .into_iter()
        .enumerate()
        .map(|(n, to)| {
            let engine = engine.clone();
            let text = texts[n % texts.len()];
            beside(async move {
                pass_ms(n as u64 % 3).await;
                let message = send(&engine, to, text).await;
                settle(&engine, message).await
            })
        })
        .collect();
    for client in clients {
        client.await.expect("answered");
    }
    source.says(&["d", "f", "g"]);
    engine
        .apply(&ada(), &ApplyOptions::default())
        .await
        .expect("applied");
    send(&engine, "a", "after 500 look; say on").await;
    quiet().await;
    mob.tap.dies(Death::After(mob.tap.appends().len() + 1));
    engine.shutdown().await;
    mob.again();
    let engine = mob.up().await;
    engine
        .rediscover(&ada(), RediscoverMode::Reset, true)
        .await
        .expect("reset");
    send(&engine, "g", "never").await;
    quiet().await;
    engine.shutdown().await;
    let events = journal(&mob.memory).await;
    events
        .iter()
        .map(|event| serde_json::to_string(event).expect("json"))
        .collect()
}

fn run() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(scenario())
}

#[test]
fn the_same_scenario_gives_the_same_journal() {
    let first = run();
    assert!(first.len() > 100, "{}", first.len());
    for _ in 0..3 {
        let again = run();
        for (one, other) in first.iter().zip(&again) {
            assert_eq!(one, other);
        }
        assert_eq!(first.len(), again.len());
    }
}
