//! The names of a type's fields, as serde knows them.

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use std::fmt;

/// The names under which the fields of a struct are read, aliases included; empty for other types.
pub(crate) fn fields_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The probe refuses every type, after it has seen the fields.
    let refused = T::deserialize(Probe(&mut found));
    debug_assert!(refused.is_err());
    found
}

struct Probe<'a>(&'a mut &'static [&'static str]);

#[derive(Debug)]
struct Seen;

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a probe holds no value")
    }
}

impl std::error::Error for Seen {}

impl de::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Seen;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Seen> {
        Err(Seen)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Seen> {
        *self.0 = fields;
        Err(Seen)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its names matter")]
    struct Params {
        #[serde(alias = "id")]
        member: String,
        limit: Option<u64>,
    }

    #[test]
    fn fields_and_their_aliases_are_found() {
        let mut fields = fields_of::<Params>().to_vec();
        fields.sort_unstable();
        assert_eq!(fields, ["id", "limit", "member"]);
        assert!(fields_of::<u64>().is_empty());
    }
}
