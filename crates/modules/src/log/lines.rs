//! Lines of a stream of bytes, of which only the beginnings are kept.

/// Takes lines apart. Holds the beginning of the line that has no end yet.
pub(super) struct Lines {
    kept: Vec<u8>,
    keep_bytes: usize,
    is_whole: bool,
    has_begun: bool,
}

impl Lines {
    /// Keeps so many bytes of each line.
    pub(super) fn keeping(keep_bytes: usize) -> Self {
        Self {
            kept: Vec::new(),
            keep_bytes,
            is_whole: true,
            has_begun: false,
        }
    }

    /// Takes what came, and shows each line that it ends: what is kept of it, and whether that is
    /// the whole. Nothing is copied of lines that came in one piece: most are dropped in a flood.
    pub(super) fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8], bool)) {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..at];
            if self.has_begun {
                self.keep(line);
                self.end(&mut each);
            } else {
                each(&line[..at.min(self.keep_bytes)], at <= self.keep_bytes);
            }
            rest = &rest[at + 1..];
        }
        if !rest.is_empty() {
            self.keep(rest);
        }
    }

    /// Shows the last line, where the stream ended without ending it.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8], bool)) {
        if self.has_begun {
            self.end(&mut each);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.has_begun = true;
        let room = self.keep_bytes - self.kept.len();
        self.is_whole &= bytes.len() <= room;
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, each: &mut impl FnMut(&[u8], bool)) {
        each(&self.kept, self.is_whole);
        self.kept.clear();
        self.is_whole = true;
        self.has_begun = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str], keep_bytes: usize) -> Vec<(String, bool)> {
        let mut lines = Lines::keeping(keep_bytes);
        let mut found = Vec::new();
        let mut note = |line: &[u8], is_whole| {
            found.push((String::from_utf8_lossy(line).into_owned(), is_whole));
        };
        for chunk in chunks {
            lines.take(chunk.as_bytes(), &mut note);
        }
        lines.finish(&mut note);
        found
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        let whole = |text: &str| (text.to_owned(), true);
        let wanted = vec![whole("one"), whole(""), whole("three"), whole("4")];
        assert_eq!(lines(&["one\n\nthr", "ee\n4"], 10), wanted);
        assert_eq!(lines(&["one\n\nthree\n4"], 10), wanted);
        assert_eq!(lines(&["one\n", "\n", "", "three", "\n4"], 10), wanted);
        assert_eq!(lines(&["one\n"], 10), vec![whole("one")]);
    }

    #[test]
    fn of_a_long_line_the_beginning_is_kept() {
        let wanted = vec![("abcd".to_owned(), false), ("x".to_owned(), true)];
        assert_eq!(lines(&["abc", "def", "ghi\nx\n"], 4), wanted);
        assert_eq!(lines(&["abcdefghi\nx\n"], 4), wanted);
        let exact = vec![("abcd".to_owned(), true)];
        assert_eq!(lines(&["ab", "cd", "\n"], 4), exact);
    }
}
