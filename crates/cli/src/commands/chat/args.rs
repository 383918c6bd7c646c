//! The arguments of `mobkit chat`.

use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use serde_json::Map;

/// Talk with a member, line by line
///
/// Answers appear while they are written, with the tool calls on the way; what waits for a decision
/// is shown and can be decided at once. Ctrl-C stops the turn that runs, a second one leaves. Lines
/// that begin with / are for the chat itself: /help says which there are.
///
/// Where the input is no terminal each line is a message, and the answers alone are the output: one
/// document per line with --json.
#[derive(Debug, clap::Args)]
pub(crate) struct ChatArgs {
    /// With whom; may be left out in a mob of one
    member: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
}

impl ChatArgs {
    /// The member to talk to; fails where there is none of that name.
    pub async fn member(&self, client: &Client<'_>) -> Result<String, Failure> {
        if let Some(member) = &self.member {
            let params = serde_json::json!({"member": member});
            client.call("member/get", &params).await?;
            return Ok(member.clone());
        }
        let members = client.pages("member/list", Map::new(), "members").await?;
        let ids: Vec<&str> = members.iter().filter_map(|m| m["id"].as_str()).collect();
        match ids.as_slice() {
            [only] => Ok((*only).to_owned()),
            [] => Err(Failure::new(
                Exit::Missing,
                "member.not_found",
                "the mob has no members",
            )),
            several => Err(Failure::new(
                Exit::Usage,
                "usage.invalid",
                "the mob has several members, and it is not said which one is meant",
            )
            .hint(format!("name one: {}", several.join(", ")))),
        }
    }
}
