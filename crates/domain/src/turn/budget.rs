//! Budgets: what stops a turn, and what lets a member pause until it may go on.

use super::end::{self, Used};
use crate::definition::Profile;
use crate::draft::Draft;
use crate::event::{
    Amount, BudgetExhausted, BudgetWarned, MemberPaused, MemberResumed, TurnFailure,
};
use crate::id::{MemberId, Seq, TurnId};
use crate::model::Cost;
use crate::refusal::{Refusal, RefusalKind};
use crate::state::{Member, MemberMode, Turn, next_day, next_hour};
use crate::time::Time;

/// The budget of a UTC day, in US dollars.
pub(crate) const USD_PER_DAY: &str = "usd_per_day";
/// The budget of a UTC hour, in turns.
const TURNS_PER_HOUR: &str = "turns_per_hour";

/// A budget with what was used of it.
#[derive(Debug, Clone, Copy)]
struct Use {
    budget: &'static str,
    limit: Amount,
    used: Amount,
}

impl Use {
    fn is_exhausted(self) -> bool {
        self.used >= self.limit
    }

    fn reason(self) -> String {
        format!("the budget {} of {} is used up", self.budget, self.limit)
    }
}

/// What the day has cost, where the profile bounds it; `more` is not applied yet.
fn of_day(profile: &Profile, member: &Member, more: Option<Cost>, now: Time) -> Option<Use> {
    let limit = Cost::from_usd(profile.budget.usd_per_day?);
    let mut used = member.spent.cost_on_day(now);
    used += more.unwrap_or_default();
    Some(Use {
        budget: USD_PER_DAY,
        limit: Amount::Usd(limit),
        used: Amount::Usd(used),
    })
}

/// How many turns began in this hour, where the profile bounds them; `more` are not applied yet.
fn of_hour(profile: &Profile, member: &Member, more: u32, now: Time) -> Option<Use> {
    let limit = u64::from(profile.budget.turns_per_hour?);
    let used = member.spent.turns_in_hour(now).saturating_add(more);
    Some(Use {
        budget: TURNS_PER_HOUR,
        limit: Amount::Count(limit),
        used: Amount::Count(u64::from(used)),
    })
}

/// The budget for want of which no turn may begin now, and when it is there again.
fn wanting(profile: &Profile, member: &Member, now: Time) -> Option<(Use, Time)> {
    let day = of_day(profile, member, None, now).map(|day| (day, next_day(now)));
    let hour = of_hour(profile, member, 0, now).map(|hour| (hour, next_hour(now)));
    day.into_iter()
        .chain(hour)
        .find(|(budget, _)| budget.is_exhausted())
}

/// Whether the member may begin a turn; if not, it pauses, or leaves without an answer where it is
/// leaving anyway.
pub(super) fn allows_turn(draft: &mut Draft<'_>, id: &MemberId, profile: &Profile) -> bool {
    let Some(member) = draft.state().members.get(id) else {
        return false;
    };
    let Some((budget, until)) = wanting(profile, member, draft.now) else {
        return true;
    };
    let cause = exhausted(draft, None, (id, None), budget);
    if member.mode == MemberMode::Retiring {
        crate::member::turn_away(draft, member, &budget.reason());
    } else {
        pause(draft, cause, id, budget, until);
    }
    false
}

/// Says of a turn that begins that it is one of the last of the hour.
pub(super) fn count_turn(draft: &mut Draft<'_>, turn: TurnId, id: &MemberId, profile: &Profile) {
    let now = draft.now;
    let Some(member) = draft.state().members.get(id) else {
        return;
    };
    let Some(hour) = of_hour(profile, member, 1, now) else {
        return;
    };
    if !member.spent.is_warned_of_hour(now) && hour.used.is_near(hour.limit) {
        warn(draft, turn.0, (id, turn), hour);
    }
}

/// A turn that wants to go on must have something left to go on with. Returns whether it has; if
/// not, the turn has ended.
pub(super) fn check_turn(
    draft: &mut Draft<'_>,
    seq: Seq,
    (id, turn): (TurnId, &Turn),
    (used, cost): (Used, Option<Cost>),
) -> bool {
    let Some(profile) = draft.profile(&turn.profile) else {
        return true;
    };
    let member = draft.state().members.get(&turn.member);
    let steps = Use {
        budget: "steps_per_turn",
        limit: Amount::Count(u64::from(profile.steps_per_turn())),
        used: Amount::Count(u64::from(used.steps)),
    };
    let tokens = profile.budget.tokens_per_turn.map(|limit| Use {
        budget: "tokens_per_turn",
        limit: Amount::Count(limit),
        used: Amount::Count(used.usage.tokens().saturating_sub(turn.summary_tokens)),
    });
    let day = member.and_then(|member| of_day(profile, member, cost, draft.now));
    let budgets = [Some(steps), tokens, day];
    let Some(budget) = budgets.into_iter().flatten().find(|b| b.is_exhausted()) else {
        return true;
    };
    let cause = if budget.budget == USD_PER_DAY {
        // It is said once, with the pause of the member.
        seq
    } else {
        exhausted(draft, Some(seq), (&turn.member, Some(id)), budget)
    };
    let reason = budget.reason();
    end::fail(
        draft,
        cause,
        (id, turn),
        (TurnFailure::Budget, &reason),
        used,
    );
    false
}

/// What a call cost counts for the day of its member: near the limit that is said, and past it the
/// member pauses.
pub(super) fn check_day(
    draft: &mut Draft<'_>,
    seq: Seq,
    (id, turn): (TurnId, &Turn),
    cost: Option<Cost>,
) {
    let now = draft.now;
    let member = draft.state().members.get(&turn.member);
    let (Some(profile), Some(member)) = (draft.profile(&turn.profile), member) else {
        return;
    };
    let Some(day) = of_day(profile, member, cost, now) else {
        return;
    };
    if day.is_exhausted() {
        let cause = exhausted(draft, Some(seq), (&turn.member, Some(id)), day);
        if member.mode == MemberMode::Active {
            pause(draft, cause, &turn.member, day, next_day(now));
        }
    } else if !member.spent.is_warned_of_day(now) && day.used.is_near(day.limit) {
        warn(draft, seq, (&turn.member, id), day);
    }
}

fn exhausted(
    draft: &mut Draft<'_>,
    cause: Option<Seq>,
    (member, turn): (&MemberId, Option<TurnId>),
    budget: Use,
) -> Seq {
    let event = BudgetExhausted {
        member: member.clone(),
        turn,
        budget: budget.budget.to_owned(),
        limit: budget.limit,
        used: budget.used,
    };
    match cause {
        Some(cause) => draft.emit_from(cause, event),
        None => draft.emit(event),
    }
}

fn warn(draft: &mut Draft<'_>, cause: Seq, (member, turn): (&MemberId, TurnId), budget: Use) {
    draft.emit_from(
        cause,
        BudgetWarned {
            member: member.clone(),
            turn,
            budget: budget.budget.to_owned(),
            limit: budget.limit,
            used: budget.used,
        },
    );
}

fn pause(draft: &mut Draft<'_>, cause: Seq, member: &MemberId, budget: Use, until: Time) {
    draft.emit_from(
        cause,
        MemberPaused {
            member: member.clone(),
            reason: Some(budget.reason()),
            budget: Some(budget.budget.to_owned()),
            until: Some(until),
        },
    );
}

/// Lets members go on that paused for want of a budget, where its window is over.
pub(crate) fn windows_over(draft: &mut Draft<'_>) {
    let dues = draft.state().budget_dues.iter();
    let over: Vec<&MemberId> = dues
        .take_while(|(until, _)| *until <= draft.now)
        .map(|(_, member)| member)
        .collect();
    for member in over {
        draft.emit(MemberResumed {
            member: member.clone(),
        });
    }
}

/// Lets members go on that paused for want of a budget and have one again, since another definition
/// is in force.
pub(crate) fn review(draft: &mut Draft<'_>) {
    for (_, id) in &draft.state().budget_dues {
        let member = draft.state().members.get(id);
        let profile = member.and_then(|member| draft.profile(&member.profile));
        if let (Some(member), Some(profile)) = (member, profile)
            && wanting(profile, member, draft.now).is_none()
        {
            draft.emit(MemberResumed { member: id.clone() });
        }
    }
}

/// Refuses to let a member go on that would pause again at once.
pub(crate) fn may_resume(draft: &Draft<'_>, id: &MemberId, member: &Member) -> Result<(), Refusal> {
    let held = member.pause.as_ref().filter(|pause| pause.budget.is_some());
    let profile = draft.profile(&member.profile);
    let (Some(_), Some(profile)) = (held, profile) else {
        return Ok(());
    };
    match wanting(profile, member, draft.now) {
        None => Ok(()),
        Some((budget, until)) => Err(Refusal::new(
            RefusalKind::Conflict,
            "budget.exhausted",
            format!("{id} can't go on: {} until {until}", budget.reason()),
        )
        .hint(format!(
            "raise {} in [profiles.{}] and apply the mob file; the member goes on at once",
            budget.budget, member.profile
        ))),
    }
}
