//! The thread that starts every child.
//!
//! The signal that a child gets when its parent dies is bound to the thread that forked it. A
//! thread of the runtime may end while the process goes on, so one thread that lives as long as
//! the process forks them all.

use process_wrap::tokio::{ChildWrapper, CommandWrap};
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// How many starts may wait for the thread.
const WAITING_MAX: usize = 64;

type Start = Box<dyn FnOnce() + Send>;

static THREAD: OnceLock<mpsc::Sender<Start>> = OnceLock::new();

/// Starts a child and hands it to `own`, whose value ends it when it is dropped: so it ends where
/// nobody waits for it any longer.
pub(super) async fn spawn<T: Send + 'static>(
    mut command: CommandWrap,
    own: impl FnOnce(Box<dyn ChildWrapper>) -> T + Send + 'static,
) -> io::Result<T> {
    let (started, outcome) = oneshot::channel();
    // It is told when the child ends.
    let runtime = Handle::current();
    let start = move || {
        let _runtime = runtime.enter();
        let _ = started.send(command.spawn().map(own));
    };
    thread()?.send(Box::new(start)).await.map_err(|_| gone())?;
    outcome.await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes could not do it")
}

fn thread() -> io::Result<mpsc::Sender<Start>> {
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

fn work(mut starts: mpsc::Receiver<Start>) {
    while let Some(start) = starts.blocking_recv() {
        // With the thread every child would die. Whoever waits learns of it.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(start));
    }
}
