use crate::place::{self, mob, open};
use mobkit_domain::event::{MemberPaused, NewEvent};
use mobkit_domain::id::MemberId;
use mobkit_domain::time::Time;
use mobkit_store::{Batch, EventQuery, Store};
use std::time::Instant;
#[tokio::test]
async fn speed() {
    let place = tempfile::tempdir_in("/work").unwrap();
    let store = open(place.path());
    store.open(&mob()).await.unwrap();
    let mut next = 1u64;
    let mk = |first: u64, n: u64| Batch {
        rows: vec![],
        events: (first..first + n)
            .map(|s| {
                NewEvent::of(MemberPaused {
                    member: MemberId::parse(&format!("member-{}", s % 50)).unwrap(),
                    reason: Some("a short reason".into()),
                })
                .at(s, Time(1_700_000_000_000 + s as i64), &mob())
            })
            .collect(),
    };
    let t = Instant::now();
    let mut make = 0.0;
    for _ in 0..900 {
        let m = Instant::now();
        let b = mk(next, 256);
        make += m.elapsed().as_secs_f64();
        store.append(&mob(), 1, next, b).await.unwrap();
        next += 256;
    }
    let s = t.elapsed().as_secs_f64() - make;
    println!("serial batches of 256: {:.0} ev/s", 900.0 * 256.0 / s);
    let mut ts = vec![];
    for _ in 0..1000 {
        let b = mk(next, 1);
        let t = Instant::now();
        store.append(&mob(), 1, next, b).await.unwrap();
        ts.push(t.elapsed().as_micros());
        next += 1;
    }
    ts.sort();
    println!("single p50 {} us p99 {} us", ts[500], ts[990]);
    // fdatasync
    let f = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .open(place.path().join("x"))
        .unwrap();
    use std::os::unix::fs::FileExt;
    f.write_all_at(&vec![1u8; 4096 * 1200], 0).unwrap();
    f.sync_all().unwrap();
    let mut ts = vec![];
    for i in 0..1000u64 {
        let t = Instant::now();
        f.write_all_at(&[7u8; 4096], i * 4096).unwrap();
        f.sync_data().unwrap();
        ts.push(t.elapsed().as_micros());
    }
    ts.sort();
    println!("write+fdatasync p50 {} us p99 {} us", ts[500], ts[990]);
    let t = Instant::now();
    let mut after = 0;
    let mut n = 0;
    loop {
        let p = store
            .events(
                &mob(),
                EventQuery {
                    after,
                    limit: 1000,
                    ..Default::default()
                },
            )
            .await
            .unwrap();
        n += p.events.len();
        after = p.next_after;
        if p.at_end {
            break;
        }
    }
    println!("read {} ev/s", n as f64 / t.elapsed().as_secs_f64());
    let t = Instant::now();
    let v = store.verify(&mob()).await.unwrap();
    println!("verify {:?} in {:?}", v, t.elapsed());
    let store = store;
    let t = Instant::now();
    store.close().await.unwrap();
    println!("close {:?}", t.elapsed());
}
