//! When a session is summarised, and what is recorded of it.

use super::harness::{Mob, NEWSROOM, member, replied, reply};
use mobkit_domain::command::{Command, MemberCommand, StepRef, Summarised, TurnCommand};
use mobkit_domain::definition::Compaction;
use mobkit_domain::turn::compaction_due;
use serde_json::json;

const COMPACTION: Compaction = Compaction {
    at_tokens: 1_000,
    keep_turns: 2,
};

fn mob() -> Mob {
    let line = "instructions = \"You edit.\"";
    let compaction = "compaction = { at_tokens = 1000, keep_turns = 2 }";
    Mob::ready_of(&NEWSROOM.replace(line, &format!("{compaction}\n{line}")))
}

/// A turn whose last call had this many tokens.
fn turn_of(mob: &mut Mob, tokens: u64) {
    mob.send("ann", "work");
    let mut long = reply("done", &[]);
    long.usage.input_tokens = tokens;
    long.usage.output_tokens = 0;
    mob.internal(replied(mob.at("ann"), long));
}

fn summary(at: StepRef, until: u64) -> Command {
    Command::Turn(TurnCommand::SessionCompacted {
        at,
        summarised: Summarised {
            from: 1,
            until,
            turns: 3,
            summary: "they spoke".into(),
            tokens_after: 300,
            usage: reply("", &[]).usage,
        },
        latency_ms: 9,
    })
}

#[test]
fn it_is_due_at_the_begin_of_a_turn_past_the_threshold() {
    for (tokens, due) in [
        (999, None),
        (1_000, Some(COMPACTION)),
        (5_000, Some(COMPACTION)),
    ] {
        let mut mob = mob();
        turn_of(&mut mob, tokens);
        mob.send("ann", "more");
        let first = mob.at("ann");
        assert_eq!(compaction_due(&mob.world, first), due, "{tokens}");
        let again = StepRef {
            attempt: 2,
            ..first
        };
        assert_eq!(compaction_due(&mob.world, again), None, "it failed before");
        mob.calls("ann", "", &[("now", json!({}))]);
        assert_eq!(compaction_due(&mob.world, mob.at("ann")), None);
        mob.send("bob", "work");
        assert_eq!(compaction_due(&mob.world, mob.at("bob")), None);
    }
}

#[test]
fn it_is_recorded_once_and_the_turn_goes_on() {
    let mut mob = mob();
    turn_of(&mut mob, 2_000);
    mob.send("ann", "more");
    let at = mob.at("ann");
    let until = at.turn.0 - 2;
    mob.internal(summary(at, until));
    mob.then("session.compacted");
    let told = mob.data("session.compacted");
    assert_eq!(
        (&told["tokens_before"], &told["tokens_after"]),
        (&json!(2_000), &json!(300))
    );
    assert_eq!(told["cost_usd"], json!(0.00012));
    assert_eq!(mob.refused(summary(at, until)), "turn.stale");
    assert_eq!(compaction_due(&mob.world, at), None);
    mob.crash();
    assert_eq!(compaction_due(&mob.world, mob.at("ann")), None);
    mob.answers("ann", "done");
    assert_eq!(mob.refused(summary(at, until + 1)), "turn.not_open");
}

#[test]
fn a_summary_is_not_counted_against_the_tokens_of_the_turn() {
    let mut mob = mob();
    turn_of(&mut mob, 2_000);
    mob.send("ann", "more");
    let at = mob.at("ann");
    let Command::Turn(TurnCommand::SessionCompacted {
        mut summarised,
        latency_ms,
        ..
    }) = summary(at, at.turn.0 - 2)
    else {
        unreachable!()
    };
    summarised.usage.input_tokens = 5_000;
    mob.internal(Command::Turn(TurnCommand::SessionCompacted {
        at,
        summarised,
        latency_ms,
    }));
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.then("model.replied tool.started tool.finished");
    mob.answers("ann", "done");
    let usage = mob.data("turn.completed")["usage"].clone();
    assert_eq!(
        usage["input_tokens"], 5_200,
        "what it cost is told all the same"
    );
}

#[test]
fn a_member_that_starts_over_has_nothing_to_summarise() {
    let mut mob = mob();
    turn_of(&mut mob, 2_000);
    mob.member(MemberCommand::Reset {
        member: member("ann"),
    });
    mob.send("ann", "more");
    assert_eq!(compaction_due(&mob.world, mob.at("ann")), None);
}
