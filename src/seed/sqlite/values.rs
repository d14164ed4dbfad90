//! Values by affinities and declared types.

use crate::seed::{
    value::{date, text, texts, uuid},
    wanted::{Family, Sample},
};

/// What a declared type says about values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Integer,
    Real,
    Numeric,
    Bool,
    /// Texts of at most this many characters; SQLite itself has no limit.
    Text(usize),
    Blob,
    Json,
    Uuid,
    Date,
    Timestamp,
    Time,
    /// Any value.
    Any,
}

impl Type {
    /// The type of a declaration. Strict tables have six types only.
    pub fn of(declared: &str, strict: bool) -> Self {
        let name = declared.to_ascii_lowercase();
        let length = name.split_once('(').and_then(|(_, rest)| {
            let digits = rest.split([',', ')']).next()?;
            digits.trim().parse().ok()
        });
        let has = |word: &str| name.contains(word);
        match () {
            () if strict && name == "any" => Self::Any,
            () if has("bool") => Self::Bool,
            () if has("uuid") || has("guid") => Self::Uuid,
            () if has("json") => Self::Json,
            () if has("int") && !has("interval") && !has("point") => Self::Integer,
            () if has("datetime") || has("timestamp") => Self::Timestamp,
            () if has("char") || has("clob") || has("text") || has("string") => {
                Self::Text(length.unwrap_or(usize::MAX))
            }
            () if has("blob") || has("binary") || has("bytea") => Self::Blob,
            () if has("real") || has("floa") || has("doub") => Self::Real,
            () if has("date") => Self::Date,
            () if has("time") => Self::Time,
            () if has("dec") || has("num") => Self::Numeric,
            () if name.is_empty() => Self::Any,
            () => Self::Numeric,
        }
    }

    /// The type of values for which `typeof` returns this.
    pub fn of_values(name: &str) -> Option<Self> {
        match name {
            "integer" => Some(Self::Integer),
            "real" => Some(Self::Real),
            "text" => Some(Self::Text(usize::MAX)),
            "blob" => Some(Self::Blob),
            _ => None,
        }
    }

    /// The usual value with a number.
    pub fn plain(self, number: u64) -> String {
        match self {
            Self::Integer => (number + 1).to_string(),
            Self::Real => format!("{number}.25"),
            Self::Numeric => format!("{number}.5"),
            Self::Bool => ((number + 1) % 2).to_string(),
            Self::Text(max) => quoted(&text(max, number)),
            Self::Blob => format!("X'00FF{number:08X}'"),
            Self::Json => quoted(&format!(
                "{{\"seed\": {number}, \"text\": \"it's \\\"é\\\"\"}}"
            )),
            Self::Uuid => quoted(&uuid(number)),
            Self::Date => quoted(&date(number)),
            Self::Timestamp => quoted(&format!("{} 12:34:56", date(number))),
            Self::Time => quoted(&format!("12:{:02}:{:02}", number / 60 % 60, number % 60)),
            Self::Any => match number % 3 {
                0 => quoted(&format!("seed-{number}")),
                1 => number.to_string(),
                _ => format!("X'00FF{number:08X}'"),
            },
        }
    }

    /// Values at the limits.
    pub fn edges(self) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        match self {
            Self::Integer => owned(&["0", "-1", "-9223372036854775807", "9223372036854775807"]),
            Self::Real => owned(&["0.0", "-1.5", "1e300"]),
            Self::Numeric => owned(&["0", "-1.5", "123456789.125"]),
            Self::Bool => owned(&["0", "1"]),
            Self::Text(max) => texts(max).iter().map(|text| quoted(text)).collect(),
            Self::Blob => owned(&["X''", "X'00'", "X'275C22'"]),
            Self::Json => owned(&["'{}'", "'[]'", "'null'", "'\"żółć \\\\ 表\"'"]),
            Self::Uuid => owned(&["'00000000-0000-0000-0000-000000000000'"]),
            Self::Date => owned(&["'0001-01-01'", "'9999-12-31'"]),
            Self::Timestamp => owned(&["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59'"]),
            Self::Time => owned(&["'00:00:00'", "'23:59:59'"]),
            Self::Any => owned(&["''", "0", "-1.5", "X''", "'żółć 表'"]),
        }
    }

    /// What kind of values the type has.
    pub fn family(self) -> Family {
        match self {
            Self::Integer | Self::Bool => Family::Integer,
            Self::Real | Self::Numeric => Family::Decimal,
            Self::Text(max) => Family::Text(max),
            Self::Uuid => Family::Text(usize::MAX),
            Self::Blob => Family::Bytes,
            Self::Json => Family::Json,
            Self::Date | Self::Timestamp | Self::Time => Family::Moment,
            Self::Any => Family::Any,
        }
    }

    /// A sample as SQL.
    pub fn literal(self, sample: &Sample) -> String {
        match sample {
            Sample::Text(text) => quoted(text),
            Sample::Number(number) => number.clone(),
            Sample::Bytes(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                format!("X'{digits}'")
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_understood() {
        let check = |declared: &str, expected| assert_eq!(Type::of(declared, false), expected);
        check("INTEGER", Type::Integer);
        check("unsigned big int", Type::Integer);
        check("VARCHAR(20)", Type::Text(20));
        check("TEXT", Type::Text(usize::MAX));
        check("DATETIME", Type::Timestamp);
        check("DECIMAL(10, 2)", Type::Numeric);
        check("BOOLEAN", Type::Bool);
        check("", Type::Any);
        assert_eq!(Type::of("ANY", true), Type::Any);
    }
}
