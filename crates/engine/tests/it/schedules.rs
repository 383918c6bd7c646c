//! Schedules over the life of processes: downtime, pauses, drains and changes of the mob file.

use crate::kit::{
    Changing, HEAD, Mob, count, journal, kinds, member, order, pass_ms, quiet, recorded, sound,
    until_kind,
};
use mobkit_domain::command::{Command, MemberCommand, MobCommand, ScheduleCommand};
use mobkit_domain::event::{Envelope, Event, Occasion};
use mobkit_domain::id::ScheduleId;
use mobkit_domain::time::Time;
use mobkit_engine::{ApplyOptions, Engine};
use std::collections::BTreeSet;

const MINUTE_MS: u64 = 60_000;

/// A mob with one schedule, each minute, to the member `a`.
fn text(more: &str) -> String {
    let schedule = "[[schedules]]\nid = \"work\"\nevery = \"1m\"\nto = { member = \"a\" }\n";
    let member = "[[members]]\nid = \"a\"\nprofile = \"worker\"\n";
    format!("{HEAD}{member}{schedule}{more}\n")
}

fn id(id: &str) -> ScheduleId {
    ScheduleId::parse(id).expect("an id")
}

/// The due times that were claimed, with their occasions.
fn claimed(events: &[Envelope]) -> Vec<(Time, Occasion)> {
    let claimed = events.iter().filter_map(|event| match &event.event {
        Event::OccurrenceClaimed(e) => Some((e.due, e.occasion)),
        _ => None,
    });
    claimed.collect()
}

/// How many due times were dropped.
fn missed(events: &[Envelope]) -> u64 {
    let missed = events.iter().filter_map(|event| match &event.event {
        Event::OccurrenceMissed(e) => Some(e.count),
        _ => None,
    });
    missed.sum()
}

async fn stop(engine: &Engine) {
    let report = engine.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert!(engine.tasks().live().is_empty());
}

/// Two occurrences, a downtime of ten minutes, and two more: what was claimed and what was missed
/// after it.
async fn over_downtime(policy: &str) -> (Vec<(Time, Occasion)>, u64) {
    let more = format!("message = \"say done\"\nmissed = {policy}\noverlap = \"queue\"");
    let mut mob = Mob::of(&text(&more));
    let engine = mob.up().await;
    let before = until_kind(&engine, "occurrence.completed", 2).await;
    assert_eq!(missed(&before), 0);
    stop(&engine).await;
    pass_ms(10 * MINUTE_MS + 30_000).await;
    mob.again();
    let engine = mob.up().await;
    recorded(&engine, |events| {
        let due = |(_, occasion): &&(Time, Occasion)| *occasion == Occasion::Due;
        let claimed = claimed(events);
        let open = claimed.len() - count(events, "occurrence.completed");
        claimed.iter().filter(due).count() >= 4 && open == 0
    })
    .await;
    stop(&engine).await;
    let events = sound(&mob.memory).await;
    let all = claimed(&events);
    let mut dues: Vec<Time> = all.iter().map(|(due, _)| *due).collect();
    dues.dedup();
    assert_eq!(dues.len(), all.len(), "none is claimed twice: {all:?}");
    assert_eq!(count(&events, "turn.completed"), all.len());
    (all, missed(&events))
}

fn made_up(claimed: &[(Time, Occasion)]) -> usize {
    let made_up = claimed
        .iter()
        .filter(|(_, occasion)| *occasion == Occasion::MadeUp);
    made_up.count()
}

#[tokio::test(start_paused = true)]
async fn after_a_downtime_all_are_made_up_for_where_they_are_wanted() {
    let (claimed, missed) = over_downtime("{ policy = \"all\", within = \"1h\" }").await;
    assert_eq!((made_up(&claimed), missed), (10, 0));
    let every = claimed.windows(2).all(|two| {
        let apart = two[1].0.since_ms(two[0].0);
        apart == MINUTE_MS
    });
    assert!(every, "{claimed:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_downtime_only_the_latest_is_made_up_for_where_that_is_wanted() {
    let (claimed, missed) = over_downtime("{ policy = \"latest\", within = \"1h\" }").await;
    assert_eq!((made_up(&claimed), missed), (1, 9));
}

#[tokio::test(start_paused = true)]
async fn after_a_downtime_none_is_made_up_for_where_that_is_wanted() {
    let (claimed, missed) = over_downtime("{ policy = \"skip\" }").await;
    assert_eq!((made_up(&claimed), missed), (0, 10));
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_its_window_is_counted_and_not_made_up_for() {
    let (claimed, missed) = over_downtime("{ policy = \"all\", within = \"4m\" }").await;
    assert_eq!(made_up(&claimed) as u64 + missed, 10);
    assert_eq!(made_up(&claimed), 4);
}

#[tokio::test(start_paused = true)]
async fn a_paused_mob_starts_nothing_and_a_resumed_one_goes_on() {
    let mob = Mob::of(&text(
        "message = \"say done\"\nmissed = { policy = \"skip\" }",
    ));
    let engine = mob.up().await;
    until_kind(&engine, "occurrence.completed", 1).await;
    let pause = MobCommand::Pause { reason: None };
    order(&engine, Command::Mob(pause)).await.expect("paused");
    let head = engine.head();
    pass_ms(5 * MINUTE_MS).await;
    quiet().await;
    assert_eq!(
        engine.head(),
        head,
        "{:?}",
        kinds(&journal(&mob.memory).await)
    );
    let resume = Command::Mob(MobCommand::Resume);
    order(&engine, resume).await.expect("resumed");
    let events = until_kind(&engine, "occurrence.completed", 2).await;
    assert_eq!(missed(&events), 5);
    assert_eq!(claimed(&events).len(), 2);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_has_begun_and_begins_nothing() {
    let mut mob = Mob::of(&text(
        "message = \"after 150000 say done\"\noverlap = \"queue\"\nmissed = { policy = \"all\" }",
    ));
    mob.drain_timeout_ms = 10 * MINUTE_MS;
    let engine = mob.up().await;
    until_kind(&engine, "occurrence.dispatched", 1).await;
    stop(&engine).await;
    let events = sound(&mob.memory).await;
    assert_eq!(claimed(&events).len(), 1, "two were due during the drain");
    assert_eq!(count(&events, "occurrence.completed"), 1);
    mob.again();
    let engine = mob.up().await;
    let events = until_kind(&engine, "occurrence.completed", 3).await;
    assert_eq!(made_up(&claimed(&events)), 2);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_interrupted_is_the_same_occurrence_after_the_restart() {
    let mut mob = Mob::of(&text("message = \"after 20000 say done\""));
    let engine = mob.up().await;
    until_kind(&engine, "turn.started", 1).await;
    stop(&engine).await;
    assert_eq!(count(&sound(&mob.memory).await, "occurrence.completed"), 0);
    mob.again();
    let engine = mob.up().await;
    let events = until_kind(&engine, "occurrence.completed", 1).await;
    assert_eq!(claimed(&events).len(), 1);
    assert_eq!(count(&events, "turn.started"), 1);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn an_apply_adds_changes_and_removes_schedules_and_routes() {
    const ROUTE: &str = "[[routes]]\nid = \"out\"\nmatch = { recipient = \"out\" }\n\
                         sink = { kind = \"file\", path = \"out.jsonl\" }\n";
    const SECOND: &str = "[[schedules]]\nid = \"tell\"\nevery = \"2m\"\n\
                          to = { route = \"out\" }\nmessage = \"ok\"\n";
    let first = text("message = \"say one\"");
    let mut mob = Mob::of(&first);
    let file = Changing::of(&first);
    mob.source = Some(file.clone());
    let engine = mob.up().await;
    until_kind(&engine, "occurrence.completed", 1).await;

    file.becomes(&(text("message = \"say two\"") + ROUTE + SECOND));
    let apply = async || {
        let options = ApplyOptions::default();
        engine.apply(&crate::kit::ada(), &options).await
    };
    let report = apply().await.expect("applied");
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!(report.schedules_defined, [id("tell"), id("work")]);
    assert_eq!(report.routes_defined.len(), 1);
    let changed = until_kind(&engine, "delivery.delivered", 1).await;
    assert_eq!(missed(&changed), 0, "what is new never fires back");
    let again = apply().await.expect("applied");
    assert!(again.schedules_defined.is_empty(), "{again:?}");
    assert!(again.routes_defined.is_empty(), "{again:?}");
    // The anchor stays with an edit.
    let work: Vec<_> = changed
        .iter()
        .filter_map(|event| match &event.event {
            Event::OccurrenceClaimed(e) if e.schedule == id("work") => Some(e.due),
            _ => None,
        })
        .collect();
    let even = work
        .windows(2)
        .all(|two| two[1].since_ms(two[0]) == MINUTE_MS);
    assert!(work.len() >= 2 && even, "{work:?}");

    file.becomes(&text("message = \"say two\"\nenabled = false"));
    let report = apply().await.expect("applied");
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!(report.schedules_removed, [id("tell")]);
    assert_eq!(report.schedules_defined, [id("work")]);
    assert_eq!(report.routes_removed.len(), 1);
    let head = engine.head();
    pass_ms(10 * MINUTE_MS).await;
    quiet().await;
    assert_eq!(engine.head(), head, "nothing fires any more");
    stop(&engine).await;
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_paused_by_hand_misses_nothing_and_fires_after_it_is_resumed() {
    let mob = Mob::of(&text("message = \"say done\""));
    let engine = mob.up().await;
    let schedule = id("work");
    let pause = ScheduleCommand::Pause {
        schedule: schedule.clone(),
        reason: None,
    };
    order(&engine, Command::Schedule(pause))
        .await
        .expect("paused");
    let head = engine.head();
    pass_ms(5 * MINUTE_MS).await;
    quiet().await;
    assert_eq!(engine.head(), head);
    let resume = ScheduleCommand::Resume {
        schedule: schedule.clone(),
    };
    order(&engine, Command::Schedule(resume))
        .await
        .expect("resumed");
    let events = until_kind(&engine, "occurrence.completed", 1).await;
    assert_eq!(claimed(&events).len(), 1);
    assert_eq!(claimed(&events)[0].1, Occasion::Due);
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn many_schedules_of_a_mob_file_share_batches() {
    const MANY: usize = 600;
    let entry = |at: usize| {
        format!(
            "[[schedules]]\nid = \"many-{at}\"\nevery = \"1h\"\nto = {{ member = \"a\" }}\n\
             message = \"say done\"\n"
        )
    };
    let one = text("message = \"say done\"");
    let many: String = (0..MANY).map(entry).collect();
    let many = one.clone() + &many;
    let mut mob = Mob::of(&many);
    let file = Changing::of(&many);
    mob.source = Some(file.clone());
    let engine = mob.up().await;
    let defined = engine.view(|world| world.state.schedules.len());
    assert_eq!(defined, MANY + 1);
    let appends = mob.tap.appends();
    assert!(appends.len() < MANY / 10, "{appends:?}");

    file.becomes(&one);
    let options = ApplyOptions::default();
    let report = engine.apply(&crate::kit::ada(), &options).await;
    let report = report.expect("applied");
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!(report.schedules_removed.len(), MANY);
    assert_eq!(engine.view(|world| world.state.schedules.len()), 1);
    let more = mob.tap.appends().len() - appends.len();
    assert!(more < MANY / 10, "{more} appends");
    stop(&engine).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_due_at_the_same_time_does_not_make_one_batch_of_any_size() {
    const MANY: usize = 4_000;
    const MEMBERS: usize = 4;
    // A full batch, and the look that came after the last event that fitted in.
    const EVENTS_MAX: usize = 4_096 + 3_010;
    let mut many = HEAD.to_owned();
    for at in 0..MEMBERS {
        let member = format!("[[members]]\nid = \"m{at}\"\nprofile = \"worker\"\n");
        many.push_str(&member);
    }
    for at in 0..MANY {
        let to = at % MEMBERS;
        let schedule = format!(
            "[[schedules]]\nid = \"s{at}\"\nevery = \"1h\"\nto = {{ member = \"m{to}\" }}\n\
             message = \"say done\"\n"
        );
        many.push_str(&schedule);
    }
    let mob = Mob::of(&many);
    let engine = mob.up().await;
    for at in 0..MEMBERS {
        let member = member(&format!("m{at}"));
        let reason = None;
        let pause = MemberCommand::Pause { member, reason };
        order(&engine, Command::Member(pause))
            .await
            .expect("paused");
    }
    let before = mob.tap.appends().len();
    let events = until_kind(&engine, "occurrence.dispatched", MANY).await;
    let claims: BTreeSet<_> = events
        .iter()
        .filter_map(|event| match &event.event {
            Event::OccurrenceClaimed(e) => Some((e.schedule.clone(), e.due)),
            _ => None,
        })
        .collect();
    assert_eq!(claims.len(), MANY);
    assert_eq!(count(&events, "occurrence.claimed"), MANY);
    let appends = mob.tap.appends().split_off(before);
    assert!(
        appends.iter().all(|events| *events <= EVENTS_MAX),
        "{appends:?}"
    );
    stop(&engine).await;
    sound(&mob.memory).await;
}
