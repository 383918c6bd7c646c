//! The mob as a whole.

use super::harness::{Mob, NEWSROOM};
use mobkit_domain::command::{Command, MobCommand};
use mobkit_domain::event::MobDefined;
use mobkit_domain::lifecycle::Verb;

#[test]
fn a_definition_comes_into_force_once() {
    let mut mob = Mob::of(NEWSROOM);
    mob.start();
    let define = |digest: &str| {
        MobCommand::Define(MobDefined {
            digest: digest.to_owned(),
            members: 5,
            profiles: 3,
        })
    };
    mob.mob(define("a"));
    mob.then("mob.defined");
    mob.mob(define("a"));
    mob.then("");
    mob.mob(define("b"));
    mob.then("mob.defined");
    assert_eq!(mob.world.state.definition_digest.as_deref(), Some("b"));
}

#[test]
fn every_command_of_a_caller_has_a_row_in_the_lifecycle_table() {
    use mobkit_domain::command::{MessageCommand, RuntimeCommand, TurnCommand};
    use mobkit_domain::id::{MessageId, TurnId};
    let verb = |command: Command| command.verb();
    assert_eq!(verb(Command::Runtime(RuntimeCommand::Tick)), None);
    assert_eq!(verb(Command::Mob(MobCommand::Reset)), Some(Verb::Mutate));
    let (turn, message) = (TurnId(1), MessageId(1));
    let cancel = TurnCommand::Cancel { turn, reason: None };
    assert_eq!(verb(Command::Turn(cancel)), Some(Verb::Cancel));
    let cancel = MessageCommand::Cancel {
        message,
        reason: None,
    };
    assert_eq!(verb(Command::Message(cancel)), Some(Verb::Cancel));
}

#[test]
fn a_cut_spares_open_work_is_never_repeated_and_seldom_small() {
    use mobkit_domain::event::{Cut, MobTrimmed};
    use mobkit_domain::retention::command;
    let mut mob = Mob::ready();
    let wanted = |below| {
        let before = mobkit_domain::time::Time(0);
        command(MobTrimmed {
            events: Some(Cut { below, before }),
            logs: None,
        })
    };
    mob.mob(wanted(1));
    mob.then("");
    mob.mob(wanted(4));
    mob.then("mob.trimmed");
    assert_eq!(mob.world.state.trimmed.events.below, 4);
    for below in [3, 4, 5] {
        mob.mob(wanted(below));
        mob.then("");
    }
    mob.now = mob.now.plus_ms(24 * 60 * 60 * 1_000);
    mob.send("ann", "work");
    let turn = mob.turn_of("ann");
    let needed = mob.world.state.work_needs();
    assert!(needed < turn.0, "its message was before it");
    mob.mob(wanted(u64::MAX));
    mob.then("mob.trimmed");
    assert_eq!(mob.world.state.trimmed.events.below, needed);
}
