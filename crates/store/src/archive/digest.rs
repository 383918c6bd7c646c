//! The SHA-256 of what streams past.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::{self, Read, Write};

/// Copied at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Copies everything and returns how many bytes it was and their digest in hex. `each` hears of
/// every piece.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    each: &mut dyn FnMut(u64),
) -> io::Result<(u64, String)> {
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    let (mut sha, mut bytes) = (Sha256::new(), 0);
    loop {
        let length = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = &chunk[..length];
        sha.update(piece);
        to.write_all(piece)?;
        bytes += length as u64;
        each(length as u64);
    }
    let digest = sha.finalize();
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    });
    Ok((bytes, hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_counted_and_digested() {
        let content = vec![7_u8; CHUNK_BYTES + 3];
        let (mut to, mut heard) = (Vec::new(), 0);
        let mut each = |bytes| heard += bytes;
        let (bytes, digest) = copy(&mut content.as_slice(), &mut to, &mut each).expect("copied");
        assert_eq!((bytes, heard), (content.len() as u64, bytes));
        assert_eq!(digest, mobkit_domain::canonical::sha256_hex(&content));
        assert_eq!(to, content);
    }
}
