//! A mob whose models live at three providers, of which two fail.

use crate::kit::{ask, definition, text_of};
use crate::receiver::beside;
use mobkit::event::{Event, EventFilter};
use mobkit::model::Cost;
use mobkit::row::TurnStatus;
use mobkit::{MemoryStore, Mob, MobBuilder};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a provider says to the next call, and to all after the last of them.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// A status with a wait that nobody waits.
    Busy(&'static str),
    /// Half an answer.
    Cut(&'static str),
    /// A whole answer.
    Whole(&'static str),
}

/// A server of one model; the paths of the requests that it got.
async fn provider(says: Vec<Says>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let paths: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&paths);
    beside(async move {
        let mut at = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let now = says[at.min(says.len() - 1)];
            at += 1;
            // Whoever calls may go away in the middle.
            if let Ok(path) = answer(stream, now).await {
                seen.lock().expect("not poisoned").push(path);
            }
        }
    });
    (format!("http://{address}/v1"), paths)
}

async fn answer(mut stream: TcpStream, says: Says) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let path = loop {
        let mut part = [0; 4_096];
        let count = stream.read(&mut part).await?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let mut lengths = head
                .lines()
                .filter_map(|l| l.strip_prefix("content-length: "));
            let length = lengths.next().and_then(|length| length.trim().parse().ok());
            body.len() >= length.unwrap_or(0)
        });
        if whole || count == 0 {
            break text.split(' ').nth(1).unwrap_or_default().to_owned();
        }
    };
    let (status, more, body) = match says {
        Says::Busy(status) => (status, "retry-after: 700\r\n", "{}"),
        Says::Cut(body) => ("200 OK", "content-length: 100000\r\n", body),
        Says::Whole(body) => ("200 OK", "", body),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}content-type: text/event-stream\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(path)
}

const OPEN_AI: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"by openai\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":7,",
    "\"total_tokens\":1007,\"prompt_tokens_details\":{\"cached_tokens\":400}}}\n\n",
    "data: [DONE]\n\n",
);
const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{",
    "\"input_tokens\":10,\"cache_creation_input_tokens\":300,\"cache_read_input_tokens\":50,",
    "\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"by anthropic\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",",
    "\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const GEMINI: &str = concat!(
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"by gemini\"}]},",
    "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":20,",
    "\"candidatesTokenCount\":2,\"totalTokenCount\":22}}\n\n",
);
const CUT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"by op\"}}]}\n\n";

async fn mob(open_ai: &str, anthropic: &str, gemini: &str) -> Mob {
    let text = format!(
        r#"
        [mob]
        id = "test"
        [models.main]
        provider = "openai"
        model = "large"
        base_url = "{open_ai}"
        api_key = {{ env = "KEY" }}
        fallback = ["second", "third"]
        price = {{ input = 1.25, output = 10.0, cached_input = 0.125 }}
        [models.second]
        provider = "anthropic"
        model = "claude-sonnet-5"
        base_url = "{anthropic}"
        api_key = {{ env = "KEY" }}
        price = {{ input = 3.0, output = 15.0, cached_input = 0.3, cache_creation = 3.75 }}
        [models.third]
        provider = "gemini"
        model = "gemini-3-flash"
        base_url = "{gemini}"
        api_key = {{ env = "KEY" }}
        price = {{ input = 0.3, output = 2.5 }}
        [profiles.worker]
        model = "main"
        instructions = "Work."
        [[members]]
        id = "worker"
        profile = "worker"
        "#
    );
    MobBuilder::new(definition(&text, ""))
        .store(Arc::new(MemoryStore::new()))
        .variables(|name| (name == "KEY").then(|| "sk-Zq81xVwP0".to_owned()))
        .start()
        .await
        .expect("started")
}

#[tokio::test]
async fn three_providers_answer_for_each_other_and_every_dollar_is_counted() {
    let busy = Says::Busy("429 Too Many Requests");
    let (open_ai, asked) = provider(vec![Says::Cut(CUT), Says::Whole(OPEN_AI), busy]).await;
    let down = Says::Busy("503 Service Unavailable");
    let (anthropic, asked_second) = provider(vec![Says::Whole(ANTHROPIC), down]).await;
    let (gemini, asked_third) = provider(vec![Says::Whole(GEMINI)]).await;
    let mob = mob(&open_ai, &anthropic, &gemini).await;
    let mut sum = Cost::default();
    for (text, nano) in [
        ("by openai", 600 * 1_250 + 400 * 125 + 7 * 10_000),
        (
            "by anthropic",
            10 * 3_000 + 300 * 3_750 + 50 * 300 + 3 * 15_000,
        ),
        ("by gemini", 20 * 300 + 2 * 2_500),
    ] {
        let turn = ask(&mob, "worker", "work").await;
        assert_eq!((turn.status, text_of(&turn)), (TurnStatus::Completed, text));
        assert_eq!(turn.cost_usd, Some(Cost(nano)), "{text}");
        sum += Cost(nano);
    }
    let engine = mob.engine();
    let worker = crate::kit::member("worker");
    let counted = engine.view(|world| world.state.members[&worker].cost_usd());
    assert_eq!(counted, Some(sum));
    let events = engine
        .events_between(0, engine.head(), &EventFilter::default())
        .await
        .expect("events");
    let told: Vec<String> = events
        .iter()
        .filter_map(|event| match &event.envelope.event {
            Event::ModelReplied(e) => Some(format!("{} answered", e.model)),
            Event::ModelFailed(e) => Some(match &e.fallback {
                Some(next) => format!("{} gave up for {next}", e.model),
                None => format!("{} failed", e.model),
            }),
            _ => None,
        })
        .collect();
    let expected = [
        "main failed",
        "main answered",
        "main gave up for second",
        "second answered",
        "main gave up for second",
        "second gave up for third",
        "third answered",
    ];
    assert_eq!(told, expected);
    let paths = |seen: &Mutex<Vec<String>>| seen.lock().expect("not poisoned").clone();
    assert_eq!(paths(&asked).len(), 4);
    assert_eq!(paths(&asked)[0], "/v1/chat/completions");
    assert_eq!(paths(&asked_second), ["/v1/messages", "/v1/messages"]);
    let path = "/v1/models/gemini-3-flash:streamgeneratecontent?alt=sse";
    assert_eq!(paths(&asked_third), [path]);
    mob.shutdown().await;
}

#[tokio::test]
async fn a_wrong_key_is_named_by_its_place_in_the_mob_file_and_hides_behind_no_fallback() {
    let refuses = Says::Busy("401 Unauthorized");
    let (open_ai, _) = provider(vec![refuses]).await;
    let (gemini, asked) = provider(vec![Says::Whole(GEMINI)]).await;
    let mob = mob(&open_ai, &gemini, &gemini).await;
    let turn = ask(&mob, "worker", "work").await;
    assert_eq!(turn.status, TurnStatus::Failed);
    let reason = turn.reason.expect("a reason");
    let expected = "openai large: HTTP 401: the key models.main.api_key from env KEY is refused";
    assert_eq!(reason, expected);
    assert!(asked.lock().expect("not poisoned").is_empty());
    mob.shutdown().await;
}
