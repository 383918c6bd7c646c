//! The two streams: the result on stdout, everything else on stderr.

use super::color::{ColorChoice, Tone, Wishes};
use super::outage::Outage;
use crate::failure::{Exit, Failure};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use tokio::io::{AsyncBufReadExt, BufReader};

/// How a command shows what it does; every command takes these.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Show {
    /// Print one JSON document on stdout, errors included; one per line where the command streams
    #[arg(long, global = true)]
    pub json: bool,
    /// Colour: auto, always or never (auto follows `NO_COLOR` and the terminal)
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: ColorChoice,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Never ask; fail and name the flag that answers
    #[arg(long, global = true, env = "MOBKIT_NO_INPUT", hide_env_values = true,
          value_parser = clap::builder::FalseyValueParser::new())]
    pub no_input: bool,
}

/// Where and how to print.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    may_ask: bool,
    stdout: Stream,
    stderr: Stream,
    outage: Outage,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    is_terminal: bool,
    is_colored: bool,
}

impl Output {
    /// Looks at the streams of the process.
    pub fn new(show: &Show, variable: impl Fn(&str) -> Option<String>) -> Self {
        let wishes = Wishes::read(variable);
        let stream = |is_terminal| Stream {
            is_terminal,
            is_colored: wishes.decide(show.color, is_terminal),
        };
        let stderr = stream(io::stderr().is_terminal());
        Self {
            json: show.json,
            quiet: show.quiet,
            may_ask: !show.no_input && stderr.is_terminal && io::stdin().is_terminal(),
            stdout: stream(io::stdout().is_terminal()),
            stderr,
            outage: Outage::default(),
        }
    }

    /// Whether the result is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person reads stdout.
    pub fn stdout_is_terminal(&self) -> bool {
        self.stdout.is_terminal
    }

    /// Whether a progress bar may be drawn on stderr.
    pub fn may_draw(&self) -> bool {
        self.stderr.is_terminal && !self.quiet
    }

    /// Whether stderr is wanted for more than errors.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether stdout has colour.
    pub fn is_colored(&self) -> bool {
        self.stdout.is_colored
    }

    /// Colours text that goes to stdout.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if self.stdout.is_colored {
            tone.paint(text)
        } else {
            text.to_owned()
        }
    }

    /// Colours text that goes to stderr.
    pub fn paint_notice(&self, tone: Tone, text: &str) -> String {
        if self.stderr.is_colored {
            tone.paint(text)
        } else {
            text.to_owned()
        }
    }

    /// Prints a part of the result as it is.
    #[expect(clippy::unused_self, reason = "who may print holds the output")]
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Err(Failure::output_closed())
            }
            Err(error) => Err(Failure::new(
                Exit::Failed,
                "output.failed",
                format!("stdout: {error}"),
            )),
        }
    }

    /// Prints a line of the result.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        self.write(&format!("{text}\n"))
    }

    /// Prints the result as the one JSON document.
    pub fn document(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = if self.stdout.is_terminal {
            serde_json::to_string_pretty(document)
        } else {
            serde_json::to_string(document)
        };
        self.line(&text.expect("results have string keys only"))
    }

    /// Prints one document of a stream.
    pub fn frame(&self, frame: &Value) -> Result<(), Failure> {
        self.line(&frame.to_string())
    }

    /// Text that others wrote, as it may be printed on stdout: a terminal must not obey it.
    pub fn foreign<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.stdout.is_terminal {
            harmless(text)
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Says something that is not the result. A stderr that is closed is no reason to stop.
    pub fn notice(&self, text: &str) {
        if !self.quiet {
            self.tell(text);
        }
    }

    /// Says that a stream has ended: once in an outage, however many requests notice it.
    pub fn stream_ended(&self, text: &str) {
        if self.outage.stream_ended() {
            self.notice(text);
        }
    }

    /// Says that the server does not answer: once in an outage.
    pub fn server_away(&self, text: &str) {
        if self.outage.server_away() {
            self.notice(text);
        }
    }

    /// The server has answered; said once where it was said that it did not.
    pub fn server_answers(&self) {
        if self.outage.server_answers() {
            self.notice("the server answers again");
        }
    }

    /// Shows a finding about a file, which is said even where little else is.
    pub fn finding(&self, text: &str) {
        self.tell(text);
    }

    /// Says what went wrong: a document on stdout with `--json`, else lines on stderr.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        if self.json {
            // Nobody is left to tell when stdout is closed.
            let _ = self.document(&failure.to_json());
            return;
        }
        for finding in failure.findings() {
            self.tell(finding);
        }
        let head = self.paint_notice(Tone::Bad, &format!("error[{}]:", failure.code()));
        self.tell(&format!("{head} {}", failure.message()));
        self.tell(&format!("  = hint: {}", failure.next_step()));
    }

    /// Whether a person can be asked.
    pub fn may_ask(&self) -> bool {
        self.may_ask
    }

    /// Asks a yes-or-no question; no is the default. `flag` is what answers it without a terminal.
    pub async fn confirm(&self, question: &str, flag: &str) -> Result<bool, Failure> {
        if !self.may_ask {
            return Err(Failure::new(
                Exit::Usage,
                "input.needed",
                format!("{question} Nobody can be asked here"),
            )
            .hint(format!("answer with {flag}")));
        }
        let answer = self.ask(&format!("{question} [y/N]")).await;
        let answer = answer.unwrap_or_default().to_lowercase();
        Ok(matches!(answer.as_str(), "y" | "yes"))
    }

    /// Asks for a line on the terminal; `None` where the input has ended.
    pub async fn ask(&self, question: &str) -> Option<String> {
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{question} ").and_then(|()| stderr.flush());
        // Who is interrupted while we wait has not ended the line.
        let mut line = OpenLine { ended: false };
        let mut answer = String::new();
        // Read beside the signals: Ctrl-C has to be heard here too.
        let read = BufReader::new(tokio::io::stdin())
            .read_line(&mut answer)
            .await;
        line.ended = matches!(read, Ok(length) if length > 0);
        line.ended.then(|| answer.trim().to_owned())
    }

    fn tell(&self, text: &str) {
        let text = if self.stderr.is_terminal {
            keep_color(text)
        } else {
            Cow::Borrowed(text)
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

/// The line of a question, which has to end even if nobody answers.
struct OpenLine {
    ended: bool,
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        if !self.ended {
            let _ = writeln!(io::stderr());
        }
    }
}

/// Replaces what a terminal would obey, apart from line ends and tabs.
fn harmless(text: &str) -> Cow<'_, str> {
    replace(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The same for text that we may have coloured ourselves: colours do no harm.
fn keep_color(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return harmless(text);
    }
    let mut parts = text.split('\u{1b}');
    let mut kept = harmless(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let end = part.find(|c: char| !matches!(c, '[' | ';' | '0'..='9'));
        let is_color = part.starts_with('[') && end.is_some_and(|end| part[end..].starts_with('m'));
        kept.push(if is_color { '\u{1b}' } else { '\u{fffd}' });
        kept.push_str(&harmless(part));
    }
    Cow::Owned(kept)
}

fn replace(text: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.contains(&is_bad) {
        Cow::Owned(
            text.chars()
                .map(|c| if is_bad(c) { '\u{fffd}' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_does_not_obey_what_others_wrote() {
        assert_eq!(harmless("a\u{1b}[2Jb\nc\td"), "a\u{fffd}[2Jb\nc\td");
        assert!(matches!(harmless("plain\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_may_stay_and_nothing_else() {
        assert_eq!(
            keep_color("\u{1b}[1;31mx\u{1b}[0m"),
            "\u{1b}[1;31mx\u{1b}[0m"
        );
        assert_eq!(
            keep_color("a\u{1b}[2Jb\u{1b}]0;t\u{7}"),
            "a\u{fffd}[2Jb\u{fffd}]0;t\u{fffd}"
        );
    }
}
