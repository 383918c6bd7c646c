//! What every test of the library needs.

use mobkit::command::{Command, MessageCommand, Submission};
use mobkit::definition::{Definition, NoFiles, parse};
use mobkit::event::{EventFilter, MessageMode};
use mobkit::id::{MemberId, MessageId};
use mobkit::principal::Principal;
use mobkit::row::{Row, Table, TurnRow};
use mobkit::time::Time;
use mobkit::{MemoryStore, Mob, MobBuilder, Outcome, Store, TokioClock};
use std::sync::Arc;

/// A definition from text; rehearsal models get the script.
pub(crate) fn definition(text: &str, script: &str) -> Definition {
    let mut definition = parse("mob.toml", text, &NoFiles)
        .expect("a valid mob file")
        .definition;
    for model in definition.models.values_mut() {
        model.script_text = Some(script.to_owned());
    }
    definition
}

/// One member `echo` and a script.
pub(crate) fn echo(script: &str) -> Definition {
    let text = r#"
        [mob]
        id = "test"
        [models.main]
        provider = "rehearsal"
        [profiles.echo]
        model = "main"
        instructions = "Answer."
        [[members]]
        id = "echo"
        profile = "echo"
    "#;
    definition(text, script)
}

/// A mob in memory, under virtual time.
pub(crate) fn builder(definition: Definition, store: &Arc<MemoryStore>) -> MobBuilder {
    let store: Arc<dyn Store> = store.clone();
    MobBuilder::new(definition)
        .store(store)
        .clock(Arc::new(TokioClock::starting_at(Time(1_763_791_200_000))))
}

pub(crate) fn operator() -> Principal {
    Principal::Operator("test".to_owned())
}

pub(crate) fn member(id: &str) -> MemberId {
    MemberId::parse(id).expect("an id")
}

pub(crate) async fn submit(mob: &Mob, command: Command) -> mobkit::command::Answer {
    let submission = Submission {
        command,
        actor: operator(),
        key: None,
        trace: None,
    };
    mob.engine().submit(submission).await.expect("accepted")
}

pub(crate) async fn send(mob: &Mob, to: &str, text: &str) -> MessageId {
    send_as(mob, to, text, None).await
}

/// Sends in a mode.
pub(crate) async fn send_as(
    mob: &Mob,
    to: &str,
    text: &str,
    mode: Option<MessageMode>,
) -> MessageId {
    let command = Command::Message(MessageCommand::Send {
        to: member(to),
        content: text.into(),
        mode,
        correlation: None,
        expires: None,
    });
    match submit(mob, command).await {
        mobkit::command::Answer::Message { message, .. } => message,
        done @ mobkit::command::Answer::Done { .. } => panic!("not a message: {done:?}"),
    }
}

/// Sends and waits for the end of the turn.
pub(crate) async fn ask(mob: &Mob, to: &str, text: &str) -> TurnRow {
    let message = send(mob, to, text).await;
    ended(mob, message).await
}

/// The turn that took the message, once it has ended.
pub(crate) async fn ended(mob: &Mob, message: MessageId) -> TurnRow {
    let Outcome::Turn { turn, .. } = mob.engine().outcome(message).await.expect("an outcome")
    else {
        panic!("{message} was dropped")
    };
    let engine = mob.engine();
    let row = engine
        .store()
        .row(engine.mob(), Table::Turn, turn.0)
        .await
        .expect("a store");
    match row {
        Some(Row::Turn(row)) => row,
        other => panic!("no row of {turn}: {other:?}"),
    }
}

pub(crate) fn text_of(turn: &TurnRow) -> &str {
    turn.text
        .as_ref()
        .and_then(|text| text.inline())
        .unwrap_or("")
}

/// The kinds of all events so far.
pub(crate) async fn kinds(mob: &Mob) -> Vec<&'static str> {
    let engine = mob.engine();
    let open = EventFilter::default();
    let events = engine
        .events_between(0, engine.head(), &open)
        .await
        .expect("events");
    events
        .iter()
        .map(|event| event.envelope.event.kind())
        .collect()
}
