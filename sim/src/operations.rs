//! What somebody may ask of a mob, at random.

use crate::acts::message;
use crate::cast::{RECIPIENTS, Shelf};
use crate::hands;
use crate::outside::Outside;
use mobkit::Engine;
use mobkit::rehearse::Chance;
use serde_json::{Value, json};

/// A request: the operation, its parameters, and whether its caller asks until it is answered.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) params: Value,
    pub(crate) keyed: bool,
}

/// What kind of request, and how often of all.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Send,
    Ask,
    Decide,
    Resolve,
    Deliver,
    Schedule,
    SchedulePut,
    Member,
    Join,
    Stop,
    Line,
    Module,
    Route,
    Apply,
    Look,
}

const KINDS: [(u64, Kind); 15] = [
    (34, Kind::Send),
    (4, Kind::Ask),
    (12, Kind::Decide),
    (8, Kind::Resolve),
    (10, Kind::Deliver),
    (6, Kind::Schedule),
    (3, Kind::SchedulePut),
    (6, Kind::Member),
    (2, Kind::Join),
    (4, Kind::Stop),
    (2, Kind::Line),
    (4, Kind::Module),
    (2, Kind::Route),
    (3, Kind::Apply),
    (4, Kind::Look),
];

fn asked(name: &'static str, params: Value) -> Operation {
    Operation {
        name,
        params,
        keyed: false,
    }
}

/// A request of these moments: about what is there, mostly.
pub(crate) fn any(chance: &mut Chance, engine: &Engine, outside: &Outside) -> Operation {
    match chance.weighed(&KINDS) {
        Kind::Send => send(chance, engine),
        Kind::Ask => {
            let timeout_ms = chance.between(0, 600_000);
            let mut operation = send(chance, engine);
            operation.params["timeout_ms"] = timeout_ms.into();
            asked("member/ask", operation.params)
        }
        Kind::Decide => decide(chance, engine),
        Kind::Resolve => resolve(engine, outside).unwrap_or_else(|| send(chance, engine)),
        Kind::Deliver => deliver(chance),
        Kind::Schedule => schedule(chance, engine),
        Kind::SchedulePut => schedule_put(chance),
        Kind::Member => member(chance),
        Kind::Join => {
            let id = chance.pick(Shelf::members());
            let profile = chance.pick(&["worker", "clerk"]);
            asked(
                chance.pick(&["member/ensure", "member/spawn"]),
                json!({"id": id, "profile": profile}),
            )
        }
        Kind::Stop => stop(chance, engine),
        Kind::Line => asked(
            chance.pick(&["mob/pause", "mob/resume", "mob/resume"]),
            json!({}),
        ),
        Kind::Module => module(chance),
        Kind::Route => {
            let name = chance.pick(&["route/enable", "route/enable", "route/remove"]);
            let id = chance.pick(&["hook", "mail", "note"]);
            asked(name, json!({"id": id}))
        }
        Kind::Apply => asked(
            chance.pick(&["mob/reconcile", "mob/reconcile", "mob/reconcile_edges"]),
            json!({}),
        ),
        Kind::Look => asked(
            chance.pick(&[
                "mob/status",
                "member/list",
                "mob/plan",
                "turn/list",
                "delivery/list",
            ]),
            json!({}),
        ),
    }
}

fn send(chance: &mut Chance, engine: &Engine) -> Operation {
    let text = message(chance, Shelf::members(), &RECIPIENTS);
    let mut params = json!({"to": chance.pick(Shelf::members()), "content": text});
    let mode = chance.pick(&["", "", "", "queue", "steer", "interrupt", "reject"]);
    if !mode.is_empty() {
        params["mode"] = mode.into();
    }
    if chance.percent(10) {
        let expires = engine.now().plus_ms(chance.between(0, 300_000));
        params["expires"] = json!(expires);
    }
    Operation {
        name: "member/send",
        params,
        keyed: true,
    }
}

fn decide(chance: &mut Chance, engine: &Engine) -> Operation {
    let pending = hands::pending(engine);
    if pending.is_empty() {
        return send(chance, engine);
    }
    let (id, digest) = chance.pick(&pending);
    let digest = if chance.percent(10) {
        "sha256:0".to_owned()
    } else {
        digest
    };
    let decision = chance.pick(&["approve", "approve", "approve", "deny", "edit"]);
    let mut params = json!({"id": id, "digest": digest, "decision": decision});
    if decision == "edit" {
        params["args"] = json!({"step": 99});
    }
    if decision == "approve" && chance.percent(20) {
        params["grant"] = json!({"scope": "turn"});
    }
    asked("approval/decide", params)
}

/// An operator who looks into the outside world, and says what came of a call that nobody knows of.
pub(crate) fn resolve(engine: &Engine, outside: &Outside) -> Option<Operation> {
    let call = *hands::unknown(engine).first()?;
    let params = if outside.happened(call) > 0 {
        json!({"call": call, "how": "happened", "result": "ok"})
    } else {
        json!({"call": call, "how": "run"})
    };
    Some(asked("tool/resolve", params))
}

fn deliver(chance: &mut Chance) -> Operation {
    Operation {
        name: "delivery/send",
        params: json!({
            "recipient": chance.pick(&RECIPIENTS),
            "payload": {"number": chance.between(1, 9)},
        }),
        keyed: true,
    }
}

fn schedule(chance: &mut Chance, engine: &Engine) -> Operation {
    let all = hands::schedules(engine);
    if all.is_empty() {
        return deliver(chance);
    }
    let name = chance.pick(&[
        "schedule/trigger",
        "schedule/trigger",
        "schedule/pause",
        "schedule/resume",
        "schedule/resume",
        "schedule/occurrences",
        "schedule/preview",
        "schedule/remove",
    ]);
    asked(name, json!({"id": chance.pick(&all)}))
}

fn schedule_put(chance: &mut Chance) -> Operation {
    let every = chance.pick(&["5m", "40m"]);
    let policy = chance.pick(&["skip", "latest", "all"]);
    let overlap = chance.pick(&["skip", "queue", "allow"]);
    let mut params = json!({
        "id": "added", "every": every, "missed": {"policy": policy, "within": "1h"},
        "overlap": overlap, "to": {"member": "ada"}, "message": "put",
    });
    if chance.percent(30) {
        params["to"] = json!({"route": "hook"});
    }
    asked("schedule/put", params)
}

fn member(chance: &mut Chance) -> Operation {
    let name = chance.pick(&[
        "member/pause",
        "member/resume",
        "member/resume",
        "member/respawn",
        "member/reset",
        "member/retire",
    ]);
    let mut params = json!({"member": chance.pick(Shelf::members())});
    if name == "member/retire" && chance.percent(50) {
        params["mode"] = "now".into();
    }
    asked(name, params)
}

fn stop(chance: &mut Chance, engine: &Engine) -> Operation {
    let turns = hands::turns(engine);
    let messages = hands::messages(engine);
    if chance.percent(50) && !turns.is_empty() {
        return asked("turn/cancel", json!({"turn": chance.pick(&turns)}));
    }
    if messages.is_empty() {
        let member = chance.pick(Shelf::members());
        return asked("member/cancel", json!({"member": member}));
    }
    asked("message/cancel", json!({"message": chance.pick(&messages)}))
}

fn module(chance: &mut Chance) -> Operation {
    let name = chance.pick(&[
        "module/call",
        "module/call",
        "module/restart",
        "module/stop",
        "module/start",
    ]);
    if name == "module/call" {
        let tool = chance.pick(&["look", "put", "pay"]);
        return asked(name, json!({"module": "bank", "tool": tool, "args": {}}));
    }
    asked(name, json!({"module": "bank"}))
}
