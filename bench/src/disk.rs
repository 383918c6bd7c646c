//! What the disk itself takes: the measure of every figure that waits for it.

use crate::samples::Samples;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Instant;

const BLOCK: [u8; 4096] = [0x6D; 4096];
/// Length of the file that is written over.
const WRITTEN_OVER_BYTES: u64 = 4 * 1024 * 1024;

/// One file that grows by 4 KiB with every sync, and one of fixed length that is written over.
#[derive(Debug)]
pub struct Disk {
    growing: File,
    fixed: File,
    at: u64,
    /// What a growing file takes: a write of 4 KiB at its end, and fdatasync.
    pub grown: Samples,
    /// The same over what is there already.
    pub written_over: Samples,
}

impl Disk {
    /// Files in `dir`.
    pub fn in_dir(dir: &Path) -> std::io::Result<Self> {
        let growing = OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("growing"))?;
        let mut fixed = File::create(dir.join("fixed"))?;
        for _ in 0..WRITTEN_OVER_BYTES / BLOCK.len() as u64 {
            fixed.write_all(&BLOCK)?;
        }
        fixed.sync_all()?;
        Ok(Self {
            growing,
            fixed,
            at: 0,
            grown: Samples::default(),
            written_over: Samples::default(),
        })
    }

    /// Measures both so many times, on a thread that does nothing else, as that of the store does:
    /// one that has used much of a processor waits for it longer when the disk is done.
    pub fn measure(&mut self, times: usize) -> std::io::Result<()> {
        std::thread::scope(|scope| {
            let measuring = scope.spawn(|| self.measure_here(times));
            measuring.join().expect("nothing in it panics")
        })
    }

    fn measure_here(&mut self, times: usize) -> std::io::Result<()> {
        for _ in 0..times {
            let began = Instant::now();
            self.growing.write_all(&BLOCK)?;
            self.growing.sync_data()?;
            self.grown.since(began);
        }
        for _ in 0..times {
            self.fixed.seek(SeekFrom::Start(self.at))?;
            let began = Instant::now();
            self.fixed.write_all(&BLOCK)?;
            self.fixed.sync_data()?;
            self.written_over.since(began);
            self.at = (self.at + BLOCK.len() as u64) % WRITTEN_OVER_BYTES;
        }
        Ok(())
    }
}
