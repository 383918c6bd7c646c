//! All checks, one after the other, and what they come to.

use super::finding::{Finding, Verdict};
use super::{engine, places, secrets, verify};
use crate::client::STATE_FOLDER;
use crate::commands::check::counted;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::mobfile;
use crate::terminal::{Output, Table, visible_line};
use mobkit::{MobFile, Variables};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The mob file, or a folder that holds mob.toml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// State directory [default: .mobkit beside the mob file]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Read everything that is stored and check it too; a server may run meanwhile
    #[arg(long)]
    verify: bool,
}

pub(crate) async fn run(args: &DoctorArgs, output: &Output) -> Result<Exit, Failure> {
    let file = mobfile::read(&args.path, output)?;
    let beside = || file.folder.join(STATE_FOLDER);
    let state = args.state.clone().unwrap_or_else(beside);
    let variables: Variables = Arc::new(environment::variable);
    let mut findings = vec![of_file(&file)];
    findings.extend(secrets::look(&file, &variables).await);
    findings.push(places::look(&state));
    if args.verify {
        findings.extend(verify::look(&state));
    }
    let scratch = environment::scratch("mobkit-doctor")?;
    findings.extend(engine::look(&file, &variables, &scratch).await);
    tell(&findings, output)
}

/// The mob file itself: it is valid, since it was read.
fn of_file(file: &MobFile) -> Finding {
    let shown = file.path.display();
    if let Some(first) = file.unsupported.first() {
        let found = format!("{shown}: {}", first.message);
        return Finding::fail("mob file", found, "`mobkit check` shows every such place");
    }
    if file.warnings.is_empty() {
        return Finding::ok("mob file", shown.to_string());
    }
    let found = format!("{shown} has {}", counted(file.warnings.len(), "warning"));
    Finding::warn("mob file", found, "`mobkit check` shows them")
}

fn tell(findings: &[Finding], output: &Output) -> Result<Exit, Failure> {
    let failed = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail);
    let failed = failed.count();
    if !output.is_json() {
        output.line(&table(findings, output))?;
        for finding in findings {
            if let Some(hint) = &finding.hint {
                output.notice(&format!("{}: {}", finding.check, visible_line(hint)));
            }
        }
    }
    if failed > 0 {
        let message = format!("{failed} of {} failed", counted(findings.len(), "check"));
        return Err(Failure::new(Exit::Failed, "doctor.failed", message)
            .hint("do what is said of each, then run `mobkit doctor` again")
            .beside("checks", json!(findings)));
    }
    if output.is_json() {
        let checks: Value = json!(findings);
        output.document(&json!({"checks": checks}))?;
    }
    Ok(Exit::Done)
}

fn table(findings: &[Finding], output: &Output) -> String {
    let mut table = Table::new(output, &["RESULT", "CHECK", "FOUND"]);
    for finding in findings {
        let cells = [finding.verdict.word(), &finding.check, &finding.found];
        let cells = cells.map(visible_line);
        table.row(finding.verdict.tone(), cells.to_vec());
    }
    table.render()
}
