//! `[[modules]]`: supervised helper processes and remote servers that offer tools.

use super::report::{Finding, Report};
use super::retry::Backoff;
use super::scalar::{Choice, choice};
use super::secret::{Setting, is_env_name, is_header_name};
use super::source::{Node, Table};
use crate::canonical::{canonical_json, sha256_hex};
use crate::event::ToolEffect;
use crate::id::ModuleId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const IDLE_STOP_MS: u64 = 300_000;
/// How long a call may take where the mob file does not say.
const TIMEOUT_MS: u64 = 60_000;
const TIMEOUT_MIN_MS: u64 = 1_000;
const TIMEOUT_MAX_MS: u64 = 3_600_000;

choice! {
    /// When a module that ended is started again.
    RestartPolicy {
        /// Whenever it ends.
        Always = "always",
        /// When it ends with an error or by a signal.
        OnFailure = "on-failure",
        /// Not at all.
        Never = "never",
    }
}

impl Choice for ToolEffect {
    const OPTIONS: &'static [(&'static str, Self)] = &[
        ("read", Self::Read),
        ("idempotent", Self::Idempotent),
        ("effect", Self::Effect),
    ];
}

choice! {
    /// What a sandboxed module reaches of the network.
    Network {
        /// Nothing.
        None = "none",
        /// Everything.
        All = "all",
    }
}

choice! {
    /// What happens where the kernel cannot enforce a sandbox.
    SandboxRequire {
        /// The module starts with what the kernel can do, which is reported.
        BestEffort = "best-effort",
        /// The module does not start.
        Strict = "strict",
    }
}

/// How a module is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A child process that speaks MCP on its standard input and output.
    McpStdio {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// A remote MCP server.
    McpHttp {
        /// Its address.
        url: String,
        /// Headers sent with each request.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Setting>,
    },
    /// A child process that answers one JSON request per line.
    JsonLines {
        /// Program and arguments.
        command: Vec<String>,
    },
}

/// When and how often a module is started again. Past `intensity` restarts within `period_ms` it is
/// quarantined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// After which ends.
    pub policy: RestartPolicy,
    /// Most restarts within the period.
    pub intensity: u32,
    /// The period, in milliseconds.
    pub period_ms: u64,
    /// Pauses before restarts.
    pub backoff: Backoff,
}

/// When a module is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the mob.
    Eager,
    /// At the first call.
    Lazy {
        /// Time without a call after which it is stopped again, in milliseconds.
        idle_stop_ms: u64,
    },
}

/// A part of the file system that a sandboxed module may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathRule {
    /// To read, relative to the mob file.
    Read(String),
    /// To read and write, relative to the mob file.
    Write(String),
}

/// What a module may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Parts of the file system; nothing but what a program needs to run where empty.
    pub filesystem: Vec<PathRule>,
    /// The network.
    pub network: Network,
    /// What happens where the kernel cannot enforce it.
    pub require: SandboxRequire,
}

/// One module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Its id.
    pub id: ModuleId,
    /// How it is reached.
    pub transport: Transport,
    /// When it is started again.
    pub restart: Restart,
    /// When it is started.
    pub start: Start,
    /// Its environment beyond PATH, HOME, LANG and TZ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Setting>,
    /// What a repeated call of its tools does, by tool name; a tool that is not named has what its
    /// module hints, else `effect`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<String, ToolEffect>,
    /// What it may reach; everything where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
    /// Whether a changed tool definition needs an approval.
    pub pin: bool,
    /// How long a call may take, in milliseconds; from 1,000 to 3,600,000.
    pub timeout_ms: u64,
}

impl Module {
    /// `sha256:…` over what its process depends on: transport, environment, sandbox, pin and
    /// start. Where it differs from that of the process that runs, the process is replaced. The
    /// rest (restart policy, effects, time limit) is read anew each time it is used.
    pub fn digest(&self) -> String {
        let basis = json!({
            "transport": self.transport, "env": self.env, "sandbox": self.sandbox,
            "pin": self.pin, "start": self.start,
        });
        format!("sha256:{}", sha256_hex(canonical_json(&basis)))
    }

    /// The exact command, or the address.
    pub fn command(&self) -> Vec<String> {
        match &self.transport {
            Transport::McpStdio { command } | Transport::JsonLines { command } => command.clone(),
            Transport::McpHttp { url, .. } => vec![url.clone()],
        }
    }

    /// Time without a call after which it is stopped, in milliseconds; `None`: it stays.
    pub fn idle_stop_ms(&self) -> Option<u64> {
        match self.start {
            Start::Eager => None,
            Start::Lazy { idle_stop_ms } => Some(idle_stop_ms),
        }
    }

    /// Whether it runs only while it is used.
    pub fn is_lazy(&self) -> bool {
        self.idle_stop_ms().is_some()
    }
}

choice! {
    /// How a module speaks.
    TransportKind {
        /// MCP over standard input and output.
        McpStdio = "mcp-stdio",
        /// MCP over HTTP.
        McpHttp = "mcp-http",
        /// One JSON document per line.
        JsonLines = "json-lines",
    }
}

choice! {
    /// When a module is started.
    StartKind {
        /// With the mob.
        Eager = "eager",
        /// At the first call.
        Lazy = "lazy",
    }
}

/// Reads one `[[modules]]`.
pub(super) fn read(
    cx: &mut Report<'_>,
    id: Option<ModuleId>,
    mut table: Table<'_>,
) -> Option<Module> {
    let transport = read_transport(cx, &mut table);
    let restart = table.read(cx, "restart", read_restart);
    let start = read_start(cx, &mut table);
    let env = table.read(cx, "env", |node, cx| node.settings(cx, is_env_name));
    let effects = table.read(cx, "effects", read_effects);
    let sandbox = table.read(cx, "sandbox", read_sandbox);
    let pin = table.read(cx, "pin", Node::boolean);
    let timeout_ms = table.read(cx, "timeout", Node::call_timeout_ms);
    table.finish(cx);
    Some(Module {
        id: id?,
        transport: transport?,
        restart: restart.unwrap_or(RESTART),
        start,
        env: env.unwrap_or_default(),
        effects: effects.unwrap_or_default(),
        sandbox,
        pin: pin.unwrap_or(false),
        timeout_ms: timeout_ms.unwrap_or(TIMEOUT_MS),
    })
}

/// What holds where the mob file does not say.
pub(crate) const RESTART: Restart = Restart {
    policy: RestartPolicy::OnFailure,
    intensity: 5,
    period_ms: 60_000,
    backoff: Backoff {
        min_ms: 200,
        max_ms: 30_000,
    },
};

fn read_transport(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Transport> {
    let example = "transport = \"mcp-stdio\" (or mcp-http, json-lines)";
    let kind = table
        .need(cx, "transport", example)
        .and_then(|node| node.choice(cx));
    match kind {
        Some(TransportKind::McpStdio) => {
            read_command(cx, table).map(|command| Transport::McpStdio { command })
        }
        Some(TransportKind::JsonLines) => {
            read_command(cx, table).map(|command| Transport::JsonLines { command })
        }
        Some(TransportKind::McpHttp) => {
            table.forbid(cx, "command", "a remote module has no command");
            let url = table.need(cx, "url", "url = \"https://…\"");
            let url = url.and_then(|node| node.url(cx, &["http", "https"]));
            let headers = table.read(cx, "headers", |node, cx| node.settings(cx, is_header_name));
            Some(Transport::McpHttp {
                url: url?,
                headers: headers.unwrap_or_default(),
            })
        }
        None => {
            for key in ["command", "url", "headers"] {
                table.take(cx, key);
            }
            None
        }
    }
}

fn read_command(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Vec<String>> {
    for key in ["url", "headers"] {
        table.forbid(cx, key, "this module is a child process");
    }
    let node = table.need(cx, "command", "command = [\"program\", \"argument\"]")?;
    node.some_texts(cx)
}

fn read_restart(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Restart> {
    let mut table = node.table(cx)?;
    let policy = table.read(cx, "policy", Node::choice);
    let intensity = table.read(cx, "intensity", |node, cx| node.integer(cx, 0, 1_000));
    let period_ms = table.read(cx, "period", Node::span_ms);
    let backoff = table.read(cx, "backoff", Node::backoff);
    table.finish(cx);
    Some(Restart {
        policy: policy.unwrap_or(RESTART.policy),
        intensity: intensity.unwrap_or(RESTART.intensity),
        period_ms: period_ms.unwrap_or(RESTART.period_ms),
        backoff: backoff.unwrap_or(RESTART.backoff),
    })
}

fn read_start(cx: &mut Report<'_>, table: &mut Table<'_>) -> Start {
    if let Some(StartKind::Lazy) = table.read(cx, "start", Node::choice) {
        let idle_stop_ms = table.read(cx, "idle_stop", Node::span_ms);
        return Start::Lazy {
            idle_stop_ms: idle_stop_ms.unwrap_or(IDLE_STOP_MS),
        };
    }
    table.forbid(cx, "idle_stop", "only a lazy module stops when idle");
    Start::Eager
}

fn read_effects(node: &Node<'_>, cx: &mut Report<'_>) -> Option<BTreeMap<String, ToolEffect>> {
    let entries = node.table(cx)?.entries(cx).into_iter();
    let effects: Vec<_> = entries
        .map(|entry| Some((entry.name.to_owned(), entry.node.choice(cx)?)))
        .collect();
    effects.into_iter().collect()
}

fn read_sandbox(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Sandbox> {
    let mut table = node.table(cx)?;
    let filesystem = table.read(cx, "filesystem", |node, cx| node.each(cx, Node::path_rule));
    let network = table.read(cx, "network", Node::choice);
    let require = table.read(cx, "require", Node::choice);
    table.finish(cx);
    Some(Sandbox {
        filesystem: filesystem.unwrap_or_default(),
        network: network.unwrap_or(Network::None),
        require: require.unwrap_or(SandboxRequire::BestEffort),
    })
}

impl Node<'_> {
    fn call_timeout_ms(&self, cx: &mut Report<'_>) -> Option<u64> {
        let ms = self.span_ms(cx)?;
        if (TIMEOUT_MIN_MS..=TIMEOUT_MAX_MS).contains(&ms) {
            return Some(ms);
        }
        let message = format!("{} must be from 1s to 1h", self.name());
        let finding = Finding::new("duration_invalid", &self.span, message);
        cx.error(finding.label("out of range"));
        None
    }

    fn path_rule(&self, cx: &mut Report<'_>) -> Option<PathRule> {
        let text = self.text(cx)?;
        match text.split_once(':') {
            Some(("ro", path)) if !path.is_empty() => Some(PathRule::Read(path.to_owned())),
            Some(("rw", path)) if !path.is_empty() => Some(PathRule::Write(path.to_owned())),
            _ => {
                let message = format!("{} is not a rule for a path: {text:?}", self.name());
                let finding = Finding::new("path_rule_invalid", &self.span, message);
                let hint = "write \"ro:path\" to read or \"rw:path\" to read and write";
                cx.error(finding.label("wants ro:path or rw:path").hint_str(hint));
                None
            }
        }
    }
}
