//! The routes, those that are out of use first.

use crate::client::ServerArgs;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Table, Tone, visible_line};
use serde_json::{Map, Value, json};
use std::time::Duration;

const NO_ROUTES: &str = "no routes; every member has one of its own, and the mob file may define \
more:
  [[routes]]
  id = \"ops\"
  match = { recipient = \"ops\" }
  sink = { kind = \"webhook\", url = \"https://example.org/hook\" }";

pub(super) async fn run(server: &ServerArgs, output: &Output) -> Result<Exit, Failure> {
    let client = server.client(output, None, Duration::ZERO)?;
    let mut routes = client.pages("route/list", Map::new(), "routes").await?;
    routes.sort_by_key(|route| !route["disabled"].is_string());
    if output.is_json() {
        output.document(&json!({"routes": routes}))?;
        return Ok(Exit::Done);
    }
    if routes.is_empty() {
        output.notice(NO_ROUTES);
        return Ok(Exit::Done);
    }
    output.line(&table(output, &routes))?;
    if routes[0]["disabled"].is_string() {
        output.notice("`mobkit routes enable ID` brings a route back that is out of use");
    }
    Ok(Exit::Done)
}

fn table(output: &Output, routes: &[Value]) -> String {
    let header = [
        "ID",
        "RECIPIENT",
        "CHANNEL",
        "SINK",
        "RATE",
        "OPEN",
        "STATE",
    ];
    let mut table = Table::new(output, &header);
    for route in routes {
        let text = |value: &Value| visible_line(value.as_str().unwrap_or_default());
        let rate = route["rate"]["per_minute"].as_u64();
        let (tone, state) = match route["disabled"].as_str() {
            Some(why) => (Tone::Bad, format!("out of use: {}", visible_line(why))),
            None => (Tone::Good, "in use".to_owned()),
        };
        let cells = vec![
            text(&route["id"]),
            text(&route["match"]["recipient"]),
            text(&route["match"]["channel"]),
            sink(&route["sink"]),
            rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate}/m")),
            route["open"].as_u64().unwrap_or(0).to_string(),
            state,
        ];
        table.row(tone, cells);
    }
    table.render()
}

/// How it sends, and where to.
fn sink(sink: &Value) -> String {
    let text = |name: &str| visible_line(sink[name].as_str().unwrap_or_default());
    let to = match sink["kind"].as_str().unwrap_or_default() {
        "member" => text("member"),
        "webhook" => text("url"),
        "email" => {
            let to = sink["to"].as_array().into_iter().flatten();
            let to: Vec<String> = to.filter_map(Value::as_str).map(visible_line).collect();
            to.join(",")
        }
        "module" => format!("{}/{}", text("module"), text("tool")),
        "file" => text("path"),
        _ => String::new(),
    };
    format!("{} {to}", text("kind")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Show;

    #[test]
    fn a_table_says_where_each_route_leads() {
        let output = Output::new(&Show::default(), |_| None);
        let routes = [
            json!({"id": "hook", "match": {"recipient": "ops", "channel": "*"}, "open": 3,
                "sink": {"kind": "webhook", "url": "https://example.org/in"},
                "disabled": "410 Gone\u{1b}[2J"}),
            json!({"id": "mail", "match": {"recipient": "*", "channel": "news"}, "open": 0,
                "sink": {"kind": "email", "to": ["a@b", "c@d"]}, "rate": {"per_minute": 6}}),
            json!({"id": "warm", "match": {"recipient": "x", "channel": "*"}, "open": 0,
                "sink": {"kind": "module", "module": "feed", "tool": "warm"}}),
        ];
        insta::assert_snapshot!(table(&output, &routes), @r#"
        ID    RECIPIENT  CHANNEL  SINK                            RATE  OPEN  STATE
        hook  ops        *        webhook https://example.org/in  -     3     out of use: 410 Gone\u001b[2J
        mail  *          news     email a@b,c@d                   6/m   0     in use
        warm  x          *        module feed/warm                -     0     in use
        "#);
    }
}
