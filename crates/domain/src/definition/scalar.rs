//! Reading single values: text, numbers, spans of time, choices, references.

use super::report::{Finding, Noun, Report};
use super::source::{Node, parse_id};
use super::suggest;
use crate::id::IdError;
use crate::time::parse_span_ms;
use std::str::FromStr;
use toml::de::{DeInteger, DeValue};

/// An enum whose variants have names in the mob file.
pub(super) trait Choice: Copy + 'static {
    /// Every variant with its name.
    const OPTIONS: &'static [(&'static str, Self)];
}

/// Declares an enum together with the names of its variants, so that each name is written once for
/// the mob file and for JSON.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// The name in the mob file and in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl crate::definition::scalar::Choice for $name {
            const OPTIONS: &'static [(&'static str, Self)] = &[$(($text, Self::$variant)),+];
        }
    };
}
pub(super) use choice;

impl Node<'_> {
    /// Text as it stands, which may be empty; `None` without an error for anything else.
    pub fn str(&self) -> Option<&str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }

    /// Text that says something.
    pub fn text(&self, cx: &mut Report<'_>) -> Option<String> {
        let Some(text) = self.str() else {
            self.wrong_type(cx, "text");
            return None;
        };
        if text.trim().is_empty() {
            let message = format!("{} must not be empty", self.name());
            cx.error(Finding::new("text_empty", &self.span, message).label("says nothing"));
            return None;
        }
        Some(text.to_owned())
    }

    /// Text that may be empty.
    pub fn any_text(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(cx, "text");
        }
        text
    }

    /// A list of texts that say something.
    pub fn texts(&self, cx: &mut Report<'_>) -> Option<Vec<String>> {
        self.each(cx, Node::text)
    }

    /// A list of at least one text.
    pub fn some_texts(&self, cx: &mut Report<'_>) -> Option<Vec<String>> {
        let texts = self.texts(cx)?;
        if texts.is_empty() {
            let message = format!("{} must not be empty", self.name());
            cx.error(Finding::new("list_empty", &self.span, message).label("holds nothing"));
            return None;
        }
        Some(texts)
    }

    /// True or false.
    pub fn boolean(&self, cx: &mut Report<'_>) -> Option<bool> {
        let DeValue::Boolean(value) = self.value else {
            self.wrong_type(cx, "true or false");
            return None;
        };
        Some(*value)
    }

    /// A whole number from `min` to `max`.
    pub fn integer<T: TryFrom<u64>>(&self, cx: &mut Report<'_>, min: u64, max: u64) -> Option<T> {
        let DeValue::Integer(integer) = self.value else {
            self.wrong_type(cx, "a whole number");
            return None;
        };
        let value = integer_value(integer).and_then(|value| u64::try_from(value).ok());
        let value = value.filter(|value| (min..=max).contains(value));
        let value = value.and_then(|value| T::try_from(value).ok());
        if value.is_none() {
            let message = format!("{} must be from {min} to {max}", self.name());
            cx.error(
                Finding::new("number_out_of_range", &self.span, message).label("out of range"),
            );
        }
        value
    }

    /// A number of at least 0, whole or not.
    pub fn amount(&self, cx: &mut Report<'_>) -> Option<f64> {
        let value = match self.value {
            DeValue::Integer(integer) => {
                integer_value(integer).and_then(|value| value.to_string().parse().ok())
            }
            DeValue::Float(float) => float.as_str().parse().ok(),
            _ => {
                self.wrong_type(cx, "a number");
                return None;
            }
        };
        // Negative zero would make two equal files differ in their digest.
        let value = value
            .filter(|v: &f64| v.is_finite() && *v >= 0.0)
            .map(f64::abs);
        if value.is_none() {
            let message = format!("{} must be a number of at least 0", self.name());
            cx.error(
                Finding::new("number_out_of_range", &self.span, message).label("out of range"),
            );
        }
        value
    }

    /// A span of time, in milliseconds.
    pub fn span_ms(&self, cx: &mut Report<'_>) -> Option<u64> {
        let Some(text) = self.str() else {
            self.wrong_type(cx, "a duration such as \"90s\"");
            return None;
        };
        let span = parse_span_ms(text);
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let is_span = unit_at > 0 && parse_span_ms(&format!("1{}", &text[unit_at..])).is_some();
        if span.is_none() && is_span {
            let message = format!("{} must be from 1ms to 3653d", self.name());
            let finding = Finding::new("duration_invalid", &self.span, message);
            cx.error(finding.label("out of range"));
        } else if span.is_none() {
            let message = format!("{} is not a duration: {text:?}", self.name());
            let finding = Finding::new("duration_invalid", &self.span, message);
            let hint =
                "write a whole number and ms, s, m, h or d, e.g. \"200ms\", \"90s\", \"12h\"";
            cx.error(finding.label("not a duration").hint_str(hint));
        }
        span
    }

    /// One of the names of `T`.
    pub fn choice<T: Choice>(&self, cx: &mut Report<'_>) -> Option<T> {
        let names = || T::OPTIONS.iter().map(|(name, _)| *name);
        let Some(text) = self.str() else {
            self.wrong_type(
                cx,
                &format!("one of {}", names().collect::<Vec<_>>().join(", ")),
            );
            return None;
        };
        let found = T::OPTIONS.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let message = format!("{} cannot be {text:?}", self.name());
            let label = format!("wants {}", names().collect::<Vec<_>>().join(", "));
            let finding = Finding::new("choice_unknown", &self.span, message).label(label);
            let near = suggest::nearest(text, names());
            cx.error(finding.hint(near.map(|name| format!("did you mean {name:?}?"))));
        }
        found.map(|(_, value)| *value)
    }

    /// The id of something that is declared in this file. `user` is subject and verb of the error
    /// that is reported if it is not, e.g. `profile "writer" uses`.
    pub fn reference<T: FromStr<Err = IdError>>(
        &self,
        cx: &mut Report<'_>,
        noun: Noun,
        user: String,
    ) -> Option<T> {
        let name = self.text(cx)?;
        cx.refer(noun, &name, &self.span, user);
        // A name outside the grammar can't have been declared, so the reference itself is reported.
        name.parse().ok()
    }

    /// An id that this value gives to something.
    pub fn id<T: FromStr<Err = IdError>>(&self, cx: &mut Report<'_>) -> Option<T> {
        let name = self.text(cx)?;
        parse_id(cx, &name, &self.span)
    }

    /// Any value, as JSON.
    pub fn json(&self, cx: &mut Report<'_>) -> Option<serde_json::Value> {
        let value = json_value(self.value);
        if value.is_none() {
            let message = format!("{} holds a number that JSON cannot express", self.name());
            let finding = Finding::new("number_out_of_range", &self.span, message);
            cx.error(finding.label("too large, infinite, or not a number"));
        }
        value
    }
}

fn integer_value(integer: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn json_value(value: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(integer) => integer_value(integer)?.into(),
        DeValue::Float(float) => {
            let value: f64 = float.as_str().parse().ok()?;
            serde_json::Number::from_f64(value)?.into()
        }
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(value) => value.to_string().into(),
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(|i| json_value(i.get_ref())).collect();
            items?.into()
        }
        DeValue::Table(entries) => {
            let mut map = serde_json::Map::new();
            for (key, value) in entries {
                map.insert(
                    key.get_ref().clone().into_owned(),
                    json_value(value.get_ref())?,
                );
            }
            map.into()
        }
    })
}
