//! When there is colour, and which.

use owo_colors::{OwoColorize, Style};

/// The value of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// Where a person reads and nothing speaks against it.
    #[default]
    Auto,
    /// Also into files and pipes.
    Always,
    /// Nowhere.
    Never,
}

/// What the environment says about colour.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// `NO_COLOR` is set, or `TERM` is `dumb`.
    pub never: bool,
    /// `CLICOLOR_FORCE` or `FORCE_COLOR` is set and not `0`.
    pub always: bool,
}

impl Wishes {
    /// Reads them with `variable`.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let forced = |name| variable(name).is_some_and(|value| value != "0");
        Self {
            never: variable("NO_COLOR").is_some()
                || variable("TERM").is_some_and(|term| term == "dumb"),
            always: forced("CLICOLOR_FORCE") || forced("FORCE_COLOR"),
        }
    }

    /// Whether a stream gets colour.
    pub fn decide(self, choice: ColorChoice, is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.never => false,
            ColorChoice::Auto => self.always || is_terminal,
        }
    }
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

impl Tone {
    /// The text in the colour of its meaning.
    pub fn paint(self, text: &str) -> String {
        let style = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => Style::new().green(),
            Self::Warning => Style::new().yellow().bold(),
            Self::Bad => Style::new().red().bold(),
        };
        text.style(style).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_people_who_want_it() {
        let plain = Wishes::default();
        let no_color = Wishes::read(|name| (name == "NO_COLOR").then(|| "1".to_owned()));
        let dumb = Wishes::read(|name| (name == "TERM").then(|| "dumb".to_owned()));
        let forced = Wishes::read(|name| (name == "FORCE_COLOR").then(|| "1".to_owned()));
        let unforced = Wishes::read(|name| (name == "CLICOLOR_FORCE").then(|| "0".to_owned()));
        for (wishes, choice, is_terminal, expected) in [
            (plain, ColorChoice::Auto, true, true),
            (plain, ColorChoice::Auto, false, false),
            (plain, ColorChoice::Never, true, false),
            (plain, ColorChoice::Always, false, true),
            (no_color, ColorChoice::Auto, true, false),
            (no_color, ColorChoice::Always, true, true),
            (dumb, ColorChoice::Auto, true, false),
            (forced, ColorChoice::Auto, false, true),
            (forced, ColorChoice::Never, true, false),
            (unforced, ColorChoice::Auto, false, false),
        ] {
            assert_eq!(
                wishes.decide(choice, is_terminal),
                expected,
                "{wishes:?} {choice:?}"
            );
        }
    }
}
