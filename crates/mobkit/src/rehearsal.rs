//! What a rehearsal makes of a definition: one script answers, so no engine of its own takes part.

use async_trait::async_trait;
use mobkit_domain::definition::{Definition, Engine, ToolSelector};
use mobkit_engine::{DefinitionError, DefinitionSource};
use std::sync::Arc;

/// The definition with every profile on the native engine, without tools of other engines.
pub(crate) fn rehearsed(mut definition: Definition) -> Definition {
    for profile in definition.profiles.values_mut() {
        profile.engine = Engine::Native;
        profile
            .tools
            .retain(|tool| !matches!(tool, ToolSelector::Engine(_)));
    }
    definition
}

/// A source whose definitions are rehearsed, so that a plan compares like with like.
pub(crate) struct Rehearsed(pub(crate) Arc<dyn DefinitionSource>);

#[async_trait]
impl DefinitionSource for Rehearsed {
    async fn load(&self) -> Result<Definition, DefinitionError> {
        self.0.load().await.map(rehearsed)
    }
}
