//! The mob file: golden errors, the whole format, and texts of any kind.

use mobkit_domain::definition::{
    self, CODES, Definition, Diagnostic, Engine, Files, NoFiles, Parsed, Secret, Severity, Start,
    ToolSelector,
};
use mobkit_domain::id::{MemberId, MobId, ModelId, ProfileId};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that shows the whole format.
pub(crate) const WHOLE: &str = include_str!("golden/definition/whole.toml");

/// The files that the golden mob files name.
pub(crate) struct Folder;

impl Files for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = match path {
            "prompts/editor.md" => "You are the desk editor.\n",
            "schemas/draft.json" => r#"{"type": "object"}"#,
            "rehearsal.toml" => "[[rules]]\nsay = \"yes\"\n",
            "empty.md" => "\n",
            "broken.json" => "[1",
            "broken.toml" => "\n[[rules\n",
            _ => return Err("no such file".to_owned()),
        };
        Ok(text.to_owned())
    }
}

pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/definition")
}

fn findings(text: &str) -> Vec<Diagnostic> {
    match definition::parse("mob.toml", text, &Folder) {
        Ok(Parsed {
            mut warnings,
            unsupported,
            ..
        }) => {
            warnings.extend(unsupported);
            warnings
        }
        Err(errors) => errors,
    }
}

fn render(text: &str) -> String {
    let rendered: Vec<String> = findings(text).iter().map(|d| d.render(text)).collect();
    rendered.join("\n")
}

fn codes(text: &str) -> Vec<String> {
    findings(text).into_iter().map(|d| d.code).collect()
}

fn whole() -> Parsed {
    definition::parse("mob.toml", WHOLE, &Folder).expect("the file is valid")
}

#[test]
fn what_is_wrong_is_shown_as_in_the_golden_files() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("definition");
    fs::create_dir_all(&out).expect("the folder can be made");
    let mut names: Vec<PathBuf> = fs::read_dir(golden())
        .expect("the folder is there")
        .map(|entry| entry.expect("the entry can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    names.sort();
    assert!(names.len() >= 40, "only {} golden files", names.len());
    let mut wrong = Vec::new();
    for path in names {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        let actual = render(&text);
        if actual != expected {
            let name = path.with_extension("txt");
            let name = name.file_name().expect("the path has a name");
            fs::write(out.join(name), &actual).expect("the file can be written");
            wrong.push(format!("--- {}\n{actual}", name.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} golden files differ; what was rendered is in {}:\n{}",
        wrong.len(),
        out.display(),
        wrong.join("\n")
    );
}

#[test]
fn a_gate_on_the_tool_behind_a_route_guards_those_who_may_deliver() {
    let file = |tools: &str, sink: &str| {
        format!(
            "[mob]\nid = \"m\"\n[models.main]\nprovider = \"rehearsal\"\n\
             [profiles.p]\nmodel = \"main\"\ninstructions = \"x\"\ntools = [{tools}]\n\
             [[members]]\nid = \"a\"\nprofile = \"p\"\n\
             [[modules]]\nid = \"t\"\ntransport = \"json-lines\"\ncommand = [\"t\"]\n\
             [[gates]]\ntool = \"module:t/pay\"\naction = \"review\"\n\
             [[routes]]\nid = \"r\"\nmatch = {{ recipient = \"r\" }}\n\
             sink = {{ kind = \"module\", module = \"t\", tool = \"{sink}\" }}\n"
        )
    };
    let nothing = ["definition.gate_matches_nothing"];
    assert_eq!(codes(&file("\"deliver\"", "pay")), [""; 0]);
    assert_eq!(codes(&file("\"deliver\"", "look")), nothing);
    assert_eq!(codes(&file("\"peers\"", "pay")), nothing);
}

#[test]
fn every_code_is_listed_once_in_order() {
    assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    for entry in fs::read_dir(golden()).expect("the folder is there") {
        let path = entry.expect("the entry can be read").path();
        let text = fs::read_to_string(path).expect("the file can be read");
        for code in codes(&text) {
            assert!(
                CODES.iter().any(|(known, _)| *known == code),
                "{code} is not listed"
            );
        }
    }
}

#[test]
fn the_whole_format_is_read() {
    let definition = whole().definition;
    assert_eq!(definition.id.as_str(), "newsroom");
    let main = &definition.models[&ModelId::parse("main").expect("valid")];
    assert_eq!((main.timeout_ms, main.fallback.len()), (120_000, 1));
    assert_eq!(main.api_key, Some(Secret::Env("OPENAI_API_KEY".to_owned())));
    assert_eq!(main.price.and_then(|price| price.cached_input), Some(0.125));
    let rehearsal = &definition.models[&ModelId::parse("rehearsal").expect("valid")];
    assert!(
        rehearsal
            .script_text
            .as_ref()
            .is_some_and(|text| text.contains("say"))
    );
    let editor = &definition.profiles[&ProfileId::parse("editor").expect("valid")];
    assert_eq!((editor.steps_per_turn(), editor.exposed), (24, true));
    assert!(editor.offers("recall") && editor.offers("module:search/fetch"));
    assert!(!editor.offers("now"));
    let reporter = &definition.profiles[&ProfileId::parse("reporter").expect("valid")];
    assert_eq!(reporter.instructions, "You are the desk editor.\n");
    assert_eq!(reporter.steps_per_turn(), 50);
    let runner = &definition.profiles[&ProfileId::parse("runner").expect("valid")];
    assert_eq!(runner.tools[2], ToolSelector::Engine("shell".to_owned()));
    assert!(runner.offers("ask_peer") && !runner.offers("shell") && !runner.offers("engine:shell"));
    let meerkat = definition.engine_spec(Engine::Meerkat).expect("a program");
    assert_eq!(meerkat.command, ["bin/rkat-rpc", "--quiet"]);
    assert_eq!(definition.engine_spec(Engine::A2a), None);
    assert_eq!(definition.members[1].profile.as_str(), "reporter");
    assert_eq!(definition.members[0].context["region"], "eu");
    assert_eq!(
        definition.modules[1].start,
        Start::Lazy {
            idle_stop_ms: 600_000
        }
    );
    let (search, post) = (&definition.modules[0], &definition.modules[1]);
    assert_eq!((search.timeout_ms, post.timeout_ms), (60_000, 30_000));
    assert_eq!((search.is_lazy(), post.is_lazy()), (false, true));
    assert_eq!(search.command(), ["python3", "modules/search.py"]);
    assert_eq!(post.command(), ["https://example.com/mcp"]);
    let counts = (
        definition.schedules.len(),
        definition.routes.len(),
        definition.gates.len(),
    );
    assert_eq!(counts, (4, 5, 1));
    assert_eq!(definition.flows.len(), 1);
}

#[test]
fn a_small_file_gets_the_defaults() {
    let text = r#"
        [mob]
        id = "small"
        [models.m]
        provider = "rehearsal"
        [profiles.p]
        model = "m"
        instructions = "Answer."
        [[members]]
        id = "a"
        profile = "p"
    "#;
    let parsed = definition::parse("mob.toml", text, &NoFiles).expect("the file is valid");
    assert_eq!((parsed.warnings, parsed.unsupported), (vec![], vec![]));
    let definition = parsed.definition;
    assert_eq!((definition.turns_max, definition.queue_max), (1024, 1000));
    assert_eq!(definition.server.listen.to_string(), "127.0.0.1:7373");
    let profile = definition.profiles.values().next().expect("there is one");
    let tools: Vec<String> = profile.tools.iter().map(ToolSelector::to_string).collect();
    assert_eq!(tools, ["peers", "now"]);
    assert!(
        ["peers", "send_message", "ask_peer", "now"]
            .iter()
            .all(|tool| profile.offers(tool))
    );
    let member = &definition.members[0];
    assert_eq!(member.id, MemberId::parse("a").expect("valid"));
    assert!(member.context.is_null() && member.session.is_none());
}

#[test]
fn a_definition_survives_json_and_keeps_its_digest() {
    let definition = whole().definition;
    let json = serde_json::to_string(&definition).expect("it is JSON");
    let back: Definition = serde_json::from_str(&json).expect("it is a definition");
    assert_eq!(back, definition);
    assert_eq!(back.digest(), definition.digest());
    assert!(definition.digest().starts_with("sha256:") && definition.digest().len() == 71);
}

#[test]
fn the_digest_sees_meaning_and_not_layout() {
    let digest = |text: &str| {
        definition::parse("mob.toml", text, &Folder)
            .expect("the file is valid")
            .definition
            .digest()
    };
    let original = digest(WHOLE);
    assert_eq!(digest(&format!("# a remark\n\n{WHOLE}")), original);
    assert_eq!(
        digest(&WHOLE.replace("timeout = \"120s\"", "timeout = \"2m\"")),
        original
    );
    assert_ne!(
        digest(&WHOLE.replace("region = \"eu\"", "region = \"us\"")),
        original
    );
}

#[test]
fn errors_of_all_parts_are_reported_together_in_the_order_of_the_file() {
    let text = WHOLE
        .replace("provider = \"rehearsal\" ", "provider = \"rehersal\" ")
        .replace(
            "edges = [[\"editor\", \"fact-checker\"]]",
            "edges = [[\"editor\", \"nobody\"]]",
        )
        .replace("fallback = [\"backup\"]", "fallback = [\"main\"]")
        .replace("kind = \"sqlite\"", "kind = \"sqlight\"");
    let expected = [
        "fallback_cycle",
        "choice_unknown",
        "member_unknown",
        "choice_unknown",
    ];
    assert_eq!(
        codes(&text),
        expected.map(|reason| format!("definition.{reason}"))
    );
}

#[test]
fn a_secret_written_in_clear_is_never_repeated() {
    let keys = ["api_key", "api_kye", "secret", "Authorization", "password"];
    for value in [
        "s3cr3t",
        "\"https://me:s3cr3t@example.com\"",
        "{ env = \"s3cr3t key\" } x",
        "\"s3cr3t\"",
        "'s3cr3t'",
        "\"s3cr3t",
        "\"\"\"s3cr3t\"\"\"",
        "\"a\\\"s3cr3t\" x",
    ] {
        for key in keys {
            let text =
                format!("[mob]\nid = \"m\"\n[models.m]\nprovider = \"openai\"\n{key} = {value}\n");
            let found = findings(&text);
            assert!(!found.is_empty());
            for diagnostic in found {
                let json = serde_json::to_string(&diagnostic).expect("it is JSON");
                assert!(!json.contains("s3cr3t"), "{json}");
                let shown = diagnostic.render(&text);
                assert!(!shown.contains("s3cr3t"), "{shown}");
            }
        }
    }
}

#[test]
fn every_error_says_where_what_and_why() {
    for entry in fs::read_dir(golden()).expect("the folder is there") {
        let path = entry.expect("the entry can be read").path();
        let text = fs::read_to_string(&path).expect("the file can be read");
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        for found in findings(&text) {
            assert!(found.code.starts_with("definition."), "{found:?}");
            assert!(
                !found.message.is_empty() && !found.message.contains('\n'),
                "{found:?}"
            );
            assert!(!found.label.is_empty(), "{found:?}");
            let before = &text[..found.span.start];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            assert_eq!(
                (found.line as usize, found.column as usize),
                (line, column),
                "{found:?}"
            );
        }
    }
}

#[test]
fn at_most_twenty_errors_and_a_count_of_the_rest() {
    let mut text = "[mob]\nid = \"m\"\n".to_owned();
    text.extend((0..20).map(|i| format!("key_{i} = 1\n")));
    assert_eq!(codes(&text).len(), 20);
    text.push_str("one_more = 1\n");
    let found = findings(&text);
    assert_eq!(found.len(), 21);
    assert_eq!(found[20].code, "definition.more_errors");
    assert_eq!(found[20].message, "1 more error in this file");
    assert!(found.iter().all(|d| d.severity == Severity::Error));
}

#[test]
fn only_what_has_a_runner_is_supported() {
    let text = |profile: &str, rest: &str| {
        format!(
            "[mob]\nid = \"m\"\n[models.m]\nprovider = \"openai\"\nmodel = \"x\"\n\
             api_key = {{ env = \"K\" }}\ntimeout = \"5s\"\nprice = {{ input = 1, output = 1 }}\n\
             [profiles.p]\nmodel = \"m\"\ninstructions = \"x\"\n{profile}\n\
             [[members]]\nid = \"a\"\n\
             profile = \"p\"\nlabels = {{ a = \"b\" }}\ncontext = {{ a = 1 }}\n{rest}\n"
        )
    };
    let unsupported = |text: &str| -> Vec<String> {
        let parsed = definition::parse("mob.toml", text, &Folder).expect("the file is valid");
        parsed
            .unsupported
            .iter()
            .map(|d| text[d.span.clone()].to_owned())
            .collect()
    };
    let none: Vec<String> = vec![];
    let budget =
        "budget = { steps_per_turn = 5, tokens_per_turn = 100 }\ntools = [\"peers\", \"now\"]";
    assert_eq!(
        unsupported(&text(budget, "[store]\nkind = \"memory\"")),
        none
    );
    assert_eq!(
        unsupported(&text("tools = [\"recall\", \"now\"]", "")),
        ["\"recall\""]
    );
    let turns = "busy = \"steer\"\ncompaction = { at_tokens = 5000 }\n\
                 budget = { usd_per_day = 1.5, turns_per_hour = 3 }";
    assert_eq!(unsupported(&text(turns, "")), none);
    let server = "[server]\nlisten = \"0.0.0.0:1\"\nauth = { mode = \"token\" }";
    assert_eq!(unsupported(&text("", server)), ["\"0.0.0.0:1\""]);
    let gate = "[[gates]]\ntool = \"now\"\naction = \"review\"";
    assert_eq!(unsupported(&text("", gate)), none);
    let module = "[[modules]]\nid = \"x\"\ntransport = \"json-lines\"\ncommand = [\"x\"]";
    let tools = "tools = [\"module:x/*\"]";
    assert_eq!(unsupported(&text(tools, module)), none);
}

#[test]
fn the_digest_of_a_module_sees_what_its_process_depends_on() {
    let module = |keys: &str| {
        let text = format!("[mob]\nid = \"m\"\n[[modules]]\nid = \"x\"\n{keys}\n");
        let parsed = definition::parse("mob.toml", &text, &Folder).expect("the file is valid");
        parsed.definition.modules[0].digest()
    };
    let basic = "transport = \"json-lines\"\ncommand = [\"x\"]";
    let digest = module(basic);
    for same in [
        "restart = { intensity = 9 }",
        "effects = { a = \"read\" }",
        "timeout = \"5s\"",
        "start = \"eager\"",
        "pin = false",
    ] {
        assert_eq!(module(&format!("{basic}\n{same}")), digest, "{same}");
    }
    for other in [
        "env = { A = \"1\" }",
        "env = { A = { env = \"A\" } }",
        "sandbox = { network = \"none\" }",
        "pin = true",
        "start = \"lazy\"",
        "start = \"lazy\"\nidle_stop = \"1m\"",
    ] {
        assert_ne!(module(&format!("{basic}\n{other}")), digest, "{other}");
    }
    for other in [
        "transport = \"mcp-stdio\"\ncommand = [\"x\"]",
        "transport = \"json-lines\"\ncommand = [\"x\", \"-v\"]",
    ] {
        assert_ne!(module(other), digest, "{other}");
    }
}

#[test]
fn a_definition_can_be_built_by_hand() {
    let definition = Definition::new(MobId::parse("m").expect("valid"));
    assert!(definition::unsupported(&definition).is_empty());
    let json = serde_json::to_value(&definition).expect("it is JSON");
    assert_eq!(json["id"], "m");
}

/// Nothing that the file declares may be left out silently.
fn holds_everything(text: &str, definition: &Definition) {
    let file: toml::Table = toml::from_str(text).expect("the file was parsed before");
    let count = |key: &str| match file.get(key) {
        Some(toml::Value::Array(items)) => items.len(),
        Some(toml::Value::Table(entries)) => entries.len(),
        _ => 0,
    };
    let held = [
        ("models", definition.models.len()),
        ("profiles", definition.profiles.len()),
        ("members", definition.members.len()),
        ("modules", definition.modules.len()),
        ("schedules", definition.schedules.len()),
        ("gates", definition.gates.len()),
        ("routes", definition.routes.len()),
        ("flows", definition.flows.len()),
    ];
    for (key, len) in held {
        assert_eq!(len, count(key), "{key} in {text}");
    }
}

/// Reads `text` and renders whatever is found.
fn survives(text: &str) {
    match definition::parse("mob.toml", text, &Folder) {
        Ok(parsed) => {
            for found in parsed.warnings.iter().chain(&parsed.unsupported) {
                found.render(text);
            }
            parsed.definition.digest();
            holds_everything(text, &parsed.definition);
        }
        Err(errors) => {
            assert!(!errors.is_empty() && errors.len() <= 21);
            for found in errors {
                assert!(found.span.start <= found.span.end && found.line > 0 && found.column > 0);
                found.render(text);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        survives(&text);
    }

    #[test]
    fn text_that_looks_like_toml_is_survived(
        lines in prop::collection::vec("[\\[\\]{}=\",.#a-z0-9_ \\\\\n\r\t\u{0}é日-]{0,30}", 0..8),
    ) {
        survives(&lines.join("\n"));
    }

    #[test]
    fn any_expression_and_address_is_survived(value in "[ -~é]{0,24}") {
        let value = toml::Value::from(value);
        for key in ["cron", "at", "timezone", "every", "message"] {
            survives(&format!(
                "[mob]\nid = \"m\"\n[[schedules]]\nid = \"s\"\n\
                 to = {{ route = \"r\" }}\n{key} = {value}\n"
            ));
        }
        survives(&format!("[mob]\nid = \"m\"\n[server]\nlisten = {value}\n"));
        survives(&format!(
            "[mob]\nid = \"m\"\n[[routes]]\nid = \"r\"\n\
             sink = {{ kind = \"webhook\", url = {value} }}\n"
        ));
    }

    #[test]
    fn a_damaged_file_is_survived(
        from in 0..WHOLE.len(),
        len in 0usize..40,
        patch in "[\\PC\n]{0,6}",
    ) {
        let from = WHOLE.floor_char_boundary(from);
        let to = WHOLE.ceil_char_boundary((from + len).min(WHOLE.len()));
        survives(&format!("{}{patch}{}", &WHOLE[..from], &WHOLE[to..]));
    }

    #[test]
    fn a_value_of_another_type_leaves_nothing_out_silently(
        line in 0..WHOLE.lines().count(),
        value in prop::sample::select(vec![
            "1", "-1", "1.5", "nan", "true", "''", "[]", "{}", "[[]]",
            "[1]", "{ a = 1 }", "1979-05-27", "\"\"\"\nx\n\"\"\"", "99999999999999999999"]),
    ) {
        let replaced = WHOLE.lines().enumerate().map(|(i, text)| match text.split_once(" = ") {
            Some((key, _)) if i == line => format!("{key} = {value}\n"),
            _ => format!("{text}\n"),
        });
        survives(&replaced.collect::<String>());
    }
}
