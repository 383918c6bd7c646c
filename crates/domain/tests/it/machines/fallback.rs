//! Models that answer in the place of others.

use super::harness::{Mob, NEWSROOM, member};
use mobkit_domain::effect::Effect;

use mobkit_domain::id::ModelId;
use mobkit_domain::model::{Cost, FailureClass};
use mobkit_domain::turn::{ATTEMPTS_MAX, RETRY_AFTER_MAX_MS};
use serde_json::json;

/// `main` falls back to `second`, which falls back to `fourth`, and then to `third`.
fn newsroom() -> String {
    let more = r#"
[models.second]
provider = "rehearsal"
fallback = ["fourth"]
price = { input = 3.0, output = 4.0 }
[models.third]
provider = "rehearsal"
[models.fourth]
provider = "rehearsal"
"#;
    let main = "[models.main]\nprovider = \"rehearsal\"\n";
    let fallback = format!("{main}fallback = [\"second\", \"third\"]\n");
    let text = NEWSROOM.replace(main, &fallback);
    assert_ne!(text, NEWSROOM);
    text + more
}

fn working() -> Mob {
    let mut mob = Mob::ready_of(&newsroom());
    mob.send("ann", "work");
    mob
}

/// Lets every attempt with the present model fail.
fn gives_up(mob: &mut Mob) {
    for _ in 0..ATTEMPTS_MAX {
        mob.fails("ann", FailureClass::Server, None);
    }
}

fn model(mob: &Mob) -> &str {
    mob.open_turn("ann").model.as_str()
}

#[test]
fn after_its_retries_a_model_is_replaced_and_who_answered_is_recorded() {
    let mut mob = working();
    gives_up(&mut mob);
    mob.then("model.failed");
    let failed = mob.data("model.failed");
    assert_eq!(
        (&failed["model"], &failed["attempt"]),
        (&json!("main"), &json!(6))
    );
    assert_eq!(failed["fallback"], "second");
    let [Effect::ModelCall { at, not_before, .. }] = mob.asked[..] else {
        panic!("{:?}", mob.asked)
    };
    // Attempts are counted on, so that no late answer is taken for that of another model.
    assert_eq!((at.step, at.attempt, not_before), (1, 7, mob.now));
    assert_eq!(mob.open_turn("ann").attempts_before, 6);
    mob.answers("ann", "done");
    let replied = mob.data("model.replied");
    assert_eq!(
        (&replied["model"], &replied["attempt"]),
        (&json!("second"), &json!(7))
    );
    // At its own price: 100 tokens in, 10 out.
    let cost = replied["cost_usd"].as_f64();
    assert_eq!(cost, Some(Cost(100 * 3_000 + 10 * 4_000).usd()));
    mob.send("ann", "the next turn begins with the first model");
    assert_eq!(model(&mob), "main");
}

#[test]
fn the_rest_of_a_turn_stays_with_the_model_that_answered() {
    let mut mob = working();
    gives_up(&mut mob);
    mob.calls("ann", "", &[("now", json!({}))]);
    assert_eq!(model(&mob), "second");
    let at = mob.at("ann");
    assert_eq!((at.step, at.attempt), (2, 1));
    mob.fails("ann", FailureClass::Timeout, None);
    assert_eq!(mob.data("model.failed").get("fallback"), None);
    assert_eq!(model(&mob), "second");
}

#[test]
fn models_are_asked_in_order_each_once_until_none_is_left() {
    let mut mob = working();
    for next in ["second", "fourth", "third"] {
        gives_up(&mut mob);
        assert_eq!(model(&mob), next);
    }
    gives_up(&mut mob);
    mob.then("model.failed turn.failed error.raised");
    assert_eq!(mob.data("model.failed").get("fallback"), None);
    let reason = "no luck (after 24 attempts with main, second, fourth and third)";
    assert_eq!(mob.data("turn.failed")["reason"], reason);
}

#[test]
fn what_another_model_can_not_mend_is_not_given_to_it() {
    use FailureClass::{Internal, Rejected, Unauthorized};
    for class in [Unauthorized, Rejected, Internal] {
        let mut mob = working();
        mob.fails("ann", class, None);
        mob.then("model.failed turn.failed error.raised");
        assert_eq!(mob.data("turn.failed")["reason"], "no luck");
    }
}

#[test]
fn what_passes_by_itself_is_given_to_another_model_at_last() {
    use FailureClass::{Cut, Garbage, RateLimited, Server, Timeout, Unreachable};
    for class in [Cut, Garbage, RateLimited, Server, Timeout, Unreachable] {
        let mut mob = working();
        for _ in 0..ATTEMPTS_MAX {
            assert_eq!(model(&mob), "main");
            mob.fails("ann", class, None);
        }
        assert_eq!(model(&mob), "second", "{class:?}");
    }
}

#[test]
fn a_wait_that_is_too_long_is_spent_with_another_model() {
    let mut mob = working();
    mob.fails(
        "ann",
        FailureClass::RateLimited,
        Some(RETRY_AFTER_MAX_MS + 1),
    );
    mob.then("model.failed");
    assert_eq!(model(&mob), "second");
}

#[test]
fn a_turn_counts_for_the_model_that_it_uses() {
    let count = |mob: &Mob, model: &str| {
        let model = ModelId::parse(model).expect("a model id");
        mob.world.state.working.get(&model).copied().unwrap_or(0)
    };
    let mut mob = working();
    assert_eq!((count(&mob, "main"), count(&mob, "second")), (1, 0));
    gives_up(&mut mob);
    assert_eq!((count(&mob, "main"), count(&mob, "second")), (0, 1));
    mob.answers("ann", "done");
    assert_eq!((count(&mob, "main"), count(&mob, "second")), (0, 0));
}

#[test]
fn a_crash_forgets_neither_the_model_nor_those_before_it() {
    let mut mob = working();
    gives_up(&mut mob);
    mob.crash();
    mob.start();
    let turn = mob.open_turn("ann");
    assert_eq!(turn.model.as_str(), "second");
    assert_eq!(turn.given_up, [ModelId::parse("main").expect("a model id")]);
    gives_up(&mut mob);
    assert_eq!(model(&mob), "fourth");
}

#[test]
fn a_turn_with_an_answer_without_a_price_has_none() {
    let mut mob = working();
    mob.calls("ann", "", &[("now", json!({}))]);
    for _ in 0..2 {
        gives_up(&mut mob);
    }
    mob.answers("ann", "by the fourth, which has no price");
    assert_eq!(mob.data("model.replied").get("cost_usd"), None);
    assert_eq!(mob.data("turn.completed").get("cost_usd"), None);
    assert_eq!(mob.world.state.members[&member("ann")].cost_usd(), None);
}

#[test]
fn what_a_member_has_answered_is_counted_for_ever() {
    let mut mob = working();
    mob.calls("ann", "", &[("now", json!({}))]);
    gives_up(&mut mob);
    mob.answers("ann", "done");
    assert_eq!(mob.world.state.members[&member("ann")].replies, 2);
}
