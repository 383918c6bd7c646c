//! `mobkit rpc`: every operation, also those without a command of their own.

use crate::client::{ServerArgs, failure_of_rpc};
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct RpcArgs {
    /// The operation, e.g. member/get
    method: String,
    /// Its parameters as JSON; - reads them from stdin
    #[arg(value_name = "PARAMS_JSON", default_value = "{}")]
    params: String,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &RpcArgs, output: &Output) -> Result<Exit, Failure> {
    let params = params(&args.params)?;
    // Nobody here knows whether the operation may be repeated, so it is called once; --timeout is
    // how long to wait for its answer.
    let once = ServerArgs {
        timeout: None,
        ..args.server.clone()
    };
    let client = once.client(output, None, Duration::ZERO)?;
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": args.method, "params": params});
    let mut response = client.post("rpc", &request, args.server.timeout).await?;
    match response["error"].take() {
        Value::Null => {}
        error => return Err(failure_of_rpc(&error)),
    }
    if response.get("result").is_none() {
        let message = "the server's answer has neither a result nor an error";
        return Err(Failure::new(Exit::Failed, "server.foreign", message));
    }
    output.document(&response["result"])?;
    Ok(Exit::Done)
}

fn params(text: &str) -> Result<Value, Failure> {
    let malformed = |why: String| {
        Failure::new(
            Exit::Usage,
            "params.malformed",
            format!("the parameters are {why}"),
        )
        .hint("write a JSON object, e.g. '{\"member\": \"editor\"}'")
    };
    let mut typed = String::new();
    let text = if text == "-" {
        let read = std::io::stdin().read_to_string(&mut typed);
        read.map_err(|error| malformed(format!("unreadable: {error}")))?;
        &typed
    } else {
        text
    };
    let params: Value =
        serde_json::from_str(text).map_err(|error| malformed(format!("no JSON: {error}")))?;
    if params.is_object() || params.is_array() {
        Ok(params)
    } else {
        Err(malformed("neither an object nor a list".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_an_object_or_a_list() {
        assert!(params("{\"a\": 1}").is_ok());
        assert!(params("[1]").is_ok());
        for text in ["", "{", "1", "null", "\"x\"", "{'a': 1}"] {
            assert_eq!(params(text).expect_err(text).exit(), Exit::Usage);
        }
    }
}
