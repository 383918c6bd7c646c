//! `cargo xtask local-model`: the newsroom on a real model that runs on this machine.
//!
//! The model is tiny and knows nothing of tools, so its judgement is worth nothing. What is shown
//! is that text which a model generated comes back over the same path as that of a large one.

mod install;
mod newsroom;
mod process;

use std::path::Path;
use std::process::Command;

use install::install;
use newsroom::{Answer, Newsroom, Reply};
use process::Process;

/// The digest of the weights that the pinned package holds.
const WEIGHTS_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Under which name the server offers the model.
const MODEL: &str = "smollm2-135m-instruct";
const LINES: usize = 5;

/// Sets up the model, runs the mob on the first lines of the feed, and stops everything.
pub fn run(root: &Path, args: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(args.is_empty(), "takes no arguments");
    let folder = root.join("target/local-model");
    std::fs::create_dir_all(&folder)?;
    let installed = install(&folder)?;
    let mut serve = Command::new(&installed.python);
    serve
        .arg(root.join("xtask/src/local_model/serve.py"))
        .arg(&installed.weights);
    serve.args([WEIGHTS_SHA256, MODEL]);
    let log = folder.join("model.log");
    let mut server = Process::start("the model's server", &mut serve, &log)?;
    let url = server.line()?;
    eprintln!("== {MODEL} at {url}");
    let mob = Newsroom::start(root, &folder, &url, MODEL)?;
    eprintln!("== sending {LINES} lines of the feed to the desk");
    let answers = mob.send(&root.join("examples/newsroom/feed.jsonl"), LINES)?;
    let replies = mob.replies()?;
    let in_order = mob.stop()?;
    let model_stopped = server.close()?.success();
    print!("{}", report(&answers, &replies));
    if !in_order {
        println!(
            "the mob did not stop in order; see its log in {}",
            folder.display()
        );
    }
    Ok(in_order && model_stopped && generated(&answers, &replies))
}

/// Whether every line was answered with text that a model wrote.
fn generated(answers: &[Answer], replies: &[Reply]) -> bool {
    let is_text = |answer: &Answer| answer.status == "completed" && !answer.text.trim().is_empty();
    let tokens: u64 = replies.iter().map(|reply| reply.output).sum();
    answers.len() == LINES && answers.iter().all(is_text) && tokens > 0
}

fn report(answers: &[Answer], replies: &[Reply]) -> String {
    let answered = answers.iter().map(|answer| {
        let words: Vec<&str> = answer.text.split_whitespace().collect();
        format!(
            "line {}, {}: {}\n",
            answer.line,
            answer.status,
            words.join(" ")
        )
    });
    let called = replies.iter().map(|reply| {
        let Reply {
            member,
            input,
            output,
            latency_ms,
        } = reply;
        let speed = per_second(*output, *latency_ms);
        format!("{member}: {input} tokens read, {output} written in {latency_ms} ms, {speed}\n")
    });
    let output = replies.iter().map(|reply| reply.output).sum();
    let latency_ms = replies.iter().map(|reply| reply.latency_ms).sum();
    let speed = per_second(output, latency_ms);
    let all =
        format!("all: {output} tokens written in {latency_ms} ms, reading included, {speed}\n");
    answered
        .chain(["\n".to_owned()])
        .chain(called)
        .chain([all])
        .collect()
}

fn per_second(tokens: u64, ms: u64) -> String {
    (tokens * 1000)
        .checked_div(ms)
        .map_or_else(|| "-".to_owned(), |speed| format!("{speed} tokens/s"))
}

#[cfg(test)]
mod tests {
    use super::{Answer, Reply, generated, per_second};

    fn answers(status: &str, text: &str) -> Vec<Answer> {
        let answer = |line| Answer {
            line,
            status: status.to_owned(),
            text: text.to_owned(),
        };
        (1..=5).map(answer).collect()
    }

    #[test]
    fn only_generated_text_counts() {
        let reply = |output| {
            vec![Reply {
                member: "desk".to_owned(),
                input: 9,
                output,
                latency_ms: 100,
            }]
        };
        assert!(generated(&answers("completed", "a quake"), &reply(12)));
        assert!(!generated(&answers("failed", "no"), &reply(12)));
        assert!(!generated(&answers("completed", " "), &reply(12)));
        assert!(!generated(&answers("completed", "a quake"), &reply(0)));
        assert!(!generated(
            &answers("completed", "a quake")[..4],
            &reply(12)
        ));
    }

    #[test]
    fn a_call_without_a_time_has_no_speed() {
        assert_eq!(per_second(50, 500), "100 tokens/s");
        assert_eq!(per_second(50, 0), "-");
    }
}
