//! "Did you mean": the hint for a name that is not among some.

use mobkit_domain::definition::nearest_name;

/// The nearest of `names`, else all of them.
pub(crate) fn hint(given: &str, what: &str, names: &[&str]) -> String {
    if let Some(name) = nearest_name(given, names.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    if names.is_empty() {
        return format!("there are no {what}");
    }
    format!("the {what} are: {}", names.join(", "))
}
