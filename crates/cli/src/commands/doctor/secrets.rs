//! Whether every secret that the mob file refers to can be had.

use super::finding::Finding;
use mobkit::definition::{Definition, Secret, Setting, Sink, StoreKind, Transport};
use mobkit::{MobFile, Variables, find_secret};
use std::collections::BTreeMap;

/// Looks up every secret, and drops it; what is said names its origin alone.
pub(super) async fn look(file: &MobFile, variables: &Variables) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (whose, secret) in references(&file.definition) {
        let check = format!("secret of {whose}");
        let found = find_secret(secret, &file.folder, variables).await;
        findings.push(match found {
            Ok(()) => Finding::ok(check, secret.to_string()),
            Err(reason) => Finding::fail(check, reason, next_step(secret)),
        });
    }
    findings
}

fn next_step(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("set {name} where `mobkit up` is started"),
        Secret::File(path) => format!("write the secret into {path}, readable by you alone"),
        Secret::Command(_) => "run the command by hand; it must print the secret".to_owned(),
    }
}

/// Every reference to a secret, with what it is for.
fn references(definition: &Definition) -> Vec<(String, &Secret)> {
    let mut found = Vec::new();
    for (id, model) in &definition.models {
        found.extend(
            model
                .api_key
                .as_ref()
                .map(|key| (format!("model {id}"), key)),
        );
    }
    for module in &definition.modules {
        let whose = format!("module {}", module.id);
        found.extend(of_settings(&whose, &module.env));
        if let Transport::McpHttp { headers, .. } = &module.transport {
            found.extend(of_settings(&whose, headers));
        }
    }
    for route in &definition.routes {
        let whose = format!("route {}", route.id);
        match &route.sink {
            Sink::Webhook {
                secret, headers, ..
            } => {
                found.extend(secret.as_ref().map(|secret| (whose.clone(), secret)));
                found.extend(of_settings(&whose, headers));
            }
            Sink::Email { password, .. } => {
                found.extend(password.as_ref().map(|password| (whose, password)));
            }
            Sink::Member { .. } | Sink::Module { .. } | Sink::File { .. } => {}
        }
    }
    if let StoreKind::Postgres { url } = &definition.store.kind {
        found.push(("the store".to_owned(), url));
    }
    found
}

fn of_settings<'a>(
    whose: &str,
    settings: &'a BTreeMap<String, Setting>,
) -> Vec<(String, &'a Secret)> {
    let secrets = settings.iter().filter_map(|(name, setting)| match setting {
        Setting::Secret(secret) => Some((format!("{whose}, {name}"), secret)),
        Setting::Text(_) => None,
    });
    secrets.collect()
}
