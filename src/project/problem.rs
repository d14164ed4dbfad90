//! Problems of a configuration, with their exact places.

use std::fmt;

use super::{TextProblem, trust::Distrust};
use crate::sql::Position;

/// The source of a setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file: `migrator.toml:3:7`.
    File {
        /// The file name to display.
        file: String,
        /// The position in the file, if the problem concerns a part of it.
        position: Option<Position>,
    },
    /// A variable of the process: `DATABASE_URL`.
    Variable {
        /// The name.
        name: String,
    },
    /// A flag: `--url`.
    Flag {
        /// The name of the flag, with its dashes.
        name: &'static str,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                file,
                position: Some(at),
            } => write!(f, "{file}:{}:{}", at.line, at.column),
            Self::File {
                file,
                position: None,
            } => f.write_str(file),
            Self::Variable { name } => f.write_str(name),
            Self::Flag { name } => f.write_str(name),
        }
    }
}

/// A problem of the configuration.
///
/// It never contains a URL or the value of a variable. It should be displayed without the line of
/// the file, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {kind}")]
pub struct ConfigProblem {
    /// The origin of the value.
    pub origin: Origin,
    /// The kind of problem.
    pub kind: ConfigProblemKind,
}

/// The kind of problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblemKind {
    /// `--config` names a file that does not exist.
    #[error("file does not exist")]
    MissingFile,
    /// A file cannot be read.
    #[error("cannot read the file: {reason}")]
    Unreadable {
        /// The error message of the operating system.
        reason: String,
    },
    /// A `.env` file cannot be read.
    #[error("cannot read the file: {reason}")]
    DotenvUnreadable {
        /// The error message of the operating system.
        reason: String,
    },
    /// A configuration file found in a parent directory is not trusted.
    #[error("the file was found in a parent directory and is not trusted: {0}")]
    Distrusted(Distrust),
    /// A `.env` file is not trusted.
    #[error("the file is not trusted: {0}")]
    DistrustedDotenv(Distrust),
    /// A file is not text.
    #[error(transparent)]
    Text(TextProblem),
    /// The file is not valid TOML.
    #[error("invalid TOML: {message}")]
    Toml {
        /// The parser's message, without any text of the file.
        message: String,
    },
    /// A section does not exist.
    #[error("unknown section [{section}]")]
    UnknownSection {
        /// The section as written.
        section: String,
        /// The known section nearest to it.
        nearest: Option<&'static str>,
    },
    /// A key does not exist in its section.
    #[error("unknown key `{key}` {}", section.as_ref().map_or("at the top of the file".to_owned(), |name| format!("in [{name}]")))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The section that contains it; `None` for the top level.
        section: Option<String>,
        /// The key nearest to it.
        nearest: Option<&'static str>,
        /// The section where the key belongs, if it is a different one.
        belongs: Option<String>,
    },
    /// A value has the wrong type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// `a string`
        expected: &'static str,
        /// `an integer`
        found: &'static str,
    },
    /// A plain value is used in place of a section.
    #[error("[{section}] must be a section, not {found}")]
    NotASection {
        /// The name.
        section: String,
        /// `an integer`
        found: &'static str,
    },
    /// A value is not allowed.
    #[error("`{value}` is not a valid value for `{key}`: {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value as written, without variables replaced.
        value: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// A placeholder name is not valid.
    #[error("`{name}` is not a valid placeholder name")]
    VarName {
        /// The name as written.
        name: String,
    },
    /// A value has a type that placeholders do not support.
    #[error("the placeholder `{name}` must be a string, an integer or a boolean, not {found}")]
    VarType {
        /// The name.
        name: String,
        /// `an array`
        found: &'static str,
    },
    /// A setting of the server is not allowed.
    #[error("`{name}` cannot be set under [postgres.settings]: {reason}")]
    SettingName {
        /// The name as written, in lower case.
        name: String,
        /// The reason.
        reason: &'static str,
    },
    /// A value has a type that settings of the server do not support.
    #[error("the setting `{name}` is a string, a whole number or a boolean, not {found}")]
    SettingType {
        /// The name of the setting.
        name: String,
        /// `an array`
        found: &'static str,
    },
    /// `[fleet]` is not in an environment.
    #[error("[fleet] must be a section of an environment")]
    FleetOutside,
    /// A fleet has not exactly one source of targets.
    #[error("a fleet has one source of targets, and this one has {}", if found.is_empty() { "none".to_owned() } else { found.join(" and ") })]
    FleetSources {
        /// The keys that name a source.
        found: Vec<&'static str>,
    },
    /// A key of a fleet does not go with the others.
    #[error("`{key}` cannot be used like this: {reason}")]
    FleetMisfit {
        /// The key.
        key: &'static str,
        /// The reason.
        reason: &'static str,
    },
    /// The URL is empty.
    #[error("the URL is empty")]
    EmptyUrl,
    /// `${` has no name or no `}`.
    #[error("a variable has the form ${{NAME}}; write a literal dollar sign before a brace as $$")]
    VariableSyntax,
    /// `${NAME}` is defined neither in the process nor in `.env`.
    #[error("the variable `{name}` is not set")]
    UndefinedVariable {
        /// The name.
        name: String,
        /// The name of a similar variable that is set.
        nearest: Option<String>,
    },
    /// The value of a variable is not UTF-8.
    #[error("the variable `{name}` is not UTF-8")]
    VariableNotUnicode {
        /// The name.
        name: String,
    },
    /// A line of `.env` cannot be parsed.
    #[error("this line is not NAME=VALUE; values with white space, quotes or # need quotes")]
    DotenvSyntax,
    /// `-n` names an environment that does not exist.
    #[error("unknown environment `{name}`")]
    UnknownEnvironment {
        /// The name as written.
        name: String,
        /// The nearest environment.
        nearest: Option<String>,
        /// All environments.
        known: Vec<String>,
    },
    /// The selected environment has no URL. No other source is used: `-n staging` must never
    /// connect to the database of DATABASE_URL.
    #[error("the environment `{name}` has no url")]
    EnvironmentWithoutUrl {
        /// The environment.
        name: String,
    },
    /// No URL is configured.
    #[error("no database URL is configured")]
    NoUrl,
}
