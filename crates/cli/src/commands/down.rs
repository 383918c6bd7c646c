//! `mobkit down`.

use crate::client::{Client, ServerArgs};
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::Output;
use crate::up::last_words;
use mobkit::ShutdownReport;
use serde_json::{Value, json};
use std::time::Duration;

/// How often to look whether the process has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long a process may take to end beyond its report, or after it has hung up: the longest that
/// its store may take to close, and its connections, with room to spare.
const ENDING_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub(crate) struct DownArgs {
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &DownArgs, output: &Output) -> Result<Exit, Failure> {
    // --timeout is for the whole stop, which is asked for once.
    let once = ServerArgs {
        timeout: None,
        ..args.server.clone()
    };
    let client = once.client(output, None, Duration::ZERO)?;
    let Some(longest) = args.server.timeout else {
        return stop(&client, output).await;
    };
    let stopped = tokio::time::timeout(longest, stop(&client, output)).await;
    stopped.unwrap_or_else(|_| Err(late("the mob is still stopping")))
}

async fn stop(client: &Client<'_>, output: &Output) -> Result<Exit, Failure> {
    let pid = client.pid();
    let wait = json!({"wait": true});
    // The stop ends by itself, however long its turns may take.
    match client.post("api/v1/system/shutdown", &wait, None).await {
        Ok(report) => {
            let stopped: ShutdownReport = serde_json::from_value(report.clone()).map_err(|_| {
                let message = "the server's answer is no report of a stop";
                Failure::new(Exit::Failed, "server.foreign", message)
                    .hint("its version may be another one; see `mobkit rpc system/info`")
            })?;
            if !ended(client, pid).await {
                return Err(late("the mob has stopped, but its process has not ended"));
            }
            conclude(&report, stopped.is_orderly(), output)
        }
        // It may have hung up at the end of a stop that was under way.
        Err(failure) if failure.is_passing() && pid.is_some_and(is_there) => {
            if !ended(client, pid).await {
                return Err(failure);
            }
            let message = "the mob has stopped, and hung up before it said how";
            Err(
                Failure::new(Exit::Failed, "server.report_lost", message).hint(
                    "`mobkit up` has said it on its own output; the next start goes on from here",
                ),
            )
        }
        Err(failure) => Err(failure),
    }
}

fn conclude(report: &Value, clean: bool, output: &Output) -> Result<Exit, Failure> {
    if output.is_json() {
        let document = json!({"state": "stopped", "clean": clean, "report": report});
        output.document(&document)?;
    } else {
        for line in last_words(report) {
            output.line(&line)?;
        }
    }
    Ok(if clean { Exit::Done } else { Exit::Failed })
}

/// Waits until the process has ended or given up its place in the state directory, so that another
/// one can start; at once where the server was named by its address. `false`: it has not.
async fn ended(client: &Client<'_>, pid: Option<i32>) -> bool {
    let Some(pid) = pid else { return true };
    let gone = async {
        while is_there(pid) && client.pid() == Some(pid) {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(ENDING_PATIENCE, gone).await.is_ok()
}

fn is_there(pid: i32) -> bool {
    !environment::is_gone(pid)
}

fn late(message: &str) -> Failure {
    Failure::new(Exit::TimedOut, "down.timed_out", message)
        .hint("it goes on by itself; `mobkit down` joins the stop and waits again")
}
