//! `[model]`: where the declared schema comes from.

use std::{path::PathBuf, time::Duration};

use super::{
    config::ScratchUrl,
    keys::Given,
    value::{Refused, file, text, words},
};
use crate::schema::Kind;

/// `[model]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConfig {
    /// The source; `None` if no schema is declared.
    pub source: Option<ModelSource>,
    /// `drop`: kinds of objects that are dropped although the source cannot declare them.
    pub drop: Vec<Kind>,
    /// `timeout`: how long a program may take; never zero.
    pub timeout: Duration,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            source: None,
            drop: Vec::new(),
            timeout: Duration::from_secs(60),
        }
    }
}

/// Where a declared schema comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// `sql`: files and directories of SQL.
    Sql(Vec<PathBuf>),
    /// `command`: a program that prints SQL, with its arguments.
    Command(Vec<String>),
    /// `sqlalchemy`: a metadata, a declarative base, or a function that returns one, as
    /// `module:name`.
    SqlAlchemy(String),
    /// `django`: the module of the settings, with labels of apps after `:`.
    Django(String),
    /// `drizzle`: the file of a schema, or a configuration of drizzle-kit.
    Drizzle(PathBuf),
    /// `prisma`: the file of a schema.
    Prisma(PathBuf),
    /// `url`: another database.
    Url(ScratchUrl),
}

impl ModelSource {
    /// The key that names the source.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sql(_) => "sql",
            Self::Command(_) => "command",
            Self::SqlAlchemy(_) => "sqlalchemy",
            Self::Django(_) => "django",
            Self::Drizzle(_) => "drizzle",
            Self::Prisma(_) => "prisma",
            Self::Url(_) => "url",
        }
    }
}

/// Sets the source, of which there is only one.
pub(super) fn set(
    slot: &mut Option<ModelSource>,
    source: Result<ModelSource, Refused>,
) -> Result<(), Refused> {
    let source = source?;
    match slot {
        Some(other) if other.key() != source.key() => Err(Refused::Value(
            "[model] has another source; keep exactly one",
        )),
        _ => {
            *slot = Some(source);
            Ok(())
        }
    }
}

/// Parses a path or a list of paths.
pub(super) fn paths(given: &Given<'_>) -> Result<ModelSource, Refused> {
    let Some(list) = given.list else {
        return Ok(ModelSource::Sql(vec![file(given)?]));
    };
    let paths = list.iter().map(|text| {
        file(&Given {
            text: Some(text),
            list: None,
            ..*given
        })
    });
    let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
    match paths.is_empty() {
        true => Err(Refused::Value("expected at least one file or directory")),
        false => Ok(ModelSource::Sql(paths)),
    }
}

/// Parses a program with its arguments. A string is run by the shell.
pub(super) fn command(given: &Given<'_>) -> Result<ModelSource, Refused> {
    let words = match (given.list, given.text) {
        (Some(list), _) => list.to_vec(),
        (None, Some(line)) if !line.trim().is_empty() => {
            let shell = if cfg!(windows) {
                ["cmd", "/C"]
            } else {
                ["sh", "-c"]
            };
            shell.into_iter().chain([line]).map(str::to_owned).collect()
        }
        (None, Some(_)) => Vec::new(),
        (None, None) => return Err(Refused::Type("a string or an array of strings")),
    };
    match words.first().is_some_and(|program| !program.is_empty()) {
        true => Ok(ModelSource::Command(words)),
        false => Err(Refused::Value("expected a program and its arguments")),
    }
}

/// Parses the name of a module, with something in it after `:`.
pub(super) fn module(given: &Given<'_>) -> Result<String, Refused> {
    let name = text(given)?.trim();
    // It is an argument of a program, and no option.
    match name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        true => Ok(name.to_owned()),
        false => Err(Refused::Value(
            "expected a module, such as `app.models:Base`",
        )),
    }
}

/// Parses kinds of objects.
pub(super) fn kinds(given: &Given<'_>) -> Result<Vec<Kind>, Refused> {
    let parsed: Result<Vec<Kind>, _> = words(given)?.iter().map(|word| word.parse()).collect();
    parsed.map_err(|_| {
        Refused::Value("expected kinds of objects, such as `view`, `function` or `trigger`")
    })
}
