//! One process of a mob: it is asked things and killed, stopped or left without a disk.

use crate::client::{Client, Problem};
use crate::operations;
use crate::outside::pass_ms;
use crate::run::Run;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use mobkit::rehearse::Chance;
use mobkit::rehearse::Process;
use mobkit::{Death, Mob};
use serde_json::Value;
use std::sync::Arc;

/// How a process comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Killed in an append, or where it gets no so far, stopped.
    KilledInAppend,
    /// The disk fails in an append; the process sees it and stops.
    DiskFails,
    /// Killed at any moment.
    Killed,
    /// Stopped in order.
    Stopped,
}

const ENDS: [(u64, End); 4] = [
    (50, End::KilledInAppend),
    (10, End::DiskFails),
    (20, End::Killed),
    (20, End::Stopped),
];

/// What came of a request: its number where it had a key, and the answer.
type Answered = (Option<usize>, Result<Value, Problem>);

/// Lives once.
pub(crate) async fn live(run: &mut Run, process: Process, number: usize) {
    let mut chance = Chance::of(run.seed, &format!("life {number}"));
    let end = *chance.weighed(&ENDS);
    if matches!(end, End::KilledInAppend | End::DiskFails) {
        let at = usize::try_from(chance.between(1, 80)).expect("a small number");
        let death = if chance.percent(50) {
            Death::Before(at)
        } else {
            Death::After(at)
        };
        process.tap.dies(death);
    }
    process.tap.append_takes(chance.pick(&[0, 0, 1, 30]));
    let tap = Arc::clone(&process.tap);
    let mut mob = None;
    let living = work(run, &process, &mut chance, &mut mob);
    if end == End::DiskFails {
        living.await;
        if let Some(mob) = mob {
            mob.shutdown().await;
        }
        return;
    }
    tokio::select! {
        biased;
        () = tap.died() => return,
        () = living => {}
    }
    if let Some(mob) = mob.filter(|_| end != End::Killed) {
        let stopping = async {
            let report = mob.shutdown().await;
            report.problems
        };
        let problems = tokio::select! {
            biased;
            () = tap.died() => return,
            problems = stopping => problems,
        };
        if !problems.is_empty() && !tap.is_dead() {
            run.says(format!("life {number} could not be stopped: {problems:?}"));
        }
    }
}

/// Starts, and asks at random for a while.
async fn work(run: &mut Run, process: &Process, chance: &mut Chance, out: &mut Option<Mob>) {
    let started = run.builder(process).start().await;
    let mob = match started {
        Ok(mob) => mob,
        Err(error) => {
            if !process.tap.is_dead() {
                run.says(format!("it does not start: {error}"));
            }
            return;
        }
    };
    *out = Some(mob.clone());
    let client = Client::of(&mob);
    let mut asking: FuturesUnordered<BoxFuture<'static, Answered>> = FuturesUnordered::new();
    for open in run.callers.open() {
        asking.push(request(run, &client, open));
    }
    for _ in 0..chance.between(5, 40) {
        let pause_ms = match chance.between(1, 10) {
            1..=4 => 0,
            5..=8 => chance.between(1, 20_000),
            _ => chance.between(20_000, 1_800_000),
        };
        listen(run, &mut asking, pause_ms).await;
        ask(run, chance, (&mob, &client), process, &mut asking);
    }
    let pause_ms = chance.between(0, 60_000);
    listen(run, &mut asking, pause_ms).await;
}

/// Makes one request, or turns the clock, or lays out another mob file.
fn ask(
    run: &mut Run,
    chance: &mut Chance,
    (mob, client): (&Mob, &Client),
    process: &Process,
    asking: &mut FuturesUnordered<BoxFuture<'static, Answered>>,
) {
    if chance.percent(2) {
        let by_ms = i64::try_from(chance.between(1, 7_200_000)).expect("two hours fit");
        let back = chance.percent(50);
        process.clock.shift_ms(if back { -by_ms } else { by_ms });
    }
    if chance.percent(4) {
        run.shelf.change();
    }
    let operation = operations::any(chance, mob.engine(), &run.outside);
    if operation.keyed {
        let number = run.callers.asks(operation.name, operation.params);
        asking.push(request(run, client, number));
        return;
    }
    let client = client.clone();
    asking.push(Box::pin(async move {
        let answer = client.call(operation.name, &operation.params).await;
        (None, answer)
    }));
}

/// A request with a key, made for the first time or again.
pub(crate) fn request(run: &Run, client: &Client, number: usize) -> BoxFuture<'static, Answered> {
    let asked = run.callers.0[number].clone();
    let client = client.clone();
    Box::pin(async move {
        let answer = client.call(asked.operation, &asked.params).await;
        (Some(number), answer)
    })
}

/// Notes answers for so long.
async fn listen(
    run: &mut Run,
    asking: &mut FuturesUnordered<BoxFuture<'static, Answered>>,
    for_ms: u64,
) {
    let over = pass_ms(for_ms);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            Some(answered) = asking.next() => note(run, answered),
            () = &mut over => return,
        }
    }
}

/// Notes an answer. Whoever is told that something may yet work asks again.
pub(crate) fn note(run: &mut Run, (number, answer): Answered) {
    match answer {
        Ok(answer) => {
            if let Some(number) = number {
                run.callers.0[number].answer = Some(answer);
            }
        }
        Err(problem) => {
            if problem.status == 500 && problem.code != "store.failed" {
                run.says(format!("a defect is answered: {}", problem.text));
            }
            let again = matches!(problem.status, 500 | 503);
            if let Some(number) = number.filter(|_| !again) {
                run.callers.0[number].refused = true;
            }
        }
    }
}
