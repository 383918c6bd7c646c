//! The list of cases.

use super::{append, journal, keep, retention, tables};
use crate::store::Store;
use std::sync::Arc;

/// Runs every case, each at a place of its own.
///
/// `make` opens a store at the place of the given name: an empty one at first, and from then on
/// what was left there. A case closes a store before it opens the same place again.
pub async fn all(make: impl AsyncFn(&str) -> Arc<dyn Store>) {
    append::events_are_dense_and_in_order(&*make("dense").await).await;
    append::a_batch_that_does_not_follow_changes_nothing(&*make("follow").await).await;
    append::a_writer_of_an_earlier_epoch_is_refused(&*make("epoch").await).await;
    append::rows_come_with_their_events(&*make("rows-with-events").await).await;
    append::many_writers_of_several_mobs_do_not_disturb_each_other(make("many").await).await;
    append::a_refused_append_does_not_harm_those_beside_it(make("beside").await).await;
    journal::pages_follow_each_other(&*make("pages").await).await;
    journal::filters_pass_what_they_name(&*make("filters").await).await;
    journal::a_rare_event_is_found_behind_many_others(&*make("rare").await).await;
    journal::an_unknown_mob_is_empty(&*make("unknown").await).await;
    journal::trimming_forgets_a_prefix(&*make("trim").await).await;
    journal::a_journal_goes_on_after_all_of_it_was_forgotten(&*make("trim-all").await).await;
    retention::what_sessions_need_stays_for_those_who_ask(&*make("kept").await).await;
    retention::rows_go_with_their_events(&*make("rows-go").await).await;
    retention::log_lines_are_forgotten_and_their_events_stay(&*make("lines").await).await;
    retention::blobs_that_nothing_mentions_are_swept(&*make("sweep").await).await;
    retention::a_trim_is_there_again(&make).await;
    tables::rows_are_listed_newest_first(&*make("list").await).await;
    tables::rows_are_found_by_member_and_state(&*make("find").await).await;
    tables::the_latest_row_of_a_number_wins(&*make("latest").await).await;
    let approvals = make("approvals").await;
    tables::approvals_are_kept_as_they_were_and_found_by_state(&*approvals).await;
    keep::the_newest_snapshot_counts(&*make("snapshots").await).await;
    keep::cursors_are_kept_by_consumer(&*make("cursors").await).await;
    keep::blobs_are_kept_under_their_digest(&*make("blobs").await).await;
    keep::a_clean_store_verifies(&*make("clean").await).await;
    keep::a_missing_blob_is_found(&*make("missing").await).await;
    keep::a_closed_store_refuses(&*make("closed").await).await;
    keep::what_was_kept_is_there_again(make).await;
}
