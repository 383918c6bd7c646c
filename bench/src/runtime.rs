//! The Meerkat runtime without mobkit, and a model that answers at once.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader as Reader};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command as Program, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const RULES: &str = "[[rules]]\nsay = \"noted\"\n";
const REALM: &str = "bare";

/// The program that `cargo xtask meerkat install` puts into the cache of the user.
pub fn program() -> Option<String> {
    let named = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = named.map(PathBuf::from).or_else(home)?;
    let program = cache.join("mobkit/meerkat/0.9.8/bin/rkat-rpc");
    program
        .is_file()
        .then(|| program.to_string_lossy().into_owned())
}

/// The model's server. It ends with this.
pub struct Model {
    process: Process,
    url: String,
}

impl Model {
    /// Starts it, with its rules in `dir`.
    pub fn start(dir: &Path) -> anyhow::Result<Self> {
        let rules = dir.join("rules.toml");
        std::fs::write(&rules, RULES)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/meerkat/model.py");
        let mut command = Program::new("python3");
        command.arg(script).arg(rules).args(["--port", "0"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().context("python3 is missing")?;
        let mut url = String::new();
        let stdout = process.stdout.take().context("a pipe")?;
        Reader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        Ok(Self { process, url })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A process of the runtime with one member, spoken to directly.
pub struct Bare {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    next: u64,
}

impl Bare {
    /// Starts it with the configuration in `user`, and spawns its member.
    pub async fn start(program: &str, user: &Path, dir: &Path) -> anyhow::Result<Self> {
        let folder = |name: &str| -> anyhow::Result<PathBuf> {
            let folder = dir.join("bare").join(name);
            std::fs::create_dir_all(&folder)?;
            Ok(folder)
        };
        let (state, home) = (folder("state")?, folder("home")?);
        let realm = folder(&format!("state/{REALM}"))?;
        std::fs::copy(user.join(".rkat/config.toml"), realm.join("config.toml"))?;
        let mut command = Command::new(program);
        command
            .args(["--realm", REALM, "--instance", "bench", "--state-root"])
            .arg(state);
        command
            .arg("--user-config-root")
            .arg(user)
            .arg("--context-root")
            .arg(folder("context")?);
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", &home)
            .env("RUST_LOG", "error");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.kill_on_drop(true).spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("a pipe")?;
        let output = BufReader::new(output).lines();
        let mut bare = Self {
            process,
            input,
            output,
            next: 1,
        };
        bare.ask("initialize", json!({})).await?;
        let profile = json!({
            "model": "mobkit-main", "provider": "self_hosted",
            "self_hosted_server_id": "mobkit-main", "runtime_mode": "turn_driven",
            "tools": {"comms": true},
        });
        let definition = json!({"id": "bench", "profiles": {"member": profile}});
        bare.ask("mob/create", json!({"definition": definition}))
            .await?;
        let spawn = json!({
            "mob_id": "bench", "profile": "member", "agent_identity": "worker",
            "runtime_mode": "turn_driven",
            "auth_binding": {"realm": "global", "binding": "mobkit-main"},
        });
        bare.ask("mob/spawn", spawn).await?;
        Ok(bare)
    }

    /// One turn, to its end.
    pub async fn turn(&mut self) -> anyhow::Result<()> {
        let params = json!({"mob_id": "bench", "agent_identity": "worker", "prompt": "hello"});
        self.ask("mob/turn_start", params).await?;
        Ok(())
    }

    /// Ends it in order.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.input.take();
        self.process.wait().await?;
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = self.next;
        self.next += 1;
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let input = self.input.as_mut().context("it has ended")?;
        input.write_all(format!("{asked}\n").as_bytes()).await?;
        loop {
            let line = self.output.next_line().await?.context("it has ended")?;
            let mut said: Value = serde_json::from_str(&line)?;
            if said["id"] == id {
                if said["error"].is_object() {
                    bail!("{method}: {}", said["error"]);
                }
                return Ok(said["result"].take());
            }
        }
    }
}
