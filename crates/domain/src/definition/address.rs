//! URLs and socket addresses: their shape, without looking anything up.

use super::report::{Finding, Report};
use super::source::Node;
use crate::public_address::is_public;
use std::net::SocketAddr;
use url::Host;

impl Node<'_> {
    /// A URL with one of `schemes` and a host, and without credentials in it.
    pub fn url(&self, cx: &mut Report<'_>, schemes: &[&str]) -> Option<String> {
        let text = self.text(cx)?;
        let Err(problem) = url_host(&text, schemes) else {
            return Some(text);
        };
        let message = format!("{} is not a usable URL: {problem}", self.name());
        let finding = Finding::new("url_invalid", &self.span, message).label("not a usable URL");
        let hint = format!("write e.g. \"{}://example.com/path\"", schemes[0]);
        cx.error(finding.hint(hint));
        None
    }

    /// An address to listen on.
    pub fn listen(&self, cx: &mut Report<'_>) -> Option<SocketAddr> {
        let text = self.text(cx)?;
        let local = text
            .strip_prefix("localhost:")
            .map(|port| format!("127.0.0.1:{port}"));
        let address = local.as_deref().unwrap_or(&text).parse().ok();
        if address.is_none() {
            let message = format!("{} is not an address to listen on: {text:?}", self.name());
            let finding = Finding::new("listen_invalid", &self.span, message);
            let hint = "write an IP address and a port, e.g. \"127.0.0.1:7373\" or \"[::1]:7373\"";
            cx.error(finding.label("wants address:port").hint_str(hint));
        }
        address
    }
}

/// The host of a URL; an address is found in every spelling that the URL standard knows. An error
/// says in words what is wrong. It never repeats the URL, which may hold a password.
pub(super) fn url_host(url: &str, schemes: &[&str]) -> Result<Host, String> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| "it has no scheme".to_owned())?;
    if !schemes.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(format!("its scheme must be {}", schemes.join(" or ")));
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it holds whitespace".to_owned());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a name or password does not belong in it".to_owned());
    }
    let end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').map_or(authority.len(), |end| end + 2),
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if !host.starts_with('[') && !host.bytes().all(letters) {
        return Err("its host holds characters that no host has".to_owned());
    }
    let port_ok = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    if !port_ok {
        return Err("its port is not a number from 1 to 65535".to_owned());
    }
    Host::parse(host).map_err(|error| format!("its host is not one: {error}"))
}

/// Whether a host is, by its looks, this machine or inside of some network. What a name leads to
/// is looked up for each delivery.
pub(super) fn is_inner_host(host: &Host) -> bool {
    match host {
        Host::Ipv4(address) => !is_public((*address).into()),
        Host::Ipv6(address) => !is_public((*address).into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found_or_the_problem_named() {
        let host = |url| url_host(url, &["http", "https"]).map(|host| host.to_string());
        assert_eq!(
            host("https://Example.com:8080/a?b#c"),
            Ok("example.com".to_owned())
        );
        assert_eq!(host("HTTP://[::1]:80"), Ok("[::1]".to_owned()));
        assert_eq!(host("http://0x7f.1:80/"), Ok("127.0.0.1".to_owned()));
        for bad in [
            "",
            "example.com",
            "ftp://a",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:99999",
            "http://a b",
            "http://u:p@a",
            "http://[::1",
            "http://[x]",
            "http://ä",
            "http://[::1]x",
            "http://1.2.3.256",
        ] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn inner_hosts_are_known_by_their_looks_in_every_spelling() {
        let is_inner = |host: &str| {
            let url = format!("http://{host}:7900/");
            is_inner_host(&url_host(&url, &["http"]).expect("a host"))
        };
        for inner in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "10.1.2.3",
            "169.254.1.1",
            "100.64.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fd00::1]",
            "localhost",
            "LocalHost.",
            "a.localhost",
        ] {
            assert!(is_inner(inner), "{inner}");
        }
        for outer in ["example.com", "8.8.8.8", "134744072", "[2606:4700::1]"] {
            assert!(!is_inner(outer), "{outer}");
        }
    }
}
