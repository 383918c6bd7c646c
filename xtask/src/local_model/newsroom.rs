//! The newsroom with the local model in the place of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use super::process::Process;

/// What belongs to the mob beside its mob file.
const FILES: [&str; 5] = [
    "rehearsal.toml",
    "feed.jsonl",
    "modules/mcp_server.py",
    "modules/feed.py",
    "modules/wire.py",
];

/// The mob at work.
pub struct Newsroom {
    program: PathBuf,
    folder: PathBuf,
    server: Process,
}

/// One answered line of the feed.
pub struct Answer {
    /// Its number in the feed.
    pub line: u64,
    /// `completed`, or what else became of the turn.
    pub status: String,
    /// The answer, or the reason why there is none.
    pub text: String,
}

/// One model call.
pub struct Reply {
    /// Whose call it was.
    pub member: String,
    /// Tokens that were read.
    pub input: u64,
    /// Tokens that were written.
    pub output: u64,
    /// From the request to the last byte, in milliseconds.
    pub latency_ms: u64,
}

impl Newsroom {
    /// Builds the binary and starts the example in `folder`, with nothing of it changed but the
    /// section `[models.main]`.
    pub fn start(root: &Path, folder: &Path, url: &str, model: &str) -> anyhow::Result<Self> {
        let built = Command::new("cargo")
            .args(["build", "--quiet", "--package", "mobkit-cli"])
            .current_dir(root)
            .status();
        anyhow::ensure!(
            built.is_ok_and(|built| built.success()),
            "mobkit can't be built"
        );
        // Cargo puts what it builds beside this program.
        let program = std::env::current_exe()?.with_file_name("mobkit");
        let folder = folder.join("newsroom");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("the last run can't be cleared away")?;
        }
        std::fs::create_dir_all(folder.join("modules"))?;
        std::fs::create_dir(folder.join("published"))?;
        let example = root.join("examples/newsroom");
        let file = std::fs::read_to_string(example.join("mob.toml"))?;
        std::fs::write(folder.join("mob.toml"), with_model(&file, url, model)?)?;
        for name in FILES {
            std::fs::copy(example.join(name), folder.join(name)).context(name)?;
        }
        let mut up = Command::new(&program);
        up.args(["up", "--json", "--listen", "127.0.0.1:0", "."])
            .current_dir(&folder);
        let mut server = Process::start("mobkit", &mut up, &folder.join("mobkit.log"))?;
        let ready: Value = serde_json::from_str(&server.line()?)?;
        anyhow::ensure!(
            ready["rehearsal"] == false,
            "a script answers instead of the model"
        );
        Ok(Self {
            program,
            folder,
            server,
        })
    }

    /// Sends the first `lines` of the feed to the desk, and waits for every answer.
    pub fn send(&self, feed: &Path, lines: usize) -> anyhow::Result<Vec<Answer>> {
        let feed = std::fs::read_to_string(feed)?;
        let first: String = feed.split_inclusive('\n').take(lines).collect();
        std::fs::write(self.folder.join("feed.jsonl"), first)?;
        let documents = self.run(&["send", "desk", "--each-line", "feed.jsonl", "--wait"])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let answers = documents.iter().map(|document| Answer {
            line: document["line"].as_u64().unwrap_or_default(),
            status: text(&document["status"]),
            text: text(document.get("text").unwrap_or(&document["reason"])),
        });
        Ok(answers.collect())
    }

    /// Every model call that was answered.
    pub fn replies(&self) -> anyhow::Result<Vec<Reply>> {
        let events = self.run(&["events", "--json", "--kinds", "model.replied"])?;
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let replies = events.iter().map(|event| &event["data"]).map(|data| Reply {
            member: data["member"].as_str().unwrap_or_default().to_owned(),
            input: number(&data["usage"]["input_tokens"]),
            output: number(&data["usage"]["output_tokens"]),
            latency_ms: number(&data["latency_ms"]),
        });
        Ok(replies.collect())
    }

    /// Stops the mob; whether it stopped in order.
    pub fn stop(self) -> anyhow::Result<bool> {
        Ok(self.server.interrupt()?.success())
    }

    /// Runs a command of the client, and reads its documents. Turns that failed are documents too.
    fn run(&self, words: &[&str]) -> anyhow::Result<Vec<Value>> {
        let output = Command::new(&self.program)
            .args(words)
            .current_dir(&self.folder)
            .output()?;
        let documents = String::from_utf8(output.stdout)?;
        let documents = documents
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<_>, _>>()?;
        let why = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            !documents.is_empty(),
            "`mobkit {}` failed: {why}",
            words.join(" ")
        );
        Ok(documents)
    }
}

/// The mob file with a server of the OpenAI API as its main model.
fn with_model(file: &str, url: &str, model: &str) -> anyhow::Result<String> {
    let mut file: toml::Table = file.parse()?;
    let models = file.get_mut("models").and_then(toml::Value::as_table_mut);
    let mut main = toml::Table::new();
    let base_url = format!("{url}/v1");
    for (key, value) in [
        ("provider", "openai-compatible"),
        ("model", model),
        ("base_url", &base_url),
        ("timeout", "5m"),
    ] {
        main.insert(key.to_owned(), value.into());
    }
    models
        .context("the mob file has no [models]")?
        .insert("main".to_owned(), main.into());
    Ok(toml::to_string(&file)?)
}

#[cfg(test)]
mod tests {
    use super::with_model;

    #[test]
    fn only_the_main_model_changes() {
        let file = include_str!("../../../examples/newsroom/mob.toml");
        let changed = with_model(file, "http://127.0.0.1:1", "tiny").expect("a mob file");
        let mut before: toml::Table = file.parse().expect("a mob file");
        let mut after: toml::Table = changed.parse().expect("a mob file");
        let main = |file: &mut toml::Table| {
            file.get_mut("models")
                .and_then(|m| m.as_table_mut()?.remove("main"))
                .expect("main")
        };
        let (was, is) = (main(&mut before), main(&mut after));
        assert_eq!(before, after);
        assert_eq!(was["provider"].as_str(), Some("openai"));
        assert_eq!(is["base_url"].as_str(), Some("http://127.0.0.1:1/v1"));
    }
}
