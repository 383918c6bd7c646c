//! `delegate`: how helpers join, work, and leave, whatever becomes of those for whom they work.

use super::harness::{Mob, ada, member};
use super::review_kit::{approve, operator};
use mobkit_domain::command::{
    Command, MemberCommand, MobCommand, RuntimeCommand, Submission, TurnCommand,
};
use mobkit_domain::definition::{IdleRetire, Role};
use mobkit_domain::event::RetireMode;
use mobkit_domain::model::FailureClass;
use mobkit_domain::principal::Principal;
use mobkit_domain::state::{
    HELPER_DEPTH_MAX, HELPERS_MAX, HELPERS_OF_ONE_MAX, IDLE_RETIRE_MS, MemberState, State,
};
use mobkit_domain::tool::offered_to;
use mobkit_domain::world::next_due;
use serde_json::{Value, json};

const DESK: &str = r#"
[mob]
id = "desk"

[models.main]
provider = "rehearsal"

[profiles.desk]
model = "main"
instructions = "You edit."
tools = ["peers", "delegate", "publish", "look"]

[profiles.writer]
model = "main"
instructions = "You write."
tools = ["peers", "delegate", "publish", "save"]
idle_retire = "1m"

[profiles.remote]
engine = "meerkat"
model = "main"
instructions = "You run elsewhere."
tools = ["delegate", "engine:shell"]

[[members]]
id = "ann"
profile = "desk"

[[members]]
id = "bob"
profile = "desk"

[wiring]
roles = [["desk", "writer"], ["desk", "desk"]]
"#;

fn desk() -> Mob {
    Mob::ready_of(DESK)
}

fn delegate(mob: &mut Mob, from: &str, args: Value) {
    mob.calls(from, "", &[("delegate", args)]);
}

/// The only helper of a member.
fn helper_of(mob: &Mob, parent: &str) -> String {
    let helpers: Vec<_> = mob.world.state.helpers_of(&member(parent)).collect();
    assert_eq!(helpers.len(), 1, "{helpers:?}");
    helpers[0].to_string()
}

/// A mob in which ann has delegated something, and her helper works on it.
fn delegated(args: Value) -> (Mob, String) {
    let mut mob = desk();
    mob.send("ann", "go");
    delegate(&mut mob, "ann", args);
    let helper = helper_of(&mob, "ann");
    (mob, helper)
}

fn write() -> Value {
    json!({"task": "Write it.", "profile": "writer"})
}

/// Folding the journal again gives the state that there is.
fn replay(mob: &Mob) {
    let mut state = State::of(mob.world.state.mob.clone());
    for envelope in &mob.journal {
        state.apply(envelope);
    }
    assert_eq!(state, mob.world.state);
}

fn is_known(mob: &Mob, id: &str) -> bool {
    mob.world.state.members.contains_key(&member(id))
}

fn retire(mob: &mut Mob, id: &str, mode: RetireMode) {
    mob.member(MemberCommand::Retire {
        member: member(id),
        mode,
        reason: None,
    });
}

#[test]
fn a_helper_joins_in_the_batch_of_the_call_and_its_answer_is_the_result() {
    let (mut mob, helper) = delegated(write());
    mob.then(
        "model.replied tool.started member.spawned edge.wired message.accepted turn.waiting \
         message.delivered turn.started",
    );
    let spawned = mob.data("member.spawned");
    assert_eq!(helper, spawned["member"]);
    assert_eq!(spawned["origin"], "helper");
    assert_eq!(spawned["helper"]["parent"], "ann");
    let seq = mob
        .last()
        .nth(2)
        .map(|envelope| envelope.seq)
        .expect("it is there");
    assert_eq!(helper, format!("ann.h-{seq}"));
    let accepted = mob.data("message.accepted");
    assert_eq!(
        (&accepted["from"], &accepted["origin"]),
        (&json!("agent:ann"), &json!("operator:ada"))
    );
    let peers = &mob.world.state.members[&member(&helper)].peers;
    assert_eq!(
        peers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["ann"]
    );
    assert_eq!(mob.state_of("ann"), MemberState::Waiting);
    mob.answers(&helper, "written");
    mob.then("model.replied turn.completed tool.finished");
    assert_eq!(mob.told(), ["written"]);
    assert_eq!(mob.state_of(&helper), MemberState::Idle);
    replay(&mob);
}

#[test]
fn a_helper_that_fails_hands_its_failure_back() {
    let (mut mob, helper) = delegated(write());
    mob.fails(&helper, FailureClass::Rejected, None);
    assert_eq!(mob.told(), [format!("{helper} could not answer: no luck")]);
    assert_eq!(mob.state_of("ann"), MemberState::Working);
}

#[test]
fn an_idle_helper_goes_on_with_its_session_by_name_or_id() {
    let (mut mob, helper) = delegated(json!({"task": "a", "profile": "writer", "name": "pen"}));
    let session = mob.world.state.members[&member(&helper)].session;
    mob.answers(&helper, "a is done");
    for name in ["pen", helper.as_str()] {
        delegate(
            &mut mob,
            "ann",
            json!({"task": "again", "name": name, "profile": "writer"}),
        );
        mob.then(
            "model.replied tool.started message.accepted turn.waiting message.delivered \
             turn.started",
        );
        mob.answers(&helper, "again");
        assert_eq!(mob.told(), ["again"]);
    }
    assert_eq!(mob.world.state.members[&member(&helper)].session, session);
    for (args, code) in [
        (
            json!({"task": "x", "name": "pen", "profile": "desk"}),
            "tool.bad_arguments",
        ),
        (
            json!({"task": "x", "name": "pen", "idle_retire": "never"}),
            "tool.bad_arguments",
        ),
        (
            json!({"task": "x", "name": "ann.h-1"}),
            "delegate.no_helper",
        ),
        (json!({"task": "x", "name": " "}), "tool.bad_arguments"),
        (json!({"task": " "}), "tool.bad_arguments"),
        (json!({"task": "x", "soon": true}), "tool.bad_arguments"),
        (
            json!({"task": "x", "idle_retire": "soon"}),
            "tool.bad_arguments",
        ),
        (
            json!({"task": "x", "profile": "nobody"}),
            "profile.not_found",
        ),
        (
            json!({"task": "x", "profile": "remote"}),
            "delegate.more_tools",
        ),
    ] {
        delegate(&mut mob, "ann", args.clone());
        mob.then("model.replied tool.started tool.refused");
        assert!(mob.told()[0].starts_with(code), "{args}: {:?}", mob.told());
    }
    // Nobody delegates to the helper of somebody else.
    mob.send("bob", "go");
    delegate(&mut mob, "bob", json!({"task": "x", "name": helper}));
    assert!(
        mob.told()[0].starts_with("delegate.no_helper"),
        "{:?}",
        mob.told()
    );
}

#[test]
fn an_idle_helper_is_retired_when_its_time_is_over_and_not_before() {
    for (args, idle_ms) in [
        (json!({"task": "x"}), Some(IDLE_RETIRE_MS)),
        (json!({"task": "x", "profile": "writer"}), Some(60_000)),
        (
            json!({"task": "x", "profile": "writer", "idle_retire": "7s"}),
            Some(7_000),
        ),
        (
            json!({"task": "x", "profile": "writer", "idle_retire": "never"}),
            None,
        ),
    ] {
        let (mut mob, helper) = delegated(args);
        // Work takes as long as it takes.
        mob.pass_ms(IDLE_RETIRE_MS * 2);
        mob.runtime(RuntimeCommand::Tick);
        mob.then("");
        mob.answers(&helper, "done");
        let due = idle_ms.map(|ms| mob.now.plus_ms(ms));
        assert_eq!(next_due(&mob.world.state), due);
        let Some(ms) = idle_ms else { continue };
        mob.pass_ms(ms - 1);
        mob.runtime(RuntimeCommand::Tick);
        mob.then("");
        mob.pass_ms(1);
        mob.runtime(RuntimeCommand::Tick);
        mob.then("member.retiring edge.unwired member.retired");
        let reason = mob.data("member.retired")["reason"].clone();
        let reason = reason.as_str().unwrap_or_default();
        assert!(reason.starts_with("it had nothing to do for "), "{reason}");
        assert!(!is_known(&mob, &helper), "nothing of it stays in the state");
        assert_eq!(mob.world.state.helpers_total(), 0);
        replay(&mob);
    }
}

#[test]
fn the_time_of_an_idle_helper_begins_anew_after_a_restart_and_a_pause() {
    let (mut mob, helper) = delegated(write());
    mob.answers(&helper, "done");
    mob.mob(MobCommand::Pause { reason: None });
    mob.pass_ms(600_000);
    mob.runtime(RuntimeCommand::Tick);
    mob.then("");
    mob.mob(MobCommand::Resume);
    assert_eq!(next_due(&mob.world.state), Some(mob.now.plus_ms(60_000)));
    mob.crash();
    mob.pass_ms(600_000);
    mob.runtime(RuntimeCommand::Ready);
    assert!(is_known(&mob, &helper), "it outlives the restart");
    assert_eq!(next_due(&mob.world.state), Some(mob.now.plus_ms(60_000)));
    // A message of somebody else keeps it as well.
    mob.send(&helper, "are you there?");
    assert_eq!(next_due(&mob.world.state), None);
    replay(&mob);
}

#[test]
fn a_crash_at_any_point_starts_no_second_helper_and_loses_no_answer() {
    let (mut mob, helper) = delegated(write());
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.answers(&helper, "written");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.answers("ann", "published");
    assert_eq!(mob.count("member.spawned"), 3);
    assert_eq!(mob.count("turn.completed"), 2);
    replay(&mob);
}

/// A mob with helpers in helpers, down to the depth that there is; each waits for the next.
fn nested() -> (Mob, Vec<String>) {
    let mut mob = desk();
    mob.send("ann", "go");
    let mut chain = vec!["ann".to_owned()];
    for _ in 0..HELPER_DEPTH_MAX {
        let last = chain.last().cloned().unwrap_or_default();
        delegate(
            &mut mob,
            &last,
            json!({"task": "deeper", "profile": "desk"}),
        );
        chain.push(helper_of(&mob, &last));
    }
    (mob, chain)
}

#[test]
fn helpers_lie_no_deeper_than_the_bound() {
    let (mut mob, chain) = nested();
    let last = chain.last().cloned().unwrap_or_default();
    delegate(&mut mob, &last, json!({"task": "deeper"}));
    assert!(
        mob.told()[0].starts_with("delegate.too_deep"),
        "{:?}",
        mob.told()
    );
    // Who asks up the chain would wait for itself.
    for (deep, name) in chain.iter().enumerate().rev().skip(1) {
        let helper = chain[deep + 1].clone();
        mob.answers(&helper, "done");
        assert_eq!(mob.told(), ["done"], "{name}");
    }
}

#[test]
fn a_circle_through_a_helper_is_refused() {
    let text = DESK.replace("\"look\"]", "\"look\", \"ask_peer\"]");
    let mut mob = Mob::ready_of(&text);
    mob.send("ann", "go");
    delegate(&mut mob, "ann", json!({"task": "x", "profile": "desk"}));
    let helper = helper_of(&mob, "ann");
    let ask = [("ask_peer", json!({"to": "ann", "content": "what?"}))];
    mob.calls(&helper, "", &ask);
    assert!(mob.told()[0].starts_with("tool.ask_circular: ann waits for you already"));
    mob.answers(&helper, "x");
    mob.answers("ann", "done");
    // The helper asks of its own accord, and is asked back.
    mob.send(&helper, "go");
    mob.calls(&helper, "", &ask);
    delegate(&mut mob, "ann", json!({"task": "x", "name": helper}));
    assert!(
        mob.told()[0].starts_with("tool.ask_circular"),
        "{:?}",
        mob.told()
    );
}

#[test]
fn a_member_has_no_more_helpers_than_the_bound_and_neither_has_the_mob() {
    let parents = HELPERS_MAX / HELPERS_OF_ONE_MAX + 1;
    let members: Vec<String> = (0..parents)
        .map(|n| format!("[[members]]\nid = \"m{n}\"\nprofile = \"desk\"\n"))
        .collect();
    let mut mob = Mob::ready_of(&format!("{DESK}\n{}", members.concat()));
    for n in 0..parents - 1 {
        let parent = format!("m{n}");
        mob.send(&parent, "go");
        for _ in 0..HELPERS_OF_ONE_MAX {
            delegate(&mut mob, &parent, json!({"task": "x"}));
            let newest = mob.data("member.spawned")["member"].clone();
            mob.answers(newest.as_str().unwrap_or_default(), "done");
        }
        delegate(&mut mob, &parent, json!({"task": "x"}));
        assert!(
            mob.told()[0].starts_with("delegate.too_many: you have"),
            "{:?}",
            mob.told()
        );
        mob.answers(&parent, "done");
    }
    assert_eq!(mob.world.state.helpers_total(), HELPERS_MAX);
    let last = format!("m{}", parents - 1);
    mob.send(&last, "go");
    delegate(&mut mob, &last, json!({"task": "x"}));
    assert!(
        mob.told()[0].starts_with("delegate.too_many: the mob has"),
        "{:?}",
        mob.told()
    );
}

/// What ends a parent.
type End = fn(&mut Mob);

#[test]
fn no_helper_at_any_depth_outlives_the_one_it_works_for() {
    let ann = || member("ann");
    let ends: [(&str, End); 5] = [
        ("retired", |mob| retire(mob, "ann", RetireMode::Now)),
        ("reset", |mob| {
            mob.member(MemberCommand::Reset {
                member: member("ann"),
            });
        }),
        ("the mob reset", |mob| mob.mob(MobCommand::Reset)),
        ("cancelled and retired", |mob| {
            let turn = mob.turn_of("ann");
            mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
            retire(mob, "ann", RetireMode::Drain);
        }),
        ("failed", |mob| {
            let turn = mob.turn_of("ann");
            mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
            mob.redefine(
                &DESK
                    .replace("profiles.desk", "profiles.other")
                    .replace("\"desk\"", "\"other\""),
            );
            mob.send("ann", "go");
        }),
    ];
    for (how, end) in ends {
        let (mut mob, chain) = nested();
        end(&mut mob);
        for helper in &chain[1..] {
            assert!(!is_known(&mob, helper), "{how}: {helper} is left");
        }
        assert_eq!(mob.world.state.helpers_total(), 0, "{how}");
        assert!(
            mob.world
                .state
                .wired
                .keys()
                .all(|edge| !edge.to_string().contains(".h-"))
        );
        let turns = mob.world.state.turns.values();
        assert_eq!(
            turns.filter(|turn| turn.member != ann()).count(),
            0,
            "{how}"
        );
        let cancelled = mob
            .journal
            .iter()
            .filter(|e| e.event.kind() == "turn.cancelled");
        let turns: Vec<_> = cancelled.map(|e| e.turn).collect();
        let once: std::collections::BTreeSet<_> = turns.iter().collect();
        assert_eq!(
            (turns.len(), once.len()),
            (chain.len(), chain.len()),
            "{how}: each once"
        );
        replay(&mob);
    }
}

#[test]
fn a_cancelled_turn_cancels_what_it_delegated_and_keeps_the_helper() {
    let (mut mob, chain) = nested();
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    for id in &chain {
        assert_eq!(mob.state_of(id), MemberState::Idle, "{id}");
    }
    assert_eq!(mob.count("turn.cancelled"), chain.len());
    replay(&mob);
}

#[test]
fn what_waits_for_a_helper_that_works_on_something_else_is_withdrawn() {
    let (mut mob, helper) = delegated(write());
    mob.answers(&helper, "done");
    mob.send(&helper, "something else");
    delegate(&mut mob, "ann", json!({"task": "again", "name": helper}));
    let turn = mob.turn_of("ann");
    mob.order(Command::Turn(TurnCommand::Cancel { turn, reason: None }));
    mob.then("turn.cancelled message.cancelled");
    assert_eq!(mob.state_of(&helper), MemberState::Working);
}

#[test]
fn a_parent_that_leaves_in_order_keeps_its_helpers_to_the_end() {
    let (mut mob, helper) = delegated(write());
    retire(&mut mob, "ann", RetireMode::Drain);
    mob.then("member.retiring");
    mob.answers(&helper, "written");
    assert_eq!(mob.told(), ["written"]);
    mob.answers("ann", "done");
    assert_eq!(mob.state_of("ann"), MemberState::Retired);
    assert!(!is_known(&mob, &helper));
    let why = mob
        .last()
        .filter(|e| e.subject == format!("member/{helper}"));
    let why: Vec<String> = why.map(|e| e.event.summary()).collect();
    let told = format!("{helper} retired: ann, for whom it worked, has left");
    assert!(why.contains(&told), "{why:?}");
}

#[test]
fn a_helper_is_offered_nothing_that_those_above_it_are_not() {
    let (mut mob, helper) = delegated(write());
    let names = |mob: &Mob, id: &str| -> Vec<String> {
        let role = &mob.world.state.members[&member(id)].profile;
        let profile = &mob.world.definition.profiles[role];
        let tools = offered_to(&mob.world, &member(id), profile).into_iter();
        tools.map(|spec| spec.name).collect()
    };
    assert_eq!(
        names(&mob, &helper),
        ["ask_peer", "delegate", "peers", "publish", "send_message"]
    );
    mob.calls(&helper, "", &[("save", json!({}))]);
    assert!(
        mob.told()[0].starts_with("tool.not_offered"),
        "{:?}",
        mob.told()
    );
    // Two levels down, the desk's own tools are out of reach as well.
    delegate(&mut mob, &helper, json!({"task": "x", "profile": "desk"}));
    let inner = helper_of(&mob, &helper);
    mob.calls(&inner, "", &[("look", json!({}))]);
    assert!(
        mob.told()[0].starts_with("tool.not_offered"),
        "{:?}",
        mob.told()
    );
    mob.calls(&inner, "", &[("publish", json!({}))]);
    assert_eq!(mob.tools_asked(), ["publish"]);
}

/// What becomes of a call of `publish` by a helper of ann's helper.
fn deep_call(gates: &str, by: Principal) -> (Mob, String) {
    let mut mob = Mob::ready_of(&format!("{DESK}\n{gates}"));
    let send = Submission {
        actor: by,
        ..Submission::internal(Command::Message(super::harness::send("ann", "go")))
    };
    mob.run(&send).expect("the message is accepted");
    delegate(&mut mob, "ann", json!({"task": "x", "profile": "writer"}));
    let helper = helper_of(&mob, "ann");
    delegate(&mut mob, &helper, json!({"task": "x", "profile": "writer"}));
    let inner = helper_of(&mob, &helper);
    mob.calls(&inner, "", &[("publish", json!({"n": 1}))]);
    (mob, inner)
}

#[test]
fn a_helper_at_any_depth_meets_the_gates_of_those_it_works_for() {
    let gate = |rest: &str| format!("[[gates]]\ntool = \"publish\"\n{rest}\n");
    let allow = gate("profiles = [\"writer\"]\naction = \"allow\"");
    for (gates, expected) in [
        (String::new(), "tool.started"),
        (allow.clone(), "tool.started"),
        (
            gate("members = [\"bob\"]\naction = \"deny\""),
            "tool.started",
        ),
        (
            allow.clone() + &gate("profiles = [\"desk\"]\naction = \"deny\""),
            "tool.refused",
        ),
        (
            allow.clone() + &gate("members = [\"ann\"]\naction = \"deny\""),
            "tool.refused",
        ),
        (
            allow.clone() + &gate("members = [\"ann\"]\naction = \"review\""),
            "turn.waiting",
        ),
        (
            allow + &gate("members = [\"ann\"]\naction = \"audit\""),
            "tool.started",
        ),
    ] {
        let (mob, _) = deep_call(&gates, ada());
        let last = mob.last().last().map(|e| e.event.kind());
        assert_eq!(last, Some(expected), "{gates}");
        if gates.contains("audit") {
            assert_eq!(mob.data("tool.started")["audit"], "publish");
        }
    }
}

#[test]
fn where_several_gates_want_a_decision_each_gets_one() {
    let gates = "[[gates]]\ntool = \"publish\"\nprofiles = [\"writer\"]\naction = \"review\"\n\
                 [[gates]]\ntool = \"publish\"\nprofiles = [\"desk\"]\naction = \"review\"\n\
                 approvers = [\"role:approver\"]\n";
    let (mut mob, inner) = deep_call(gates, ada());
    let first = mob.the_pending();
    mob.rule(first, approve());
    let second = mob.the_pending();
    assert_ne!(first, second);
    assert_eq!(mob.tools_asked(), [""; 0]);
    assert_eq!(mob.overruled(second, approve()), "approval.not_yours");
    mob.crash();
    mob.runtime(RuntimeCommand::Ready);
    mob.rule(second, approve().by(operator("cleo"), &[Role::Approver]));
    assert_eq!(mob.tools_asked(), ["publish"]);
    mob.tool_ends(&inner, 0, Ok("out"));
    assert_eq!(mob.count("approval.requested"), 2);
}

#[test]
fn who_began_the_chain_counts_at_every_depth() {
    let gate = "[[gates]]\ntool = \"publish\"\nmembers = [\"ann\"]\naction = \"review\"\n";
    let (mut mob, _) = deep_call(&format!("{gate}four_eyes = true\n"), ada());
    let asked = mob.the_pending();
    assert_eq!(
        mob.overruled(asked, approve().by(ada(), &[Role::Operator])),
        "approval.not_yours"
    );
    mob.rule(asked, approve());
    assert_eq!(mob.tools_asked(), ["publish"]);
    let (mob, _) = deep_call(
        &format!("{gate}unattended = \"deny\"\n"),
        Principal::Runtime,
    );
    assert!(mob.told()[0].starts_with("gate.denied"), "{:?}", mob.told());
}

#[test]
fn a_failed_helper_gives_its_tasks_back_and_takes_no_more() {
    let text = DESK.replace("\"engine:shell\"", "\"publish\"");
    let mut mob = Mob::ready_of(&text);
    mob.send("ann", "go");
    delegate(
        &mut mob,
        "ann",
        json!({"task": "x", "profile": "remote", "name": "far"}),
    );
    let helper = helper_of(&mob, "ann");
    assert_eq!(mob.state_of(&helper), MemberState::Starting);
    mob.internal(Command::Member(MemberCommand::EngineStarted {
        member: member(&helper),
        fence: mob.fence_of(&helper),
        offers: mobkit_domain::event::Offers::default(),
        error: Some("no such engine".to_owned()),
    }));
    assert_eq!(mob.told(), ["the message was cancelled: no such engine"]);
    delegate(&mut mob, "ann", json!({"task": "x", "name": "far"}));
    assert!(
        mob.told()[0].starts_with("delegate.failed"),
        "{:?}",
        mob.told()
    );
    // It gives its place up like one that has nothing to do.
    assert_eq!(
        next_due(&mob.world.state),
        Some(mob.now.plus_ms(IDLE_RETIRE_MS))
    );
}

#[test]
fn nobody_wires_a_newcomer_to_a_helper() {
    let (mut mob, helper) = delegated(write());
    mob.spawn(super::harness::spec("cleo", "desk"));
    let peers = &mob.world.state.members[&member("cleo")].peers;
    assert!(!peers.contains(&member(&helper)), "{peers:?}");
    assert_eq!(
        mob.world.state.members[&member(&helper)]
            .helper
            .as_ref()
            .map(|h| h.idle_retire),
        Some(IdleRetire::AfterMs(60_000))
    );
}
