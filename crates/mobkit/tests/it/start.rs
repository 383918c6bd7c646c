//! What a start refuses, and what it leaves behind then.

use crate::kit::{builder, definition, echo};
use mobkit::{BuildError, HookError, MemoryStore, MobBuilder};
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
        [[schedules]]
        id = "morning"
        cron = "0 8 * * *"
        to = { member = "echo" }
        message = "Plan."
        [[members]]
        id = "echo"
        profile = "echo"
    "#;
    let store = Arc::new(MemoryStore::new());
    let refused = builder(definition(text, ""), &store).start().await.err().expect("refused");
    let BuildError::Unsupported(parts) = &refused else { panic!("{refused}") };
    assert_eq!(parts.len(), 2, "{refused}");
    assert!(refused.to_string().contains("schedules"), "{refused}");
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
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
    assert!(mob.shutdown().await.is_orderly());
}

#[tokio::test(start_paused = true)]
async fn a_broken_script_is_refused_before_anything_starts() {
    let store = Arc::new(MemoryStore::new());
    let script = "[[rules]]\nwhen = { text = \"(\" }\nsay = \"x\"\n";
    let refused = builder(echo(script), &store).start().await.err().expect("refused");
    assert!(matches!(refused, BuildError::Model(_)), "{refused}");
}
