//! Keys of models: known to the runtime, written nowhere.

use super::lane::{Lane, told};
use std::path::Path;

const KEY: &str = "sk-test-4f1d9a7be3c82065";

#[tokio::test]
async fn the_key_of_a_model_reaches_its_server_and_no_disk() {
    let lane = Lane::with_key(KEY);
    let mob = lane.open().await;
    assert_eq!(told(&mob, "ada", "hello").await, "1: hello");
    let report = mob.shutdown().await;
    assert!(report.is_orderly(), "{report:?}");
    let mut files = 0;
    look(&lane.state(), &mut files);
    assert!(files > 5, "{files} files");
}

fn look(folder: &Path, files: &mut usize) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            look(&path, files);
        } else if path.is_file() {
            *files += 1;
            let bytes = std::fs::read(&path).expect("a file");
            let found = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
            assert!(!found, "{} holds the key", path.display());
        }
    }
}
