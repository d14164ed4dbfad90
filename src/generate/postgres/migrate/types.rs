//! Types of columns: which objects they name, and how values get from one to another.

use crate::{
    generate::postgres::objects::Objects,
    schema::{Facts, Kind, ObjectId, path},
};

/// How values of one type become values of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Every value has its counterpart, and ALTER COLUMN … TYPE finds the cast.
    Lossless,
    /// ALTER COLUMN … TYPE finds the cast, which may fail or lose something.
    Assignment,
    /// There is a cast that must be written.
    Explicit,
    /// There is no cast but that of the text.
    Text,
}

impl Conversion {
    /// Whether the values may change or not fit.
    pub fn is_lossy(self, from: &str, to: &str) -> bool {
        match self {
            Self::Lossless => false,
            Self::Assignment => true,
            Self::Explicit | Self::Text => !(from == "boolean" && to == "integer"),
        }
    }
}

/// A type without modifier and array brackets.
struct Parsed {
    name: String,
    modifier: Vec<i64>,
    dimensions: usize,
}

fn parse(data_type: &str) -> Parsed {
    let mut text = data_type;
    let mut dimensions = 0;
    while let Some(rest) = text.strip_suffix("[]") {
        text = rest;
        dimensions += 1;
    }
    let plain = Parsed {
        name: text.to_owned(),
        modifier: Vec::new(),
        dimensions,
    };
    let Some((open, close)) = text.find('(').zip(text.rfind(')')) else {
        return plain;
    };
    let numbers: Result<Vec<i64>, _> = text[open + 1..close]
        .split(',')
        .map(|number| number.trim().parse())
        .collect();
    match numbers {
        Ok(modifier) => Parsed {
            name: format!("{}{}", &text[..open], &text[close + 1..]),
            modifier,
            dimensions,
        },
        Err(_) => plain,
    }
}

/// The object of a type, or that of the elements of an array.
pub(super) fn type_object(objects: &Objects<'_>, data_type: &str) -> Option<usize> {
    let name = parse(data_type).name;
    let mut parts = path(&name)?;
    let (name, schema) = (parts.pop()?, parts.pop()?);
    let kinds = [
        Kind::Enum,
        Kind::Domain,
        Kind::Composite,
        Kind::Range,
        Kind::Table,
        Kind::View,
        Kind::MaterializedView,
    ];
    kinds
        .iter()
        .find_map(|kind| objects.find(&ObjectId::new(*kind, schema.clone(), name.clone())))
}

/// The type under domains.
fn base(objects: &Objects<'_>, data_type: &str) -> String {
    let mut found = data_type.to_owned();
    for _ in 0..16 {
        let domain = type_object(objects, &found).map(|at| &objects.get(at).facts);
        let Some(Facts::Domain(domain)) = domain else {
            break;
        };
        let dimensions = parse(&found).dimensions;
        found = format!("{}{}", domain.data_type, "[]".repeat(dimensions));
    }
    found
}

/// How values of `from`, a type of the schema `old`, become values of `to`.
pub(super) fn conversion(
    (old, from): (&Objects<'_>, &str),
    (new, to): (&Objects<'_>, &str),
) -> Conversion {
    let is_user_type = |at: Option<usize>, objects: &Objects<'_>| {
        at.is_some_and(|at| !matches!(objects.get(at).facts, Facts::Domain(_)))
    };
    let (from, to) = (base(old, from), base(new, to));
    let is_own = (
        is_user_type(type_object(old, &from), old),
        is_user_type(type_object(new, &to), new),
    );
    let (a, b) = (parse(&from), parse(&to));
    let is_text = matches!(b.name.as_str(), "text" | "character varying");
    if a.dimensions != b.dimensions {
        let fits = is_text && b.dimensions == 0;
        return if fits {
            Conversion::Assignment
        } else {
            Conversion::Text
        };
    }
    if is_text || matches!(b.name.as_str(), "character" | "bpchar") {
        let is_long = b.modifier.is_empty() && is_text;
        let is_shorter = a.name == "character varying" || a.name == "character";
        let fits = is_shorter
            && a.modifier
                .first()
                .is_some_and(|length| b.modifier.first() >= Some(length));
        let same_kind = is_text || a.name == b.name;
        return match is_long || fits && same_kind {
            true => Conversion::Lossless,
            false => Conversion::Assignment,
        };
    }
    // Types of extensions are no objects of a schema.
    let is_citext = b.name.rsplit('.').next() == Some("citext");
    if is_citext && matches!(a.name.as_str(), "text" | "character varying") {
        return Conversion::Lossless;
    }
    match is_own {
        (true, true) if from == to => return Conversion::Lossless,
        (_, true) if is_string(&a.name) => return Conversion::Explicit,
        (true, _) | (_, true) => return own_cast(new, &a.name, &b.name),
        _ => {}
    }
    built_in(new, &a, &b)
}

fn is_string(name: &str) -> bool {
    matches!(name, "text" | "character varying" | "character" | "bpchar")
}

/// The way that a cast of the schema allows.
fn own_cast(objects: &Objects<'_>, from: &str, to: &str) -> Conversion {
    let mut casts = objects
        .schema
        .objects
        .iter()
        .filter_map(|it| match &it.facts {
            Facts::Cast(cast) if cast.source == from && cast.target == to => Some(cast),
            _ => None,
        });
    match casts.next() {
        Some(cast) if cast.context.is_some() => Conversion::Assignment,
        Some(_) => Conversion::Explicit,
        None => Conversion::Text,
    }
}

fn built_in(objects: &Objects<'_>, a: &Parsed, b: &Parsed) -> Conversion {
    const NUMBERS: [&str; 6] = [
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
    ];
    const ASSIGNED: [(&str, &str); 20] = [
        ("date", "timestamp without time zone"),
        ("date", "timestamp with time zone"),
        ("timestamp without time zone", "date"),
        ("timestamp without time zone", "timestamp with time zone"),
        ("timestamp without time zone", "time without time zone"),
        ("timestamp with time zone", "date"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("timestamp with time zone", "time without time zone"),
        ("timestamp with time zone", "time with time zone"),
        ("time without time zone", "time with time zone"),
        ("time without time zone", "interval"),
        ("time with time zone", "time without time zone"),
        ("interval", "time without time zone"),
        ("json", "jsonb"),
        ("jsonb", "json"),
        ("bit", "bit varying"),
        ("bit varying", "bit"),
        ("cidr", "inet"),
        ("inet", "cidr"),
        ("numeric", "money"),
    ];
    const LOSSLESS: [(&str, &str); 10] = [
        ("date", "timestamp without time zone"),
        ("cidr", "inet"),
        ("smallint", "integer"),
        ("smallint", "bigint"),
        ("integer", "bigint"),
        ("real", "double precision"),
        ("integer", "double precision"),
        ("smallint", "real"),
        ("json", "jsonb"),
        ("jsonb", "json"),
    ];
    const EXPLICIT: [(&str, &str); 5] = [
        ("integer", "boolean"),
        ("boolean", "integer"),
        ("integer", "bit"),
        ("bigint", "bit"),
        ("bit", "integer"),
    ];
    let pair = (a.name.as_str(), b.name.as_str());
    let is_number = |name: &str| NUMBERS.contains(&name);
    if pair.0 == pair.1 {
        return match is_wider(&a.modifier, &b.modifier) {
            true => Conversion::Lossless,
            false => Conversion::Assignment,
        };
    }
    if LOSSLESS.contains(&pair) && b.modifier.is_empty() {
        return Conversion::Lossless;
    }
    let is_integer = ["smallint", "integer", "bigint"].contains(&pair.0);
    if is_integer && pair.1 == "numeric" && b.modifier.is_empty() {
        return Conversion::Lossless;
    }
    if is_number(pair.0) && is_number(pair.1) || ASSIGNED.contains(&pair) {
        return Conversion::Assignment;
    }
    if EXPLICIT.contains(&pair) || is_string(pair.0) {
        return Conversion::Explicit;
    }
    own_cast(objects, pair.0, pair.1)
}

/// Whether every value that fits one modifier fits the other one.
fn is_wider(from: &[i64], to: &[i64]) -> bool {
    match (from, to) {
        (_, []) => true,
        ([], _) => false,
        ([precision, scale], [wider, new_scale]) => {
            new_scale >= scale && wider - new_scale >= precision - scale
        }
        (from, to) => to.first() >= from.first() && from.len() == to.len(),
    }
}

/// Whether both types differ in nothing but their modifiers.
pub(super) fn is_same_but_modifier(from: &str, to: &str) -> bool {
    let (a, b) = (parse(from), parse(to));
    a.name == b.name && a.dimensions == b.dimensions
}

/// Whether a foreign key can stay while a column gets another type: both are integers, or both are
/// strings.
pub(super) fn can_be_compared(from: &str, to: &str) -> bool {
    const INTEGERS: [&str; 3] = ["smallint", "integer", "bigint"];
    let (a, b) = (parse(from), parse(to));
    let is_integer = |it: &Parsed| INTEGERS.contains(&it.name.as_str());
    let both = |is: &dyn Fn(&Parsed) -> bool| is(&a) && is(&b);
    a.dimensions == b.dimensions
        && (a.name == b.name
            || both(&is_integer)
            || both(&|it| matches!(it.name.as_str(), "text" | "character varying")))
}

/// The storage that columns of a type have by default.
pub(super) fn usual_storage(objects: &Objects<'_>, data_type: &str) -> &'static str {
    let parsed = parse(&base(objects, data_type));
    if parsed.dimensions > 0 {
        return "EXTENDED";
    }
    match parsed.name.as_str() {
        "numeric" | "inet" | "cidr" => "MAIN",
        "smallint" | "integer" | "bigint" | "real" | "double precision" | "boolean" | "date"
        | "uuid" | "interval" | "money" | "oid" | "name" | "point" | "box" | "lseg" | "line"
        | "circle" | "macaddr" | "macaddr8" | "\"char\"" | "tsquery" => "PLAIN",
        name if name.starts_with("timestamp") || name.starts_with("time ") => "PLAIN",
        _ => match type_object(objects, data_type).map(|at| objects.get(at).id.kind) {
            Some(Kind::Enum) => "PLAIN",
            _ => "EXTENDED",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{schema::Schema, sql::Dialect};

    #[test]
    fn values_are_converted_by_the_cast_that_there_is() {
        let schema = Schema::new(Dialect::Postgres, Vec::new());
        let objects = Objects::of(&schema);
        let check = |from: &str, to: &str, expected: Conversion| {
            let found = conversion((&objects, from), (&objects, to));
            assert_eq!(found, expected, "{from} → {to}");
        };
        check("integer", "bigint", Conversion::Lossless);
        check("bigint", "integer", Conversion::Assignment);
        check(
            "character varying(10)",
            "character varying(20)",
            Conversion::Lossless,
        );
        check(
            "character varying(20)",
            "character varying(10)",
            Conversion::Assignment,
        );
        check("character varying(20)", "text", Conversion::Lossless);
        check("text", "character varying(20)", Conversion::Assignment);
        check("text", "integer", Conversion::Explicit);
        check("text", "public.citext", Conversion::Lossless);
        check("public.citext", "text", Conversion::Lossless);
        check("numeric(10,2)", "numeric(12,2)", Conversion::Lossless);
        check("numeric(10,2)", "numeric(10,3)", Conversion::Assignment);
        check("integer", "boolean", Conversion::Explicit);
        check("integer", "uuid", Conversion::Text);
        check("integer", "integer[]", Conversion::Text);
        check("integer[]", "bigint[]", Conversion::Lossless);
        check("date", "timestamp without time zone", Conversion::Lossless);
    }
}
