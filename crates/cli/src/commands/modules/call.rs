//! `mobkit modules call`.

use super::args::CallArgs;
use super::order::missing;
use crate::assignment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) async fn run(args: &CallArgs, output: &Output) -> Result<Exit, Failure> {
    let given = arguments(&args.args)?;
    let client = args.server.client(output, None, Duration::ZERO)?;
    let params = json!({"module": args.module, "tool": args.tool, "args": given});
    // The call may have an effect, so it is made once, and takes as long as the tool takes.
    let calling = client.post("api/v1/module/call", &params, None);
    let result = match args.server.timeout {
        None => calling.await,
        Some(longest) => tokio::time::timeout(longest, calling)
            .await
            .map_err(|_| slow(args))?,
    };
    let mut result = result.map_err(|failure| way_on(args, missing(failure)))?;
    if output.is_json() {
        output.document(&result)?;
        return Ok(Exit::Done);
    }
    match result["result"].take() {
        Value::String(text) => output.line(&output.foreign(&text))?,
        other => output.document(&other)?,
    }
    Ok(Exit::Done)
}

/// Adds the next step to a call that gave no result.
fn way_on(args: &CallArgs, failure: Failure) -> Failure {
    let module = visible_line(&args.module);
    match failure.code() {
        "tool.failed" => failure.hint(format!(
            "see what it wrote with `mobkit modules log {module}`"
        )),
        "tool.not_found" => failure.hint(format!(
            "see what it offers with `mobkit modules tools {module}`"
        )),
        "tool.bad_arguments" => failure.hint(format!(
            "the schemas of its arguments are in `mobkit modules show {module} --json`"
        )),
        _ => failure,
    }
}

fn slow(args: &CallArgs) -> Failure {
    let (module, tool) = (visible_line(&args.module), visible_line(&args.tool));
    let message = format!("{module}/{tool} gave no result yet; the call goes on");
    Failure::new(Exit::TimedOut, "tool.timed_out", message).hint(format!(
        "see what came of it with `mobkit logs module:{module}`"
    ))
}

/// One JSON object, or pairs.
fn arguments(given: &[String]) -> Result<Map<String, Value>, Failure> {
    if let [one] = given
        && one.trim_start().starts_with('{')
    {
        return serde_json::from_str(one).map_err(|error| malformed(&format!("no JSON: {error}")));
    }
    let pairs: Result<Vec<_>, String> = given.iter().map(|one| assignment::parse(one)).collect();
    let pairs = pairs.map_err(|_| malformed("neither one JSON object nor pairs"))?;
    Ok(assignment::object(&pairs))
}

fn malformed(why: &str) -> Failure {
    let message = format!("the arguments are {why}");
    Failure::new(Exit::Usage, "args.malformed", message)
        .hint("write '{\"to\": \"ada\", \"count\": 3}', or to=ada count=3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_or_pairs() {
        let read = |given: &[&str]| {
            let given: Vec<String> = given.iter().map(|&one| one.to_owned()).collect();
            arguments(&given)
                .map(Value::Object)
                .map_err(|failure| failure.exit())
        };
        assert_eq!(read(&[]), Ok(json!({})));
        assert_eq!(read(&["{\"a\": [1]}"]), Ok(json!({"a": [1]})));
        assert_eq!(
            read(&["a=1", "b=x y", "c={\"d\":2}"]),
            Ok(json!({"a": 1, "b": "x y", "c": {"d": 2}}))
        );
        for given in [&["{\"a\": "][..], &["a"], &["{}", "a=1"], &["[1]"], &["=1"]] {
            assert_eq!(read(given), Err(Exit::Usage), "{given:?}");
        }
    }
}
