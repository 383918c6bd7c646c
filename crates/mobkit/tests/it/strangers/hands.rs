//! A mob of one member whose hands are one module.

use super::installed::installed;
use crate::kit::{member, send, submit};
use mobkit::command::{Answer, ApprovalCommand, Command, MemberCommand};
use mobkit::event::{EventFilter, Verdict};
use mobkit::id::{MessageId, Seq};
use mobkit::{Delta, DeltaKind, Mob, MobBuilder, MobFile};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

/// How long a process may take for anything: no measure, only an end to waiting.
const PATIENCE: Duration = Duration::from_mins(2);

/// A folder with a mob file: a member `worker`, and the module `other` that it may use.
pub(crate) struct Hands {
    folder: TempDir,
    rules: String,
}

impl Hands {
    /// Without a module; the member says what its tools tell it.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            rules: String::new(),
        }
    }

    /// The folder; relative paths of the mob file start here.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// To the message `text` the member calls `tool`, with arguments as TOML.
    pub fn when(mut self, text: &str, tool: &str, args: &str) -> Self {
        let rule = format!(
            "[[rules]]\nwhen = {{ step = 1, text = '^{text}$' }}\n\
             call = [{{ tool = \"module:other/{tool}\", args = {args} }}]\n"
        );
        self.rules.push_str(&rule);
        self
    }

    /// Writes the mob file, with the keys of the module and what else there is to say.
    pub fn module(self, keys: &str, more: &str) -> Self {
        let says = "[[rules]]\nwhen = {}\nsay = \"{{ result }}\"\n";
        self.write("rehearsal.toml", &format!("{}{says}", self.rules));
        let mob = format!(
            r#"
            [mob]
            id = "test"
            [models.main]
            provider = "rehearsal"
            script = "rehearsal.toml"
            [profiles.worker]
            model = "main"
            instructions = "Work."
            tools = ["module:other/*"]
            [[members]]
            id = "worker"
            profile = "worker"
            [store]
            kind = "sqlite"
            durability = "process"
            [[modules]]
            id = "other"
            {keys}
            {more}
            "#
        );
        self.write("mob.toml", &mob);
        self
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    /// Starts the mob on what it left behind, and waits until the module answers.
    pub async fn open(&self) -> Mob {
        let mob = self.open_at_once().await;
        event(&mob, "module.healthy", mob_started(&mob).await).await;
        mob
    }

    /// Starts the mob; the module may not answer yet.
    pub async fn open_at_once(&self) -> Mob {
        let file = MobFile::read(self.path().join("mob.toml")).expect("a valid mob file");
        let builder = MobBuilder::of_file(file)
            .state_dir(self.path().join("state"))
            .variables(variable);
        builder.start().await.expect("started")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "modules find their programs by the PATH of whoever runs the tests"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Position of the last start of a mob.
async fn mob_started(mob: &Mob) -> Seq {
    let starts = all(mob, "runtime.started").await;
    starts.last().expect("it was started")["seq"]
        .as_u64()
        .expect("a position")
}

/// A program of a package of npm, as the command of a module.
pub(crate) fn node(package: &str, arguments: &str) -> String {
    let script = installed().join(format!(
        "node/node_modules/@modelcontextprotocol/{package}/dist/index.js"
    ));
    format!(
        "transport = \"mcp-stdio\"\ncommand = [\"node\", {:?}, {arguments}]\n",
        script.to_str().expect("a path of text")
    )
}

/// The interpreter that has the Python SDK, and the script that makes a server of it.
pub(crate) fn python() -> (PathBuf, PathBuf) {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/strangers/servers/python_sdk.py");
    (installed().join("venv/bin/python"), script)
}

fn filter(kind: &str) -> EventFilter {
    EventFilter {
        kinds: vec![kind.to_owned()],
        ..EventFilter::default()
    }
}

/// The first event of a kind after a position, in its wire form; waits for it.
pub(crate) async fn event(mob: &Mob, kind: &str, after: Seq) -> Value {
    let mut reader = mob.events(after, filter(kind)).await.expect("a cursor");
    let found = tokio::time::timeout(PATIENCE, reader.next(1)).await;
    let found = found.unwrap_or_else(|_| panic!("no {kind} after event {after}"));
    let found = found
        .expect("a journal")
        .unwrap_or_else(|| panic!("the mob stopped before {kind}"));
    serde_json::from_str(found[0].wire()).expect("an event")
}

/// All events of a kind so far, in their wire form.
pub(crate) async fn all(mob: &Mob, kind: &str) -> Vec<Value> {
    let engine = mob.engine();
    let events = engine
        .events_between(0, engine.head(), &filter(kind))
        .await
        .expect("events");
    let wire = events
        .iter()
        .map(|event| serde_json::from_str(event.wire()));
    wire.map(|event| event.expect("an event")).collect()
}

/// What the turn that takes the message says at its end; it must complete.
pub(crate) async fn say(mob: &Mob, text: &str) -> String {
    let message = send(mob, "worker", text).await;
    answer(mob, message).await
}

/// What the turn that took the message says at its end; it must complete.
pub(crate) async fn answer(mob: &Mob, message: MessageId) -> String {
    let ended = tokio::time::timeout(PATIENCE, crate::kit::ended(mob, message)).await;
    let turn = ended.unwrap_or_else(|_| panic!("{message} has no end"));
    assert_eq!(turn.status, mobkit::row::TurnStatus::Completed, "{turn:?}");
    crate::kit::text_of(&turn).to_owned()
}

/// Cancels the running turn of the member.
pub(crate) async fn cancel(mob: &Mob) {
    let cancel = MemberCommand::Cancel {
        member: member("worker"),
        reason: None,
    };
    submit(mob, Command::Member(cancel)).await;
}

/// An operator decides the approval of the event `requested`.
pub(crate) async fn decide(
    mob: &Mob,
    requested: &Value,
    decision: Verdict,
    args: Option<Value>,
) -> Answer {
    let data = &requested["data"];
    let approval = data["approval"].as_str().expect("an id");
    let decide = ApprovalCommand::Decide {
        approval: approval.parse().expect("an id"),
        digest: data["digest"].as_str().expect("a digest").to_owned(),
        decision,
        args,
        reason: None,
        grant: None,
        roles: Vec::new(),
    };
    submit(mob, Command::Approval(decide)).await
}

/// Ends a process by SIGKILL.
pub(crate) fn kill(pid: &Value) {
    let pid = pid.as_u64().expect("a process").to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill is there").success(), "no process {pid}");
}

/// Waits until a call tells how far it is.
pub(crate) async fn progress(deltas: &mut Receiver<Delta>) -> Delta {
    let told = async {
        loop {
            match deltas.recv().await.expect("the mob runs") {
                delta if delta.kind == DeltaKind::Progress => break delta,
                _ => {}
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await;
    told.expect("the call tells how far it is")
}
