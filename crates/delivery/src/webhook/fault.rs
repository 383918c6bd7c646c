//! Why a request got no answer, in one line that names the host and nothing else of the URL.

use crate::guard::GuardError;
use std::error::Error;

/// Why there is no answer of `host`.
pub(super) fn reason(error: &reqwest::Error, host: &str) -> String {
    if let Some(refused) = chain(error).find_map(|cause| cause.downcast_ref::<GuardError>()) {
        return refused.to_string();
    }
    if error.is_connect() && error.is_timeout() {
        return format!("{host} can't be reached: no connection in time");
    }
    let cause = cause(error);
    if error.is_connect() {
        format!("{host} can't be reached: {cause}")
    } else {
        format!("{host} gave no answer: {cause}")
    }
}

/// What all began with. Errors of the client may hold the URL; what led to them does not.
pub(super) fn cause(error: &reqwest::Error) -> String {
    match chain(error).last() {
        Some(cause) => cause.to_string(),
        None => "nothing is known of the cause".to_owned(),
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| {
        (*cause).source()
    })
}
