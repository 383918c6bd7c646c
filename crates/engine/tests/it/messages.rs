//! From a message to its answer.

use crate::kit::{Mob, ends_of, journal, kinds, send, send_as, settle, sound, text_of};
use futures::future::join_all;
use mobkit_domain::row::TurnStatus;

#[tokio::test(start_paused = true)]
async fn a_message_becomes_a_turn_and_the_turn_answers_it() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let message = send(&engine, "a", "say hello").await;
    let row = settle(&engine, message).await;
    assert_eq!(
        (row.status, text_of(&row)),
        (TurnStatus::Completed, "hello")
    );
    assert_eq!(row.messages, [message]);
    let events = sound(&mob.memory).await;
    let from = usize::try_from(message.0).expect("small") - 1;
    let expected = [
        "message.accepted",
        "message.delivered",
        "turn.started",
        "model.replied",
        "turn.completed",
    ];
    assert_eq!(kinds(&events[from..]), expected);
}

#[tokio::test(start_paused = true)]
async fn a_turn_works_its_calls_off_and_then_answers() {
    let mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    let text = "look+look; put; pay; ask b say yes; peers; now; tell b say thanks; say all done";
    let message = send(&engine, "a", text).await;
    let row = settle(&engine, message).await;
    assert_eq!(text_of(&row), "all done");
    assert_eq!(row.steps, 8);
    assert_eq!(mob.runner.calls("look").len(), 2);
    assert_eq!(
        (mob.runner.calls("put").len(), mob.runner.calls("pay").len()),
        (1, 1)
    );
    sound(&mob.memory).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_members_take_messages_at_once() {
    let names: Vec<String> = (0..1_000).map(|n| format!("m{n}")).collect();
    let mob = Mob::of(&unwired(&names));
    let engine = mob.up().await;
    let asked = names.iter().map(|name| async {
        let message = send(&engine, name, "after 1000 say here").await;
        settle(&engine, message).await
    });
    let began = engine.now();
    let rows = join_all(asked).await;
    assert!(rows.iter().all(|row| text_of(row) == "here"));
    // All of them side by side: together they take what one takes.
    assert_eq!(engine.now().since_ms(began), 1_000);
    let events = sound(&mob.memory).await;
    assert_eq!(ends_of(&events).len(), 1_000);
    assert!(ends_of(&events).values().all(|ends| *ends == 1));
}

fn unwired(names: &[String]) -> String {
    let head = "[mob]\nid = \"desk\"\n[models.main]\nprovider = \"rehearsal\"\n\
                [profiles.worker]\nmodel = \"main\"\ninstructions = \"Work.\"\n";
    let members = names
        .iter()
        .map(|id| format!("[[members]]\nid = \"{id}\"\nprofile = \"worker\"\n"));
    head.to_owned() + &members.collect::<String>()
}

#[tokio::test(start_paused = true)]
async fn a_busy_member_delays_nobody_else() {
    let mob = Mob::workers(&["a", "b"]);
    let engine = mob.up().await;
    let stuck = send(&engine, "a", "never").await;
    let waits = send(&engine, "a", "say later").await;
    let began = engine.now();
    let message = send(&engine, "b", "say now").await;
    assert_eq!(text_of(&settle(&engine, message).await), "now");
    assert_eq!(engine.now(), began);
    let events = journal(&mob.memory).await;
    assert_eq!(ends_of(&events)[&stuck], 0);
    assert_eq!(ends_of(&events)[&waits], 0);
}

#[tokio::test(start_paused = true)]
async fn messages_of_one_member_are_answered_one_by_one_in_the_order_of_acceptance() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let mut messages = Vec::new();
    for n in [300, 200, 100] {
        messages.push(send(&engine, "a", &format!("after {n} say {n}")).await);
    }
    let rows = join_all(messages.iter().map(|message| settle(&engine, *message))).await;
    let texts: Vec<&str> = rows.iter().map(text_of).collect();
    assert_eq!(texts, ["300", "200", "100"]);
    assert!(
        rows.windows(2)
            .all(|pair| pair[0].ended <= Some(pair[1].started))
    );
    assert_eq!(engine.now().since_ms(crate::kit::BASE), 600);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_key_gets_the_first_answer_and_a_reused_one_is_refused() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let first = send_as(&engine, "a", "say one", Some("k"))
        .await
        .expect("accepted");
    let second = send_as(&engine, "a", "say one", Some("k"))
        .await
        .expect("accepted");
    assert_eq!(first, second);
    let refusal = send_as(&engine, "a", "say two", Some("k"))
        .await
        .expect_err("reused");
    assert_eq!(refusal.code, "key.reused");
    settle(&engine, first).await;
    assert_eq!(ends_of(&sound(&mob.memory).await).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_given_to_all_who_wait_and_to_who_asks_afterwards() {
    let mob = Mob::workers(&["a"]);
    let engine = mob.up().await;
    let message = send(&engine, "a", "after 100 say x").await;
    let (one, two) = tokio::join!(engine.outcome(message), engine.outcome(message));
    let (one, two) = (one.expect("an outcome"), two.expect("an outcome"));
    assert_eq!(one, two);
    assert_eq!(engine.outcome(message).await.expect("an outcome"), one);
    let missing = engine.outcome(mobkit_domain::id::MessageId(9_999)).await;
    assert_eq!(
        missing.expect_err("no such message").code,
        "message.not_found"
    );
}
