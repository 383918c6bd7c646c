//! `member/spawn`.

use crate::access::Permission;
use crate::change::{MemberChanged, change};
use crate::context::Context;
use crate::operation::Define;
use mobkit_domain::command::MemberCommand;
use mobkit_domain::definition::MemberSpec;
use mobkit_domain::event::MemberOrigin;
use mobkit_domain::id::{MemberId, ProfileId, SessionId};
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::{Refusal, RefusalKind};
use mobkit_domain::text::INLINE_BYTES_MAX;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(in crate::operations) struct Spawn;

/// A member that should exist.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::operations) struct Params {
    /// Its lasting identity.
    #[serde(alias = "member")]
    id: MemberId,
    /// Its role; without it, the one that the mob file gives by default.
    profile: Option<ProfileId>,
    /// Labels.
    labels: Option<BTreeMap<String, String>>,
    /// Data given to the agent.
    context: Option<Map<String, Value>>,
    /// Instructions beside those of the profile.
    additional_instructions: Option<Vec<String>>,
    /// An earlier session to go on with.
    session: Option<SessionId>,
}

impl Define for Spawn {
    const NAME: &'static str = "member/spawn";
    const DOC: &'static str = "Lets a member join, wired as the mob file says of its role.";
    const PERMISSION: Permission = Permission::Operate;
    const VERB: Verb = Verb::Mutate;
    type Params = Params;
    type Output = MemberChanged;

    async fn run(cx: Context, params: Params) -> Result<MemberChanged, Refusal> {
        spawn(&cx, params, false).await
    }
}

/// Lets a member join; with `ensure` it may be there already, if it is as asked for.
pub(super) async fn spawn(
    cx: &Context,
    params: Params,
    ensure: bool,
) -> Result<MemberChanged, Refusal> {
    let id = params.id.clone();
    let spec = Box::new(spec(cx, params)?);
    let origin = MemberOrigin::Operator;
    change(
        cx,
        &id,
        MemberCommand::Spawn {
            spec,
            origin,
            ensure,
            wire: true,
        },
    )
    .await
}

fn spec(cx: &Context, params: Params) -> Result<MemberSpec, Refusal> {
    let profile = match params.profile {
        Some(profile) => profile,
        None => default_profile(cx, &params.id)?,
    };
    let context = params.context.map_or(Value::Null, Value::Object);
    let additional_instructions = params.additional_instructions.unwrap_or_default();
    if context.to_string().len() > INLINE_BYTES_MAX {
        return Err(too_long("context"));
    }
    if additional_instructions
        .iter()
        .map(String::len)
        .sum::<usize>()
        > INLINE_BYTES_MAX
    {
        return Err(too_long("additional_instructions"));
    }
    Ok(MemberSpec {
        labels: params.labels.unwrap_or_default(),
        context,
        additional_instructions,
        session: params.session,
        ..MemberSpec::new(params.id, profile)
    })
}

fn default_profile(cx: &Context, id: &MemberId) -> Result<ProfileId, Refusal> {
    cx.engine
        .view(|world| world.definition.defaults.profile.clone())
        .ok_or_else(|| {
            let message = format!("{id} needs a profile: the mob file gives none by default");
            Refusal::new(RefusalKind::Invalid, "member.profile_missing", message)
                .hint("add `profile`")
                .data(json!({ "field": "profile" }))
        })
}

fn too_long(field: &str) -> Refusal {
    let message = format!("`{field}` is longer than {INLINE_BYTES_MAX} bytes");
    Refusal::new(RefusalKind::Invalid, "params.too_long", message)
        .hint("give the agent a tool or a message for what is that long")
        .data(json!({ "field": field }))
}
