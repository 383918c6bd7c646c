//! Members who leave, come back and forget; mobs that stop and go on.

use super::lane::{Lane, pid, told};
use crate::kit::{member, submit};
use crate::strangers::hands::{all, event};
use mobkit::command::{Command, MemberCommand};
use mobkit::event::RetireMode;

#[tokio::test]
async fn a_respawn_keeps_the_session_and_a_reset_forgets_it() {
    let lane = Lane::new();
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "one").await, "1: one");
    let respawn = MemberCommand::Respawn {
        member: member("ada"),
        profile: None,
        reason: "a test".to_owned(),
    };
    submit(&mob, Command::Member(respawn)).await;
    assert_eq!(told(&mob, "ada", "two").await, "2: two");
    let reset = MemberCommand::Reset {
        member: member("ada"),
    };
    submit(&mob, Command::Member(reset)).await;
    assert_eq!(told(&mob, "ada", "three").await, "1: three");
    assert_eq!(told(&mob, "bob", "alone").await, "1: alone");
    mob.shutdown().await;
}

#[tokio::test]
async fn a_retired_member_leaves_the_runtime_too() {
    let lane = Lane::new();
    let mob = lane.open().await;
    told(&mob, "ada", "one").await;
    let retire = MemberCommand::Retire {
        member: member("ada"),
        mode: RetireMode::Drain,
        reason: None,
    };
    submit(&mob, Command::Member(retire)).await;
    let mut after = 0;
    loop {
        let row = event(&mob, "engine.event", after).await;
        after = row["seq"].as_u64().expect("a position");
        let kind = &row["data"]["original"]["kind"];
        if kind["type"] == "member_retired" {
            assert_eq!(kind["agent_identity"], "ada", "{row}");
            break;
        }
    }
    mob.shutdown().await;
}

#[tokio::test]
async fn a_mob_that_stops_in_order_leaves_no_process_and_goes_on_with_its_sessions() {
    let lane = Lane::new();
    for (at, word) in (1..).zip(["one", "two", "three"]) {
        let mob = lane.open().await;
        assert_eq!(told(&mob, "ada", word).await, format!("{at}: {word}"));
        let pid = pid(&mob).await;
        let report = mob.shutdown().await;
        assert!(report.is_orderly(), "{report:?}");
        let said = &report.engines[0].result;
        assert!(
            said.contains(&format!("process {pid} ended by itself")),
            "{said}"
        );
        let gone = std::process::Command::new("kill")
            .args(["-0", &pid.to_string()])
            .output();
        assert!(
            !gone.expect("kill is there").status.success(),
            "{pid} lives"
        );
    }
    let mob = lane.open().await;
    let stopped = all(&mob, "engine.stopped").await;
    let next: Vec<_> = stopped
        .iter()
        .map(|stopped| &stopped["data"]["next"])
        .collect();
    assert_eq!(next, ["stopped", "stopped", "stopped"]);
    mob.shutdown().await;
}
