//! Values that satisfy what conditions say about a column.

use chrono::{Days, NaiveDate};

use super::{
    example::{self, Lengths},
    hint::{Hint, json_of_type, lengths},
};

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Integer,
    Decimal,
    /// Texts of at most this many characters.
    Text(usize),
    Bytes,
    Json,
    /// Dates and times.
    Moment,
    Array,
    /// Any value, as in columns of SQLite without a type.
    Any,
    Other,
}

/// A value that is not SQL yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    Text(String),
    Number(String),
    Bytes(Vec<u8>),
}

/// What a default says about JSON, also in a text: that it is an array or an object.
pub(super) fn shape(default: &str) -> Option<(Hint, Sample)> {
    let inner = default.trim_start_matches('E').strip_prefix('\'')?;
    let (name, empty) = match inner.chars().next()? {
        '[' if inner.contains(']') => ("array", "[]"),
        '{' if inner.contains('}') => ("object", "{}"),
        _ => return None,
    };
    Some((Hint::TypeOf(name.to_owned()), text(empty)))
}

/// Forms of texts that triggers and functions often ask for: a version, an address, a number, JSON, a
/// UUID, a date, a network address, a path, hexadecimal digits.
pub(super) const FORMS: usize = 10;

/// A text in one of the forms.
pub(super) fn in_form(form: usize, number: u64) -> String {
    match form {
        0 => format!("1.0.{number}"),
        1 => format!("seed{number}@example.com"),
        2 => number.to_string(),
        3 => format!("https://example.com/{number}"),
        4 => format!("{{\"seed\": {number}}}"),
        5 => format!("00000000-0000-4000-8000-{number:012x}"),
        6 => format!("2024-01-{:02} 00:00:00", number % 28 + 1),
        7 => format!("192.0.2.{}", number % 250),
        8 => format!("/seed/{number}"),
        _ => format!("{number:064x}"),
    }
}

/// How many values are made of one hint where there could be any number.
const SOME: u64 = 6;

/// The values that hints ask for, most likely first.
pub(super) fn wanted(hints: &[Hint], family: Family) -> Vec<Sample> {
    let mut found = match family {
        Family::Integer | Family::Decimal => numbers(hints, family == Family::Decimal),
        Family::Text(max) => texts(hints, max),
        Family::Bytes => bytes(hints),
        Family::Json => json_of(hints),
        Family::Array => arrays(hints),
        Family::Moment => moments(hints),
        Family::Other => same(hints),
        Family::Any => any(hints),
    };
    unique(&mut found);
    found
}

/// The literals of the conditions that the type may accept, whatever they are there for.
pub(super) fn mentioned(hints: &[Hint], family: Family) -> Vec<Sample> {
    let literals = hints.iter().filter_map(|hint| match hint {
        Hint::Mentioned(literal) => Some(literal.as_str()),
        _ => None,
    });
    let mut found: Vec<Sample> = Vec::new();
    for literal in literals {
        match family {
            Family::Integer => {
                if let Ok(number) = literal.parse::<i64>() {
                    let near = [number, number.saturating_add(1), number.saturating_sub(1)];
                    found.extend(near.map(|it| Sample::Number(it.to_string())));
                }
            }
            Family::Decimal => {
                if literal.parse::<f64>().is_ok() {
                    found.push(Sample::Number(literal.to_owned()));
                }
            }
            Family::Text(max) => {
                if literal.chars().count() <= max {
                    found.push(text(literal));
                }
                if let Ok(length) = literal.parse::<usize>()
                    && length <= max.min(1000)
                {
                    found.push(text(&sized(0, length)));
                }
            }
            Family::Any | Family::Other | Family::Moment => found.push(any_of(literal)),
            Family::Bytes | Family::Json | Family::Array => {}
        }
    }
    unique(&mut found);
    found
}

/// A text of `length` characters that differs by its number, if it is long enough.
pub(super) fn sized(number: u64, length: usize) -> String {
    let mut text = base36(number);
    if text.chars().count() > length {
        text = text.chars().rev().take(length).collect();
    }
    let missing = length - text.chars().count();
    text.push_str(&"x".repeat(missing));
    text
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

fn text(text: &str) -> Sample {
    Sample::Text(text.to_owned())
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn any_of(literal: &str) -> Sample {
    match is_number(literal) {
        true => Sample::Number(literal.to_owned()),
        false => text(literal),
    }
}

fn unique(samples: &mut Vec<Sample>) {
    let mut seen: Vec<Sample> = Vec::with_capacity(samples.len());
    samples.retain(|sample| {
        let is_new = !seen.contains(sample);
        if is_new {
            seen.push(sample.clone());
        }
        is_new
    });
}

/// The literals that columns are compared with by equality.
fn equal(hints: &[Hint]) -> impl Iterator<Item = &str> {
    hints.iter().filter_map(|hint| match hint {
        Hint::Is(literal) => Some(literal.as_str()),
        _ => None,
    })
}

fn numbers(hints: &[Hint], is_decimal: bool) -> Vec<Sample> {
    let equal = equal(hints).filter(|literal| is_number(literal));
    let mut found: Vec<Sample> = equal.map(|it| Sample::Number(it.to_owned())).collect();
    let (mut low, mut high): (Option<f64>, Option<f64>) = (None, None);
    let unit = if is_decimal { 0.5 } else { 1.0 };
    for hint in hints {
        let Hint::Bound(operator, literal) = hint else {
            continue;
        };
        let Ok(bound) = literal.parse::<f64>() else {
            continue;
        };
        match operator.as_str() {
            ">" => low = Some(low.unwrap_or(f64::MIN).max(bound + unit)),
            ">=" => low = Some(low.unwrap_or(f64::MIN).max(bound)),
            "<" => high = Some(high.unwrap_or(f64::MAX).min(bound - unit)),
            _ => high = Some(high.unwrap_or(f64::MAX).min(bound)),
        }
    }
    found.extend(between(low, high).map(|number| Sample::Number(shown(number))));
    found
}

/// Some numbers between the bounds; if there are none between, some near each.
fn between(low: Option<f64>, high: Option<f64>) -> impl Iterator<Item = f64> {
    let steps = || (0..8_u8).map(f64::from);
    let mut found: Vec<f64> = Vec::new();
    match (low, high) {
        (Some(low), Some(high)) if low <= high => {
            found.extend(steps().map(|step| low + step).filter(|it| *it <= high));
            found.push(high);
        }
        (low, high) => {
            found.extend(
                low.into_iter()
                    .flat_map(|low| steps().map(move |it| low + it)),
            );
            let positive = |high: f64| steps().map(move |step| high - step);
            found.extend(high.into_iter().flat_map(positive));
        }
    }
    found.into_iter()
}

fn shown(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number:.0}")
    } else {
        number.to_string()
    }
}

fn texts(hints: &[Hint], max: usize) -> Vec<Sample> {
    let mut found = Vec::new();
    let bounds = |number| lengths(hints, number).unwrap_or_default();
    for literal in equal(hints) {
        found.push(literal.to_owned());
    }
    for number in 0..SOME {
        let fitting = Lengths {
            max: bounds(number).max.min(max),
            ..bounds(number)
        };
        for hint in hints {
            match hint {
                Hint::Regex(pattern) => found.extend(example::regex(pattern, number, fitting)),
                Hint::Similar(pattern) => found.extend(example::similar(pattern, number, fitting)),
                Hint::Like(pattern) => found.push(example::like(pattern, number)),
                Hint::Glob(pattern) => found.push(example::glob(pattern, number)),
                Hint::Json | Hint::Key(..) | Hint::TypeOf(_) => {}
                Hint::Upper => found.push(format!("SEED-{number}")),
                _ => {}
            }
        }
    }
    if found.is_empty() && lengths(hints, 0).is_some() {
        let each = (0..SOME).filter_map(|number| {
            let Lengths { min, max: longest } = bounds(number);
            let longest = longest.min(max);
            (min <= longest && min < 100_000).then(|| sized(number, 8.clamp(min, longest)))
        });
        found.extend(each);
    }
    let mut samples: Vec<Sample> = found.iter().map(|it| text(it)).collect();
    if hints
        .iter()
        .any(|it| matches!(it, Hint::Json | Hint::Key(..) | Hint::TypeOf(_)))
    {
        samples.extend(json_of(hints));
    }
    samples.retain(|sample| match sample {
        Sample::Text(text) => text.chars().count() <= max,
        _ => true,
    });
    samples
}

fn bytes(hints: &[Hint]) -> Vec<Sample> {
    if lengths(hints, 0).is_none() {
        return Vec::new();
    }
    let each = (0..SOME).filter_map(|number| {
        let Lengths { min, max } = lengths(hints, number)?;
        (min <= max && min < 100_000)
            .then(|| Sample::Bytes(sized(number, 8.clamp(min, max)).into_bytes()))
    });
    each.collect()
}

/// JSON of the types and with the keys that hints name.
pub(super) fn json_of(hints: &[Hint]) -> Vec<Sample> {
    let mut keys = String::new();
    let mut found = Vec::new();
    for hint in hints {
        match hint {
            Hint::TypeOf(name) => found.push(text(json_of_type(name))),
            Hint::Json => found.push(text("{\"seed\": 1}")),
            Hint::Key(key, value) => {
                let comma = if keys.is_empty() { "" } else { ", " };
                let value = value.as_deref().unwrap_or("1");
                keys.push_str(&format!("{comma}\"{key}\": {value}"));
            }
            _ => {}
        }
    }
    if !keys.is_empty() {
        found.insert(0, text(&format!("{{{keys}}}")));
    }
    found.extend(
        equal(hints)
            .filter(|it| it.starts_with(['{', '[']))
            .map(text),
    );
    found
}

fn arrays(hints: &[Hint]) -> Vec<Sample> {
    let mut found = Vec::new();
    for literal in equal(hints) {
        if literal.starts_with('{') {
            found.push(text(literal));
        } else {
            let inner = literal.replace('\\', "\\\\").replace('"', "\\\"");
            found.push(text(&format!("{{\"{inner}\"}}")));
        }
    }
    found
}

fn same(hints: &[Hint]) -> Vec<Sample> {
    equal(hints).map(text).collect()
}

/// Days inside the bounds, which dates and times can both be.
fn moments(hints: &[Hint]) -> Vec<Sample> {
    let mut found = same(hints);
    let (mut low, mut high): (Option<NaiveDate>, Option<NaiveDate>) = (None, None);
    for hint in hints {
        let Hint::Bound(operator, literal) = hint else {
            continue;
        };
        let day = literal.get(..10).and_then(|day| day.parse().ok());
        match operator.as_str() {
            ">" | ">=" => low = low.max(day),
            _ => high = [high, day].into_iter().flatten().min(),
        }
    }
    let steps = || (1..7).map(Days::new);
    let days: Vec<NaiveDate> = match (low, high) {
        (Some(low), high) => {
            let days = steps().filter_map(|step| low.checked_add_days(step));
            days.filter(|day| high.is_none_or(|high| *day < high))
                .collect()
        }
        (None, Some(high)) => {
            let days = steps();
            days.filter_map(|step| high.checked_sub_days(step))
                .collect()
        }
        (None, None) => Vec::new(),
    };
    found.extend(days.iter().map(|day| text(&day.to_string())));
    found
}

fn any(hints: &[Hint]) -> Vec<Sample> {
    let mut found: Vec<Sample> = equal(hints).map(any_of).collect();
    let types = hints.iter().filter_map(|hint| match hint {
        Hint::Stored(name) => Some(name.as_str()),
        _ => None,
    });
    found.extend(types.filter_map(|name| match name {
        "integer" => Some(Sample::Number("1".to_owned())),
        "real" => Some(Sample::Number("1.5".to_owned())),
        "text" => Some(text("seed")),
        "blob" => Some(Sample::Bytes(b"seed".to_vec())),
        _ => None,
    }));
    found.extend(numbers(hints, false));
    found.extend(texts(hints, usize::MAX));
    found.extend(bytes(hints));
    found
}

#[cfg(test)]
#[path = "wanted_tests.rs"]
mod wanted_tests;
