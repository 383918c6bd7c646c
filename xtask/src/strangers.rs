//! `cargo xtask strangers`: MCP servers for the tests of modules, and a mail server and checks of
//! signatures for those of deliveries, all of which others wrote.
//!
//! What they are, and in which versions, stands beside the tests, with digests of every file that
//! is fetched. They are installed below `target/strangers/`, once: a copy of the pins is left there
//! at the end, and the tests compare it with those of the repository before they start a server.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

/// Where the pins are, from the root.
const PINS: &str = "crates/mobkit/tests/it/strangers/servers";
/// The files that say what is installed.
const PIN_FILES: [&str; 3] = ["package.json", "package-lock.json", "requirements.txt"];

/// Installs what is missing or pinned otherwise; with everything there it needs no network.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(args.is_empty(), "takes no arguments");
    let (pins, folder) = (root.join(PINS), root.join("target/strangers"));
    if is_current(&pins, &folder)? {
        return Ok(true);
    }
    let stamp = folder.join("pins");
    if stamp.exists() {
        std::fs::remove_dir_all(&stamp)?;
    }
    std::fs::create_dir_all(folder.join("node"))?;
    node(&pins, &folder.join("node"))?;
    python(&pins, &folder.join("venv"))?;
    std::fs::create_dir(&stamp)?;
    for name in PIN_FILES {
        std::fs::copy(pins.join(name), stamp.join(name))?;
    }
    Ok(true)
}

/// Whether what is installed in `folder` is what `pins` say.
fn is_current(pins: &Path, folder: &Path) -> anyhow::Result<bool> {
    for name in PIN_FILES {
        let pinned = std::fs::read(pins.join(name)).with_context(|| format!("{PINS}/{name}"))?;
        let installed = std::fs::read(folder.join("pins").join(name));
        if installed.ok().as_deref() != Some(pinned.as_slice()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Packages of npm, without running a script of any of them.
fn node(pins: &Path, folder: &Path) -> anyhow::Result<()> {
    eprintln!("== npm packages: {}", folder.display());
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(pins.join(name), folder.join(name))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--loglevel", "error"])
        .current_dir(folder);
    run_installer(
        npm,
        "npm is missing: install Node.js 20 or newer with npm, then repeat",
        "npm could not install the packages: they come from registry.npmjs.org, once; check the \
         network, then repeat",
    )
}

/// A Python of its own.
fn python(pins: &Path, venv: &Path) -> anyhow::Result<()> {
    eprintln!("== Python packages: {}", venv.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(venv);
    run_installer(
        make,
        "python3 is missing: install Python 3.11 or newer, then repeat",
        "python3 can't make an environment: install its venv module (Debian: apt-get install \
         python3-venv), then repeat",
    )?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--require-hashes"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(pins.join("requirements.txt"));
    run_installer(
        pip,
        "the Python of the environment can't be started: remove target/strangers, then repeat",
        "pip could not install the packages: they come from PyPI, once, for Python 3.11 or newer; \
         check the network, then repeat",
    )
}

fn run_installer(mut command: Command, missing: &str, failed: &str) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| missing.to_owned())?;
    anyhow::ensure!(status.success(), "{failed}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PIN_FILES, is_current, run_installer};
    use std::process::Command;

    #[test]
    fn pins_that_differ_are_installed_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (pins, installed) = (folder.path().join("pinned"), folder.path().join("there"));
        let stamp = installed.join("pins");
        std::fs::create_dir_all(&pins).expect("a folder");
        std::fs::create_dir_all(&stamp).expect("a folder");
        for name in PIN_FILES {
            std::fs::write(pins.join(name), name).expect("a file");
        }
        assert!(!is_current(&pins, &installed).expect("pins"));
        for name in PIN_FILES {
            std::fs::copy(pins.join(name), stamp.join(name)).expect("a copy");
        }
        assert!(is_current(&pins, &installed).expect("pins"));
        std::fs::write(pins.join(PIN_FILES[2]), "mcp==9").expect("a file");
        assert!(!is_current(&pins, &installed).expect("pins"));
    }

    #[test]
    fn what_is_missing_or_fails_is_named() {
        let told = |program: &str| {
            let done = run_installer(Command::new(program), "install it", "check the network");
            format!("{:#}", done.expect_err("it can't be done"))
        };
        assert!(told("there-is-no-such-program").starts_with("install it"));
        assert_eq!(told("false"), "check the network");
    }
}
