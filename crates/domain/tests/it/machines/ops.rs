//! What may come in, sense and nonsense.

use mobkit_domain::event::{
    EdgeOrigin, MessageMode, ResolveHow, RetireMode, UnwireReason, Verdict,
};
use mobkit_domain::model::FailureClass;
use proptest::prelude::*;
use proptest::sample::select;

const MEMBERS: [&str; 8] = ["ann", "bob", "r1", "r2", "r3", "ext", "zoe", "nobody"];
const PROFILES: [&str; 4] = ["desk", "reporter", "remote", "chef"];
const TOOLS: [&str; 9] = [
    "look",
    "look",
    "save",
    "publish",
    "now",
    "send_message",
    "ask_peer",
    "delegate",
    "rm_rf",
];

/// Something that may come in. Numbers pick among what is there, wrapping around.
#[derive(Debug, Clone)]
pub enum Op {
    Send {
        to: &'static str,
        mode: Option<MessageMode>,
        expires_ms: Option<u64>,
        key: Option<u8>,
    },
    SendAs {
        from: &'static str,
        to: &'static str,
    },
    Withdraw {
        pick: usize,
    },
    Reply {
        who: &'static str,
        calls: Vec<(&'static str, &'static str)>,
        stale: u8,
    },
    Fail {
        who: &'static str,
        class: FailureClass,
        retry_after_ms: Option<u64>,
    },
    ToolEnded {
        who: &'static str,
        pick: usize,
        came: Came,
    },
    Decide(Said),
    Revoke {
        pick: usize,
        by: u8,
    },
    Elicit {
        who: &'static str,
        pick: usize,
    },
    Resolve {
        who: &'static str,
        pick: usize,
        how: ResolveHow,
        result: bool,
    },
    EngineReplied {
        who: &'static str,
        calls: Vec<(&'static str, &'static str)>,
    },
    EngineEnded {
        who: &'static str,
        good: bool,
    },
    EngineSteered {
        who: &'static str,
        pick: usize,
    },
    EngineLost {
        who: &'static str,
    },
    EngineFailed,
    EngineStarted {
        who: &'static str,
        good: bool,
        stale: bool,
    },
    TurnCancel {
        pick: usize,
    },
    Spawn {
        who: &'static str,
        profile: &'static str,
        ensure: bool,
        session: Option<u64>,
    },
    Respawn {
        who: &'static str,
        profile: Option<&'static str>,
    },
    Retire {
        who: &'static str,
        mode: RetireMode,
    },
    Member {
        who: &'static str,
        verb: u8,
    },
    Wire {
        a: &'static str,
        b: &'static str,
        origin: EdgeOrigin,
    },
    Unwire {
        a: &'static str,
        b: &'static str,
        reason: UnwireReason,
    },
    Mob {
        verb: u8,
    },
    Runtime {
        verb: u8,
    },
    Pass {
        ms: u64,
    },
    Redefine {
        reporters: bool,
        gates: u8,
    },
}

/// What comes of a tool call.
#[derive(Debug, Clone, Copy)]
pub enum Came {
    Good,
    Bad,
    Lost,
}

/// What somebody says about an approval.
#[derive(Debug, Clone)]
pub struct Said {
    pub pick: usize,
    pub by: u8,
    pub is_approver: bool,
    pub is_stale: bool,
    pub decision: Verdict,
    pub with_args: bool,
    /// How long a grant is to hold, and which arguments it is to list.
    pub grant: Option<(u8, u8)>,
}

fn who() -> impl Strategy<Value = &'static str> {
    select(&MEMBERS[..])
}

fn calls() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let some = prop::collection::vec((select(&TOOLS[..]), who()), 1..4);
    prop_oneof![2 => Just(Vec::new()), 3 => some]
}

fn of_messages() -> impl Strategy<Value = Op> {
    let modes = vec![
        MessageMode::Queue,
        MessageMode::Reject,
        MessageMode::Steer,
        MessageMode::Steer,
        MessageMode::Interrupt,
    ];
    let mode = prop::option::weighted(0.4, select(modes));
    let expires = prop_oneof![3 => Just(None), 1 => (0..40_u64).prop_map(Some)];
    prop_oneof![
        8 => (who(), mode, expires, prop::option::weighted(0.2, 0..3_u8)).prop_map(
            |(to, mode, expires_ms, key)| Op::Send { to, mode, expires_ms, key }
        ),
        1 => (who(), who()).prop_map(|(from, to)| Op::SendAs { from, to }),
        1 => who().prop_map(|to| Op::SendAs { from: "runtime", to }),
        1 => any::<usize>().prop_map(|pick| Op::Withdraw { pick }),
    ]
}

fn of_turns() -> impl Strategy<Value = Op> {
    use FailureClass::{Cut, RateLimited, Unauthorized};
    let class = select(vec![Cut, RateLimited, Unauthorized]);
    let how = select(vec![
        ResolveHow::Happened,
        ResolveHow::Run,
        ResolveHow::GiveUp,
    ]);
    prop_oneof![
        10 => (who(), calls(), prop_oneof![9 => Just(0), 1 => 1..4_u8])
            .prop_map(|(who, calls, stale)| Op::Reply { who, calls, stale }),
        2 => (who(), class, prop::option::of(0..700_000_u64)).prop_map(
            |(who, class, retry_after_ms)| Op::Fail { who, class, retry_after_ms }
        ),
        6 => (who(), 0..4_usize, select(vec![Came::Good, Came::Bad, Came::Lost]))
            .prop_map(|(who, pick, came)| Op::ToolEnded { who, pick, came }),
        3 => (who(), 0..4_usize, how, prop::bool::weighted(0.2)).prop_map(
            |(who, pick, how, wrong)| {
                let result = (how == ResolveHow::Happened) != wrong;
                Op::Resolve { who, pick, how, result }
            }
        ),
        3 => (who(), calls()).prop_map(|(who, calls)| Op::EngineReplied { who, calls }),
        2 => (who(), any::<bool>()).prop_map(|(who, good)| Op::EngineEnded { who, good }),
        2 => (who(), 0..3_usize).prop_map(|(who, pick)| Op::EngineSteered { who, pick }),
        2 => who().prop_map(|who| Op::EngineLost { who }),
        1 => Just(Op::EngineFailed),
        1 => any::<usize>().prop_map(|pick| Op::TurnCancel { pick }),
    ]
}

fn of_approvals() -> impl Strategy<Value = Op> {
    let verdicts = vec![
        Verdict::Approve,
        Verdict::Approve,
        Verdict::Edit,
        Verdict::Deny,
    ];
    let flag = |weight| prop::bool::weighted(weight);
    let scope = select(vec![0_u8, 0, 3, 3, 1, 2]);
    let listed = select(vec![0_u8, 1, 1, 2]);
    let grant = prop::option::weighted(0.4, (scope, listed));
    let said = (
        any::<usize>(),
        0..6_u8,
        flag(0.7),
        flag(0.1),
        select(verdicts),
        flag(0.2),
        grant,
    );
    let said = said.prop_map(
        |(pick, by, is_approver, is_stale, decision, odd_args, grant)| Said {
            pick,
            by,
            is_approver,
            is_stale,
            decision,
            with_args: (decision == Verdict::Edit) != odd_args,
            grant,
        },
    );
    prop_oneof![
        8 => said.prop_map(Op::Decide),
        1 => (any::<usize>(), 0..6_u8).prop_map(|(pick, by)| Op::Revoke { pick, by }),
        2 => (who(), 0..4_usize).prop_map(|(who, pick)| Op::Elicit { who, pick }),
    ]
}

fn of_members() -> impl Strategy<Value = Op> {
    let mode = select(vec![RetireMode::Drain, RetireMode::Drain, RetireMode::Now]);
    let origin = select(vec![
        EdgeOrigin::Static,
        EdgeOrigin::Managed,
        EdgeOrigin::Operator,
        EdgeOrigin::Helper,
    ]);
    let reason = select(vec![
        UnwireReason::Requested,
        UnwireReason::NotDesired,
        UnwireReason::MemberRetired,
        UnwireReason::Pruned,
    ]);
    let profile = || select(&PROFILES[..]);
    prop_oneof![
        4 => (who(), profile(), any::<bool>(), prop::option::weighted(0.2, 0..20_u64)).prop_map(
            |(who, profile, ensure, session)| Op::Spawn { who, profile, ensure, session }
        ),
        3 => (who(), prop::bool::weighted(0.8), prop::bool::weighted(0.2))
            .prop_map(|(who, good, stale)| Op::EngineStarted { who, good, stale }),
        2 => (who(), prop::option::of(profile()))
            .prop_map(|(who, profile)| Op::Respawn { who, profile }),
        2 => (who(), mode).prop_map(|(who, mode)| Op::Retire { who, mode }),
        4 => (who(), 0..6_u8).prop_map(|(who, verb)| Op::Member { who, verb }),
        2 => (who(), who(), origin).prop_map(|(a, b, origin)| Op::Wire { a, b, origin }),
        2 => (who(), who(), reason).prop_map(|(a, b, reason)| Op::Unwire { a, b, reason }),
    ]
}

pub fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => of_messages(),
        14 => of_turns(),
        7 => of_approvals(),
        5 => of_members(),
        1 => select(vec![0, 1, 2, 2, 2, 2]).prop_map(|verb| Op::Mob { verb }),
        3 => select(vec![0, 0, 1, 2, 3, 4, 5, 5, 5, 5]).prop_map(|verb| Op::Runtime { verb }),
        2 => (0..50_u64).prop_map(|ms| Op::Pass { ms }),
        1 => (prop::bool::weighted(0.8), 0..4_u8)
            .prop_map(|(reporters, gates)| Op::Redefine { reporters, gates }),
    ]
}

/// Something that may come in where two members work behind gates.
pub fn op_at_gates() -> impl Strategy<Value = Op> {
    let who = || select(vec!["ann", "bob"]);
    let tool = select(vec!["publish", "publish", "save", "look", "send_message"]);
    let calls = prop_oneof![
        1 => Just(Vec::new()),
        5 => prop::collection::vec((tool, who()), 1..4),
    ];
    let came = select(vec![Came::Good, Came::Good, Came::Bad, Came::Lost]);
    let how = select(vec![
        ResolveHow::Happened,
        ResolveHow::Run,
        ResolveHow::GiveUp,
    ]);
    prop_oneof![
        6 => who().prop_map(|to| Op::Send { to, mode: None, expires_ms: None, key: None }),
        1 => who().prop_map(|to| Op::SendAs { from: "runtime", to }),
        12 => (who(), calls).prop_map(|(who, calls)| Op::Reply { who, calls, stale: 0 }),
        12 => (who(), 0..3_usize, came)
            .prop_map(|(who, pick, came)| Op::ToolEnded { who, pick, came }),
        16 => of_approvals(),
        2 => (who(), how).prop_map(|(who, how)| {
            let result = how == ResolveHow::Happened;
            Op::Resolve { who, pick: 0, how, result }
        }),
        1 => any::<usize>().prop_map(|pick| Op::TurnCancel { pick }),
        // Crash, drain, checkpoint, tick, ready.
        4 => select(vec![0, 1, 2, 4, 5, 5, 5]).prop_map(|verb| Op::Runtime { verb }),
        3 => (0..30_u64).prop_map(|ms| Op::Pass { ms }),
        1 => (0..4_u8).prop_map(|gates| Op::Redefine { reporters: true, gates }),
        1 => who().prop_map(|who| Op::Respawn { who, profile: None }),
    ]
}
