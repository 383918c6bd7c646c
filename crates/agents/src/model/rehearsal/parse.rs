//! Reading a script file.

use super::fields::{Fields, table_of};
use super::script::{Args, Call, Fail, FailKind, Rule, Script, ScriptError, ScriptProblem, When};
use super::template::Templates;
use super::view;
use serde_json::Value;
use toml::{Table, Value as Toml};

pub(super) fn script(text: &str) -> Result<Script, ScriptError> {
    let whole = |message: String| ScriptError {
        problems: vec![ScriptProblem {
            rule: None,
            message,
        }],
    };
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            1 + text
                .bytes()
                .take(span.start)
                .filter(|byte| *byte == b'\n')
                .count()
        });
        whole(format!(
            "line {line} is not valid TOML: {}",
            error.message()
        ))
    })?;
    let mut fields = Fields::new(table);
    let rules = fields
        .list("rules")
        .and_then(|rules| fields.done(&["rules"]).map(|()| rules));
    let mut script = Script::empty();
    let mut problems = Vec::new();
    for (at, value) in rules.map_err(whole)?.into_iter().enumerate() {
        let number = at + 1;
        match table_of("a rule", value).and_then(|table| rule(&script.templates, number, table)) {
            Ok(rule) => script.rules.push(rule),
            Err(message) => problems.push(ScriptProblem {
                rule: Some(number),
                message,
            }),
        }
    }
    if problems.is_empty() {
        Ok(script)
    } else {
        Err(ScriptError { problems })
    }
}

fn rule(templates: &Templates, number: usize, table: Table) -> Result<Rule, String> {
    let mut fields = Fields::new(table);
    let when = fields
        .table("when")?
        .map(when)
        .transpose()?
        .unwrap_or_default();
    let known = known_names(&when)?;
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let delay_ms = fields.span_ms("delay")?.unwrap_or(0);
    let fail = fields.table("fail")?.map(fail).transpose()?;
    let say = match fields.text("say")? {
        Some(say) => Some(
            templates
                .compile(&say, &known)
                .map_err(|e| format!("say: {e}"))?,
        ),
        None => None,
    };
    let calls = fields.list("call")?.into_iter();
    let calls = calls.map(|value| call(templates, &known, table_of("a call", value)?));
    let calls = calls.collect::<Result<Vec<_>, String>>()?;
    fields.done(&["when", "say", "call", "delay", "fail"])?;
    let answers = say.is_some() || !calls.is_empty();
    match &fail {
        None if !answers => Err("a rule needs say, call or fail".to_owned()),
        Some(Fail {
            times: Some(times), ..
        }) if !answers => Err(format!(
            "what follows after {times} failures? Add say or call, or drop times"
        )),
        Some(Fail {
            times: None, kind, ..
        }) if answers && *kind != FailKind::Cut => {
            Err("every attempt fails, so say and call never happen; add times to fail".to_owned())
        }
        _ => Ok(Rule {
            number,
            when,
            delay_ms,
            fail,
            say,
            calls,
        }),
    }
}

fn when(table: Table) -> Result<When, String> {
    let mut fields = Fields::new(table);
    let when = When {
        profile: fields.text("profile")?,
        member: fields.text("member")?,
        from: fields.text("from")?,
        step: fields.count("step")?,
        tool: fields.text("tool")?,
        text: fields.regex("text")?,
        result: fields.regex("result")?,
    };
    fields.done(&[
        "profile", "member", "text", "step", "tool", "result", "from",
    ])?;
    Ok(when)
}

/// The names that templates of a rule may use: its captures, and those that every rule has.
fn known_names(when: &When) -> Result<Vec<String>, String> {
    let captures = [&when.text, &when.result].into_iter().flatten();
    let mut names: Vec<String> = captures
        .flat_map(|regex| regex.capture_names().flatten().map(str::to_owned))
        .collect();
    if let Some(name) = names
        .iter()
        .find(|name| view::NAMES.contains(&name.as_str()))
    {
        return Err(format!(
            "the capture {name:?} hides what {name:?} means in templates"
        ));
    }
    names.extend(view::NAMES.map(str::to_owned));
    Ok(names)
}

fn fail(table: Table) -> Result<Fail, String> {
    let mut fields = Fields::new(table);
    let names = FailKind::NAMES.map(|(name, _)| name).join(", ");
    let name = match fields.any("kind") {
        Some(Toml::String(name)) => name,
        Some(Toml::Integer(status)) => status.to_string(),
        _ => return Err(format!("fail needs a kind: one of {names}")),
    };
    let kind = FailKind::NAMES.iter().find(|(known, _)| *known == name);
    let Some((_, kind)) = kind else {
        return Err(format!(
            "there is no failure of kind {name:?}; there are {names}"
        ));
    };
    let times = fields.count("times")?;
    let retry_after_ms = fields.span_ms("retry_after")?;
    fields.done(&["kind", "times", "retry_after"])?;
    if retry_after_ms.is_some() && !matches!(kind, FailKind::RateLimited | FailKind::Server) {
        return Err("retry_after belongs to kind 429 or 500".to_owned());
    }
    Ok(Fail {
        kind: *kind,
        times,
        retry_after_ms,
    })
}

fn call(templates: &Templates, known: &[&str], table: Table) -> Result<Call, String> {
    let mut fields = Fields::new(table);
    let tool = fields.text("tool")?.filter(|tool| !tool.is_empty());
    let tool = tool.ok_or_else(|| "a call needs a tool".to_owned())?;
    let given = fields
        .any("args")
        .unwrap_or_else(|| Toml::Table(Table::new()));
    fields.done(&["tool", "args"])?;
    let args = args(templates, known, given).map_err(|e| format!("args of {tool:?}: {e}"))?;
    Ok(Call { tool, args })
}

fn args(templates: &Templates, known: &[&str], value: Toml) -> Result<Args, String> {
    Ok(match value {
        Toml::String(source) => Args::Text(templates.compile(&source, known)?),
        Toml::Integer(number) => Args::Plain(Value::from(number)),
        Toml::Float(number) => Args::Plain(Value::from(number)),
        Toml::Boolean(truth) => Args::Plain(Value::from(truth)),
        Toml::Datetime(date) => Args::Plain(Value::from(date.to_string())),
        Toml::Array(items) => {
            let items = items.into_iter().map(|item| args(templates, known, item));
            Args::List(items.collect::<Result<_, _>>()?)
        }
        Toml::Table(table) => {
            let fields = table
                .into_iter()
                .map(|(name, value)| args(templates, known, value).map(|value| (name, value)));
            Args::Table(fields.collect::<Result<_, String>>()?)
        }
    })
}
