//! "Did you mean": the nearest of some names.

/// The nearest of `names` to `given`, if one is near enough to be a slip of the keyboard.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match given.chars().count() {
        0..=1 => return None,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let given = given.to_lowercase();
    names
        .into_iter()
        .map(|name| (distance(&given, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A hint for a name that is not among `names`: the nearest, else all of them while they are few.
pub(super) fn hint<'a>(
    given: &str,
    intro: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    const SHOWN_MAX: usize = 16;
    let names: Vec<&str> = names.into_iter().collect();
    if let Some(name) = nearest(given, names.iter().copied()) {
        return Some(format!("did you mean {name:?}?"));
    }
    if names.is_empty() {
        return None;
    }
    let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
    let shown = names
        .iter()
        .take(SHOWN_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    Some(format!("{intro}: {shown}{more}"))
}

/// Whether a key of this name usually holds a secret.
pub(super) fn names_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    [
        "secret",
        "password",
        "passwd",
        "apikey",
        "authorization",
        "credential",
        "cookie",
    ]
    .iter()
    .any(|word| key.contains(word))
        || key
            .split(['_', '.'])
            .any(|word| matches!(word, "token" | "key" | "pass" | "pwd"))
        || distance(&key, "api_key") <= 2
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    /// Longer names are not compared; no name that is known here is as long.
    const LEN_MAX: usize = 128;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 3 || a.len() > LEN_MAX {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_does_not() {
        let names = ["model", "instructions", "tools"];
        assert_eq!(nearest("modle", names), Some("model"));
        assert_eq!(nearest("Tools", names), Some("tools"));
        assert_eq!(nearest("instuctions", names), Some("instructions"));
        assert_eq!(nearest("engine", names), None);
        assert_eq!(nearest("x", names), None);
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "api_key",
            "X-Api-Key",
            "SEARCH_TOKEN",
            "api_kye",
            "password",
            "Cookie",
        ] {
            assert!(names_secret(name), "{name}");
        }
        for name in [
            "env",
            "keys",
            "model",
            "monkey",
            "tokens_per_turn",
            "at_tokens",
        ] {
            assert!(!names_secret(name), "{name}");
        }
    }
}
