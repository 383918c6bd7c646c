//! Deliveries to a receiver on this machine that takes everything at once.

use crate::hands::{next, reader, start, submit};
use crate::mob::on_threads;
use crate::part::Setting;
use crate::report::Row;
use crate::samples::{number, rate};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use mobkit::command::{Command, DeliveryCommand};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

const DELIVERIES: usize = 10_000;
const SENDERS: usize = 64;

/// Rows of this part.
pub fn run(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for durability in ["power", "process"] {
        rows.push(on_threads(delivered(setting.clone(), durability))?);
    }
    Ok(rows)
}

async fn delivered(setting: Setting, durability: &'static str) -> anyhow::Result<Row> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let taken = Router::new().route("/", post(async || StatusCode::NO_CONTENT));
    let receiver = tokio::spawn(async move { axum::serve(listener, taken).await });
    let route = format!(
        r#"
        [[routes]]
        id = "hook"
        match = {{ recipient = "readers" }}
        [routes.sink]
        kind = "webhook"
        url = "http://{address}/"
        secret = {{ command = ["echo", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }}
        allow_private = true
        "#
    );
    let mob = Arc::new(start(&setting.dir.join(durability), durability, 0, ("", &route)).await?);
    let mut receipts = reader(&mob, "delivery.delivered", 0).await?;
    let each = setting.work(DELIVERIES).div_ceil(SENDERS);
    let began = Instant::now();
    let mut senders = Vec::with_capacity(SENDERS);
    for _ in 0..SENDERS {
        let mob = Arc::clone(&mob);
        senders.push(tokio::spawn(async move {
            for _ in 0..each {
                submit(&mob, send()).await?;
            }
            anyhow::Ok(())
        }));
    }
    for _ in 0..each * SENDERS {
        next(&mut receipts).await?;
    }
    let took = began.elapsed();
    for sender in senders {
        sender.await??;
    }
    mob.shutdown().await;
    receiver.abort();
    let per_second = number(rate(each * SENDERS, took));
    Ok(Row::figure(
        format!("signed deliveries to a local webhook over one route, {durability}"),
        format!("{per_second} deliveries/s"),
    ))
}

fn send() -> Command {
    Command::Delivery(DeliveryCommand::Send {
        recipient: "readers".to_owned(),
        channel: None,
        payload: json!({"bulletin": "M 4.6, 12 km SSW of Somewhere, depth 10 km"}),
    })
}
