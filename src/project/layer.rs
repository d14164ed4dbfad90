//! Settings of one source, each with its origin.

use std::path::PathBuf;

use super::{
    config::Config,
    keys::{Given, Key},
    problem::{ConfigProblem, ConfigProblemKind as Kind, Origin},
    value::Refused,
    variables::{Fault, replace},
};

/// A setting as read from its source.
#[derive(Clone)]
pub(super) struct Entry {
    pub origin: Origin,
    pub value: Value,
    /// The directory that relative paths are resolved against.
    pub base: PathBuf,
}

#[derive(Clone)]
pub(super) enum Value {
    /// A string that is used without replacing variables.
    Plain(String),
    /// A string with variables to replace, and the place of every `${`.
    Template(String, Vec<Origin>),
    /// A boolean.
    Flag(bool),
    /// An integer.
    Number(i64),
    /// An array of strings.
    List(Vec<String>),
    /// A type that no key accepts: `a date`.
    Other(&'static str),
}

impl Entry {
    /// Returns the string with variables replaced; `None` for any other type.
    pub(super) fn text(
        &self,
        variable: impl FnMut(&str) -> Result<String, Kind>,
    ) -> Result<Option<String>, Vec<ConfigProblem>> {
        match &self.value {
            Value::Flag(_) | Value::Number(_) | Value::List(_) | Value::Other(_) => Ok(None),
            Value::Plain(text) => Ok(Some(text.clone())),
            Value::Template(text, places) => replace(text, variable)
                .map(Some)
                .map_err(|faults| self.faults(text, places, faults)),
        }
    }

    /// Returns the value as text for a script: the string, or the digits or keyword of another
    /// type.
    pub(super) fn words(
        &self,
        variable: impl FnMut(&str) -> Result<String, Kind>,
    ) -> Result<Option<String>, Vec<ConfigProblem>> {
        match &self.value {
            Value::Flag(flag) => Ok(Some(flag.to_string())),
            Value::Number(number) => Ok(Some(number.to_string())),
            _ => self.text(variable),
        }
    }

    /// Stores the value in `config`, with `text` as its string.
    pub(super) fn apply(
        &self,
        key: &Key,
        text: Option<&str>,
        config: &mut Config,
    ) -> Result<(), Vec<ConfigProblem>> {
        let mut given = Given {
            text,
            flag: None,
            number: None,
            list: None,
            base: &self.base,
        };
        let (written, found) = match &self.value {
            Value::Plain(text) | Value::Template(text, _) => (text.clone(), "a string"),
            Value::Flag(flag) => {
                given.flag = Some(*flag);
                (flag.to_string(), "a boolean")
            }
            Value::Number(number) => {
                given.number = Some(*number);
                (number.to_string(), "an integer")
            }
            Value::List(list) => {
                given.list = Some(list);
                (format!("{list:?}"), "an array")
            }
            Value::Other(found) => (String::new(), *found),
        };
        key.set(config, &given).map_err(|refused| {
            let origin = self.origin.clone();
            let kind = match refused {
                Refused::EmptyUrl => Kind::EmptyUrl,
                Refused::Type(expected) => Kind::WrongType {
                    key: key.name,
                    expected,
                    found,
                },
                Refused::Value(expected) => Kind::BadValue {
                    key: key.name,
                    value: written,
                    expected,
                },
            };
            vec![ConfigProblem { origin, kind }]
        })
    }

    fn faults(&self, text: &str, places: &[Origin], faults: Vec<Fault>) -> Vec<ConfigProblem> {
        let place = |fault: &Fault| {
            let before = text[..fault.at].matches("${").count();
            places.get(before).unwrap_or(&self.origin).clone()
        };
        faults
            .into_iter()
            .map(|fault| ConfigProblem {
                origin: place(&fault),
                kind: fault.kind,
            })
            .collect()
    }
}

/// Settings of one source.
#[derive(Clone, Default)]
pub(super) struct Layer(Vec<(&'static Key, Entry)>);

impl Layer {
    pub(super) fn insert(&mut self, key: &'static Key, entry: Entry) {
        self.0.push((key, entry));
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.0
            .iter()
            .find(|(known, _)| known.section == key.section && known.name == key.name)
            .map(|(_, entry)| entry)
    }
}
