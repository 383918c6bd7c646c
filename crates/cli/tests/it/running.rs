//! An example at work: `mobkit up` as a process, and its clients as processes.

use crate::program::{Run, finish};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A state directory for an example, and the way to run the binary on it.
pub(crate) struct Example {
    folder: TempDir,
    mob: PathBuf,
}

impl Example {
    /// The newsroom where it stands in the repository; its state is elsewhere.
    pub fn newsroom() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            mob: Self::folder(),
        }
    }

    /// A copy of an example, for what writes into its folder. Its schedules are off: what the tests
    /// see does not rest on the time of day.
    pub fn copy_of(example: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mob = folder.path().join(example);
        copy(&Self::folder().with_file_name(example), &mob);
        let file = mob.join("mob.toml");
        let text = std::fs::read_to_string(&file).expect("a mob file");
        let text = text.replace("[[schedules]]\n", "[[schedules]]\nenabled = false\n");
        std::fs::write(&file, text).expect("a file");
        Self { folder, mob }
    }

    /// A mob of its own, made of these files.
    pub fn written(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mob = folder.path().join("mob");
        std::fs::create_dir(&mob).expect("a folder");
        for (name, text) in files {
            std::fs::write(mob.join(name), text).expect("a file");
        }
        Self { folder, mob }
    }

    /// A copy of a mob that was made for a test.
    pub fn of_test(name: &str) -> Self {
        let mobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/programs");
        let folder = tempfile::tempdir().expect("a folder");
        let mob = folder.path().join(name);
        copy(&mobs.join(name), &mob);
        Self { folder, mob }
    }

    /// The folder of the mob file.
    pub fn mob(&self) -> &Path {
        &self.mob
    }

    /// The folder of the newsroom in the repository.
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/newsroom")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A client command, not yet started.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mobkit"));
        command
            .args(words)
            .arg("--state")
            .arg(self.state())
            .env_clear()
            .envs(path());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a client command to its end.
    pub fn run(&self, words: &[&str]) -> Run {
        finish(&mut self.command(words))
    }

    /// The command that sends the whole feed to the desk and waits for every answer.
    pub fn feed(&self) -> Command {
        let feed = Self::folder().join("feed.jsonl");
        let feed = feed.to_str().expect("a path of text");
        self.command(&["send", "desk", "--wait", "--each-line", feed])
    }

    /// Every event of the journal.
    pub fn events(&self) -> Vec<Value> {
        let run = self.run(&["events", "--json", "--after", "0"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.documents()
    }

    /// Starts the mob; it may not be ready.
    pub fn up(&self) -> Up {
        self.start(&["--rehearse"])
    }

    /// Starts the mob with the models and engines of its mob file; it may not be ready.
    pub fn up_for_real(&self) -> Up {
        self.start(&[])
    }

    fn start(&self, flags: &[&str]) -> Up {
        let words = [&["up", "--json", "--listen", "127.0.0.1:0"], flags].concat();
        let mut command = self.command(&words);
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log");
        command.arg(&self.mob).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Up { child, stdout }
    }

    /// What all starts said on standard error.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("up.log")
    }
}

/// Where the programs of modules are found.
#[expect(
    clippy::disallowed_methods,
    reason = "modules run what whoever runs the tests has installed"
)]
pub(crate) fn path() -> Option<(&'static str, String)> {
    Some(("PATH", std::env::var("PATH").ok()?))
}

/// Copies the files of an example, not what running it has left behind.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let left_behind = [
            ".mobkit",
            "__pycache__",
            "bulletins.jsonl",
            "deliveries.jsonl",
            "_npx",
            "_cacache",
        ];
        if left_behind.iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &to.join(name));
        } else {
            std::fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

/// A running `mobkit up`. It does not outlive the test.
pub(crate) struct Up {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Up {
    /// The next document that it prints; the first says that it takes messages.
    pub fn document(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("text");
        assert_ne!(line, "", "mobkit ended: {:?}", self.child.wait());
        serde_json::from_str(&line).expect("each line is a document")
    }

    /// Ends it by SIGKILL, at once.
    pub fn kill(mut self) {
        self.kill_now();
    }

    /// The same, for whoever holds on to it.
    pub fn kill_now(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is a child");
    }

    /// Gives it a signal of Ctrl-C.
    pub fn signal(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it runs");
    }

    /// Waits until it has ended by itself. Returns the exit code.
    pub fn end(mut self) -> Option<i32> {
        self.child.wait().expect("it is a child").code()
    }

    /// Stops it as Ctrl-C does. Returns the exit code and its last document.
    pub fn interrupt(mut self) -> (Option<i32>, Value) {
        self.signal();
        let last = self.document();
        (self.child.wait().expect("it is a child").code(), last)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
