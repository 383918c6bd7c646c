//! `[models.<id>]`: who answers.

use super::mob::Definition;
use super::report::{Finding, Noun, Report};
use super::scalar::choice;
use super::secret::Secret;
use super::snippet::line_number;
use super::source::{Node, Table};
use crate::canonical::sha256_hex;
use crate::id::ModelId;
use serde::{Deserialize, Serialize};

const TIMEOUT_MS: u64 = 120_000;

choice! {
    /// Whose API a model speaks.
    Provider {
        /// OpenAI.
        OpenAi = "openai",
        /// Anthropic.
        Anthropic = "anthropic",
        /// Google Gemini.
        Gemini = "gemini",
        /// Any server with the OpenAI chat API, e.g. llama.cpp, Ollama, vLLM.
        OpenAiCompatible = "openai-compatible",
        /// The offline model that follows a script.
        Rehearsal = "rehearsal",
        /// The offline model that answers as a journal says it was answered before.
        Replay = "replay",
    }
}

/// Prices in US dollars per million tokens; each is finite and at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Tokens sent to the model.
    pub input: f64,
    /// Tokens that the model wrote.
    pub output: f64,
    /// Tokens sent that the provider had cached; like `input` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Tokens sent that the provider wrote to its cache; like `input` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_creation: Option<f64>,
}

/// One model that profiles can name.
#[expect(
    clippy::struct_field_names,
    reason = "`model` is the key of the mob file"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Whose API it speaks.
    pub provider: Provider,
    /// The provider's name for the model; that of the provider where an offline model has none.
    pub model: String,
    /// Where the API is; the provider's own address where absent. Always there for
    /// `openai-compatible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Where the key is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
    /// Models that are tried in this order after the retries of this one are used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<ModelId>,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u64,
    /// Prices; absent means "unpriced", never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Most turns that use this model at once; without a bound of its own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns_max: Option<u32>,
    /// The script file of a rehearsal model, as the mob file names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// What the script file held: valid TOML. A rehearsal model without it has no rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_text: Option<String>,
    /// The journal of which a replay model answers, as the mob file names it: a file with an event
    /// on each line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<String>,
    /// SHA-256 of that file, in hexadecimal: another recording under the same name is a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_sha256: Option<String>,
}

impl Model {
    /// A rehearsal model with the text of its script, if it has one.
    pub fn rehearsal(script_text: Option<String>) -> Self {
        Self {
            provider: Provider::Rehearsal,
            model: Provider::Rehearsal.as_str().to_owned(),
            base_url: None,
            api_key: None,
            fallback: Vec::new(),
            timeout_ms: TIMEOUT_MS,
            price: None,
            turns_max: None,
            script: None,
            script_text,
            recording: None,
            recording_sha256: None,
        }
    }
}

impl Definition {
    /// The models that answer in the place of `first`, each once, in the order in which they are
    /// asked: itself, then its fallbacks, each followed by those of its own.
    pub fn models_for<'d>(&'d self, first: &'d ModelId) -> Vec<&'d ModelId> {
        let mut found = Vec::new();
        let mut open = vec![first];
        while let Some(id) = open.pop() {
            if let Some(model) = self.models.get(id)
                && !found.contains(&id)
            {
                found.push(id);
                open.extend(model.fallback.iter().rev());
            }
        }
        found
    }
}

/// Reads one `[models.<id>]`.
pub(super) fn read(cx: &mut Report<'_>, name: &str, mut table: Table<'_>) -> Option<Model> {
    let example = "provider = \"openai\" (or anthropic, gemini, openai-compatible, rehearsal, \
                   replay)";
    let provider = table
        .need(cx, "provider", example)
        .and_then(|node| node.choice(cx));
    let fallback = table.read(cx, "fallback", |node, cx| {
        let user = format!("model {name:?} falls back to");
        node.each(cx, |item, cx| item.reference(cx, Noun::Model, user.clone()))
    });
    let timeout_ms = table.read(cx, "timeout", Node::span_ms);
    let price = table.read(cx, "price", read_price);
    let turns_max = table.read(cx, "turns_max", |node, cx| node.integer(cx, 1, 1_000_000));
    let mut model = Model {
        provider: provider.unwrap_or(Provider::Rehearsal),
        fallback: fallback.unwrap_or_default(),
        timeout_ms: timeout_ms.unwrap_or(TIMEOUT_MS),
        price,
        turns_max,
        ..Model::rehearsal(None)
    };
    match provider {
        Some(Provider::Rehearsal) => read_rehearsal(cx, &mut table, &mut model),
        Some(Provider::Replay) => read_replay(cx, &mut table, &mut model),
        Some(provider) => read_remote(cx, &mut table, &mut model, provider),
        // Without a provider it is open which other keys are wanted, but not how they are written.
        None => {
            table.read(cx, "model", Node::text);
            table.read(cx, "base_url", |node, cx| node.url(cx, &["http", "https"]));
            table.read(cx, "api_key", |node, cx| node.secret(cx, "MODEL_API_KEY"));
            table.read(cx, "script", Node::text);
            table.read(cx, "recording", Node::text);
        }
    }
    table.finish(cx);
    provider.map(|_| model)
}

fn read_rehearsal(cx: &mut Report<'_>, table: &mut Table<'_>, model: &mut Model) {
    for key in ["base_url", "api_key"] {
        table.forbid(cx, key, "a rehearsal model works offline");
    }
    table.forbid(
        cx,
        "recording",
        "only a replay model answers of a recording",
    );
    if let Some(name) = table.read(cx, "model", Node::text) {
        model.model = name;
    }
    let Some(node) = table.take(cx, "script") else {
        return;
    };
    let Some((path, text)) = node.file(cx) else {
        return;
    };
    if let Err(error) = toml::de::DeTable::parse(&text) {
        let line = error
            .span()
            .map_or(1, |span| line_number(&text, span.start));
        let message = format!("the script {path:?} is not valid TOML: {}", error.message());
        let finding = Finding::new("script_invalid", &node.span, message);
        cx.error(finding.label(format!("the error is in line {line} of that file")));
    }
    model.script = Some(path);
    model.script_text = Some(text);
}

fn read_replay(cx: &mut Report<'_>, table: &mut Table<'_>, model: &mut Model) {
    for key in ["base_url", "api_key"] {
        table.forbid(cx, key, "a replay model works offline");
    }
    table.forbid(cx, "script", "only a rehearsal model follows a script");
    let name = table.read(cx, "model", Node::text);
    model.model = name.unwrap_or_else(|| Provider::Replay.as_str().to_owned());
    let example = "recording = \"day.jsonl\", a file that `mobkit events` wrote";
    let node = table.need(cx, "recording", example);
    if let Some((path, text)) = node.and_then(|node| node.file(cx)) {
        model.recording_sha256 = Some(sha256_hex(&text));
        model.recording = Some(path);
    }
}

fn read_remote(cx: &mut Report<'_>, table: &mut Table<'_>, model: &mut Model, provider: Provider) {
    let (example, env, own_address) = match provider {
        Provider::Anthropic => ("model = \"claude-sonnet-5\"", "ANTHROPIC_API_KEY", true),
        Provider::Gemini => ("model = \"gemini-3-flash\"", "GEMINI_API_KEY", true),
        Provider::OpenAi => ("model = \"gpt-5.6\"", "OPENAI_API_KEY", true),
        Provider::OpenAiCompatible | Provider::Rehearsal | Provider::Replay => {
            ("model = \"qwen3:8b\"", "MODEL_API_KEY", false)
        }
    };
    table.forbid(cx, "script", "only a rehearsal model follows a script");
    table.forbid(
        cx,
        "recording",
        "only a replay model answers of a recording",
    );
    if let Some(node) = table.need(cx, "model", example) {
        model.model = node.text(cx).unwrap_or_default();
    }
    let base_url = if own_address {
        table.take(cx, "base_url")
    } else {
        table.need(cx, "base_url", "base_url = \"http://127.0.0.1:8080/v1\"")
    };
    let elsewhere = base_url.is_some() || !own_address;
    model.base_url = base_url.and_then(|node| node.url(cx, &["http", "https"]));
    let api_key = if elsewhere {
        table.take(cx, "api_key")
    } else {
        table.need(cx, "api_key", &format!("api_key = {{ env = \"{env}\" }}"))
    };
    model.api_key = api_key.and_then(|node| node.secret(cx, env));
}

fn read_price(node: &Node<'_>, cx: &mut Report<'_>) -> Option<Price> {
    let mut table = node.table(cx)?;
    let example = "price = { input = 1.25, output = 10.0 }, in USD per million tokens";
    let input = table
        .need(cx, "input", example)
        .and_then(|node| node.amount(cx));
    let output = table
        .need(cx, "output", example)
        .and_then(|node| node.amount(cx));
    let cached_input = table.read(cx, "cached_input", Node::amount);
    let cache_creation = table.read(cx, "cache_creation", Node::amount);
    table.finish(cx);
    Some(Price {
        input: input?,
        output: output?,
        cached_input,
        cache_creation,
    })
}
