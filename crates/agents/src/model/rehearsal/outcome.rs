//! What a script makes of one call.

use super::script::{Args, Fail, FailKind, Rule, Script};
use super::view::View;
use super::words;
use crate::model::seam::{ModelEvent, ModelRequest};
use mobkit_domain::model::{CallRequest, Failure, FailureClass, Finish, Usage};
use serde_json::{Map, Value};

/// A text is streamed in at most this many pieces.
const PIECES_MAX: usize = 6;

/// What happens: a wait, then events, the last of which is an end or a failure.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub delay_ms: u64,
    pub events: Vec<Result<ModelEvent, Failure>>,
}

/// Plays `request`. The same request gives the same outcome.
pub(super) fn of(script: &Script, request: &ModelRequest) -> Outcome {
    let view = View::of(request);
    let Some(rule) = script.find(&view) else {
        return Outcome {
            delay_ms: 0,
            events: reply(request, &echo(&view), Vec::new()),
        };
    };
    let events = match perform(script, rule, &view) {
        Ok(events) => events,
        Err(reason) => vec![Err(failed(FailureClass::Rejected, reason))],
    };
    Outcome {
        delay_ms: rule.delay_ms,
        events,
    }
}

fn echo(view: &View<'_>) -> String {
    format!("rehearsal: {}", view.message)
}

fn perform(
    script: &Script,
    rule: &Rule,
    view: &View<'_>,
) -> Result<Vec<Result<ModelEvent, Failure>>, String> {
    let fail = rule
        .fail
        .as_ref()
        .filter(|fail| fail.strikes(view.request.attempt));
    if let Some(fail) = fail.filter(|fail| fail.kind != FailKind::Cut) {
        return Ok(vec![Err(failure(fail, rule.number))]);
    }
    let number = rule.number;
    let scope = view.scope(&rule.when);
    let text = match &rule.say {
        Some(say) => script
            .templates
            .text(say, &scope)
            .map_err(|e| at(number, "say", &e))?,
        None if fail.is_some() && rule.calls.is_empty() => echo(view),
        None => String::new(),
    };
    if let Some(fail) = fail {
        let mut events = pieces(&text);
        events.truncate((events.len() / 2).max(1));
        events.push(Err(failure(fail, number)));
        return Ok(events);
    }
    let calls = rule.calls.iter().map(|call| {
        let args = args(script, &call.args, &scope);
        let args = args.map_err(|e| at(number, &format!("the call of {:?}", call.tool), &e))?;
        Ok(CallRequest {
            tool: call.tool.clone(),
            args,
            provider_id: None,
        })
    });
    let calls = calls.collect::<Result<Vec<_>, String>>()?;
    Ok(reply(view.request, &text, calls))
}

fn at(number: usize, place: &str, problem: &str) -> String {
    format!("rule {number} of the rehearsal script, {place}: {problem}")
}

fn args(script: &Script, args: &Args, scope: &Map<String, Value>) -> Result<Value, String> {
    match args {
        Args::Plain(value) => Ok(value.clone()),
        Args::Text(template) => script.templates.value(template, scope),
        Args::List(items) => {
            let items = items.iter().map(|item| self::args(script, item, scope));
            items.collect::<Result<_, _>>().map(Value::Array)
        }
        Args::Table(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                self::args(script, value, scope).map(|value| (name.clone(), value))
            });
            fields.collect::<Result<_, _>>().map(Value::Object)
        }
    }
}

fn reply(
    request: &ModelRequest,
    text: &str,
    calls: Vec<CallRequest>,
) -> Vec<Result<ModelEvent, Failure>> {
    let usage = Usage {
        input_tokens: words::input(request),
        output_tokens: words::output(text, calls.iter()),
        ..Usage::default()
    };
    let finish = if calls.is_empty() {
        Finish::Stop
    } else {
        Finish::Calls
    };
    let mut events = pieces(text);
    events.extend(calls.into_iter().map(|call| Ok(ModelEvent::Call(call))));
    events.push(Ok(ModelEvent::Usage(usage)));
    events.push(Ok(ModelEvent::End {
        finish,
        carry: None,
    }));
    events
}

/// The text in a few pieces of whole words, which together are the text again.
fn pieces(text: &str) -> Vec<Result<ModelEvent, Failure>> {
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    let per_piece = words.len().div_ceil(PIECES_MAX).max(1);
    words
        .chunks(per_piece)
        .map(|words| {
            Ok(ModelEvent::Text {
                text: words.concat(),
            })
        })
        .collect()
}

fn failure(fail: &Fail, number: usize) -> Failure {
    let (class, what) = match fail.kind {
        FailKind::Unauthorized => (FailureClass::Unauthorized, "a refused key (401)"),
        FailKind::RateLimited => (FailureClass::RateLimited, "too many requests (429)"),
        FailKind::Server => (FailureClass::Server, "a server error (500)"),
        FailKind::Timeout => (FailureClass::Timeout, "no answer in time"),
        FailKind::Cut => (FailureClass::Cut, "a cut stream"),
        FailKind::Garbage => (FailureClass::Garbage, "an answer against the protocol"),
    };
    let reason = format!("rule {number} of the rehearsal script plays {what}");
    Failure {
        class,
        reason,
        retry_after_ms: fail.retry_after_ms,
    }
}

fn failed(class: FailureClass, reason: String) -> Failure {
    Failure {
        class,
        reason,
        retry_after_ms: None,
    }
}
