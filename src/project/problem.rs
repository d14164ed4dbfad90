//! What can be wrong with a configuration, with the exact place.

use std::fmt;

use super::{TextProblem, trust::Distrust};
use crate::sql::Position;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A file: `migrator.toml:3:7`.
    File {
        /// As it is shown to people.
        file: String,
        /// Where in it, when it is about a part.
        position: Option<Position>,
    },
    /// A variable of the process: `DATABASE_URL`.
    Variable {
        /// The name.
        name: String,
    },
    /// A flag: `--url`.
    Flag {
        /// With its dashes.
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
/// It never holds a URL or the value of a variable, and it should be shown
/// without the line of the file, where a password may stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {kind}")]
pub struct ConfigProblem {
    /// The origin of the value.
    pub origin: Origin,
    /// The kind of problem.
    pub kind: ConfigProblemKind,
}

/// What can be wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblemKind {
    /// `--config` names a file that is not there.
    #[error("file does not exist")]
    MissingFile,
    /// A file that cannot be read.
    #[error("cannot read the file: {reason}")]
    Unreadable {
        /// The operating system's words.
        reason: String,
    },
    /// A `.env` that cannot be read.
    #[error("cannot read the file: {reason}")]
    DotenvUnreadable {
        /// The operating system's words.
        reason: String,
    },
    /// A configuration that was found by looking upwards, of somebody who is not trusted.
    #[error("the file was found in a parent directory and is not trusted: {0}")]
    Distrusted(Distrust),
    /// Such a `.env`.
    #[error("the file is not trusted: {0}")]
    DistrustedDotenv(Distrust),
    /// A file that is not text.
    #[error(transparent)]
    Text(TextProblem),
    /// The file is not valid TOML.
    #[error("invalid TOML: {message}")]
    Toml {
        /// The parser's words, without any of the file's.
        message: String,
    },
    /// A section that does not exist.
    #[error("unknown section [{section}]")]
    UnknownSection {
        /// The section as written.
        section: String,
        /// The known section nearest to it.
        nearest: Option<&'static str>,
    },
    /// A key that does not exist in its section.
    #[error("unknown key `{key}` {}", section.as_ref().map_or("at the top of the file".to_owned(), |name| format!("in [{name}]")))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The section it stands in; `None` above of all sections.
        section: Option<String>,
        /// The key nearest to it.
        nearest: Option<&'static str>,
        /// The section where that key belongs, when it is another one.
        belongs: Option<String>,
    },
    /// A value of another type.
    #[error("`{key}` must be {expected}, not {found}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// `a string`
        expected: &'static str,
        /// `an integer`
        found: &'static str,
    },
    /// A section's name with a plain value.
    #[error("[{section}] must be a section, not {found}")]
    NotASection {
        /// The name.
        section: String,
        /// `an integer`
        found: &'static str,
    },
    /// A value that is not allowed.
    #[error("`{value}` is not a valid value for `{key}`: {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// As written, variables not replaced.
        value: String,
        /// The values that are allowed.
        expected: &'static str,
    },
    /// A name that no placeholder can have.
    #[error("`{name}` is not a valid placeholder name")]
    VarName {
        /// The name as written.
        name: String,
    },
    /// A value that no placeholder can stand for.
    #[error("the placeholder `{name}` must be a string, an integer or a boolean, not {found}")]
    VarType {
        /// The name.
        name: String,
        /// `an array`
        found: &'static str,
    },
    /// A setting of the server that can't be asked for.
    #[error("`{name}` can't be set under [postgres.settings]: {reason}")]
    SettingName {
        /// As written, in lower case.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A value that no setting can have.
    #[error("the setting `{name}` is a string, a whole number or a boolean, not {found}")]
    SettingType {
        /// Its name.
        name: String,
        /// `an array`
        found: &'static str,
    },
    /// An empty url.
    #[error("the URL is empty")]
    EmptyUrl,
    /// `${` without a name and `}`.
    #[error("a variable has the form ${{NAME}}; write a literal dollar sign before a brace as $$")]
    VariableSyntax,
    /// `${NAME}` that neither the process nor `.env` defines.
    #[error("the variable `{name}` is not set")]
    UndefinedVariable {
        /// The name.
        name: String,
        /// A variable that is set and nearly called that.
        nearest: Option<String>,
    },
    /// A variable that is not UTF-8.
    #[error("the variable `{name}` is not UTF-8")]
    VariableNotUnicode {
        /// The name.
        name: String,
    },
    /// A line of `.env` that cannot be read.
    #[error("this line is not NAME=VALUE; values with white space, quotes or # need quotes")]
    DotenvSyntax,
    /// `-n` names an environment that is not there.
    #[error("unknown environment `{name}`")]
    UnknownEnvironment {
        /// The name as written.
        name: String,
        /// The one nearest to it.
        nearest: Option<String>,
        /// All of them.
        known: Vec<String>,
    },
    /// The environment chosen says not where its database is, and nothing
    /// else may: `-n staging` must never reach what DATABASE_URL names.
    #[error("the environment `{name}` has no url")]
    EnvironmentWithoutUrl {
        /// The environment.
        name: String,
    },
    /// No URL anywhere.
    #[error("no database URL is configured")]
    NoUrl,
}
