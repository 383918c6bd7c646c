//! URLs and socket addresses: their shape, without looking anything up.

use super::report::{Finding, Report};
use super::source::Node;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

/// The host of a URL, in lower case and without brackets; an error says in words what is wrong.
/// The error never repeats the URL, which may hold a password.
pub(super) fn url_host(url: &str, schemes: &[&str]) -> Result<String, String> {
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
    let (host, port) = match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => (host, port),
        Some(_) => return Err("its IPv6 address is not one".to_owned()),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    if !host.bytes().all(letters) {
        return Err("its host holds characters that no host has".to_owned());
    }
    let port_ok = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    if !port_ok {
        return Err("its port is not a number from 1 to 65535".to_owned());
    }
    Ok(host.to_ascii_lowercase())
}

/// Whether a host is, by its looks, this machine or its private network.
pub(super) fn is_inner_host(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => is_inner_v4(ip),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.to_ipv4_mapped().is_some_and(is_inner_v4)
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn is_inner_v4(ip: Ipv4Addr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || ip.is_private() || ip.is_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_url_is_found_or_the_problem_named() {
        let host = |url| url_host(url, &["http", "https"]);
        assert_eq!(
            host("https://Example.com:8080/a?b#c"),
            Ok("example.com".to_owned())
        );
        assert_eq!(host("HTTP://[::1]:80"), Ok("::1".to_owned()));
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
        ] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn inner_hosts_are_known_by_their_looks() {
        for inner in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.1.1",
            "::1",
            "fd00::1",
            "localhost",
        ] {
            assert!(is_inner_host(inner), "{inner}");
        }
        for outer in ["example.com", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_inner_host(outer), "{outer}");
        }
    }
}
