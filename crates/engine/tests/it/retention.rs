//! What is kept no longer is forgotten, and nothing that anybody needs.

use crate::kit::{Death, HEAD, Mob, journal, kinds, member, pass_ms, quiet, send, settle, trim};
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{Event, EventFilter, ModuleLog};
use mobkit_domain::id::{ModuleId, Seq};
use mobkit_domain::state::State;
use mobkit_domain::time::Time;
use mobkit_engine::{CursorError, Engine, EventReader};
use mobkit_store::{Store, Trim};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const KEPT: &str = r#"
[[members]]
id = "a"
profile = "worker"
[[members]]
id = "b"
profile = "worker"
[[modules]]
id = "search"
transport = "json-lines"
command = ["search"]
start = "lazy"
[store]
retention = { events = "90d", logs = "7d" }
"#;

fn kept() -> Mob {
    Mob::of(&format!("{HEAD}{KEPT}"))
}

async fn log(engine: &Engine, line: &str) {
    let log = ModuleLog {
        module: ModuleId::parse("search").expect("an id"),
        lines: vec![line.to_owned()],
        dropped: 0,
        forgotten: 0,
    };
    let command = Command::Module(ModuleCommand::Logged(log));
    engine.submit_internal(command).await.expect("recorded");
}

/// A day of a mob: a turn, and a log line.
async fn day(engine: &Engine, number: u64) {
    let message = send(engine, "a", &format!("say {number}")).await;
    settle(engine, message).await;
    log(engine, &format!("day {number}")).await;
    pass_ms(DAY_MS).await;
    quiet().await;
}

/// Everything that was ever said to and by a member, as far as it can be found.
async fn said(engine: &Engine, who: &str) -> Vec<Seq> {
    let filter = EventFilter {
        kinds: vec!["message.accepted".to_owned(), "turn.*".to_owned()],
        subject: Some(format!("member/{}", member(who))),
        source: None,
    };
    let found = engine.events_between(0, Seq::MAX, &filter).await;
    let found = found.expect("readable");
    found.iter().map(|event| event.envelope.seq).collect()
}

/// The next process: it has nothing in memory that the store has forgotten.
async fn next(mob: &mut Mob, engine: Engine) -> Engine {
    engine.shutdown().await;
    mob.again();
    let engine = mob.up().await;
    quiet().await;
    engine
}

async fn oldest(mob: &Mob) -> Seq {
    let bounds = mob.memory.bounds(&mob.definition.id).await;
    bounds.expect("bounds").oldest
}

async fn clean(mob: &Mob) {
    let found = mob.memory.verify(&mob.definition.id).await;
    assert_eq!(found.expect("verified").problems, Vec::<String>::new());
}

fn state(engine: &Engine) -> State {
    engine.view(|world| world.state.clone())
}

#[tokio::test(start_paused = true)]
async fn months_go_by_and_the_journal_stays_small() {
    let mut mob = kept();
    let engine = mob.up().await;
    let mut longest = 0;
    for number in 0..140 {
        day(&engine, number).await;
        longest = longest.max(journal(&mob.memory).await.len());
    }
    let all = engine.head();
    assert!(longest < 700 && all > 900, "{longest} of {all}");
    let left = journal(&mob.memory).await;
    let first = left.first().expect("an event");
    assert_eq!(first.seq, oldest(&mob).await);
    let age_days = engine.now().since_ms(first.time) / DAY_MS;
    assert!((88..=92).contains(&age_days), "{age_days} days old");
    for (event, before) in left.iter().skip(1).zip(&left) {
        assert_eq!(event.seq, before.seq + 1, "dense");
    }
    for event in &left {
        if let Event::ModuleLog(log) = &event.event {
            let days = engine.now().since_ms(event.time) / DAY_MS;
            assert!(days <= 9 || log.lines.is_empty(), "{days} days: {log:?}");
            assert!(days >= 7 || log.forgotten == 0, "{days} days: {log:?}");
        }
    }
    clean(&mob).await;
    let before = state(&engine);
    let engine = next(&mut mob, engine).await;
    // A start needs nothing of what is gone, and the session is whole all the same.
    assert_eq!(state(&engine).members, before.members);
    let turns = said(&engine, "a").await;
    assert_eq!(turns.len(), 420, "a message, a beginning and an end each");
    assert!(turns[0] < first.seq);
    // A reader from before is told.
    match EventReader::open(&engine, 1, EventFilter::default()).await {
        Err(CursorError::Expired { oldest, .. }) => assert_eq!(oldest, first.seq),
        other => panic!("{:?}", other.map(|reader| reader.cursor())),
    }
    clean(&mob).await;
    let message = send(&engine, "b", "say on").await;
    settle(&engine, message).await;
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn open_work_is_never_forgotten() {
    let mob = kept();
    let engine = mob.up().await;
    day(&engine, 0).await;
    let stuck = send(&engine, "b", "never").await;
    let waiting = send(&engine, "b", "say later").await;
    for number in 1..110 {
        day(&engine, number).await;
    }
    assert!(oldest(&mob).await <= stuck.0, "its turn is open");
    for message in [stuck, waiting] {
        let accepted = engine.event(message.0).await.expect("readable");
        assert!(accepted.is_some(), "{message}");
    }
    clean(&mob).await;
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_nobody_goes_on_with_goes_as_a_whole() {
    let mut mob = kept();
    let engine = mob.up().await;
    for number in 0..3 {
        day(&engine, number).await;
    }
    let session = engine.view(|world| world.state.members[&member("a")].session);
    let reset = mobkit_domain::command::MemberCommand::Reset {
        member: member("a"),
    };
    engine
        .submit_internal(Command::Member(reset))
        .await
        .expect("reset");
    let before = said(&engine, "a").await;
    for number in 3..120 {
        day(&engine, number).await;
    }
    assert!(!state(&engine).sessions.contains_key(&session));
    let engine = next(&mut mob, engine).await;
    let left = said(&engine, "a").await;
    assert!(before.iter().all(|seq| !left.contains(seq)));
    clean(&mob).await;
    engine.shutdown().await;
}

/// A mob that stood still for so long that the next start has much to forget, and what its member
/// `a` has said.
async fn long_stopped() -> (Mob, Vec<Seq>) {
    let mut mob = kept();
    let engine = mob.up().await;
    for number in 0..40 {
        day(&engine, number).await;
    }
    let turns = said(&engine, "a").await;
    engine.shutdown().await;
    mob.again();
    pass_ms(70 * DAY_MS).await;
    (mob, turns)
}

async fn goes_on(mut mob: Mob, turns: &[Seq], what: &str) {
    mob.again();
    let engine = mob.up().await;
    // A snapshot is written out on a thread of its own, which time waits for.
    pass_ms(1_000).await;
    let cut = engine.view(|world| world.state.trimmed);
    assert!(oldest(&mob).await > 50, "{what}: {cut:?}");
    assert_eq!(said(&engine, "a").await, turns, "{what}");
    clean(&mob).await;
    engine.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_around_the_cut_leaves_it_to_the_next_one() {
    let mut cut_recorded = 0;
    for number in 1..=6 {
        for death in [Death::Before(number), Death::After(number)] {
            let (mob, turns) = long_stopped().await;
            mob.tap.dies(death);
            if let Ok(engine) = mob.start().await {
                pass_ms(1_000).await;
                engine.shutdown().await;
            }
            let kinds = kinds(&journal(&mob.memory).await);
            let cut = kinds.contains(&"mob.trimmed");
            cut_recorded += usize::from(cut && oldest(&mob).await == 1);
            goes_on(mob, &turns, &format!("{death:?}")).await;
        }
    }
    assert!(
        cut_recorded > 0,
        "no process died between the cut and what it asks for"
    );
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_in_the_middle_of_a_cut_leaves_the_rest_to_the_next_one() {
    let (mob, turns) = long_stopped().await;
    let saved = mob.memory.snapshot(&mob.definition.id).await.expect("read");
    let state: State = serde_json::from_slice(&saved.expect("saved").body).expect("a state");
    let piece = Trim {
        keep: state.sessions_need(Seq::MAX),
        ..trim(20, Time(i64::MAX))
    };
    let left = mob.memory.trim(&mob.definition.id, piece).await;
    assert_eq!(left.expect("a piece"), 20);
    goes_on(mob, &turns, "a piece").await;
}
