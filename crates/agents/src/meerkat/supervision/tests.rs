use super::*;
use crate::meerkat::connection::Flooded;
use crate::meerkat::launch::{Child, ChildProcess, Program};
use crate::meerkat::{NotFound, find};
use mobkit_domain::command::Command;
use mobkit_domain::definition::{Definition, NoFiles, Secret, parse};
use mobkit_domain::effect::Effect;
use mobkit_domain::event::{EngineNext, Event, EventFilter, StopOutcome};
use mobkit_domain::principal::Principal;
use mobkit_domain::time::Time;
use mobkit_engine::{
    ApplyOptions, DefinitionError, DefinitionSource, EffectPort, EngineConfig, Hooks, Runner,
    TokioClock,
};
use mobkit_store::{EventQuery, MemoryStore};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const MOB: &str = r#"
    [mob]
    id = "desk"
    [models.local]
    provider = "openai-compatible"
    model = "small"
    base_url = "http://127.0.0.1:9/v1"
    api_key = { env = "LOCAL_KEY" }
    [profiles.coder]
    engine = "meerkat"
    model = "local"
    instructions = "Work."
"#;
const KEY: &str = "s3cret-of-the-model";

/// How a child behaves.
#[derive(Clone, Copy)]
enum Kind {
    /// It answers, and ends with its input.
    Good,
    /// It answers, and ends only at SIGTERM, or not even then.
    Stubborn { terminates: bool },
    /// It never answers.
    Silent,
    /// It ends at once.
    Dies,
    /// It says this of its protocol.
    Speaks(&'static str),
    /// It lacks a method.
    Lacks(&'static str),
    /// It answers, and then writes this.
    Writes(&'static str),
    /// It can't be started.
    Unlaunchable,
}

/// Starts children of these kinds, one after the other; the last one again and again.
struct Stage {
    kinds: Mutex<VecDeque<Kind>>,
    programs: Mutex<Vec<Program>>,
    exits: Mutex<Vec<watch::Sender<Option<String>>>>,
    /// How many children were cleared away.
    cleared: Arc<AtomicUsize>,
    missing: bool,
}

impl Stage {
    fn launches(&self) -> usize {
        self.programs.lock().expect("not poisoned").len()
    }

    /// Ends the last child.
    fn end(&self, how: &str) {
        let exits = self.exits.lock().expect("not poisoned");
        exits
            .last()
            .expect("a child")
            .send_replace(Some(how.to_owned()));
    }
}

struct Pretended {
    exit: watch::Sender<Option<String>>,
    cleared: Arc<AtomicUsize>,
    kind: Kind,
}

#[async_trait]
impl ChildProcess for Pretended {
    fn pid(&self) -> u32 {
        77
    }

    async fn exited(&mut self) -> String {
        let mut exit = self.exit.subscribe();
        let found = exit
            .wait_for(Option::is_some)
            .await
            .expect("the sender is here");
        found.clone().expect("waited for")
    }

    fn terminate(&mut self) {
        if !matches!(self.kind, Kind::Stubborn { terminates: false }) {
            self.exit
                .send_replace(Some("signal 15 (SIGTERM)".to_owned()));
        }
    }

    fn kill(&mut self) {
        self.exit
            .send_replace(Some("signal 9 (SIGKILL)".to_owned()));
    }

    fn without_secrets(&self, text: String) -> String {
        text.replace(KEY, "[secret]")
    }

    async fn end(self: Box<Self>) {
        self.cleared.fetch_add(1, Ordering::Relaxed);
        self.exit.send_replace(Some("gone".to_owned()));
    }
}

#[async_trait]
impl Launcher for Stage {
    fn find(&self, program: &str) -> Result<PathBuf, NotFound> {
        if self.missing {
            find(
                program,
                std::path::Path::new("/"),
                Some("/nowhere:/neither"),
            )
        } else {
            Ok(PathBuf::from("/opt").join(program))
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "PATH").then(|| "/bin".to_owned())
    }

    async fn secret(&self, secret: &Secret) -> Result<String, String> {
        assert_eq!(*secret, Secret::Env("LOCAL_KEY".to_owned()));
        Ok(KEY.to_owned())
    }

    async fn launch(&self, program: Program, mob: &Engine) -> Result<Child, String> {
        self.programs.lock().expect("not poisoned").push(program);
        let kind = {
            let mut kinds = self.kinds.lock().expect("not poisoned");
            let kind = kinds.pop_front().expect("a kind");
            if kinds.is_empty() {
                kinds.push_back(kind);
            }
            kind
        };
        if matches!(kind, Kind::Unlaunchable) {
            return Err("no more processes".to_owned());
        }
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (output, input) = tokio::io::split(ours);
        let exit = watch::Sender::new(None);
        self.exits.lock().expect("not poisoned").push(exit.clone());
        mob.tasks()
            .spawn(SUPERVISION, live(theirs, kind, exit.clone()));
        Ok(Child {
            input: Box::new(input),
            output: Box::new(output),
            process: Box::new(Pretended {
                exit,
                cleared: Arc::clone(&self.cleared),
                kind,
            }),
        })
    }
}

/// What a child does.
async fn live(streams: DuplexStream, kind: Kind, exit: watch::Sender<Option<String>>) {
    if matches!(kind, Kind::Dies) {
        exit.send_replace(Some("exit status 1".to_owned()));
        return;
    }
    let mut killed = exit.subscribe();
    let talking = async {
        let (input, mut output) = tokio::io::split(streams);
        let mut lines = BufReader::new(input).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let asked: Value = serde_json::from_str(&line).expect("JSON");
            if asked["method"] == "initialize" && !matches!(kind, Kind::Silent) {
                let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": greeting(kind)});
                let line = format!("{answer}\n");
                output.write_all(line.as_bytes()).await.expect("written");
            }
            if let (Kind::Writes(text), "initialized") =
                (kind, asked["method"].as_str().unwrap_or(""))
            {
                output.write_all(text.as_bytes()).await.expect("written");
            }
        }
        match kind {
            Kind::Stubborn { .. } => std::future::pending().await,
            _ => exit.send_replace(Some("exit status 0".to_owned())),
        }
    };
    tokio::select! {
        _ = killed.wait_for(Option::is_some) => {}
        _ = talking => {}
    }
}

fn greeting(kind: Kind) -> Value {
    let version = match kind {
        Kind::Speaks(version) => version,
        _ => "0.9.8",
    };
    let mut methods = crate::meerkat::handshake::NEEDED.to_vec();
    if let Kind::Lacks(lacking) = kind {
        methods.retain(|method| *method != lacking);
    }
    json!({
        "server_info": {"name": "meerkat-rpc", "version": version},
        "contract_version": version,
        "methods": methods,
    })
}

/// A mob file that changes.
struct Changing(Mutex<Definition>);

#[async_trait]
impl DefinitionSource for Changing {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }
}

struct Quiet;

#[async_trait]
impl Runner for Quiet {
    async fn run(&self, _: Effect, _: EffectPort) -> Option<Command> {
        None
    }
}

struct Unattached {
    fails: bool,
}

#[async_trait]
impl Attach for Unattached {
    fn listener(&self, _: u64) -> Arc<dyn Listener> {
        Arc::new(Deaf)
    }

    async fn attach(&self, _: &Live, _: &Engine) -> Result<(), String> {
        if self.fails {
            Err("refused `mob/list`".to_owned())
        } else {
            Ok(())
        }
    }
}

struct Deaf;

impl Listener for Deaf {
    fn notification(&self, _: &str, _: Value) -> Result<(), Flooded> {
        Ok(())
    }

    fn call(&self, _: String, _: &str, _: Value) -> Result<(), Flooded> {
        Ok(())
    }

    fn closed(&self, _: &str) {}
}

struct Test {
    mob: Engine,
    stage: Arc<Stage>,
    supervision: Supervision,
    file: Arc<Changing>,
    folder: tempfile::TempDir,
}

impl Test {
    async fn of(kinds: &[Kind]) -> Self {
        Self::with(kinds, false, false).await
    }

    async fn with(kinds: &[Kind], missing: bool, fails: bool) -> Self {
        let parsed = parse("mob.toml", MOB, &NoFiles).expect("the mob file is right");
        let file = Arc::new(Changing(Mutex::new(parsed.definition.clone())));
        let config = EngineConfig {
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(TokioClock::starting_at(Time(1_000_000))),
            definition: Arc::new(parsed.definition),
            source: Some(Arc::clone(&file) as _),
            toolbox: Arc::default(),
            runner: Arc::new(Quiet),
            hooks: Hooks::default(),
            version: "0.0.0-test".to_owned(),
            rehearsal: false,
            drain_timeout_ms: 10_000,
            force_first: false,
        };
        let mob = Engine::open(config).await.expect("opened");
        mob.bring_up().await.expect("brought up");
        let stage = Arc::new(Stage {
            kinds: Mutex::new(kinds.iter().copied().collect()),
            programs: Mutex::default(),
            exits: Mutex::default(),
            cleared: Arc::default(),
            missing,
        });
        let folder = tempfile::tempdir().expect("a folder");
        let attach = Arc::new(Unattached { fails });
        let launcher: Arc<dyn Launcher> = stage.clone();
        let supervision = Supervision::new(launcher, folder.path().to_owned(), attach);
        Self {
            mob,
            stage,
            supervision,
            file,
            folder,
        }
    }

    async fn start(&self) -> u64 {
        let live = self.supervision.connection(&self.mob).await;
        live.map(|live| live.start).expect("it runs")
    }

    async fn gave_up(&self) -> String {
        match self
            .supervision
            .connection(&self.mob)
            .await
            .map(|live| live.start)
        {
            Err(Down::GaveUp(reason)) => reason,
            other => panic!("not given up: {other:?}"),
        }
    }

    /// What the journal says of the process: each start, and each end with how long after it the
    /// next start is.
    async fn journal(&self) -> Vec<String> {
        let query = EventQuery {
            after: 0,
            until: self.mob.head(),
            filter: EventFilter {
                kinds: vec!["engine.*".to_owned()],
                ..EventFilter::default()
            },
            limit: 1_000,
            ..EventQuery::default()
        };
        let page = self.mob.store().events(self.mob.mob(), query).await;
        let events = page.expect("readable").events;
        let told = events.iter().map(|envelope| match &envelope.event {
            Event::EngineStarted(e) => format!("started {} {}", e.pid, e.version),
            Event::EngineStopped(e) => {
                let outcome = e.outcome.map_or("", StopOutcome::as_str);
                let next = match e.next {
                    EngineNext::Restart { not_before } => {
                        format!("restart +{}", not_before.since_ms(envelope.time))
                    }
                    EngineNext::Stopped => "stopped".to_owned(),
                    EngineNext::Failed => "failed".to_owned(),
                };
                format!("{}|{outcome}|{next}", e.reason)
            }
            other => panic!("{other:?}"),
        });
        told.collect()
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_started_once_for_all_who_ask_with_keys_in_its_environment_only() {
    let test = Test::of(&[Kind::Good]).await;
    assert_eq!(
        tokio::join!(test.start(), test.start(), test.start()),
        (1, 1, 1)
    );
    assert_eq!(test.journal().await, ["started 77 0.9.8"]);
    let programs = test.stage.programs.lock().expect("not poisoned").clone();
    let [program] = programs.as_slice() else {
        panic!("{} starts", programs.len());
    };
    assert_eq!(program.path, std::path::Path::new("/opt/rkat-rpc"));
    assert_eq!(
        program.environment.get("MOBKIT_KEY_1").map(String::as_str),
        Some(KEY)
    );
    assert_eq!(
        program.environment.get("PATH").map(String::as_str),
        Some("/bin")
    );
    assert_eq!(program.secrets, [KEY]);
    assert!(!program.arguments.concat().contains(KEY));
    let root = test.folder.path().join("meerkat");
    assert_eq!(
        program.environment.get("HOME"),
        root.join("home").to_str().map(str::to_owned).as_ref()
    );
    let config = std::fs::read_to_string(root.join("user/.rkat/config.toml")).expect("written");
    assert!(
        config.contains("MOBKIT_KEY_1") && !config.contains(KEY),
        "{config}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_end_that_nobody_wanted_is_followed_by_a_start_after_a_pause() {
    let test = Test::of(&[Kind::Good]).await;
    assert_eq!(test.start().await, 1);
    test.stage.end("signal 9 (SIGKILL)");
    assert_eq!(test.supervision.ended(1).await, "signal 9 (SIGKILL)");
    assert_eq!(test.start().await, 2);
    let wanted = [
        "started 77 0.9.8",
        "signal 9 (SIGKILL)||restart +200",
        "started 77 0.9.8",
    ];
    assert_eq!(test.journal().await, wanted);
}

#[tokio::test(start_paused = true)]
async fn what_ends_too_often_is_given_up_until_somebody_needs_it_again() {
    let test = Test::of(&[Kind::Dies]).await;
    let reason = test.gave_up().await;
    assert!(
        reason.contains("too often, at last: exit status 1"),
        "{reason}"
    );
    assert!(reason.contains("respawn its members"), "{reason}");
    let journal = test.journal().await;
    let pauses = [200, 400, 800, 1_600, 3_200];
    let wanted = pauses.map(|pause| format!("exit status 1||restart +{pause}"));
    assert_eq!(journal[..5], wanted);
    assert_eq!(journal[5], format!("{reason}||failed"));
    assert_eq!((journal.len(), test.stage.launches()), (6, 6));
    test.gave_up().await;
    assert_eq!(test.stage.launches(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_tried_again() {
    let silent = "did not answer `initialize` within 30 s";
    for (kind, reason) in [
        (Kind::Silent, silent),
        (Kind::Unlaunchable, "no more processes"),
    ] {
        let test = Test::of(&[kind, Kind::Good]).await;
        assert_eq!(test.start().await, 2);
        let wanted = [
            format!("{reason}||restart +200"),
            "started 77 0.9.8".to_owned(),
        ];
        assert_eq!(test.journal().await, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_made_ready_is_never_said_to_have_started() {
    let test = Test::with(&[Kind::Good], false, true).await;
    let reason = test.gave_up().await;
    assert!(reason.contains("refused `mob/list`"), "{reason}");
    assert!(
        test.journal()
            .await
            .iter()
            .all(|line| !line.starts_with("started"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_right_program_is_given_up_at_once_with_the_next_step() {
    let cases = [
        (
            Kind::Speaks("0.8.26"),
            "speaks version 0.8.26 of its protocol, and 0.9 is wanted",
        ),
        (
            Kind::Speaks("0.10.0"),
            "speaks version 0.10.0 of its protocol",
        ),
        (
            Kind::Speaks("1.9.0"),
            "speaks version 1.9.0 of its protocol",
        ),
        (
            Kind::Lacks("mob/stop_member_run"),
            "lacks mob/stop_member_run, which is needed",
        ),
    ];
    for (kind, wanted) in cases {
        let test = Test::of(&[kind]).await;
        let reason = test.gave_up().await;
        assert!(reason.contains(wanted), "{reason}");
        assert!(
            reason.contains("`cargo install meerkat-rpc --version 0.9.8`"),
            "{reason}"
        );
        assert_eq!(test.journal().await, [format!("{reason}||failed")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_not_there_is_said_with_where_it_was_looked_for() {
    let test = Test::with(&[Kind::Good], true, false).await;
    let reason = test.gave_up().await;
    for part in [
        "rkat-rpc was not found in PATH (/nowhere:/neither)",
        "`cargo install meerkat-rpc --version 0.9.8`",
        "[engines.meerkat] command",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(test.stage.launches(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_broken_protocol_ends_the_process_and_shows_no_secret() {
    let line = "key s3cret-of-the-model\n";
    let test = Test::of(&[Kind::Writes(line), Kind::Good]).await;
    test.start().await;
    let ended = test.supervision.ended(1).await;
    assert_eq!(
        ended,
        "broken protocol: wrote a line that is not JSON: \"key [secret]\""
    );
    assert_eq!(test.start().await, 2);
    assert_eq!(test.stage.cleared.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_the_input_then_asks_then_kills_and_says_what_was_seen() {
    let cases = [
        (
            Kind::Good,
            "exited",
            "process 77 ended by itself after 0 ms",
        ),
        (
            Kind::Stubborn { terminates: true },
            "terminated",
            "process 77 ended at SIGTERM after 5000 ms",
        ),
        (
            Kind::Stubborn { terminates: false },
            "killed",
            "process 77 had to be killed after 6000 ms",
        ),
    ];
    for (kind, outcome, seen) in cases {
        let test = Test::of(&[kind]).await;
        test.start().await;
        assert_eq!(test.supervision.stop().await, seen);
        let wanted = [
            "started 77 0.9.8".to_owned(),
            format!("shutdown|{outcome}|stopped"),
        ];
        assert_eq!(test.journal().await, wanted);
        let again = test.supervision.connection(&test.mob).await;
        assert_eq!(again.map(|live| live.start), Err(Down::Stopping));
        assert_eq!(test.supervision.stop().await, seen);
    }
}

#[tokio::test(start_paused = true)]
async fn one_with_other_models_takes_its_place_when_the_mob_file_has_others() {
    let test = Test::of(&[Kind::Good]).await;
    assert_eq!(test.start().await, 1);
    let change = |at: &str| {
        let mut definition = test.file.0.lock().expect("not poisoned");
        let model = definition.models.values_mut().next().expect("a model");
        model.base_url = Some(at.to_owned());
    };
    change("http://127.0.0.1:10/v1");
    let operator = Principal::Operator("test".to_owned());
    let applied = test.mob.apply(&operator, &ApplyOptions::default()).await;
    applied.expect("applied");
    assert_eq!(tokio::join!(test.start(), test.start()), (2, 2));
    let wanted = [
        "started 77 0.9.8",
        "the models of the mob file have changed|exited|restart +0",
        "started 77 0.9.8",
    ];
    assert_eq!(test.journal().await, wanted);
    let config = test.folder.path().join("meerkat/user/.rkat/config.toml");
    let config = std::fs::read_to_string(config).expect("written");
    assert!(config.contains("127.0.0.1:10"), "{config}");
}

#[tokio::test(start_paused = true)]
async fn what_never_ran_is_stopped_at_once() {
    let test = Test::of(&[Kind::Good]).await;
    assert_eq!(test.supervision.stop().await, "it was not running");
    assert_eq!(test.stage.launches(), 0);
    assert!(test.journal().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_pause_before_a_restart_starts_nothing() {
    let test = Test::of(&[Kind::Good]).await;
    test.start().await;
    test.stage.end("exit status 3");
    test.supervision.ended(1).await;
    assert_eq!(test.supervision.stop().await, "it was not running");
    assert_eq!(test.stage.launches(), 1);
}
