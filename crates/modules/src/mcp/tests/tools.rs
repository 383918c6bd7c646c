//! What tools a module has.

use super::host::Heard;
use super::peer::{Ends, Peer};
use crate::client::{ClientError, Limits};
use mobkit_domain::event::ToolEffect;
use serde_json::{Value, json};

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": format!("Does {name}"),
        "inputSchema": { "type": "object", "properties": { "x": { "type": "string" } } },
        "annotations": { "readOnlyHint": true },
    })
}

fn page(names: &[&str], next: Option<&str>) -> Value {
    let tools: Vec<Value> = names.iter().map(|name| tool(name)).collect();
    let mut page = json!({
        "resultType": "complete", "tools": tools, "ttlMs": 3_600_000, "cacheScope": "public",
    });
    if let Some(next) = next {
        page["nextCursor"] = json!(next);
    }
    page
}

/// Answers listings with pages until there are no more.
async fn list(peer: &mut Peer, pages: &[(&[&str], Option<&str>)]) {
    let mut cursor = None;
    for (names, next) in pages {
        let request = peer.expect("tools/list").await;
        assert_eq!(request["params"]["cursor"].as_str(), cursor);
        peer.answer(&request, page(names, *next)).await;
        cursor = *next;
    }
}

#[tokio::test(start_paused = true)]
async fn every_page_is_listed_and_every_time_anew() {
    for modern in [true, false] {
        let ends = Ends::default();
        let (client, mut peer, _heard) = if modern {
            ends.modern().await
        } else {
            ends.before().await
        };
        let pages: [(&[&str], _); 3] =
            [(&["d", "b"], Some("p2")), (&[], Some("p3")), (&["a"], None)];
        let (tools, ()) = tokio::join!(client.tools(), list(&mut peer, &pages));
        let tools = tools.expect("listed");
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(tools[0].description, "Does a");
        assert_eq!(tools[0].schema["properties"]["x"]["type"], "string");
        assert_eq!(tools[0].hint, ToolEffect::Read);
        assert_eq!(tools[0].hash.len(), 64);
        assert_ne!(tools[0].hash, tools[1].hash);
        // The server says that its answer holds for an hour; it is asked all the same.
        let pages: [(&[&str], _); 1] = [(&["c"], None)];
        let (again, ()) = tokio::join!(client.tools(), list(&mut peer, &pages));
        assert_eq!(again.map(|tools| tools.len()), Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_can_t_be_called_by_its_name_is_left_out() {
    let (client, mut peer, mut heard) = Ends::default().modern().await;
    let pages: [(&[&str], _); 1] = [(&["a", "b c", "a"], None)];
    let (tools, ()) = tokio::join!(client.tools(), list(&mut peer, &pages));
    let tools = tools.expect("listed");
    assert_eq!(tools.len(), 1);
    for tool in ["b c", "a"] {
        let Some(Heard::Said(said)) = heard.recv().await else {
            panic!("word of it");
        };
        assert_eq!(said["kind"], "tool_left_out");
        assert_eq!(said["tool"], tool);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_not_read() {
    let limits = Limits {
        tools_max: 3,
        ..Limits::default()
    };
    let ends = Ends {
        limits,
        ..Ends::default()
    };
    let (client, mut peer, _heard) = ends.modern().await;
    let pages: [(&[&str], _); 2] = [(&["a", "b"], Some("p2")), (&["c", "d"], Some("p3"))];
    let (tools, ()) = tokio::join!(client.tools(), list(&mut peer, &pages));
    let broken = ClientError::Broken("it lists more than 3 tools".to_owned());
    assert_eq!(tools, Err(broken));
    let empty = async {
        loop {
            let request = peer.expect("tools/list").await;
            peer.answer(&request, page(&[], Some("more"))).await;
        }
    };
    let tools = tokio::select! {
        tools = client.tools() => tools,
        () = empty => unreachable!("it goes on for ever"),
    };
    let text = "its list of tools has more than 1000 pages";
    assert_eq!(tools, Err(ClientError::Broken(text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_breaks_the_conversation() {
    let (client, mut peer, _heard) = Ends::default().modern().await;
    let (tools, ()) = tokio::join!(client.tools(), async {
        let request = peer.expect("tools/list").await;
        peer.answer(&request, json!({ "tools": [{ "name": 5 }] }))
            .await;
    });
    let text = "its answer is no list of tools";
    assert_eq!(tools, Err(ClientError::Broken(text.to_owned())));
    let (tools, ()) = tokio::join!(client.tools(), async {
        let request = peer.expect("tools/list").await;
        let error = json!({ "code": -32601, "message": "Method not found" });
        peer.refuse(&request, error).await;
    });
    let refused = ClientError::Refused("Method not found (code -32601)".to_owned());
    assert_eq!(tools, Err(refused));
}

#[tokio::test(start_paused = true)]
async fn word_of_changed_tools_comes_unasked_in_the_era_before() {
    let (_client, mut peer, mut heard) = Ends::default().before().await;
    peer.notify("notifications/tools/list_changed", json!({}))
        .await;
    assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
}

/// Acknowledges a request to listen and tells once of a change.
async fn tell_of_change(peer: &mut Peer) -> Value {
    let request = peer.expect("subscriptions/listen").await;
    let only_tools = json!({ "toolsListChanged": true });
    assert_eq!(request["params"]["notifications"], only_tools);
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": request["id"] });
    let ack = json!({ "notifications": only_tools, "_meta": meta });
    peer.notify("notifications/subscriptions/acknowledged", ack)
        .await;
    let changed = json!({ "_meta": meta });
    peer.notify("notifications/tools/list_changed", changed)
        .await;
    request
}

#[tokio::test(start_paused = true)]
async fn word_of_changed_tools_is_listened_for_where_it_is_offered() {
    let (client, mut peer, mut heard) = Ends::default()
        .meet(async |peer| {
            peer.discovered(&json!({ "tools": { "listChanged": true } }))
                .await;
        })
        .await;
    let client = client.expect("connected");
    let listening = tell_of_change(&mut peer).await;
    assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": listening["id"] });
    let end = json!({ "resultType": "complete", "_meta": meta });
    peer.answer(&listening, end).await;
    // Listened for again, and what happened in between counts as a change.
    tell_of_change(&mut peer).await;
    assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
    assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
    client.close().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_listens_where_a_server_does_not_know_how() {
    let (client, mut peer, _heard) = Ends::default()
        .meet(async |peer| {
            peer.discovered(&json!({ "tools": { "listChanged": true } }))
                .await;
        })
        .await;
    let client = client.expect("connected");
    let request = peer.expect("subscriptions/listen").await;
    let error = json!({ "code": -32601, "message": "Method not found" });
    peer.refuse(&request, error).await;
    let day = tokio::time::timeout(std::time::Duration::from_hours(24), peer.next());
    assert!(day.await.is_err(), "nothing more is asked");
    client.close().await;
}
