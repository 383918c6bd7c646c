use super::*;

/// One word per cell, as the specification's table has them.
fn cell(phase: Phase, recovered: bool, verb: Verb) -> &'static str {
    match admit(phase, recovered, verb) {
        Admission::Allowed => "yes",
        Admission::TakesEffectAtNextStart => "next start",
        Admission::JoinShutdown => "join",
        Admission::CancelStart => "cancel start",
        Admission::ReturnReport => "report",
        Admission::ReleaseAll => "release",
        Admission::Refused(refusal) => {
            assert_eq!(refusal.code, NOT_RUNNING);
            match (refusal.kind, refusal.retry_after_ms) {
                (RefusalKind::Busy, Some(START_RETRY_AFTER_MS)) => "busy",
                (RefusalKind::Unavailable, Some(DRAIN_RETRY_AFTER_MS)) => "refused, retry",
                (RefusalKind::Unavailable, None) => "refused",
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A verb and its five cells, in the order of [`Phase::ALL`].
type Row = (Verb, [&'static str; 5]);

#[test]
fn every_verb_in_every_phase_behaves_as_the_table_says() {
    let table: [Row; 5] = [
        (Verb::Read, ["yes", "yes", "yes", "refused", "yes"]),
        (
            Verb::Mutate,
            ["busy", "yes", "refused, retry", "refused", "refused"],
        ),
        (
            Verb::Decide,
            ["yes", "yes", "next start", "refused", "refused"],
        ),
        (Verb::Cancel, ["yes", "yes", "yes", "refused", "refused"]),
        (
            Verb::Shutdown,
            ["cancel start", "yes", "join", "report", "release"],
        ),
    ];
    assert_eq!(table.map(|(verb, _)| verb), Verb::ALL);
    for (verb, cells) in table {
        assert_eq!(
            Phase::ALL.map(|phase| cell(phase, true, verb)),
            cells,
            "{verb:?}"
        );
    }
}

#[test]
fn before_recovery_a_start_answers_nothing_but_shutdown() {
    for verb in [Verb::Read, Verb::Mutate, Verb::Decide, Verb::Cancel] {
        assert_eq!(cell(Phase::Starting, false, verb), "busy", "{verb:?}");
    }
    assert_eq!(cell(Phase::Starting, false, Verb::Shutdown), "cancel start");
}

#[test]
fn recovery_matters_only_while_starting() {
    for phase in [
        Phase::Running,
        Phase::Draining,
        Phase::Stopped,
        Phase::Failed,
    ] {
        for verb in Verb::ALL {
            assert_eq!(
                admit(phase, false, verb),
                admit(phase, true, verb),
                "{phase} {verb:?}"
            );
        }
    }
}

#[test]
fn a_life_goes_one_way() {
    use LifecycleEvent::{Broke, Ready, ShutdownBegan, ShutdownEnded};
    use Phase::{Draining, Failed, Running, Starting, Stopped};
    let ways = [
        (Starting, Ready, Running),
        (Starting, ShutdownBegan, Draining),
        (Starting, Broke, Failed),
        (Running, ShutdownBegan, Draining),
        (Running, Broke, Failed),
        (Draining, ShutdownEnded, Stopped),
        (Draining, Broke, Failed),
    ];
    for phase in Phase::ALL {
        for event in [Ready, ShutdownBegan, ShutdownEnded, Broke] {
            let way = ways.iter().find(|way| (way.0, way.1) == (phase, event));
            let expected = way.map(|way| way.2).ok_or(LifecycleError { phase, event });
            assert_eq!(advance(phase, event), expected);
        }
    }
}

#[test]
fn phases_have_one_name_everywhere() {
    for phase in Phase::ALL {
        assert_eq!(serde_json::to_value(phase).expect("json"), phase.as_str());
    }
}
