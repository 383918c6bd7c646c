//! One line for a person, and what every event says about member and turn.

use super::{Event, GrantScope, ToolStarted, Verdict, WaitingFor};
use crate::id::{DeliveryId, MemberId, ModuleId, TurnId};
use crate::model::Finish;
use crate::text::Text;

/// Length of the excerpt of a text in a summary, in characters.
const EXCERPT_CHARS: usize = 80;
/// Length of a summary, in characters, the mark of a cut aside.
const SUMMARY_CHARS_MAX: usize = 400;

/// Why an answer may not be whole, as an insertion.
fn cut_why(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Calls => "",
        Finish::Length => " (cut at the limit of tokens)",
        Finish::Filtered => " (withheld by the provider)",
        Finish::Other => " (maybe not whole)",
    }
}

/// What let a call pass, as an insertion.
fn passed(e: &ToolStarted) -> String {
    match (e.approval, e.grant, &e.audit) {
        (Some(approval), ..) => format!(" ({approval})"),
        (None, Some(grant), _) => format!(" ({grant})"),
        (None, None, Some(gate)) => format!(" (recorded by the gate on {gate})"),
        (None, None, None) => String::new(),
    }
}

impl Event {
    /// The member that the event is about, if it is about one.
    pub fn member(&self) -> Option<&MemberId> {
        Some(match self {
            Self::MemberSpawned(e) => &e.member,
            Self::MemberUpdated(e) => &e.member,
            Self::MemberRespawned(e) => &e.member,
            Self::MemberReset(e) => &e.member,
            Self::MemberPaused(e) => &e.member,
            Self::MemberResumed(e) => &e.member,
            Self::MemberRetiring(e) => &e.member,
            Self::MemberRetired(e) => &e.member,
            Self::MemberFailed(e) => &e.member,
            Self::MemberQuarantined(e) => &e.member,
            Self::MessageAccepted(e) => &e.to,
            Self::MessageDelivered(e) => &e.member,
            Self::MessageSteered(e) => &e.member,
            Self::MessageCancelled(e) => &e.member,
            Self::MessageExpired(e) => &e.member,
            Self::MessageRefused(e) => &e.from,
            Self::TurnStarted(e) => &e.member,
            Self::TurnResumed(e) => &e.member,
            Self::TurnWaiting(e) => &e.member,
            Self::TurnCorrected(e) => &e.member,
            Self::TurnCompleted(e) => &e.member,
            Self::TurnFailed(e) => &e.member,
            Self::TurnCancelled(e) => &e.member,
            Self::TurnCheckpointed(e) => &e.member,
            Self::ModelReplied(e) => &e.member,
            Self::ModelFailed(e) => &e.member,
            Self::SessionCompacted(e) => &e.member,
            Self::ToolStarted(e) => return e.member.as_ref(),
            Self::ToolFinished(e) => return e.member.as_ref(),
            Self::ToolFailed(e) => return e.member.as_ref(),
            Self::ToolRefused(e) => &e.member,
            Self::ToolUnknown(e) => return e.member.as_ref(),
            Self::ToolResolved(e) => &e.member,
            Self::BudgetWarned(e) => &e.member,
            Self::BudgetExhausted(e) => &e.member,
            Self::ApprovalRequested(e) => &e.member,
            Self::ApprovalDecided(e) => &e.member,
            Self::ApprovalExpired(e) => &e.member,
            Self::GrantCreated(e) => &e.member,
            Self::GrantRevoked(e) => &e.member,
            _ => return None,
        })
    }

    /// The turn in which the event happened, if it belongs to one.
    pub fn turn(&self) -> Option<TurnId> {
        Some(match self {
            Self::ErrorRaised(e) => return e.error.turn(),
            Self::MessageDelivered(e) => e.turn,
            Self::MessageSteered(e) => e.turn,
            Self::MemberQuarantined(e) => e.turn,
            Self::TurnStarted(e) => e.turn,
            Self::TurnResumed(e) => e.turn,
            Self::TurnWaiting(e) => e.turn,
            Self::TurnCorrected(e) => e.turn,
            Self::TurnCompleted(e) => e.turn,
            Self::TurnFailed(e) => e.turn,
            Self::TurnCancelled(e) => e.turn,
            Self::TurnCheckpointed(e) => e.turn,
            Self::ModelReplied(e) => e.turn,
            Self::ModelFailed(e) => e.turn,
            Self::SessionCompacted(e) => e.turn,
            Self::ToolStarted(e) => return e.turn,
            Self::ToolFinished(e) => return e.turn,
            Self::ToolFailed(e) => return e.turn,
            Self::ToolRefused(e) => e.turn,
            Self::ToolUnknown(e) => return e.turn,
            Self::ToolResolved(e) => e.turn,
            Self::BudgetWarned(e) => e.turn,
            Self::BudgetExhausted(e) => return e.turn,
            Self::ApprovalRequested(e) => e.turn,
            Self::ApprovalDecided(e) => e.turn,
            Self::ApprovalExpired(e) => e.turn,
            Self::DeliveryQueued(e) => return e.turn,
            Self::EngineGap(e) => return e.turn,
            Self::OccurrenceCompleted(e) => return e.turn,
            Self::OccurrenceFailed(e) => return e.turn,
            _ => return None,
        })
    }

    /// The module that the event is about, if it is about one.
    pub fn module(&self) -> Option<&ModuleId> {
        Some(match self {
            Self::ModuleStarting(e) => &e.module,
            Self::ModuleHealthy(e) => &e.module,
            Self::ModuleUnhealthy(e) => &e.module,
            Self::ModuleRestarting(e) => &e.module,
            Self::ModuleStopping(e) => &e.module,
            Self::ModuleStopped(e) => &e.module,
            Self::ModuleQuarantined(e) => &e.module,
            Self::ModuleEvent(e) => &e.module,
            Self::ModuleLog(e) => &e.module,
            _ => return None,
        })
    }

    /// The delivery that the event is about, if it is about one.
    pub fn delivery(&self) -> Option<DeliveryId> {
        Some(match self {
            Self::DeliveryQueued(e) => e.delivery,
            Self::DeliveryAttempted(e) => e.delivery,
            Self::DeliveryDelivered(e) => e.delivery,
            Self::DeliveryFailed(e) => e.delivery,
            Self::DeliveryUnknown(e) => e.delivery,
            Self::DeliveryDead(e) => e.delivery,
            Self::DeliveryReplayed(e) => e.queued.delivery,
            _ => return None,
        })
    }

    /// One line for a person, whatever is quoted in it.
    pub fn summary(&self) -> String {
        let summary = self
            .summary_of_mob()
            .or_else(|| self.summary_of_member())
            .or_else(|| self.summary_of_message())
            .or_else(|| self.summary_of_approval())
            .or_else(|| self.summary_of_module())
            .or_else(|| self.summary_of_engine())
            .or_else(|| self.summary_of_host())
            .or_else(|| self.summary_of_schedule())
            .or_else(|| self.summary_of_delivery())
            .or_else(|| self.summary_of_task())
            .unwrap_or_else(|| self.summary_of_turn());
        Text::from(summary).excerpt(SUMMARY_CHARS_MAX)
    }

    fn summary_of_mob(&self) -> Option<String> {
        Some(match self {
            Self::RuntimeStarted(e) => format!(
                "mobkit {} started, epoch {}, durability {}{}",
                e.version,
                e.epoch,
                e.durability,
                if e.rehearsal { ", rehearsal" } else { "" }
            ),
            Self::RuntimeReady(e) => format!("ready with {} members", e.members),
            Self::RuntimeDraining(e) => format!("stopping, at most {} ms", e.timeout_ms),
            Self::RuntimeStopped(e) => format!(
                "stopped: {} turns finished, {} put aside",
                e.drain.turns_finished, e.drain.turns_checkpointed
            ),
            Self::RuntimeRecovered(e) => format!(
                "recovered {} turns put aside, {} interrupted, {} messages waiting",
                e.turns_checkpointed.len(),
                e.turns_interrupted.len(),
                e.messages_waiting
            ),
            Self::MobDefined(e) => format!("definition with {} members in force", e.members),
            Self::MobPlanned(e) => format!("planned {} steps", e.steps.values().sum::<u64>()),
            Self::MobApplied(e) => format!(
                "applied {} steps, {} failed",
                e.steps.values().sum::<u64>(),
                e.failures
            ),
            Self::MobReset(e) => format!("reset: {} members retired", e.members),
            Self::MobPaused(_) => "mob paused".to_owned(),
            Self::MobResumed(_) => "mob resumed".to_owned(),
            Self::MobTrimmed(e) => match (e.events, e.logs) {
                (Some(events), _) => format!("what is below {} is forgotten", events.below),
                (None, Some(logs)) => format!("log lines below {} are forgotten", logs.below),
                (None, None) => "nothing is forgotten".to_owned(),
            },
            Self::EdgeWired(e) => format!("{} and {} wired", e.a, e.b),
            Self::EdgeUnwired(e) => format!("{} and {} unwired", e.a, e.b),
            Self::EdgeFailed(e) => format!("edge of {} and {} failed: {}", e.a, e.b, e.error),
            Self::ErrorRaised(e) => e.error.summary(),
            Self::AccessDenied(e) => format!("denied {} ({})", e.operation, e.code),
            _ => return None,
        })
    }

    fn summary_of_member(&self) -> Option<String> {
        Some(match self {
            Self::MemberSpawned(e) => format!("{} spawned as {}", e.member, e.profile),
            Self::MemberUpdated(e) => format!("{} updated", e.member),
            Self::MemberRespawned(e) => format!("{} respawned: {}", e.member, e.reason),
            Self::MemberReset(e) => {
                format!("{} reset, generation {}", e.member, e.fence.generation)
            }
            Self::MemberPaused(e) => match (&e.reason, e.until) {
                (Some(reason), Some(until)) => {
                    format!("{} paused until {until}: {reason}", e.member)
                }
                (Some(reason), None) => format!("{} paused: {reason}", e.member),
                (None, _) => format!("{} paused", e.member),
            },
            Self::MemberResumed(e) => format!("{} resumed", e.member),
            Self::MemberRetiring(e) => format!("{} is retiring", e.member),
            Self::MemberRetired(e) if e.deleted => format!("{} deleted", e.member),
            Self::MemberRetired(e) => match &e.reason {
                Some(reason) => format!("{} retired: {reason}", e.member),
                None => format!("{} retired", e.member),
            },
            Self::MemberFailed(e) => format!("{} failed: {}", e.member, e.error),
            Self::MemberQuarantined(e) => format!("{} quarantined: {}", e.member, e.reason),
            _ => return None,
        })
    }

    fn summary_of_message(&self) -> Option<String> {
        Some(match self {
            Self::MessageAccepted(e) => {
                format!("{} to {}: {}", e.from, e.to, e.text.excerpt(EXCERPT_CHARS))
            }
            Self::MessageDelivered(e) => format!("{} delivered to {}", e.message, e.member),
            Self::MessageSteered(e) => format!("{} joined {} of {}", e.message, e.turn, e.member),
            Self::MessageCancelled(e) => format!("{} cancelled: {}", e.message, e.reason),
            Self::MessageExpired(e) => format!("{} expired", e.message),
            Self::MessageRefused(e) => format!("{} may not message {}: {}", e.from, e.to, e.reason),
            _ => return None,
        })
    }

    fn summary_of_approval(&self) -> Option<String> {
        Some(match self {
            Self::ApprovalRequested(e) => {
                format!("{} wants {}: {} ({})", e.member, e.tool, e.why, e.approval)
            }
            Self::ApprovalDecided(e) => {
                let verb = match e.decision {
                    Verdict::Approve => "approved",
                    Verdict::Deny => "denied",
                    Verdict::Edit => "edited and approved",
                };
                format!(
                    "{} {verb} {} of {} ({})",
                    e.by, e.tool, e.member, e.approval
                )
            }
            Self::ApprovalExpired(e) => format!("{} of {}: {}", e.approval, e.member, e.reason),
            Self::GrantCreated(e) => {
                let end = match e.scope {
                    GrantScope::Turn { turn } => format!("to the end of {turn}"),
                    GrantScope::Until { until } => format!("until {until}"),
                };
                let (by, member, tool) = (&e.by, &e.member, &e.tool);
                format!("{by} lets {member} call {tool} {end} ({})", e.grant)
            }
            Self::GrantRevoked(e) => format!("{} took {} back", e.by, e.grant),
            _ => return None,
        })
    }

    fn summary_of_module(&self) -> Option<String> {
        Some(match self {
            Self::ModuleStarting(e) => format!("module {} starts", e.module),
            Self::ModuleHealthy(e) => format!("module {} is healthy, {}", e.module, e.protocol),
            Self::ModuleUnhealthy(e) => format!("module {} is unhealthy: {}", e.module, e.reason),
            Self::ModuleRestarting(e) => {
                format!("module {} is started again: {}", e.module, e.reason)
            }
            Self::ModuleStopping(e) => format!("module {} is told to stop: {}", e.module, e.reason),
            Self::ModuleStopped(e) => match e.outcome {
                Some(how) => format!("module {} {}: {}", e.module, how.as_str(), e.reason),
                None => format!("module {} stopped: {}", e.module, e.reason),
            },
            Self::ModuleQuarantined(e) => format!("module {} quarantined: {}", e.module, e.reason),
            Self::ModuleEvent(e) => {
                let said = Text::from(e.event.to_string());
                format!("module {}: {}", e.module, said.excerpt(EXCERPT_CHARS))
            }
            Self::ModuleLog(e) if e.forgotten > 0 => {
                format!("module {}: {} lines, forgotten", e.module, e.forgotten)
            }
            Self::ModuleLog(e) => {
                let first = e.lines.first().map_or("", String::as_str);
                let more = e.lines.len().saturating_sub(1);
                let more = match more {
                    0 => String::new(),
                    1 => " (and 1 more line)".to_owned(),
                    _ => format!(" (and {more} more lines)"),
                };
                format!("module {}: {first}{more}", e.module)
            }
            _ => return None,
        })
    }

    fn summary_of_delivery(&self) -> Option<String> {
        Some(match self {
            Self::RouteDefined(e) => match &e.disabled {
                Some(why) => format!("route {} is out of use: {why}", e.route),
                None => format!(
                    "route {} takes {} on {}",
                    e.route, e.spec.matches.recipient, e.spec.matches.channel
                ),
            },
            Self::RouteRemoved(e) => format!("route {} removed: {}", e.route, e.reason),
            Self::DeliveryQueued(e) => format!(
                "{} of {} for {} queued over {}",
                e.delivery, e.from, e.recipient, e.route
            ),
            Self::DeliveryAttempted(e) => {
                format!("attempt {} at {} over {}", e.attempt, e.delivery, e.route)
            }
            Self::DeliveryDelivered(e) => {
                format!(
                    "{} delivered over {} at attempt {}",
                    e.delivery, e.route, e.attempt
                )
            }
            Self::DeliveryFailed(e) => format!(
                "attempt {} at {} failed: {}; again at {}",
                e.attempt, e.delivery, e.reason, e.retry_at
            ),
            Self::DeliveryUnknown(e) => format!("{}: outcome unknown: {}", e.delivery, e.reason),
            Self::DeliveryDead(e) => format!("{} is dead: {}", e.delivery, e.reason),
            Self::DeliveryReplayed(e) => {
                let queued = &e.queued;
                format!("{} is sent again over {}", queued.delivery, queued.route)
            }
            _ => return None,
        })
    }

    fn summary_of_turn(&self) -> String {
        match self {
            Self::TurnStarted(e) => format!("{} began {}", e.member, e.turn),
            Self::TurnResumed(e) => format!("{} resumed {} at step {}", e.member, e.turn, e.step),
            Self::TurnWaiting(e) => match (&e.on, &e.peer) {
                (WaitingFor::Peer, Some(peer)) => format!("{} waits for {peer}", e.member),
                (WaitingFor::Approval, _) => match e.approval {
                    Some(approval) => format!("{} waits for a decision on {approval}", e.member),
                    None => format!("{} waits for a decision", e.member),
                },
                _ => format!("{} waits for an operator about {}", e.member, e.call),
            },
            Self::TurnCorrected(e) => format!("{} is asked again: {}", e.member, e.reason),
            Self::TurnCompleted(e) => {
                let cut = e.finish.map_or("", cut_why);
                let text = e.text.excerpt(EXCERPT_CHARS);
                format!("{} answered{cut}: {text}", e.member)
            }
            Self::TurnFailed(e) => format!("{} failed {}: {}", e.member, e.turn, e.reason),
            Self::TurnCancelled(e) => format!("{} of {} cancelled: {}", e.turn, e.member, e.reason),
            Self::TurnCheckpointed(e) => format!("{} put {} aside", e.member, e.turn),
            Self::ModelReplied(e) if e.calls.is_empty() => {
                format!(
                    "{} step {}: {}",
                    e.member,
                    e.step,
                    e.text.excerpt(EXCERPT_CHARS)
                )
            }
            Self::ModelReplied(e) => {
                let tools: Vec<&str> = e.calls.iter().map(|c| c.tool.as_str()).collect();
                format!("{} step {}: calls {}", e.member, e.step, tools.join(", "))
            }
            Self::ModelFailed(e) => match &e.fallback {
                None => format!("{} attempt {}: {}", e.model, e.attempt, e.reason),
                Some(next) => {
                    let (model, attempt, reason) = (&e.model, e.attempt, &e.reason);
                    format!("{model} attempt {attempt}: {reason}; {next} is asked in its place")
                }
            },
            Self::SessionCompacted(e) => format!(
                "{} of {}: {} turns summarised, about {} tokens of {} left",
                e.session, e.member, e.turns, e.tokens_after, e.tokens_before
            ),
            Self::ToolStarted(e) => match &e.member {
                Some(member) => format!("{member} calls {}{}", e.tool, passed(e)),
                None => format!("{} is called directly", e.tool),
            },
            Self::ToolFinished(e) => format!("{}: {}", e.tool, e.result.excerpt(EXCERPT_CHARS)),
            Self::ToolFailed(e) => format!("{} failed: {}", e.tool, e.reason),
            Self::ToolRefused(e) => format!("{} refused: {}", e.tool, e.reason),
            Self::ToolUnknown(e) => match &e.reason {
                Some(reason) => format!("{} {}: outcome unknown: {reason}", e.tool, e.call),
                None => format!("{} {}: outcome unknown", e.tool, e.call),
            },
            Self::ToolResolved(e) => format!("{} {} resolved", e.tool, e.call),
            Self::BudgetWarned(e) => {
                format!("{} used {} of {} {}", e.member, e.used, e.budget, e.limit)
            }
            Self::BudgetExhausted(e) => format!("{} used up {} of {}", e.member, e.budget, e.limit),
            other => other.kind().to_owned(),
        }
    }
}
