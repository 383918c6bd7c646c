//! Who decides.

use super::harness::{Mob, ada, member};
use super::review_kit::{REVIEW, approve, deny, operator};
use mobkit_domain::definition::Role;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::RefusalKind;
use serde_json::{Value, json};

fn publish() -> (&'static str, Value) {
    ("publish", json!({"n": 1}))
}

/// Whether somebody may approve a call of ann's, behind a review with this in its gate.
fn may(rest: &str, by: Principal, roles: &[Role]) -> bool {
    let mut mob = Mob::gated(&format!("{REVIEW}{rest}\n"));
    mob.ann_calls(ada(), &[publish()]);
    let id = mob.the_pending();
    match mob.say(id, approve().by(by, roles)) {
        Ok(_) => true,
        Err(refusal) => {
            let found = (refusal.kind, refusal.code.as_str());
            assert_eq!(
                found,
                (RefusalKind::Denied, "approval.not_yours"),
                "{}",
                refusal.message
            );
            assert_eq!(mob.the_pending(), id);
            false
        }
    }
}

#[test]
fn an_agent_never_decides() {
    let every = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];
    for gate in ["", "approvers = [\"role:admin\", \"operator:ann\"]"] {
        for agent in ["ann", "bob"] {
            assert!(!may(gate, Principal::Agent(member(agent)), &every));
        }
        assert!(!may(gate, Principal::Runtime, &every));
    }
    // Nor does it learn what there is to decide.
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[publish()]);
    let agent = || Principal::Agent(member("ann"));
    let strange = mobkit_domain::id::ApprovalId(9_999);
    assert_eq!(
        mob.overruled(strange, approve().by(agent(), &[])),
        "approval.not_yours"
    );
}

#[test]
fn any_operator_decides_unless_the_gate_names_others() {
    assert!(may("", operator("bob"), &[]));
    assert!(may("", Principal::App("desk".to_owned()), &[]));
    let role = "approvers = [\"role:approver\"]";
    assert!(!may(role, operator("bob"), &[Role::Operator]));
    assert!(may(
        role,
        operator("bob"),
        &[Role::Operator, Role::Approver]
    ));
    assert!(may(
        role,
        Principal::App("desk".to_owned()),
        &[Role::Approver]
    ));
    assert!(
        may(role, operator("root"), &[Role::Admin]),
        "an admin has every role"
    );
    let named = "approvers = [\"operator:cleo\"]";
    assert!(may(named, operator("cleo"), &[]));
    assert!(
        !may(named, operator("bob"), &[Role::Admin]),
        "a name is no role"
    );
    assert!(
        !may(named, Principal::App("cleo".to_owned()), &[]),
        "nor is an app a person"
    );
    let both = "approvers = [\"operator:cleo\", \"role:viewer\"]";
    assert!(may(both, operator("cleo"), &[]) && may(both, operator("bob"), &[Role::Viewer]));
}

#[test]
fn a_refusal_says_for_whom_it_is() {
    let gate = format!("{REVIEW}approvers = [\"role:approver\", \"operator:cleo\"]\n");
    let mut mob = Mob::gated(&gate);
    mob.ann_calls(ada(), &[publish()]);
    let id = mob.the_pending();
    let refusal = mob.say(id, approve()).expect_err("bob is neither");
    assert_eq!(
        refusal.message,
        format!("{id} is for role:approver, operator:cleo")
    );
}

#[test]
fn with_four_eyes_nobody_decides_what_his_own_message_led_to() {
    let gate = "four_eyes = true";
    assert!(!may(gate, ada(), &[Role::Admin]));
    assert!(may(gate, operator("bob"), &[]));
    let gate = "four_eyes = true\napprovers = [\"operator:ada\"]";
    assert!(!may(gate, ada(), &[]));
    // Nor does he deny it: that too is a decision.
    let mut mob = Mob::gated(&format!("{REVIEW}four_eyes = true\n"));
    mob.ann_calls(ada(), &[publish()]);
    let id = mob.the_pending();
    assert_eq!(
        mob.overruled(id, deny("no").by(ada(), &[])),
        "approval.not_yours"
    );
}

#[test]
fn with_four_eyes_a_chain_of_peers_hides_nobody() {
    let mut mob = Mob::gated(&format!("{REVIEW}four_eyes = true\n"));
    mob.ann_calls(
        ada(),
        &[("ask_peer", json!({"to": "bob", "content": "publish it"}))],
    );
    mob.calls("bob", "", &[publish()]);
    let id = mob.the_pending();
    let request = &mob.approval(id).request;
    assert_eq!((request.member.as_str(), &request.origin), ("bob", &ada()));
    assert_eq!(
        mob.overruled(id, approve().by(ada(), &[Role::Admin])),
        "approval.not_yours"
    );
    mob.rule(id, approve().by(operator("cleo"), &[]));
    mob.then("approval.decided tool.started");
    mob.tool_ends("bob", 0, Ok("published"));
    mob.answers("bob", "it is out");
    assert_eq!(mob.told(), ["it is out"], "and the asker gets its answer");
}

#[test]
fn of_many_who_decide_the_first_one_does() {
    let mut mob = Mob::gated(REVIEW);
    mob.ann_calls(ada(), &[publish()]);
    let id = mob.the_pending();
    let digest = Some(mob.approval(id).request.digest.clone());
    let mut counted = 0;
    let mut late = Vec::new();
    for n in 0..50 {
        let ruling = if n % 2 == 0 { approve() } else { deny("no") };
        let ruling = super::review_kit::Ruling {
            by: operator(&format!("op{n}")),
            digest: digest.clone(),
            ..ruling
        };
        match mob.say(id, ruling) {
            Ok(_) => counted += 1,
            Err(refusal) => late.push((refusal.kind, refusal.code)),
        }
    }
    assert_eq!(
        (
            counted,
            mob.count("approval.decided"),
            mob.count("tool.started")
        ),
        (1, 1, 1)
    );
    assert_eq!(late.len(), 49);
    assert!(
        late.iter()
            .all(|found| *found == (RefusalKind::Missing, "approval.not_open".to_owned()))
    );
    assert_eq!(
        mob.approval_row(id).by,
        Some(operator("op0")),
        "who decided is on record"
    );
}
