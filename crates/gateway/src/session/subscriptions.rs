//! The streams of events of one session.

use crate::stream::Feed;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// Most streams of a session.
pub(super) const SUBSCRIPTIONS_MAX: usize = 32;

/// A stream that was asked for its next chunk.
struct Pulled {
    number: u64,
    feed: Option<(Feed, Bytes)>,
}

/// Streams by number. They are pulled, so one that nobody asks costs no more than one chunk.
#[derive(Default)]
pub(super) struct Subscriptions {
    last: u64,
    live: BTreeMap<u64, CancellationToken>,
    feeds: FuturesUnordered<BoxFuture<'static, Pulled>>,
}

impl Subscriptions {
    /// A number for a further stream; `None`: there are as many as may be.
    pub fn reserve(&mut self) -> Option<u64> {
        if self.live.len() >= SUBSCRIPTIONS_MAX {
            return None;
        }
        self.last += 1;
        self.live.insert(self.last, CancellationToken::new());
        Some(self.last)
    }

    /// Lets a stream begin under its number, unless it was ended before.
    pub fn begin(&mut self, number: u64, feed: Feed) {
        if let Some(ended) = self.live.get(&number) {
            self.feeds.push(Box::pin(pull(number, feed, ended.clone())));
        }
    }

    /// Ends a stream; whether it was there.
    pub fn end(&mut self, number: u64) -> bool {
        let ended = self.live.remove(&number);
        ended.inspect(CancellationToken::cancel).is_some()
    }

    /// Whether none flows.
    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    /// What the next of them has to say; `None` where none flows any longer. Loses nothing if it is
    /// dropped.
    pub async fn next(&mut self) -> Option<Bytes> {
        while let Some(Pulled { number, feed }) = self.feeds.next().await {
            match feed {
                Some((feed, chunk)) if self.live.contains_key(&number) => {
                    self.begin(number, feed);
                    return Some(chunk);
                }
                Some(_) => {}
                None => drop(self.live.remove(&number)),
            }
        }
        None
    }
}

async fn pull(number: u64, mut feed: Feed, ended: CancellationToken) -> Pulled {
    let chunk = tokio::select! {
        biased;
        () = ended.cancelled() => None,
        chunk = feed.next() => chunk,
    };
    let feed = chunk.map(|chunk| (feed, chunk));
    Pulled { number, feed }
}
