//! Who answers for a model of the definition in force.

use crate::model::ModelProvider;
use async_trait::async_trait;
use mobkit_domain::definition::Definition;
use mobkit_domain::id::ModelId;
use mobkit_domain::model::Failure;
use std::sync::Arc;

/// Finds the provider of a model. Asked before every call, so that a definition that comes into
/// force changes models at once; an implementation keeps what it has made.
#[async_trait]
pub trait Providers: Send + Sync + 'static {
    /// The provider of `model` as `definition` says. A failure fails the call; it names where a key
    /// was looked for, never the key.
    async fn provider(
        &self,
        definition: &Arc<Definition>,
        model: &ModelId,
    ) -> Result<Arc<dyn ModelProvider>, Failure>;
}
