//! Reading parameters from a query string: each text becomes what its field asks for.

use serde::Deserializer;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{Error as _, IntoDeserializer, Unexpected, Visitor};

/// A deserializer over the pairs of a query string.
pub(crate) fn deserializer<'de>(
    pairs: Vec<(String, String)>,
) -> impl Deserializer<'de, Error = Error> {
    MapDeserializer::new(pairs.into_iter().map(|(name, text)| (name, Text(text))))
}

struct Text(String);

impl IntoDeserializer<'_, Error> for Text {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Error::invalid_value(Unexpected::Str(&self.0), &visitor)),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    parsed! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_str() {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            text => Err(Error::invalid_value(Unexpected::Str(text), &visitor)),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Params {
        after: Option<u64>,
        follow: bool,
        cursor: String,
    }

    fn read(pairs: [(&str, &str); 3]) -> Result<Params, Error> {
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Params::deserialize(deserializer(pairs.into()))
    }

    #[test]
    fn a_text_becomes_what_its_field_asks_for() {
        let params = read([("after", "12"), ("follow", "true"), ("cursor", "12")]);
        let expected = Params {
            after: Some(12),
            follow: true,
            cursor: "12".to_owned(),
        };
        assert_eq!(params, Ok(expected));
        for (text, follow) in [("1", true), ("0", false), ("false", false)] {
            let params = read([("after", "1"), ("follow", text), ("cursor", "")]);
            assert_eq!(params.map(|params| params.follow), Ok(follow), "{text}");
        }
        assert!(read([("after", "-1"), ("follow", "true"), ("cursor", "")]).is_err());
        assert!(read([("after", "1"), ("follow", "yes"), ("cursor", "")]).is_err());
        assert!(read([("after", "1"), ("after", "2"), ("cursor", "")]).is_err());
    }
}
