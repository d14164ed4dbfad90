//! The files of a project: its configuration, its directory of scripts and
//! the templates that new scripts are made from.
//!
//! Files only: no database, and nothing is printed. What depends on the
//! process (working directory, variables, flags) comes in as [`Sources`].

mod config;
mod create;
mod directory;
mod document;
mod dotenv;
mod init;
mod keys;
mod layer;
mod load;
mod problem;
mod script_name;
mod scripts;
mod template;
mod text;
mod value;
mod variables;

#[cfg(test)]
mod directory_tests;
#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod template_tests;

pub use config::{Config, Flags, Misspelt, ProtectedUrl, Sources, Url};
pub use create::{Created, NewScripts, WriteError, create, next_id};
pub use directory::{read, read_history};
pub use init::{InitError, init};
pub use load::load;
pub use problem::{ConfigProblem, ConfigProblemKind, Origin};
pub use script_name::{MAX_SLUG, SlugError, slugify};
pub use scripts::{DirectoryProblem, DirectoryProblemKind, embedded_history};
pub use template::{
    Rendered, TemplateError, TemplateInfo, TemplateRequest, TemplateSource, list, render,
};
pub use text::TextProblem;
pub use value::{Ahead, OutOfOrder, TransactionScope};

/// The known word nearest to `word`, when it is near enough to be meant.
fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = 1 + word.chars().count() / 4;
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `path` as people see it: relative to `cwd` when it lies below it.
fn show(cwd: &std::path::Path, path: &std::path::Path) -> String {
    let shown = path.strip_prefix(cwd).unwrap_or(path);
    if shown.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        shown.display().to_string()
    }
}
