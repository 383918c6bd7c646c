//! The steps of a plan that are about modules.

use crate::engine::Engine;
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::id::ModuleId;
use mobkit_domain::plan::{ApplyReport, Failure, ModuleStep, Operation};
use mobkit_domain::principal::Principal;
use mobkit_domain::state::ModuleStatus;

impl Engine {
    /// Brings modules to what the definition in force says. Before the runtime is ready nothing is
    /// started by it: that it becomes ready starts them.
    pub(super) async fn carry_out_modules(
        &self,
        actor: &Principal,
        steps: impl Iterator<Item = (Operation, &ModuleStep)>,
        report: &mut ApplyReport,
    ) {
        for (operation, step) in steps {
            let module = step.module.clone();
            let converge = ModuleCommand::Converge {
                module: module.clone(),
            };
            match self.order(actor, Command::Module(converge)).await {
                Ok(_) => done(report, operation, module),
                Err(refusal) => report.failures.push(Failure {
                    object: format!("module/{module}"),
                    operation,
                    error: refusal.to_string(),
                }),
            }
        }
    }

    /// Replaces the process of every module that runs, and starts those that were quarantined. One
    /// that an operator stopped, or that is lazy and at rest, stays so.
    pub(super) async fn restart_modules(&self, actor: &Principal, report: &mut ApplyReport) {
        let wanted: Vec<ModuleId> = self.view(|world| {
            let defined = |id: &&ModuleId| world.definition.modules.iter().any(|m| m.id == **id);
            let modules = world.state.modules.iter();
            let begins_anew = modules.filter(|(_, module)| {
                let given_up = module.status == ModuleStatus::Quarantined;
                !module.held && (module.running || given_up)
            });
            let ids = begins_anew.map(|(id, _)| id);
            ids.filter(defined).cloned().collect()
        });
        for module in wanted {
            let begun = report.modules_started.contains(&module);
            if begun || report.modules_restarted.contains(&module) {
                continue;
            }
            let restart = ModuleCommand::Restart {
                module: module.clone(),
            };
            match self.order(actor, Command::Module(restart)).await {
                Ok(_) => done(report, Operation::ModuleRestart, module),
                Err(refusal) => report.failures.push(Failure {
                    object: format!("module/{module}"),
                    operation: Operation::ModuleRestart,
                    error: refusal.to_string(),
                }),
            }
        }
    }
}

fn done(report: &mut ApplyReport, operation: Operation, module: ModuleId) {
    match operation {
        Operation::ModuleStart => report.modules_started.push(module),
        Operation::ModuleRestart => report.modules_restarted.push(module),
        _ => report.modules_stopped.push(module),
    }
}
