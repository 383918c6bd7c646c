//! Deliveries: attempts, their outcomes and what follows.

use super::delivery_kit::{POST, gone, lost, route, send, taken, unwell};
use super::harness::{Mob, ada, member};
use mobkit_domain::command::{
    AttemptOutcome, Command, DeliveryCommand, MemberCommand, MobCommand, RuntimeCommand, Submission,
};
use mobkit_domain::effect::open_effects;
use mobkit_domain::event::{DrainReport, KeyUse, RetireMode, RouteOrigin};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::DeliveryState;
use mobkit_domain::world::next_due;
use serde_json::json;

#[test]
fn the_intent_is_recorded_before_the_attempt_and_its_outcome_after() {
    let mut mob = Mob::post();
    let id = mob.hook();
    mob.then("delivery.queued delivery.attempted");
    assert_eq!(mob.attempts_asked(), [(id, 1)]);
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Attempting);
    assert_eq!(next_due(&mob.world.state), None);
    mob.pass_ms(120);
    mob.attempt_ended(id, taken());
    mob.then("delivery.delivered");
    let data = mob.data("delivery.delivered");
    assert_eq!(
        (&data["status"], &data["excerpt"], &data["took_ms"]),
        (&json!(200), &json!("ok"), &json!(120))
    );
    let row = mob.delivery_row(id);
    assert_eq!((row.state, row.attempts), (DeliveryState::Delivered, 1));
    assert!(mob.world.state.deliveries.is_empty());
    assert!(mob.world.state.delivery_waiting.is_empty());
    let seen = mob.last().next().expect("an event");
    assert_eq!(seen.subject, format!("delivery/{id}"));
}

#[test]
fn a_failed_attempt_is_made_again_after_its_pause_until_none_is_left() {
    let mut mob = Mob::post();
    let id = mob.hook();
    for (nth, least) in [(1, 1_000), (2, 2_000)] {
        mob.attempt_ended(id, unwell());
        mob.then("delivery.failed");
        let pause = mob.waits_until(id).since_ms(mob.now);
        assert!((least..=least + least / 4).contains(&pause), "{pause}");
        assert_eq!(next_due(&mob.world.state), Some(mob.waits_until(id)));
        let row = mob.delivery_row(id);
        assert_eq!((row.state, row.attempts), (DeliveryState::Failed, nth));
        assert_eq!(row.retry_at, Some(mob.waits_until(id)));
        mob.until_due();
        mob.then("delivery.attempted");
        assert_eq!(mob.attempts_asked(), [(id, nth + 1)]);
    }
    mob.attempt_ended(id, unwell());
    mob.then("delivery.dead error.raised");
    assert_eq!(mob.data("error.raised")["delivery"], json!(id.to_string()));
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Dead);
    assert_eq!(mob.delivery_row(id).status, Some(503));
    assert_eq!(next_due(&mob.world.state), None);
}

#[test]
fn what_a_receiver_says_decides_what_follows() {
    let failed = |hopeless, retry_after_ms| AttemptOutcome::Failed {
        status: Some(400),
        reason: "no\nluck".to_owned(),
        excerpt: None,
        retry_after_ms,
        gone: false,
        hopeless,
    };
    for (outcome, wanted) in [
        (failed(false, None), "delivery.failed"),
        (failed(false, Some(30_000)), "delivery.failed"),
        (failed(true, None), "delivery.dead error.raised"),
        (gone(), "delivery.dead error.raised route.defined"),
        (lost(), "delivery.failed"),
    ] {
        let mut mob = Mob::post();
        let id = mob.hook();
        mob.attempt_ended(id, outcome.clone());
        mob.then(wanted);
        if outcome == failed(false, Some(30_000)) {
            assert_eq!(mob.waits_until(id), mob.now.plus_ms(30_000));
        }
        let reason = mob.delivery_row(id).reason.expect("a reason");
        assert!(!reason.contains('\n'), "{reason}");
        assert_eq!(mob.delivery_row(id).repeated, outcome == lost());
    }
}

#[test]
fn an_outcome_that_comes_twice_or_late_is_refused() {
    let mut mob = Mob::post();
    let id = mob.hook();
    let ended = |attempt| DeliveryCommand::Ended {
        delivery: id,
        attempt,
        outcome: taken(),
    };
    assert_eq!(mob.delivery_refused(ended(2)).code, "delivery.stale");
    mob.attempt_ended(id, unwell());
    assert_eq!(mob.delivery_refused(ended(1)).code, "delivery.stale");
    mob.until_due();
    assert_eq!(mob.delivery_refused(ended(1)).code, "delivery.stale");
    mob.attempt_ended(id, taken());
    assert_eq!(mob.delivery_refused(ended(2)).code, "delivery.stale");
}

#[test]
fn a_crash_repeats_what_is_known_by_its_id_and_nothing_else() {
    let mut mob = Mob::post();
    let hook = mob.hook();
    let mail = mob.deliver("desk", Some("mail"), json!("hello"));
    mob.crash();
    assert_eq!(open_effects(&mob.world.state), []);
    let row = mob.delivery_row(mail);
    assert_eq!((row.state, row.repeated), (DeliveryState::Unknown, true));
    assert!(mob.delivery(hook).repeated);
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.attempts_asked(), []);
    mob.until_due();
    assert_eq!(mob.attempts_asked(), [(hook, 2)]);
    assert_eq!(mob.data("delivery.attempted")["repeated"], json!(true));
    assert_eq!(next_due(&mob.world.state), None, "mail is not sent again");
}

#[test]
fn a_route_that_was_changed_during_an_attempt_changes_nothing_about_it() {
    let mut mob = Mob::post();
    let mail = mob.deliver("desk", Some("mail"), json!("hello"));
    let file = r#"sink = { kind = "file", path = "out.jsonl" }"#;
    let sink = POST
        .lines()
        .find(|line| line.contains("smtps"))
        .expect("a line");
    mob.redefine(&POST.replace(sink, file));
    mob.converge_routes();
    mob.crash();
    assert_eq!(mob.delivery_row(mail).state, DeliveryState::Unknown);
}

#[test]
fn nothing_is_sent_while_the_line_stands_still() {
    let mut mob = Mob::post();
    mob.mob(MobCommand::Pause { reason: None });
    let id = mob.hook();
    mob.then("delivery.queued");
    assert_eq!(next_due(&mob.world.state), None);
    mob.mob(MobCommand::Resume);
    assert_eq!(mob.attempts_asked(), [(id, 1)]);
    let waits = mob.hook();
    mob.attempt_ended(waits, unwell());
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1_000 });
    mob.pass_ms(60_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.attempt_ended(id, taken());
    mob.then("delivery.delivered");
    let drain = DrainReport::default();
    mob.runtime(RuntimeCommand::Stop { drain });
    mob.start();
    mob.runtime(RuntimeCommand::Ready);
    assert_eq!(mob.attempts_asked(), [(waits, 2)]);
}

#[test]
fn eight_attempts_of_a_route_run_at_once_and_a_slow_one_delays_no_other() {
    let mut mob = Mob::post();
    let ids: Vec<_> = (0..20).map(|_| mob.hook()).collect();
    assert_eq!(ids.iter().filter(|id| mob.is_attempting(**id)).count(), 8);
    assert_eq!(next_due(&mob.world.state), None, "the writer sleeps");
    let other = mob.deliver("desk", Some("mail"), json!("hello"));
    assert_eq!(mob.attempts_asked(), [(other, 1)]);
    mob.attempt_ended(ids[3], taken());
    mob.then("delivery.delivered delivery.attempted");
    assert_eq!(mob.attempts_asked(), [(ids[8], 1)]);
    mob.attempt_ended(ids[0], unwell());
    assert_eq!(mob.attempts_asked(), [(ids[9], 1)]);
}

#[test]
fn a_rate_holds_for_every_minute() {
    let mut mob = Mob::post();
    let began = mob.now;
    let ids: Vec<_> = (0..5)
        .map(|_| {
            let id = mob.deliver("slow", None, json!(1));
            mob.pass_ms(1_000);
            id
        })
        .collect();
    assert_eq!(ids.iter().filter(|id| mob.is_attempting(**id)).count(), 3);
    for id in &ids[..3] {
        mob.attempt_ended(*id, taken());
    }
    assert_eq!(next_due(&mob.world.state), Some(began.plus_ms(60_000)));
    mob.until_due();
    assert_eq!(mob.attempts_asked(), [(ids[3], 1)]);
    mob.until_due();
    assert_eq!(mob.attempts_asked(), [(ids[4], 1)]);
    assert_eq!(mob.now, began.plus_ms(61_000));
}

#[test]
fn a_member_has_the_message_with_the_attempt() {
    let mut mob = Mob::post();
    mob.deliver("bob", None, json!("hello"));
    mob.then(
        "delivery.queued delivery.attempted message.accepted delivery.delivered message.delivered \
         turn.started",
    );
    let message = mob.data("message.accepted");
    assert_eq!(
        (&message["from"], &message["text"]),
        (&json!("operator:ada"), &json!("hello"))
    );
    mob.deliver("member:ann", Some("any"), json!({"n": 1}));
    assert_eq!(mob.data("delivery.queued")["route"], json!("member:ann"));
    let message = mob.data("message.accepted");
    assert_eq!(
        message["parts"],
        json!([{"type": "data", "data": {"n": 1}}])
    );
}

#[test]
fn a_member_that_can_not_take_it_gets_it_later() {
    let mut mob = Mob::post();
    for _ in 0..3 {
        mob.deliver("bob", None, json!("hello"));
    }
    let id = mob.deliver("bob", None, json!("one too many"));
    mob.then("delivery.queued delivery.attempted delivery.failed");
    mob.answers("bob", "yes");
    mob.until_due();
    mob.then("delivery.attempted message.accepted delivery.delivered");
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Delivered);
    let (mode, reason) = (RetireMode::Now, None);
    let member = member("ann");
    let id = {
        mob.mob(MobCommand::Pause { reason: None });
        let id = mob.deliver("member:ann", None, json!("hello"));
        mob.member(MemberCommand::Retire {
            member,
            mode,
            reason,
        });
        id
    };
    mob.mob(MobCommand::Resume);
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Failed);
}

#[test]
fn a_tool_queues_in_the_name_of_its_member() {
    let mut mob = Mob::post();
    mob.send("ann", "tell them");
    let turn = mob.turn_of("ann");
    let args = json!({"recipient": "ops", "text": "done"});
    mob.calls("ann", "", &[("deliver", args)]);
    mob.then("model.replied tool.started delivery.queued tool.finished delivery.attempted");
    let queued = mob.data("delivery.queued");
    assert_eq!(
        (
            &queued["from"],
            &queued["origin"],
            &queued["turn"],
            &queued["payload"]
        ),
        (
            &json!("agent:ann"),
            &json!("operator:ada"),
            &json!(turn),
            &json!("done")
        )
    );
    let result = format!(
        "queued as {} over route hook",
        queued["delivery"].as_str().expect("an id")
    );
    assert_eq!(mob.data("tool.finished")["result"], json!(result));
    for (args, told) in [
        (
            json!({"recipient": "opps", "text": "x"}),
            "did you mean \"ops\"?",
        ),
        (json!({"recipient": "", "text": "x"}), "1 to 256 bytes"),
        (json!({"recipient": "ops"}), "say what to send"),
        (
            json!({"recipient": "ops", "text": "x", "payload": 1}),
            "not both",
        ),
        (json!({"text": "x"}), "for whom"),
    ] {
        mob.calls("ann", "", &[("deliver", args)]);
        let reason = mob.data("tool.refused")["reason"].to_string();
        assert!(reason.replace('\\', "").contains(told), "{reason}");
        mob.answers("ann", "well");
        mob.send("ann", "again");
    }
}

#[test]
fn what_can_not_be_sent_is_refused() {
    let mut mob = Mob::post();
    let long = "x".repeat(300_000);
    let blob = json!({"a": [{"blob": format!("sha256:{}", "0".repeat(64)), "bytes": 300_000}]});
    for (command, code) in [
        (send("nobody", None, json!(1)), "route.none"),
        (send("desk", None, json!(1)), "route.none"),
        (send("", None, json!(1)), "delivery.bad_recipient"),
        (
            send(&"x".repeat(257), None, json!(1)),
            "delivery.bad_recipient",
        ),
        (send("ops", Some(""), json!(1)), "delivery.bad_channel"),
        (send("ops", None, json!(long)), "delivery.too_large"),
        (send("ops", None, blob), "delivery.too_large"),
    ] {
        assert_eq!(mob.delivery_refused(command).code, code);
    }
    let near = mob.delivery_refused(send("opz", None, json!(1)));
    assert_eq!(near.hint.as_deref(), Some("did you mean \"ops\"?"));
    let channels = mob.delivery_refused(send("desk", Some("fax"), json!(1)));
    assert_eq!(channels.hint.as_deref(), Some("its channels are mail"));
}

#[test]
fn a_repeated_key_sends_nothing_again() {
    let mut mob = Mob::post();
    let key = KeyUse {
        key: "k".to_owned(),
        digest: "d".to_owned(),
    };
    let submission = Submission {
        actor: ada(),
        key: Some(key),
        ..Submission::internal(Command::Delivery(send("ops", None, json!(1))))
    };
    let first = mob.run(&submission).expect("it is sent");
    assert_eq!(mob.run(&submission).expect("it was sent"), first);
    mob.then("");
    assert_eq!(mob.count("delivery.queued"), 1);
}

#[test]
fn a_dead_or_unknown_delivery_is_sent_again_under_its_id() {
    let mut mob = Mob::post();
    let id = mob.deliver("desk", Some("mail"), json!("hello"));
    let early = mob.delivery_row(id);
    let command = DeliveryCommand::Replay(Box::new(early));
    assert_eq!(mob.delivery_refused(command).code, "delivery.not_over");
    mob.attempt_ended(id, lost());
    mob.then("delivery.unknown");
    let seen = mob.delivery_row(id);
    mob.redefine(&POST.replace("id = \"mail\"", "id = \"letters\""));
    mob.converge_routes();
    mob.replay(id);
    mob.then("delivery.replayed delivery.attempted");
    assert_eq!(mob.data("delivery.attempted")["route"], json!("letters"));
    assert_eq!(mob.data("delivery.attempted")["attempt"], json!(2));
    assert_eq!(mob.data("delivery.attempted")["repeated"], json!(true));
    let again = || DeliveryCommand::Replay(Box::new(seen.clone()));
    assert_eq!(mob.delivery_refused(again()).code, "delivery.not_over");
    mob.attempt_ended(id, taken());
    assert_eq!(
        mob.delivery_refused(again()).code,
        "delivery.not_over",
        "what was seen then is over"
    );
    let agent = Principal::Agent(member("ann"));
    let refused = mob.delivery_as(agent, again()).expect_err("not for agents");
    assert_eq!(refused.code, "delivery.not_yours");
}

#[test]
fn a_delivery_that_is_sent_again_has_all_its_attempts() {
    let mut mob = Mob::post();
    let id = mob.hook();
    for _ in 0..2 {
        mob.attempt_ended(id, unwell());
        mob.until_due();
    }
    mob.attempt_ended(id, unwell());
    assert_eq!(mob.delivery_row(id).state, DeliveryState::Dead);
    mob.replay(id);
    mob.attempt_ended(id, unwell());
    let pause = mob.waits_until(id).since_ms(mob.now);
    assert!((1_000..=1_250).contains(&pause), "{pause}");
    assert_eq!(mob.delivery(id).attempts, 4);
}

#[test]
fn a_receiver_that_is_gone_takes_its_route_out_of_use() {
    let mut mob = Mob::post();
    let ids: Vec<_> = (0..10).map(|_| mob.hook()).collect();
    mob.attempt_ended(ids[0], gone());
    mob.then("delivery.dead error.raised route.defined delivery.dead delivery.dead error.raised");
    mob.attempt_ended(ids[1], taken());
    mob.attempt_ended(ids[2], unwell());
    mob.then("delivery.dead error.raised");
    let refused = mob.delivery_refused(send("ops", None, json!(1)));
    assert_eq!(refused.code, "route.disabled");
    mob.converge_routes();
    assert!(mob.world.state.routes[&route("hook")].disabled.is_some());
    assert_eq!(
        refused.hint.as_deref(),
        Some("`mobkit routes enable hook` brings it back")
    );
    let enable = |id: &str| DeliveryCommand::RouteEnable { route: route(id) };
    assert_eq!(mob.delivery_refused(enable("hok")).code, "route.not_found");
    let agent = Principal::Agent(member("ann"));
    let by_agent = mob.delivery_as(agent, enable("hook"));
    assert_eq!(by_agent.expect_err("refused").code, "route.not_yours");
    mob.order(Command::Delivery(enable("hook")));
    mob.then("route.defined");
    let back = &mob.world.state.routes[&route("hook")];
    assert_eq!(
        (back.disabled.as_deref(), back.origin),
        (None, RouteOrigin::File)
    );
    mob.order(Command::Delivery(enable("hook")));
    mob.then("");
    mob.attempt_ended(ids[3], gone());
    mob.then("delivery.dead error.raised");
    mob.hook();
    mob.then("delivery.queued delivery.attempted");
}
