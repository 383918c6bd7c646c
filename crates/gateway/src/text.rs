//! Texts on their way out.

use crate::context::store_refusal;
use mobkit_domain::refusal::Refusal;
use mobkit_domain::text::Text;
use mobkit_engine::{Engine, unstash};

/// Longest text that is fetched from the blob store into an answer, in bytes.
const FETCHED_BYTES_MAX: u64 = 1024 * 1024;

/// The text itself where it is not too long, else the reference to it.
pub(crate) async fn fetched(engine: &Engine, text: Text) -> Result<Text, Refusal> {
    match &text {
        Text::Blob(blob) if blob.bytes <= FETCHED_BYTES_MAX => {
            let whole = unstash(engine.store().as_ref(), &text).await;
            whole.map(Text::from).map_err(|error| store_refusal(&error))
        }
        _ => Ok(text),
    }
}
