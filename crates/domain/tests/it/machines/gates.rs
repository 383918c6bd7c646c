//! Which gate a call meets, and what becomes of it there.

use super::harness::{Mob, ada, member, reply, spec};
use super::review_kit::{REVIEW, approve, operator};
use mobkit_domain::command::{Command, MemberCommand, TurnCommand};
use mobkit_domain::definition::Approver;
use mobkit_domain::event::{Matter, Offers};
use mobkit_domain::principal::Principal;
use mobkit_domain::state::{CallState, MemberState};
use serde_json::{Value, json};
use std::sync::Arc;

fn publish() -> (&'static str, Value) {
    ("publish", json!({"n": 1}))
}

/// What becomes of a call of `publish` that ann makes under these gates.
fn becomes(gates: &str, origin: Principal) -> &'static str {
    let mut mob = Mob::gated(gates);
    mob.ann_calls(origin, &[publish()]);
    match mob.last().map(|e| e.event.kind()).last() {
        Some("tool.started") if mob.data("tool.started").get("audit").is_some() => "audit",
        Some("tool.started") => "pass",
        Some("turn.waiting") => "ask",
        Some("tool.refused") => mob.told()[0]
            .split(':')
            .next()
            .map_or("", |code| match code {
                "gate.denied" => "deny",
                _ => "refuse",
            }),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_gate_that_fits_decides() {
    let gate = |tool: &str, rest: &str| format!("[[gates]]\ntool = \"{tool}\"\n{rest}\n");
    let (allow, audit) = ("action = \"allow\"", "action = \"audit\"");
    let (review, deny) = ("action = \"review\"", "action = \"deny\"");
    let cases = [
        (String::new(), "pass"),
        (gate("publish", allow), "pass"),
        (gate("publish", audit), "audit"),
        (gate("publish", review), "ask"),
        (gate("publish", deny), "deny"),
        (gate("pub*", review), "ask"),
        (gate("*", deny), "deny"),
        (gate("save", deny), "pass"),
        (gate("publish", allow) + &gate("*", deny), "pass"),
        (gate("*", deny) + &gate("publish", allow), "deny"),
        (gate("save", deny) + &gate("publish", review), "ask"),
        (gate("*", &format!("profiles = [\"desk\"]\n{deny}")), "deny"),
        (
            gate("*", &format!("profiles = [\"reporter\"]\n{deny}")),
            "pass",
        ),
        (gate("*", &format!("members = [\"ann\"]\n{deny}")), "deny"),
        (gate("*", &format!("members = [\"bob\"]\n{deny}")), "pass"),
        (
            gate(
                "*",
                &format!("members = [\"bob\"]\nprofiles = [\"desk\"]\n{review}"),
            ),
            "ask",
        ),
        (
            gate(
                "*",
                &format!("members = [\"ann\"]\nprofiles = [\"reporter\"]\n{review}"),
            ),
            "ask",
        ),
        (
            gate("*", &format!("members = [\"bob\"]\n{allow}")) + &gate("publish", deny),
            "deny",
        ),
    ];
    for (gates, expected) in cases {
        assert_eq!(becomes(&gates, ada()), expected, "{gates}");
    }
}

#[test]
fn what_nobody_attends_is_treated_as_its_gate_says() {
    let cases = [
        ("", "ask", "ask"),
        ("unattended = \"queue\"", "ask", "ask"),
        ("unattended = \"deny\"", "ask", "deny"),
        ("unattended = \"allow\"", "ask", "audit"),
    ];
    for (unattended, attended, alone) in cases {
        let gates = format!("{REVIEW}{unattended}\n");
        assert_eq!(becomes(&gates, ada()), attended, "{unattended}");
        assert_eq!(becomes(&gates, Principal::App("cron".to_owned())), attended);
        assert_eq!(becomes(&gates, Principal::Runtime), alone, "{unattended}");
    }
    let shut = "[[gates]]\ntool = \"publish\"\naction = \"deny\"\nunattended = \"allow\"\n";
    assert_eq!(
        becomes(shut, Principal::Runtime),
        "deny",
        "only a review may be left out"
    );
}

#[test]
fn a_message_of_the_runtime_that_goes_through_a_peer_stays_unattended() {
    let gates = format!("{REVIEW}unattended = \"deny\"\n");
    let mut mob = Mob::gated(&gates);
    mob.internal(Command::Message(super::harness::send("ann", "go")));
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "bob", "content": "publish it"}))],
    );
    mob.calls("bob", "", &[publish()]);
    let told = "gate.denied: the gate on publish asks for a decision, and nobody attends this turn";
    assert_eq!(mob.told(), [told]);
}

#[test]
fn a_denied_call_is_told_and_the_turn_goes_on() {
    let mut mob = Mob::gated("[[gates]]\ntool = \"publish\"\naction = \"deny\"\n");
    mob.ann_calls(ada(), &[publish()]);
    mob.then("model.replied tool.refused");
    let told = "gate.denied: the gate on publish refuses this call";
    assert_eq!(mob.told(), [told]);
    assert_eq!(mob.data("tool.refused")["args"], json!({"n": 1}));
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(mob.tools_asked(), [""; 0]);
}

#[test]
fn an_audited_call_says_which_gate_recorded_it() {
    let mut mob = Mob::gated("[[gates]]\ntool = \"pub*\"\naction = \"audit\"\n");
    mob.ann_calls(ada(), &[publish()]);
    mob.then("model.replied tool.started");
    assert_eq!(mob.data("tool.started")["audit"], "pub*");
    assert_eq!(mob.data("tool.started").get("approval"), None);
}

#[test]
fn a_call_that_waits_says_all_that_a_person_needs() {
    let gates = format!(
        "{REVIEW}approvers = [\"role:approver\", \"operator:cleo\"]\nfour_eyes = true\n\
         expires = \"30m\"\non_expiry = \"hold\"\n"
    );
    let mut mob = Mob::gated(&gates);
    mob.ann_calls(ada(), &[publish()]);
    mob.then("model.replied approval.requested turn.waiting");
    let id = mob.the_pending();
    let request = mob.approval(id).request.clone();
    let turn = mob.turn_of("ann");
    assert_eq!((request.approval, request.turn), (id, turn));
    assert_eq!(
        (request.call, request.tool.as_str()),
        (mob.open_calls("ann")[0], "publish")
    );
    assert_eq!(request.args, json!({"n": 1}));
    assert_eq!(
        request.matter,
        Matter::Gate {
            gate: "publish".to_owned()
        }
    );
    assert_eq!(request.why, "the gate on publish asks for a decision");
    assert_eq!(
        (request.origin, &request.messages),
        (ada(), &mob.open_turn("ann").messages)
    );
    let approvers: Vec<String> = request.approvers.iter().map(Approver::to_string).collect();
    assert_eq!(approvers, ["role:approver", "operator:cleo"]);
    assert!(request.four_eyes);
    assert_eq!(request.expires, Some(mob.now.plus_ms(30 * 60_000)));
    for digest in [&request.digest, &request.policy] {
        let hex = digest
            .strip_prefix("sha256:")
            .expect("it names how it was made");
        assert_eq!(hex.len(), 64);
    }
    let waiting = mob.data("turn.waiting");
    assert_eq!(waiting["on"], "approval");
    assert_eq!(waiting["approval"], id.to_string());
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    assert_eq!(mob.asked, [], "nothing is asked of the outside world");
}

#[test]
fn the_digest_covers_the_call_and_the_rule() {
    let digest = |gates: &str, args: Value, members: &str| {
        let mut mob = Mob::gated(gates);
        mob.send(members, "go");
        mob.calls(members, "", &[("publish", args)]);
        let request = &mob.approval(mob.the_pending()).request;
        (request.digest.clone(), request.policy.clone())
    };
    let first = digest(REVIEW, json!({"n": 1, "m": 2}), "ann");
    assert_eq!(
        first,
        digest(REVIEW, json!({"m": 2, "n": 1}), "ann"),
        "whatever the order"
    );
    let args = digest(REVIEW, json!({"n": 2, "m": 2}), "ann");
    let other = digest(REVIEW, json!({"n": 1, "m": 2}), "bob");
    let rule = digest(
        &format!("{REVIEW}four_eyes = true\n"),
        json!({"n": 1, "m": 2}),
        "ann",
    );
    let digests = [&first.0, &args.0, &other.0, &rule.0];
    for (place, one) in digests.iter().enumerate() {
        assert!(!digests[..place].contains(one));
    }
    assert_eq!((&first.1, &first.1), (&args.1, &other.1), "the same rule");
    assert_ne!(first.1, rule.1);
}

#[test]
fn built_in_tools_meet_gates_as_all_do() {
    let mut mob = Mob::gated("[[gates]]\ntool = \"send_message\"\naction = \"review\"\n");
    let hello = json!({"to": "r1", "content": "hello"});
    mob.ann_calls(ada(), &[("send_message", hello.clone())]);
    mob.then("model.replied approval.requested turn.waiting");
    assert_eq!(mob.queue_of("r1"), 0);
    assert_eq!(mob.count("message.accepted"), 1, "only ours");
    let id = mob.the_pending();
    mob.rule(id, approve());
    mob.then(
        "approval.decided tool.started message.accepted tool.finished message.delivered \
         turn.started",
    );
    assert_eq!(mob.data("tool.started")["approval"], id.to_string());
    assert_eq!(mob.data("message.accepted")["origin"], "operator:ada");
    // Waiting for a peer behind a gate.
    let mut mob = Mob::gated("[[gates]]\ntool = \"ask_peer\"\naction = \"review\"\n");
    mob.ann_calls(ada(), &[("ask_peer", hello)]);
    mob.rule(mob.the_pending(), approve());
    mob.then(
        "approval.decided tool.started message.accepted turn.waiting message.delivered \
         turn.started",
    );
    mob.answers("r1", "yes");
    assert_eq!(mob.told(), ["yes"]);
}

#[test]
fn the_calls_of_another_engine_meet_the_same_gates() {
    let mut mob = Mob::gated(REVIEW);
    mob.spawn(spec("ext", "remote"));
    let fence = mob.fence_of("ext");
    mob.internal(Command::Member(MemberCommand::EngineStarted {
        member: member("ext"),
        fence,
        offers: Offers::default(),
        error: None,
    }));
    mob.send("ext", "go");
    let command = TurnCommand::EngineReplied {
        turn: mob.turn_of("ext"),
        fence,
        reply: reply("", &[publish()]),
        original: json!({}),
    };
    mob.internal(Command::Turn(command));
    mob.then("model.replied approval.requested turn.waiting");
    assert_eq!(mob.state_of("ext"), MemberState::Waiting);
    mob.rule(mob.the_pending(), approve());
    assert_eq!(mob.tools_asked(), ["publish"]);
}

#[test]
fn what_can_not_be_made_is_refused_before_anybody_is_asked() {
    let mut mob = Mob::gated("[[gates]]\ntool = \"*\"\naction = \"review\"\n");
    mob.ann_calls(
        ada(),
        &[("rm_rf", json!({})), ("publish", json!("no object"))],
    );
    mob.then("model.replied tool.refused tool.refused");
    assert_eq!(mob.pending(), []);
}

#[test]
fn arguments_of_host_tools_are_checked_where_they_have_a_schema() {
    let mut mob = Mob::gated(REVIEW);
    let mut toolbox = (*mob.world.toolbox).clone();
    let spec = toolbox.0.get_mut("publish").expect("a tool of the test");
    spec.schema = json!({"properties": {"n": {"type": "integer", "maximum": 3}}});
    mob.world.toolbox = Arc::new(toolbox);
    mob.ann_calls(
        ada(),
        &[
            ("publish", json!({"n": "one"})),
            ("publish", json!({"n": 4})),
        ],
    );
    mob.then("model.replied tool.refused tool.refused");
    assert_eq!(
        mob.told(),
        [
            "tool.bad_arguments: the arguments do not fit: /n is not of type \"integer\" (rule \
             type)",
            "tool.bad_arguments: the arguments do not fit: /n is greater than the maximum of 3 \
             (rule maximum)",
        ]
    );
    mob.calls("ann", "", &[publish()]);
    mob.then("model.replied approval.requested turn.waiting");
}

#[test]
fn the_calls_of_a_module_are_checked_by_the_schema_that_it_gave() {
    let mut mob = Mob::workshop_open();
    mob.send("ann", "work");
    mob.calls("ann", "", &[("module:search/fetch", json!({"n": "x"}))]);
    let told = "tool.bad_arguments: the arguments do not fit: /n is not of type \"integer\" (rule \
                type)";
    assert_eq!(mob.told(), [told]);
}

#[test]
fn a_turn_keeps_the_role_in_which_it_began() {
    // The gate of the new role does not count before the next turn, that of the old one does.
    let gates = "[[gates]]\ntool = \"publish\"\nprofiles = [\"desk\"]\naction = \"review\"\n";
    let mut mob = Mob::gated(gates);
    mob.send("ann", "go");
    let profile = Some("remote".parse().expect("a valid id"));
    let reason = "asked for".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ann"),
        profile,
        reason,
    });
    mob.calls("ann", "", &[publish()]);
    mob.then("model.replied approval.requested turn.waiting");
}

#[test]
fn who_asked_first_is_known_however_many_peers_lie_between() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(
        operator("cleo"),
        &[("send_message", json!({"to": "r1", "content": "a"}))],
    );
    mob.calls(
        "r1",
        "",
        &[("send_message", json!({"to": "bob", "content": "b"}))],
    );
    mob.calls("bob", "", &[publish()]);
    assert_eq!(
        mob.approval(mob.the_pending()).request.origin,
        operator("cleo")
    );
    assert_eq!(mob.open_turn("bob").from, Principal::Agent(member("r1")));
    let states: Vec<&CallState> = mob
        .open_turn("bob")
        .calls
        .iter()
        .map(|c| &c.state)
        .collect();
    assert!(matches!(states[..], [CallState::Pending { .. }]));
}
