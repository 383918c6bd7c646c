//! Which addresses anybody on the internet may have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
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
