//! Each rule on small trees that break it, and on their honest twins.

use super::run::check;
use super::sizes;
use super::tree::Tree;

/// `path:line rule` of every finding.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let findings = check(&Tree::of(files.iter().copied()));
    findings
        .iter()
        .map(|f| format!("{}:{} {}", f.path, f.line, f.rule))
        .collect()
}

/// A member's manifest with these lines after `[dependencies]`.
fn manifest(name: &str, dependencies: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependencies}\n"
    )
}

/// The findings in one member whose manifest has these dependencies.
fn found_in(folder: &str, name: &str, dependencies: &str) -> Vec<String> {
    let path = format!("crates/{folder}/Cargo.toml");
    found(&[(path.as_str(), manifest(name, dependencies).as_str())])
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_crate_sees_only_what_is_below_it() {
    for (folder, name, wanted, allowed) in [
        ("store", "mobkit-store", "mobkit-domain", true),
        ("store", "mobkit-store", "mobkit-engine", false),
        ("domain", "mobkit-domain", "mobkit-store", false),
        ("engine", "mobkit-engine", "mobkit-agents", false),
        ("agents", "mobkit-agents", "mobkit-engine", true),
        ("agents", "mobkit-agents", "mobkit-gateway", false),
        ("gateway", "mobkit-gateway", "mobkit-delivery", false),
        ("mobkit", "mobkit", "mobkit-gateway", true),
        ("mobkit", "mobkit", "mobkit-cli", false),
        ("cli", "mobkit-cli", "mobkit", true),
        ("cli", "mobkit-cli", "mobkit-engine", false),
    ] {
        let findings = found_in(folder, name, &format!("{wanted}.workspace = true"));
        let expected = format!("crates/{folder}/Cargo.toml:6 crate-graph");
        let expected = if allowed { vec![] } else { vec![expected] };
        assert_eq!(findings, expected, "{name} -> {wanted}");
    }
}

#[test]
fn a_platform_or_a_build_script_opens_no_way_round_the_graph() {
    for table in [
        "build-dependencies",
        "target.'cfg(unix)'.dependencies",
        "dev-dependencies",
    ] {
        let text = manifest(
            "mobkit-agents",
            &format!("[{table}]\nmobkit-gateway = {{ workspace = true }}"),
        );
        let findings = found(&[("crates/agents/Cargo.toml", &text)]);
        assert_eq!(
            findings,
            ["crates/agents/Cargo.toml:7 crate-graph"],
            "{table}"
        );
    }
}

#[test]
fn a_renamed_dependency_is_seen_by_its_own_name() {
    let findings = found_in(
        "agents",
        "mobkit-agents",
        "web = { package = \"axum\", workspace = true }",
    );
    assert_eq!(findings, ["crates/agents/Cargo.toml:6 borders"]);
}

#[test]
fn the_tests_of_the_binary_see_everything_it_is_made_of() {
    let tests = "[dev-dependencies]\nmobkit-engine.workspace = true";
    assert_eq!(found_in("cli", "mobkit-cli", tests), NOTHING);
}

#[test]
fn an_unknown_crate_has_no_place() {
    let findings = found_in("new_thing", "mobkit-thing", "");
    assert_eq!(findings, ["crates/new_thing/Cargo.toml:2 crate-graph"]);
}

#[test]
fn a_dependency_stays_behind_its_border() {
    for (folder, name, wanted, allowed) in [
        ("domain", "mobkit-domain", "serde.workspace = true", true),
        ("domain", "mobkit-domain", "tokio.workspace = true", false),
        (
            "domain",
            "mobkit-domain",
            "[dev-dependencies]\ntokio.workspace = true",
            false,
        ),
        (
            "domain",
            "mobkit-domain",
            "[dev-dependencies]\nproptest.workspace = true",
            true,
        ),
        ("store", "mobkit-store", "rusqlite.workspace = true", true),
        (
            "engine",
            "mobkit-engine",
            "rusqlite.workspace = true",
            false,
        ),
        ("agents", "mobkit-agents", "genai.workspace = true", true),
        ("mobkit", "mobkit", "genai.workspace = true", false),
        ("gateway", "mobkit-gateway", "axum.workspace = true", true),
        ("agents", "mobkit-agents", "axum.workspace = true", false),
        (
            "agents",
            "mobkit-agents",
            "[dev-dependencies]\naxum.workspace = true",
            true,
        ),
        (
            "gateway",
            "mobkit-gateway",
            "reqwest.workspace = true",
            false,
        ),
        ("store", "mobkit-store", "sqlx-core.workspace = true", true),
        ("engine", "mobkit-engine", "rand.workspace = true", false),
        ("engine", "mobkit-engine", "anyhow.workspace = true", false),
        (
            "engine",
            "mobkit-engine",
            "tokio = { workspace = true, features = [\"process\"] }",
            false,
        ),
        (
            "engine",
            "mobkit-engine",
            "tokio = { workspace = true, features = [\"fs\"] }",
            true,
        ),
    ] {
        let findings = found_in(folder, name, wanted);
        assert_eq!(
            findings.is_empty(),
            allowed,
            "{name}: {wanted}: {findings:?}"
        );
        assert!(
            findings.iter().all(|f| f.ends_with(" borders")),
            "{findings:?}"
        );
    }
}

#[test]
fn versions_and_lints_come_from_the_workspace() {
    assert_eq!(
        found_in("engine", "mobkit-engine", "serde = \"1\""),
        ["crates/engine/Cargo.toml:6 borders"]
    );
    let text = "[package]\nname = \"mobkit-engine\"\n";
    assert_eq!(
        found(&[("crates/engine/Cargo.toml", text)]),
        ["crates/engine/Cargo.toml:1 borders"]
    );
}

#[test]
fn one_crate_may_deny_what_the_others_forbid() {
    let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n";
    let lints = |folder: &str, lints: &str| {
        let path = format!("crates/{folder}/Cargo.toml");
        let text = format!("[package]\nname = \"mobkit-{folder}\"\n[lints.rust]\n{lints}");
        let found = found(&[("Cargo.toml", root), (&path, &text)]);
        found
            .iter()
            .filter(|line| line.ends_with("borders"))
            .count()
    };
    let own = "missing_docs = \"warn\"\nunsafe_code = \"deny\"\n";
    assert_eq!(lints("modules", own), 0);
    assert_eq!(lints("engine", own), 1);
    assert_eq!(lints("modules", "unsafe_code = \"deny\"\n"), 1);
    assert_eq!(lints("modules", &own.replace("deny", "allow")), 1);
}

#[test]
fn dependencies_come_from_the_public_registries() {
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let fork = "name = \"x\"\nsource = \"git+https://example.org/x\"\n";
    let npm = "  \"resolved\": \"https://mirror.example.org/x.tgz\",\n";
    let uv = "source = { registry = \"https://mirror.example.org/simple\" }\n";
    assert_eq!(
        found(&[("Cargo.toml", ""), ("Cargo.lock", public)]),
        NOTHING
    );
    assert_eq!(found(&[("Cargo.toml", "")]), ["Cargo.lock:1 sources"]);
    assert_eq!(
        found(&[("bench/Cargo.lock", fork)]),
        ["bench/Cargo.lock:2 sources"]
    );
    assert_eq!(
        found(&[("console/package-lock.json", npm)]),
        ["console/package-lock.json:1 sources"]
    );
    assert_eq!(
        found(&[("sdk/python/uv.lock", uv)]),
        ["sdk/python/uv.lock:1 sources"]
    );
    let mirror = "[source.crates-io]\nreplace-with = \"mirror\"\n";
    assert_eq!(
        found(&[(".cargo/config.toml", mirror)]),
        [".cargo/config.toml:1 sources"]
    );
}

#[test]
fn a_file_is_at_most_800_lines_net_of_tests() {
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// t\n".repeat(300));
    let fits = "// x\n".repeat(800);
    assert_eq!(found(&[("a.rs", &format!("{fits}{tests}"))]), NOTHING);
    assert_eq!(
        found(&[("a.rs", &format!("{fits}// y\n{tests}"))]),
        ["a.rs:1 file-size"]
    );
    assert_eq!(found(&[("a/tests.rs", &format!("{fits}{fits}"))]), NOTHING);
    let notes = |lines| sizes::notes(&Tree::of([("a.rs", "// x\n".repeat(lines))])).len();
    assert_eq!((notes(400), notes(401)), (0, 1));
}

#[test]
fn a_function_is_at_most_70_lines_of_code() {
    let function = |lines| {
        format!(
            "// a\nfn f() {{\n{}    // c\n\n}}\n",
            "    x();\n".repeat(lines)
        )
    };
    assert_eq!(found(&[("a.rs", &function(70))]), NOTHING);
    assert_eq!(found(&[("a.rs", &function(71))]), ["a.rs:2 function-size"]);
}

#[test]
fn the_exception_list_may_only_shrink() {
    let check = |list: &str, lines: usize, entries_max| {
        let text = "// x\n".repeat(lines);
        let tree = Tree::of([("a.rs", text.as_str()), (super::exceptions::PATH, list)]);
        let findings = sizes::check_with(&tree, entries_max);
        findings
            .iter()
            .map(|f| format!("{}:{}", f.rule, f.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(check("# why\na.rs | 900 | one table\n", 900, 1), NOTHING);
    assert_eq!(check("a.rs | 900 | one table\n", 901, 1), ["file-size:1"]);
    assert_eq!(
        check("a.rs | 900 | one table\n", 850, 1),
        ["exceptions:1"],
        "shrank"
    );
    assert_eq!(
        check("a.rs | 900 | one table\n", 700, 1),
        ["exceptions:1"],
        "not needed"
    );
    assert_eq!(
        check("a.rs | 900 | one table\n", 900, 0),
        ["exceptions:1"],
        "grew"
    );
    assert_eq!(check("", 700, 1), ["exceptions:1"], "the bound lags behind");
    assert_eq!(
        check("a.rs | 900 |\n", 900, 0),
        ["file-size:1", "exceptions:1"],
        "no reason"
    );
}

#[test]
fn lib_and_mod_files_only_declare() {
    let honest = "//! Docs.\npub mod a;\nmod b;\npub use a::{\n    B,\n};\nconst N: usize = 1;\nmacro_rules! m {}\n";
    assert_eq!(found(&[("x/lib.rs", honest)]), NOTHING);
    for item in [
        "fn f() {}",
        "pub async fn f() {}",
        "pub(crate) struct S;",
        "enum E {}",
        "impl<T> X for T {}",
        "trait T {}",
        "pub const fn f() {}",
    ] {
        let text = format!("mod a;\n{item}\n");
        assert_eq!(
            found(&[("x/mod.rs", &text)]),
            ["x/mod.rs:2 declares-only"],
            "{item}"
        );
        assert_eq!(found(&[("x/other.rs", &text)]), NOTHING, "{item}");
    }
}

#[test]
fn a_line_is_at_most_100_columns_outside_of_text() {
    let long = "x".repeat(90);
    assert_eq!(found(&[("a.rs", &format!("// {long}\n"))]), NOTHING);
    assert_eq!(
        found(&[("a.rs", &format!("\n// {long} {long}\n"))]),
        ["a.rs:2 width"]
    );
    assert_eq!(
        found(&[("a.rs", &format!("let a = \"{long} {long}\";\n"))]),
        NOTHING
    );
    assert_eq!(
        found(&[("a.rs", &format!("// https://{long}/{long}\n"))]),
        NOTHING
    );
}

#[test]
fn a_name_says_what_is_inside() {
    assert_eq!(found(&[("a/utils.rs", "")]), ["a/utils.rs:1 names"]);
    assert_eq!(found(&[("a/common/x.rs", "")]), ["a/common/x.rs:1 names"]);
    assert_eq!(
        found(&[("a/x.rs", "pub mod helpers {\n}\n")]),
        ["a/x.rs:1 names"]
    );
    assert_eq!(found(&[("a/v2.rs", "")]), ["a/v2.rs:1 names"]);
    assert_eq!(found(&[("a/renewal.rs", "mod news {}\n")]), NOTHING);
}

#[test]
fn a_file_that_nobody_declares_is_found() {
    let manifest = manifest("mobkit-engine", "");
    let tree = [
        ("crates/engine/Cargo.toml", manifest.as_str()),
        (
            "crates/engine/src/lib.rs",
            "mod a;\n#[path = \"odd/place.rs\"]\nmod c;\n// mod lost;\n",
        ),
        (
            "crates/engine/src/a.rs",
            "mod b;\nmod inner {\n    mod deep;\n}\n#[cfg(test)] mod tests;",
        ),
        ("crates/engine/src/a/b/mod.rs", "mod e;"),
        ("crates/engine/src/a/b/e.rs", ""),
        ("crates/engine/src/a/inner/deep.rs", ""),
        ("crates/engine/src/a/tests.rs", ""),
        ("crates/engine/src/odd/place.rs", ""),
        ("crates/engine/src/lost.rs", ""),
        ("crates/engine/src/a/lost.rs", ""),
        ("crates/engine/tests/it/main.rs", "mod turns;\n"),
        ("crates/engine/tests/it/turns.rs", ""),
        ("crates/engine/tests/it/lost.rs", ""),
        ("crates/engine/examples/embed.rs", ""),
    ];
    assert_eq!(
        found(&tree),
        [
            "crates/engine/src/a/lost.rs:1 reachable",
            "crates/engine/src/lost.rs:1 reachable",
            "crates/engine/tests/it/lost.rs:1 reachable",
        ]
    );
}

#[test]
fn a_crate_has_one_integration_binary_and_hides_no_tests() {
    let engine = manifest("mobkit-engine", "");
    let path = "crates/engine/Cargo.toml";
    let stray = "crates/engine/tests/more.rs";
    let findings = found(&[(path, engine.as_str()), (stray, "")]);
    assert_eq!(findings, ["crates/engine/tests/more.rs:1 reachable"]);
    let hidden = format!("{engine}[lib]\ntest = false\n");
    assert_eq!(
        found(&[(path, &hidden)]),
        ["crates/engine/Cargo.toml:8 reachable"]
    );
}

#[test]
fn banned_code_is_found_wherever_it_may_not_stand() {
    let product = "crates/agents/src/a.rs";
    let test = "crates/agents/tests/it/a.rs";
    for (path, code, allowed) in [
        (product, "#[ignore]", false),
        (test, "#[ignore = \"slow\"]", false),
        (test, "#[cfg_attr(unix, ignore)]", false),
        (product, "#[allow(dead_code)]", false),
        (product, "#![allow(dead_code)]", false),
        (product, "policy.allow(tool)", true),
        (product, "todo!()", false),
        (product, "unimplemented!()", false),
        (product, "dbg!(x)", false),
        (product, "// todo!() in words", true),
        (product, "\"todo!()\"", true),
        (product, "tokio::spawn(x)", false),
        (product, "tokio::task::spawn_blocking(x)", false),
        (product, "tasks.spawn(x)", true),
        (product, "my_tokio::spawner(x)", true),
        (test, "tokio::spawn(x)", true),
        ("crates/engine/src/tasks.rs", "tokio::spawn(x)", true),
        (product, "mpsc::unbounded_channel()", false),
        (product, "std::process::Command::new(x)", false),
        (
            "crates/modules/src/a.rs",
            "std::process::Command::new(x)",
            true,
        ),
        (
            product,
            "#[expect(clippy::disallowed_methods, reason = \"x\")]",
            false,
        ),
        (
            test,
            "#[expect(clippy::disallowed_methods, reason = \"x\")]",
            true,
        ),
        (
            "crates/cli/src/a.rs",
            "#[expect(clippy::disallowed_methods, reason = \"x\")]",
            true,
        ),
        (product, "#[expect(unsafe_code, reason = \"x\")]", false),
        (
            "crates/modules/src/process/before_exec.rs",
            "#[expect(unsafe_code, reason = \"x\")]",
            true,
        ),
        (product, "std::thread::sleep(x)", false),
        (test, "std::thread::sleep(x)", false),
    ] {
        let findings = found(&[(path, &format!("fn f() {{\n    {code};\n}}\n"))]);
        let on_line: Vec<_> = findings.iter().filter(|f| f.contains(":2 calls")).collect();
        assert_eq!(on_line.is_empty(), allowed, "{path}: {code}");
    }
}

#[test]
fn a_test_sleeps_in_virtual_time_only() {
    let test = |attribute: &str, call: &str| {
        let text = format!("{attribute}\nasync fn f() {{\n    {call};\n}}\n");
        (
            found(&[("crates/engine/tests/it/a.rs", &text)]),
            found(&[("crates/engine/src/a.rs", &text)]),
        )
    };
    let found = vec!["crates/engine/tests/it/a.rs:3 calls".to_owned()];
    let sleep = "tokio::time::sleep(x).await";
    assert_eq!(test("#[tokio::test]", sleep), (found.clone(), vec![]));
    assert_eq!(
        test("#[tokio::test(start_paused = true)]", sleep),
        (vec![], vec![])
    );
    assert_eq!(test("", "sleep_until(x).await"), (found, vec![]));
    assert_eq!(
        test("#[tokio::test]", "clock.sleep(x).await"),
        (vec![], vec![])
    );
}

#[test]
fn an_inline_test_module_counts_as_tests() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { sleep(x) }\n}\n";
    assert_eq!(found(&[("a.rs", text)]), ["a.rs:4 calls"]);
}

#[test]
fn code_tells_no_plans() {
    let mark = concat!("TO", "DO");
    for (path, text, allowed) in [
        ("a.rs", format!("// {mark}: more"), false),
        ("a.rs", format!("let a = \"{mark}\";"), true),
        ("a.rs", "// Enough for now.".to_owned(), false),
        ("a.rs", "// Wanted for nowhere else.".to_owned(), true),
        ("a.toml", format!("# {mark}"), false),
        ("a.md", format!("the rule against {mark}"), true),
    ] {
        assert_eq!(
            found(&[(path, &text)]).is_empty(),
            allowed,
            "{path}: {text}"
        );
    }
}

#[test]
fn no_path_of_a_machine_is_left_behind() {
    for (text, allowed) in [
        (concat!("see /wo", "rk/main/x"), false),
        (concat!("`/ro", "ot/.cargo`"), false),
        (concat!("file:///ho", "me/me/x"), false),
        (concat!("https://example.org/ho", "me/x"), true),
        (concat!("./wo", "rk/x"), true),
        ("/workers/", true),
    ] {
        assert_eq!(found(&[("docs/a.md", text)]).is_empty(), allowed, "{text}");
    }
}

#[test]
fn the_architecture_stays_short() {
    assert_eq!(found(&[("ARCHITECTURE.md", &"x\n".repeat(150))]), NOTHING);
    assert_eq!(
        found(&[("ARCHITECTURE.md", &"x\n".repeat(151))]),
        ["ARCHITECTURE.md:151 documents"]
    );
}

#[test]
fn a_proof_names_a_test_that_exists() {
    let test = "#[test]\nfn it_holds_after_all() {}\n";
    let document = "| a | `it_holds_after_all` |\n| b | `it_is_only_claimed`, `a_b` |\n";
    assert_eq!(
        found(&[("docs/lessons.md", document), ("xtask/src/main.rs", test)]),
        ["docs/lessons.md:2 proofs"]
    );
}

#[test]
fn a_finding_says_where_what_and_what_next() {
    let findings = check(&Tree::of([("a/misc.rs", "")]));
    let text = findings.first().expect("one finding").to_string();
    assert_eq!(
        text,
        "a/misc.rs:1: names: `misc` says nothing about the subject; \
         name it by a noun or verb of the domain"
    );
}
