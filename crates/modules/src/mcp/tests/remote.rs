//! Conversations with remote servers of the newer era, and which era is spoken.

use super::end::alone;
use super::host::Heard;
use super::peer::{call, discovery, id, says, welcome};
use super::web::{Web, meet, modern};
use crate::client::ClientError;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn requests_carry_the_headers_of_the_protocol_and_of_the_definition() {
    let mut web = Web::start();
    let headers = [("Authorization", "Bearer hush-hush-9")];
    let (client, (), mut heard) = meet(&mut web, &headers, Vec::new(), async |web| {
        let asked = web.expect("server/discover").await;
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("POST", "/mcp")
        );
        assert_eq!(asked.header("authorization"), "Bearer hush-hush-9");
        assert_eq!(asked.header("mcp-protocol-version"), "2026-07-28");
        assert_eq!(asked.header("mcp-method"), "server/discover");
        assert!(asked.header("user-agent").starts_with("mobkit/"));
        for kind in ["application/json", "text/event-stream"] {
            assert!(asked.header("accept").contains(kind));
        }
        asked.answer(discovery(&json!({ "tools": {} })));
    })
    .await;
    let client = client.expect("connected");
    assert_eq!(client.protocol(), "mcp 2026-07-28 (shop 1.2)");
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let asked = web.expect("tools/call").await;
        assert_eq!(asked.header("authorization"), "Bearer hush-hush-9");
        assert_eq!(asked.header("mcp-method"), "tools/call");
        assert_eq!(asked.header("mcp-name"), "buy");
        let request = asked.body.clone();
        assert_eq!(request["params"]["_meta"]["mobkit/call"], "call-7-1");
        let events = asked.events();
        let token = &request["params"]["_meta"]["progressToken"];
        let step = json!({ "progressToken": token, "progress": 1, "message": "boiling" });
        events.notify("notifications/progress", step).await;
        let boiling = Heard::Progress(id(7), "boiling (1)".to_owned());
        assert_eq!(heard.recv().await, Some(boiling));
        events.answer(&request, says("done")).await;
    });
    assert_eq!(made, Ok("done".to_owned()));
    client.close().await;
    assert!(web.is_idle(), "nothing is left to be said");
    alone().await;
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_closes_its_stream() {
    let mut web = Web::start();
    let (client, _heard) = modern(&mut web).await;
    // Before the answer begins, and after.
    let asked = tokio::select! {
        _ = client.call(call(1)) => panic!("it is not answered"),
        asked = web.expect("tools/call") => asked,
    };
    asked.abandoned().await;
    let making = client.call(call(2));
    let events = tokio::select! {
        _ = making => panic!("it is not answered"),
        events = async {
            let asked = web.expect("tools/call").await;
            let events = asked.events();
            events.notify("notifications/message", json!({ "level": "info", "data": 1 })).await;
            events
        } => events,
    };
    events.abandoned().await;
    let (probed, ()) = tokio::join!(client.probe(), async {
        // The next request is this one: nothing was said of a cancellation.
        web.expect("server/discover")
            .await
            .answer(discovery(&json!({})));
    });
    assert_eq!(probed, Ok(()));
}

#[tokio::test]
async fn a_sign_of_life_waits_for_no_call_and_holds_none_up() {
    let mut web = Web::start();
    let (client, _heard) = modern(&mut web).await;
    let ((), first, probed, second) = tokio::join!(
        async {
            let one = web.expect("tools/call").await;
            let probe = web.expect("server/discover").await;
            let two = web.expect("tools/call").await;
            two.answer(says("second"));
            one.answer(says("first"));
            probe.refuse(200, json!({ "code": -32603, "message": "busy" }));
        },
        client.call(call(1)),
        client.probe(),
        client.call(call(2)),
    );
    assert_eq!(
        (first.as_deref(), second.as_deref()),
        (Ok("first"), Ok("second"))
    );
    assert_eq!(probed, Ok(()));
}

#[tokio::test]
async fn input_is_given_with_the_next_request() {
    let mut web = Web::start();
    let answers = vec![Some(json!({ "n": 3 }))];
    let play = async |web: &mut Web| web.discovered(&json!({ "tools": {} })).await;
    let (client, (), _heard) = meet(&mut web, &[], answers, play).await;
    let client = client.expect("connected");
    let (made, ()) = tokio::join!(client.call(call(7)), async {
        let params = json!({
            "mode": "form", "message": "How many?",
            "requestedSchema": { "type": "object", "properties": { "n": { "type": "integer" } } },
        });
        let form = json!({ "method": "elicitation/create", "params": params });
        web.expect("tools/call").await.answer(json!({
            "resultType": "input_required",
            "inputRequests": { "a": form },
            "requestState": "state-1",
        }));
        let again = web.expect("tools/call").await;
        let params = &again.body["params"];
        assert_eq!(params["requestState"], "state-1");
        assert_eq!(params["inputResponses"]["a"]["content"], json!({ "n": 3 }));
        again.answer(says("three"));
    });
    assert_eq!(made, Ok("three".to_owned()));
}

#[tokio::test]
async fn word_of_changed_tools_comes_on_a_stream_that_is_opened_again() {
    let mut web = Web::start();
    let capabilities = json!({ "tools": { "listChanged": true } });
    let play = async |web: &mut Web| web.discovered(&capabilities).await;
    let (client, (), mut heard) = meet(&mut web, &[], Vec::new(), play).await;
    let client = client.expect("connected");
    for again in [false, true] {
        let asked = web.expect("subscriptions/listen").await;
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": asked.body["id"] });
        let only_tools = json!({ "toolsListChanged": true });
        let events = asked.events();
        let ack = json!({ "notifications": only_tools, "_meta": meta });
        events
            .notify("notifications/subscriptions/acknowledged", ack)
            .await;
        if again {
            assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
        }
        events
            .notify("notifications/tools/list_changed", json!({ "_meta": meta }))
            .await;
        assert_eq!(heard.recv().await, Some(Heard::ToolsChanged));
    }
    client.close().await;
    alone().await;
}

/// Has `server/discover` answered in a way that leads to the era before.
async fn falls_back(answer: impl FnOnce(super::web::Asked)) {
    let mut web = Web::start();
    let (client, _beside, _heard) = meet(&mut web, &[], Vec::new(), async |web| {
        answer(web.expect("server/discover").await);
        web.greeted("s1").await
    })
    .await;
    let client = client.expect("connected");
    assert_eq!(client.protocol(), "mcp 2025-11-25 (shop 1.2)");
}

#[tokio::test]
async fn what_is_no_answer_of_the_newer_era_leads_to_the_one_before() {
    let unknown = || json!({ "code": -32601, "message": "Method not found" });
    falls_back(|asked| asked.status(400, "no session")).await;
    falls_back(|asked| asked.status(404, "")).await;
    falls_back(|asked| asked.status(405, "")).await;
    falls_back(|asked| asked.status(500, "<h1>Oops</h1>")).await;
    falls_back(|asked| asked.refuse(200, unknown())).await;
    falls_back(|asked| asked.refuse(404, unknown())).await;
    falls_back(|asked| asked.refuse(500, unknown())).await;
    falls_back(|asked| asked.text(200, "text/html", "<h1>Shop</h1>".to_owned())).await;
    falls_back(|asked| asked.text(200, "application/json", "{}".to_owned())).await;
    falls_back(|asked| drop(asked.events())).await;
    let id_of_nobody = json!({ "jsonrpc": "2.0", "id": "server-error", "error": unknown() });
    let text = id_of_nobody.to_string();
    falls_back(|asked| asked.text(400, "application/json", text)).await;
    let before = json!({ "code": -32022, "message": "x", "data": { "supported": ["2025-11-25"] } });
    falls_back(|asked| asked.refuse(400, before)).await;
}

#[tokio::test]
async fn giving_up_in_the_beginning_leaves_nothing() {
    // Silence, an answer that does not go on, and silence in the words of the era before.
    for stage in 0..3 {
        let mut web = Web::start();
        let play = async |web: &mut Web| {
            let asked = web.expect("server/discover").await;
            match stage {
                0 => Err(asked),
                1 => Ok(asked.events()),
                _ => {
                    asked.status(404, "");
                    Err(web.expect("initialize").await)
                }
            }
        };
        let (asking, asked) = tokio::sync::oneshot::channel();
        let meeting = meet(&mut web, &[], Vec::new(), async |web| {
            let _ = asking.send(play(web).await);
            std::future::pending::<()>().await;
        });
        let asked = tokio::select! {
            _ = meeting => unreachable!("it is not answered"),
            asked = asked => asked.expect("asked"),
        };
        match asked {
            Ok(events) => events.abandoned().await,
            Err(asked) => asked.abandoned().await,
        }
        alone().await;
    }
}

#[tokio::test]
async fn silence_leads_to_the_era_before() {
    let mut web = Web::start();
    let (client, _beside, _heard) = meet(&mut web, &[], Vec::new(), async |web| {
        let asked = web.expect("server/discover").await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(11)).await;
        tokio::time::resume();
        asked.abandoned().await;
        web.greeted("s1").await
    })
    .await;
    let client = client.expect("connected");
    assert_eq!(client.protocol(), "mcp 2025-11-25 (shop 1.2)");
}

/// Why no conversation comes about where `server/discover` is answered like this, and nothing else
/// is asked.
async fn fails(headers: &[(&str, &str)], answer: impl FnOnce(super::web::Asked)) -> String {
    let mut web = Web::start();
    let (client, (), _heard) = meet(&mut web, headers, Vec::new(), async |web| {
        answer(web.expect("server/discover").await);
    })
    .await;
    assert!(web.is_idle());
    match client.err() {
        Some(ClientError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_error_of_the_newer_era_is_no_reason_to_fall_back() {
    let error = json!({ "code": -32021, "message": "sampling is required" });
    let text = fails(&[], |asked| asked.refuse(400, error)).await;
    assert_eq!(
        text,
        "it refuses to begin: sampling is required (code -32021)"
    );
    let error = json!({ "code": -32022, "message": "x", "data": { "supported": ["2099-01-01"] } });
    let text = fails(&[], |asked| asked.refuse(400, error)).await;
    assert_eq!(text, "it speaks no known version of MCP: 2099-01-01");
    let challenge = "Bearer resource_metadata=\"https://shop.example/meta\"";
    let text = fails(&[], |asked| {
        asked.with_header(401, "www-authenticate", challenge);
    })
    .await;
    assert_eq!(text, "the server wants other credentials (HTTP 401)");
    let text = fails(&[], |asked| {
        asked.with_header(403, "www-authenticate", challenge);
    })
    .await;
    assert_eq!(text, "the credentials do not suffice (HTTP 403)");
}

/// Why no conversation comes about where every request is answered like this.
async fn fails_always(status: u16, words: &str) -> String {
    let mut web = Web::start();
    let headers = [
        ("X-Key", "hush-hush-9"),
        ("Authorization", "Bearer sesame-open-1"),
    ];
    let (client, (), _heard) = meet(&mut web, &headers, Vec::new(), async |web| {
        web.expect("server/discover").await.status(status, words);
        web.expect("initialize").await.status(status, words);
    })
    .await;
    match client.err() {
        Some(ClientError::Refused(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn failures_are_told_in_one_line_without_the_headers() {
    let echo = "you sent\n  hush-hush-9\n and Bearer sesame-open-1, i.e. sesame-open-1";
    for (status, words) in [
        (401, "401 Unauthorized"),
        (403, "403 Forbidden"),
        (404, "404 Not Found"),
    ] {
        let text = fails_always(status, echo).await;
        let shown = "you sent [secret] and [secret], i.e. [secret]";
        assert_eq!(text, format!("the server answered HTTP {words}: {shown}"));
    }
    assert_eq!(
        fails_always(502, echo).await,
        "the server answered HTTP 502"
    );
    let long = fails_always(400, &"x".repeat(10_000)).await;
    assert!(long.chars().count() <= 301, "{long}");
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_as_such() {
    let html = || "<h1>Shop</h1>".to_owned();
    for (kind, body, text) in [
        (
            "text/html",
            html(),
            "the answer of the server is not MCP: text/html",
        ),
        (
            "text/event-stream",
            html(),
            "the answers of the server can't be followed",
        ),
        (
            "application/json",
            html(),
            "the answer of the server is not MCP: could not parse",
        ),
    ] {
        let mut web = Web::start();
        let (client, (), _heard) = meet(&mut web, &[], Vec::new(), async |web| {
            for method in ["server/discover", "initialize"] {
                web.expect(method).await.text(200, kind, body.clone());
            }
        })
        .await;
        let error = client.err().expect("not connected").to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_as_such() {
    let mut web = Web::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("an address");
    drop(port);
    web.url = format!("http://{address}/mcp?key=in-the-address");
    let (client, (), _heard) = meet(&mut web, &[], Vec::new(), async |_| ()).await;
    let text = client.err().expect("not connected").to_string();
    assert!(text.starts_with("the server can't be reached: "), "{text}");
    assert!(!text.contains("in-the-address"), "{text}");
}

#[tokio::test]
async fn headers_that_can_t_be_sent_are_refused_by_name() {
    let mut web = Web::start();
    for (name, value, text) in [
        (
            "Accept",
            "hush-hush-9",
            "the header `Accept` belongs to the protocol",
        ),
        ("X Key", "hush-hush-9", "`X Key` is no name of a header"),
        (
            "X-Key",
            "hush\n9",
            "the value of the header `X-Key` can't be sent",
        ),
    ] {
        let (client, (), _heard) = meet(&mut web, &[(name, value)], Vec::new(), async |_| ()).await;
        assert_eq!(client.err(), Some(ClientError::Refused(text.to_owned())));
    }
    assert!(web.is_idle());
}

/// What comes of a call that is answered like this.
async fn made(answer: impl FnOnce(super::web::Asked)) -> Result<String, ClientError> {
    let mut web = Web::start();
    let (client, _heard) = modern(&mut web).await;
    let (made, ()) = tokio::join!(client.call(call(1)), async {
        answer(web.expect("tools/call").await);
    });
    // Whatever came of it, the conversation goes on.
    let (again, ()) = tokio::join!(client.call(call(2)), async {
        web.expect("tools/call").await.answer(says("done"));
    });
    assert_eq!(again, Ok("done".to_owned()));
    made
}

#[tokio::test]
async fn a_call_that_was_turned_away_is_refused_and_one_without_an_answer_is_lost() {
    let refused = |text: &str| Err(ClientError::Refused(text.to_owned()));
    let lost = |text: &str| Err(ClientError::Lost(text.to_owned()));
    let got = made(|asked| asked.refuse(400, json!({ "code": -32602, "message": "no" }))).await;
    assert_eq!(got, refused("no (code -32602)"));
    let got = made(|asked| asked.status(404, "no such page")).await;
    assert_eq!(
        got,
        refused("the server answered HTTP 404 Not Found: no such page")
    );
    let got = made(|asked| asked.with_header(401, "www-authenticate", "Bearer")).await;
    assert_eq!(
        got,
        refused("the server wants other credentials (HTTP 401)")
    );
    let got = made(|asked| asked.with_header(429, "retry-after", "5")).await;
    assert_eq!(got, refused("the server answered HTTP 429"));
    let got = made(|asked| asked.status(500, "oops")).await;
    assert_eq!(got, lost("the server answered HTTP 500"));
    let got = made(|asked| asked.text(200, "text/html", "<h1>".to_owned())).await;
    assert_eq!(got, lost("the answer of the server is not MCP: text/html"));
    let got = made(|asked| drop(asked.events())).await;
    assert_eq!(got, lost("the connection broke before the answer came"));
    let large = format!("\"{}\"", "x".repeat(17 * 1024 * 1024));
    let got = made(|asked| asked.text(200, "application/json", large)).await;
    let text = "the answer is larger than 16 MiB";
    assert_eq!(got, Err(ClientError::Failed(text.to_owned())));
}

#[tokio::test]
async fn a_call_of_a_server_that_is_gone_was_not_made() {
    let mut web = Web::start();
    let (client, _heard) = modern(&mut web).await;
    drop(web);
    // The port is free as soon as the thread of the server has ended.
    let got = loop {
        match client.call(call(1)).await {
            Err(ClientError::Refused(text)) => break text,
            Err(ClientError::Lost(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(got.starts_with("the server can't be reached: "), "{got}");
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_server_and_nowhere_else() {
    let mut web = Web::start();
    let mut elsewhere = Web::start();
    let (client, (), _heard) = meet(&mut web, &[("X-Key", "hush-hush-9")], vec![], async |web| {
        let asked = web.expect("server/discover").await;
        asked.with_header(307, "location", "/moved");
        let asked = web.expect("server/discover").await;
        assert_eq!(
            (asked.path.as_str(), asked.header("x-key")),
            ("/moved", "hush-hush-9")
        );
        asked.answer(discovery(&json!({ "tools": {} })));
    })
    .await;
    let client = client.expect("connected");
    for (status, location) in [(307, elsewhere.url.as_str()), (302, "/moved")] {
        let (made, ()) = tokio::join!(client.call(call(1)), async {
            let asked = web.expect("tools/call").await;
            asked.with_header(status, "location", location);
        });
        let Err(ClientError::Lost(text)) = made else {
            panic!("{made:?}");
        };
        let words = format!("the server answered HTTP {status}");
        assert!(text.starts_with(&words), "{text}");
    }
    assert!(web.is_idle() && elsewhere.is_idle());
}

#[tokio::test]
async fn a_server_without_sessions_is_spoken_to_without() {
    let mut web = Web::start();
    let (client, (), _heard) = meet(&mut web, &[], Vec::new(), async |web| {
        web.expect("server/discover").await.status(404, "");
        web.expect("initialize").await.answer(welcome("2025-06-18"));
        web.expect("notifications/initialized")
            .await
            .status(202, "");
    })
    .await;
    let client = client.expect("connected");
    let (made, ()) = tokio::join!(client.call(call(1)), async {
        let asked = web.expect("tools/call").await;
        assert_eq!(asked.header("mcp-protocol-version"), "2025-06-18");
        assert_eq!(asked.headers.get("mcp-session-id"), None);
        let meta = &asked.body["params"]["_meta"];
        assert_eq!(meta.get("io.modelcontextprotocol/protocolVersion"), None);
        asked.answer(says("done"));
    });
    assert_eq!(made, Ok("done".to_owned()));
    client.close().await;
    assert!(web.is_idle());
}
