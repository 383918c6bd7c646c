//! Answers that the process keeps under idempotency keys, for operations of several steps.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use mobkit_domain::event::KeyUse;
use mobkit_domain::principal::Principal;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many answers are kept; the oldest go first.
const ANSWERS_MAX: usize = 1_000;

type Work = BoxFuture<'static, Result<Value, Refusal>>;
type Name = (Principal, String);

struct Entry {
    digest: String,
    answer: Shared<Work>,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<Name, Entry>,
    order: VecDeque<Name>,
}

/// The answers of late, those that are still being worked out included.
#[derive(Default)]
pub(crate) struct Remembered {
    entries: Mutex<Entries>,
}

impl Remembered {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer under the key; without one, that of `work`. A repetition that comes while the
    /// first is at work waits for it. A refusal is not kept: nothing came of it.
    pub async fn once(
        &self,
        principal: &Principal,
        used: KeyUse,
        work: Work,
    ) -> Result<Value, Refusal> {
        let name = (principal.clone(), used.key);
        let answer = self.claim(&name, &used.digest, work)?;
        let result = answer.clone().await;
        if result.is_err() {
            self.forget(&name, &answer);
        }
        result
    }

    /// Forgets an answer, unless another attempt stands under its name by now.
    fn forget(&self, name: &Name, answer: &Shared<Work>) {
        let mut entries = self.lock();
        if entries
            .by_name
            .get(name)
            .is_some_and(|entry| entry.answer.ptr_eq(answer))
        {
            entries.by_name.remove(name);
            entries.order.retain(|kept| kept != name);
        }
    }

    fn claim(&self, name: &Name, digest: &str, work: Work) -> Result<Shared<Work>, Refusal> {
        let mut entries = self.lock();
        if let Some(entry) = entries.by_name.get(name) {
            if entry.digest == digest {
                return Ok(entry.answer.clone());
            }
            let message = format!(
                "the idempotency key {:?} was used for another request",
                name.1
            );
            return Err(Refusal::new(RefusalKind::Conflict, "key.reused", message)
                .hint("use a new key for a new request"));
        }
        let answer = work.shared();
        let entry = Entry {
            digest: digest.to_owned(),
            answer: answer.clone(),
        };
        entries.by_name.insert(name.clone(), entry);
        entries.order.push_back(name.clone());
        if entries.order.len() > ANSWERS_MAX
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_name.remove(&oldest);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn used(key: &str, digest: &str) -> KeyUse {
        KeyUse {
            key: key.to_owned(),
            digest: digest.to_owned(),
        }
    }

    fn answer(value: u64) -> Work {
        async move { Ok(json!(value)) }.boxed()
    }

    #[tokio::test]
    async fn the_first_answer_stays_and_a_refusal_does_not() {
        let remembered = Remembered::default();
        let ada = Principal::Operator("ada".to_owned());
        let busy = async { Err(Refusal::new(RefusalKind::Busy, "x.busy", "wait")) }.boxed();
        assert!(remembered.once(&ada, used("k", "d"), busy).await.is_err());
        for value in [1, 2] {
            assert_eq!(
                remembered.once(&ada, used("k", "d"), answer(value)).await,
                Ok(json!(1))
            );
        }
        let reused = remembered.once(&ada, used("k", "e"), answer(3)).await;
        assert_eq!(
            reused.map_err(|refusal| refusal.code),
            Err("key.reused".to_owned())
        );
        let bob = Principal::Operator("bob".to_owned());
        assert_eq!(
            remembered.once(&bob, used("k", "e"), answer(3)).await,
            Ok(json!(3))
        );
    }
}
