//! What it means that an export or import changed nothing.

use crate::failure::{Exit, Failure};
use mobkit::StoreError;
use mobkit::archive::ArchiveError;
use serde_json::json;

/// The failure of a command.
pub(super) fn refused(error: &ArchiveError) -> Failure {
    let message = error.to_string();
    let fail = |exit, code| Failure::new(exit, code, message.as_str());
    match error {
        ArchiveError::Exists { .. } => fail(Exit::Conflict, "export.exists")
            .hint("name another file, or remove that one first"),
        ArchiveError::StateMissing { .. } => fail(Exit::Missing, "state_dir.not_found")
            .hint("name the state directory with --state, or go to the folder of the mob file"),
        ArchiveError::NotEmpty { .. } => fail(Exit::Conflict, "state_dir.not_empty")
            .hint("name a state directory that does not exist yet with --state"),
        ArchiveError::Damaged { .. } => fail(Exit::Failed, "export.damaged")
            .hint("nothing was changed; take another export, or fetch this one again"),
        ArchiveError::FormatAhead { .. } => fail(Exit::Failed, "export.ahead")
            .hint("import it with the version of mobkit that wrote it, or a later one"),
        ArchiveError::StateDamaged { problems, .. } => fail(Exit::Failed, "state_dir.damaged")
            .hint("`mobkit doctor --verify` lists everything; an earlier export is the way back")
            .fact("problems", json!(problems)),
        ArchiveError::Busy { .. } => {
            fail(Exit::Conflict, "export.busy").hint("wait for the other command to end")
        }
        ArchiveError::Store(StoreError::SchemaAhead { .. }) => {
            fail(Exit::Failed, "state_dir.ahead")
                .hint("a later version of mobkit wrote it; use that one")
        }
        ArchiveError::Store(_) => fail(Exit::Failed, "store.failed")
            .hint("mend the cause that it names, and do it again: nothing was changed"),
    }
}
