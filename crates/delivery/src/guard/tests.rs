use super::*;

/// A name server of the test: one answer for each name.
struct Names(Vec<(&'static str, Vec<&'static str>)>);

impl Lookup for Names {
    fn lookup(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let found = self.0.iter().find(|(name, _)| *name == host);
        let found = found.map(|(_, addresses)| {
            let parsed = addresses.iter().map(|a| a.parse().expect("an address"));
            parsed.collect()
        });
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

#[test]
fn what_is_not_public_is_known_in_every_disguise() {
    for inner in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.0.8",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "::ffff:0:7f00:1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "fc00::1",
        "fd12::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(inner.parse().expect("an address")), "{inner}");
    }
    for public in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "192.0.1.1",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "64:ff9b::101:101",
        "::ffff:1.1.1.1",
    ] {
        assert!(is_public(public.parse().expect("an address")), "{public}");
    }
}

#[tokio::test]
async fn a_name_with_one_inner_address_is_refused() {
    let names = Arc::new(Names(vec![
        ("out.example", vec!["1.1.1.1", "2606:4700::1111"]),
        ("mixed.example", vec!["1.1.1.1", "10.0.0.1"]),
    ]));
    let guard = Guard::new(names.clone(), false);
    assert_eq!(
        guard.addresses("out.example").await.expect("public").len(),
        2
    );
    assert!(matches!(
        guard.addresses("mixed.example").await,
        Err(GuardError::Inner { .. })
    ));
    assert!(matches!(
        guard.addresses("[::1]").await,
        Err(GuardError::Inner { .. })
    ));
    assert!(matches!(
        guard.addresses("gone.example").await,
        Err(GuardError::Unknown { .. })
    ));
    let open = Guard::new(names, true);
    assert!(open.addresses("mixed.example").await.is_ok());
}
