//! The access policy of a server.

use super::place::Place;
use super::token::{TokenDigest, bearer, invalid};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// The name of the operator who holds the token of the state directory.
pub(super) const LOCAL: &str = "local";
/// Query parameters under which people try to pass tokens. What stands in a URL lands in logs.
const TOKEN_NAMES: [&str; 6] = [
    "token",
    "access_token",
    "auth_token",
    "api_key",
    "apikey",
    "authorization",
];

/// Who may reach a mob, and from where. Tokens are kept as digests only.
///
/// Every request names a host that is meant: a loopback name or address, or one that was allowed;
/// so a foreign name that resolves to this machine opens nothing. A request that a web page sends
/// comes from the same host and port, from a loopback page on the same port, or from an origin that
/// was allowed.
#[derive(Debug, Clone)]
pub struct Access {
    operator: TokenDigest,
    hosts: BTreeSet<String>,
    origins: Vec<Place>,
    any_address: bool,
}

impl Access {
    /// Whoever shows this token is `operator:local`. An empty token lets nobody in.
    pub fn operator_token(token: &str) -> Self {
        Self {
            operator: TokenDigest::of(token),
            hosts: BTreeSet::new(),
            origins: Vec::new(),
            any_address: false,
        }
    }

    /// Says on which address the server listens. Beyond loopback, requests may name any IP address
    /// as their host; names still have to be allowed one by one.
    #[must_use]
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        self.any_address |= !address.ip().is_loopback();
        self
    }

    /// Lets requests name this host, e.g. `mob.example.com`. A port in it is ignored; what is no
    /// host changes nothing.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.hosts
            .extend(Place::of_host(host).map(|place| place.host));
        self
    }

    /// Lets web pages of this origin send requests, e.g. `https://console.example.com`. What is no
    /// origin changes nothing.
    #[must_use]
    pub fn allow_origin(mut self, origin: &str) -> Self {
        self.origins.extend(Place::of_origin(origin));
        self
    }

    /// Checks from where a request comes and to whom it is addressed.
    pub(crate) fn check_place(&self, request: &Parts) -> Result<(), Refusal> {
        let host = self.check_host(request)?;
        let mut origins = request.headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Ok(());
        };
        let place = origin.to_str().ok().and_then(Place::of_origin);
        let known = place.is_some_and(|origin| self.knows_origin(&origin, &host));
        if known && origins.next().is_none() {
            return Ok(());
        }
        let message = "requests of web pages of this origin are not taken";
        Err(Refusal::new(RefusalKind::Denied, "access.origin", message)
            .hint("open the page from the address of this server, or allow its origin"))
    }

    fn check_host(&self, request: &Parts) -> Result<Place, Refusal> {
        let mut hosts = request.headers.get_all(HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().map(str::to_owned),
            (None, _) => request.uri.authority().map(ToString::to_string),
            (Some(_), Some(_)) => None,
        };
        let Some(place) = named.as_deref().and_then(Place::of_host) else {
            let message = "the request names no host";
            return Err(
                Refusal::new(RefusalKind::Invalid, "request.host_missing", message)
                    .hint("send one Host header with the address of the server"),
            );
        };
        let known = place.is_loopback()
            || self.hosts.contains(&place.host)
            || (self.any_address && place.ip().is_some());
        if known {
            return Ok(place);
        }
        let message = "this server does not answer to that host name";
        Err(Refusal::new(RefusalKind::Denied, "access.host", message)
            .hint("use the address on which it listens, or allow the host name"))
    }

    fn knows_origin(&self, origin: &Place, host: &Place) -> bool {
        // The port of a request without one is that of the scheme, which the origin names.
        let same_port = host.port.is_none_or(|port| origin.port == Some(port))
            && (host.port.is_some() || matches!(origin.port, Some(80 | 443)));
        let same_host = origin.host == host.host || (origin.is_loopback() && host.is_loopback());
        (same_host && same_port) || self.origins.contains(origin)
    }

    /// Refuses a request that carries a token in its URL.
    pub(crate) fn check_url(request: &Parts) -> Result<(), Refusal> {
        let names = request.uri.query().unwrap_or_default().split('&');
        let mut names = names.map(|pair| pair.split('=').next().unwrap_or_default());
        if !names.any(|name| {
            TOKEN_NAMES
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        }) {
            return Ok(());
        }
        let message = "a token in a URL is not taken: URLs end up in logs and histories";
        Err(
            Refusal::new(RefusalKind::Invalid, "access.token_in_url", message).hint(
                "send `Authorization: Bearer TOKEN`, and consider this token known to others",
            ),
        )
    }

    /// Says who calls.
    pub(crate) fn authenticate(&self, request: &Parts) -> Result<Principal, Refusal> {
        let token = bearer(&request.headers)?;
        if self.operator.matches(token) {
            return Ok(Principal::Operator(LOCAL.to_owned()));
        }
        Err(invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn check(access: &Access, host: &str, origin: Option<&str>) -> Result<(), String> {
        let mut request = Request::builder().uri("/").header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        access.check_place(&parts).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_page_of_the_same_place_is_let_in_and_a_stranger_is_not() {
        let access = Access::operator_token("t");
        let origin = |origin| check(&access, "127.0.0.1:7373", Some(origin));
        assert_eq!(origin("http://127.0.0.1:7373"), Ok(()));
        assert_eq!(origin("http://localhost:7373"), Ok(()));
        let strangers = [
            "http://localhost:3000",
            "http://localhost",
            "https://evil.example:7373",
            "null",
            "",
        ];
        for stranger in strangers {
            assert_eq!(
                origin(stranger),
                Err("access.origin".to_owned()),
                "{stranger:?}"
            );
        }
    }

    #[test]
    fn a_foreign_name_for_this_machine_opens_nothing() {
        let access = Access::operator_token("t");
        for host in [
            "evil.example:7373",
            "localhost.evil.example",
            "10.0.0.5:7373",
        ] {
            assert_eq!(
                check(&access, host, None),
                Err("access.host".to_owned()),
                "{host}"
            );
        }
        assert_eq!(
            check(&access, "", None),
            Err("request.host_missing".to_owned())
        );
    }

    #[test]
    fn hosts_and_origins_are_allowed_by_name() {
        let access = Access::operator_token("t")
            .allow_host("Mob.example.com")
            .allow_origin("https://console.example.com");
        assert_eq!(check(&access, "mob.example.com", None), Ok(()));
        let origin = |origin| check(&access, "mob.example.com", Some(origin));
        assert_eq!(origin("https://console.example.com"), Ok(()));
        assert_eq!(origin("https://mob.example.com"), Ok(()));
        assert!(origin("https://mob.example.com:8443").is_err());
        let open = access.listening_on(([0, 0, 0, 0], 7373).into());
        assert_eq!(check(&open, "10.0.0.5:7373", None), Ok(()));
        assert!(check(&open, "evil.example:7373", None).is_err());
    }
}
