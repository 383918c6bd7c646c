//! Templates of a script.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// Steps that one template may take; far above what any sensible one needs.
const FUEL: u64 = 50_000;

/// The engine that compiles and renders the templates of one script.
pub(super) struct Templates(Environment<'static>);

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Templates")
    }
}

/// A template that is known to be well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Template {
    /// Text without anything to fill in.
    Plain(String),
    /// A single `{{ expression }}`, which keeps the type of its value.
    Expression(String),
    /// Text around expressions.
    Mixed(String),
}

impl Templates {
    pub(super) fn new() -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        let mut syntax = SyntaxConfig::builder();
        syntax.keep_trailing_newline(true);
        env.set_syntax(syntax.build().expect("the usual delimiters are valid"));
        env.set_fuel(Some(FUEL));
        Self(env)
    }

    /// Checks `source`, which may speak of `known` names. The error is for the script's author.
    pub(super) fn compile(&self, source: &str, known: &[&str]) -> Result<Template, String> {
        if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
            return Ok(Template::Plain(source.to_owned()));
        }
        let template = self.0.template_from_named_str("template", source);
        let template = template.map_err(|error| error_text(&error))?;
        let unknown = template
            .undeclared_variables(false)
            .into_iter()
            .find(|name| {
                !known.contains(&name.as_str())
                    && !self.0.globals().any(|(global, _)| global == name)
            });
        if let Some(name) = unknown {
            return Err(format!(
                "nothing here is called {name:?}; known are {}",
                known.join(", ")
            ));
        }
        self.probe(source)?;
        let lone = source
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"));
        match lone.filter(|expression| self.0.compile_expression_owned(*expression).is_ok()) {
            Some(expression) => Ok(Template::Expression(expression.to_owned())),
            None => Ok(Template::Mixed(source.to_owned())),
        }
    }

    /// Finds filters, tests and functions that don't exist, which show only when they are used: the
    /// template is rendered once with nothing known and everything allowed.
    fn probe(&self, source: &str) -> Result<(), String> {
        let mut lenient = self.0.clone();
        lenient.set_undefined_behavior(UndefinedBehavior::Chainable);
        let rendered = lenient.render_named_str("template", source, ());
        match rendered.map_err(|error| (error.kind(), error_text(&error))) {
            Err((
                ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction,
                text,
            )) => Err(text),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The text of the template. The error says what is missing or went wrong.
    pub(super) fn text(
        &self,
        template: &Template,
        scope: &Map<String, Value>,
    ) -> Result<String, String> {
        let mixed = match template {
            Template::Plain(text) => return Ok(text.clone()),
            Template::Expression(expression) => format!("{{{{{expression}}}}}"),
            Template::Mixed(source) => source.clone(),
        };
        let compiled = self.0.template_from_named_str("template", &mixed);
        let compiled = compiled.map_err(|error| error_text(&error))?;
        compiled
            .render(Serde(scope))
            .map_err(|error| match error.kind() {
                ErrorKind::UndefinedError => missing(compiled.undeclared_variables(true), scope),
                _ => error_text(&error),
            })
    }

    /// The value of the template: of a single expression its own, else the text.
    pub(super) fn value(
        &self,
        template: &Template,
        scope: &Map<String, Value>,
    ) -> Result<Value, String> {
        let Template::Expression(expression) = template else {
            return self.text(template, scope).map(Value::String);
        };
        let compiled = self
            .0
            .compile_expression(expression)
            .map_err(|e| error_text(&e))?;
        let absent = || missing(compiled.undeclared_variables(true), scope);
        match compiled.eval(Serde(scope)) {
            Ok(value) if value.is_undefined() => Err(absent()),
            Ok(value) => serde_json::to_value(&value).map_err(|error| error.to_string()),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Err(absent()),
            Err(error) => Err(error_text(&error)),
        }
    }
}

fn error_text(error: &minijinja::Error) -> String {
    let kind = error.kind();
    if kind == ErrorKind::OutOfFuel {
        return format!("the template takes more than {FUEL} steps");
    }
    error
        .detail()
        .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))
}

/// Which of the paths that a template uses lead nowhere.
fn missing(paths: impl IntoIterator<Item = String>, scope: &Map<String, Value>) -> String {
    let leads = |path: &str| {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|name| scope.get(name));
        parts.try_fold(first?, |value, name| value.get(name))
    };
    let absent: BTreeSet<String> = paths
        .into_iter()
        .filter(|path| leads(path).is_none())
        .collect();
    match absent.into_iter().collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "something in the template is absent".to_owned(),
        names => format!("{names} is absent"),
    }
}
