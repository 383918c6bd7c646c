//! The last process: nothing fails any longer, and everything comes to its end.

use crate::client::Client;
use crate::hands;
use crate::life;
use crate::operations::{self, Operation};
use crate::outside::pass_ms;
use crate::run::Run;
use mobkit::Engine;
use mobkit::rehearse::Process;
use serde_json::json;
use std::sync::atomic::Ordering;

/// How often somebody looks whether there is something left to do, and how long that takes: days,
/// since a budget may let a member wait until the next one.
const ROUNDS_MAX: usize = 120;
const ROUND_MS: u64 = 1_800_000;

/// Lives until nothing is open, then stops in order.
pub(crate) async fn live(run: &mut Run, process: Process) {
    run.calm.store(true, Ordering::SeqCst);
    let mob = match run.builder(&process).start().await {
        Ok(mob) => mob,
        Err(error) => {
            run.says(format!("it does not start at the end: {error}"));
            return;
        }
    };
    let client = Client::of(&mob);
    let engine = mob.engine();
    for open in run.callers.open() {
        let answered = life::request(run, &client, open).await;
        life::note(run, answered);
    }
    for schedule in hands::schedules(engine) {
        call(run, &client, "schedule/pause", json!({"id": schedule})).await;
    }
    call(run, &client, "mob/resume", json!({})).await;
    let mut rounds = 0;
    while !is_settled(engine) && rounds < ROUNDS_MAX {
        rounds += 1;
        help(run, &client, engine).await;
        pass_ms(ROUND_MS).await;
    }
    if !is_settled(engine) {
        let open = engine.view(|world| {
            let state = &world.state;
            format!(
                "messages {:?}, turns {:?}, deliveries {:?}, approvals {:?}, calls {:?}",
                state.messages, state.turns, state.deliveries, state.approvals, state.direct_calls
            )
        });
        run.says(format!("it never settles: {open}"));
    }
    run.last_state = Some(engine.view(|world| world.state.clone()));
    let report = mob.shutdown().await;
    if !report.is_orderly() {
        run.says(format!("it does not stop in order: {report:?}"));
    }
}

/// Does what a person has to do for things to go on.
async fn help(run: &mut Run, client: &Client, engine: &Engine) {
    for (id, digest) in hands::pending(engine) {
        let params = json!({"id": id, "digest": digest, "decision": "approve"});
        call(run, client, "approval/decide", params).await;
    }
    for _ in hands::unknown(engine) {
        if let Some(Operation { name, params, .. }) = operations::resolve(engine, &run.outside) {
            call(run, client, name, params).await;
        }
    }
    for member in hands::halted(engine) {
        call(run, client, "member/resume", json!({"member": member})).await;
    }
}

async fn call(run: &mut Run, client: &Client, name: &str, params: serde_json::Value) {
    let answer = client.call(name, &params).await;
    life::note(run, (None, answer));
}

fn is_settled(engine: &Engine) -> bool {
    engine.view(|world| {
        let state = &world.state;
        state.messages.is_empty()
            && state.turns.is_empty()
            && state.deliveries.is_empty()
            && state.approvals.is_empty()
            && state.direct_calls.is_empty()
    })
}
