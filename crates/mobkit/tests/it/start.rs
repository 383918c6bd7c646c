//! What a start refuses, and what it leaves behind then.

use crate::kit::{ask, builder, definition, echo, operator, text_of};
use mobkit::{ApplyOptions, BuildError, HookError, MemoryStore, MobBuilder, MobFile};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn parts_that_nothing_can_run_are_refused_by_name() {
    let text = r#"
        [mob]
        id = "test"
        [models.main]
        provider = "rehearsal"
        [profiles.echo]
        model = "main"
        instructions = "Answer."
        engine = "acp"
        [store]
        kind = "postgres"
        url = { env = "DATABASE_URL" }
        [[members]]
        id = "echo"
        profile = "echo"
    "#;
    let store = Arc::new(MemoryStore::new());
    let refused = builder(definition(text, ""), &store)
        .start()
        .await
        .err()
        .expect("refused");
    let BuildError::Unsupported(parts) = &refused else {
        panic!("{refused}")
    };
    assert_eq!(parts.len(), 2, "{refused}");
    assert!(refused.to_string().contains("postgres"), "{refused}");
}

#[tokio::test]
async fn a_failed_start_frees_the_state_directory() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |fails: bool| {
        MobBuilder::new(echo(""))
            .state_dir(folder.path())
            .pre_spawn(move || {
                Box::pin(async move {
                    if fails {
                        Err(HookError("no database".to_owned()))
                    } else {
                        Ok(serde_json::Value::Null)
                    }
                })
            })
            .start()
    };
    let refused = start(true).await.err().expect("refused");
    assert!(refused.to_string().contains("no database"), "{refused}");
    let mob = start(false).await.expect("the directory is free again");
    let second = start(false).await.err().expect("refused");
    assert!(
        second.to_string().contains(&std::process::id().to_string()),
        "{second}"
    );
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test(start_paused = true)]
async fn a_broken_script_is_refused_before_anything_starts() {
    let store = Arc::new(MemoryStore::new());
    let script = "[[rules]]\nwhen = { text = \"(\" }\nsay = \"x\"\n";
    let refused = builder(echo(script), &store)
        .start()
        .await
        .err()
        .expect("refused");
    assert!(matches!(refused, BuildError::Model(_)), "{refused}");
}

/// A mob file with these members, all of one profile, on a script that says `said`.
fn write_mob(folder: &std::path::Path, id: &str, members: &[&str], said: &str) {
    let script = format!("[[rules]]\nwhen = {{ step = 1 }}\nsay = \"{said}\"\n");
    std::fs::write(folder.join("script.toml"), script).expect("written");
    let mut text = format!(
        "[mob]\nid = \"{id}\"\n\
         [models.main]\nprovider = \"rehearsal\"\nscript = \"script.toml\"\n\
         [profiles.echo]\nmodel = \"main\"\ninstructions = \"Answer.\"\n"
    );
    let members = members
        .iter()
        .map(|id| format!("[[members]]\nid = \"{id}\"\nprofile = \"echo\"\n"));
    text.extend(members);
    std::fs::write(folder.join("mob.toml"), text).expect("written");
}

fn of_folder(folder: &std::path::Path) -> MobBuilder {
    MobBuilder::of_file(MobFile::read(folder).expect("valid")).state_dir(folder.join("state"))
}

#[tokio::test]
async fn a_changed_file_takes_effect_with_the_apply_models_included() {
    let folder = tempfile::tempdir().expect("a folder");
    write_mob(folder.path(), "test", &["one"], "first");
    let mob = of_folder(folder.path()).start().await.expect("started");
    assert_eq!(text_of(&ask(&mob, "one", "?").await), "first");
    write_mob(folder.path(), "test", &["one", "two"], "second");
    let report = mob
        .reconcile(&operator(), &ApplyOptions::default())
        .await
        .expect("applied");
    assert!(
        report.is_complete() && report.spawned.len() == 1,
        "{report:?}"
    );
    assert_eq!(text_of(&ask(&mob, "two", "?").await), "second");
    assert_eq!(text_of(&ask(&mob, "one", "?").await), "second");
    mob.shutdown().await;
}

#[tokio::test]
async fn the_id_of_a_mob_never_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    write_mob(folder.path(), "test", &["one"], "x");
    let mob = of_folder(folder.path()).start().await.expect("started");
    write_mob(folder.path(), "other", &["one"], "x");
    let refused = mob.engine().plan().await.expect_err("refused");
    assert_eq!(refused.code, "definition.other_mob");
    mob.shutdown().await;
    let refused = of_folder(folder.path())
        .start()
        .await
        .err()
        .expect("refused");
    assert!(matches!(refused, BuildError::OtherMob { .. }), "{refused}");
}

#[tokio::test]
async fn a_start_that_would_retire_most_members_needs_force() {
    let folder = tempfile::tempdir().expect("a folder");
    write_mob(folder.path(), "test", &["a", "b", "c", "d"], "x");
    of_folder(folder.path())
        .start()
        .await
        .expect("started")
        .shutdown()
        .await;
    write_mob(folder.path(), "test", &["a"], "x");
    let refused = of_folder(folder.path())
        .start()
        .await
        .err()
        .expect("refused");
    assert!(refused.to_string().contains("3 of 4"), "{refused}");
    let mob = of_folder(folder.path())
        .force(true)
        .start()
        .await
        .expect("started");
    assert_eq!(mob.engine().view(|world| world.state.present().count()), 1);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_mob_on_scripts_alone_is_a_rehearsal_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    write_mob(folder.path(), "test", &["a"], "x");
    let mob = of_folder(folder.path()).start().await.expect("started");
    assert!(mob.engine().is_rehearsal());
    mob.shutdown().await;
}
