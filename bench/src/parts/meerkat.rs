//! A turn of a member that the Meerkat runtime runs: through mobkit, and by a bare `mob/turn_start`
//! of the same program, on the same model.

use crate::hands::{next, reader, submission};
use crate::mob::on_threads;
use crate::part::Setting;
use crate::report::Row;
use crate::runtime::{Bare, Model, program};
use crate::samples::{Samples, time};
use anyhow::{Context, ensure};
use mobkit::command::{Answer, Command, MessageCommand};
use mobkit::definition::{NoFiles, parse};
use mobkit::event::EventFilter;
use mobkit::id::MemberId;
use mobkit::{Mob, MobBuilder, Outcome};
use std::path::Path;
use std::time::Instant;

const ROUNDS: usize = 4;

/// Rows of this part; one line that says so where the runtime is not installed.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let Some(program) = program() else {
        let missing = "not measured: `cargo xtask meerkat install` brings the runtime";
        return Ok(vec![Row::figure("turn of a Meerkat member", missing)]);
    };
    on_threads(beside(setting.clone(), program))
}

async fn beside(setting: Setting, program: String) -> anyhow::Result<Vec<Row>> {
    let model = Model::start(&setting.dir)?;
    let state = setting.dir.join("state");
    let mob = start(&state, &program, model.url()).await?;
    next(&mut reader(&mob, "engine.started", 0).await?).await?;
    turn(&mob).await?;
    // The configuration is the one that mobkit has written.
    let mut bare = Bare::start(&program, &state.join("meerkat/user"), &setting.dir).await?;
    bare.turn().await?;
    let (mut bare_turns, mut turns) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        for _ in 0..setting.work(10).max(1) {
            let began = Instant::now();
            bare.turn().await?;
            bare_turns.since(began);
        }
        for _ in 0..setting.work(10).max(1) {
            let began = Instant::now();
            turn(&mob).await?;
            turns.since(began);
        }
    }
    mob.shutdown().await;
    bare.end().await?;
    let above = turns.p50().saturating_sub(bare_turns.p50());
    let measured = format!("{} ({} above)", turns.show(), time(above));
    Ok(vec![
        Row::figure(
            "bare mob/turn_start of the Meerkat runtime",
            bare_turns.show(),
        ),
        Row::figure("turn of a Meerkat member from send to end", measured),
    ])
}

async fn start(state: &Path, program: &str, model: &str) -> anyhow::Result<Mob> {
    let text = format!(
        r#"
        [mob]
        id = "bench"
        [engines.meerkat]
        command = [{program:?}]
        [models.main]
        provider = "openai-compatible"
        base_url = "{model}"
        model = "rules"
        [profiles.worker]
        engine = "meerkat"
        model = "main"
        instructions = "Work."
        [[members]]
        id = "worker"
        profile = "worker"
        "#
    );
    let parsed = parse("mob.toml", &text, &NoFiles).map_err(|e| anyhow::anyhow!("{e:?}"))?;
    let builder = MobBuilder::new(parsed.definition).state_dir(state);
    Ok(builder.start().await?)
}

/// One turn, from the message to its end.
async fn turn(mob: &Mob) -> anyhow::Result<()> {
    let send = Command::Message(MessageCommand::Send {
        to: MemberId::parse("worker")?,
        content: "hello".into(),
        mode: None,
        correlation: None,
        expires: None,
    });
    let answer = mob.engine().submit(submission(send)).await?;
    let Answer::Message { message, .. } = answer else {
        anyhow::bail!("not a message");
    };
    let outcome = mob.engine().outcome(message).await.context("no outcome")?;
    let Outcome::Turn { turn, .. } = outcome else {
        anyhow::bail!("{message} was dropped");
    };
    let failures = EventFilter {
        kinds: vec!["turn.failed".to_owned()],
        subject: Some("member/worker".to_owned()),
        source: None,
    };
    let failed = mob
        .engine()
        .events_between(0, mob.engine().head(), &failures)
        .await?;
    ensure!(failed.is_empty(), "{turn} failed");
    Ok(())
}
