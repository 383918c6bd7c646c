//! Turns on the rehearsal model, with its faults.

use crate::kit::{ask, builder, definition, echo, kinds, text_of};
use mobkit::MemoryStore;
use mobkit::row::TurnStatus;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_for_a_while_is_asked_again() {
    let script = r#"
        [[rules]]
        when = { text = "break" }
        fail = { kind = "429", times = 2, retry_after = "3s" }
        say = "mended"
    "#;
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(script), &store)
        .start()
        .await
        .expect("started");
    let began = mob.engine().now();
    let turn = ask(&mob, "echo", "break").await;
    assert_eq!(
        (turn.status, text_of(&turn)),
        (TurnStatus::Completed, "mended")
    );
    // The provider asked for three seconds, twice.
    assert!(mob.engine().now().since_ms(began) >= 6_000);
    let failed = kinds(&mob)
        .await
        .into_iter()
        .filter(|kind| *kind == "model.failed")
        .count();
    assert_eq!(failed, 2);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_fails_the_turn_at_once() {
    let script = "[[rules]]\nwhen = { text = \"x\" }\nfail = { kind = \"401\" }\n";
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(script), &store)
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "echo", "x").await;
    assert_eq!(turn.status, TurnStatus::Failed);
    let failed = kinds(&mob)
        .await
        .into_iter()
        .filter(|kind| *kind == "model.failed")
        .count();
    assert_eq!(failed, 1);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_question_comes_back_with_its_answer() {
    let text = r#"
        [mob]
        id = "test"
        [models.main]
        provider = "rehearsal"
        [profiles.editor]
        model = "main"
        instructions = "Ask."
        [profiles.checker]
        model = "main"
        instructions = "Check."
        [[members]]
        id = "editor"
        profile = "editor"
        [[members]]
        id = "checker"
        profile = "checker"
        [wiring]
        roles = [["editor", "checker"]]
    "#;
    let script = r#"
        [[rules]]
        when = { member = "editor", step = 1 }
        call = [{ tool = "ask_peer", args = { to = "checker", content = "is {{ message }} so?" } }]
        [[rules]]
        when = { member = "checker", text = "is (?<what>.*) so" }
        say = "{{ what }} is so"
        [[rules]]
        when = { member = "editor", tool = "ask_peer" }
        say = "checked: {{ result }}"
    "#;
    let store = Arc::new(MemoryStore::new());
    let mob = builder(definition(text, script), &store)
        .start()
        .await
        .expect("started");
    let turn = ask(&mob, "editor", "water wet").await;
    assert_eq!(text_of(&turn), "checked: water wet is so");
    assert_eq!(turn.steps, 2);
    mob.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_text_goes_through_the_blob_store_and_comes_back_whole() {
    let script = "[[rules]]\nwhen = { text = \"^x+$\" }\nsay = \"{{ message }}\"\n";
    let store = Arc::new(MemoryStore::new());
    let mob = builder(echo(script), &store)
        .start()
        .await
        .expect("started");
    let long = "x".repeat(100_000);
    let store: Arc<dyn mobkit::Store> = store;
    let text = mobkit_engine::stash_text(store.as_ref(), &long)
        .await
        .expect("kept");
    assert!(text.inline().is_none());
    let content = mobkit::text::Content {
        text,
        parts: Vec::new(),
    };
    let command = mobkit::command::Command::Message(mobkit::command::MessageCommand::Send {
        to: crate::kit::member("echo"),
        content,
        mode: None,
        correlation: None,
        expires: None,
    });
    let answer = crate::kit::submit(&mob, command).await;
    let mobkit::command::Answer::Message { message, .. } = answer else {
        panic!("{answer:?}")
    };
    let turn = crate::kit::ended(&mob, message).await;
    let answer = turn.text.expect("an answer");
    assert!(answer.inline().is_none());
    let whole = mobkit_engine::unstash(store.as_ref(), &answer)
        .await
        .expect("there");
    assert_eq!(whole, long);
    mob.shutdown().await;
}
