//! A state directory as one file, and back.

use crate::place::{self, fill, mob, open, outside, read};
use mobkit_domain::event::{MessageAccepted, MessageMode, NewEvent};
use mobkit_domain::id::{MemberId, MessageId};
use mobkit_domain::principal::Principal;
use mobkit_domain::row::{MessageRow, MessageState, Row};
use mobkit_domain::text::Text;
use mobkit_domain::time::Time;
use mobkit_store::archive::{ArchiveError, Manifest, export, import};
use mobkit_store::{Batch, Store, verify_state_dir};
use std::fs;
use std::path::Path;

const NOTES: (&str, &str) = ("0.1.0", "2026-11-22T06:00:00Z");

fn save(state: &Path, file: &Path) -> Result<Manifest, ArchiveError> {
    export(state, file, NOTES, &mut |_| {})
}

fn bring_back(file: &Path, state: &Path) -> Result<Manifest, ArchiveError> {
    import(file, state, &mut |_| {})
}

/// Fills a state directory with a few events, a message with its row, and two blobs.
async fn filled(state: &Path) {
    let store = open(state);
    fill(&store, 9).await;
    let editor = MemberId::parse("editor").expect("a valid id");
    let blob = store.blob_put("a long text".into()).await.expect("put");
    store.blob_put("another".into()).await.expect("put");
    let accepted = MessageAccepted {
        message: MessageId(10),
        from: Principal::Runtime,
        origin: None,
        schedule: None,
        to: editor.clone(),
        text: Text::Blob(blob),
        parts: Vec::new(),
        mode: MessageMode::Queue,
        correlation: None,
        expires: None,
        call: None,
    };
    let row = MessageRow {
        message: MessageId(10),
        from: Principal::Runtime,
        to: editor,
        state: MessageState::Queued,
        accepted: Time(1_000),
        turn: None,
        correlation: None,
        reason: None,
    };
    let batch = Batch {
        events: vec![NewEvent::of(accepted).at(10, Time(1_000), &mob())],
        rows: vec![Row::Message(row)],
    };
    store.append(&mob(), 1, 10, batch).await.expect("appended");
    store.close().await.expect("closed");
}

/// Everything that lies in a directory, with its content.
fn content(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).expect("below it");
                let name = name.to_string_lossy().into_owned();
                found.push((name, fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_is_exported_comes_back_whole_while_the_store_is_open() {
    let place = place::directory();
    let (state, file, other) = (
        place.path().join("state"),
        place.path().join("mob.tar"),
        place.path().join("other"),
    );
    filled(&state).await;
    fs::write(state.join("operator.token"), "secret").expect("a file");
    let store = open(&state);
    let saved = save(&state, &file).expect("exported");
    assert_eq!((saved.mobs[0].head, saved.blobs()), (10, 2));
    assert!(
        !fs::read(&file)
            .expect("a file")
            .windows(6)
            .any(|w| w == b"secret")
    );
    // What comes later is not in it.
    let later = Batch {
        events: vec![place::event(11, "desk")],
        rows: Vec::new(),
    };
    let epoch = store.open(&mob()).await.expect("opened").epoch;
    store
        .append(&mob(), epoch, 11, later)
        .await
        .expect("the store works on");
    assert_eq!(bring_back(&file, &other).expect("imported"), saved);
    let found = verify_state_dir(&other).expect("read").expect("a database");
    assert_eq!(
        (found[0].1.events, found[0].1.rows, found[0].1.blobs),
        (10, 1, 2)
    );
    assert_eq!(found[0].1.problems, Vec::<String>::new());
    let copy = open(&other);
    assert_eq!(
        read(&copy, 0).await.expect("read"),
        (1..=10).collect::<Vec<_>>()
    );
    let left: Vec<_> = content(place.path())
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("state/") && !name.starts_with("other/"))
        .collect();
    assert_eq!(left, ["mob.tar"], "nothing else is left behind");
}

#[tokio::test]
async fn a_file_that_was_changed_anywhere_is_refused_or_means_the_same() {
    let place = place::directory();
    let (state, file) = (place.path().join("state"), place.path().join("mob.tar"));
    filled(&state).await;
    let saved = save(&state, &file).expect("exported");
    let whole = fs::read(&file).expect("a file");
    let changed = place.path().join("changed.tar");
    let other = place.path().join("other");
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        fs::write(&changed, &bytes).expect("a file");
        match bring_back(&changed, &other) {
            Ok(manifest) => {
                assert_eq!(manifest, saved, "byte {at}");
                fs::remove_dir_all(&other).expect("imported");
            }
            Err(error) => {
                assert!(
                    matches!(error, ArchiveError::Damaged { .. }),
                    "{at}: {error}"
                );
                assert!(!other.exists(), "{at}: a refused import leaves nothing");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "most bytes matter: {refused}");
    for length in [0, 1, 511, 512, 2_000, whole.len() / 2, whole.len() - 20_000] {
        fs::write(&changed, &whole[..length]).expect("a file");
        let error = bring_back(&changed, &other).expect_err("cut off");
        assert!(
            matches!(error, ArchiveError::Damaged { .. }),
            "{length}: {error}"
        );
        assert!(!other.exists());
    }
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let place = place::directory();
    let (state, file) = (place.path().join("state"), place.path().join("mob.tar"));
    let missing = save(&state, &file).expect_err("nothing there");
    assert!(
        matches!(missing, ArchiveError::StateMissing { .. }),
        "{missing}"
    );
    filled(&state).await;
    save(&state, &file).expect("exported");
    let before = content(place.path());
    let again = save(&state, &file).expect_err("it exists");
    assert!(matches!(again, ArchiveError::Exists { .. }), "{again}");
    let onto = bring_back(&file, &state).expect_err("not empty");
    assert!(matches!(onto, ArchiveError::NotEmpty { .. }), "{onto}");
    assert_eq!(content(place.path()), before);
    let empty = place.path().join("empty");
    fs::create_dir(&empty).expect("a directory");
    bring_back(&file, &empty).expect("an empty directory is as good as none");
}

#[tokio::test]
async fn what_was_left_by_a_crash_is_cleared_by_the_next_attempt() {
    let place = place::directory();
    let (state, file) = (place.path().join("state"), place.path().join("mob.tar"));
    filled(&state).await;
    fs::write(place.path().join("mob.tar.part"), vec![7; 100_000]).expect("a file");
    fs::write(place.path().join("mob.tar.part.db"), "half").expect("a file");
    save(&state, &file).expect("exported");
    let left = place.path().join("other.importing");
    fs::create_dir_all(left.join("blobs/ab")).expect("a directory");
    fs::write(left.join("blobs/ab/stray"), "half").expect("a file");
    fs::write(left.join("mobkit.db-wal"), "half").expect("a file");
    let other = place.path().join("other");
    bring_back(&file, &other).expect("imported");
    let found = verify_state_dir(&other).expect("read").expect("a database");
    assert_eq!(found[0].1.problems, Vec::<String>::new());
    assert!(!left.exists());
}

#[tokio::test]
async fn damage_is_not_exported() {
    let place = place::directory();
    let (state, file) = (place.path().join("state"), place.path().join("mob.tar"));
    filled(&state).await;
    let sql = "UPDATE events SET crc = crc + 1 WHERE subject = 'member/desk' OR kind LIKE 'mes%'";
    assert_eq!(outside(&state).execute(sql, []), Ok(1));
    let refused = save(&state, &file).expect_err("damaged");
    assert!(refused.to_string().contains("event 10: "), "{refused}");
    assert!(!file.exists());
}

#[tokio::test]
async fn a_read_table_that_tells_another_story_than_the_journal_is_found() {
    for (sql, problem) in [
        (
            "DELETE FROM messages",
            "message 10: the journal tells of it, and it is not in its table",
        ),
        (
            "INSERT INTO turns SELECT place, owner, 'running', crc, body FROM messages",
            "turn 10",
        ),
        (
            "DELETE FROM events WHERE kind = 'message.accepted'",
            "event 10: it is missing",
        ),
    ] {
        let place = place::directory();
        filled(place.path()).await;
        assert_eq!(outside(place.path()).execute(sql, []), Ok(1), "{sql}");
        let found = verify_state_dir(place.path())
            .expect("read")
            .expect("a database");
        let problems = &found[0].1.problems;
        assert!(
            problems.iter().any(|p| p.contains(problem)),
            "{sql}: {problems:?}"
        );
    }
    let nothing = place::directory();
    assert!(verify_state_dir(nothing.path()).expect("read").is_none());
}
