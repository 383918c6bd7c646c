//! `[[routes]]`: where named outputs go.

use super::address::{is_inner_host, url_host};
use super::report::{Finding, Noun, Report};
use super::retry::{Backoff, Retry};
use super::scalar::choice;
use super::secret::{Secret, Setting, is_header_name};
use super::source::{Node, Table};
use crate::id::{MemberId, ModuleId, RouteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How often a delivery is tried where nobody says otherwise.
pub(crate) const RETRY: Retry = Retry {
    attempts: 8,
    backoff: Backoff {
        min_ms: 1_000,
        max_ms: 3_600_000,
    },
};

/// Which deliveries a route takes. `*` fits everything; an exact name goes before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RouteMatch {
    /// The recipient, or `*`.
    pub recipient: String,
    /// The channel, or `*`.
    pub channel: String,
}

/// How a delivery is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Sink {
    /// As a message to a member.
    Member {
        /// The member.
        member: MemberId,
    },
    /// As a signed HTTP request.
    Webhook {
        /// Where it is sent.
        url: String,
        /// The key that signs it; unsigned where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<Secret>,
        /// Headers sent with it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Setting>,
        /// Whether the host may be in a private network.
        #[serde(default)]
        allow_private: bool,
    },
    /// As an email.
    Email {
        /// The SMTP server, `smtp://` or `smtps://`.
        server: String,
        /// The sender's address.
        from: String,
        /// The receivers' addresses; at least one.
        to: Vec<String>,
        /// Name to sign in with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        /// Password to sign in with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// Whether the server may be in a private network.
        #[serde(default)]
        allow_private: bool,
    },
    /// As a call of a module's tool.
    Module {
        /// The module.
        module: ModuleId,
        /// The name of its tool.
        tool: String,
    },
    /// As a line of JSON at the end of a file.
    File {
        /// The file, relative to the mob file.
        path: String,
    },
}

choice! {
    /// How a delivery is sent.
    SinkKind {
        /// As a message to a member.
        Member = "member",
        /// As a signed HTTP request.
        Webhook = "webhook",
        /// As an email.
        Email = "email",
        /// As a call of a module's tool.
        Module = "module",
        /// As a line of JSON at the end of a file.
        File = "file",
    }
}

/// How many deliveries a route sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// Most attempts of one minute.
    pub per_minute: u32,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// Which deliveries it takes.
    #[serde(rename = "match")]
    pub matches: RouteMatch,
    /// How they are sent.
    pub sink: Sink,
    /// How often each is tried.
    pub retry: Retry,
    /// Most attempts of a time; without bound where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// Reads one `[[routes]]`. `seen` holds what the routes before it take.
pub(super) fn read(
    cx: &mut Report<'_>,
    id: Option<RouteId>,
    mut table: Table<'_>,
    seen: &mut BTreeSet<RouteMatch>,
) -> Option<Route> {
    let user = format!("{} sends to", table.owner);
    let matches = table.need(cx, "match", "match = { recipient = \"…\" }");
    let matches = matches.and_then(|node| {
        let matches = read_match(&node, cx)?;
        if !seen.insert(matches.clone()) {
            let message = format!(
                "{} takes the same deliveries as an earlier route",
                table.owner
            );
            let finding = Finding::new("route_ambiguous", &node.span, message);
            let hint = "give each route its own recipient or channel";
            cx.error(finding.label("taken already").hint_str(hint));
        }
        Some(matches)
    });
    let sink = table.need(
        cx,
        "sink",
        "sink = { kind = \"webhook\", url = \"https://…\" }",
    );
    let sink = sink.and_then(|node| read_sink(&node, cx, user));
    let retry = table.read(cx, "retry", |node, cx| node.retry(cx, RETRY));
    let rate = table.read(cx, "rate", |node, cx| {
        let mut table = node.table(cx)?;
        let per_minute = table.need(cx, "per_minute", "rate = { per_minute = 60 }");
        let per_minute = per_minute.and_then(|node| node.integer(cx, 1, 1_000_000));
        table.finish(cx);
        Some(Rate {
            per_minute: per_minute?,
        })
    });
    table.finish(cx);
    Some(Route {
        id: id?,
        matches: matches?,
        sink: sink?,
        retry: retry.unwrap_or(RETRY),
        rate,
    })
}

fn read_match(node: &Node<'_>, cx: &mut Report<'_>) -> Option<RouteMatch> {
    let mut table = node.table_as(cx, "write { recipient = \"…\" }")?;
    let recipient = table.need(cx, "recipient", "recipient = \"…\" (or \"*\" for any)");
    let recipient = recipient.and_then(|node| node.text(cx));
    let channel = table.read(cx, "channel", Node::text);
    table.finish(cx);
    Some(RouteMatch {
        recipient: recipient?,
        channel: channel.unwrap_or_else(|| "*".to_owned()),
    })
}

fn read_sink(node: &Node<'_>, cx: &mut Report<'_>, user: String) -> Option<Sink> {
    let mut table = node.table(cx)?;
    let example = "kind = \"webhook\" (or member, email, module, file)";
    let kind = table
        .need(cx, "kind", example)
        .map(|node| node.choice::<SinkKind>(cx));
    let Some(kind) = kind.flatten() else {
        table.finish_without_choice(cx);
        return None;
    };
    let sink = match kind {
        SinkKind::Member => {
            let member = table.need(cx, "member", "member = \"…\"");
            let member = member.and_then(|node| node.reference(cx, Noun::Member, user));
            member.map(|member| Sink::Member { member })
        }
        SinkKind::Webhook => read_webhook(cx, &mut table),
        SinkKind::Email => read_email(cx, &mut table),
        SinkKind::Module => {
            let module = table.need(cx, "module", "module = \"…\"");
            let module = module.and_then(|node| node.reference(cx, Noun::Module, user));
            let tool = table.need(cx, "tool", "tool = \"…\", the name of a tool of the module");
            let tool = tool.and_then(|node| node.text(cx));
            module
                .zip(tool)
                .map(|(module, tool)| Sink::Module { module, tool })
        }
        SinkKind::File => {
            let path = table.need(cx, "path", "path = \"deliveries.jsonl\"");
            path.and_then(|node| node.text(cx))
                .map(|path| Sink::File { path })
        }
    };
    table.finish(cx);
    sink
}

fn read_webhook(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Sink> {
    let allow_private = table
        .read(cx, "allow_private", Node::boolean)
        .unwrap_or(false);
    let url = table.need(cx, "url", "url = \"https://…\"");
    let url = url.and_then(|node| node.outer_url(cx, &["https", "http"], allow_private));
    let secret = table.read(cx, "secret", |node, cx| node.secret(cx, "WEBHOOK_SECRET"));
    let headers = table.read(cx, "headers", |node, cx| node.settings(cx, is_header_name));
    Some(Sink::Webhook {
        url: url?,
        secret,
        headers: headers.unwrap_or_default(),
        allow_private,
    })
}

fn read_email(cx: &mut Report<'_>, table: &mut Table<'_>) -> Option<Sink> {
    let allow_private = table
        .read(cx, "allow_private", Node::boolean)
        .unwrap_or(false);
    let server = table.need(cx, "server", "server = \"smtps://mail.example.com\"");
    let server = server.and_then(|node| node.outer_url(cx, &["smtps", "smtp"], allow_private));
    let from = table.need(cx, "from", "from = \"mob@example.com\"");
    let from = from.and_then(|node| node.email(cx));
    let to = table.need(cx, "to", "to = [\"ops@example.com\"]");
    let to = to.and_then(|node| {
        node.some_texts(cx)?;
        node.each(cx, Node::email)
    });
    let username = table.read(cx, "username", Node::text);
    let password = table.read(cx, "password", |node, cx| node.secret(cx, "SMTP_PASSWORD"));
    Some(Sink::Email {
        server: server?,
        from: from?,
        to: to?,
        username,
        password,
        allow_private,
    })
}

impl Node<'_> {
    /// A URL that the guard against inner addresses lets through.
    fn outer_url(&self, cx: &mut Report<'_>, schemes: &[&str], inner: bool) -> Option<String> {
        let url = self.url(cx, schemes)?;
        if !inner && url_host(&url, schemes).is_ok_and(|host| is_inner_host(&host)) {
            let message = format!("{} leads into a private network", self.name());
            let finding = Finding::new("sink_private", &self.span, message);
            let hint = "add allow_private = true to the sink if this is meant";
            cx.error(
                finding
                    .label("every delivery would be refused")
                    .hint_str(hint),
            );
            return None;
        }
        Some(url)
    }

    fn email(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.text(cx)?;
        let parts = text.split_once('@');
        let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', '<', '>', ',']);
        if !parts.is_some_and(|(name, host)| plain(name) && plain(host)) {
            let message = format!("{} is not an email address: {text:?}", self.name());
            let finding = Finding::new("email_invalid", &self.span, message);
            cx.error(finding.label("wants name@host"));
            return None;
        }
        Some(text)
    }
}
