//! What a reading of the file finds: errors, warnings, declared names and references to them.

use super::diagnostic::{Diagnostic, Severity};
use super::parse::Files;
use super::{snippet, suggest};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most errors that one file reports; one more line says how many there are beyond.
const ERRORS_MAX: usize = 20;

/// A diagnostic before its line and column are known.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    reason: &'static str,
    message: String,
    span: Range<usize>,
    label: String,
    hint: Option<String>,
}

impl Finding {
    pub fn new(reason: &'static str, span: &Range<usize>, message: impl Into<String>) -> Self {
        let (message, span) = (message.into(), span.clone());
        Self {
            reason,
            message,
            span,
            label: String::new(),
            hint: None,
        }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    pub fn hint_str(self, hint: &str) -> Self {
        self.hint(hint.to_owned())
    }

    pub fn place(self, severity: Severity, file: &str, text: &str) -> Diagnostic {
        let start = text.floor_char_boundary(self.span.start.min(text.len()));
        let line_start = snippet::line_of(text, start).start;
        let line = snippet::line_number(text, start);
        let column = text[line_start..start].chars().count() + 1;
        Diagnostic {
            severity,
            code: format!("definition.{}", self.reason),
            message: self.message,
            file: file.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            span: start..self.span.end.max(start),
            label: self.label,
            hint: self.hint,
        }
    }
}

/// What can be declared in a file and named elsewhere in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Noun {
    Model,
    Profile,
    Member,
    Module,
    Schedule,
    Route,
    Flow,
}

impl Noun {
    pub fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Profile => "profile",
            Self::Member => "member",
            Self::Module => "module",
            Self::Schedule => "schedule",
            Self::Route => "route",
            Self::Flow => "flow",
        }
    }

    fn unknown(self) -> &'static str {
        match self {
            Self::Model => "model_unknown",
            Self::Profile => "profile_unknown",
            Self::Member => "member_unknown",
            Self::Module => "module_unknown",
            Self::Schedule => "schedule_unknown",
            Self::Route => "route_unknown",
            Self::Flow => "flow_unknown",
        }
    }

    fn duplicate(self) -> &'static str {
        match self {
            Self::Model => "model_duplicate",
            Self::Profile => "profile_duplicate",
            Self::Member => "member_duplicate",
            Self::Module => "module_duplicate",
            Self::Schedule => "schedule_duplicate",
            Self::Route => "route_duplicate",
            Self::Flow => "flow_duplicate",
        }
    }

    /// What is missing where `name` is not declared.
    fn absence(self, name: &str) -> String {
        match self {
            Self::Model | Self::Profile | Self::Flow => format!("no [{}s.{name}]", self.word()),
            Self::Member | Self::Module | Self::Schedule | Self::Route => {
                format!("no [[{}s]] has this id", self.word())
            }
        }
    }
}

struct Reference {
    noun: Noun,
    name: String,
    span: Range<usize>,
    /// Subject and verb of the error, e.g. `profile "writer" uses`.
    user: String,
}

/// Collects everything that one reading finds.
pub(super) struct Report<'a> {
    pub text: &'a str,
    pub files: &'a dyn Files,
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
    declared: BTreeMap<Noun, BTreeMap<String, Range<usize>>>,
    references: Vec<Reference>,
    /// Where the value at a path stands, e.g. `profiles.editor.tools[2]`.
    spans: BTreeMap<String, Range<usize>>,
}

impl<'a> Report<'a> {
    pub fn new(text: &'a str, files: &'a dyn Files) -> Self {
        Self {
            text,
            files,
            errors: Vec::new(),
            warnings: Vec::new(),
            declared: BTreeMap::new(),
            references: Vec::new(),
            spans: BTreeMap::new(),
        }
    }

    pub fn error(&mut self, finding: Finding) {
        self.errors.push(finding);
    }

    pub fn warning(&mut self, finding: Finding) {
        self.warnings.push(finding);
    }

    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub fn locate(&mut self, path: &str, span: Range<usize>) {
        self.spans.insert(path.to_owned(), span);
    }

    /// Where `path`, or the nearest thing around it, stands.
    pub fn span_of(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return span.clone();
            }
            match path.rfind(['.', '[']) {
                Some(i) => path = &path[..i],
                None => return 0..0,
            }
        }
    }

    /// Notes that `name` exists. A second one of the same noun is an error.
    pub fn declare(&mut self, noun: Noun, name: &str, span: &Range<usize>) {
        let names = self.declared.entry(noun).or_default();
        let Some(first) = names.get(name) else {
            names.insert(name.to_owned(), span.clone());
            return;
        };
        let line = snippet::line_number(self.text, first.start);
        let message = format!("{} {name:?} is defined twice", noun.word());
        let finding = Finding::new(noun.duplicate(), span, message)
            .label(format!("the first is on line {line}"))
            .hint(format!("give each {} its own id", noun.word()));
        self.errors.push(finding);
    }

    /// Notes that `name` is used; [`Self::check_references`] finds out whether it exists.
    pub fn refer(&mut self, noun: Noun, name: &str, span: &Range<usize>, user: String) {
        let (name, span) = (name.to_owned(), span.clone());
        self.references.push(Reference {
            noun,
            name,
            span,
            user,
        });
    }

    /// Whether `name` was declared.
    pub fn knows(&self, noun: Noun, name: &str) -> bool {
        self.declared
            .get(&noun)
            .is_some_and(|names| names.contains_key(name))
    }

    /// Reports every reference to a name that is not declared.
    pub fn check_references(&mut self) {
        for reference in std::mem::take(&mut self.references) {
            let Reference {
                noun,
                name,
                span,
                user,
            } = reference;
            if self.knows(noun, &name) {
                continue;
            }
            let names = self
                .declared
                .get(&noun)
                .into_iter()
                .flatten()
                .map(|(id, _)| id.as_str());
            let hint = suggest::hint(&name, &format!("defined {}s", noun.word()), names);
            let word = noun.word();
            let message = format!("{user} {word} {name:?}, which is not defined");
            let finding = Finding::new(noun.unknown(), &span, message);
            self.errors
                .push(finding.label(noun.absence(&name)).hint(hint));
        }
    }

    /// The errors in the order of the file, at most [`ERRORS_MAX`] and a line about the rest.
    pub fn into_errors(self, file: &str) -> Vec<Diagnostic> {
        let mut findings = in_order(self.errors);
        let beyond = findings.len().saturating_sub(ERRORS_MAX);
        if beyond > 0 {
            let span = findings[ERRORS_MAX].span.clone();
            findings.truncate(ERRORS_MAX);
            let noun = if beyond == 1 { "error" } else { "errors" };
            let message = format!("{beyond} more {noun} in this file");
            let more = Finding::new("more_errors", &span, message).label("the next one is here");
            findings.push(more.hint_str("mend the errors above and check again"));
        }
        place_all(findings, Severity::Error, file, self.text)
    }

    /// The warnings in the order of the file.
    pub fn into_warnings(self, file: &str) -> Vec<Diagnostic> {
        place_all(in_order(self.warnings), Severity::Warning, file, self.text)
    }
}

fn in_order(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
    findings
}

fn place_all(
    findings: Vec<Finding>,
    severity: Severity,
    file: &str,
    text: &str,
) -> Vec<Diagnostic> {
    findings
        .into_iter()
        .map(|finding| finding.place(severity, file, text))
        .collect()
}
