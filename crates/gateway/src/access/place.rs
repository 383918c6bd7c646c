//! Places in the web: hosts and origins, as headers name them.

use axum::http::uri::{Authority, Uri};
use std::net::IpAddr;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name or address in lower case, without brackets and without a dot at the end.
    pub host: String,
    /// The port, where it is named.
    pub port: Option<u16>,
}

impl Place {
    /// Reads a `Host` header, or the authority of a request's target.
    pub fn of_host(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        if text.contains('@') {
            return None;
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => None,
            rest => Some(rest.strip_prefix(':')?.parse().ok()?),
        };
        (!host.is_empty()).then_some(Self { host, port })
    }

    /// Reads an `Origin` header (RFC 6454): scheme, host and port. `null` is none.
    pub fn of_origin(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let by_default = match uri.scheme_str()? {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let nothing_else = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let place = Self::of_host(uri.authority()?.as_str())?;
        let port = Some(place.port.unwrap_or(by_default));
        nothing_else.then_some(Self { port, ..place })
    }

    /// The address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether it is this machine, by a name that no foreign name server can give.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.ip().is_some_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, port: Option<u16>) -> Place {
        let host = host.to_owned();
        Place { host, port }
    }

    #[test]
    fn hosts_are_read_as_browsers_write_them() {
        assert_eq!(
            Place::of_host("LocalHost:7373"),
            Some(place("localhost", Some(7373)))
        );
        assert_eq!(Place::of_host("[::1]:80"), Some(place("::1", Some(80))));
        assert_eq!(
            Place::of_host("example.com."),
            Some(place("example.com", None))
        );
        for bad in ["", "a b", "user@localhost", "localhost:99999"] {
            assert_eq!(Place::of_host(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn origins_have_a_scheme_and_a_port() {
        assert_eq!(
            Place::of_origin("http://localhost"),
            Some(place("localhost", Some(80)))
        );
        assert_eq!(
            Place::of_origin("https://a.example:8443"),
            Some(place("a.example", Some(8443)))
        );
        for bad in ["null", "localhost", "file:///x", "http://a/b", "ftp://a"] {
            assert_eq!(Place::of_origin(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_address() {
        for host in [
            "localhost",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:7373",
            "x.localhost",
        ] {
            assert!(
                Place::of_host(host).is_some_and(|place| place.is_loopback()),
                "{host}"
            );
        }
        for host in ["localhost.example.com", "10.0.0.1", "127.0.0.1.example.com"] {
            assert!(
                !Place::of_host(host).is_some_and(|place| place.is_loopback()),
                "{host}"
            );
        }
    }
}
