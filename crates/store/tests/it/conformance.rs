//! The suite over every backend.

use crate::place;
use mobkit_store::{Durability, MemoryStore, SqliteStore, Store, conformance};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn memory_conforms() {
    let stores: Mutex<BTreeMap<String, MemoryStore>> = Mutex::default();
    conformance::all(async |place: &str| {
        let mut stores = stores.lock().expect("no test panicked");
        let store: Arc<dyn Store> = Arc::new(stores.entry(place.to_owned()).or_default().reopen());
        store
    })
    .await;
}

#[tokio::test]
async fn sqlite_conforms() {
    for durability in [Durability::Power, Durability::Process] {
        let places = place::directory();
        conformance::all(async |place: &str| {
            let store = SqliteStore::open(&places.path().join(place), durability);
            let store: Arc<dyn Store> = Arc::new(store.expect("the store opens"));
            store
        })
        .await;
    }
}
