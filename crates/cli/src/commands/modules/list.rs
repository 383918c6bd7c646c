//! The modules, those that need attention first.

use crate::client::ServerArgs;
use crate::duration;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) async fn run(server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let mut modules = client.pages("module/list", Map::new(), "modules").await?;
    modules.sort_by_key(urgency);
    if output.is_json() {
        output.document(&json!({"modules": modules}))?;
        return Ok(Exit::Done);
    }
    if modules.is_empty() {
        output.notice(NO_MODULES);
        return Ok(Exit::Done);
    }
    output.line(&table(output, &modules, environment::now()))?;
    if let Some(bad) = modules.iter().find(|module| urgency(module) < 2) {
        let id = visible_line(bad["id"].as_str().unwrap_or_default());
        output.notice(&format!(
            "see what {id} wrote with `mobkit modules log {id}`; start it again with `mobkit \
             modules restart {id}`"
        ));
    }
    Ok(Exit::Done)
}

const NO_MODULES: &str = "no modules; a module in the mob file offers tools to members:
  [[modules]]
  id = \"search\"
  transport = \"mcp-stdio\"
  command = [\"python3\", \"search.py\"]";

fn table(output: &Output, modules: &[Value], now: jiff::Timestamp) -> String {
    let header = ["ID", "STATE", "PID", "RESTARTS", "SINCE", "TOOLS", "REASON"];
    let mut table = Table::new(output, &header);
    for module in modules {
        let text = |name: &str| visible_line(module[name].as_str().unwrap_or_default());
        let number = |name: &str| module[name].as_u64();
        let since = duration::since(&text("since"), now).unwrap_or_else(|| text("since"));
        let tools = module["tools"].as_array().map_or(0, Vec::len);
        let cells = vec![
            text("id"),
            text("state"),
            number("pid").map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            number("restarts").unwrap_or(0).to_string(),
            since,
            tools.to_string(),
            text("reason"),
        ];
        table.row(tone(module), cells);
    }
    table.render()
}

/// What needs a person comes first.
pub(crate) fn urgency(module: &Value) -> u8 {
    match module["state"].as_str().unwrap_or_default() {
        "quarantined" => 0,
        "unhealthy" => 1,
        "restarting" => 2,
        "starting" | "stopping" => 3,
        "healthy" => 4,
        _ => 5,
    }
}

/// Whether it does what it should: it answers, or it has no reason to.
pub(crate) fn is_well(module: &Value) -> bool {
    matches!(urgency(module), 3..=5)
}

/// The colour of its state.
pub(super) fn tone(module: &Value) -> Tone {
    match urgency(module) {
        0 | 1 => Tone::Bad,
        2 | 3 => Tone::Warning,
        4 => Tone::Good,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_table_says_where_each_module_stands() {
        let output = Output::new(&Show::default(), |_| None);
        let now = "2026-11-22T06:05:00Z".parse().expect("a time");
        let mut modules = [
            json!({"id": "feed", "state": "healthy", "pid": 4_711, "restarts": 0,
                "since": "2026-11-22T06:00:00.000Z", "tools": ["read"]}),
            json!({"id": "lazy", "state": "stopped", "restarts": 0, "tools": [],
                "since": "2026-11-22T05:00:00.000Z"}),
            json!({"id": "mail", "state": "quarantined", "restarts": 6, "tools": ["send", "list"],
                "since": "2026-11-22T06:04:58.000Z", "reason": "exit status 1\u{1b}[2J"}),
        ];
        modules.sort_by_key(urgency);
        insta::assert_snapshot!(table(&output, &modules, now), @r"
        ID    STATE        PID   RESTARTS  SINCE  TOOLS  REASON
        mail  quarantined  -     6         2s     2      exit status 1\u001b[2J
        feed  healthy      4711  0         5m     1
        lazy  stopped      -     0         1h     0
        ");
    }
}
