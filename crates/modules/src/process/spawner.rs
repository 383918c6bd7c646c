//! The thread that starts every child.
//!
//! The signal that a child gets when its parent dies is bound to the thread that forked it. A
//! thread of the runtime may end while the process goes on, so one thread that lives as long as the
//! process forks them all.

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use std::io;
use std::sync::OnceLock;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// How many starts may wait for the thread.
const WAITING_MAX: usize = 64;

type Started = io::Result<Box<dyn ChildWrapper>>;

struct Order {
    command: CommandWrap,
    /// The runtime that is told when the child ends.
    runtime: Handle,
    started: oneshot::Sender<Started>,
}

static THREAD: OnceLock<mpsc::Sender<Order>> = OnceLock::new();

/// Starts a child. It is killed if the caller stops waiting.
pub(super) async fn spawn(command: CommandWrap) -> Started {
    let (started, outcome) = oneshot::channel();
    let order = Order {
        command,
        runtime: Handle::current(),
        started,
    };
    thread()?.send(order).await.map_err(|_| gone())?;
    outcome.await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}

fn thread() -> io::Result<mpsc::Sender<Order>> {
    if let Some(sender) = THREAD.get() {
        return Ok(sender.clone());
    }
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    std::thread::Builder::new()
        .name("mobkit-spawner".to_owned())
        .spawn(move || work(receiver))?;
    // Where two came here at once, the thread of the other one ends with its sender.
    Ok(THREAD.get_or_init(|| sender).clone())
}

fn work(mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.blocking_recv() {
        let Order {
            mut command,
            runtime,
            started,
        } = order;
        let _runtime = runtime.enter();
        let outcome = command.spawn();
        if let Err(Ok(mut child)) = started.send(outcome) {
            // Nobody waits for it; what it may have started itself in this instant has its mark.
            let _ = child.start_kill();
        }
    }
}
