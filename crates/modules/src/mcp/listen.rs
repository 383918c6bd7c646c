//! Word of changed tools, in the era that asks for it.

use super::link::Link;
use rmcp::RoleClient;
use rmcp::model::{ServerNotification, SubscriptionFilter};
use rmcp::service::{Peer, ServiceError};
use std::time::Duration;

/// Pause before the stream is opened again, growing up to the second.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Whether a server offers word of changed tools, and gives it only to those who listen.
pub(super) fn is_offered(peer: &Peer<RoleClient>) -> bool {
    peer.peer_info().is_some_and(|info| {
        let tools = info.capabilities.tools.as_ref();
        let says_so = tools.and_then(|tools| tools.list_changed) == Some(true);
        says_so && !info.protocol_version.has_initialize()
    })
}

/// Listens until the conversation is over, or the server turns out not to offer it.
pub(super) async fn listen(peer: &Peer<RoleClient>, link: &Link) {
    tokio::select! {
        biased;
        () = link.over().cancelled() => {}
        () = keep_listening(peer, link) => {}
    }
}

async fn keep_listening(peer: &Peer<RoleClient>, link: &Link) {
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let mut pause = PAUSE_MIN;
    let mut heard = false;
    loop {
        match peer.listen(filter.clone()).await {
            Ok(stream) if stream.acknowledged().tools_list_changed != Some(true) => return,
            Ok(mut stream) => {
                if heard {
                    // Nobody listened in between.
                    link.host.tools_changed();
                }
                heard = true;
                while let Ok(Some(notification)) = stream.next().await {
                    if let ServerNotification::ToolListChangedNotification(_) = notification {
                        link.host.tools_changed();
                        pause = PAUSE_MIN;
                    }
                }
            }
            Err(ServiceError::McpError(_) | ServiceError::UnexpectedResponse) => return,
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
