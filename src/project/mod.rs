//! The files of a project: its configuration, its directory of scripts, and templates for new
//! scripts.
//!
//! This module only accesses files: it uses no database and prints nothing. State of the process
//! (working directory, variables, flags) is passed in as [`Sources`].

// Needed by every user of scripts.
mod directory;
mod directory_problem;
mod elsewhere;
mod external;
mod memory;
mod parallel;
mod reading;
mod script_name;
mod scripts;
mod server_settings;
mod table_name;
mod text;

// Only needed by the command: configuration, templates, new scripts.
#[cfg(feature = "cli")]
mod config;
#[cfg(feature = "cli")]
mod convert;
#[cfg(feature = "cli")]
mod create;
#[cfg(feature = "cli")]
mod document;
#[cfg(feature = "cli")]
mod dotenv;
#[cfg(feature = "cli")]
mod exchange;
#[cfg(feature = "cli")]
mod fleet;
#[cfg(feature = "cli")]
mod fleet_files;
#[cfg(feature = "cli")]
mod git;
#[cfg(feature = "cli")]
mod init;
#[cfg(feature = "cli")]
mod keys;
#[cfg(feature = "cli")]
mod layer;
#[cfg(feature = "cli")]
mod lint;
#[cfg(feature = "cli")]
mod load;
#[cfg(feature = "cli")]
mod model;
#[cfg(feature = "cli")]
mod problem;
#[cfg(feature = "cli")]
mod template;
#[cfg(feature = "cli")]
mod trust;
#[cfg(feature = "cli")]
mod value;
#[cfg(feature = "cli")]
mod variables;

#[cfg(test)]
mod directory_tests;
#[cfg(all(test, feature = "cli"))]
mod load_tests;
#[cfg(all(test, feature = "cli"))]
mod template_tests;
#[cfg(all(test, feature = "cli"))]
mod toml_schema_tests;

#[cfg(feature = "cli")]
pub use config::{BackupConfig, Config, Flags, Misspelt, ProtectedUrl, ScratchUrl, Sources, Url};
#[cfg(feature = "cli")]
pub use convert::{ConvertError, Converted, converted, write_directory};
#[cfg(feature = "cli")]
pub use create::{Created, NewScripts, WriteError, create, create_repeatable, next_id};
#[cfg(test)]
pub use directory::read;
pub use directory::{Directory, layout_of, read_directory, read_downs, read_history, unread_below};
pub use directory_problem::{DirectoryProblem, DirectoryProblemKind};
pub use elsewhere::{Elsewhere, FilesBelow};
#[cfg(feature = "cli")]
pub use exchange::{Exchange, ExchangeError, Recovered, exchange, recover};
#[cfg(feature = "cli")]
pub use fleet::{Exists, FleetConfig, FleetSource, JOURNALS};
#[cfg(feature = "cli")]
pub use fleet_files::{FleetFile, FleetFileError, fleet_files};
#[cfg(feature = "cli")]
pub use git::{GitError, history_at};
#[cfg(feature = "cli")]
pub use init::{InitError, ensure_new, init};
#[cfg(feature = "cli")]
pub use lint::LintConfig;
#[cfg(feature = "cli")]
pub use load::{SCRATCH_DATABASE, load};
pub use memory::embedded_history;
#[cfg(feature = "cli")]
pub use model::{ModelConfig, ModelSource};
#[cfg(feature = "cli")]
pub use problem::{ConfigProblem, ConfigProblemKind, Origin};
pub use reading::Reading;
pub use script_name::{MAX_SLUG, SlugError, slugify};
pub use table_name::check_table_name;
#[cfg(feature = "cli")]
pub use template::{
    Rendered, TemplateError, TemplateInfo, TemplateRequest, TemplateSource, list, render,
};
pub use text::TextProblem;
#[cfg(feature = "cli")]
pub use trust::Distrust;
#[cfg(feature = "cli")]
pub use value::{BackupBefore, RecordsOf};

/// Returns `path` for display: relative to `cwd` if it is below it.
#[cfg(feature = "cli")]
pub fn show(cwd: &std::path::Path, path: &std::path::Path) -> String {
    let shown = path.strip_prefix(cwd).unwrap_or(path);
    if shown.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        shown.display().to_string()
    }
}
