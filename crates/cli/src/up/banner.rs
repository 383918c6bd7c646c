//! What `mobkit up` says of a mob that has started.

use super::life::{Launch, Ready};
use crate::client::STATE_FOLDER;
use crate::commands::version::VERSION;
use crate::failure::Failure;
use crate::terminal::{Output, Tone};
use mobkit::definition::{Definition, Engine, Provider};
use serde_json::json;
use std::path::PathBuf;

/// What is said of a mob that has started.
pub(crate) struct Banner {
    /// Path of the mob file.
    pub config: String,
    state: PathBuf,
    is_default_state: bool,
    rehearsal: bool,
    /// Profiles of other engines, that a rehearsal runs on the native one.
    rehearsed: Vec<String>,
    models: Vec<String>,
    /// The first member of the mob file.
    first: Option<String>,
}

/// Members that are named one by one.
const MEMBERS_NAMED: usize = 8;

impl Banner {
    pub fn of(launch: &Launch) -> Self {
        let models = &launch.file.definition.models;
        let is_rehearsal = |provider: Provider| provider == Provider::Rehearsal;
        let named = models
            .iter()
            .map(|(id, model)| format!("{id}: {} {}", model.provider, model.model));
        Self {
            config: launch.file.path.display().to_string(),
            state: launch.state.clone(),
            is_default_state: launch.state == PathBuf::from(".").join(STATE_FOLDER),
            rehearsal: launch.rehearse || models.values().all(|model| is_rehearsal(model.provider)),
            rehearsed: if launch.rehearse {
                external(&launch.file.definition)
            } else {
                Vec::new()
            },
            models: named.collect(),
            first: launch
                .file
                .definition
                .members
                .first()
                .map(|member| member.id.to_string()),
        }
    }

    /// Names the mob file where a failure is about what stands in it.
    pub fn placed(&self, failure: Failure) -> Failure {
        if failure.code().starts_with("model.") {
            failure.in_file(&self.config)
        } else {
            failure
        }
    }

    pub fn show(&self, ready: &Ready, output: &Output) {
        if output.is_json() {
            // A closed stdout is no reason to stop a mob.
            let _ = output.frame(&json!({
                "state": "running",
                "version": VERSION,
                "url": ready.url,
                "token_file": ready.token_file.display().to_string(),
                "state_dir": self.state.display().to_string(),
                "rehearsal": self.rehearsal,
                "members": ready.members.iter().map(|(id, _)| id).collect::<Vec<_>>(),
                "modules": ready.modules.iter().map(|module| json!({
                    "id": module.id, "state": module.state, "reason": module.reason,
                })).collect::<Vec<_>>(),
            }));
            return;
        }
        output.notice(&format!(
            "{} {VERSION}, state {}, config {} (ok)",
            output.paint_notice(Tone::Strong, "mobkit"),
            self.state.display(),
            self.config,
        ));
        for (name, value) in self.lines(ready) {
            let name = output.paint_notice(Tone::Faint, &format!("{name:<8}"));
            output.notice(&format!("{name} {value}"));
        }
    }

    fn lines(&self, ready: &Ready) -> Vec<(&'static str, String)> {
        let model = if self.rehearsal {
            "rehearsal: answers come from a script; everything else is real".to_owned()
        } else {
            self.models.join(", ")
        };
        let mut lines = vec![("model", model)];
        if !self.rehearsed.is_empty() {
            let profiles = self.rehearsed.join(", ");
            lines.push((
                "engine",
                format!("native for this rehearsal, in place of {profiles}"),
            ));
        }
        let named = ready.members.iter().take(MEMBERS_NAMED);
        let mut members: Vec<String> = named.map(|(id, state)| format!("{id} {state}")).collect();
        if ready.members.len() > MEMBERS_NAMED {
            members.push(format!("and {} more", ready.members.len() - MEMBERS_NAMED));
        }
        lines.push(("members", members.join(", ")));
        if !ready.modules.is_empty() {
            let modules: Vec<String> = ready.modules.iter().map(ToString::to_string).collect();
            lines.push(("modules", modules.join(", ")));
        }
        lines.push(("api", ready.url.clone()));
        lines.push(("token", ready.token_file.display().to_string()));
        let is_first = |id: &&String| self.first.as_ref() == Some(*id);
        let mut present = ready.members.iter().map(|(id, _)| id);
        if let Some(first) = present.clone().find(is_first).or_else(|| present.next()) {
            let state = if self.is_default_state {
                String::new()
            } else {
                format!(" --state {}", self.state.display())
            };
            lines.push((
                "try",
                format!("mobkit send {first} \"Hello\" --wait{state}"),
            ));
        }
        lines
    }
}

/// Profiles of engines other than the native one, with their engines.
fn external(definition: &Definition) -> Vec<String> {
    let profiles = definition.profiles.iter();
    let external = profiles.filter(|(_, profile)| profile.engine != Engine::Native);
    external
        .map(|(id, profile)| format!("{} (profile {id})", profile.engine))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::life::ModuleState;
    use super::*;

    fn modules() -> Vec<ModuleState> {
        let module = |id: &str, state, reason: Option<&str>, is_lazy| ModuleState {
            id: id.to_owned(),
            state,
            reason: reason.map(str::to_owned),
            is_lazy,
            is_held: false,
        };
        vec![
            module("feed", "starting", None, false),
            module("search", "stopped", Some("crash"), true),
            module("mail", "quarantined", Some("exit status 1"), false),
        ]
    }

    #[test]
    fn the_banner_names_what_a_newcomer_needs() {
        let banner = Banner {
            config: "mob.toml".to_owned(),
            state: PathBuf::from("data"),
            is_default_state: false,
            rehearsal: true,
            rehearsed: vec!["meerkat (profile coder)".to_owned()],
            models: Vec::new(),
            first: Some("m2".to_owned()),
        };
        let ready = Ready {
            url: "http://127.0.0.1:7373/".to_owned(),
            members: (1..=10)
                .map(|i| (format!("m{i}"), "idle".to_owned()))
                .collect(),
            modules: modules(),
            token_file: PathBuf::from("data/operator.token"),
        };
        let lines = banner.lines(&ready);
        let line = |name| {
            lines
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        };
        assert!(line("members").is_some_and(|v| v.ends_with("m8 idle, and 2 more")));
        assert_eq!(
            line("engine"),
            Some("native for this rehearsal, in place of meerkat (profile coder)")
        );
        assert_eq!(line("api"), Some("http://127.0.0.1:7373/"));
        assert_eq!(
            line("modules"),
            Some(
                "feed starting, search stopped (starts when called), mail quarantined: exit \
                 status 1"
            )
        );
        assert_eq!(
            line("try"),
            Some("mobkit send m2 \"Hello\" --wait --state data")
        );
        let discovered = Banner {
            first: None,
            ..banner
        };
        let lines = discovered.lines(&ready);
        assert!(
            lines
                .iter()
                .any(|(_, value)| value.starts_with("mobkit send m1 "))
        );
    }
}
