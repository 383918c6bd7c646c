//! A profile and a member of ours as the runtime is told of them.

use super::config::ModelName;
use mobkit_domain::canonical::{canonical_json, sha256_hex};
use mobkit_domain::definition::{Profile, ToolSelector};
use mobkit_domain::id::MemberId;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The one profile of our mob there. What a member really is stands in its own spawn, so that a
/// changed mob file changes members, not the mob.
const PROFILE: &str = "member";
/// Labels of a member, by which it is known again.
const SESSION: &str = "session";
const VERSION: &str = "version";

/// The definition of our mob there. Its model only has to exist.
pub(super) fn mob(name: &str, model: &ModelName) -> Value {
    json!({"id": name, "profiles": {PROFILE: profile(model, &[])}})
}

/// A profile there. Messages between members go through mobkit alone: nobody is wired there.
/// Its own peer tools come with every member, and find no peer.
fn profile(model: &ModelName, tools: &[ToolSelector]) -> Value {
    let mut sets = Map::new();
    sets.insert("comms".to_owned(), Value::Bool(true));
    for selector in tools {
        if let ToolSelector::Engine(set) = selector {
            sets.insert(set.clone(), Value::Bool(true));
        }
    }
    let mut profile = json!({
        "model": model.model,
        "provider": model.provider,
        "runtime_mode": "turn_driven",
        "tools": sets,
        // Else a session that is gone on with keeps the model with which it began.
        "resume_overrides": ["model", "provider", "provider_params"],
    });
    if let Some(server) = &model.server {
        profile["self_hosted_server_id"] = json!(server);
    }
    profile
}

/// What the runtime calls a member of ours: it takes letters, digits, `-` and `_`, and no digit in
/// front. What else stands in a name is written as `_` and two hexadecimal digits.
pub(super) fn identity(member: &MemberId) -> String {
    let mut name = String::new();
    for (at, byte) in member.as_str().bytes().enumerate() {
        if byte.is_ascii_lowercase() || (at > 0 && (byte.is_ascii_digit() || byte == b'-')) {
            name.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "_{byte:02x}");
        }
    }
    name
}

/// The name of the `number`th that stands for a member there, from 1. Another takes its place where
/// the runtime holds a session back and lets its member neither work nor go.
pub(super) fn name(identity: &str, number: u32) -> String {
    match number {
        0 | 1 => identity.to_owned(),
        // No letter after a `_` but `a` to `f` is in an identity.
        number => format!("{identity}_n{number}"),
    }
}

/// The last that stands for a member, of those in the list: its number and its row.
pub(super) fn last<'a>(rows: &'a [Value], identity: &str) -> Option<(u32, &'a Value)> {
    let numbered = rows
        .iter()
        .filter_map(|row| Some((number(row, identity)?, row)));
    numbered.max_by_key(|(number, _)| *number)
}

/// Which of those that stand for a member a row is about, if it is about one.
fn number(row: &Value, identity: &str) -> Option<u32> {
    let name = row.get("agent_identity")?.as_str()?;
    let rest = name.strip_prefix(identity)?;
    match rest.strip_prefix("_n") {
        None => rest.is_empty().then_some(1),
        Some(number) => number.parse().ok(),
    }
}

/// What the runtime's own journal says of the sessions of a member.
#[derive(Debug, Default)]
pub(super) struct Past {
    is_its: bool,
    left: Option<(u32, String)>,
}

impl Past {
    /// Takes the next row.
    pub(super) fn hear(&mut self, row: &Value, wanted: &Wanted) {
        let Some(kind) = row.get("kind") else {
            return;
        };
        let Some(number) = number(kind, &wanted.identity) else {
            return;
        };
        match kind.get("type").and_then(Value::as_str) {
            Some("member_spawned") => {
                let session = kind.pointer(&format!("/labels/{SESSION}"));
                self.is_its = session.and_then(Value::as_str) == Some(&wanted.session);
                self.left = None;
            }
            Some("member_retirement_started") if self.is_its => {
                let session = kind.get("session_id").and_then(Value::as_str);
                self.left = session.map(|session| (number, session.to_owned()));
            }
            Some(_) | None => {}
        }
    }

    /// The session that is wanted, where its member was let go and none took its place, and which
    /// one that member was: a crash may come in between.
    pub(super) fn left(self) -> Option<(u32, String)> {
        self.left
    }
}

/// Which session a member there begins with.
pub(super) enum Launch<'a> {
    /// An empty one.
    Fresh,
    /// This one.
    Resume(&'a str),
    /// A copy of what is kept of the session of another member.
    Copy(&'a str),
}

/// What a member is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Its name there.
    pub(super) identity: String,
    /// Our id of its session: each reset has another, which is empty.
    session: String,
    profile: Value,
    auth_binding: Value,
    instructions: Vec<String>,
}

/// What has to be done with a member that may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    Keep,
    /// It is not there.
    Spawn,
    /// It is there with another session, which is to be forgotten.
    Reset,
    /// It is there, but was told otherwise: its session is to be kept.
    Retell,
    /// It is there, but does not work: its session is to be kept.
    Renew,
}

impl Wanted {
    /// A member of a profile.
    pub(super) fn new(
        (identity, session): (&str, &str),
        profile_of: &Profile,
        model: &ModelName,
        instructions: Vec<String>,
    ) -> Self {
        Self {
            identity: identity.to_owned(),
            session: session.to_owned(),
            profile: profile(model, &profile_of.tools),
            auth_binding: model.auth_binding(),
            instructions,
        }
    }

    /// What it is told, in short: another digest means that it is told otherwise.
    fn version(&self) -> String {
        let told = json!([self.profile, self.auth_binding, self.instructions]);
        sha256_hex(canonical_json(&told)).chars().take(16).collect()
    }

    /// What has to be done, given its row in the list of members.
    pub(super) fn change(&self, row: Option<&Value>) -> Change {
        let Some(row) = row else {
            return Change::Spawn;
        };
        let label = |name: &str| {
            row.pointer(&format!("/labels/{name}"))
                .and_then(Value::as_str)
        };
        if label(SESSION) != Some(&self.session) {
            return Change::Reset;
        }
        let is_active = row.get("status").and_then(Value::as_str) == Some("active");
        if !is_active {
            Change::Renew
        } else if self.is_told(row) {
            Change::Keep
        } else {
            Change::Retell
        }
    }

    /// Whether a member in the list was told what it is to be told.
    pub(super) fn is_told(&self, row: &Value) -> bool {
        let told = row.pointer(&format!("/labels/{VERSION}"));
        told.and_then(Value::as_str) == Some(&self.version())
    }

    /// Tells it its instructions, if it goes on with a session that began with others.
    pub(super) fn told_again(&self, mob: &str, name: &str) -> Value {
        let told = self.instructions.join("\n\n");
        json!({
            "mob_id": mob,
            "agent_identity": name,
            "text": format!("From now on these are your instructions:\n\n{told}"),
            "source": "mobkit",
            "idempotency_key": self.version(),
        })
    }

    /// The parameters of its spawn under a name.
    pub(super) fn spawn(&self, mob: &str, name: &str, launch: &Launch<'_>) -> Value {
        let launch = match launch {
            Launch::Fresh => json!({"mode": "fresh"}),
            Launch::Resume(session) => json!({"mode": "resume", "bridge_session_id": session}),
            Launch::Copy(of) => json!({
                "mode": "fork",
                "source_member_id": of,
                "fork_context": {"type": "full_history"},
            }),
        };
        json!({
            "mob_id": mob,
            "profile": PROFILE,
            "agent_identity": name,
            "runtime_mode": "turn_driven",
            "launch_mode": launch,
            "labels": {
                SESSION: self.session,
                VERSION: self.version(),
            },
            "additional_instructions": self.instructions,
            "override_profile": self.profile,
            "auth_binding": self.auth_binding,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobkit_domain::id::ModelId;

    fn model() -> ModelName {
        ModelName {
            model: "mobkit-main".to_owned(),
            provider: "self_hosted",
            server: Some("mobkit-main".to_owned()),
            binding: "mobkit-main".to_owned(),
        }
    }

    fn wanted(session: &str, instructions: &str, tools: &[&str]) -> Wanted {
        let id: ModelId = "main".parse().expect("a valid id");
        let mut of = Profile::new(id, instructions);
        let tools = tools
            .iter()
            .map(|tool| tool.parse().expect("a valid selector"));
        of.tools = tools.collect();
        Wanted::new(
            ("ada", session),
            &of,
            &model(),
            vec![instructions.to_owned()],
        )
    }

    fn row(of: &Wanted, status: &str) -> Value {
        let spawn = of.spawn("desk", "ada", &Launch::Fresh);
        json!({"agent_identity": "ada", "labels": spawn["labels"], "status": status})
    }

    #[test]
    fn only_tool_sets_of_the_engine_itself_are_switched_on_there() {
        let spawn = wanted("s1", "hi", &["now", "engine:shell"]);
        let spawn = spawn.spawn("desk", "ada", &Launch::Fresh);
        assert_eq!(
            spawn["override_profile"]["tools"],
            json!({"comms": true, "shell": true})
        );
        assert_eq!(
            spawn["override_profile"]["self_hosted_server_id"],
            "mobkit-main"
        );
        assert_eq!(spawn["launch_mode"], json!({"mode": "fresh"}));
    }

    #[test]
    fn names_are_told_apart_there() {
        let there = |name: &str| identity(&name.parse().expect("a valid id"));
        assert_eq!(there("ada"), "ada");
        assert_eq!(there("user:ada"), "user_3aada");
        assert_eq!(there("user.ada"), "user_2eada");
        assert_eq!(there("7th-desk"), "_37th-desk");
    }

    #[test]
    fn the_last_that_stands_for_a_member_is_found() {
        let rows: Vec<Value> = ["ada", "ada_n2", "ada_n10", "ada-two", "ada_6e3", "bob"]
            .into_iter()
            .map(|name| json!({"agent_identity": name}))
            .collect();
        let number = |identity| last(&rows, identity).map(|(number, _)| number);
        assert_eq!(number("ada"), Some(10));
        assert_eq!(number("bob"), Some(1));
        assert_eq!(number("ada-two"), Some(1));
        assert_eq!(number("eve"), None);
        assert_eq!(name("ada", 1), "ada");
        assert_eq!(name("ada", 10), "ada_n10");
    }

    #[test]
    fn a_session_that_was_let_go_and_not_taken_up_is_found() {
        let row = |kind: &str, name: &str, session: &str| {
            json!({"kind": {
                "type": kind, "agent_identity": name, "session_id": "there",
                "labels": {"session": session},
            }})
        };
        let spawned = row("member_spawned", "ada_n2", "s2");
        let left = row("member_retirement_started", "ada_n2", "");
        let left_of = |rows: &[&Value], session: &str| {
            let wanted = wanted(session, "hi", &[]);
            let mut past = Past::default();
            for row in rows {
                past.hear(row, &wanted);
            }
            past.left()
        };
        let there = Some((2, "there".to_owned()));
        assert_eq!(left_of(&[&spawned, &left], "s2"), there);
        assert_eq!(left_of(&[&spawned, &left], "s3"), None, "after a reset");
        assert_eq!(left_of(&[&spawned, &left, &spawned], "s2"), None);
        let other = row("member_retirement_started", "bob", "");
        assert_eq!(left_of(&[&spawned, &other], "s2"), None);
    }

    #[test]
    fn a_member_is_known_again_by_its_labels() {
        let now = wanted("s2", "hi", &[]);
        assert_eq!(now.change(None), Change::Spawn);
        assert_eq!(now.change(Some(&row(&now, "active"))), Change::Keep);
        assert_eq!(now.change(Some(&row(&now, "broken"))), Change::Renew);
        let told_otherwise = wanted("s2", "ho", &[]);
        assert_eq!(
            told_otherwise.change(Some(&row(&now, "active"))),
            Change::Retell
        );
        let reset = wanted("s3", "hi", &[]);
        assert_eq!(reset.change(Some(&row(&now, "active"))), Change::Reset);
        assert_eq!(
            now.change(Some(&json!({"agent_identity": "ada"}))),
            Change::Reset
        );
    }
}
