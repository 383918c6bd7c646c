//! The archive example: the file server that others wrote, as its README shows it.

use crate::installed::installed;
use crate::running::Example;
use serde_json::Value;

const PACKAGE: &str = "@modelcontextprotocol/server-filesystem";

/// The example, with the server that the tests have installed instead of one that npx fetches.
fn archive() -> Example {
    let archive = Example::copy_of("archive");
    let file = archive.mob().join("mob.toml");
    let text = std::fs::read_to_string(&file).expect("the mob file");
    let node = installed().join("node");
    let pins = std::fs::read_to_string(node.join("package.json")).expect("pins");
    let pins: Value = serde_json::from_str(&pins).expect("a document");
    let version = pins["dependencies"][PACKAGE].as_str().expect("a version");
    let fetched = format!(r#"command = ["npx", "-y", "{PACKAGE}@{version}", "library"]"#);
    assert!(
        text.contains(&fetched),
        "the example names the version that is tested"
    );
    let script = node
        .join("node_modules")
        .join(PACKAGE)
        .join("dist/index.js");
    let there = format!(r#"command = ["node", "{}", "library"]"#, script.display());
    let text = text.replace(&fetched, &there).replace(
        r#"filesystem = ["rw:library","#,
        &format!(r#"filesystem = ["ro:{}", "rw:library","#, node.display()),
    );
    std::fs::write(&file, text).expect("a file");
    archive
}

fn ask(archive: &Example, text: &str) -> String {
    let run = archive.run(&["send", "keeper", text, "--wait"]);
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout
}

#[test]
fn papers_are_read_freely_and_filed_with_the_consent_of_a_person() {
    let archive = archive();
    let mut up = archive.up();
    up.document();
    let said = ask(&archive, "what is there?");
    assert!(said.contains("[FILE] visitors.md"), "{said}");
    assert!(ask(&archive, "read visitors.md").contains("| 2024 | 398 |"));
    assert!(ask(&archive, "find rules").contains("house-rules.md"));

    let run = archive.run(&["send", "keeper", "file loans.md: Two drums.", "--wait"]);
    assert_eq!(run.code, 8, "{run:?}");
    let run = archive.run(&["approvals", "--json"]);
    let wish = run.documents()[0]["approvals"][0].clone();
    assert_eq!(wish["tool"], "module:library/write_file", "{wish}");
    let text = |name: &str| wish[name].as_str().expect("a text");
    let run = archive.run(&["approve", text("id"), "--yes", "--digest", text("digest")]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(ask(&archive, "read loans.md").trim(), "Two drums.");
    let (code, last) = up.interrupt();
    assert_eq!(code, Some(0), "{last}");
}
