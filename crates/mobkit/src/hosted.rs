//! What a mob is made of where the program that it is run for serves it over its session.

use async_trait::async_trait;
use futures::StreamExt;
use mobkit_agents::model::{ModelEvent, ModelEvents, ModelProvider, ModelRequest};
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::id::{MemberId, ModelId};
use mobkit_domain::model::{Failure, FailureClass};
use mobkit_engine::{Discovery, EdgeDiscovery, HookError, HostFailure, Hosts};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the program may take to say which members or edges there should be.
const ANSWER_PATIENCE: Duration = Duration::from_mins(1);
/// Pieces of an answer of a model that wait to be taken.
const PIECES_MAX: usize = 1_024;

/// Asks the program for a part of the desired state.
async fn desired<T: DeserializeOwned>(
    hosts: &Hosts,
    method: &'static str,
    params: Value,
) -> Result<T, HookError> {
    let asking = hosts.ask_owner(method, params, None);
    let Ok(answer) = tokio::time::timeout(ANSWER_PATIENCE, asking).await else {
        let seconds = ANSWER_PATIENCE.as_secs();
        return Err(HookError(format!("{method}: no answer in {seconds} s")));
    };
    let answer = answer.map_err(|failure| HookError(format!("{method}: {failure}")))?;
    serde_json::from_value(answer)
        .map_err(|error| HookError(format!("{method}: the answer can't be read: {error}")))
}

#[derive(Deserialize)]
struct Members {
    members: Vec<MemberSpec>,
}

#[derive(Deserialize)]
struct Edges {
    edges: Vec<(MemberId, MemberId)>,
}

pub(crate) struct HostedDiscovery(pub Hosts);

#[async_trait]
impl Discovery for HostedDiscovery {
    async fn discover(&self, context: Value) -> Result<Vec<MemberSpec>, HookError> {
        let params = json!({ "context": context });
        let answer: Members = desired(&self.0, "discovery/members", params).await?;
        Ok(answer.members)
    }
}

pub(crate) struct HostedEdges(pub Hosts);

#[async_trait]
impl EdgeDiscovery for HostedEdges {
    async fn edges(&self, members: &[MemberId]) -> Result<Vec<(MemberId, MemberId)>, HookError> {
        let params = json!({ "members": members });
        let answer: Edges = desired(&self.0, "discovery/edges", params).await?;
        Ok(answer.edges)
    }
}

/// A model that the program answers for.
pub(crate) struct HostedModel {
    pub hosts: Hosts,
    pub model: ModelId,
}

impl ModelProvider for HostedModel {
    fn describe(&self) -> String {
        format!("{} of the program that runs the mob", self.model)
    }

    fn stream(&self, request: ModelRequest) -> ModelEvents {
        let (hosts, model) = (self.hosts.clone(), self.model.clone());
        let (pieces, taken) = mpsc::channel(PIECES_MAX);
        let asking = async move {
            let params = json!({ "model": model, "request": request });
            hosts.ask_owner("model/call", params, Some(pieces)).await
        };
        let asked = futures::stream::once(asking).map(Said::Whole);
        let streamed = futures::stream::unfold(taken, async |mut taken| {
            let piece = taken.recv().await?;
            Some((Said::Piece(piece), taken))
        });
        // The pieces first: the whole answer says only what they did not.
        let said = futures::stream::select_with_strategy(streamed, asked, |(): &mut ()| {
            futures::stream::PollNext::Left
        });
        let events = said.flat_map(|said| futures::stream::iter(events(said)));
        events.boxed()
    }
}

/// What comes back from the program.
enum Said {
    Piece(Value),
    Whole(Result<Value, HostFailure>),
}

#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    events: Vec<ModelEvent>,
}

fn events(said: Said) -> Vec<Result<ModelEvent, Failure>> {
    let read = |error: serde_json::Error| {
        let reason = format!("the answer of the program can't be read: {error}");
        failure(FailureClass::Garbage, reason)
    };
    match said {
        Said::Piece(piece) => vec![serde_json::from_value(piece).map_err(read)],
        Said::Whole(Ok(rest)) => match serde_json::from_value::<Rest>(rest) {
            Ok(rest) => rest.events.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(read(error))],
        },
        Said::Whole(Err(HostFailure::Refused(why))) => {
            vec![Err(failure(FailureClass::Rejected, why))]
        }
        Said::Whole(Err(gone @ (HostFailure::Away | HostFailure::Lost))) => {
            vec![Err(failure(FailureClass::Cut, gone.to_string()))]
        }
    }
}

fn failure(class: FailureClass, reason: String) -> Failure {
    Failure {
        class,
        reason,
        retry_after_ms: None,
    }
}
