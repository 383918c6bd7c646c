//! What a kernel can enforce of a sandbox: the decision, without system calls.

use mobkit_domain::definition::{Network, Sandbox, SandboxRequire};

/// What the kernel offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// It has no Landlock.
    Without,
    /// It has Landlock, which is switched off.
    SwitchedOff,
    /// It has Landlock of this ABI, 1 or more.
    Landlock(u32),
}

/// The first ABI that keeps files from being cut short.
const TRUNCATION: u32 = 3;
/// The first ABI that restricts TCP.
const NETWORK: u32 = 4;

/// What is enforced, and how that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Level {
    /// The file system.
    pub(crate) filesystem: bool,
    /// The network, as far as it is TCP.
    pub(crate) network: bool,
    /// One line about it.
    pub(crate) line: String,
}

/// The level at which a sandbox can be had, best effort. The error is for one that must be had
/// whole, and says what is missing.
pub(crate) fn level(sandbox: &Sandbox, kernel: Kernel) -> Result<Level, String> {
    let wants_network = sandbox.network == Network::None;
    let (abi, missing) = match kernel {
        Kernel::Without => (0, vec!["this kernel has no Landlock"]),
        Kernel::SwitchedOff => (0, vec!["Landlock is switched off in this kernel"]),
        Kernel::Landlock(abi) => {
            let mut missing = Vec::new();
            if abi < TRUNCATION {
                missing.push("this kernel can't keep files from being cut short");
            }
            if wants_network && abi < NETWORK {
                missing.push("this kernel can't restrict the network");
            }
            (abi, missing)
        }
    };
    if !missing.is_empty() && sandbox.require == SandboxRequire::Strict {
        return Err(format!(
            "its sandbox is required and can't be had: {}",
            missing.join(", ")
        ));
    }
    if abi == 0 {
        return Ok(Level {
            filesystem: false,
            network: false,
            line: format!("not enforced: {}", missing.join(", ")),
        });
    }
    let network = wants_network && abi >= NETWORK;
    let line = match (network, missing.is_empty()) {
        (true, _) => {
            format!("filesystem and network enforced (Landlock ABI {abi}; of the network only TCP)")
        }
        (false, true) => format!("filesystem enforced (Landlock ABI {abi})"),
        (false, false) => format!(
            "filesystem only (Landlock ABI {abi}): {}",
            missing.join(", ")
        ),
    };
    Ok(Level {
        filesystem: true,
        network,
        line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(network: Network, kernel: Kernel) -> (Option<(bool, bool)>, String) {
        let of = |require| Sandbox {
            filesystem: Vec::new(),
            network,
            require,
        };
        let best = level(&of(SandboxRequire::BestEffort), kernel).expect("best effort is had");
        let strict = level(&of(SandboxRequire::Strict), kernel);
        assert!(strict.is_err() || strict == Ok(best.clone()));
        let strict = strict.ok().map(|level| (level.filesystem, level.network));
        (strict, best.line)
    }

    #[test]
    fn the_level_is_what_the_kernel_can_do() {
        let table = [
            (
                Network::None,
                7,
                Some((true, true)),
                "filesystem and network enforced (Landlock ABI 7; of the network only TCP)",
            ),
            (
                Network::None,
                4,
                Some((true, true)),
                "filesystem and network enforced (Landlock ABI 4; of the network only TCP)",
            ),
            (
                Network::None,
                3,
                None,
                "filesystem only (Landlock ABI 3): this kernel can't restrict the network",
            ),
            (
                Network::None,
                2,
                None,
                "filesystem only (Landlock ABI 2): this kernel can't keep files from being cut short, \
              this kernel can't restrict the network",
            ),
            (
                Network::All,
                3,
                Some((true, false)),
                "filesystem enforced (Landlock ABI 3)",
            ),
            (
                Network::All,
                1,
                None,
                "filesystem only (Landlock ABI 1): this kernel can't keep files from being cut short",
            ),
        ];
        for (network, abi, strict, line) in table {
            let found = told(network, Kernel::Landlock(abi));
            assert_eq!(
                found,
                (strict, line.to_owned()),
                "{network:?} with ABI {abi}"
            );
        }
        let (strict, line) = told(Network::All, Kernel::Without);
        assert_eq!(
            (strict, line.as_str()),
            (None, "not enforced: this kernel has no Landlock")
        );
        let (strict, line) = told(Network::None, Kernel::SwitchedOff);
        assert_eq!(strict, None);
        assert_eq!(
            line,
            "not enforced: Landlock is switched off in this kernel"
        );
    }
}
