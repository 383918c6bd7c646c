//! The mob file: golden errors, the whole format, and texts of any kind.

use mobkit_domain::definition::{
    self, CODES, Definition, Diagnostic, Files, NoFiles, Parsed, Secret, Severity, Start,
    ToolSelector,
};
use mobkit_domain::id::{MemberId, MobId, ModelId, ProfileId};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that shows the whole format.
const WHOLE: &str = include_str!("golden/whole.toml");

/// The files that the golden mob files name.
struct Folder;

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

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/definition")
}

fn findings(text: &str) -> Vec<Diagnostic> {
    match definition::parse("mob.toml", text, &Folder) {
        Ok(Parsed { mut warnings, unsupported, .. }) => {
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
fn every_code_is_listed_once_in_order() {
    assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    for entry in fs::read_dir(golden()).expect("the folder is there") {
        let path = entry.expect("the entry can be read").path();
        let text = fs::read_to_string(path).expect("the file can be read");
        for code in codes(&text) {
            assert!(CODES.iter().any(|(known, _)| *known == code), "{code} is not listed");
        }
    }
}
