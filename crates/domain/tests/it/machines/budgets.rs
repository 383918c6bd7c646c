//! Budgets of a day and an hour: who has used one up pauses, says so, and goes on.

use super::harness::{Mob, NEWSROOM, member, replied, reply, send};
use mobkit_domain::command::{Command, MemberCommand, MobCommand, RuntimeCommand, TurnCommand};
use mobkit_domain::event::{MobApplied, RetireMode};
use mobkit_domain::state::{MemberMode, MemberState};
use mobkit_domain::time::Time;
use mobkit_domain::world::next_due;
use serde_json::json;

const STEPS: &str = "budget = { steps_per_turn = 4, tokens_per_turn = 1000 }";
/// Each reply of the harness costs 120 millionths of a dollar: five of them.
const FIVE: &str = "usd_per_day = 0.0006";
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn file(budget: &str) -> String {
    NEWSROOM.replace(STEPS, &format!("budget = {{ {budget} }}"))
}

fn applied(mob: &mut Mob) {
    let applied = MobApplied {
        digest: "sha256:00".to_owned(),
        steps: std::collections::BTreeMap::new(),
        failures: 0,
    };
    mob.internal(Command::Mob(MobCommand::Applied(applied)));
}

fn pause() -> MemberCommand {
    MemberCommand::Pause {
        member: member("ann"),
        reason: Some("enough".to_owned()),
    }
}

fn resume() -> MemberCommand {
    MemberCommand::Resume {
        member: member("ann"),
    }
}

fn begin_of(now: Time, window_ms: u64) -> Time {
    let window = i64::try_from(window_ms).expect("it fits");
    Time((now.0.div_euclid(window) + 1) * window)
}

/// A mob in which ann has used up the money of her day, with a message that waits.
fn spent() -> Mob {
    let mut mob = Mob::ready_of(&file(FIVE));
    for n in 1..=5 {
        mob.send("ann", "work");
        mob.answers("ann", "done");
        mob.then(match n {
            4 => "model.replied turn.completed budget.warned",
            5 => "model.replied turn.completed budget.exhausted member.paused",
            _ => "model.replied turn.completed",
        });
        if n == 4 {
            let warned = mob.data("budget.warned");
            assert_eq!(
                (&warned["limit"], &warned["used"]),
                (&json!(0.0006), &json!(0.00048))
            );
        }
    }
    mob
}

#[test]
fn who_has_used_up_the_money_of_the_day_pauses_until_the_next_one() {
    let mut mob = spent();
    let next_day = begin_of(mob.now, DAY_MS);
    let paused = mob.data("member.paused");
    assert_eq!(paused["budget"], "usd_per_day");
    assert_eq!(paused["until"], json!(next_day));
    assert_eq!(mob.data("budget.exhausted")["used"], json!(0.0006));
    assert_eq!(mob.state_of("ann"), MemberState::Paused);
    let pause = mob.world.state.members[&member("ann")].pause.clone();
    assert_eq!(pause.and_then(|pause| pause.until), Some(next_day));
    mob.send("ann", "one more");
    mob.then("message.accepted");
    assert_eq!(next_due(&mob.world.state), Some(next_day));
    mob.now = next_day.plus_ms(0);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("member.resumed message.delivered turn.started");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
}

#[test]
fn a_raised_budget_lets_a_member_go_on_at_once() {
    let mut mob = spent();
    mob.send("ann", "one more");
    mob.redefine(&file("usd_per_day = 0.00061"));
    applied(&mut mob);
    mob.then("mob.applied member.resumed message.delivered turn.started");
    mob.redefine(&file("usd_per_day = 0.0001"));
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed budget.exhausted member.paused");
    applied(&mut mob);
    mob.then("mob.applied");
    mob.redefine(&file("turns_per_hour = 100"));
    applied(&mut mob);
    mob.then("mob.applied member.resumed");
}

#[test]
fn nobody_resumes_a_member_that_would_pause_again() {
    let mut mob = spent();
    assert_eq!(mob.refused(Command::Member(resume())), "budget.exhausted");
    mob.redefine(&file("usd_per_day = 1.0"));
    mob.member(resume());
    mob.then("member.resumed");
}

#[test]
fn who_is_paused_by_a_person_as_well_stays_so() {
    let mut mob = spent();
    mob.member(pause());
    mob.then("member.paused");
    assert_eq!(next_due(&mob.world.state), None);
    mob.pass_ms(2 * DAY_MS);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.redefine(&file("usd_per_day = 1.0"));
    applied(&mut mob);
    mob.then("mob.applied");
    mob.member(pause());
    mob.then("");
    mob.member(resume());
    mob.then("member.resumed");
}

#[test]
fn a_turn_that_wants_to_go_on_without_money_fails_and_the_member_pauses() {
    let mut mob = Mob::ready_of(&file("usd_per_day = 0.0001"));
    mob.send("ann", "work");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied turn.failed error.raised budget.exhausted member.paused");
    assert_eq!(mob.data("turn.failed")["class"], "budget");
    assert_eq!(mob.mode_of("ann"), MemberMode::Paused);
}

#[test]
fn the_turns_of_an_hour_are_counted_as_they_begin() {
    let mut mob = Mob::ready_of(&file("turns_per_hour = 2"));
    mob.send("ann", "one");
    mob.then("message.accepted message.delivered turn.started");
    mob.answers("ann", "done");
    mob.send("ann", "two");
    mob.then("message.accepted message.delivered turn.started budget.warned");
    mob.send("ann", "three");
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed budget.exhausted member.paused");
    let exhausted = mob.data("budget.exhausted");
    assert_eq!(exhausted["turn"], json!(null), "no turn runs");
    assert_eq!(
        (&exhausted["limit"], &exhausted["used"]),
        (&json!(2), &json!(2))
    );
    let next_hour = begin_of(mob.now, HOUR_MS);
    assert_eq!(mob.data("member.paused")["until"], json!(next_hour));
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.now = next_hour;
    mob.runtime(RuntimeCommand::Tick);
    mob.then("member.resumed message.delivered turn.started");
}

#[test]
fn others_go_on_while_one_pauses() {
    let mut mob = spent();
    mob.send("ann", "later");
    mob.send("r1", "work");
    mob.then("message.accepted message.delivered turn.started");
}

#[test]
fn who_leaves_without_a_budget_leaves_what_waits() {
    let mut mob = Mob::ready_of(&file("turns_per_hour = 1"));
    mob.send("ann", "one");
    mob.send("ann", "two");
    mob.member(MemberCommand::Retire {
        member: member("ann"),
        mode: RetireMode::Drain,
        reason: None,
    });
    mob.answers("ann", "done");
    let kinds: Vec<_> = mob.last().map(|e| e.event.kind()).collect();
    assert!(kinds.starts_with(&[
        "model.replied",
        "turn.completed",
        "budget.exhausted",
        "message.cancelled",
    ]));
    assert_eq!(kinds.last(), Some(&"member.retired"));
}

#[test]
fn a_member_that_is_spawned_anew_has_spent_what_it_spent() {
    let mut mob = spent();
    mob.member(MemberCommand::Retire {
        member: member("ann"),
        mode: RetireMode::Now,
        reason: None,
    });
    assert_eq!(next_due(&mob.world.state), None);
    mob.spawn(super::harness::spec("ann", "desk"));
    mob.order(Command::Message(send("ann", "again")));
    mob.then("message.accepted budget.exhausted member.paused");
}

#[test]
fn a_summary_counts_for_the_day() {
    let compaction = "compaction = { at_tokens = 1000, keep_turns = 0 }";
    let with = |line: &str| NEWSROOM.replace(STEPS, line);
    let mut mob = Mob::ready_of(&with(&format!("budget = {{ {FIVE} }}\n{compaction}")));
    mob.send("ann", "one");
    let mut long = reply("done", &[]);
    long.usage.input_tokens = 990;
    long.usage.cached_input_tokens = 0;
    mob.internal(replied(mob.at("ann"), long));
    assert_eq!(
        mob.mode_of("ann"),
        MemberMode::Paused,
        "it cost more than the day has"
    );
    mob.redefine(&with(&format!(
        "budget = {{ usd_per_day = 1.0 }}\n{compaction}"
    )));
    mob.member(resume());
    mob.send("ann", "two");
    let before = mob.world.state.members[&member("ann")].spent;
    let at = mob.at("ann");
    let summarised = mobkit_domain::command::Summarised {
        from: 1,
        until: at.turn.0 - 2,
        turns: 1,
        summary: "what was said".into(),
        tokens_after: 10,
        usage: reply("", &[]).usage,
    };
    mob.internal(Command::Turn(TurnCommand::SessionCompacted {
        at,
        summarised,
        latency_ms: 3,
    }));
    let after = mob.world.state.members[&member("ann")].spent;
    let cost = |spent: mobkit_domain::state::Spent| spent.cost_on_day(mob.now).0;
    assert_eq!(cost(after) - cost(before), 120_000);
    mob.answers("ann", "done");
    assert_eq!(mob.data("turn.completed")["cost_usd"], json!(0.00024));
}
