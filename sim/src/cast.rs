//! The mob file of a seed, and how it changes.

use async_trait::async_trait;
use mobkit::definition::{Definition, NoFiles, parse};
use mobkit::rehearse::Chance;
use mobkit::{DefinitionError, DefinitionSource};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Who may be there.
const NAMES: [&str; 6] = ["ada", "bob", "cid", "dan", "eve", "fay"];
/// To whom something can be delivered, over which sink; `nobody` has no route.
pub(crate) const RECIPIENTS: [&str; 6] = ["hook", "mail", "note", "desk", "till", "nobody"];

/// The mob file that lies on the desk, of which there are several versions.
pub(crate) struct Shelf {
    seed: u64,
    version: Mutex<u64>,
}

impl Shelf {
    pub(crate) fn of(seed: u64) -> Self {
        Self {
            seed,
            version: Mutex::new(0),
        }
    }

    /// Lays out another version.
    pub(crate) fn change(&self) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    /// What the file says by now.
    pub(crate) fn text(&self) -> String {
        let version = *self.version.lock().unwrap_or_else(PoisonError::into_inner);
        text(self.seed, version)
    }

    /// The same, read.
    pub(crate) fn definition(&self) -> Definition {
        let text = self.text();
        let parsed = parse("mob.toml", &text, &NoFiles);
        parsed
            .unwrap_or_else(|errors| panic!("the mob file is wrong: {errors:#?}\n{text}"))
            .definition
    }

    /// Everybody whom any version may have.
    pub(crate) fn members() -> &'static [&'static str] {
        &NAMES
    }
}

#[async_trait]
impl DefinitionSource for Shelf {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        Ok(self.definition())
    }
}

/// The mob file of a version. Versions have most in common.
fn text(seed: u64, version: u64) -> String {
    let mut of_seed = Chance::of(seed, "mob");
    let mut of_version = Chance::of(seed, &format!("version {version}"));
    let turns_max = of_seed.pick(&[1, 2, 100]);
    let queue_max = of_seed.pick(&[3, 1000]);
    let mut text = format!(
        "[mob]\nid = \"sim\"\nturns_max = {turns_max}\nqueue_max = {queue_max}\n\
         [models.main]\nprovider = \"rehearsal\"\nprice = {{ input = 1.25, output = 10.0 }}\n"
    );
    if of_seed.percent(50) {
        text.push_str("fallback = [\"spare\"]\n");
    }
    text.push_str("[models.spare]\nprovider = \"rehearsal\"\n");
    if of_seed.percent(50) {
        text.push_str("price = { input = 0.5, output = 1.0 }\n");
    }
    profiles(&mut text, &mut of_seed, &mut of_version);
    members(&mut text, &mut of_seed, &mut of_version);
    modules(&mut text, &mut of_seed, &mut of_version);
    gates(&mut text, &mut of_seed, &mut of_version);
    schedules(&mut text, &mut of_seed, &mut of_version);
    routes(&mut text, &mut of_seed, &mut of_version);
    text
}

/// Adds to the text; writing to memory can't fail.
fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("memory takes it");
}

fn profiles(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    let busy = of_seed.pick(&["queue", "queue", "steer", "interrupt", "reject"]);
    let spare = of_version.percent(20);
    let model = if spare { "spare" } else { "main" };
    let budget = of_seed.pick(&[
        "",
        "",
        "budget = { steps_per_turn = 3 }\n",
        "budget = { turns_per_hour = 4 }\n",
        "budget = { usd_per_day = 0.002 }\n",
    ]);
    let compaction = if of_seed.percent(20) {
        "compaction = { at_tokens = 1000, keep_turns = 1 }\n"
    } else {
        ""
    };
    add(
        text,
        format_args!(
            "[profiles.worker]\nmodel = \"{model}\"\ninstructions = \"Work.\"\nbusy = \"{busy}\"\n\
             tools = [\"peers\", \"delegate\", \"deliver\", \"task\", \"module:bank/*\"]\n\
             {budget}{compaction}\
             [profiles.clerk]\nmodel = \"main\"\ninstructions = \"Help.\"\n\
             tools = [\"peers\", \"module:bank/look\", \"module:bank/pay\"]\n"
        ),
    );
}

fn members(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    let count = of_seed.between(2, 4) + of_version.between(0, 1);
    let left_out = of_version.between(0, 8);
    for (n, name) in (0..count).zip(NAMES) {
        let profile = if of_seed.percent(70) || n == 0 {
            "worker"
        } else {
            "clerk"
        };
        if n == 0 || n != left_out {
            let floor = of_version.between(1, 2);
            add(
                text,
                format_args!(
                    "[[members]]\nid = \"{name}\"\nprofile = \"{profile}\"\n\
                     labels = {{ floor = \"{floor}\" }}\n"
                ),
            );
        }
    }
    text.push_str("[wiring]\nroles = [[\"worker\", \"worker\"], [\"worker\", \"clerk\"]]\n");
}

fn modules(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    let policy = of_seed.pick(&["always", "on-failure", "never"]);
    let start = of_seed.pick(&["eager", "lazy"]);
    let word = of_version.between(1, 2);
    add(
        text,
        format_args!(
            "[[modules]]\nid = \"bank\"\ntransport = \"json-lines\"\n\
             command = [\"bank\", \"{word}\"]\nstart = \"{start}\"\n\
             restart = {{ policy = \"{policy}\", intensity = 3, period = \"1m\", \
             backoff = [\"200ms\", \"30s\"] }}\n\
             effects = {{ look = \"read\", put = \"idempotent\", pay = \"effect\" }}\n"
        ),
    );
}

fn gates(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    for tool in ["module:bank/pay", "module:bank/*", "deliver", "delegate"] {
        if !of_seed.percent(35) {
            continue;
        }
        let action = of_seed.pick(&["review", "review", "review", "audit", "deny", "allow"]);
        let expires = of_version.pick(&["10m", "2h"]);
        let on_expiry = of_seed.pick(&["deny", "hold"]);
        let unattended = of_seed.pick(&["queue", "deny", "allow"]);
        add(
            text,
            format_args!("[[gates]]\ntool = \"{tool}\"\naction = \"{action}\"\n"),
        );
        if action == "review" {
            add(
                text,
                format_args!(
                    "expires = \"{expires}\"\non_expiry = \"{on_expiry}\"\n\
                     unattended = \"{unattended}\"\n"
                ),
            );
        }
    }
}

fn schedules(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    for n in 0..of_seed.between(0, 4) {
        let times = of_seed.pick(&[
            "every = \"7m\"",
            "every = \"1h\"",
            "cron = \"*/15 * * * *\"",
            "cron = \"30 2 * * *\"\ntimezone = \"Europe/London\"",
            "cron = \"0 8 * * 1-5\"",
        ]);
        let jitter = of_seed.pick(&["", "jitter = \"30s\"\n"]);
        let (to, message) = of_seed.pick(&[
            ("{ member = \"ada\" }", "message = \"look; pay\"\n"),
            (
                "{ member = \"ada\" }",
                "message = \"say it is {{ due }}\"\n",
            ),
            ("{ route = \"hook\" }", "message = \"{{ due }}\"\n"),
            ("{ module = \"bank\", tool = \"put\" }", ""),
            ("{ module = \"bank\", tool = \"pay\" }", ""),
        ]);
        let policy = of_seed.pick(&["skip", "latest", "all"]);
        let within = of_version.pick(&["10m", "3h"]);
        let overlap = of_seed.pick(&["skip", "queue", "cancel", "allow"]);
        let enabled = !of_version.percent(10);
        add(
            text,
            format_args!(
                "[[schedules]]\nid = \"s{n}\"\n{times}\n{jitter}to = {to}\n{message}\
                 missed = {{ policy = \"{policy}\", within = \"{within}\" }}\n\
                 overlap = \"{overlap}\"\nenabled = {enabled}\n"
            ),
        );
    }
}

fn routes(text: &mut String, of_seed: &mut Chance, of_version: &mut Chance) {
    let attempts = of_seed.between(1, 6);
    let rate = of_version.pick(&["", "rate = { per_minute = 3 }\n"]);
    let sinks = [
        (
            "hook",
            "{ kind = \"webhook\", url = \"https://receiver.example/hook\" }",
        ),
        (
            "mail",
            "{ kind = \"email\", server = \"smtps://mail.example\", from = \"a@mail.example\", \
             to = [\"b@mail.example\"] }",
        ),
        ("note", "{ kind = \"file\", path = \"notes.jsonl\" }"),
        ("desk", "{ kind = \"member\", member = \"ada\" }"),
        (
            "till",
            "{ kind = \"module\", module = \"bank\", tool = \"pay\" }",
        ),
    ];
    for (id, sink) in sinks {
        add(
            text,
            format_args!(
                "[[routes]]\nid = \"{id}\"\nmatch = {{ recipient = \"{id}\" }}\nsink = {sink}\n\
                 retry = {{ attempts = {attempts}, backoff = [\"1s\", \"10m\"] }}\n{rate}"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;

    #[test]
    fn every_mob_file_is_right() {
        for seed in 0..200 {
            let shelf = Shelf::of(seed);
            for _ in 0..3 {
                shelf.definition();
                shelf.change();
            }
        }
    }
}
