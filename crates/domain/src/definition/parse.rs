//! From text to a definition.

use super::diagnostic::{Diagnostic, Severity};
use super::mob::{self, Definition};
use super::report::{Finding, Report};
use super::source::Table;
use super::{check, unsupported};
use std::collections::BTreeSet;
use toml::de::DeTable;

/// Gives the content of files that a mob file names.
pub trait Files {
    /// The text of the file at `path`, which is relative to the folder of the mob file unless it is
    /// absolute. The error says in words why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// For mob files that name no files: every path is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<String, String> {
        Err(format!("no file {path:?} is given"))
    }
}

/// A mob file that is right.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// What it says.
    pub definition: Definition,
    /// What it probably does not mean, in the order of the file.
    pub warnings: Vec<Diagnostic>,
    /// Parts that have no runner in this version, with code `definition.unsupported`; a mob whose
    /// file has any cannot be started. In the order of the file.
    pub unsupported: Vec<Diagnostic>,
}

/// Parses and validates a mob file. `file_name` is what diagnostics call it.
///
/// All errors of the file are returned together, in its order: at most 20, and then one more that
/// says how many there are beyond. A file whose TOML is broken reports that alone.
pub fn parse(file_name: &str, text: &str, files: &dyn Files) -> Result<Parsed, Vec<Diagnostic>> {
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut cx = Report::new(text, files);
    report_syntax(&mut cx, &syntax_errors);
    if cx.has_errors() {
        return Err(cx.into_errors(file_name));
    }
    let definition = mob::read(&mut cx, Table::root(root.get_ref()));
    cx.check_references();
    let Some(definition) = definition.filter(|_| !cx.has_errors()) else {
        return Err(cx.into_errors(file_name));
    };
    check::warnings(&mut cx, &definition);
    let unsupported = locate_unsupported(&cx, file_name, &definition);
    Ok(Parsed {
        definition,
        warnings: cx.into_warnings(file_name),
        unsupported,
    })
}

/// One error per line: what follows in the same line is mostly an echo of the first.
pub(super) fn report_syntax(cx: &mut Report<'_>, errors: &[toml::de::Error]) {
    let mut lines = BTreeSet::new();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let line = super::snippet::line_of(cx.text, span.start).start;
        if lines.insert(line) {
            let message = format!("this is not valid TOML: {}", error.message());
            cx.error(Finding::new("syntax", &span, message).label("here"));
        }
    }
}

fn locate_unsupported(cx: &Report<'_>, file: &str, definition: &Definition) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = unsupported::unsupported(definition)
        .into_iter()
        .map(|part| {
            let message = format!("this version of mobkit cannot run {}", part.what);
            Finding::new("unsupported", &cx.span_of(&part.path), message)
                .label("cannot be run")
                .hint_str("take it out to start the mob")
                .place(Severity::Error, file, cx.text)
        })
        .collect();
    found.sort_by_key(|diagnostic| diagnostic.span.start);
    found
}
