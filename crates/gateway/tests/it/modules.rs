//! Modules: how they are, and what operators do with them.

use crate::kit::{MOB, Options, Server};
use futures::{FutureExt, join};
use mobkit_domain::command::{Command, ModuleCommand};
use mobkit_domain::event::{Event, ModuleLog};
use mobkit_domain::id::ModuleId;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const MODULES: &str = r#"
[[modules]]
id = "web"
transport = "mcp-http"
url = "https://tools.example.com/mcp"
headers = { Authorization = { env = "WEB_TOKEN" }, X-Mode = "a-mode-of-the-tests" }
start = "lazy"
[[modules]]
id = "search"
transport = "json-lines"
command = ["python3", "search.py"]
env = { API_TOKEN = { env = "SEARCH_TOKEN" }, MODE = "another-mode-of-the-tests" }
effects = { "look" = "idempotent" }
restart = { policy = "on-failure", intensity = 2, period = "1m", backoff = ["1s", "4s"] }
pin = true
[[gates]]
tool = "module:search/l*"
members = ["ada"]
action = "review"
"#;

fn options() -> Options {
    let offering = MOB.replacen("\"pay\"", "\"pay\", \"module:search/*\"", 1);
    Options {
        mob: Some(format!("{offering}{MODULES}")),
        pays: true,
        ..Options::default()
    }
}

/// A mob with modules, once both have come to rest.
async fn up() -> Server {
    let server = Server::with(options()).await;
    healthy(&server, 2).await;
    server
}

async fn healthy(server: &Server, count: usize) {
    let mut seen = 0;
    server
        .until(|event| {
            seen += usize::from(matches!(event, Event::ModuleHealthy(_)));
            seen == count
        })
        .await;
}

async fn module(server: &Server, id: &str) -> Value {
    server.call("module/get", json!({"module": id})).await
}

#[tokio::test(start_paused = true)]
async fn every_module_of_the_definition_is_listed() {
    let server = up().await;
    let listed = server.call("module/list", json!({})).await;
    let tools = json!(["ask", "fail", "look", "lose", "wait"]);
    let expected = json!({"modules": [
        {
            "id": "search", "state": "healthy", "pid": 4711, "restarts": 0,
            "since": "2025-11-22T06:00:00.000Z", "tools": tools, "transport": "json-lines",
            "protocol": "json-lines", "start": "eager",
        },
        {
            "id": "web", "state": "healthy", "pid": 4711, "restarts": 0,
            "since": "2025-11-22T06:00:00.000Z", "tools": tools, "transport": "mcp-http",
            "protocol": "json-lines", "start": "lazy",
        },
    ]});
    assert_eq!(listed, expected);
    let page = server.call("module/list", json!({"limit": 1})).await;
    let rest = json!({"cursor": page["next_cursor"]});
    let rest = server.call("module/list", rest).await;
    assert_eq!(page["modules"][0], expected["modules"][0]);
    assert_eq!(rest, json!({"modules": [expected["modules"][1]]}));
}

#[tokio::test(start_paused = true)]
async fn one_that_has_never_run_is_listed_as_stopped() {
    let server = Server::with(Options {
        starting: true,
        ..options()
    })
    .await;
    let listed = server.call("module/list", json!({})).await;
    let expected = json!({
        "id": "search", "state": "stopped", "restarts": 0, "since": "2025-11-22T06:00:00.000Z",
        "tools": [], "transport": "json-lines", "start": "eager",
    });
    assert_eq!(listed["modules"][0], expected);
}

#[tokio::test(start_paused = true)]
async fn all_of_a_module_is_shown_but_its_settings() {
    let server = up().await;
    let found = module(&server, "search").await;
    assert_eq!(found["command"], json!(["python3", "search.py"]));
    assert_eq!(
        (&found["pin"], &found["held"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(found["changed"], json!([]));
    let look = &found["definitions"][2];
    assert_eq!(
        (&look["name"], &look["effect"], &look["schema"]),
        (
            &json!("look"),
            &json!("idempotent"),
            &json!({"type": "object"})
        )
    );
    assert!(look["hash"].as_str().is_some_and(|hash| !hash.is_empty()));
    let web = module(&server, "web").await;
    assert_eq!(web["command"], json!(["https://tools.example.com/mcp"]));
    assert_eq!(web["idle_stop_ms"], 300_000);
    let listed = server.call("module/list", json!({})).await;
    for shown in [found.to_string(), web.to_string(), listed.to_string()] {
        for hidden in ["TOKEN", "Authorization", "mode-of-the-tests"] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
    }
    let missing = json!({"module": "serch"});
    let refused = server
        .refused("module/get", missing, (404, "module.not_found"))
        .await;
    assert_eq!(refused["hint"], "did you mean `search`?");
}

#[tokio::test(start_paused = true)]
async fn an_operator_stops_starts_and_restarts_a_module() {
    let server = up().await;
    let search = json!({"module": "search"});
    let stopped = server.call("module/stop", search.clone()).await;
    assert_eq!(
        (&stopped["module"], &stopped["state"]),
        (&json!("search"), &json!("stopped"))
    );
    assert!(stopped["seq"].is_u64());
    let found = module(&server, "search").await;
    assert_eq!(
        (&found["held"], &found["tools"][2]),
        (&json!(true), &json!("look"))
    );
    assert!(found.get("pid").is_none());
    let started = server.call("module/start", search.clone()).await;
    assert_eq!(started["state"], "healthy");
    let again = server.call("module/start", search.clone()).await;
    assert_eq!(again["state"], "healthy");
    let restarted = server.call("module/restart", json!({"id": "search"})).await;
    assert_eq!(restarted["state"], "healthy");
    let journal = server.journal().await;
    let kinds = journal.iter().map(|event| event.event.kind());
    assert_eq!(kinds.filter(|kind| *kind == "module.starting").count(), 4);
    for verb in ["start", "stop", "restart"] {
        let missing = json!({"module": "nobody"});
        server
            .refused(
                &format!("module/{verb}"),
                missing,
                (404, "module.not_found"),
            )
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_says_so_and_its_policy_goes_on() {
    let server = up().await;
    let search = json!({"module": "search"});
    server.call("module/stop", search.clone()).await;
    server.runner.modules.broken.store(true, Ordering::Relaxed);
    let failed = server.call("module/start", search.clone()).await;
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&json!("restarting"), &json!("it exited with 1"))
    );
    server
        .until(|event| matches!(event, Event::ModuleQuarantined(_)))
        .await;
    let found = module(&server, "search").await;
    assert_eq!(
        (&found["state"], &found["restarts"]),
        (&json!("quarantined"), &json!(2))
    );
    assert_eq!(found["recent_restarts"].as_array().map(Vec::len), Some(2));
    server.runner.modules.broken.store(false, Ordering::Relaxed);
    let started = server.call("module/start", search).await;
    assert_eq!(started["state"], "healthy");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_for_ever_is_answered_all_the_same() {
    let server = up().await;
    server.runner.modules.silent.store(true, Ordering::Relaxed);
    let restarted = server
        .call("module/restart", json!({"module": "search"}))
        .await;
    assert_eq!(restarted["state"], "starting");
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_called_and_its_result_comes_back() {
    let server = up().await;
    let call = |tool: &str, args: Value| json!({"module": "search", "tool": tool, "args": args});
    let answer = server
        .call("module/call", call("look", json!({"q": 1})))
        .await;
    assert_eq!(answer["result"], json!({"seen": {"q": 1}}));
    let plain = server
        .call("module/call", call("look", json!({"plain": true})))
        .await;
    assert_eq!(plain["result"], "seen");
    let without = json!({"module": "search", "tool": "look"});
    let without = server.call("module/call", without).await;
    assert_eq!(without["result"], json!({"seen": {}}));
    let started = server
        .journal()
        .await
        .into_iter()
        .find_map(|event| match event.event {
            Event::ToolStarted(e) => Some(json!([e.call, e.turn, e.tool])),
            _ => None,
        });
    assert_eq!(
        started,
        Some(json!([answer["call"], null, "module:search/look"]))
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_result_says_why() {
    let server = up().await;
    for (params, expected) in [
        (json!({"tool": "fail"}), (503, "tool.failed")),
        (json!({"tool": "lose"}), (503, "tool.unknown")),
        (json!({"tool": "lok"}), (404, "tool.not_found")),
        (
            json!({"tool": "look", "args": [1]}),
            (400, "tool.bad_arguments"),
        ),
        (
            json!({"tool": "look", "module": "x"}),
            (404, "module.not_found"),
        ),
        (
            json!({"tool": "look", "arg": {}}),
            (400, "params.unknown_field"),
        ),
    ] {
        let mut call = json!({"module": "search"});
        for (name, value) in params.as_object().expect("an object") {
            call[name] = value.clone();
        }
        let refused = server.refused("module/call", call, expected).await;
        assert!(refused["detail"].is_string());
        assert_eq!(refused["call"].is_string(), expected.0 == 503);
    }
    server
        .call("module/stop", json!({"module": "search"}))
        .await;
    let call = json!({"module": "search", "tool": "look"});
    server
        .refused("module/call", call, (503, "module.unavailable"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_on_when_its_caller_goes_away() {
    let server = up().await;
    let params = json!({"module": "search", "tool": "wait", "key": "k"});
    {
        let mut call = server.call("module/call", params.clone()).boxed_local();
        let begun = server.until(|event| matches!(event, Event::ToolStarted(_)));
        tokio::select! {
            answer = &mut call => panic!("{answer}"),
            () = begun => {}
        }
    }
    let found = module(&server, "search").await;
    assert_eq!(found["calls"].as_array().map(Vec::len), Some(1));
    server.runner.modules.gate.notify_one();
    server
        .until(|event| matches!(event, Event::ToolFinished(_)))
        .await;
    // The same key gets the outcome of the call that was made.
    let (first, second) = join!(
        server.call("module/call", params.clone()),
        server.call("module/call", params)
    );
    assert_eq!(first["result"], "waited");
    assert_eq!(first, second);
    assert_eq!(module(&server, "search").await["calls"], json!([]));
}

async fn log(server: &Server, number: u64, dropped: u64) {
    let lines = (0..3).map(|line| format!("{number}-{line}")).collect();
    let module = ModuleId::parse("search").expect("an id");
    let log = ModuleLog {
        module,
        lines,
        dropped,
        forgotten: 0,
    };
    let command = Command::Module(ModuleCommand::Logged(log));
    server
        .engine
        .submit_internal(command)
        .await
        .expect("logged");
}

fn texts(answer: &Value) -> Vec<&str> {
    let lines = answer["lines"].as_array().expect("lines").iter();
    lines
        .map(|line| line["line"].as_str().expect("a text"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_module_wrote_is_read_from_its_end_and_then_on() {
    let server = up().await;
    let nothing = server.call("module/log", json!({"module": "web"})).await;
    assert_eq!(nothing["lines"], json!([]));
    for number in 0..10 {
        log(&server, number, 0).await;
    }
    let newest = server
        .call("module/log", json!({"module": "search", "limit": 4}))
        .await;
    assert_eq!(texts(&newest), ["8-0", "8-1", "8-2", "9-0", "9-1", "9-2"]);
    assert_eq!(newest["lines"][0]["time"], "2025-11-22T06:00:00.000Z");
    let from = newest["next_after"].clone();
    let next = json!({"module": "search", "after": from});
    let none = server.call("module/log", next.clone()).await;
    assert_eq!(none["lines"], json!([]));
    log(&server, 10, 7).await;
    let more = server.call("module/log", next).await;
    assert_eq!(texts(&more), ["10-0", "10-1", "10-2"]);
    assert_eq!(more["lines"][0]["dropped"], 7);
    assert!(more["lines"][1].get("dropped").is_none());

    let (mut all, mut after) = (Vec::new(), json!(0));
    loop {
        let params = json!({"module": "search", "after": after, "limit": 5});
        let page = server.call("module/log", params).await;
        if texts(&page).is_empty() {
            break;
        }
        all.extend(texts(&page).into_iter().map(str::to_owned));
        after = page["next_after"].clone();
    }
    assert_eq!(all.len(), 33);
    assert_eq!((all[0].as_str(), all[32].as_str()), ("0-0", "10-2"));
    server
        .refused(
            "module/log",
            json!({"module": "x"}),
            (404, "module.not_found"),
        )
        .await;
    let ahead = json!({"module": "search", "after": 1_000_000});
    server
        .refused("module/log", ahead, (409, "cursor_ahead"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn tools_are_listed_with_who_may_call_them_and_what_guards_them() {
    let server = up().await;
    let listed = server
        .call("module/tools", json!({"module": "search"}))
        .await;
    let tools = listed["tools"].as_array().expect("tools");
    let names: Vec<&Value> = tools.iter().map(|tool| &tool["tool"]).collect();
    assert_eq!(
        names,
        [
            "module:search/ask",
            "module:search/fail",
            "module:search/look",
            "module:search/lose",
            "module:search/wait"
        ]
    );
    let hash = tools[2]["hash"].clone();
    let look = json!({
        "tool": "module:search/look", "module": "search", "name": "look", "description": "",
        "effect": "idempotent", "hash": hash, "members": ["ada", "bob"],
        "gates": [{"tool": "module:search/l*", "action": "review", "members": ["ada"]}],
    });
    assert_eq!(tools[2], look);
    assert_eq!(
        (&tools[1]["gates"], &tools[1]["effect"]),
        (&json!([]), &json!("read"))
    );
    let all = server.call("module/tools", json!({"limit": 6})).await;
    assert_eq!(all["tools"][5]["tool"], "module:web/ask");
    assert_eq!(all["tools"][5]["members"], json!([]));
    let rest = json!({"cursor": all["next_cursor"]});
    let rest = server.call("module/tools", rest).await;
    assert_eq!(rest["tools"].as_array().map(Vec::len), Some(4));
    server
        .refused(
            "module/tools",
            json!({"id": "x"}),
            (404, "module.not_found"),
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_definition_is_shown_from_both_sides() {
    let server = up().await;
    let described = server.runner.modules.description.lock();
    "Looks further.".clone_into(&mut described.expect("not poisoned"));
    server
        .call("module/restart", json!({"module": "search"}))
        .await;
    let found = module(&server, "search").await;
    let changed = &found["changed"][0];
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("look"), &json!("Looks further."))
    );
    assert_eq!(changed["before"], found["definitions"][2]["hash"]);
    let tools = server
        .call("module/tools", json!({"module": "search"}))
        .await;
    assert_eq!(tools["tools"][2]["changed"], changed["hash"]);

    let send = json!({"to": "bob", "content": "use module:search/look"});
    server.call("member/send", send).await;
    server
        .until(|event| matches!(event, Event::ApprovalRequested(_)))
        .await;
    let listed = server.call("approval/list", json!({})).await;
    let id = json!({"id": listed["approvals"][0]["id"]});
    let asked = server.call("approval/get", id.clone()).await;
    assert_eq!(
        (&asked["about"], &asked["before"], &asked["after"]),
        (&json!("definition"), &changed["before"], &changed["hash"])
    );
    let sides = &asked["definitions"];
    assert_eq!(
        (
            &sides["before"]["description"],
            &sides["after"]["description"]
        ),
        (&json!(""), &json!("Looks further."))
    );
    let decide = json!({"id": asked["id"], "digest": asked["digest"], "decision": "approve"});
    server.call("approval/decide", decide).await;
    server
        .until(|event| matches!(event, Event::TurnCompleted(_)))
        .await;
    assert_eq!(module(&server, "search").await["changed"], json!([]));
    // What was pinned before is still found, in the journal.
    assert_eq!(server.call("approval/get", id).await["definitions"], *sides);
}

#[tokio::test(start_paused = true)]
async fn a_question_of_a_module_is_answered_by_a_decision() {
    let server = up().await;
    for (decision, expected) in [
        (
            json!({"decision": "approve", "args": {"name": "Ada"}}),
            json!({"name": "Ada"}),
        ),
        (json!({"decision": "deny"}), Value::Null),
    ] {
        let ask = json!({"to": "bob", "content": "use module:search/ask", "timeout_ms": 100});
        let waiting = server.call("member/ask", ask).await;
        assert_eq!(waiting["status"], "waiting");
        let asked = json!({"approval": waiting["approval"]});
        let asked = server.call("approval/get", asked).await;
        assert_eq!(
            (
                &asked["about"],
                &asked["message"],
                &asked["schema"]["required"]
            ),
            (
                &json!("elicitation"),
                &json!("Whose is it?"),
                &json!(["name"])
            )
        );
        let mut decide = json!({"id": asked["id"], "digest": asked["digest"]});
        decide["decision"] = json!("approve");
        decide["args"] = json!({"name": 7});
        server
            .refused(
                "approval/decide",
                decide.clone(),
                (400, "approval.bad_args"),
            )
            .await;
        decide.as_object_mut().expect("an object").remove("args");
        for (name, value) in decision.as_object().expect("an object") {
            decide[name] = value.clone();
        }
        server.call("approval/decide", decide).await;
        server
            .until(
                |event| matches!(event, Event::TurnCompleted(e) if json!(e.turn) == asked["turn"]),
            )
            .await;
        let kept = json!({"approval": asked["id"]});
        let kept = server.call("approval/get", kept).await;
        assert_eq!(kept["decided_args"], expected);
    }
}
