//! A mob inside somebody else's axum server: the host has its own routes, members come from its own
//! database, and one of its functions is a tool of the agents.
//!
//! Run it with `cargo run -p mobkit --example embed`, then ask:
//! `curl -H 'Authorization: Bearer example' -d '{"to":"clerk:ada","content":"stock of tea?"}' \
//!  http://127.0.0.1:7474/mob/api/v1/member/ask`

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use mobkit::definition::{Definition, MemberSpec, NoFiles, parse};
use mobkit::event::ToolEffect;
use mobkit::id::{MemberId, ProfileId};
use mobkit::{Access, Discovery, HookError, HostCall, HostTool, Mob, MobBuilder, ToolSpec};
use serde_json::{Value, json};
use std::path::Path;

/// The mob file may just as well be text in the program.
const MOB: &str = r#"
[mob]
id = "shop"

[models.main]
provider = "rehearsal"

[profiles.clerk]
model = "main"
description = "Answers customers"
instructions = "You answer questions of one customer about our stock."
tools = ["stock", "now"]
"#;

/// What the rehearsal model does: look the stock up, then answer with it.
const SCRIPT: &str = r#"
[[rules]]
when = { text = "stock of (?<item>\\w+)", step = 1 }
call = [{ tool = "stock", args = { item = "{{ item }}" } }]
[[rules]]
when = { tool = "stock" }
say = "We have {{ result }} of it."
"#;

/// The host knows its customers; each gets a clerk.
pub struct Customers(pub Vec<&'static str>);

#[async_trait]
impl Discovery for Customers {
    async fn discover(&self, _context: Value) -> Result<Vec<MemberSpec>, HookError> {
        let clerk = |name: &&str| {
            let id = MemberId::parse(&format!("clerk:{name}"));
            let id = id.map_err(|error| HookError(error.to_string()))?;
            let profile = ProfileId::parse("clerk").expect("a valid id");
            Ok(MemberSpec::new(id, profile))
        };
        self.0.iter().map(clerk).collect()
    }
}

/// A function of the host, as a tool that may be called again after a crash.
pub struct Stock;

#[async_trait]
impl HostTool for Stock {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "stock".to_owned(),
            description: "How many of an item are in stock.".to_owned(),
            schema: json!({
                "type": "object",
                "properties": {"item": {"type": "string"}},
                "required": ["item"]
            }),
            effect: ToolEffect::Read,
        }
    }

    async fn call(&self, call: HostCall) -> Result<String, String> {
        match call.args["item"].as_str() {
            Some("tea") => Ok("12 boxes".to_owned()),
            Some(other) => Err(format!("we do not sell {other}")),
            None => Err("say which item".to_owned()),
        }
    }
}

/// The definition: the text above with its script.
pub fn definition() -> Definition {
    let parsed = parse("shop.toml", MOB, &NoFiles).expect("the example is valid");
    let mut definition = parsed.definition;
    for model in definition.models.values_mut() {
        model.script_text = Some(SCRIPT.to_owned());
    }
    definition
}

/// Starts the mob and mounts it beside the host's own routes.
pub async fn host(state_dir: &Path) -> Result<(Mob, Router), mobkit::BuildError> {
    let mob = MobBuilder::new(definition())
        .state_dir(state_dir)
        .discovery(Customers(vec!["ada", "bob"]))
        .tool(Stock)
        .start()
        .await?;
    let app = Router::new()
        .route("/", get(|| async { "the shop" }))
        .nest("/mob", mob.router(Access::operator_token("example")));
    Ok((mob, app))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mob, app) = host(Path::new(".mobkit-embed")).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:7474").await?;
    println!("the shop is open at http://127.0.0.1:7474/");
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            // The host decides when to stop; the mob stops first, so that its streams end.
            let _ = tokio::signal::ctrl_c().await;
            let report = mob.shutdown().await;
            println!("stopped, last event {}", report.journal_seq);
        })
        .await?;
    Ok(())
}
