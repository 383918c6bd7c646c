//! What model calls cost, one row each, whatever becomes of those who made them.

use super::harness::{Mob, NEWSROOM, member, reply, spec};
use super::schedule_kit::rota_with;
use mobkit_domain::command::{Command, MemberCommand, TurnCommand};
use mobkit_domain::cost::Spending;
use mobkit_domain::event::{Fence, Offers, RetireMode};
use mobkit_domain::id::{ModelId, ProfileId, ScheduleId};
use mobkit_domain::model::{Cost, Usage};
use mobkit_domain::row::{CostRow, Row, Table};
use mobkit_domain::text::Text;
use serde_json::{Value, json};

/// The rows of costs, oldest first.
fn rows(mob: &Mob) -> Vec<&CostRow> {
    let costs = mob.rows.range((Table::Cost, 0)..);
    let costs = costs.filter_map(|(_, row)| match row {
        Row::Cost(row) => Some(&**row),
        _ => None,
    });
    costs.collect()
}

fn sum(mob: &Mob) -> Spending {
    let mut sum = Spending::default();
    for row in rows(mob) {
        sum.add(row);
    }
    sum
}

/// Each priced reply of the harness costs 120 millionths of a dollar.
const REPLY: u64 = 120_000;

#[test]
fn each_call_has_a_row_and_their_sums_are_those_of_turns_and_members() {
    let mut mob = Mob::ready();
    mob.send("ann", "work");
    let turn = mob.turn_of("ann");
    mob.calls("ann", "", &[("now", json!({}))]);
    mob.answers("ann", "done");
    mob.send("r1", "work");
    mob.answers("r1", "done");
    let found: Vec<_> = rows(&mob)
        .iter()
        .map(|row| {
            let who = (
                row.member.as_str(),
                row.profile.as_str(),
                row.model.as_str(),
            );
            (who, row.cost_usd.map(|cost| cost.0))
        })
        .collect();
    assert_eq!(
        found,
        [
            (("ann", "desk", "main"), Some(REPLY)),
            (("ann", "desk", "main"), Some(REPLY)),
            (("r1", "reporter", "small"), None),
        ]
    );
    let row = mob.turn_row(turn);
    assert_eq!(row.cost_usd, Some(Cost(2 * REPLY)));
    assert_eq!(row.profile.as_ref().map(ProfileId::as_str), Some("desk"));
    assert_eq!(row.model.as_ref().map(ModelId::as_str), Some("main"));
    let all = sum(&mob);
    assert_eq!((all.calls, all.unpriced_calls), (3, 1));
    assert_eq!(all.cost_usd(), Some(Cost(2 * REPLY)));
    assert_eq!(all.usage.tokens(), 330);
}

#[test]
fn nothing_called_is_free_and_only_unpriced_calls_cost_nobody_knows_what() {
    let mut of = Spending::default();
    assert_eq!(of.cost_usd(), Some(Cost(0)));
    let mut mob = Mob::ready();
    mob.send("r1", "work");
    mob.answers("r1", "done");
    of += sum(&mob);
    assert_eq!((of.calls, of.unpriced_calls, of.cost_usd()), (1, 1, None));
}

#[test]
fn what_a_helper_cost_stays_when_it_has_left_and_is_forgotten() {
    let text = NEWSROOM.replace(
        "tools = [\"peers\", \"now\", \"look\", \"save\", \"publish\"]",
        "tools = [\"delegate\"]",
    );
    let mut mob = Mob::ready_of(&text);
    mob.send("ann", "go");
    let task = json!({"task": "Write.", "profile": "desk"});
    mob.calls("ann", "", &[("delegate", task)]);
    let helpers: Vec<_> = mob
        .world
        .state
        .helpers_of(&member("ann"))
        .cloned()
        .collect();
    let helper = helpers[0].to_string();
    mob.answers(&helper, "written");
    mob.answers("ann", "done");
    let before = sum(&mob);
    assert_eq!(before.cost_usd(), Some(Cost(3 * REPLY)));
    mob.member(MemberCommand::Retire {
        member: member(&helper),
        mode: RetireMode::Now,
        reason: None,
    });
    assert!(!mob.world.state.members.contains_key(&member(&helper)));
    assert_eq!(sum(&mob), before, "the sum of the mob keeps it");
    assert_eq!(rows(&mob)[1].member.as_str(), helper);
}

#[test]
fn what_a_schedule_began_is_put_down_to_it_along_the_whole_chain() {
    let mut mob = Mob::rota(&rota_with("every = \"1h\""));
    mob.trigger("s");
    mob.calls(
        "ann",
        "",
        &[("ask_peer", json!({"to": "bob", "content": "Well?"}))],
    );
    mob.answers("bob", "well");
    mob.answers("ann", "done");
    mob.send("ann", "and by hand");
    mob.answers("ann", "done");
    let schedules: Vec<_> = rows(&mob)
        .iter()
        .map(|row| row.schedule.as_ref().map(ScheduleId::as_str))
        .collect();
    assert_eq!(schedules, [Some("s"), Some("s"), Some("s"), None]);
}

/// A mob whose engine `ext` works with a model that has a price.
fn external(offers_usage: bool) -> Mob {
    let role = "engine = \"meerkat\"\nmodel = \"small\"";
    assert_eq!(NEWSROOM.matches(role).count(), 1);
    let mut mob = Mob::ready_of(&NEWSROOM.replace(role, &role.replace("small", "main")));
    mob.spawn(spec("ext", "remote"));
    mob.internal(Command::Member(MemberCommand::EngineStarted {
        member: member("ext"),
        fence: Fence {
            generation: 1,
            incarnation: 1,
        },
        offers: Offers {
            steer: false,
            usage: offers_usage,
            deltas: false,
        },
        error: None,
    }));
    mob.send("ext", "go");
    mob
}

fn engine_replies(mob: &mut Mob, usage: Usage, calls: &[(&str, Value)]) {
    let mut reply = reply("done", calls);
    reply.usage = usage;
    mob.internal(Command::Turn(TurnCommand::EngineReplied {
        turn: mob.turn_of("ext"),
        fence: mob.fence_of("ext"),
        reply,
        original: Value::Null,
    }));
}

#[test]
fn the_calls_of_an_engine_cost_what_the_mob_file_says_of_its_model() {
    let mut mob = external(true);
    assert_eq!(mob.data("turn.started").get("unpriced"), None);
    let turn = mob.turn_of("ext");
    engine_replies(&mut mob, reply("", &[]).usage, &[]);
    assert_eq!(mob.data("model.replied")["cost_usd"], json!(0.00012));
    mob.internal(Command::Turn(TurnCommand::EngineEnded {
        turn,
        fence: mob.fence_of("ext"),
        outcome: Ok(Text::from("done")),
    }));
    assert_eq!(mob.turn_row(turn).cost_usd, Some(Cost(REPLY)));
    assert_eq!(sum(&mob).cost_usd(), Some(Cost(REPLY)));
    let ext = &mob.world.state.members[&member("ext")];
    assert_eq!(ext.cost_usd(), Some(Cost(REPLY)));
}

#[test]
fn what_an_engine_does_not_count_has_no_price() {
    let mut mob = external(false);
    assert_eq!(mob.data("turn.started")["unpriced"], true);
    engine_replies(&mut mob, Usage::default(), &[]);
    assert_eq!(mob.data("model.replied").get("cost_usd"), None);
    assert_eq!(sum(&mob).unpriced_calls, 1);
}

#[test]
fn an_engine_pauses_its_member_when_the_money_of_the_day_is_used_up() {
    let role = "engine = \"meerkat\"\nmodel = \"small\"";
    let budget = "budget = { steps_per_turn = 3 }";
    let text = NEWSROOM
        .replace(role, &role.replace("small", "main"))
        .replace(budget, "budget = { usd_per_day = 0.0002 }");
    let mut mob = external(true);
    mob.redefine(&text);
    let usage = reply("", &[]).usage;
    engine_replies(&mut mob, usage, &[]);
    assert_eq!(mob.count("member.paused"), 0);
    engine_replies(&mut mob, usage, &[]);
    assert_eq!(mob.data("member.paused")["budget"], "usd_per_day");
}
