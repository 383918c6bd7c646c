//! Keys that must be there before a mob starts.

use crate::failure::{Exit, Failure};
use crate::mobfile::{Definition, Provider, Secret};
use std::path::Path;

/// Refuses to start where the key of a model in use is absent. Only its presence is looked at; the
/// key itself goes nowhere.
pub(crate) fn check(
    definition: &Definition,
    folder: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    let used: std::collections::BTreeSet<_> = definition
        .profiles
        .values()
        .map(|profile| &profile.model)
        .collect();
    for (id, model) in &definition.models {
        if !used.contains(id) || model.provider == Provider::Rehearsal {
            continue;
        }
        let absent = match &model.api_key {
            Some(Secret::Env(name)) => variable(name).is_none(),
            Some(Secret::File(path)) => !folder.join(path).is_file(),
            Some(Secret::Command(_)) | None => false,
        };
        if let (true, Some(key)) = (absent, &model.api_key) {
            let message = format!("the key of model \"{id}\" is absent: {key}");
            return Err(
                Failure::new(Exit::Failed, "model.key_missing", message).hint(
                    "set it, or let a script answer instead of every model: `mobkit up --rehearse`",
                ),
            );
        }
    }
    Ok(())
}
