//! The address that `up` serves on.

use crate::failure::{Exit, Failure};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Reads an address and port.
pub(crate) fn parse(text: &str) -> Result<SocketAddr, String> {
    let local = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    let address = local.as_deref().unwrap_or(text);
    address
        .parse()
        .map_err(|_| "write an address and a port, e.g. 127.0.0.1:7373".to_owned())
}

/// Refuses what other machines could reach: nobody there could prove who they are.
pub(crate) fn checked(listen: SocketAddr) -> Result<SocketAddr, Failure> {
    if listen.ip().is_loopback() {
        return Ok(listen);
    }
    let message = format!("{listen} is open to other machines, and no auth is configured");
    Err(Failure::new(Exit::Denied, "listen.exposed", message).hint("listen on 127.0.0.1"))
}

/// Takes the port.
pub(crate) fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| {
        let (code, why) = match error.kind() {
            ErrorKind::AddrInUse => ("listen.busy", "something else listens there".to_owned()),
            kind => ("listen.failed", kind.to_string()),
        };
        let message = format!("cannot listen on {listen}: {why}");
        Failure::new(Exit::Failed, code, message)
            .hint("choose another port with --listen, e.g. --listen 127.0.0.1:0 for a free one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port() {
        assert!(parse("127.0.0.1:0").is_ok());
        assert!(parse("[::1]:80").is_ok());
        assert_eq!(parse("localhost:80"), parse("127.0.0.1:80"));
        for text in ["", "80", "127.0.0.1", "host:80"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_machines_are_kept_out() {
        for (text, exposed) in [
            ("127.0.0.1:1", false),
            ("[::1]:1", false),
            ("0.0.0.0:1", true),
        ] {
            assert_eq!(
                checked(parse(text).expect("an address")).is_err(),
                exposed,
                "{text}"
            );
        }
    }

    #[test]
    fn a_port_that_is_taken_names_the_flag() {
        let first = bind(parse("127.0.0.1:0").expect("an address")).expect("a free port");
        let failure = bind(first.local_addr().expect("bound")).expect_err("taken");
        assert_eq!(failure.code(), "listen.busy");
        assert!(failure.next_step().contains("--listen"));
    }
}
