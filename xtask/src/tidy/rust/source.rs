//! One Rust file, line by line.

use super::functions::{self, Function};
use super::kinds::{Kind, kinds};

/// A Rust file, taken apart.
pub struct Source {
    /// Each line with comments and literal text blanked out.
    pub code: Vec<String>,
    /// Each line with everything but comments blanked out.
    pub comments: Vec<String>,
    /// Per line, its columns outside literal text.
    pub columns: Vec<usize>,
    /// Per line, whether it stands in an inline `#[cfg(test)]` module.
    pub in_tests: Vec<bool>,
    /// Functions with a body, in order of their first line.
    pub functions: Vec<Function>,
}

impl Source {
    /// Takes a text apart. Never fails: broken code gives broken parts, and the compiler says so.
    pub fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let kinds = kinds(&chars);
        let code = view(&chars, &kinds, Kind::Code);
        let comments = view(&chars, &kinds, Kind::Comment);
        let blocks = test_blocks(&code);
        let functions = functions::find(&code);
        let code = lines(&code);
        let mut columns = vec![0; code.len()];
        let mut line = 0;
        for (&c, &kind) in chars.iter().zip(&kinds) {
            if c == '\n' {
                line += 1;
            } else if kind != Kind::Text {
                columns[line] += 1;
            }
        }
        let in_tests = (0..code.len())
            .map(|at| blocks.iter().any(|b| b.contains(&at)))
            .collect();
        Self {
            code,
            comments: lines(&comments),
            columns,
            in_tests,
            functions,
        }
    }

    /// Lines outside inline test modules.
    pub fn lines_net(&self) -> usize {
        let mut lines = self.in_tests.iter().filter(|&&test| !test).count();
        // The empty piece after the last line break is not a line.
        if self.code.last().is_some_and(String::is_empty) {
            lines = lines.saturating_sub(1);
        }
        lines
    }
}

fn view(chars: &[char], kinds: &[Kind], wanted: Kind) -> Vec<char> {
    let keep = |(&c, &kind): (&char, &Kind)| if c == '\n' || kind == wanted { c } else { ' ' };
    chars.iter().zip(kinds).map(keep).collect()
}

fn lines(chars: &[char]) -> Vec<String> {
    chars
        .split(|&c| c == '\n')
        .map(|line| line.iter().collect())
        .collect()
}

/// Line ranges (from 0) of `#[cfg(test)] mod x { … }`.
fn test_blocks(code: &[char]) -> Vec<std::ops::RangeInclusive<usize>> {
    let text: String = code.iter().collect();
    let mut blocks = Vec::new();
    for (at, _) in text.match_indices("#[cfg(test)]") {
        let rest = &text[at..];
        let Some(open) = rest.find(['{', ';']) else {
            continue;
        };
        let head = &rest[..open];
        if !rest[open..].starts_with('{') || !head.split_whitespace().any(|word| word == "mod") {
            continue;
        }
        let body: Vec<char> = rest[open..].chars().collect();
        let end = functions::closing(&body, 0);
        let first = text[..at].matches('\n').count();
        let inside =
            head.matches('\n').count() + body[..end].iter().filter(|&&c| c == '\n').count();
        blocks.push(first..=first + inside);
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn an_inline_test_module_does_not_count() {
        let source =
            Source::read("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
        assert_eq!(
            source.in_tests,
            [false, false, true, true, true, true, false, false]
        );
        assert_eq!(source.lines_net(), 3);
    }

    #[test]
    fn a_test_module_in_its_own_file_hides_nothing_below_it() {
        let source = Source::read("#[cfg(test)]\nmod tests;\nfn a() {\n}\n");
        assert!(source.in_tests.iter().all(|test| !test));
        let source = Source::read("#[cfg(test)]\nfn only_for_tests() {\n}\nfn a() {}\n");
        assert_eq!(source.lines_net(), 4);
    }

    #[test]
    fn text_does_not_widen_a_line() {
        let source = Source::read("let a = \"12345\"; // c\n");
        assert_eq!(source.columns[0], 16);
        assert_eq!(source.comments[0].trim(), "// c");
        assert_eq!(source.code[0].trim_end(), "let a = \"     \";");
    }
}
