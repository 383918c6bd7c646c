//! The program of the Meerkat runtime: found and asked, run as a child, missing, and left out of a
//! rehearsal. What it does in turns is tested elsewhere.

use crate::kit::ask;
use mobkit::definition::Engine as EngineKind;
use mobkit::event::{Event, EventFilter};
use mobkit::row::TurnStatus;
use mobkit::{EventReader, Mob, MobBuilder, MobFile, Variables, find_meerkat};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// No test waits as long as that for anything; a machine under load may need some of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that speaks an older version, and writes its key to its log.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import json, os, sys
print("key", os.environ.get("MOBKIT_KEY_1"), "home", os.environ["HOME"], file=sys.stderr, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        result = {"server_info": {"name": "x", "version": "0.8.26"}, "contract_version": "0.8.26"}
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"#;

const MOB: &str = r#"
    [mob]
    id = "desk"
    [engines.meerkat]
    command = ["./rkat-rpc"]
    [models.local]
    provider = "openai-compatible"
    model = "small"
    base_url = "http://127.0.0.1:9/v1"
    api_key = { env = "LOCAL_KEY" }
    [profiles.coder]
    engine = "meerkat"
    model = "local"
    instructions = "Work."
    tools = ["engine:shell"]
    [[members]]
    id = "ada"
    profile = "coder"
"#;

fn variables() -> Variables {
    Arc::new(|name: &str| match name {
        "PATH" => Some("/usr/local/bin:/usr/bin:/bin".to_owned()),
        "LOCAL_KEY" => Some("s3cret-of-the-model".to_owned()),
        _ => None,
    })
}

/// A folder with the mob file, and with the program if it is to be there.
fn folder(has_program: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mob.toml"), MOB).expect("written");
    if has_program {
        let program = folder.path().join("rkat-rpc");
        std::fs::write(&program, PROGRAM).expect("written");
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, runs).expect("set");
    }
    folder
}

fn builder(folder: &Path) -> MobBuilder {
    let file = MobFile::read(folder).expect("the mob file is right");
    let variables = variables();
    MobBuilder::of_file(file)
        .state_dir(folder.join("state"))
        .variables(move |name| variables(name))
}

/// Waits until the journal says how the member failed; what the engine wrote by then comes with it.
async fn failed(mob: &Mob) -> (String, Vec<String>) {
    let reader = EventReader::open(mob.engine(), 0, EventFilter::default()).await;
    let mut reader = reader.expect("readable");
    let mut log = Vec::new();
    let found = async {
        loop {
            let events = reader.next(64).await.expect("readable");
            for event in events.expect("the mob runs") {
                match &event.envelope.event {
                    Event::EngineLog(e) => log.extend(e.lines.clone()),
                    Event::MemberFailed(e) => return e.error.clone(),
                    _ => {}
                }
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    (found.expect("within a minute"), log)
}

#[tokio::test]
async fn a_program_of_another_version_fails_its_members_and_leaves_nothing() {
    let folder = folder(true);
    let mob = builder(folder.path()).start().await.expect("started");
    let (reason, log) = failed(&mob).await;
    for part in [
        "speaks version 0.8.26 of its protocol, and 0.9 is wanted",
        "`cargo install meerkat-rpc --version 0.9.8`",
        "respawn its members",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    let home = folder.path().join("state/meerkat/home");
    assert_eq!(log, [format!("key [secret] home {}", home.display())]);
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    assert_eq!(report.engines[0].engine, "meerkat");
}

#[tokio::test]
async fn a_program_that_is_missing_fails_its_members_with_the_next_step() {
    let folder = folder(false);
    let mob = builder(folder.path()).start().await.expect("started");
    let (reason, _) = failed(&mob).await;
    assert!(reason.contains("./rkat-rpc was not found at"), "{reason}");
    assert!(reason.contains("[engines.meerkat] command"), "{reason}");
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test]
async fn the_program_is_found_and_asked_for_its_version() {
    let folder = folder(true);
    let definition = MobFile::read(folder.path()).expect("right").definition;
    let scratch = folder.path().join("scratch");
    let variables = variables();
    let ask = || find_meerkat(&definition, folder.path(), &variables, &scratch);
    let older = ask().await.expect_err("an older one");
    assert!(older.contains("speaks version 0.8.26"), "{older}");
    assert!(!scratch.exists());
    std::fs::remove_file(folder.path().join("rkat-rpc")).expect("removed");
    let missing = ask().await.expect_err("none");
    assert!(missing.contains("was not found at"), "{missing}");
}

#[tokio::test]
async fn a_rehearsal_runs_members_of_other_engines_on_the_native_one() {
    let folder = folder(false);
    let mob = builder(folder.path()).rehearse(true).start().await;
    let mob = mob.expect("started");
    let engine = |mob: &Mob| {
        let profiles = mob.engine().view(|world| world.definition.profiles.clone());
        profiles
            .values()
            .map(|profile| profile.engine)
            .collect::<Vec<_>>()
    };
    assert_eq!(engine(&mob), [EngineKind::Native]);
    let turn = ask(&mob, "ada", "hello").await;
    assert_eq!(turn.status, TurnStatus::Completed);
    let report = mob.shutdown().await;
    assert!(
        report.is_orderly() && report.engines.is_empty(),
        "{report:?}"
    );
}
