//! Replaces `${NAME}` in strings of the configuration, and looks up the names.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use super::{
    dotenv::DotenvVariable,
    problem::{ConfigProblemKind as Kind, Origin},
};
use crate::nearest::misspelt;

/// A problem of a `${…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Byte offset of its dollar sign in the string.
    pub at: usize,
    pub kind: Kind,
}

/// Returns `text` with every `${NAME}` replaced by the result of `variable`, and `$$` by `$`. Any
/// other dollar sign is unchanged.
pub(super) fn replace(
    text: &str,
    mut variable: impl FnMut(&str) -> Result<String, Kind>,
) -> Result<String, Vec<Fault>> {
    let mut replaced = String::new();
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        replaced.push_str(&text[at..at + found]);
        at += found;
        let rest = &text[at + 1..];
        let (length, piece) = if rest.starts_with('$') {
            (2, Ok("$".to_owned()))
        } else if let Some(inside) = rest.strip_prefix('{') {
            match inside.split_once('}') {
                Some((name, _)) if is_name(name) => ("${}".len() + name.len(), variable(name)),
                _ => (2, Err(Kind::VariableSyntax)),
            }
        } else {
            (1, Ok("$".to_owned()))
        };
        match piece {
            Ok(piece) => replaced.push_str(&piece),
            Err(kind) => faults.push(Fault { at, kind }),
        }
        at += length;
    }
    replaced.push_str(&text[at..]);
    if faults.is_empty() {
        Ok(replaced)
    } else {
        Err(faults)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Variables of the process, which take precedence over those of `.env`.
#[derive(Clone, Copy)]
pub(super) struct Variables<'a> {
    pub process: &'a BTreeMap<OsString, OsString>,
    pub dotenv: &'a [DotenvVariable],
}

impl Variables<'_> {
    /// Returns the value of `${name}`; an empty variable counts as set.
    pub(super) fn value(&self, name: &str) -> Result<String, Kind> {
        if let Some((value, _)) = self.of_process(name)? {
            return Ok(value);
        }
        match self.of_dotenv(name) {
            Some(variable) => Ok(variable.value.clone()),
            None => Err(Kind::UndefinedVariable {
                name: name.to_owned(),
                nearest: self.nearest(name),
            }),
        }
    }

    /// Returns the variable of the process, with its origin.
    pub(super) fn of_process(&self, name: &str) -> Result<Option<(String, Origin)>, Kind> {
        let Some(value) = self.process.get(OsStr::new(name)) else {
            return Ok(None);
        };
        let name = name.to_owned();
        match value.to_str() {
            Some(value) => Ok(Some((value.to_owned(), Origin::Variable { name }))),
            None => Err(Kind::VariableNotUnicode { name }),
        }
    }

    /// Returns the variable of `.env`; the first one with that name counts.
    pub(super) fn of_dotenv(&self, name: &str) -> Option<&DotenvVariable> {
        self.dotenv.iter().find(|variable| variable.name == name)
    }

    /// Returns all names that are UTF-8.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let process = self.process.keys().filter_map(|name| name.to_str());
        process.chain(self.dotenv.iter().map(|variable| variable.name.as_str()))
    }

    fn nearest(&self, name: &str) -> Option<String> {
        misspelt(name, self.names()).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Result<String, Kind> {
        match name {
            "A" => Ok("a".to_owned()),
            "MONEY" => Ok("${A}$$".to_owned()),
            "_E1" => Ok(String::new()),
            _ => Err(Kind::MissingFile),
        }
    }

    #[test]
    fn variables_are_replaced() {
        let check = |text: &str, expected: &str| {
            assert_eq!(replace(text, value).as_deref(), Ok(expected), "{text}");
        };
        check("", "");
        check("plain", "plain");
        check("${A}", "a");
        check("x${A}y${A}", "xaya");
        check("<${_E1}>", "<>");
        check("${MONEY}", "${A}$$");
        check("$$", "$");
        check("$${A}", "${A}");
        check("$$${A}", "$a");
        check("a$b$", "a$b$");
        check("ż$ó${A}", "ż$óa");
    }

    #[test]
    fn every_fault_has_its_place() {
        let check = |text: &str, expected: &[(usize, Kind)]| {
            let faults = replace(text, value).unwrap_err();
            let found: Vec<_> = faults.into_iter().map(|f| (f.at, f.kind)).collect();
            assert_eq!(found, expected, "{text}");
        };
        let syntax = || Kind::VariableSyntax;
        check("a${A", &[(1, syntax())]);
        check("${}", &[(0, syntax())]);
        check("${A:-x}", &[(0, syntax())]);
        check("${1A}", &[(0, syntax())]);
        check("${B}$$${A}${", &[(0, Kind::MissingFile), (10, syntax())]);
    }

    proptest! {
        #[test]
        fn escaping_brings_any_text_through(text in any::<String>()) {
            let escaped = text.replace('$', "$$");
            prop_assert_eq!(replace(&escaped, value), Ok(text.clone()));
            if let Err(faults) = replace(&text, value) {
                for fault in faults {
                    let found = text[fault.at..].starts_with("${");
                    prop_assert!(found);
                }
            }
        }
    }
}
