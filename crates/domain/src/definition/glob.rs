//! Patterns over tool names: `*` stands for any run of characters.

/// Whether some text fits both patterns. A pattern without `*` is the text itself, so this also
/// says whether a text fits a pattern.
pub(super) fn globs_meet(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // `row[j]` says whether the rest of `a` from the current place meets `b[j..]`.
    let mut below = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            let star_a = a.get(i) == Some(&b'*');
            let star_b = b.get(j) == Some(&b'*');
            row[j] = if i == a.len() && j == b.len() {
                true
            } else if star_a || star_b {
                let skip_a = star_a && (below[j] || (j < b.len() && row[j + 1]));
                let skip_b = star_b && (row[j + 1] || (i < a.len() && below[j]));
                skip_a || skip_b
            } else {
                i < a.len() && j < b.len() && a[i] == b[j] && below[j + 1]
            };
        }
        below = row;
    }
    below[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_some_text_fits_both() {
        for (a, b) in [
            ("", ""),
            ("*", ""),
            ("a", "a"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*", "*c"),
            ("module:mail/*", "module:mail/send"),
            ("module:*", "module:mail/*"),
            ("**", "x"),
            ("send_*", "*_message"),
            ("a*b*c", "axxbxxc"),
        ] {
            assert!(globs_meet(a, b) && globs_meet(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("a", ""),
            ("a", "b"),
            ("a*", "ba"),
            ("module:mail/*", "module:search/*"),
            ("*a", "*b"),
            ("a*b", "a*c"),
            ("ab", "a"),
        ] {
            assert!(!globs_meet(a, b) && !globs_meet(b, a), "{a} {b}");
        }
    }
}
