//! The seam between operations and surfaces.

use crate::access::Permission;
use crate::context::Context;
use crate::fields::fields_of;
use crate::input::Input;
use crate::schema::{answered, taken, with_surface};
use futures::future::BoxFuture;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Largest body of a request, in bytes, where nothing else is said.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What an operation makes of an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// It changes nothing, so it takes none.
    Absent,
    /// The journal keeps the key with the answer: it holds across restarts.
    Journal,
    /// As the journal keeps it for another operation that this one begins with; some parameters
    /// don't belong to that.
    JournalAs {
        /// The other operation.
        operation: &'static str,
        /// Parameters that may differ in a repetition.
        without: &'static [&'static str],
    },
    /// The process keeps the key with the whole answer. After a restart a repetition runs again,
    /// and what has been brought about stays as it is.
    Process,
}

/// One operation: implemented once, offered on every surface.
pub(crate) trait Define: 'static {
    /// `<noun>/<verb>`.
    const NAME: &'static str;
    /// One line: what it does.
    const DOC: &'static str;
    /// What the caller must be allowed.
    const PERMISSION: Permission;
    /// Its row in the table of the lifecycle.
    const VERB: Verb;
    /// What it makes of an idempotency key.
    const KEYS: Keys = match Self::VERB {
        Verb::Read => Keys::Absent,
        _ => Keys::Journal,
    };
    /// The largest body of a request for it over plain HTTP, in bytes.
    const BODY_BYTES_MAX: usize = BODY_BYTES_MAX;
    /// What it takes, beside `mob` and `key`, which every surface takes off before.
    type Params: DeserializeOwned + JsonSchema + Send;
    /// What it answers.
    type Output: Serialize + JsonSchema;

    /// Does it.
    fn run(
        cx: Context,
        params: Self::Params,
    ) -> impl Future<Output = Result<Self::Output, Refusal>> + Send;
}

/// An operation as the surfaces see it.
#[derive(Debug)]
pub struct Operation {
    /// `<noun>/<verb>`.
    pub name: &'static str,
    /// One line: what it does.
    pub doc: &'static str,
    /// What the caller must be allowed.
    pub permission: Permission,
    /// Its row in the table of the lifecycle.
    pub verb: Verb,
    /// What it makes of an idempotency key.
    pub keys: Keys,
    /// Names of its parameters, other spellings included.
    pub params: fn() -> &'static [&'static str],
    /// The largest body of a request for it over plain HTTP, in bytes.
    pub(crate) body_bytes_max: usize,
    /// The schema of what the handler takes.
    taken: fn() -> Value,
    /// The schema of what it answers.
    answered: fn() -> Value,
    /// The handler.
    pub(crate) call: fn(Context, Input) -> BoxFuture<'static, Result<Value, Refusal>>,
}

impl Operation {
    pub(crate) const fn of<O: Define>() -> Self {
        Self {
            name: O::NAME,
            doc: O::DOC,
            permission: O::PERMISSION,
            verb: O::VERB,
            keys: O::KEYS,
            body_bytes_max: O::BODY_BYTES_MAX,
            params: fields_of::<O::Params>,
            taken: taken::<O::Params>,
            answered: answered::<O::Output>,
            call: call::<O>,
        }
    }

    /// Whether it only looks, so that it may be asked for by `GET`.
    pub fn is_read(&self) -> bool {
        self.verb == Verb::Read
    }

    /// The JSON Schema (2020-12) of its parameters, with `mob` and, where it takes one, `key`. Each
    /// parameter stands under its first name; other spellings are read, but not described.
    pub fn params_schema(&self) -> Value {
        with_surface((self.taken)(), self.keys != Keys::Absent)
    }

    /// The JSON Schema (2020-12) of its answer.
    pub fn result_schema(&self) -> Value {
        (self.answered)()
    }
}

fn call<O: Define>(cx: Context, input: Input) -> BoxFuture<'static, Result<Value, Refusal>> {
    Box::pin(async move {
        let params = input.parse::<O::Params>(O::NAME)?;
        let output = O::run(cx, params).await?;
        serde_json::to_value(output).map_err(|error| {
            let message = format!("the answer of {} can't be written: {error}", O::NAME);
            Refusal::new(RefusalKind::Internal, "internal.answer", message)
        })
    })
}
