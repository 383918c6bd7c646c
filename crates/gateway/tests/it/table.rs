//! The table of operations.

use mobkit_domain::lifecycle::Verb;
use mobkit_gateway::{Keys, OPERATIONS, Permission};
use std::collections::BTreeSet;

#[test]
fn every_operation_of_the_contract_is_there_once() {
    let expected: BTreeSet<&str> = [
        "mob/status mob/plan mob/apply mob/reconcile mob/reconcile_edges mob/rediscover",
        "mob/reset mob/pause mob/resume member/spawn member/ensure member/list member/get",
        "member/retire member/respawn member/reset member/delete member/pause member/resume",
        "member/cancel member/history member/send member/ask edge/list edge/wire edge/unwire",
        "message/get message/list message/cancel turn/get turn/list turn/cancel tool/resolve",
        "approval/list approval/get approval/decide grant/list grant/revoke",
        "module/list module/get module/start module/stop module/restart module/call module/log",
        "schedule/put schedule/get schedule/list schedule/remove schedule/pause schedule/resume",
        "schedule/trigger schedule/preview schedule/occurrences schedule/backfill",
        "route/list route/get route/put route/enable route/remove route/resolve",
        "delivery/send delivery/list delivery/get delivery/replay",
        "engine/list module/tools task/list cost/summary event/query blob/get system/info system/shutdown",
    ]
    .iter()
    .flat_map(|line| line.split(' '))
    .collect();
    let found: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.name).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), OPERATIONS.len());
}

#[test]
fn what_changes_something_asks_for_more_than_to_look_and_takes_a_key() {
    for operation in OPERATIONS {
        let reads = operation.verb == Verb::Read;
        assert_eq!(operation.is_read(), reads, "{}", operation.name);
        assert_eq!(
            operation.permission == Permission::Read,
            reads,
            "{}",
            operation.name
        );
        assert_eq!(operation.keys == Keys::Absent, reads, "{}", operation.name);
    }
}

#[test]
fn every_operation_says_what_it_does_and_leaves_mob_and_key_to_the_surface() {
    for operation in OPERATIONS {
        assert!(operation.doc.ends_with('.'), "{}", operation.name);
        assert!(!operation.doc.contains("  "), "{}", operation.name);
        let params = (operation.params)();
        assert!(
            !params.contains(&"mob") && !params.contains(&"key"),
            "{}",
            operation.name
        );
    }
}
