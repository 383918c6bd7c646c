//! Readers that come and go, and readers that stall.

use crate::kit::{Item, Server};
use futures::future::join_all;
use futures::join;
use mobkit_domain::command::{Command, RuntimeCommand};
use mobkit_domain::event::ErrorEvent;

const EVENTS: u64 = 20_000;

/// Writes events, many at once.
async fn write(server: &Server) {
    let one = |number: u64| {
        let error = ErrorEvent::RediscoverFailure {
            error: number.to_string(),
        };
        server
            .engine
            .submit_internal(Command::Runtime(RuntimeCommand::Raise(error)))
    };
    for start in (0..EVENTS).step_by(250) {
        for written in join_all((start..start + 250).map(one)).await {
            written.expect("written");
        }
    }
}

/// A number from a seed: chance that repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

/// Reads until `count` events were seen, in pieces of random length, each on a new connection.
async fn read(server: &Server, start: u64, salt: u64, accept: &[(&str, &str)]) -> Vec<u64> {
    let mut chance = Chance(salt);
    let (mut seen, mut position) = (Vec::new(), start);
    while seen.len() < usize::try_from(EVENTS).expect("fits") {
        let after = position.to_string();
        let mut headers = accept.to_vec();
        let query = if headers.is_empty() {
            headers.push(("last-event-id", &after));
            "?kinds=error.raised".to_owned()
        } else {
            format!("?kinds=error.raised&follow=true&after={after}")
        };
        let mut stream = server.stream(&query, &headers).await;
        for _ in 0..=chance.below(700) {
            if seen.len() as u64 == EVENTS {
                break;
            }
            match stream.next().await {
                Some(Item::Event(_, event)) => {
                    position = event["seq"].as_u64().expect("a position");
                    seen.push(position);
                }
                Some(Item::Position(at) | Item::Comment(_, Some(at))) => position = at,
                Some(Item::Comment(_, None)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_and_goes_sees_each_event_once_and_in_order() {
    let server = Server::up().await;
    let start = server.engine.head();
    let lines = [("accept", "application/x-ndjson")];
    let (sse, other, lines, ()) = join!(
        read(&server, start, 1, &[]),
        read(&server, start, 2, &[]),
        read(&server, start, 3, &lines),
        write(&server),
    );
    for (name, seen) in [("sse", sse), ("other", other), ("lines", lines)] {
        let wrong = seen
            .iter()
            .zip(start + 1..)
            .find(|(seen, expected)| *seen != expected);
        assert_eq!((seen.len() as u64, wrong), (EVENTS, None), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_slows_nobody_and_misses_nothing() {
    let server = Server::up().await;
    let start = server.engine.head();
    let mut stalled = server.stream("", &[]).await;
    assert_eq!(stalled.next().await, Some(Item::Position(start)));
    // Nothing is read in the meantime: the writer gets through all the same, and the youngest
    // events in memory reach back over less than half of them.
    write(&server).await;
    assert!(EVENTS > 2 * mobkit_engine::TAIL_EVENTS_MAX as u64);
    assert_eq!(server.engine.head(), start + EVENTS);
    for expected in start + 1..=start + EVENTS {
        let event = stalled.event().await.expect("an event");
        assert_eq!(event["seq"], expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_retention_overtakes_is_told() {
    use mobkit_domain::time::Time;
    use mobkit_store::Store;
    let server = Server::up().await;
    let mut stalled = server.stream("?kinds=error.raised", &[]).await;
    stalled.next().await;
    write(&server).await;
    let head = server.engine.head();
    server
        .memory
        .trim(
            server.engine.mob(),
            crate::kit::trim(head - 10, Time(i64::MAX)),
        )
        .await
        .expect("trimmed");
    let items = stalled.rest().await;
    let Some(Item::Named(name, problem)) = items.last() else {
        panic!("{:?}", items.last())
    };
    assert_eq!(
        (name.as_str(), &problem["code"]),
        ("problem", &"cursor_expired".into())
    );
    assert!(
        items.iter().all(|item| !matches!(item, Item::Event(..))),
        "nothing after a gap"
    );
}
