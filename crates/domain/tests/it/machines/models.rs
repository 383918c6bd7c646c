//! Answers and failures of models: fences, attempts, budgets, costs.

use super::harness::{Mob, member, replied, reply};
use mobkit_domain::command::{Command, StepRef, TurnCommand};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{Event, Fence};
use mobkit_domain::id::TurnId;
use mobkit_domain::model::{Cost, Failure, FailureClass, Finish, Usage};
use mobkit_domain::row::TurnStatus;
use mobkit_domain::state::MemberState;
use mobkit_domain::turn::{ATTEMPTS_MAX, RETRY_AFTER_MAX_MS, retry_delay_ms};
use serde_json::json;

#[test]
fn an_answer_without_calls_ends_the_turn_even_if_it_is_empty() {
    for text in ["done", ""] {
        let mut mob = Mob::ready();
        mob.send("ann", "work");
        let turn = mob.turn_of("ann");
        mob.answers("ann", text);
        mob.then("model.replied turn.completed");
        let completed = mob.data("turn.completed");
        assert_eq!(
            (&completed["text"], &completed["steps"]),
            (&json!(text), &json!(1))
        );
        assert_eq!(mob.data("model.replied")["calls"], json!([]));
        assert_eq!(mob.asked, [Effect::Abort { turn }]);
    }
}

#[test]
fn only_the_awaited_answer_counts() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let at = mob.at("ann");
    let stale = [
        StepRef { step: 2, ..at },
        StepRef { attempt: 2, ..at },
        StepRef {
            fence: Fence {
                generation: 1,
                incarnation: 2,
            },
            ..at
        },
        StepRef {
            fence: Fence {
                generation: 2,
                incarnation: 1,
            },
            ..at
        },
    ];
    for other in stale {
        assert_eq!(
            mob.refused(replied(other, reply("", &[]))),
            "turn.stale",
            "{other:?}"
        );
    }
    let gone = StepRef {
        turn: TurnId(9_999),
        ..at
    };
    assert_eq!(mob.refused(replied(gone, reply("", &[]))), "turn.not_open");
    mob.internal(replied(at, reply("", &[("now", json!({}))])));
    assert_eq!(
        mob.refused(replied(at, reply("", &[]))),
        "turn.stale",
        "it was recorded"
    );
    assert_eq!(mob.at("ann").step, 2);
}

#[test]
fn a_transient_failure_is_tried_again_with_growing_pauses() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let mut last = 0;
    for attempt in 1..ATTEMPTS_MAX {
        let at = mob.at("ann");
        assert_eq!(at.attempt, attempt);
        mob.fails("ann", FailureClass::Server, None);
        mob.then("model.failed");
        let [
            Effect::ModelCall {
                at: next,
                not_before,
                ..
            },
        ] = mob.asked[..]
        else {
            panic!("{:?}", mob.asked)
        };
        assert_eq!((next.step, next.attempt), (1, attempt + 1));
        let pause = not_before.since_ms(mob.now);
        assert_eq!(
            pause,
            retry_delay_ms(at, None),
            "the same journal gives the same times"
        );
        assert!(pause > last, "{pause} after {last}");
        last = pause;
    }
    mob.fails("ann", FailureClass::Timeout, None);
    mob.then("model.failed turn.failed error.raised");
    assert_eq!(mob.data("turn.failed")["class"], "model");
    assert_eq!(
        mob.data("turn.failed")["reason"],
        "no luck (after 6 attempts)"
    );
    assert_eq!(mob.data("turn.failed")["steps"], 0);
    assert_eq!(mob.data("error.raised")["error_kind"], "turn_failed");
    assert_eq!(mob.state_of("ann"), MemberState::Idle);
    let error = mob.world.state.members[&member("ann")]
        .last_error
        .as_deref();
    assert_eq!(error, Some("no luck (after 6 attempts)"));
}

#[test]
fn a_step_that_was_answered_at_last_starts_the_next_with_a_first_attempt() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    mob.fails("ann", FailureClass::Cut, None);
    mob.calls("ann", "", &[("now", json!({}))]);
    let at = mob.at("ann");
    assert_eq!((at.step, at.attempt), (2, 1));
}

#[test]
fn retry_after_is_honoured_within_reason() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    mob.fails("ann", FailureClass::RateLimited, Some(60_000));
    let [Effect::ModelCall { not_before, .. }] = mob.asked[..] else {
        panic!()
    };
    assert_eq!(not_before, mob.now.plus_ms(60_000));
    mob.fails(
        "ann",
        FailureClass::RateLimited,
        Some(RETRY_AFTER_MAX_MS + 1),
    );
    mob.then("model.failed turn.failed error.raised");
}

#[test]
fn what_does_not_pass_is_not_tried_again() {
    use FailureClass::{Internal, Rejected, Unauthorized};
    for class in [Unauthorized, Rejected, Internal] {
        let mut mob = Mob::ready();
        mob.send("ann", "work");
        mob.fails("ann", class, None);
        mob.then("model.failed turn.failed error.raised");
        assert_eq!(mob.data("turn.failed")["reason"], "no luck");
    }
}

#[test]
fn a_stale_failure_is_refused() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let at = mob.at("ann");
    mob.fails("ann", FailureClass::Server, None);
    let failure = Failure {
        class: FailureClass::Cut,
        reason: String::new(),
        retry_after_ms: None,
    };
    let late = TurnCommand::ModelFailed {
        at,
        failure,
        latency_ms: 0,
    };
    assert_eq!(mob.refused(Command::Turn(late)), "turn.stale");
}

#[test]
fn a_turn_that_wants_to_go_on_without_steps_left_fails() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    for _ in 0..3 {
        mob.calls("ann", "", &[("now", json!({}))]);
    }
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied budget.exhausted turn.failed error.raised");
    let spent = mob.data("budget.exhausted");
    assert_eq!(
        (&spent["budget"], &spent["limit"]),
        (&json!("steps_per_turn"), &json!(4))
    );
    assert_eq!(mob.data("turn.failed")["class"], "budget");
    assert_eq!(mob.data("turn.failed")["steps"], 4);
    mob.send("ann", "four steps are enough for an answer in the fourth");
    for _ in 0..3 {
        mob.calls("ann", "", &[("now", json!({}))]);
    }
    mob.answers("ann", "done");
    mob.then("model.replied turn.completed");
}

#[test]
fn a_turn_that_wants_to_go_on_without_tokens_left_fails() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let mut long = reply("", &[("now", json!({}))]);
    long.usage = Usage {
        input_tokens: 900,
        output_tokens: 100,
        ..Usage::default()
    };
    mob.internal(replied(mob.at("ann"), long));
    mob.then("model.replied budget.exhausted turn.failed error.raised");
    assert_eq!(mob.data("budget.exhausted")["budget"], "tokens_per_turn");
    assert_eq!(mob.data("budget.exhausted")["used"], 1_000);
}

#[test]
fn costs_are_summed_and_a_call_without_a_price_leaves_the_sum_open() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let turn = mob.turn_of("ann");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.answers("ann", "done");
    let cost = Cost(2 * (100 * 1_000 + 10 * 2_000));
    let completed = mob.last().find_map(|envelope| match &envelope.event {
        Event::TurnCompleted(e) => Some(e.clone()),
        _ => None,
    });
    let completed = completed.expect("the turn has ended");
    assert_eq!(
        (completed.cost_usd, completed.usage.tokens()),
        (Some(cost), 220)
    );
    let row = mob.turn_row(turn);
    assert_eq!((row.cost_usd, row.tokens, row.steps), (Some(cost), 220, 2));
    assert_eq!(row.status, TurnStatus::Completed);
    let ann = &mob.world.state.members[&member("ann")];
    assert_eq!((ann.cost_usd(), ann.usage.tokens()), (Some(cost), 220));
    mob.send("r1", "work");
    mob.answers("r1", "done");
    assert_eq!(mob.data("turn.completed").get("cost_usd"), None);
    assert_eq!(mob.world.state.members[&member("r1")].cost_usd(), None);
}

#[test]
fn an_answer_that_was_cut_says_so_in_the_event_and_in_the_row() {
    let mut mob = Mob::ready();
    for (finish, told) in [
        (Finish::Length, Some(Finish::Length)),
        (Finish::Filtered, Some(Finish::Filtered)),
        (Finish::Other, Some(Finish::Other)),
        (Finish::Stop, None),
    ] {
        mob.send("ann", "work");
        let turn = mob.turn_of("ann");
        let mut cut = reply("half an ans", &[]);
        cut.finish = finish;
        mob.internal(replied(mob.at("ann"), cut));
        let told_as = told.map(|told| serde_json::to_value(told).expect("JSON"));
        let completed = mob.data("turn.completed");
        assert_eq!(completed.get("finish"), told_as.as_ref());
        assert_eq!(mob.turn_row(turn).finish, told);
    }
}

#[test]
fn a_provider_that_counts_nonsense_breaks_nothing() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let mut nonsense = reply("done", &[]);
    nonsense.usage = Usage {
        input_tokens: u64::MAX,
        output_tokens: u64::MAX,
        cached_input_tokens: u64::MAX,
        cache_creation_input_tokens: u64::MAX,
    };
    mob.internal(replied(mob.at("ann"), nonsense));
    mob.then("model.replied turn.completed");
}
