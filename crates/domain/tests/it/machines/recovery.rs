//! What a start makes of turns that it finds open.

use super::harness::{Mob, NEWSROOM, member, replied, reply};
use mobkit_domain::command::{Command, MemberCommand, RuntimeCommand};
use mobkit_domain::effect::open_effects;
use mobkit_domain::event::{DrainReport, RetireMode};
use mobkit_domain::model::FailureClass;
use mobkit_domain::state::{MemberMode, MemberState};
use serde_json::json;

/// The mob file without the role of the desks.
fn without_desks() -> String {
    let text = NEWSROOM.replace("profiles.desk", "profiles.chief");
    text.replace(r#"profile = "desk""#, r#"profile = "chief""#)
        .replace(r#"["desk","#, r#"["chief","#)
}

#[test]
fn the_first_start_has_nothing_to_recover() {
    let mut mob = Mob::of(NEWSROOM);
    mob.start();
    mob.then("runtime.started");
}

#[test]
fn a_turn_goes_on_at_its_last_recorded_step() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.calls("ann", "", &[("now", json!({}))]);
    let before = mob.at("ann");
    mob.send("r1", "go");
    mob.send("ann", "waits");
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.resumed turn.resumed");
    assert_eq!(mob.data("runtime.recovered")["clean"], false);
    assert_eq!(mob.data("runtime.recovered")["messages_waiting"], 1);
    assert_eq!(
        mob.models_asked(),
        [before, mob.at("r1")],
        "recorded answers are not repeated"
    );
    assert_eq!(open_effects(&mob.world.state).len(), 2);
    mob.internal(replied(before, reply("done", &[])));
    mob.then("model.replied turn.completed");
}

#[test]
fn three_recoveries_without_progress_quarantine_the_member_and_nobody_else() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.send("ann", "waits");
    for recoveries in 1..3 {
        mob.crash();
        assert_eq!(mob.data("turn.resumed")["recoveries"], recoveries);
    }
    mob.runtime(RuntimeCommand::Ready);
    mob.send("bob", "go");
    mob.crash();
    mob.then(
        "runtime.started runtime.recovered turn.failed error.raised member.quarantined \
         error.raised turn.resumed",
    );
    assert_eq!(mob.data("turn.failed")["class"], "quarantined");
    assert_eq!(mob.state_of("ann"), MemberState::Quarantined);
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready");
    assert_eq!(mob.queue_of("ann"), 1, "what waits is kept");
    mob.answers("bob", "done");
    mob.member(MemberCommand::Resume {
        member: member("ann"),
    });
    mob.then("member.resumed message.delivered turn.started");
}

#[test]
fn progress_starts_the_count_again() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    for _ in 0..2 {
        mob.crash();
        mob.crash();
        mob.calls("ann", "", &[("save", json!({}))]);
        mob.crash();
        mob.crash();
        mob.tool_ends("ann", 0, Ok("saved"));
    }
    mob.crash();
    assert_eq!(mob.data("turn.resumed")["recoveries"], 1);
}

#[test]
fn a_failed_attempt_is_no_progress() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    for _ in 0..2 {
        mob.crash();
        mob.fails("ann", FailureClass::Server, None);
        mob.pass_ms(1_000_000);
    }
    mob.crash();
    assert_eq!(mob.mode_of("ann"), MemberMode::Quarantined);
}

#[test]
fn a_pause_before_the_next_attempt_is_nobodys_fault() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.fails("ann", FailureClass::RateLimited, Some(60_000));
    for _ in 0..5 {
        mob.crash();
        assert_eq!(mob.data("turn.resumed")["recoveries"], 0);
    }
    mob.pass_ms(60_000);
    mob.crash();
    assert_eq!(mob.data("turn.resumed")["recoveries"], 1);
}

#[test]
fn a_turn_that_was_put_aside_in_order_is_not_counted() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    for _ in 0..5 {
        mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
        mob.runtime(RuntimeCommand::Checkpoint);
        mob.runtime(RuntimeCommand::Stop {
            drain: DrainReport::default(),
        });
        mob.start();
        assert_eq!(mob.data("turn.resumed")["recoveries"], 0);
        mob.runtime(RuntimeCommand::Ready);
    }
    mob.answers("ann", "done");
}

#[test]
fn the_askers_of_a_quarantined_member_are_told() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "r1", "content": "well?"}))],
    );
    for _ in 0..3 {
        mob.crash();
    }
    mob.then(
        "runtime.started runtime.recovered turn.resumed turn.failed error.raised tool.failed \
         member.quarantined error.raised",
    );
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(mob.state_of("r1"), MemberState::Quarantined);
}

#[test]
fn who_is_leaving_and_kills_the_process_leaves_instead_of_staying_in_quarantine() {
    let mut mob = Mob::ready();
    mob.send("r1", "go");
    mob.send("r1", "waits");
    let (member, mode) = (member("r1"), RetireMode::Drain);
    mob.order(Command::Member(MemberCommand::Retire {
        member,
        mode,
        reason: None,
    }));
    for _ in 0..3 {
        mob.crash();
    }
    mob.then(
        "runtime.started runtime.recovered turn.failed error.raised message.cancelled \
         error.raised edge.unwired edge.unwired member.retired",
    );
}

#[test]
fn a_turn_whose_role_or_model_is_gone_fails_and_says_so() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.send("ann", "waits");
    mob.redefine(&without_desks());
    mob.crash();
    mob.then("runtime.started runtime.recovered turn.failed error.raised");
    assert_eq!(mob.data("turn.failed")["class"], "definition");
    assert_eq!(
        mob.data("turn.failed")["reason"],
        "the definition has no profile desk"
    );
    let profile = Some("chief".parse().expect("a valid id"));
    let reason = "its profile changed".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ann"),
        profile,
        reason,
    });
    mob.runtime(RuntimeCommand::Ready);
    mob.then("runtime.ready message.delivered turn.started");
}

#[test]
fn a_respawn_into_another_role_ends_a_turn_whose_old_role_is_gone() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.redefine(&without_desks());
    let profile = Some("chief".parse().expect("a valid id"));
    let reason = "its profile changed".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ann"),
        profile,
        reason,
    });
    mob.then("member.respawned turn.failed error.raised");
    assert_eq!(mob.state_of("ann"), MemberState::Idle);
}

#[test]
fn a_turn_that_is_put_aside_gets_the_token_of_a_respawn_when_it_goes_on() {
    let mut mob = Mob::ready();
    mob.send("ann", "go");
    mob.runtime(RuntimeCommand::Drain { timeout_ms: 1 });
    mob.runtime(RuntimeCommand::Checkpoint);
    let reason = "asked for".to_owned();
    mob.member(MemberCommand::Respawn {
        member: member("ann"),
        profile: None,
        reason,
    });
    mob.then("member.respawned");
    assert_eq!(mob.asked, [], "nothing goes on while the runtime drains");
    mob.start();
    assert_eq!(mob.models_asked(), [mob.at("ann")]);
    assert_eq!(mob.at("ann").fence, mob.fence_of("ann"));
    mob.answers("ann", "done");
}

#[test]
fn a_raised_error_and_a_denied_access_are_recorded() {
    use mobkit_domain::event::{AccessDenied, ErrorEvent};
    let mut mob = Mob::ready();
    let error = "no luck".to_owned();
    mob.runtime(RuntimeCommand::Raise(ErrorEvent::RediscoverFailure {
        error,
    }));
    mob.then("error.raised");
    let (operation, code) = ("mob/reset".to_owned(), "access.denied".to_owned());
    mob.runtime(RuntimeCommand::Deny(AccessDenied {
        operation,
        code,
        remote: None,
        more: 0,
    }));
    mob.then("access.denied");
}
