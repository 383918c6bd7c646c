//! What happens to an approval that nobody decides.

use super::harness::{Mob, ada};
use super::review_kit::{REVIEW, approve};
use mobkit_domain::command::{MobCommand, RuntimeCommand};
use mobkit_domain::event::DrainReport;
use mobkit_domain::row::ApprovalState;
use mobkit_domain::state::MemberState;
use mobkit_domain::world::next_due;
use serde_json::json;

fn waiting(rest: &str) -> Mob {
    let mut mob = Mob::gated(&format!("{REVIEW}expires = \"10s\"\n{rest}\n"));
    mob.ann_calls(ada(), &[("publish", json!({"n": 1}))]);
    mob
}

#[test]
fn without_a_decision_in_time_the_call_is_refused_and_nobody_denied_it() {
    let mut mob = waiting("");
    let id = mob.the_pending();
    assert_eq!(next_due(&mob.world.state), Some(mob.now.plus_ms(10_000)));
    mob.pass_ms(9_999);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.pass_ms(1);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("approval.expired tool.refused");
    assert_eq!(mob.data("approval.expired")["outcome"], "denied");
    assert_eq!(mob.told(), ["approval.expired: no decision in time"]);
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(next_due(&mob.world.state), None);
    let row = mob.approval_row(id);
    assert_eq!(
        (row.state, row.ended, &row.by),
        (ApprovalState::Expired, Some(mob.now), &None)
    );
    assert_eq!(mob.overruled(id, approve()), "approval.not_open");
}

#[test]
fn a_decision_that_comes_right_after_the_time_is_too_late() {
    let mut mob = waiting("");
    mob.pass_ms(10_000);
    // Nobody has looked at the clock yet.
    let id = mob.the_pending();
    assert_eq!(mob.overruled(id, approve()), "approval.expired");
    mob.send("bob", "anything that makes the writer look");
    assert_eq!(mob.pending(), []);
    assert_eq!(mob.count("tool.started"), 0);
}

#[test]
fn an_approval_that_is_held_waits_on_and_says_so_once() {
    let mut mob = waiting("on_expiry = \"hold\"");
    let id = mob.the_pending();
    mob.pass_ms(10_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("approval.expired");
    assert_eq!(mob.data("approval.expired")["outcome"], "held");
    assert_eq!(next_due(&mob.world.state), None, "the writer sleeps");
    for _ in 0..3 {
        mob.pass_ms(10_000);
        mob.runtime(RuntimeCommand::Tick);
        mob.then("");
    }
    let row = mob.approval_row(id);
    assert_eq!(
        (row.state, row.held, row.ended),
        (ApprovalState::Pending, true, None)
    );
    assert!(mob.approval(id).held);
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(
        mob.count("approval.expired"),
        1,
        "a restart says it not again"
    );
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    mob.rule(id, approve());
    mob.then("approval.decided tool.started");
    assert!(
        mob.approval_row(id).held,
        "it had waited longer than it should"
    );
}

#[test]
fn time_that_passes_while_the_process_is_away_counts() {
    let mut mob = waiting("");
    mob.pass_ms(3_600_000);
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.resumed");
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready approval.expired tool.refused");
}

#[test]
fn time_that_passes_while_the_turn_is_aside_counts() {
    let mut mob = waiting("");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    mob.pass_ms(10_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("approval.expired tool.refused");
    assert_eq!(mob.asked, [], "it goes on later");
    let drain = DrainReport::default();
    mob.runtime(RuntimeCommand::Stop { drain });
    mob.start();
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
}

#[test]
fn a_mob_that_is_paused_still_tells_the_time() {
    let mut mob = waiting("");
    mob.mob(MobCommand::Pause { reason: None });
    mob.pass_ms(10_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("approval.expired tool.refused");
}

#[test]
fn many_expire_together() {
    let mut mob = Mob::gated(&format!("{REVIEW}expires = \"10s\"\n"));
    let calls: Vec<_> = (0..5).map(|n| ("publish", json!({"n": n}))).collect();
    mob.ann_calls(ada(), &calls);
    mob.send("bob", "go");
    mob.pass_ms(1);
    mob.calls("bob", "", &calls);
    mob.pass_ms(9_999);
    mob.runtime(RuntimeCommand::Tick);
    assert_eq!((mob.count("approval.expired"), mob.pending().len()), (5, 5));
    mob.pass_ms(1);
    mob.runtime(RuntimeCommand::Tick);
    assert_eq!((mob.count("tool.refused"), mob.pending().len()), (10, 0));
    assert_eq!(mob.models_asked(), [mob.at("bob")]);
}
