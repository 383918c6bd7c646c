//! The seeds that run with every test run. `cargo xtask sim` runs more of them.

use mobkit_sim::check;

/// How many seeds one test runs.
const SEEDS: u64 = 10;

fn hold(from: u64) {
    for seed in from..from + SEEDS {
        if let Err(problem) = check(seed) {
            panic!("{problem}");
        }
    }
}

#[test]
fn what_is_promised_holds_of_seeds_from_0() {
    hold(0);
}

#[test]
fn what_is_promised_holds_of_seeds_from_10() {
    hold(10);
}

#[test]
fn what_is_promised_holds_of_seeds_from_20() {
    hold(20);
}

#[test]
fn what_is_promised_holds_of_seeds_from_30() {
    hold(30);
}

#[test]
fn what_is_promised_holds_of_seeds_from_40() {
    hold(40);
}

#[test]
fn what_is_promised_holds_of_seeds_from_50() {
    hold(50);
}

#[test]
fn what_is_promised_holds_of_seeds_from_60() {
    hold(60);
}

#[test]
fn what_is_promised_holds_of_seeds_from_70() {
    hold(70);
}

#[test]
fn what_is_promised_holds_of_seeds_from_80() {
    hold(80);
}

#[test]
fn what_is_promised_holds_of_seeds_from_90() {
    hold(90);
}

#[test]
fn a_run_does_not_depend_on_what_ran_before_it() {
    let alone = check(5).expect("it holds").digest;
    let other = check(6).expect("it holds").digest;
    assert_eq!(alone, check(5).expect("it holds").digest);
    assert_ne!(alone, other);
}
