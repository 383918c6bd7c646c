//! A request in genai's words.

use super::carry;
use super::names::ToolNames;
use super::target::RemoteProvider;
use crate::model::seam::{Item, ModelRequest, Piece};
use genai::chat::{
    ChatMessage, ChatRequest, ContentPart, MessageContent, Tool, ToolCall, ToolName, ToolResponse,
};
use mobkit_domain::id::CallId;
use mobkit_domain::model::CallRequest;
use std::collections::HashMap;
use std::iter::repeat;

/// The longest call id that every provider takes.
const CALL_ID_LEN_MAX: usize = 40;

/// Makes genai's request for `model`, a text that is different for every model of every provider.
pub(super) fn request(
    (provider, model): (RemoteProvider, &str),
    request: &ModelRequest,
    names: &ToolNames,
) -> ChatRequest {
    let messages = messages((provider, model), &request.items, names);
    let mut chat = ChatRequest::from_messages(messages);
    if !request.instructions.is_empty() {
        chat = chat.with_system(&*request.instructions);
    }
    if !request.tools.is_empty() {
        chat = chat.with_tools(request.tools.iter().map(|tool| {
            Tool::new(ToolName::Custom(names.safe(&tool.name)))
                .with_description(&*tool.description)
                .with_schema(tool.schema.clone())
        }));
    }
    chat
}

fn messages(
    (provider, model): (RemoteProvider, &str),
    items: &[Item],
    names: &ToolNames,
) -> Vec<ChatMessage> {
    let mut messages = Vec::new();
    let mut ids: HashMap<CallId, String> = HashMap::new();
    let mut results: Vec<ToolResponse> = Vec::new();
    for item in items {
        if !matches!(item, Item::ToolResult { .. }) {
            flush(&mut results, &mut messages);
        }
        match item {
            Item::User { text, from, pieces } if pieces.is_empty() => {
                messages.push(ChatMessage::user(heard(text, from)));
            }
            Item::User { from, pieces, .. } => {
                messages.push(ChatMessage::user(shown(provider, pieces, from)));
            }
            Item::Assistant { text, calls, carry } => {
                let restored = carry::restore(model, carry.as_ref());
                let mut parts = restored.parts;
                if !text.is_empty() {
                    parts.push(ContentPart::from_text(&**text));
                }
                let signatures = restored.calls.into_iter().chain(repeat(None));
                for ((call, asked), signature) in calls.iter().zip(signatures) {
                    let call_id = call_id(*call, asked);
                    ids.insert(*call, call_id.clone());
                    let fn_name = names.safe(&asked.tool);
                    let fn_arguments = asked.args.clone();
                    let thought_signatures = signature.map(|signature| vec![signature]);
                    let call = ToolCall {
                        call_id,
                        fn_name,
                        fn_arguments,
                        thought_signatures,
                    };
                    parts.push(ContentPart::ToolCall(call));
                }
                messages.push(ChatMessage::assistant(MessageContent::from_parts(parts)));
            }
            Item::ToolResult {
                call,
                tool,
                result,
                failed,
            } => {
                let id = ids.get(call).cloned().unwrap_or_else(|| call.to_string());
                let text = if *failed {
                    format!("The call failed: {result}")
                } else {
                    result.clone()
                };
                results.push(ToolResponse::new(id, text).with_fn_name(names.safe(tool)));
            }
        }
    }
    flush(&mut results, &mut messages);
    messages
}

/// All results of one batch of calls are one message, as some providers want it.
fn flush(results: &mut Vec<ToolResponse>, messages: &mut Vec<ChatMessage>) {
    if !results.is_empty() {
        let content = MessageContent::from_tool_responses(std::mem::take(results));
        messages.push(ChatMessage::tool(content));
    }
}

/// A message with files of bytes. A server that is only like OpenAI's may not know files; it is
/// told of them, and shown images.
fn shown(provider: RemoteProvider, pieces: &[Piece], from: &str) -> MessageContent {
    let sender = heard("", from);
    let sender = (!sender.is_empty()).then(|| ContentPart::from_text(sender.trim_end()));
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text { text } => ContentPart::from_text(&**text),
        Piece::Binary {
            media_type, line, ..
        } if provider == RemoteProvider::OpenAiCompatible && !media_type.starts_with("image/") => {
            ContentPart::from_text(format!("{line} (this model can't be shown it)"))
        }
        Piece::Binary {
            media_type,
            name,
            base64,
            ..
        } => {
            // OpenAI wants a name for every file, which is a PDF.
            let name = name.clone().unwrap_or_else(|| "file.pdf".to_owned());
            ContentPart::from_binary_base64(&**media_type, base64.clone(), Some(name))
        }
    });
    MessageContent::from_parts(sender.into_iter().chain(parts).collect::<Vec<_>>())
}

/// What the model hears: a message of a peer names its sender, so that the model can answer it.
pub(crate) fn heard(text: &str, from: &str) -> String {
    match from.strip_prefix("agent:") {
        Some(member) => format!("Message from {member}:\n{text}"),
        None => text.to_owned(),
    }
}

/// The provider's own id, where every provider could have given it; else ours. A turn may change
/// over to another model, and providers refuse each other's ids.
fn call_id(call: CallId, asked: &CallRequest) -> String {
    let given = asked.provider_id.as_deref().filter(|id| {
        (1..=CALL_ID_LEN_MAX).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    });
    given.map_or_else(|| call.to_string(), str::to_owned)
}
