//! What each code means.

/// Every code that a [`super::Diagnostic`] can have, in the order of the alphabet, with what it
/// means.
pub const CODES: &[(&str, &str)] = &[
    (
        "definition.approver_invalid",
        "An approver is role:<role> or operator:<name>; an agent never decides.",
    ),
    (
        "definition.backoff_invalid",
        "A back-off is the first pause and the longest, in this order.",
    ),
    (
        "definition.budget_unpriced",
        "A budget in USD needs a price of the model; without one nothing can be counted.",
    ),
    (
        "definition.choice_unknown",
        "The value is not one of the names that this key takes.",
    ),
    (
        "definition.cron_invalid",
        "A cron expression has five fields (minute hour day month weekday) or six, with \
         seconds first.",
    ),
    (
        "definition.cron_never",
        "No date ever fits the cron expression, e.g. the 30th of February.",
    ),
    (
        "definition.duration_invalid",
        "A duration is a whole number and ms, s, m, h or d, at least 1 ms and at most ten \
         years; an interval is at least 1 s, the time limit of a module's calls from 1 s to 1 h.",
    ),
    (
        "definition.edge_duplicate",
        "An edge has no direction and is needed once.",
    ),
    (
        "definition.edge_self",
        "An edge joins two different members.",
    ),
    ("definition.email_invalid", "An email address is name@host."),
    (
        "definition.engine_tool_unknown",
        "The engine of the profile has no tool set of this name; the native engine has none.",
    ),
    (
        "definition.fallback_cycle",
        "Fallback models must end somewhere, else a failing call would be tried for ever.",
    ),
    (
        "definition.file_unreadable",
        "A file that the mob file names cannot be read; its path is relative to the folder of \
         the mob file.",
    ),
    (
        "definition.flow_cycle",
        "Steps of a flow that wait for each other would never start.",
    ),
    ("definition.flow_duplicate", "Each flow has its own id."),
    ("definition.flow_unknown", "No flow of this id is defined."),
    (
        "definition.gate_duplicate",
        "Two gates guard the same calls, so it would be unclear which of them decides.",
    ),
    (
        "definition.gate_matches_nothing",
        "No profile offers a tool that fits the pattern of the gate, so it guards nothing.",
    ),
    (
        "definition.id_invalid",
        "The id breaks the grammar of its noun, which the hint states.",
    ),
    (
        "definition.instructions_ambiguous",
        "A profile has either instructions or instructions_file.",
    ),
    (
        "definition.instructions_missing",
        "A profile needs instructions or instructions_file.",
    ),
    (
        "definition.key_missing",
        "A key that has no default is missing.",
    ),
    (
        "definition.key_out_of_place",
        "The key exists, but does not go with the other keys of its table.",
    ),
    (
        "definition.key_unknown",
        "The table has no key of this name.",
    ),
    ("definition.list_empty", "The list needs at least one item."),
    (
        "definition.listen_exposed",
        "A server that other machines can reach needs auth to be configured.",
    ),
    (
        "definition.listen_invalid",
        "An address to listen on is an IP address and a port.",
    ),
    ("definition.member_duplicate", "Each member has its own id."),
    (
        "definition.member_unknown",
        "No member of this id is defined.",
    ),
    (
        "definition.message_duplicate",
        "The messages of a scenario have an id each.",
    ),
    (
        "definition.message_unknown",
        "An expectation names a message that the timeline sends under this id.",
    ),
    ("definition.model_duplicate", "Each model has its own id."),
    (
        "definition.model_unknown",
        "No model of this id is defined.",
    ),
    ("definition.module_duplicate", "Each module has its own id."),
    (
        "definition.module_unknown",
        "No module of this id is defined.",
    ),
    (
        "definition.more_errors",
        "The file has more errors than are shown at once.",
    ),
    (
        "definition.name_invalid",
        "The name cannot be that of an environment variable or of a header.",
    ),
    (
        "definition.number_out_of_range",
        "The number is outside of what this key takes.",
    ),
    (
        "definition.pair_wrong",
        "The list must hold exactly two items.",
    ),
    (
        "definition.path_rule_invalid",
        "A rule for a path is ro:<path> or rw:<path>.",
    ),
    (
        "definition.profile_duplicate",
        "Each profile has its own id.",
    ),
    (
        "definition.profile_unknown",
        "No profile of this id is defined.",
    ),
    (
        "definition.regex_invalid",
        "The text is not a regular expression.",
    ),
    (
        "definition.route_ambiguous",
        "Two routes take the same deliveries.",
    ),
    ("definition.route_duplicate", "Each route has its own id."),
    (
        "definition.route_unknown",
        "No route of this id is defined.",
    ),
    (
        "definition.scenario_choice",
        "An entry of a scenario does, says or expects exactly one thing.",
    ),
    (
        "definition.scenario_order",
        "The entries of a timeline stand in the order of their times, inside the scenario.",
    ),
    (
        "definition.schedule_duplicate",
        "Each schedule has its own id.",
    ),
    (
        "definition.schedule_unbudgeted",
        "A schedule sets members to work without anybody watching and without a budget.",
    ),
    (
        "definition.schedule_unknown",
        "No schedule of this id is defined.",
    ),
    (
        "definition.schema_invalid",
        "The file does not hold a JSON Schema: a JSON object.",
    ),
    (
        "definition.script_invalid",
        "The rehearsal script is not valid TOML.",
    ),
    (
        "definition.secret_invalid",
        "A reference to a secret names one place: env, file or command.",
    ),
    (
        "definition.secret_literal",
        "A secret is never written into the mob file, only where it is found.",
    ),
    (
        "definition.sink_private",
        "A delivery into a private network is refused unless the sink says allow_private = \
         true.",
    ),
    (
        "definition.step_duplicate",
        "Each step of a flow has its own id.",
    ),
    (
        "definition.step_unknown",
        "A step needs a step that the flow does not have.",
    ),
    (
        "definition.steps_missing",
        "A flow needs at least one step.",
    ),
    ("definition.syntax", "The file is not valid TOML."),
    (
        "definition.target_invalid",
        "The target must name exactly one thing.",
    ),
    (
        "definition.template_invalid",
        "The template or condition cannot be parsed.",
    ),
    ("definition.text_empty", "The text must say something."),
    (
        "definition.time_invalid",
        "A one-shot time is a local date and time; its zone stands in timezone.",
    ),
    (
        "definition.timezone_unknown",
        "The IANA time zone database has no zone of this name.",
    ),
    (
        "definition.tool_invalid",
        "The tool, or the pattern over tools, is not written as one.",
    ),
    (
        "definition.tool_unknown",
        "The tool is not built in, so the host program has to register it.",
    ),
    (
        "definition.trigger_ambiguous",
        "A schedule has one of cron, every and at.",
    ),
    (
        "definition.trigger_missing",
        "A schedule needs one of cron, every and at.",
    ),
    (
        "definition.type_wrong",
        "The value is of another type than this key takes.",
    ),
    (
        "definition.unsupported",
        "This version of mobkit has no runner for this part of the file, so a mob with it \
         cannot be started.",
    ),
    (
        "definition.url_invalid",
        "The URL lacks a known scheme or a host, or holds what does not belong there, e.g. a \
         password.",
    ),
];
