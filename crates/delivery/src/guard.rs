//! The guard of addresses: a sink reaches nothing inside unless its mob file says so.
//!
//! A name is looked up for each connection, every address that it has is checked, and the
//! connection goes to a checked address: a name that changes its address in between changes
//! nothing.

use futures::future::BoxFuture;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        // Shared by carriers (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        // Relays of 6to4, which are gone.
        || (a, b, c) == (192, 88, 99)
        // Public by its looks, but inside of a cloud the agent of the machine that one runs on.
        || address == Ipv4Addr::new(168, 63, 129, 16)
        // Benchmarks (RFC 2544).
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let last_v4 = || {
        let [a, b] = [segments[6].to_be_bytes(), segments[7].to_be_bytes()];
        Ipv4Addr::new(a[0], a[1], b[0], b[1])
    };
    match segments {
        // Mapped and compatible IPv4 addresses, `::` and `::1` among them.
        [0, 0, 0, 0, 0, 0xffff | 0, ..] => segments[5] == 0xffff && is_public_v4(last_v4()),
        // IPv4 behind NAT64 (RFC 6052).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last_v4()),
        // IPv4 behind 6to4.
        [0x2002, high, low, ..] => {
            let [a, b] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a[0], a[1], b[0], b[1]))
        }
        // Protocol assignments with Teredo, documentation, segment routing.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff | 0x5f00, ..] => false,
        // Only 2000::/3 is given out as global unicast.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests;
