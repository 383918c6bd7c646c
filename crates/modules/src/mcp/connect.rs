//! How a conversation begins, in the words of the era that the server is of.

use super::failure::Failures;
use super::handler::Handler;
use super::http::Remote;
use super::keep::Keeper;
use super::lines::Lines;
use super::link::Link;
use super::watched::Watched;
use crate::client::{Client, ClientError, Host, Limits};
use mobkit_engine::Tasks;
use rmcp::RoleClient;
use rmcp::model::{ErrorCode, ProtocolVersion};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, serve_client_with_lifecycle_and_ct,
};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// How long a remote server may take to answer in the words of the newer era.
const DISCOVER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is said first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// `server/discover`; whoever refuses it, or says nothing for 10 s, hears `initialize`.
    Discover,
    /// `initialize` at once.
    Initialize,
}

/// Why no conversation came about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The child has no answer to [`Opening::Discover`] but its end, or one that leads nowhere, as
    /// servers of the era before may. Started anew and met with [`Opening::Initialize`] it may do
    /// better.
    #[error("{0}")]
    Undiscovered(ClientError),
    /// Anything else.
    #[error("{0}")]
    Failed(ClientError),
}

impl From<ConnectError> for ClientError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Undiscovered(error) | ConnectError::Failed(error) => error,
        }
    }
}

/// Begins a conversation with a child process over its standard input and output. A server that is
/// slow to start is waited for; the caller sets the limit, and drops the future.
pub(crate) async fn connect_stdio(
    stdin: impl AsyncWrite + Send + Unpin + 'static,
    stdout: impl AsyncRead + Send + Unpin + 'static,
    host: Arc<dyn Host>,
    limits: Limits,
    tasks: &Tasks,
    opening: Opening,
) -> Result<Arc<dyn Client>, ConnectError> {
    let lifecycle = match opening {
        Opening::Discover => ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        },
        Opening::Initialize => ClientLifecycleMode::Initialize,
    };
    let link = Link::new(host);
    let failures = Failures::default();
    let lines = Lines::new(stdin, stdout, Arc::clone(&link), limits, tasks);
    let watched = Watched::new(lines, Arc::clone(&link), ClientError::Closed);
    let end = CancellationToken::new();
    let keeper = Keeper {
        limits,
        failures: failures.clone(),
        tasks,
        end,
    };
    let opened = open(watched, &link, lifecycle, keeper).await;
    opened.map_err(|error| {
        let because = failures.of_opening(&error, &link);
        if opening == Opening::Discover && may_initialize(&error) {
            ConnectError::Undiscovered(because)
        } else {
            ConnectError::Failed(because)
        }
    })
}

/// Begins a conversation with a remote server. No error names the value of a header.
///
/// rmcp's own way of trying both eras is not taken here: over HTTP it would wait for ever behind a
/// server that does not answer `server/discover`, and give up where one answers it with a status of
/// 500 or a page of HTML. A connection costs little, so the second attempt has one of its own.
pub(crate) async fn connect_http(
    url: &str,
    headers: BTreeMap<String, String>,
    host: Arc<dyn Host>,
    limits: Limits,
    tasks: &Tasks,
) -> Result<Arc<dyn Client>, ClientError> {
    let remote = Remote::new(url, &headers)?;
    let failures = &remote.failures;
    let attempt = async |lifecycle| {
        let link = Link::new(Arc::clone(&host));
        let end = CancellationToken::new();
        let transport = remote.transport(end.clone());
        let over = ClientError::Broken("the answers of the server can't be followed".to_owned());
        let watched = Watched::new(transport, Arc::clone(&link), over);
        let keeper = Keeper {
            limits,
            failures: failures.clone(),
            tasks,
            end,
        };
        let opened = open(watched, &link, lifecycle, keeper).await;
        opened.map_err(|error| (may_initialize(&error), failures.of_opening(&error, &link)))
    };
    let discover = attempt(ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::LATEST],
    });
    match tokio::time::timeout(DISCOVER_TIMEOUT, discover).await {
        Ok(Ok(client)) => return Ok(client),
        Ok(Err((false, error))) => return Err(error),
        Ok(Err((true, _))) | Err(_) => {}
    }
    let initialized = attempt(ClientLifecycleMode::Initialize).await;
    initialized.map_err(|(_, error)| error)
}

async fn open<T: Transport<RoleClient> + 'static>(
    watched: Watched<T>,
    link: &Arc<Link>,
    lifecycle: ClientLifecycleMode,
    keeper: Keeper<'_>,
) -> Result<Arc<dyn Client>, ClientInitializeError> {
    let stop = CancellationToken::new();
    let given_up = keeper.end.clone().drop_guard();
    let handler = Handler {
        link: Arc::clone(link),
    };
    let running =
        serve_client_with_lifecycle_and_ct(handler, watched, lifecycle, stop.clone()).await?;
    let info = running.peer().peer_info();
    let version = info.map(|info| info.protocol_version.clone());
    match version {
        Some(version) if ProtocolVersion::KNOWN_VERSIONS.contains(&version) => {
            let kept = keeper.keep(running, stop).await;
            given_up.disarm();
            Ok(Arc::new(kept))
        }
        version => Err(ClientInitializeError::NoCompatibleProtocolVersion {
            client_supported: ProtocolVersion::KNOWN_VERSIONS.to_vec(),
            server_supported: version.into_iter().collect(),
        }),
    }
}

/// Whether a server that failed at `server/discover` may know `initialize`.
fn may_initialize(error: &ClientInitializeError) -> bool {
    match error {
        ClientInitializeError::JsonRpcError(error) => !matches!(
            error.code,
            ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY | ErrorCode::HEADER_MISMATCH
        ),
        ClientInitializeError::NoCompatibleProtocolVersion {
            server_supported, ..
        } => server_supported.iter().any(|version| {
            version.has_initialize() && ProtocolVersion::KNOWN_VERSIONS.contains(version)
        }),
        ClientInitializeError::TransportError { error, .. } => {
            match error
                .error
                .downcast_ref::<StreamableHttpError<reqwest::Error>>()
            {
                Some(StreamableHttpError::Client(error)) => !error.is_connect(),
                Some(
                    StreamableHttpError::AuthRequired(_)
                    | StreamableHttpError::InsufficientScope(_),
                ) => false,
                _ => true,
            }
        }
        ClientInitializeError::ConnectionClosed(at) => at == DISCOVERING,
        ClientInitializeError::ExpectedInitResult(_) => true,
        _ => false,
    }
}

/// What rmcp names the step in which a connection ended.
const DISCOVERING: &str = "discover response";
