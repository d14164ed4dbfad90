//! What a condition says about the values of a column.

use super::{
    condition::{Item, items},
    example::{self, Lengths},
};
use crate::sql::Dialect;

/// A statement about the values of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// A value, or one of several.
    Is(String),
    /// A bound of numbers or texts, with its operator.
    Bound(String, String),
    /// The length has this relation to a number.
    Length(String, usize),
    /// A regular expression.
    Regex(String),
    /// A pattern of SIMILAR TO.
    Similar(String),
    /// A pattern of LIKE.
    Like(String),
    /// A pattern of GLOB.
    Glob(String),
    /// The name of a type of JSON.
    TypeOf(String),
    /// The name of a type of SQLite's values.
    Stored(String),
    /// JSON with this key, and with this value, itself JSON, if there is one.
    Key(String, Option<String>),
    /// Valid JSON.
    Json,
    /// A text in upper case.
    Upper,
    /// A literal somewhere in the condition.
    Mentioned(String),
}

/// Whether a condition names a column.
pub(super) fn names(dialect: Dialect, condition: &str, column: &str) -> bool {
    items(dialect, condition)
        .iter()
        .any(|item| item.is_column(column))
}

/// What a condition says about a column, most definite first.
pub(super) fn hints(dialect: Dialect, condition: &str, column: &str) -> Vec<Hint> {
    let items = items(dialect, condition);
    let places = (0..items.len()).filter(|at| items[*at].is_column(column));
    let places: Vec<usize> = places.collect();
    let mut found: Vec<Hint> = Vec::new();
    for at in &places {
        found.extend(at_column(&items, *at));
    }
    if !places.is_empty() {
        let literals = items.iter().filter_map(Item::literal);
        found.extend(literals.map(|literal| Hint::Mentioned(literal.to_owned())));
    }
    found
}

/// Functions whose results are compared with what their arguments could be.
const KEEPING: [&str; 10] = [
    "abs", "btrim", "check", "coalesce", "date", "datetime", "lower", "ltrim", "rtrim", "trim",
];

fn at_column(items: &[Item], at: usize) -> Vec<Hint> {
    let called = at.checked_sub(1).and_then(|at| match &items[at] {
        Item::Call(name) => Some(name.as_str()),
        _ => None,
    });
    let after = Comparison::after(items, at + 1);
    match called {
        Some("length" | "char_length" | "character_length" | "octet_length") => {
            return after.map_or_else(Vec::new, |after| after.lengths());
        }
        Some("jsonb_typeof" | "json_typeof" | "json_type") => {
            return after.map_or_else(Vec::new, |after| after.json_types());
        }
        Some("jsonb_array_length" | "json_array_length") => {
            return vec![Hint::TypeOf("array".to_owned())];
        }
        Some("typeof") => {
            let names = after.map_or_else(Vec::new, |after| after.equal());
            return names.into_iter().map(Hint::Stored).collect();
        }
        // The functions of SQLite fail for any other text.
        Some(name) if name.starts_with("json") => return vec![Hint::Json],
        Some("upper") => return vec![Hint::Upper],
        Some(name) if !KEEPING.contains(&name) => return Vec::new(),
        _ => {}
    }
    let before = Comparison::before(items, at);
    let comparisons = [after, before];
    let comparisons = comparisons.into_iter().flatten();
    comparisons.flat_map(|it| it.hints()).collect()
}

/// A column, an operator, and literals.
struct Comparison<'a> {
    operator: String,
    negated: bool,
    literals: Vec<&'a str>,
    /// What is called behind the operator.
    call: Option<&'a str>,
    /// The literal to which the result is equal.
    result: Option<&'a str>,
}

impl<'a> Comparison<'a> {
    /// The comparison whose operator is at `at`.
    fn after(items: &'a [Item], mut at: usize) -> Option<Self> {
        let mut negated = false;
        if items.get(at)?.is_word("not") {
            (negated, at) = (true, at + 1);
        }
        let operator = match items.get(at)? {
            Item::Operator(operator) => operator.clone(),
            Item::Word(word) | Item::Call(word) => word.to_ascii_lowercase(),
            _ => return None,
        };
        let mut call = None;
        let mut literals = Vec::new();
        let mut result = None;
        for (next, item) in items.iter().enumerate().skip(at + 1) {
            match item {
                Item::Call(name) if literals.is_empty() => call = Some(name.as_str()),
                Item::Word(word) if literals.is_empty() && is_filler(word) => {}
                Item::Word(word) if operator == "between" && word.eq_ignore_ascii_case("and") => {}
                Item::Punctuation => {}
                item => match item.literal() {
                    Some(literal) => literals.push(literal),
                    None => {
                        let is_equal = *item == Item::Operator("=".to_owned());
                        let after = items.get(next + 1).and_then(Item::literal);
                        result = after.filter(|_| is_equal);
                        break;
                    }
                },
            }
        }
        Some(Self {
            operator,
            negated,
            literals,
            call,
            result,
        })
    }

    /// The comparison of a literal before the column.
    fn before(items: &'a [Item], at: usize) -> Option<Self> {
        let operator = match items.get(at.checked_sub(1)?)? {
            Item::Operator(operator) => operator.as_str(),
            _ => return None,
        };
        let literal = items.get(at.checked_sub(2)?)?.literal()?;
        let flipped = match operator {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            ">=" => "<=",
            same => same,
        };
        Some(Self {
            operator: flipped.to_owned(),
            negated: false,
            literals: vec![literal],
            call: None,
            result: None,
        })
    }

    fn hints(&self) -> Vec<Hint> {
        let each = |hint: fn(String) -> Hint| {
            let literals = self.literals.iter();
            literals.map(|it| hint((*it).to_owned())).collect()
        };
        let is_similar = self.call.is_some_and(|call| call.contains("similar"));
        match (self.negated, self.operator.as_str()) {
            (false, "=" | "==" | "in" | "is" | "@>" | "&&") => each(Hint::Is),
            (false, "<@") => each(Hint::Is),
            (false, "between") => each(Hint::Is),
            (false, operator @ ("<" | "<=" | ">" | ">=")) => {
                let literals = self.literals.iter().take(1);
                let bound = |it: &&str| Hint::Bound(operator.to_owned(), (*it).to_owned());
                literals.map(bound).collect()
            }
            (false, "~" | "~*") if is_similar => each(Hint::Similar),
            (false, "~" | "~*" | "regexp") => each(Hint::Regex),
            (false, "~~" | "~~*" | "like" | "ilike") => each(Hint::Like),
            (false, "glob") => each(Hint::Glob),
            (false, "similar") => each(Hint::Similar),
            (true, "glob") => {
                let only = self.literals.iter();
                let only = only.filter_map(|it| example::only_of_glob(it));
                only.map(Hint::Regex).collect()
            }
            (false, "!~" | "!~*") => {
                let only = self.literals.iter();
                let only = only.filter_map(|it| example::only_of_regex(it));
                only.map(Hint::Regex).collect()
            }
            (false, "->" | "->>") => self.key(),
            (false, "?" | "?&" | "?|") => self.key(),
            _ => Vec::new(),
        }
    }

    fn key(&self) -> Vec<Hint> {
        let value = self.result.map(|value| format!("\"{value}\""));
        let key = self.literals.first();
        let key = key.map(|key| Hint::Key((*key).to_owned(), value));
        key.into_iter().collect()
    }

    /// The types of JSON that the value itself has, or a value in it.
    fn json_types(&self) -> Vec<Hint> {
        match (self.operator.as_str(), self.literals.first(), self.result) {
            ("->" | "->>", Some(key), Some(name)) => {
                let value = json_of_type(name).to_owned();
                vec![Hint::Key((*key).to_owned(), Some(value))]
            }
            _ => self.equal().into_iter().map(Hint::TypeOf).collect(),
        }
    }

    fn lengths(&self) -> Vec<Hint> {
        let numbers = self.literals.iter().filter_map(|it| it.parse().ok());
        let numbers: Vec<usize> = numbers.collect();
        match (self.operator.as_str(), numbers.as_slice()) {
            ("between", [min, max, ..]) => {
                let bounds = [(">=", *min), ("<=", *max)];
                let hint = |(operator, bound): (&str, usize)| Hint::Length(operator.into(), bound);
                bounds.map(hint).into()
            }
            ("=" | "==" | "in", numbers) => {
                let equal = |number: &usize| Hint::Length("=".into(), *number);
                numbers.iter().map(equal).collect()
            }
            (operator, [number, ..]) => vec![Hint::Length(operator.to_owned(), *number)],
            _ => Vec::new(),
        }
    }

    fn equal(&self) -> Vec<String> {
        match self.operator.as_str() {
            "=" | "==" | "in" | "is" if !self.negated => {
                self.literals.iter().map(|it| (*it).to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A value of JSON of the type of this name.
pub(super) fn json_of_type(name: &str) -> &'static str {
    match name {
        "object" => "{\"seed\": 1}",
        "array" => "[{\"seed\": 1}]",
        "string" | "text" => "\"seed\"",
        "number" | "integer" => "1",
        "real" => "1.5",
        "boolean" | "true" => "true",
        "false" => "false",
        _ => "null",
    }
}

/// Words between an operator and its literals.
fn is_filler(word: &str) -> bool {
    ["any", "array", "all", "to"]
        .iter()
        .any(|filler| word.eq_ignore_ascii_case(filler))
}

/// The lengths that all hints together allow; of several exact ones, the one with this number.
pub(super) fn lengths(hints: &[Hint], number: u64) -> Option<Lengths> {
    let mut lengths = Lengths::default();
    let mut exact = Vec::new();
    let mut found = false;
    for hint in hints {
        let Hint::Length(operator, length) = hint else {
            continue;
        };
        found = true;
        match operator.as_str() {
            "=" => exact.push(*length),
            "<" => lengths.max = lengths.max.min(length.saturating_sub(1)),
            "<=" => lengths.max = lengths.max.min(*length),
            ">" => lengths.min = lengths.min.max(*length + 1),
            ">=" => lengths.min = lengths.min.max(*length),
            "<>" | "!=" if *length == 0 => lengths.min = lengths.min.max(1),
            _ => {}
        }
    }
    if !exact.is_empty() {
        let at = usize::try_from(number).unwrap_or(0) % exact.len();
        lengths = Lengths {
            min: exact[at],
            max: exact[at],
        };
    }
    found.then_some(lengths)
}
