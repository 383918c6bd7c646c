use super::*;
use crate::plan::RosterProblem;
use crate::refusal::{Refusal, RefusalKind};
use MemberOrigin::{Definition, Discovery, Operator};
use serde_json::json;

fn id(text: &str) -> MemberId {
    MemberId::parse(text).expect("an id")
}

fn role(text: &str) -> ProfileId {
    ProfileId::parse(text).expect("an id")
}

fn want(member: &str, origin: MemberOrigin) -> Desired {
    Desired {
        spec: MemberSpec::new(id(member), role("reporter")),
        origin,
    }
}

fn resume(member: &str, session: u64) -> Desired {
    let mut desired = want(member, Discovery);
    desired.spec.session = Some(SessionId(session));
    desired
}

fn have(member: &str, origin: MemberOrigin) -> Actual {
    // Each member has a session of its own: the letters of its id make the number.
    let session = member.bytes().fold(1, |n, b| n * 31 + u64::from(b));
    Actual {
        id: id(member),
        profile: role("reporter"),
        profile_changed: false,
        labels: BTreeMap::new(),
        context: Value::Null,
        additional_instructions: Vec::new(),
        session: SessionId(session),
        origin,
        presence: Presence::Present,
    }
}

fn plan(desired: &[Desired], actual: &[Actual]) -> Result<RosterPlan, RosterError> {
    let profiles = ["editor", "reporter"].map(role).into();
    let sessions = actual
        .iter()
        .map(|a| a.session)
        .chain([SessionId(5)])
        .collect();
    roster_plan(
        desired,
        actual,
        Known {
            profiles: &profiles,
            sessions: &sessions,
        },
    )
}

/// Checks the steps of a plan, each as `verb id (reason; what survives)`.
#[track_caller]
fn check(desired: &[Desired], actual: &[Actual], expected: &[&str]) {
    let plan = plan(desired, actual).expect("a plan");
    let line = |step: PlanStep| {
        let member = step.object.strip_prefix("member/").expect("a member");
        let survives = match step.survives.expect("members have conversations") {
            Survives::Session => "session",
            Survives::Nothing => "nothing",
        };
        format!("{} {member} ({}; {survives})", step.operation, step.reason)
    };
    assert_eq!(plan.outline().map(line).collect::<Vec<_>>(), expected);
}

#[test]
fn a_desired_member_that_is_absent_is_spawned() {
    check(
        &[want("b", Discovery), want("a", Definition), resume("c", 5)],
        &[],
        &[
            "spawn a (the mob file names it, and it is not there; nothing)",
            "spawn b (discovery names it, and it is not there; nothing)",
            "spawn c (discovery names it, and it is not there; session)",
        ],
    );
}

#[test]
fn a_desired_member_that_was_retired_is_spawned() {
    let retired = Actual {
        presence: Presence::Retired,
        ..have("a", Definition)
    };
    let expected = "spawn a (the mob file names it, and it was retired; nothing)";
    check(&[want("a", Definition)], &[retired], &[expected]);
}

#[test]
fn a_member_that_is_leaving_is_left_to_it() {
    let leaving = Actual {
        presence: Presence::Retiring,
        ..have("a", Definition)
    };
    check(&[], std::slice::from_ref(&leaving), &[]);
    let expected =
        "spawn a (the mob file names it; it is leaving and can come back once it is gone; nothing)";
    check(&[want("a", Definition)], &[leaving], &[expected]);
}

#[test]
fn a_member_that_is_as_desired_is_retained() {
    let expected = "retain a (nothing about it changes; session)";
    check(
        &[want("a", Definition)],
        &[have("a", Definition)],
        &[expected],
    );
}

#[test]
fn a_desired_session_does_not_touch_a_member_that_is_there() {
    let expected = "retain a (nothing about it changes; session)";
    check(&[resume("a", 5)], &[have("a", Discovery)], &[expected]);
}

#[test]
fn another_profile_respawns_and_keeps_the_session() {
    let actual = Actual {
        profile: role("editor"),
        ..have("a", Definition)
    };
    let expected = "respawn a (its profile changes from editor to reporter; session)";
    check(&[want("a", Definition)], &[actual], &[expected]);
}

#[test]
fn a_profile_that_says_something_else_respawns() {
    let actual = Actual {
        profile_changed: true,
        ..have("a", Definition)
    };
    let expected = "respawn a (its profile reporter has changed; session)";
    check(&[want("a", Definition)], &[actual], &[expected]);
}

#[test]
fn labels_context_and_instructions_change_in_place() {
    let mut desired = want("a", Definition);
    desired.spec.context = json!({ "region": "eu" });
    desired.spec.additional_instructions = vec!["Be brief.".to_owned()];
    let labels = BTreeMap::from([("team".to_owned(), "news".to_owned())]);
    let actual = Actual {
        labels,
        ..have("a", Definition)
    };
    let plan = plan(&[desired], &[actual]).expect("a plan");
    let expected = Update {
        member: id("a"),
        labels: Some(BTreeMap::new()),
        context: Some(json!({ "region": "eu" })),
        additional_instructions: Some(vec!["Be brief.".to_owned()]),
        origin: None,
        reason: "changed: its labels, its context, its additional instructions".to_owned(),
    };
    assert_eq!(plan.update, [expected]);
    assert_eq!((plan.retain.len(), plan.respawn.len()), (0, 0));
}

#[test]
fn only_what_differs_is_updated() {
    let actual = Actual {
        context: json!(1),
        ..have("a", Definition)
    };
    let plan = plan(&[want("a", Definition)], &[actual]).expect("a plan");
    assert_eq!(plan.update[0].context, Some(Value::Null));
    assert_eq!(plan.update[0].labels, None);
    assert_eq!(plan.update[0].additional_instructions, None);
}

#[test]
fn a_member_can_change_in_place_and_be_respawned() {
    let actual = Actual {
        context: json!(1),
        profile: role("editor"),
        ..have("a", Definition)
    };
    check(
        &[want("a", Definition)],
        &[actual],
        &[
            "update a (changed: its context; session)",
            "respawn a (its profile changes from editor to reporter; session)",
        ],
    );
}

#[test]
fn who_names_a_member_can_change() {
    let plan = plan(&[want("a", Definition)], &[have("a", Operator)]).expect("a plan");
    assert_eq!(plan.update[0].origin, Some(Definition));
}

#[test]
fn what_is_no_longer_named_is_retired_but_for_what_an_operator_spawned() {
    check(
        &[],
        &[
            have("c", Operator),
            have("b", Discovery),
            have("a", Definition),
        ],
        &[
            "retain c (an operator spawned it, so no plan retires it; session)",
            "retire a (the mob file no longer names it; nothing)",
            "retire b (discovery no longer names it; nothing)",
        ],
    );
}

#[test]
fn a_retired_member_that_nobody_names_stays_retired() {
    let retired = Actual {
        presence: Presence::Retired,
        ..have("a", Operator)
    };
    let plan = plan(&[], &[retired]).expect("a plan");
    assert!(plan.is_empty());
    assert!(plan.after.is_empty());
}

#[test]
fn the_roster_after_the_plan_is_known() {
    let desired = [want("a", Definition), want("b", Discovery)];
    let changed = Actual {
        profile: role("editor"),
        ..have("b", Discovery)
    };
    let operators = Actual {
        profile: role("editor"),
        ..have("d", Operator)
    };
    let actual = [changed, have("c", Discovery), operators];
    let plan = plan(&desired, &actual).expect("a plan");
    let expected = [("a", "reporter"), ("b", "reporter"), ("d", "editor")];
    assert_eq!(plan.after, expected.map(|(m, p)| (id(m), role(p))).into());
    assert_eq!(plan.present, 3);
    assert_eq!(plan.present_after(), ["a", "b", "d"].map(id).into());
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut desired = vec![want("a", Definition), want("b", Definition), resume("e", 5)];
    let mut actual = vec![
        have("b", Discovery),
        have("c", Discovery),
        have("d", Operator),
    ];
    let one = plan(&desired, &actual).expect("a plan");
    desired.reverse();
    actual.reverse();
    assert_eq!(plan(&desired, &actual).expect("a plan"), one);
}

#[track_caller]
fn refused(desired: &[Desired], actual: &[Actual], expected: &[(&str, &str)]) {
    let error = plan(desired, actual).expect_err("problems");
    let found: Vec<_> = error
        .problems
        .iter()
        .map(|p| (p.code(), p.to_string()))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(code, text)| (*code, text.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn two_specs_of_one_id_are_refused_naming_both_sources() {
    let code = "member.duplicate";
    refused(
        &[want("a", Definition), want("a", Discovery)],
        &[],
        &[(
            code,
            r#"the member "a" is named twice, by the mob file and by discovery"#,
        )],
    );
    refused(
        &[
            want("a", Discovery),
            want("b", Discovery),
            want("a", Discovery),
        ],
        &[have("a", Discovery)],
        &[(
            code,
            r#"the member "a" is named twice, by discovery and by discovery"#,
        )],
    );
}

#[test]
fn an_unknown_profile_is_refused() {
    let mut desired = want("a", Discovery);
    desired.spec.profile = role("pilot");
    let text = r#"discovery gives the member "a" the profile "pilot", which does not exist"#;
    refused(&[desired], &[], &[("profile.not_found", text)]);
}

#[test]
fn an_unknown_session_is_refused_even_for_a_member_that_is_there() {
    let text = r#"discovery gives the member "a" the session ses-6, which does not exist"#;
    refused(&[resume("a", 6)], &[], &[("session.not_found", text)]);
    refused(
        &[resume("a", 6)],
        &[have("a", Discovery)],
        &[("session.not_found", text)],
    );
}

#[test]
fn one_session_is_not_given_to_two_members() {
    let text = r#"discovery gives the member "b" the session ses-5, which is that of "a""#;
    refused(
        &[resume("a", 5), resume("b", 5)],
        &[],
        &[("session.in_use", text)],
    );
    let holder = Actual {
        session: SessionId(5),
        ..have("a", Operator)
    };
    refused(
        &[resume("b", 5)],
        std::slice::from_ref(&holder),
        &[("session.in_use", text)],
    );
    let retired = Actual {
        presence: Presence::Retired,
        ..holder
    };
    assert!(plan(&[resume("b", 5)], &[retired]).is_ok());
}

#[test]
fn every_problem_is_named_at_once() {
    let mut pilot = resume("b", 6);
    pilot.spec.profile = role("pilot");
    let desired = [want("a", Definition), want("a", Discovery), pilot];
    let error = plan(&desired, &[]).expect_err("problems");
    let codes: Vec<_> = error.problems.iter().map(RosterProblem::code).collect();
    assert_eq!(
        codes,
        ["member.duplicate", "profile.not_found", "session.not_found"]
    );
    let refusal = Refusal::from(error);
    assert_eq!(
        (refusal.kind, refusal.code.as_str()),
        (RefusalKind::Invalid, "roster.invalid")
    );
    assert_eq!(refusal.data["problems"][1]["code"], "profile.not_found");
    assert_eq!(refusal.message.matches("; ").count(), 2);
}

#[test]
fn a_helper_is_left_alone_while_its_profile_is_there() {
    let helper = |profile: &str| Actual {
        profile: role(profile),
        ..have("a.h-9", MemberOrigin::Helper)
    };
    let there = [have("a", Definition), helper("editor")];
    let plan = plan(&[want("a", Definition)], &there).expect("a plan");
    assert!(plan.is_empty() && plan.present == 1);
    assert_eq!(plan.present_after(), [id("a")].into());
    check(
        &[want("a", Definition)],
        &[have("a", Definition), helper("gone")],
        &[
            "retain a (nothing about it changes; session)",
            "retire a.h-9 (the definition no longer has its profile gone; nothing)",
        ],
    );
}
