//! Whatever comes in whatever order, nothing breaks and nothing is lost.

use super::ops::{op, op_at_gates};
use super::watch::Watch;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_nothing_breaks_and_nothing_is_lost(
        gates in prop_oneof![3 => Just(0_u8), 1 => 1..4_u8],
        ops in prop::collection::vec(op(), 1..120)
    ) {
        let mut watch = Watch::new(gates);
        for op in &ops {
            watch.step(op);
        }
    }

    #[test]
    fn whatever_is_asked_and_decided_nothing_begins_that_nobody_let_pass(
        gates in prop_oneof![3 => Just(0_u8), 1 => 1..4_u8],
        ops in prop::collection::vec(op_at_gates(), 1..120)
    ) {
        let mut watch = Watch::new(gates);
        for op in &ops {
            watch.step(op);
        }
    }
}
