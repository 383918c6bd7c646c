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
