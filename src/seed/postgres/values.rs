//! Values of types, in the form that the input functions of the types read.

use super::types::Type;
use crate::seed::{
    value::{date, text, texts, uuid},
    wanted::Family,
};

/// The usual value with a number.
pub(super) fn plain(of: &Type, number: u64) -> String {
    match of {
        Type::Integer { max, .. } => {
            let limit = u64::try_from(*max).unwrap_or(u64::MAX);
            (number % limit + 1).to_string()
        }
        Type::Numeric { digits } => numeric(*digits, number),
        Type::Float => format!("{number}.25"),
        Type::Bool => number.is_multiple_of(2).to_string(),
        Type::Text(max) => text(*max, number),
        Type::Bytes => format!("\\x00ff{number:08x}"),
        Type::Uuid => uuid(number),
        Type::Json => format!("{{\"seed\": {number}, \"text\": \"it's \\\"é\\\"\"}}"),
        Type::Date => date(number),
        Type::Timestamp { zone } => format!("{} 12:34:56{}", date(number), utc(*zone)),
        Type::Time { zone } => {
            let (minute, second) = (number / 60 % 60, number % 60);
            format!("12:{minute:02}:{second:02}{}", utc(*zone))
        }
        Type::Bits { length, .. } => bits(*length, number),
        Type::Enum(labels) => chosen(labels, number).cloned().unwrap_or_default(),
        Type::Array(of) => {
            let elements = [number, number + 1].map(|number| quoted(&plain(of, number)));
            format!("{{{}}}", elements.join(","))
        }
        Type::Range { of, is_multi } => {
            let from = quoted(&plain(of, number * 10));
            let to = quoted(&plain(of, number * 10 + 5));
            match is_multi {
                true => format!("{{[{from},{to})}}"),
                false => format!("[{from},{to})"),
            }
        }
        Type::Composite(types) => {
            let fields = types.iter().map(|of| quoted(&plain(of, number)));
            format!("({})", fields.collect::<Vec<_>>().join(","))
        }
        Type::Known(values) => known(values, number),
        Type::Vector(length) => {
            let numbers = (0..*length as u64).map(|it| (number + it).to_string());
            format!("[{}]", numbers.collect::<Vec<_>>().join(","))
        }
        Type::Unknown => chosen(&GUESSES, number)
            .copied()
            .unwrap_or_default()
            .to_owned(),
    }
}

/// Values at the limits of a type.
pub(super) fn edges(of: &Type) -> Vec<String> {
    let owned = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
    match of {
        Type::Integer { min, max } => {
            let mut numbers = vec![0, *min, *max, -1];
            numbers.retain(|number| number >= min);
            numbers.iter().map(ToString::to_string).collect()
        }
        Type::Numeric { digits } => {
            let most = most(*digits);
            vec!["0".to_owned(), format!("-{most}"), most]
        }
        Type::Float => owned(&["0", "-1.5", "1e30", "-1e-30"]),
        Type::Bool => owned(&["false", "true"]),
        Type::Text(max) => texts(*max),
        Type::Bytes => owned(&["\\x", "\\x00", "\\x275c22"]),
        Type::Uuid => owned(&[
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ]),
        Type::Json => owned(&["{}", "[]", "null", "\"żółć \\\\ 表\""]),
        Type::Date => owned(&["0001-01-01", "9999-12-31", "2024-02-29"]),
        Type::Timestamp { zone } => ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999"]
            .map(|it| format!("{it}{}", utc(*zone)))
            .into(),
        Type::Time { zone } => ["00:00:00", "23:59:59.999999"]
            .map(|it| format!("{it}{}", utc(*zone)))
            .into(),
        Type::Bits { length, varying } => match varying {
            true => owned(&["", "0"]),
            false => vec!["0".repeat(*length), "1".repeat(*length)],
        },
        Type::Enum(labels) => labels.clone(),
        Type::Array(_) => owned(&["{}"]),
        Type::Range { is_multi: true, .. } => owned(&["{}"]),
        Type::Range { of, .. } => {
            let bound = quoted(&plain(of, 0));
            vec![
                "empty".to_owned(),
                format!("[{bound},)"),
                format!("(,{bound})"),
            ]
        }
        Type::Composite(types) => vec![format!("({})", ",".repeat(types.len().max(1) - 1))],
        Type::Known(values) => owned(values),
        Type::Vector(_) => Vec::new(),
        Type::Unknown => owned(&GUESSES),
    }
}

/// What kind of values the type has.
pub(super) fn family(of: &Type) -> Family {
    match of {
        Type::Integer { .. } => Family::Integer,
        Type::Numeric { .. } | Type::Float => Family::Decimal,
        Type::Text(max) => Family::Text(*max),
        Type::Bytes => Family::Bytes,
        Type::Json => Family::Json,
        Type::Date | Type::Timestamp { .. } | Type::Time { .. } => Family::Moment,
        Type::Array(_) => Family::Array,
        _ => Family::Other,
    }
}

/// Texts that many input functions accept.
const GUESSES: [&str; 8] = ["{}", "1", "a", "[1,2,3]", "(1,2)", "", "0", "a=>1"];

fn chosen<T>(list: &[T], number: u64) -> Option<&T> {
    let at = usize::try_from(number).unwrap_or(0);
    list.get(at % list.len().max(1))
}

/// Some of the types have values that can be counted.
fn known(values: &[&str], number: u64) -> String {
    match values.first().copied() {
        Some("192.0.2.1") => format!("192.0.{}.{}", number / 250 % 250, number % 250 + 1),
        Some("192.0.2.0/24") => format!("10.{}.{}.0/24", number / 250 % 250, number % 250),
        Some("08:00:2b:01:02:03") => format!(
            "08:00:2b:01:{:02x}:{:02x}",
            number / 256 % 256,
            number % 256
        ),
        Some("12" | "3" | "1 day 02:03:04") if number > 0 => match values[0] {
            "12" | "3" => (number + 12).to_string(),
            _ => format!("{number} days 02:03:04"),
        },
        Some("seed.row") => format!("seed.row{number}"),
        Some("(1,2)") => format!("({number},2)"),
        Some("seed:1 row:2") => format!("seed:1 row{number}:2"),
        Some("<seed>1</seed>") => format!("<seed>{number}</seed>"),
        Some("0/10") => format!("0/{:X}", number + 16),
        first => first.unwrap_or_default().to_owned(),
    }
}

fn utc(zone: bool) -> &'static str {
    if zone { "+00" } else { "" }
}

fn bits(length: usize, number: u64) -> String {
    let digits = format!("{:b}", number + 1);
    let digits: String = digits.chars().rev().take(length).collect();
    let digits: String = digits.chars().rev().collect();
    format!("{digits:0>length$}")
}

fn numeric(digits: Option<(i32, i32)>, number: u64) -> String {
    let Some((precision, scale)) = digits else {
        return format!("{number}.5");
    };
    let places = usize::try_from(scale.max(0)).unwrap_or(0);
    let whole = u32::try_from((precision - scale).clamp(0, 15)).unwrap_or(0);
    let limit = 10_u64.pow(whole);
    match (whole, places) {
        (0, places) => format!("0.{:0>places$}", number % 10),
        (_, 0) => (number % (limit - 1) + 1).to_string(),
        (_, _) => format!("{}.5", number % limit),
    }
}

/// The highest number with so many digits.
fn most(digits: Option<(i32, i32)>) -> String {
    let Some((precision, scale)) = digits else {
        return "9".repeat(30);
    };
    let count = |digits: i32| usize::try_from(digits.max(0)).unwrap_or(0);
    let whole = match precision - scale {
        0 | i32::MIN..=-1 => "0".to_owned(),
        digits => "9".repeat(count(digits)),
    };
    match scale {
        1.. if scale <= precision => format!("{whole}.{}", "9".repeat(count(scale))),
        _ => whole,
    }
}

/// An element of an array, a bound of a range or a field of a composite value.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}
