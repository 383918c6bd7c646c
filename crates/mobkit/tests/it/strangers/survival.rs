//! What outlives the death of a module, and of the mob.

use super::hands::{Hands, all, answer, decide, event, kill, node, progress, say};
use super::python_sdk::{Remote, Way, hands};
use crate::kit::send;
use mobkit::event::Verdict;
use serde_json::Value;

#[tokio::test]
async fn a_killed_module_comes_back_and_works() {
    let echo = Hands::new()
        .when("echo", "echo", "{ message = \"again\" }")
        .module(&node("server-everything", "\"stdio\""), "");
    let (python, _) = hands(Way::Stdio, "");
    for (hands, ask) in [(echo, "echo"), (python, "add")] {
        let mob = hands.open().await;
        let before = say(&mob, ask).await;
        let healthy = event(&mob, "module.healthy", 0).await;
        let after = mob.engine().head();
        kill(&healthy["data"]["pid"]);
        let restarting = event(&mob, "module.restarting", after).await;
        assert_eq!(restarting["data"]["restarts"], 1, "{restarting}");
        let again = event(&mob, "module.healthy", after).await;
        assert_ne!(again["data"]["pid"], healthy["data"]["pid"]);
        assert_eq!(say(&mob, ask).await, before);
        mob.shutdown().await;
    }
}

#[tokio::test]
async fn an_effect_in_flight_when_its_module_dies_is_unknown() {
    let (hands, _) = hands(Way::Stdio, "");
    let mob = hands.open().await;
    let mut deltas = mob.engine().deltas();
    send(&mob, "worker", "slow").await;
    progress(&mut deltas).await;
    let healthy = event(&mob, "module.healthy", 0).await;
    kill(&healthy["data"]["pid"]);
    let unknown = event(&mob, "tool.unknown", 0).await;
    assert_eq!(unknown["data"]["tool"], "module:other/slow");
    let waiting = event(&mob, "turn.waiting", 0).await;
    assert_eq!(waiting["data"]["turn"], unknown["data"]["turn"]);
    assert_eq!(
        hands.read("deeds.txt"),
        "slow began\n",
        "it is not repeated"
    );
    mob.shutdown().await;
}

#[tokio::test]
async fn a_remote_server_that_was_away_is_found_again() {
    let (hands, remote) = hands(
        Way::Http,
        "restart = { intensity = 1000, backoff = [\"50ms\", \"200ms\"] }",
    );
    let remote = remote.expect("a server");
    let mob = hands.open().await;
    let before = say(&mob, "add").await;
    let (_, port) = remote
        .url
        .trim_end_matches("/mcp")
        .rsplit_once(':')
        .expect("a port");
    let port = port.parse().expect("a port");
    drop(remote);
    let said = say(&mob, "add").await;
    assert_ne!(said, before, "nobody is there to answer");
    let _remote = Remote::start(&hands, port);
    let after = mob.engine().head();
    let mut said = say(&mob, "add").await;
    if said != before {
        event(&mob, "module.healthy", after).await;
        said = say(&mob, "add").await;
    }
    assert_eq!(said, before);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_mob_that_is_opened_again_has_its_module_and_its_approvals() {
    let gate = "[[gates]]\ntool = \"module:other/note\"\naction = \"review\"\n";
    let (hands, _) = hands(Way::Stdio, gate);
    let mob = hands.open().await;
    let sum = say(&mob, "add").await;
    let message = send(&mob, "worker", "note").await;
    let asked = event(&mob, "approval.requested", 0).await;
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert_eq!(report.orphan_processes, 0, "{report:?}");

    let mob = hands.open().await;
    decide(&mob, &asked, Verdict::Approve, None).await;
    assert!(answer(&mob, message).await.contains("noted milk"));
    assert_eq!(say(&mob, "add").await, sum);
    let asked: Vec<Value> = all(&mob, "approval.requested").await;
    assert_eq!(asked.len(), 1, "nothing is asked twice");
    assert_eq!(hands.read("deeds.txt"), "note milk\n");
    mob.shutdown().await;
}
