//! `mobkit tasks`.

use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct TasksArgs {
    /// Only tasks that stand here; without it, those that wait to be done
    #[arg(long = "in", value_name = "STATE", value_parser = ["open", "doing", "done", "dropped"])]
    in_state: Option<String>,
    /// Only tasks of this member
    #[arg(long = "for", value_name = "MEMBER")]
    assignee: Option<String>,
    /// Those that are done or dropped as well
    #[arg(long, conflicts_with = "in_state")]
    all: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &TasksArgs, output: &Output) -> Result<Exit, Failure> {
    let client = args.server.client(output, None, Duration::ZERO)?;
    let mut params = Map::new();
    for (name, value) in [("state", &args.in_state), ("for", &args.assignee)] {
        if let Some(value) = value {
            params.insert(name.to_owned(), json!(value));
        }
    }
    let mut tasks = client.pages("task/list", params, "tasks").await?;
    if args.in_state.is_none() && !args.all {
        tasks.retain(|task| matches!(task["state"].as_str(), Some("open" | "doing")));
    }
    if output.is_json() {
        output.document(&json!({"tasks": tasks}))?;
        return Ok(Exit::Done);
    }
    if tasks.is_empty() {
        output.notice("no such tasks; members put them here with the tool `task_add`");
        return Ok(Exit::Done);
    }
    output.line(&table(output, &tasks))?;
    Ok(Exit::Done)
}

fn table(output: &Output, tasks: &[Value]) -> String {
    let mut table = Table::new(output, &["STATE", "ID", "FOR", "BY", "TITLE"]);
    for task in tasks {
        let text = |name: &str| visible_line(task[name].as_str().unwrap_or_default());
        let tone = match task["state"].as_str() {
            Some("doing") => Tone::Good,
            _ => Tone::Plain,
        };
        let whose = match task["for"].as_str() {
            Some(whose) => visible_line(whose),
            None => "-".to_owned(),
        };
        let title = match task["note"].as_str() {
            Some(note) => format!("{} ({})", text("title"), visible_line(note)),
            None => text("title"),
        };
        table.row(
            tone,
            vec![text("state"), text("id"), whose, text("by"), title],
        );
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_table_says_what_is_to_be_done_by_whom() {
        let output = Output::new(&Show::default(), |_| None);
        let tasks = [
            json!({"id": "task-9", "state": "doing", "for": "r1", "by": "ann",
                "title": "Check the map\u{1b}[2J"}),
            json!({"id": "task-12", "state": "done", "by": "ann", "title": "Call ada",
                "note": "she agrees"}),
        ];
        insta::assert_snapshot!(table(&output, &tasks), @r"
        STATE  ID       FOR  BY   TITLE
        doing  task-9   r1   ann  Check the map\u001b[2J
        done   task-12  -    ann  Call ada (she agrees)
        ");
    }
}
