//! Tells code, comments and literal text apart.

/// What a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Code, including the quotes of a literal.
    Code,
    /// A comment, doc comments included.
    Comment,
    /// The inside of a string or character literal.
    Text,
}

/// The kind of each character.
pub fn kinds(chars: &[char]) -> Vec<Kind> {
    let mut scan = Scan {
        chars,
        kinds: vec![Kind::Code; chars.len()],
        at: 0,
    };
    while scan.at < chars.len() {
        scan.step();
    }
    scan.kinds
}

struct Scan<'a> {
    chars: &'a [char],
    kinds: Vec<Kind>,
    at: usize,
}

impl Scan<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn mark(&mut self, kind: Kind, until: usize) {
        let until = until.min(self.chars.len());
        self.kinds[self.at..until].fill(kind);
        self.at = until;
    }

    fn step(&mut self) {
        match self.peek(0) {
            Some('/') if self.peek(1) == Some('/') => {
                let end = self.find(self.at, |c| c == '\n');
                self.mark(Kind::Comment, end);
            }
            Some('/') if self.peek(1) == Some('*') => self.block_comment(),
            Some('"') => self.string(),
            Some('r') if !self.inside_word() => self.raw_string(),
            Some('\'') => self.quote(),
            _ => self.at += 1,
        }
    }

    fn find(&self, from: usize, wanted: impl Fn(char) -> bool) -> usize {
        (from..self.chars.len())
            .find(|&i| wanted(self.chars[i]))
            .unwrap_or(self.chars.len())
    }

    /// Whether the character before is part of an identifier; `b` and `c` alone are prefixes.
    fn inside_word(&self) -> bool {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let mut before = self.chars[..self.at].iter().rev().copied();
        match before.next() {
            Some('b' | 'c') => before.next().is_some_and(word),
            Some(c) => word(c),
            None => false,
        }
    }

    fn block_comment(&mut self) {
        let (mut depth, mut i) = (0_usize, self.at);
        while i < self.chars.len() {
            match (self.chars[i], self.chars.get(i + 1)) {
                ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
                ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
                _ => i += 1,
            }
            if depth == 0 {
                break;
            }
        }
        self.mark(Kind::Comment, i);
    }

    fn string(&mut self) {
        self.at += 1;
        let mut i = self.at;
        while i < self.chars.len() && self.chars[i] != '"' {
            i += if self.chars[i] == '\\' { 2 } else { 1 };
        }
        self.mark(Kind::Text, i);
        self.at += 1;
    }

    fn raw_string(&mut self) {
        let hashes = self.find(self.at + 1, |c| c != '#') - self.at - 1;
        if self.peek(1 + hashes) != Some('"') {
            self.at += 1;
            return;
        }
        self.at += hashes + 2;
        let closes = |i: &usize| {
            self.chars[*i] == '"'
                && self.chars[i + 1..]
                    .iter()
                    .take_while(|&&c| c == '#')
                    .count()
                    >= hashes
        };
        let end = (self.at..self.chars.len())
            .find(closes)
            .unwrap_or(self.chars.len());
        self.mark(Kind::Text, end);
        self.at += hashes + 1;
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        self.at += 1;
        if self.peek(0) == Some('\\') {
            let end = self.find(self.at + 2, |c| c == '\'');
            self.mark(Kind::Text, end);
            self.at += 1;
        } else if self.peek(1) == Some('\'') {
            self.mark(Kind::Text, self.at + 1);
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kinds};

    /// The code alone, everything else as `.`.
    fn code(text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let kinds = kinds(&chars);
        chars
            .iter()
            .zip(kinds)
            .map(|(&c, k)| if k == Kind::Code { c } else { '.' })
            .collect()
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        for (text, expected) in [
            ("a // b", "a ...."),
            ("a /* b /* c */ d */ e", "a ................. e"),
            ("f(\"a\\\"b\")", "f(\"....\")"),
            ("r#\"a\"b\"# c", "r#\"...\"# c"),
            ("br\"a\" c", "br\".\" c"),
            ("'{' x", "'.' x"),
            ("'\\'' x", "'..' x"),
            ("'\\u{1F600}' x", "'.........' x"),
            ("&'a str", "&'a str"),
            ("for r in x { \"s\" }", "for r in x { \".\" }"),
            ("bar\"x\"", "bar\".\""),
            ("r#type x", "r#type x"),
            ("\"open", "\"...."),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }
}
