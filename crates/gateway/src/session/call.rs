//! What a session is asked, and what came of it.

use super::host::HostSide;
use super::params::{SUBSCRIBE, Subscribe};
use crate::gateway::{Caller, Gateway, find};
use crate::input::Input;
use crate::stream::{Feed, Form, Wanted, admit, open};
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What came of one request, or of a batch.
#[derive(Default)]
pub(super) struct Finished {
    /// The ids of its requests that are free again.
    pub ids: Vec<String>,
    /// What is answered; nothing to notifications.
    pub answer: Option<Value>,
    /// Streams that begin after the answer.
    pub opened: Vec<(u64, Feed)>,
    /// Numbers of streams that could not begin.
    pub refused: Vec<u64>,
    /// What came of the registration that a start waits for: whether it stands.
    pub registered: Option<bool>,
}

/// What a request asks for.
pub(super) enum Task {
    /// An operation of the table.
    Operation,
    /// A stream under this number.
    Subscribe(u64),
    /// To serve something; whether it may be what a start is made of.
    Register(bool),
}

/// Who asks, of which server.
#[derive(Clone)]
pub(super) struct Asker {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub host: HostSide,
}

impl Asker {
    /// Does what is asked, unless that is given up first.
    pub async fn perform(
        &self,
        task: &Task,
        (method, params): (String, Value),
        given_up: CancellationToken,
    ) -> Result<(Value, Option<Feed>), Refusal> {
        let work = async {
            let input = Input::of_json(params);
            match task {
                Task::Operation => {
                    let operation = find(&method)?;
                    let answer = self.gateway.call(&self.caller, operation, input?).await?;
                    Ok((answer, None))
                }
                Task::Subscribe(number) => self.subscribe(*number, input?).await,
                Task::Register(shapes_start) => {
                    let asker = (self.gateway.as_ref(), &self.caller);
                    let answer = self.host.register(asker, input?, *shapes_start).await?;
                    Ok((answer, None))
                }
            }
        };
        tokio::select! {
            biased;
            () = given_up.cancelled() => Err(cancelled()),
            done = work => done,
        }
    }

    async fn subscribe(
        &self,
        number: u64,
        mut input: Input,
    ) -> Result<(Value, Option<Feed>), Refusal> {
        admit(&self.gateway, &self.caller, SUBSCRIBE)?;
        self.gateway.check_mob(input.take_text("mob")?)?;
        let params: Subscribe = input.parse(SUBSCRIBE)?;
        let wanted = Wanted {
            after: params.after,
            kinds: params.kinds.as_ref(),
            subject: params.subject.as_deref(),
            source: params.source.as_deref(),
            follow: true,
            deltas: params.deltas,
        };
        let feed = open(&self.gateway.engine, Form::Notes(number), wanted).await?;
        let answer = json!({ "subscription": number, "after": feed.cursor() });
        Ok((answer, Some(feed)))
    }
}

fn cancelled() -> Refusal {
    let message = "the request was given up by who sent it";
    Refusal::new(RefusalKind::Conflict, "request.cancelled", message)
        .hint("what it had brought about by then stays; turns are stopped with `turn/cancel`")
}
