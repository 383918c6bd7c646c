//! `mobkit init`.

use super::check::counted;
use crate::environment;
use crate::failure::{Exit, Failure};
use crate::terminal::{Output, Tone};
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Where to write; made where it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// What to start from
    #[arg(long, value_enum, default_value = "hello")]
    template: Template,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Template {
    /// A writer who asks a critic
    Hello,
    /// A lead who hands work to three workers
    Team,
}

impl Template {
    fn mob_file(self) -> &'static str {
        match self {
            Self::Hello => include_str!("init/hello/mob.toml"),
            Self::Team => include_str!("init/team/mob.toml"),
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Hello => include_str!("init/hello/rehearsal.toml"),
            Self::Team => include_str!("init/team/rehearsal.toml"),
        }
    }

    fn members(self) -> &'static [&'static str] {
        match self {
            Self::Hello => &["writer", "critic"],
            Self::Team => &["lead", "worker-1", "worker-2", "worker-3"],
        }
    }
}

const IGNORE_FILE: &str = ".gitignore";
const IGNORED: &str = "# The state of the mob: its journal and the operator's token.\n.mobkit/\n";
/// The place of the mob's id in a template.
const ID: &str = "MOB_ID";

pub(crate) fn run(args: &InitArgs, output: &Output) -> Result<Exit, Failure> {
    let folder = environment::folder()?.join(&args.dir);
    if folder.is_file() || folder.extension().is_some_and(|end| end == "toml") {
        return Err(no_folder(&args.dir));
    }
    let mob_file = args.template.mob_file().replace(ID, &mob_id(&folder));
    let files = [
        ("mob.toml", mob_file.as_str()),
        ("rehearsal.toml", args.template.script()),
    ];
    let present: Vec<&str> = files
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| folder.join(name).exists())
        .collect();
    if !present.is_empty() {
        return Err(exists(&args.dir, &present.join(" and ")));
    }
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    let mut created = Vec::new();
    for (name, text) in files {
        if !create(&folder.join(name), text)? {
            return Err(exists(&args.dir, name));
        }
        created.push(name);
    }
    // A repository has its own list of what it ignores; it is not ours to rewrite.
    if create(&folder.join(IGNORE_FILE), IGNORED)? {
        created.push(IGNORE_FILE);
    } else {
        output.notice(&format!(
            "kept the {IGNORE_FILE} that is there; add .mobkit/ to it"
        ));
    }
    tell(args, output, &created)
}

fn tell(args: &InitArgs, output: &Output, created: &[&str]) -> Result<Exit, Failure> {
    let members = args.template.members();
    let here = args.dir == Path::new(".");
    let up = if here {
        "mobkit up".to_owned()
    } else {
        format!("mobkit up {}", args.dir.display())
    };
    if output.is_json() {
        let folder = args.dir.display().to_string();
        let next = [up];
        output.document(
            &json!({"folder": folder, "created": created, "members": members, "next": next}),
        )?;
        return Ok(Exit::Done);
    }
    let label = |text: &str| output.paint(Tone::Faint, &format!("{text:<8}"));
    let who = format!(
        "{}: {}",
        counted(members.len(), "member"),
        members.join(", ")
    );
    for name in created {
        let what = match *name {
            "mob.toml" => who.as_str(),
            "rehearsal.toml" => "what they answer while no model is set up; no key is needed",
            _ => "keeps the state out of the repository",
        };
        output.line(&format!("{} {name:<15} {what}", label("created")))?;
    }
    output.line(&format!("{} {up}", label("next")))?;
    let first = members.first().copied().unwrap_or_default();
    let send = format!("mobkit send {first} \"Hello\" --wait");
    let send = if here {
        send
    } else {
        format!("cd {} && {send}", args.dir.display())
    };
    output.line(&format!(
        "{} {send}      (in a second terminal)",
        label("then")
    ))?;
    Ok(Exit::Done)
}

/// Writes a file that is not there yet; whether it was not.
fn create(path: &Path, text: &str) -> Result<bool, Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    match opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn exists(dir: &Path, names: &str) -> Failure {
    let message = format!(
        "{} holds {names} already; nothing is overwritten",
        dir.display()
    );
    Failure::new(Exit::Conflict, "mob_file.exists", message)
        .hint("name another folder: `mobkit init DIR`")
}

fn no_folder(path: &Path) -> Failure {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let message = format!(
        "{} is the name of a file; init wants that of a folder",
        path.display()
    );
    Failure::new(Exit::Usage, "folder.needed", message).hint(match parent {
        Some(parent) => format!("name its folder: `mobkit init {}`", parent.display()),
        None => "name no folder for the current one: `mobkit init`".to_owned(),
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    Failure::new(Exit::Failed, "file.unwritable", message)
        .hint("name a folder that you may write to: `mobkit init DIR`")
}

/// The id of the mob: the name of the folder, as far as ids allow it.
fn mob_id(folder: &Path) -> String {
    const ID_LEN_MAX: usize = 63;
    let name = folder
        .components()
        .next_back()
        .map(|last| last.as_os_str().to_string_lossy());
    let mut id = String::new();
    for c in name.unwrap_or_default().to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    id.truncate(ID_LEN_MAX);
    let id = id.trim_matches('-');
    if id.is_empty() {
        "mob".to_owned()
    } else {
        id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_mob() {
        for (folder, id) in [
            ("/srv/News Room", "news-room"),
            ("/x/..hidden", "hidden"),
            ("/x/2nd", "2nd"),
            ("/x/日本", "mob"),
            ("/", "mob"),
            ("/x/a_b.c", "a-b-c"),
        ] {
            assert_eq!(mob_id(Path::new(folder)), id, "{folder}");
        }
        assert_eq!(mob_id(Path::new(&format!("/{}", "a".repeat(99)))).len(), 63);
    }

    #[test]
    fn templates_are_short() {
        for template in [Template::Hello, Template::Team] {
            assert!(template.mob_file().lines().count() < 40);
            assert!(template.mob_file().contains(ID));
        }
    }
}
