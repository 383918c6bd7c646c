//! Images, files and schemas in the words of each provider.

use crate::chat_server::{Caller, Script, asked, chunk, finish, with_tools};
use mobkit_agents::model::{Item, ModelRequest, Piece, RemoteProvider};
use serde_json::{Value, json};

fn binary(media_type: &str, name: Option<&str>, kind: &str) -> Piece {
    Piece::Binary {
        media_type: media_type.to_owned(),
        name: name.map(str::to_owned),
        line: format!("[{kind}, {media_type}, 3 bytes]"),
        base64: "AQID".into(),
    }
}

/// A message of a peer: a text, an image, a PDF with a name and one without.
fn with_files() -> ModelRequest {
    let mut request = asked("");
    let text = "look:".to_owned();
    request.items = vec![Item::User {
        text: "look: [image, image/png, 3 bytes]".to_owned(),
        from: "agent:desk".to_owned(),
        pieces: vec![
            Piece::Text { text },
            binary("image/png", Some("chart.png"), "image"),
            binary("application/pdf", Some("report.pdf"), "file"),
            binary("application/pdf", None, "file"),
        ],
    }];
    request
}

fn open_ai() -> Script {
    Script::whole(&[chunk(&json!({ "content": "ok" })), finish("stop")])
}

fn gemini() -> Script {
    Script::events(&[json!({ "candidates": [{
        "content": { "parts": [{ "text": "ok" }] }, "finishReason": "STOP" }] })])
}

fn anthropic() -> Script {
    Script::named_events(&[
        json!({ "type": "message_start", "message": { "usage": {
            "input_tokens": 1, "output_tokens": 1 } } }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" },
            "usage": { "output_tokens": 1 } }),
        json!({ "type": "message_stop" }),
    ])
}

fn open_ai_caller() -> Caller {
    Caller {
        provider: RemoteProvider::OpenAi,
        model: "gpt-5.6",
        ..Caller::default()
    }
}

/// The body of the request that the provider got.
async fn sent(caller: Caller, request: ModelRequest, script: Script) -> Value {
    caller.call(request, script).await.got.body
}

/// The parts of the last message of a user.
fn parts<'b>(body: &'b Value, list: &str, field: &str) -> &'b Value {
    let messages = body[list].as_array().expect("messages");
    let mut users = messages.iter().rev().filter(|m| m["role"] == "user");
    &users.next().expect("a message of a user")[field]
}

#[tokio::test]
async fn open_ai_gets_images_as_urls_and_files_with_names() {
    let body = sent(open_ai_caller(), with_files(), open_ai()).await;
    let file = |name: &str| {
        json!({ "type": "file", "file": { "filename": name,
            "file_data": "data:application/pdf;base64,AQID" } })
    };
    let expected = json!([
        { "type": "text", "text": "Message from desk:" },
        { "type": "text", "text": "look:" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AQID" } },
        file("report.pdf"),
        file("file.pdf"),
    ]);
    assert_eq!(parts(&body, "messages", "content"), &expected);
}

#[tokio::test]
async fn a_server_that_is_like_open_ais_gets_images_and_is_told_of_files() {
    let body = sent(Caller::default(), with_files(), open_ai()).await;
    let told = "[file, application/pdf, 3 bytes] (this model can't be shown it)";
    let expected = json!([
        { "type": "text", "text": "Message from desk:" },
        { "type": "text", "text": "look:" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AQID" } },
        { "type": "text", "text": told },
        { "type": "text", "text": told },
    ]);
    assert_eq!(parts(&body, "messages", "content"), &expected);
}

#[tokio::test]
async fn anthropic_gets_images_and_documents() {
    let body = sent(Caller::anthropic(), with_files(), anthropic()).await;
    let found = parts(&body, "messages", "content");
    let source =
        |media_type: &str| json!({ "type": "base64", "media_type": media_type, "data": "AQID" });
    assert_eq!(found[1], json!({ "type": "text", "text": "look:" }));
    assert_eq!(
        (&found[2]["type"], &found[2]["source"]),
        (&json!("image"), &source("image/png"))
    );
    for document in [&found[3], &found[4]] {
        assert_eq!(document["type"], "document");
        assert_eq!(document["source"], source("application/pdf"));
    }
}

#[tokio::test]
async fn gemini_gets_all_of_it_inline() {
    let body = sent(Caller::gemini(), with_files(), gemini()).await;
    let data =
        |media_type: &str| json!({ "inline_data": { "mime_type": media_type, "data": "AQID" } });
    let expected = json!([
        { "text": "Message from desk:" },
        { "text": "look:" },
        data("image/png"),
        data("application/pdf"),
        data("application/pdf"),
    ]);
    assert_eq!(parts(&body, "contents", "parts"), &expected);
}

fn with_schema() -> ModelRequest {
    ModelRequest {
        output_schema: Some(json!({ "type": "object", "required": ["title"],
            "properties": { "title": { "type": "string" } } })),
        ..asked("draft")
    }
}

#[tokio::test]
async fn each_provider_is_told_the_schema_of_an_answer_in_its_own_words() {
    let body = sent(open_ai_caller(), with_schema(), open_ai()).await;
    let format = &body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(
        format["json_schema"]["schema"]["required"],
        json!(["title"])
    );
    let body = sent(Caller::anthropic(), with_schema(), anthropic()).await;
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["schema"]["required"], json!(["title"]));
    let body = sent(Caller::gemini(), with_schema(), gemini()).await;
    let config = &body["generationConfig"];
    assert_eq!(config["responseMimeType"], "application/json");
    assert_eq!(config["responseJsonSchema"]["required"], json!(["title"]));
}

#[tokio::test]
async fn who_could_refuse_a_schema_is_told_by_the_instructions_alone() {
    let body = sent(Caller::default(), with_schema(), open_ai()).await;
    assert_eq!(body.get("response_format"), None);
    let with_tools = with_tools(with_schema(), &["peers"]);
    let body = sent(Caller::gemini(), with_tools, gemini()).await;
    assert_eq!(body["generationConfig"].get("responseJsonSchema"), None);
}
