//! Finds functions and measures them.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// Lines with code between the braces; blank lines and comments don't count.
    pub lines: usize,
}

/// The functions in the code view of a file.
pub fn find(code: &[char]) -> Vec<Function> {
    let mut found = Vec::new();
    let mut line = 1;
    for at in 0..code.len() {
        if code[at] == '\n' {
            line += 1;
        }
        let Some(name) = name_at(code, at) else {
            continue;
        };
        let Some(open) = body_at(code, at) else {
            continue;
        };
        let body: String = code[open + 1..closing(code, open)].iter().collect();
        let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
        found.push(Function { name, line, lines });
    }
    found
}

/// The index of the brace that closes the one at `open`, or the end.
pub fn closing(code: &[char], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, &c) in code.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    code.len()
}

/// The name after the word `fn` at `at`. The type `fn(…)` has none.
fn name_at(code: &[char], at: usize) -> Option<String> {
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    let starts = at == 0 || !code.get(at - 1).is_some_and(word);
    if !starts || code.get(at..at + 3)? != ['f', 'n', ' '] {
        return None;
    }
    let name: String = code[at + 3..].iter().take_while(|c| word(c)).collect();
    (!name.is_empty()).then_some(name)
}

/// The opening brace of the body, unless a `;` ends the signature first.
fn body_at(code: &[char], at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (i, &c) in code.iter().enumerate().skip(at) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(i),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::find;

    fn measured(text: &str) -> Vec<(String, usize, usize)> {
        let code: Vec<char> = text.chars().collect();
        find(&code)
            .into_iter()
            .map(|f| (f.name, f.line, f.lines))
            .collect()
    }

    #[test]
    fn functions_are_measured_by_their_lines_of_code() {
        let text = "struct S { f: fn(u8) }\nfn a(x: [u8; 2]) {\n    x;\n\n    if x { y }\n}\n";
        assert_eq!(measured(text), [("a".to_owned(), 2, 2)]);
    }

    #[test]
    fn a_signature_without_a_body_is_not_measured() {
        let text = "trait T {\n    fn a(&self);\n    fn b(&self) {\n        c\n    }\n}\n";
        assert_eq!(measured(text), [("b".to_owned(), 3, 1)]);
    }
}
