//! Types by their names in the words of the server.

use super::values::family;
use crate::{
    schema::{Facts, Kind, Name, ObjectId, Schema},
    seed::{
        hint::{Hint, hints},
        wanted::{Sample, wanted},
    },
    sql::Dialect,
};

/// A type, as far as its values depend on it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Integer {
        min: i64,
        max: i64,
    },
    Numeric {
        /// Digits and digits behind the point.
        digits: Option<(i32, i32)>,
    },
    Float,
    Bool,
    /// Texts of at most this many characters.
    Text(usize),
    Bytes,
    Uuid,
    Json,
    Date,
    Timestamp {
        zone: bool,
    },
    Time {
        zone: bool,
    },
    Bits {
        length: usize,
        varying: bool,
    },
    Enum(Vec<String>),
    Array(Box<Self>),
    Range {
        of: Box<Self>,
        is_multi: bool,
    },
    Composite(Vec<Self>),
    /// A few texts: what is usual, and then others.
    Known(&'static [&'static str]),
    /// A vector of the extension of this name.
    Vector(usize),
    Unknown,
}

/// The conditions of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DomainFacts {
    /// Names and expressions of the constraints; the value is called VALUE.
    pub checks: Vec<(String, String)>,
    pub not_null: bool,
    pub has_default: bool,
}

/// How deep types are nested before they count as unknown.
const DEEP: usize = 8;

/// The type of this name, and the conditions of the domains over it.
pub(super) fn resolve(schema: &Schema, name: &str) -> (Type, DomainFacts) {
    let mut domain = DomainFacts::default();
    let found = of(schema, name, &mut domain, DEEP);
    (found, domain)
}

fn of(schema: &Schema, name: &str, domain: &mut DomainFacts, depth: usize) -> Type {
    let Some(depth) = depth.checked_sub(1) else {
        return Type::Unknown;
    };
    let inner = |name: &str| nested(schema, name, depth);
    if let Some(element) = name.strip_suffix("[]") {
        return Type::Array(Box::new(inner(element)));
    }
    let (base, modifiers) = parts(name);
    if let Some(found) = built_in(&base, &modifiers) {
        return found;
    }
    if let Some((of, is_multi)) = built_in_range(&base) {
        let of = Box::new(inner(of));
        return Type::Range { of, is_multi };
    }
    let Ok(name) = base.parse::<Name>() else {
        return Type::Unknown;
    };
    user_defined(schema, &name, domain, depth)
        .or_else(|| of_extension(&name.name, &modifiers))
        .unwrap_or(Type::Unknown)
}

/// The type of elements, fields or bounds. What the conditions of a domain ask for is all that it
/// has.
fn nested(schema: &Schema, name: &str, depth: usize) -> Type {
    let mut domain = DomainFacts::default();
    let found = of(schema, name, &mut domain, depth);
    let conditions = domain.checks.iter();
    let hints: Vec<Hint> = conditions
        .flat_map(|(_, condition)| hints(Dialect::Postgres, condition, "VALUE"))
        .collect();
    let samples = wanted(&hints, family(&found)).into_iter();
    let texts: Vec<String> = samples
        .filter_map(|sample| match sample {
            Sample::Text(text) | Sample::Number(text) => Some(text),
            Sample::Bytes(_) => None,
        })
        .collect();
    match texts.is_empty() {
        true => found,
        false => Type::Enum(texts),
    }
}

fn user_defined(
    schema: &Schema,
    name: &Name,
    domain: &mut DomainFacts,
    depth: usize,
) -> Option<Type> {
    let inner = |name: &str| nested(schema, name, depth);
    let facts = |kind| {
        let id = ObjectId::new(kind, name.schema.clone(), name.name.clone());
        schema.get(&id).map(|object| &object.facts)
    };
    if let Some(Facts::Enum(found)) = facts(Kind::Enum) {
        return Some(Type::Enum(found.labels.clone()));
    }
    if let Some(Facts::Domain(found)) = facts(Kind::Domain) {
        domain.not_null |= found.not_null;
        domain.has_default |= found.default.is_some();
        for part in schema.parts(name) {
            if let Facts::Check(check) = &part.facts {
                let check = (part.id.name.clone(), check.expression.clone());
                domain.checks.push(check);
            }
        }
        return Some(of(schema, &found.data_type, domain, depth));
    }
    if let Some(Facts::Composite(found)) = facts(Kind::Composite) {
        let attributes = found.attributes.iter();
        let types = attributes.map(|attribute| inner(&attribute.data_type));
        return Some(Type::Composite(types.collect()));
    }
    if facts(Kind::Table).is_some() {
        let mut columns: Vec<_> = schema.parts(name).iter().filter_map(column).collect();
        columns.sort_unstable_by_key(|(position, _)| *position);
        let types = columns.iter().map(|(_, data_type)| inner(data_type));
        return Some(Type::Composite(types.collect()));
    }
    let ranges = schema.objects.iter().filter_map(|object| {
        let Facts::Range(found) = &object.facts else {
            return None;
        };
        Some((&object.id, found))
    });
    for (id, found) in ranges {
        let is_range = id.qualified() == *name;
        let default = Name::new(id.schema.clone(), default_multirange(&id.name));
        if is_range || found.multirange.as_ref().unwrap_or(&default) == name {
            return Some(Type::Range {
                of: Box::new(inner(&found.subtype)),
                is_multi: !is_range,
            });
        }
    }
    None
}

fn column(object: &crate::schema::Object) -> Option<(i16, &str)> {
    match &object.facts {
        Facts::Column(column) => Some((column.position, column.data_type.as_str())),
        _ => None,
    }
}

/// The name that the server gives the multirange type of a range type.
fn default_multirange(range: &str) -> String {
    match range.contains("range") {
        true => range.replacen("range", "multirange", 1),
        false => format!("{range}_multirange"),
    }
}

/// The name without modifiers, and the numbers in them: `timestamp(3) with time zone`.
fn parts(name: &str) -> (String, Vec<i32>) {
    let Some((start, rest)) = name.split_once('(') else {
        return (name.to_owned(), Vec::new());
    };
    let Some((inner, end)) = rest.split_once(')') else {
        return (name.to_owned(), Vec::new());
    };
    let numbers = inner.split(',').filter_map(|it| it.trim().parse().ok());
    (format!("{start}{end}"), numbers.collect())
}

fn built_in(base: &str, modifiers: &[i32]) -> Option<Type> {
    let integer = |min, max| Type::Integer { min, max };
    let length = || {
        let length = modifiers.first().copied();
        length.and_then(|it| usize::try_from(it).ok())
    };
    Some(match base {
        "smallint" => integer(i16::MIN.into(), i16::MAX.into()),
        "integer" => integer(i32::MIN.into(), i32::MAX.into()),
        "bigint" => integer(i64::MIN, i64::MAX),
        "oid" | "xid" | "cid" => integer(0, u32::MAX.into()),
        "numeric" => Type::Numeric {
            digits: modifiers
                .first()
                .map(|digits| (*digits, modifiers.get(1).copied().unwrap_or(0))),
        },
        "real" | "double precision" => Type::Float,
        "boolean" => Type::Bool,
        "text" => Type::Text(usize::MAX),
        "character varying" => Type::Text(length().unwrap_or(usize::MAX)),
        "character" | "bpchar" => Type::Text(length().unwrap_or(1)),
        "\"char\"" => Type::Text(1),
        "name" => Type::Text(63),
        "bytea" => Type::Bytes,
        "uuid" => Type::Uuid,
        "json" | "jsonb" => Type::Json,
        "date" => Type::Date,
        "timestamp without time zone" => Type::Timestamp { zone: false },
        "timestamp with time zone" => Type::Timestamp { zone: true },
        "time without time zone" => Type::Time { zone: false },
        "time with time zone" => Type::Time { zone: true },
        "bit" | "bit varying" => Type::Bits {
            length: length().unwrap_or(if base == "bit" { 1 } else { 8 }),
            varying: base == "bit varying",
        },
        other => Type::Known(known(other)?),
    })
}

/// A few values of types that need no more.
fn known(base: &str) -> Option<&'static [&'static str]> {
    Some(match base {
        "interval" => &["1 day 02:03:04", "0", "-1 year", "10 years 3 months"],
        "inet" => &["192.0.2.1", "2001:db8::1/64", "0.0.0.0", "255.255.255.255"],
        "cidr" => &["192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"],
        "macaddr" => &["08:00:2b:01:02:03", "00:00:00:00:00:00"],
        "macaddr8" => &["08:00:2b:01:02:03:04:05", "00:00:00:00:00:00:00:00"],
        "money" => &["12", "0", "-7"],
        "xml" => &["<seed>1</seed>", "<é a=\"'\"/>"],
        "tsvector" => &["seed:1 row:2", ""],
        "tsquery" => &["seed & row", "!seed"],
        "point" => &["(1,2)", "(0,0)"],
        "line" => &["{1,2,3}", "{1,0,0}"],
        "lseg" => &["[(0,0),(1,1)]", "[(-1,0),(0,0)]"],
        "box" => &["(1,1),(0,0)", "(0,0),(0,0)"],
        "path" => &["[(0,0),(1,1)]", "((0,0),(1,1),(1,0))"],
        "polygon" => &["((0,0),(1,1),(1,0))", "((0,0))"],
        "circle" => &["<(0,0),1>", "<(0,0),0>"],
        "pg_lsn" => &["0/10", "0/0"],
        "tid" => &["(0,1)"],
        "xid8" => &["3", "0"],
        "pg_snapshot" | "txid_snapshot" => &["1:1:"],
        "jsonpath" => &["$.seed", "$"],
        "int2vector" | "oidvector" => &["1 2"],
        "regclass" => &["pg_class"],
        "regtype" => &["integer"],
        "regproc" => &["now"],
        "regnamespace" => &["pg_catalog"],
        "refcursor" => &["seed"],
        _ => return None,
    })
}

fn built_in_range(base: &str) -> Option<(&'static str, bool)> {
    Some(match base {
        "int4range" => ("integer", false),
        "int8range" => ("bigint", false),
        "numrange" => ("numeric", false),
        "daterange" => ("date", false),
        "tsrange" => ("timestamp without time zone", false),
        "tstzrange" => ("timestamp with time zone", false),
        "int4multirange" => ("integer", true),
        "int8multirange" => ("bigint", true),
        "nummultirange" => ("numeric", true),
        "datemultirange" => ("date", true),
        "tsmultirange" => ("timestamp without time zone", true),
        "tstzmultirange" => ("timestamp with time zone", true),
        _ => return None,
    })
}

/// The types of extensions, whose schema can be any.
fn of_extension(name: &str, modifiers: &[i32]) -> Option<Type> {
    let length = modifiers.first().and_then(|it| usize::try_from(*it).ok());
    Some(match name {
        "citext" => Type::Text(usize::MAX),
        "hstore" => Type::Known(&["seed=>1", "", "a=>NULL"]),
        "ltree" => Type::Known(&["seed.row", "seed"]),
        "lquery" => Type::Known(&["seed.*"]),
        "vector" | "halfvec" => Type::Vector(length.unwrap_or(3)),
        "geometry" | "geography" => Type::Known(&["POINT(1 2)", "SRID=4326;POINT(1 2)"]),
        "cube" => Type::Known(&["(1,2)", "(0)"]),
        "seg" => Type::Known(&["1 .. 2"]),
        "semver" => Type::Known(&["1.2.3"]),
        "lo" => Type::Integer {
            min: 0,
            max: u32::MAX.into(),
        },
        "ean13" => Type::Known(&["9780393040029"]),
        "isbn" | "isbn13" => Type::Known(&["978-0-393-04002-9"]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_understood() {
        let schema = Schema::new(Dialect::Postgres, Vec::new());
        let check = |name: &str, expected: Type| assert_eq!(resolve(&schema, name).0, expected);
        check("character varying(20)", Type::Text(20));
        check("character varying", Type::Text(usize::MAX));
        check(
            "timestamp(3) with time zone",
            Type::Timestamp { zone: true },
        );
        let digits = Some((10, 2));
        check("numeric(10,2)", Type::Numeric { digits });
        check("text[]", Type::Array(Box::new(Type::Text(usize::MAX))));
        check("public.vector(5)", Type::Vector(5));
        check("shop.\"T\"", Type::Unknown);
        let of = Box::new(Type::Date);
        let is_multi = false;
        check("daterange", Type::Range { of, is_multi });
    }
}
