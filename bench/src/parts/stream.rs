//! From a durable event to the readers of a stream, over real connections on loopback.

use crate::mob::{member, on_threads, pause, send, start};
use crate::part::Setting;
use crate::report::Row;
use crate::samples::{Samples, lateness, number};
use crate::sse::Reader;
use crate::watched::Watched;
use anyhow::Context;
use axum::serve::ListenerExt as _;
use mobkit_domain::id::Seq;
use mobkit_gateway::{Access, router};
use mobkit_store::{Durability, SqliteStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const TOKEN: &str = "token-of-the-benchmark";
/// Readers, events, and how long after one event the next is sent.
const CASES: [(usize, usize, Duration); 3] = [
    (1, 1_000, Duration::from_millis(5)),
    (100, 1_000, Duration::from_millis(20)),
    (1_000, 200, Duration::from_millis(150)),
];
/// The number of readers for which the target holds.
const TARGET_READERS: usize = 100;
const TARGET: Duration = Duration::from_millis(5);

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let late = lateness(setting.work(2_000));
    let mut rows = vec![Row::figure(
        "an idle thread that wakes after 1 ms: how late",
        late.show(),
    )];
    for case in CASES {
        rows.push(on_threads(readers(setting.clone(), case))?);
    }
    Ok(rows)
}

async fn readers(
    setting: Setting,
    (readers, events, pace): (usize, usize, Duration),
) -> anyhow::Result<Row> {
    let dir = setting.dir.join(readers.to_string());
    let store = Watched::of(Arc::new(SqliteStore::open(&dir, Durability::Power)?));
    let engine = start(store.clone(), 1).await?;
    pause(&engine).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let access = Access::operator_token(TOKEN).listening_on(address);
    // As the library serves: no event waits for the next one to fill a packet.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a connection"));
    let service =
        router(engine.clone(), access).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).into_future();
    let server = tokio::spawn(server);

    let after = engine.head();
    let events = setting.work(events);
    let (connected, all_connected) = oneshot::channel();
    let last = after + events as Seq;
    let reading = read_beside(address, readers, (after, last), connected)?;
    all_connected
        .await
        .context("the readers could not connect")?;
    let worker = member(0)?;
    let mut clock = tokio::time::interval(pace);
    for _ in 0..events {
        clock.tick().await;
        send(&engine, worker.clone()).await?;
    }
    let seen = tokio::task::spawn_blocking(move || reading.join()).await?;
    let seen = seen.map_err(|_| anyhow::anyhow!("the readers panicked"))??;
    let durable = store.durable();
    let mut samples = Samples::default();
    for (seq, at) in seen {
        let durable = durable
            .get(&seq)
            .context("an event that was never durable")?;
        samples.push(at.saturating_duration_since(*durable));
    }
    engine.shutdown().await;
    server.abort();
    let noun = if readers == 1 { "reader" } else { "readers" };
    let count = number(readers as f64);
    let what = format!("durable event to SSE reader, {count} {noun}, power");
    Ok(if readers == TARGET_READERS {
        Row::target(what, samples.show(), "p99 ≤ 5 ms", samples.p99() <= TARGET)
    } else {
        Row::figure(what, samples.show())
    })
}

type Seen = Vec<(Seq, Instant)>;

/// Reads on a thread of its own, as another process would, and shares nothing with the server but
/// the cores.
fn read_beside(
    address: SocketAddr,
    readers: usize,
    (after, last): (Seq, Seq),
    connected: oneshot::Sender<()>,
) -> anyhow::Result<JoinHandle<anyhow::Result<Seen>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let read = async move {
        let mut tasks = Vec::with_capacity(readers);
        for _ in 0..readers {
            let reader = Reader::connect(address, TOKEN, after).await?;
            tasks.push(tokio::spawn(reader.read_until(last)));
        }
        // Without somebody who waits the run is over already.
        let _ = connected.send(());
        let mut seen = Vec::new();
        for task in tasks {
            seen.extend(task.await??);
        }
        Ok(seen)
    };
    Ok(std::thread::spawn(move || runtime.block_on(read)))
}
