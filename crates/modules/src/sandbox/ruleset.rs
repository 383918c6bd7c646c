//! The sandbox of a module as the kernel is told of it.

use super::level::{Kernel, Level, level};
use super::needs::{DEVICES, SYSTEM, needs};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, RestrictSelf,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use mobkit_domain::definition::{PathRule, Sandbox};
use std::path::{Path, PathBuf};

/// The rights that are asked for: those of the last ABI that is tried here. A kernel that knows
/// fewer enforces those that it knows.
const ABI_TRIED: ABI = ABI::V6;

/// What a module is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs<'a> {
    /// Program and arguments.
    pub(crate) command: &'a [String],
    /// Where it runs.
    pub(crate) folder: &'a Path,
    /// Where programs are searched: its PATH.
    pub(crate) search: &'a str,
}

/// What this kernel offers.
pub(crate) fn kernel() -> Kernel {
    let status = RestrictSelf::default().no_new_privs(false).apply();
    match status.map(|status| status.landlock) {
        Ok(LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        }) => {
            let known = effective_abi as u32;
            Kernel::Landlock(
                kernel_abi
                    .and_then(|abi| abi.try_into().ok())
                    .unwrap_or(known),
            )
        }
        Ok(LandlockStatus::NotEnabled) => Kernel::SwitchedOff,
        Ok(LandlockStatus::NotImplemented) | Err(_) => Kernel::Without,
    }
}

/// Prepares the sandbox of a module, and says what it enforces. The ruleset is absent where the
/// kernel enforces nothing; the error says why the module must not start.
pub(crate) fn prepare(
    sandbox: &Sandbox,
    kernel: Kernel,
    needed: Needs<'_>,
) -> Result<(Option<RulesetCreated>, String), String> {
    let level = level(sandbox, kernel)?;
    if !level.filesystem {
        return Ok((None, level.line));
    }
    let mut missing = Vec::new();
    let ruleset = build(sandbox, &level, needed, &mut missing)
        .map_err(|error| format!("its sandbox can't be built: {error}"))?;
    let mut line = level.line;
    if !missing.is_empty() {
        line = format!("{line}; not there: {}", missing.join(", "));
    }
    Ok((Some(ruleset), line))
}

fn build(
    sandbox: &Sandbox,
    level: &Level,
    needed: Needs<'_>,
    missing: &mut Vec<String>,
) -> Result<RulesetCreated, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI_TRIED))?
        .scope(Scope::from_all(ABI_TRIED))?;
    if level.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(ABI_TRIED))?;
    }
    let read = AccessFs::from_read(ABI_TRIED);
    let write = AccessFs::from_all(ABI_TRIED);
    let mut created = ruleset.create()?;
    let system = SYSTEM.iter().map(PathBuf::from);
    for path in system.chain(needs(needed.command, needed.folder, needed.search)) {
        created = allow(created, &path, read)?.0;
    }
    for path in DEVICES {
        created = allow(created, Path::new(path), write)?.0;
    }
    for rule in &sandbox.filesystem {
        let (path, access) = match rule {
            PathRule::Read(path) => (path, read),
            PathRule::Write(path) => (path, write),
        };
        let (next, is_there) = allow(created, &needed.folder.join(path), access)?;
        created = next;
        if !is_there {
            missing.push(path.clone());
        }
    }
    Ok(created)
}

/// Allows a path, where there is something at it.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<(RulesetCreated, bool), RulesetError> {
    let Ok(place) = PathFd::new(path) else {
        return Ok((ruleset, false));
    };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(ABI_TRIED)
    };
    Ok((ruleset.add_rule(PathBeneath::new(place, access))?, true))
}
