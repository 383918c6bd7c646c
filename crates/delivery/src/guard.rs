//! The guard of addresses: a sink reaches nothing inside unless its mob file says so.
//!
//! A name is looked up for each connection, every address that it has is checked, and the
//! connection goes to a checked address: a name that changes its address in between changes
//! nothing.

use futures::future::BoxFuture;
use mobkit_domain::public_address::is_public;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Looks names up.
pub(crate) trait Lookup: Send + Sync + 'static {
    /// The addresses of a host, at least one.
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// As the system looks them up.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why a host can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    /// It leads inside.
    #[error(
        "{host} has the address {address}, which is not public; allow_private = true lets it pass"
    )]
    Inner { host: String, address: IpAddr },
    /// Nobody knows it.
    #[error("{host} can't be found: {reason}")]
    Unknown { host: String, reason: String },
}

/// Lets through what a sink may reach.
#[derive(Clone)]
pub(crate) struct Guard {
    lookup: Arc<dyn Lookup>,
    allow_private: bool,
}

impl Guard {
    pub(crate) fn new(lookup: Arc<dyn Lookup>, allow_private: bool) -> Self {
        Self {
            lookup,
            allow_private,
        }
    }

    /// The address that stands in place of a name, if one does.
    pub(crate) fn literal(host: &str) -> Option<IpAddr> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.parse().ok()
    }

    /// The addresses of a host, a literal address included, all of them checked.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, GuardError> {
        let found = if let Some(address) = Self::literal(host) {
            vec![address]
        } else {
            let looked_up = self.lookup.lookup(host.to_owned()).await;
            looked_up.map_err(|error| GuardError::Unknown {
                host: host.to_owned(),
                reason: error.to_string(),
            })?
        };
        if found.is_empty() {
            let (host, reason) = (host.to_owned(), "it has no address".to_owned());
            return Err(GuardError::Unknown { host, reason });
        }
        for address in &found {
            self.check(host, *address)?;
        }
        Ok(found)
    }

    /// Whether a host may have this address.
    pub(crate) fn check(&self, host: &str, address: IpAddr) -> Result<(), GuardError> {
        if self.allow_private || is_public(address) {
            return Ok(());
        }
        let host = host.to_owned();
        Err(GuardError::Inner { host, address })
    }
}

/// The guard as the resolver of an HTTP client: it connects to checked addresses only.
impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.addresses(name.as_str()).await?;
            let found: Vec<SocketAddr> = found.into_iter().map(|ip| (ip, 0).into()).collect();
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
