//! The configuration as plain data, and what it is made of.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    problem::{ConfigProblem, Origin},
    show,
    value::{BackupBefore, RecordsOf},
};
use crate::{
    files::Compression,
    layout::Layout,
    revision::{Ahead, Downs, OutOfOrder, TransactionScope},
    sql::Vars,
};

/// Everything that a configuration is made of besides files.
#[derive(Clone, Default)]
pub struct Sources {
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// What the command line says.
    pub flags: Flags,
    /// The variables of the process.
    pub process_env: BTreeMap<OsString, OsString>,
}

/// The flags that have a say.
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

/// Where a database is, unread. Its Debug shows no text, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// As written, variables replaced.
    pub text: String,
    /// What a relative path in it is relative to: the directory of the file
    /// that names it, else the working directory.
    pub base: PathBuf,
    /// Who says so.
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

/// A database that is protected, whatever name it is reached by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedUrl {
    /// The environment that protects it; `None` for `[migrator]`.
    pub environment: Option<String>,
    /// The URL.
    pub url: Url,
}

/// A variable that nearly has the name of one that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// As set.
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
    /// `keep`; 0 is all of them.
    pub keep: u32,
    /// `compress`
    pub compress: Compression,
}

/// The settings of one run. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Config {
    /// The configuration file; `None` without one.
    pub file: Option<PathBuf>,
    /// The environment chosen with `-n` or MIGRATOR_ENV.
    pub environment: Option<String>,
    /// Every environment of the file, by name.
    pub environments: Vec<String>,
    /// `migrations`
    pub migrations: PathBuf,
    /// `layout`: whose names the scripts have; `None` is to be found by looking.
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
    /// `lock-wait`; zero is one attempt.
    pub lock_wait: Duration,
    /// `connect-timeout`; never zero.
    pub connect_timeout: Duration,
    /// `log-file`
    pub log_file: Option<PathBuf>,
    /// `slow-statement`; zero is never.
    pub slow_statement: Duration,
    /// `protected`, of the environment chosen. See also [`Self::protected_urls`].
    pub protected: bool,
    /// `[postgres] lock-timeout`; zero is none.
    pub lock_timeout: Duration,
    /// `[postgres] lock-attempts`; never zero.
    pub lock_attempts: u32,
    /// `[postgres] statement-timeout`; zero is none.
    pub statement_timeout: Duration,
    /// `[postgres.settings]`: settings of the server, by name.
    pub session: Vec<(String, String)>,
    /// What placeholders of scripts stand for: `--var`, the environment's `[vars]`, the file's.
    pub vars: Vars,
    /// `[backup]`
    pub backup: BackupConfig,
    /// Variables MIGRATOR_* that nobody reads, but whose name is nearly one
    /// that is read. Others of that prefix are left alone.
    pub misspelt: Vec<Misspelt>,
    /// The url of the file, where a variable is used in its place.
    pub passed_over: Option<Origin>,
    pub(super) url: Result<Url, Vec<ConfigProblem>>,
    pub(super) protected_urls: Vec<ProtectedUrl>,
    cwd: PathBuf,
}

impl Config {
    /// The defaults.
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
            misspelt: Vec::new(),
            passed_over: None,
            url: Err(Vec::new()),
            protected_urls: Vec::new(),
            cwd: cwd.to_owned(),
        }
    }

    /// The database, for commands that need one; the others never fail for want of it.
    ///
    /// # Errors
    /// Without a URL, or when it needs a variable that is not set.
    pub fn url(&self) -> Result<&Url, &[ConfigProblem]> {
        self.url.as_ref().map_err(Vec::as_slice)
    }

    /// Every database that `protected = true` is said of, as far as its URL can
    /// be told here. Whoever reaches the same server and database reaches a
    /// protected one, whatever [`Self::protected`] says.
    pub fn protected_urls(&self) -> &[ProtectedUrl] {
        &self.protected_urls
    }

    /// The working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// `path` as people see it: relative to the working directory when it lies below it.
    pub fn show(&self, path: &Path) -> String {
        show(&self.cwd, path)
    }
}
