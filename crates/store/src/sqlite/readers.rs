//! The threads that read, each with a connection of its own.

use super::database::open_reader;
use crate::store::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// Readers of one store; a long check leaves the others free.
const READERS: usize = 3;
/// Questions that may wait for a reader; more wait with their callers.
const QUEUE_MAX: usize = 256;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// What is sent to the readers.
enum Order {
    /// Do this.
    Do(Job),
    /// One reader ends.
    End,
}

/// The way to the readers.
#[derive(Clone)]
pub(super) struct Readers {
    orders: mpsc::Sender<Order>,
}

impl Readers {
    /// Starts the readers of a database.
    pub(super) fn start(file: &Path) -> Result<(Self, Vec<JoinHandle<()>>), StoreError> {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(READERS);
        for number in 1..=READERS {
            let connection = open_reader(file)?;
            let orders = Arc::clone(&receiver);
            let thread = thread::Builder::new()
                .name(format!("store-reader-{number}"))
                .spawn(move || work(&connection, &orders));
            threads.push(thread.map_err(|error| StoreError::Backend {
                action: "starting a reader",
                detail: error.to_string(),
            })?);
        }
        Ok((Self { orders: sender }, threads))
    }

    /// Lets a reader answer a question.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits for the answer any more.
            if reply.is_closed() {
                return;
            }
            let _unheard = reply.send(question(connection));
        });
        self.orders
            .send(Order::Do(job))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Lets all readers end when they have answered what was asked before.
    pub(super) async fn end(&self) {
        for _ in 0..READERS {
            // The send fails where they have ended already.
            let _ended = self.orders.send(Order::End).await;
        }
    }
}

fn work(connection: &Connection, orders: &Mutex<mpsc::Receiver<Order>>) {
    let next = || {
        orders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv()
    };
    while let Some(Order::Do(job)) = next() {
        job(connection);
    }
}
