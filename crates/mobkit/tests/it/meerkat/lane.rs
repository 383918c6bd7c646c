//! A mob with two Meerkat members and a native one, on a model that follows rules.

use crate::kit::{member, send};
use crate::obedient::Till;
use crate::strangers::hands::{answer, event};
use mobkit::state::MemberState;
use mobkit::{Mob, MobBuilder, MobFile};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tempfile::TempDir;

/// What the mob file has beside models, members and modules.
const MOB: &str = r#"
    [profiles.inside]
    model = "main"
    instructions = "You are inside."
    tools = ["peers", "pay"]
    [profiles.outside]
    engine = "meerkat"
    model = "main"
    instructions = "You are outside."
    tools = ["peers", "deliver", "pay"]
    [[members]]
    id = "host"
    profile = "inside"
    [[members]]
    id = "ada"
    profile = "outside"
    [[members]]
    id = "bob"
    profile = "outside"
    [wiring]
    edges = [["host", "ada"], ["ada", "bob"]]
    [store]
    kind = "sqlite"
    durability = "process"
"#;

/// The folder of these tests.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/meerkat")
}

#[expect(
    clippy::disallowed_methods,
    reason = "programs are found by the PATH of whoever runs the tests, who also names the lane"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The command of the runtime: that of the real one where the lane names it, else the stand-in.
fn runtime() -> Vec<String> {
    match variable("MOBKIT_TEST_MEERKAT") {
        Some(command) => command.split_whitespace().map(str::to_owned).collect(),
        None => stand_in(None),
    }
}

fn stand_in(how: Option<&str>) -> Vec<String> {
    let script = here().join("stand_in.py");
    let mut command = vec!["python3".to_owned(), script.to_string_lossy().into_owned()];
    if let Some(how) = how {
        command.extend(["--misbehave".to_owned(), how.to_owned()]);
    }
    command
}

/// The model's server. It ends with this.
struct Model {
    process: Child,
    /// It ends when this does.
    _stdin: Option<ChildStdin>,
    url: String,
}

impl Model {
    fn start(key: Option<&str>) -> Self {
        let script = here().join("../../../../../examples/meerkat/model.py");
        let mut command = Command::new("python3");
        command
            .arg(script)
            .arg(here().join("rules.toml"))
            .args(["--port", "0"]);
        if let Some(key) = key {
            command.args(["--key", key]);
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = piped.spawn().expect("python3 is there");
        let stdin = process.stdin.take();
        let mut url = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        let read = BufReader::new(stdout).read_line(&mut url);
        read.expect("the server says where it is");
        Self {
            process,
            _stdin: stdin,
            url: url.trim().to_owned(),
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a mob of these tests is made of.
pub(crate) struct Lane {
    folder: TempDir,
    _model: Model,
    pub(crate) till: Till,
    key: Option<String>,
}

impl Lane {
    /// In the lane that is being run.
    pub(crate) fn new() -> Self {
        Self::with(&runtime(), None, "")
    }

    /// With more in the mob file.
    pub(crate) fn more(more: &str) -> Self {
        Self::with(&runtime(), None, more)
    }

    /// With a runtime that misbehaves; the stand-in in every lane.
    pub(crate) fn misbehaving(how: &str) -> Self {
        Self::with(&stand_in(Some(how)), None, "")
    }

    /// With a model that wants a key.
    pub(crate) fn with_key(key: &str) -> Self {
        Self::with(&runtime(), Some(key), "")
    }

    fn with(command: &[String], key: Option<&str>, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let model = Model::start(key);
        let api_key = key.map_or("", |_| "api_key = { env = \"MODEL_KEY\" }");
        let head = format!(
            r#"
            [mob]
            id = "test"
            [engines.meerkat]
            command = {command:?}
            [models.main]
            provider = "openai-compatible"
            base_url = "{}"
            model = "rules"
            {api_key}
            "#,
            model.url
        );
        std::fs::write(folder.path().join("mob.toml"), head + MOB + more).expect("a file");
        Self {
            folder,
            _model: model,
            till: Till::default(),
            key: key.map(str::to_owned),
        }
    }

    /// The state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The folder of the mob file.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the mob on what it left behind.
    pub(crate) async fn open(&self) -> Mob {
        let file = MobFile::read(self.folder.path().join("mob.toml")).expect("a valid mob file");
        let key = self.key.clone();
        let variables = move |name: &str| match name {
            "MODEL_KEY" => key.clone(),
            name => variable(name),
        };
        let builder = MobBuilder::of_file(file).state_dir(self.state());
        let builder = builder.tool(self.till.clone()).variables(variables);
        builder.start().await.expect("started")
    }
}

/// What a member answers; its turn must complete.
pub(crate) async fn told(mob: &Mob, to: &str, text: &str) -> String {
    let message = send(mob, to, text).await;
    answer(mob, message).await
}

/// The pid of the runtime's last process.
pub(crate) async fn pid(mob: &Mob) -> serde_json::Value {
    let started = crate::strangers::hands::all(mob, "engine.started").await;
    match started.last() {
        Some(started) => started["data"]["pid"].clone(),
        None => event(mob, "engine.started", 0).await["data"]["pid"].clone(),
    }
}

/// The state of a member in a word, and its last error.
pub(crate) fn standing(mob: &Mob, id: &str) -> (String, String) {
    mob.engine().view(|world| {
        let id = member(id);
        let state = world.state.member_state(&id).map(MemberState::as_str);
        let error = world
            .state
            .members
            .get(&id)
            .and_then(|m| m.last_error.clone());
        (
            state.unwrap_or("gone").to_owned(),
            error.unwrap_or_default(),
        )
    })
}
