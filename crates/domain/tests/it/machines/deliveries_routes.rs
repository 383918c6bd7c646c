//! Routes: which one takes a delivery, and how they come and go.

use super::delivery_kit::{POST, put, route, send};
use super::harness::{Mob, define, member};
use mobkit_domain::command::{Command, DeliveryCommand};
use mobkit_domain::definition::Route;
use mobkit_domain::delivery::taker;
use mobkit_domain::event::RouteOrigin;
use mobkit_domain::plan::{Operation, route_plan};
use mobkit_domain::principal::Principal;
use serde_json::json;

fn spec(id: &str, recipient: &str, channel: &str) -> Route {
    serde_json::from_value(json!({
        "id": id,
        "match": {"recipient": recipient, "channel": channel},
        "sink": {"kind": "file", "path": "out.jsonl"},
        "retry": {"attempts": 2, "backoff": {"min_ms": 1, "max_ms": 2}},
    }))
    .expect("a route")
}

#[test]
fn the_exact_recipient_goes_first_then_the_exact_channel() {
    let mut mob = Mob::ready();
    let mut take = |routes: &[(&str, &str, &str)]| {
        for (id, recipient, channel) in routes {
            mob.order(Command::Delivery(put(spec(id, recipient, channel))));
        }
        let wanted = [
            ("ops", Some("sms")),
            ("ops", Some("fax")),
            ("ops", None),
            ("hr", Some("sms")),
            ("hr", None),
            ("member:ann", Some("sms")),
            ("member:nobody", None),
        ];
        wanted.map(|(recipient, channel)| {
            let found = taker(&mob.world.state, recipient, channel);
            found.map_or_else(|refusal| refusal.code, |found| found.name())
        })
    };
    let none = "route.none";
    assert_eq!(
        take(&[]),
        [none, none, none, none, none, "member:ann", none]
    );
    assert_eq!(
        take(&[("any", "*", "*")]),
        ["any", "any", "any", "any", "any", "member:ann", "any"]
    );
    assert_eq!(
        take(&[("sms", "*", "sms")]),
        ["sms", "any", "any", "sms", "any", "member:ann", "any"]
    );
    assert_eq!(
        take(&[("ops", "ops", "*")]),
        ["ops", "ops", "ops", "sms", "any", "member:ann", "any"]
    );
    assert_eq!(
        take(&[("ops-sms", "ops", "sms"), ("own", "member:ann", "*")]),
        ["ops-sms", "ops", "ops", "sms", "any", "own", "any"]
    );
}

#[test]
fn the_mob_file_owns_its_routes() {
    let mut mob = Mob::post();
    let of_file = spec("hook", "elsewhere", "*");
    assert_eq!(mob.delivery_refused(put(of_file)).code, "route.of_file");
    let remove = |id: &str| DeliveryCommand::RouteRemove { route: route(id) };
    assert_eq!(mob.delivery_refused(remove("hook")).code, "route.of_file");
    assert_eq!(mob.delivery_refused(remove("hok")).code, "route.not_found");
    let taken = spec("other", "ops", "*");
    assert_eq!(mob.delivery_refused(put(taken)).code, "route.ambiguous");
    let empty = spec("other", "", "*");
    assert_eq!(mob.delivery_refused(put(empty)).code, "route.invalid");
    let agent = Principal::Agent(member("ann"));
    let refused = mob.delivery_as(agent, put(spec("mine", "me", "*")));
    assert_eq!(
        refused.expect_err("agents define none").code,
        "route.not_yours"
    );
    mob.order(Command::Delivery(put(spec("mine", "me", "*"))));
    mob.then("route.defined");
    mob.order(Command::Delivery(put(spec("mine", "me", "*"))));
    mob.then("");
    assert_eq!(
        mob.world.state.routes[&route("mine")].origin,
        RouteOrigin::Api
    );
}

#[test]
fn what_waits_on_a_route_that_is_removed_is_dead() {
    let mut mob = Mob::post();
    mob.order(Command::Delivery(put(spec("mine", "me", "*"))));
    for _ in 0..10 {
        mob.order(Command::Delivery(send("me", None, json!(1))));
    }
    let id = route("mine");
    mob.order(Command::Delivery(DeliveryCommand::RouteRemove {
        route: id,
    }));
    mob.then("route.removed delivery.dead delivery.dead error.raised");
    assert_eq!(mob.world.state.deliveries.len(), 8, "these are in flight");
    assert!(mob.world.state.delivery_waiting.is_empty());
    mob.crash();
    assert!(mob.world.state.deliveries.is_empty(), "their route is gone");
}

#[test]
fn a_plan_defines_and_removes_the_routes_of_the_file_only() {
    let mut mob = Mob::post();
    mob.order(Command::Delivery(put(spec("mine", "me", "*"))));
    let changed = POST
        .replace("recipient = \"ops\"", "recipient = \"ops2\"")
        .replace("id = \"slow\"", "id = \"slower\"");
    let steps = |mob: &Mob, text: &str| -> Vec<String> {
        let plan = route_plan(&define(text), &mob.world.state.routes);
        let steps = plan.steps();
        steps
            .map(|(operation, step)| format!("{} {}", operation.as_str(), step.route))
            .collect()
    };
    assert_eq!(steps(&mob, POST), [""; 0]);
    assert_eq!(
        steps(&mob, &changed),
        [
            "route_remove slow",
            "route_define hook",
            "route_define slower"
        ]
    );
    assert_eq!(Operation::RouteDefine.as_str(), "route_define");
    mob.redefine(&changed);
    mob.converge_routes();
    assert_eq!(steps(&mob, &changed), [""; 0]);
    assert!(mob.world.state.routes.contains_key(&route("mine")));
}
