//! What has been said of an outage of the server.

use std::sync::atomic::{AtomicU8, Ordering};

const FINE: u8 = 0;
const ENDED: u8 = 1;
const AWAY: u8 = 2;

/// Many requests notice the same outage; each part of it is said once. The answers say whether
/// something is to be said.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicU8);

impl Outage {
    /// A stream has ended.
    pub fn stream_ended(&self) -> bool {
        self.0.fetch_max(ENDED, Ordering::Relaxed) < ENDED
    }

    /// The server does not answer.
    pub fn server_away(&self) -> bool {
        self.0.fetch_max(AWAY, Ordering::Relaxed) < AWAY
    }

    /// The server has answered.
    pub fn server_answers(&self) -> bool {
        self.0.swap(FINE, Ordering::Relaxed) == AWAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_an_outage_is_said_once_however_many_notice_it() {
        let outage = Outage::default();
        for _ in 0..2 {
            let said = |many: fn(&Outage) -> bool| (0..16).filter(|_| many(&outage)).count();
            assert_eq!(said(Outage::server_answers), 0);
            assert_eq!(said(Outage::stream_ended), 1);
            assert_eq!(said(Outage::server_away), 1);
            assert_eq!(said(Outage::stream_ended), 0);
            assert_eq!(said(Outage::server_answers), 1);
        }
    }
}
