//! The configuration as plain data, and its sources.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::fleet::{FleetConfig, FleetKeys};
use super::lint::LintConfig;
use super::{
    model::ModelConfig,
    problem::{ConfigProblem, Origin},
    show,
    value::{BackupBefore, RecordsOf},
};
use crate::{
    files::Compression,
    layout::Layout,
    revision::{Ahead, Downs, OutOfOrder, TransactionScope},
    schema::Scope,
    sql::Vars,
};

/// All sources of a configuration other than files.
#[derive(Clone, Default)]
pub struct Sources {
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// Flags of the command line.
    pub flags: Flags,
    /// The variables of the process.
    pub process_env: BTreeMap<OsString, OsString>,
}

/// Flags that affect the configuration.
#[derive(Clone, Default)]
pub struct Flags {
    /// `--config`; relative to the working directory.
    pub config: Option<PathBuf>,
    /// `-n`
    pub environment: Option<String>,
    /// `--url`
    pub url: Option<String>,
    /// `--var`, in the order given.
    pub vars: Vec<(String, String)>,
}

/// The location of a database, not yet parsed. Its `Debug` output omits the text, which may hold a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// The text with variables replaced.
    pub text: String,
    /// The directory that relative paths in it are resolved against: that of the file that names
    /// it, else the working directory.
    pub base: PathBuf,
    /// The source of the URL.
    pub origin: Origin,
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Url")
            .field("base", &self.base)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// The URL of the server for scratch databases, not yet parsed. Its `Debug` output omits the text,
/// which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ScratchUrl {
    /// The text with variables replaced.
    pub text: String,
    /// The directory that relative paths in it are resolved against.
    pub base: PathBuf,
}

impl fmt::Debug for ScratchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScratchUrl")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// A protected database, whatever name it is reached by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedUrl {
    /// The environment that protects it; `None` for `[migrator]`.
    pub environment: Option<String>,
    /// The URL.
    pub url: Url,
}

/// A variable whose name is similar to one that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// The name of the variable.
    pub name: String,
    /// The nearest known name.
    pub nearest: String,
}

/// `[backup]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupConfig {
    /// `before`
    pub before: BackupBefore,
    /// `directory`
    pub directory: PathBuf,
    /// `keep`; 0 keeps all backups.
    pub keep: u32,
    /// `compress`
    pub compress: Compression,
}

/// The settings of one run. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Config {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The environment chosen with `-n` or MIGRATOR_ENV.
    pub environment: Option<String>,
    /// Every environment of the file, by name.
    pub environments: Vec<String>,
    /// `migrations`
    pub migrations: PathBuf,
    /// `layout`: the naming scheme of the scripts; `None` to detect it.
    pub layout: Option<Layout>,
    /// `leave-out`: see [`super::Reading::leave_out`].
    pub leave_out: Vec<String>,
    /// `recursive`
    pub recursive: bool,
    /// `templates`
    pub templates: PathBuf,
    /// `version-table`: `name` or `schema.name`, checked but not quoted.
    pub version_table: String,
    /// `records-of`
    pub records_of: RecordsOf,
    /// `allow-nonempty`
    pub allow_nonempty: bool,
    /// `out-of-order`
    pub out_of_order: OutOfOrder,
    /// `ahead`
    pub ahead: Ahead,
    /// `downs`
    pub downs: Downs,
    /// `transaction`
    pub transaction: TransactionScope,
    /// `lock-wait`; zero means a single attempt.
    pub lock_wait: Duration,
    /// `connect-timeout`; never zero.
    pub connect_timeout: Duration,
    /// `log-file`
    pub log_file: Option<PathBuf>,
    /// `schema-file`
    pub schema_file: Option<PathBuf>,
    /// `direct-url`: the database without the pooler that `url` leads through.
    pub direct_url: Option<ScratchUrl>,
    /// `scratch-url`: the URL and the directory that relative paths in it are relative to.
    pub scratch_url: Option<ScratchUrl>,
    /// `[schema] include` and `exclude`
    pub scope: Scope,
    /// `[verify] seed`: a file of statements that add rows where scripts are verified.
    pub verify_seed: Option<PathBuf>,
    /// `[lint]`
    pub lint: LintConfig,
    /// `[model]`
    pub model: ModelConfig,
    /// `slow-statement`; zero disables it.
    pub slow_statement: Duration,
    /// `protected`, of the selected environment. See also [`Self::protected_urls`].
    pub protected: bool,
    /// `[postgres] lock-timeout`; zero means none.
    pub lock_timeout: Duration,
    /// `[postgres] lock-attempts`; never zero.
    pub lock_attempts: u32,
    /// `[postgres] statement-timeout`; zero means none.
    pub statement_timeout: Duration,
    /// `[postgres.settings]`: settings of the server, by name.
    pub session: Vec<(String, String)>,
    /// Values of placeholders in scripts: from `--var`, the environment's `[vars]`, then the
    /// file's.
    pub vars: Vars,
    /// `[backup]`
    pub backup: BackupConfig,
    /// `[environments.NAME.fleet]` of the selected environment, as given.
    pub(super) fleet_keys: FleetKeys,
    /// The fleet of the selected environment, if it has one.
    pub fleet: Option<FleetConfig>,
    /// MIGRATOR_* variables that are not read, but have a name similar to one that is. Other
    /// variables with the prefix are ignored.
    pub misspelt: Vec<Misspelt>,
    /// The URL of the file, if a variable overrides it.
    pub passed_over: Option<Origin>,
    pub(super) url: Result<Url, Vec<ConfigProblem>>,
    pub(super) protected_urls: Vec<ProtectedUrl>,
    cwd: PathBuf,
}

impl Config {
    /// Creates the default configuration.
    pub(super) fn new(cwd: &Path, root: &Path) -> Self {
        Self {
            file: None,
            environment: None,
            environments: Vec::new(),
            migrations: root.join("migrations"),
            layout: None,
            leave_out: Vec::new(),
            recursive: false,
            templates: root.join("templates"),
            version_table: "migrator_version".to_owned(),
            records_of: RecordsOf::default(),
            allow_nonempty: false,
            out_of_order: OutOfOrder::default(),
            ahead: Ahead::default(),
            downs: Downs::default(),
            transaction: TransactionScope::default(),
            lock_wait: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            log_file: None,
            schema_file: None,
            direct_url: None,
            scratch_url: None,
            scope: Scope::default(),
            verify_seed: None,
            lint: LintConfig::default(),
            model: ModelConfig::default(),
            slow_statement: Duration::from_secs(1),
            protected: false,
            lock_timeout: Duration::from_secs(2),
            lock_attempts: 10,
            statement_timeout: Duration::ZERO,
            session: Vec::new(),
            vars: Vars::default(),
            backup: BackupConfig {
                before: BackupBefore::default(),
                directory: root.join("backups"),
                keep: 7,
                compress: Compression::default(),
            },
            fleet_keys: FleetKeys::default(),
            fleet: None,
            misspelt: Vec::new(),
            passed_over: None,
            url: Err(Vec::new()),
            protected_urls: Vec::new(),
            cwd: cwd.to_owned(),
        }
    }

    /// Returns the URL of the database. Only commands that need one fail if it is missing.
    ///
    /// # Errors
    /// Returns an error if there is no URL, or if it contains a variable that is not set.
    pub fn url(&self) -> Result<&Url, &[ConfigProblem]> {
        self.url.as_ref().map_err(Vec::as_slice)
    }

    /// Returns every database with `protected = true` whose URL is known. Any URL of the same
    /// server and database is protected, regardless of [`Self::protected`].
    pub fn protected_urls(&self) -> &[ProtectedUrl] {
        &self.protected_urls
    }

    /// Returns the working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Returns `path` for display: relative to the working directory if it is below it.
    pub fn show(&self, path: &Path) -> String {
        show(&self.cwd, path)
    }
}
