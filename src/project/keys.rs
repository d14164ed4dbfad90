//! The table of all keys. To add a setting, add one line here and a field to [`Config`].

use std::path::Path;

use super::{
    config::Config,
    fleet, lint,
    model::{self, ModelSource},
    value::{
        Refused, Setting, file, names, number, patterns, positive, scratch_url, switch, times, url,
        version_table,
    },
};
use crate::{layout::Layout, lint::Severity};

/// A section with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Migrator,
    Postgres,
    Backup,
    Schema,
    Verify,
    Lint,
    Model,
    Fleet,
}

impl Section {
    pub(super) const ALL: &[Self] = &[
        Self::Migrator,
        Self::Postgres,
        Self::Backup,
        Self::Schema,
        Self::Verify,
        Self::Lint,
        Self::Model,
        Self::Fleet,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Migrator => "migrator",
            Self::Postgres => "postgres",
            Self::Backup => "backup",
            Self::Schema => "schema",
            Self::Verify => "verify",
            Self::Lint => "lint",
            Self::Model => "model",
            Self::Fleet => "fleet",
        }
    }
}

/// A value to store in the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    /// The string, with variables replaced.
    pub text: Option<&'a str>,
    /// The boolean.
    pub flag: Option<bool>,
    /// The integer.
    pub number: Option<i64>,
    /// The list of strings.
    pub list: Option<&'a [String]>,
    /// The directory that relative paths are resolved against.
    pub base: &'a Path,
}

type Set = fn(&mut Config, &Given<'_>) -> Result<(), Refused>;

/// A key of the configuration.
pub(super) struct Key {
    pub section: Section,
    pub name: &'static str,
    /// The name of the variable that sets it, without `MIGRATOR_`.
    pub variable: Option<&'static str>,
    set: Set,
}

use Section::{Backup, Fleet, Lint, Migrator, Model, Postgres, Schema, Verify};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key(Migrator, "url", Some("URL"), |_, v| url(v).map(drop)),
    // No variable: protection can only be removed in a file, where it is visible.
    key(Migrator, "protected", None, |c, v| read(&mut c.protected, v)),
    key(Migrator, "migrations", Some("MIGRATIONS"), |c, v| read(&mut c.migrations, v)),
    key(Migrator, "layout", Some("LAYOUT"), |c, v| put(&mut c.layout, Layout::read(v).map(Some))),
    key(Migrator, "leave-out", Some("LEAVE_OUT"), |c, v| put(&mut c.leave_out, names(v))),
    key(Migrator, "recursive", Some("RECURSIVE"), |c, v| put(&mut c.recursive, switch(v))),
    key(Migrator, "templates", Some("TEMPLATES"), |c, v| read(&mut c.templates, v)),
    key(Migrator, "version-table", Some("VERSION_TABLE"), |c, v| put(&mut c.version_table, version_table(v))),
    key(Migrator, "records-of", Some("RECORDS_OF"), |c, v| read(&mut c.records_of, v)),
    key(Migrator, "allow-nonempty", Some("ALLOW_NONEMPTY"), |c, v| put(&mut c.allow_nonempty, switch(v))),
    key(Migrator, "out-of-order", Some("OUT_OF_ORDER"), |c, v| read(&mut c.out_of_order, v)),
    key(Migrator, "ahead", Some("AHEAD"), |c, v| read(&mut c.ahead, v)),
    key(Migrator, "downs", Some("DOWNS"), |c, v| read(&mut c.downs, v)),
    key(Migrator, "transaction", Some("TRANSACTION"), |c, v| read(&mut c.transaction, v)),
    key(Migrator, "lock-wait", Some("LOCK_WAIT"), |c, v| read(&mut c.lock_wait, v)),
    key(Migrator, "connect-timeout", Some("CONNECT_TIMEOUT"), |c, v| put(&mut c.connect_timeout, positive(v))),
    key(Migrator, "log-file", Some("LOG_FILE"), |c, v| put(&mut c.log_file, file(v).map(Some))),
    key(Migrator, "slow-statement", Some("SLOW_STATEMENT"), |c, v| read(&mut c.slow_statement, v)),
    key(Migrator, "schema-file", Some("SCHEMA_FILE"), |c, v| put(&mut c.schema_file, file(v).map(Some))),
    key(Migrator, "direct-url", Some("DIRECT_URL"), |c, v| put(&mut c.direct_url, scratch_url(v).map(Some))),
    key(Migrator, "scratch-url", Some("SCRATCH_URL"), |c, v| put(&mut c.scratch_url, scratch_url(v).map(Some))),
    key(Postgres, "lock-timeout", Some("POSTGRES_LOCK_TIMEOUT"), |c, v| read(&mut c.lock_timeout, v)),
    key(Postgres, "lock-attempts", Some("POSTGRES_LOCK_ATTEMPTS"), |c, v| put(&mut c.lock_attempts, times(v))),
    key(Postgres, "statement-timeout", Some("POSTGRES_STATEMENT_TIMEOUT"), |c, v| read(&mut c.statement_timeout, v)),
    key(Backup, "before", Some("BACKUP_BEFORE"), |c, v| read(&mut c.backup.before, v)),
    key(Backup, "directory", Some("BACKUP_DIRECTORY"), |c, v| read(&mut c.backup.directory, v)),
    key(Backup, "keep", Some("BACKUP_KEEP"), |c, v| put(&mut c.backup.keep, number(v))),
    key(Backup, "compress", Some("BACKUP_COMPRESS"), |c, v| read(&mut c.backup.compress, v)),
    key(Schema, "include", Some("SCHEMA_INCLUDE"), |c, v| put(&mut c.scope.include, patterns(v))),
    key(Schema, "exclude", Some("SCHEMA_EXCLUDE"), |c, v| put(&mut c.scope.exclude, patterns(v))),
    key(Verify, "seed", Some("VERIFY_SEED"), |c, v| put(&mut c.verify_seed, file(v).map(Some))),
    key(Lint, "rows", Some("LINT_ROWS"), |c, v| put(&mut c.lint.settings.limits.rows, lint::count(v))),
    key(Lint, "pages", Some("LINT_PAGES"), |c, v| put(&mut c.lint.settings.limits.pages, lint::count(v))),
    key(Lint, "since", Some("LINT_SINCE"), |c, v| put(&mut c.lint.since, lint::since(v))),
    key(Lint, "error", Some("LINT_ERROR"), |c, v| lint::set(&mut c.lint, v, Some(Severity::Error))),
    key(Lint, "warning", Some("LINT_WARNING"), |c, v| lint::set(&mut c.lint, v, Some(Severity::Warning))),
    key(Lint, "note", Some("LINT_NOTE"), |c, v| lint::set(&mut c.lint, v, Some(Severity::Note))),
    key(Lint, "off", Some("LINT_OFF"), |c, v| lint::set(&mut c.lint, v, None)),
    key(Model, "sql", Some("MODEL_SQL"), |c, v| model::set(&mut c.model.source, model::paths(v))),
    key(Model, "command", Some("MODEL_COMMAND"), |c, v| model::set(&mut c.model.source, model::command(v))),
    key(Model, "sqlalchemy", Some("MODEL_SQLALCHEMY"), |c, v| model::set(&mut c.model.source, model::module(v).map(ModelSource::SqlAlchemy))),
    key(Model, "django", Some("MODEL_DJANGO"), |c, v| model::set(&mut c.model.source, model::module(v).map(ModelSource::Django))),
    key(Model, "drizzle", Some("MODEL_DRIZZLE"), |c, v| model::set(&mut c.model.source, file(v).map(ModelSource::Drizzle))),
    key(Model, "prisma", Some("MODEL_PRISMA"), |c, v| model::set(&mut c.model.source, file(v).map(ModelSource::Prisma))),
    key(Model, "url", Some("MODEL_URL"), |c, v| model::set(&mut c.model.source, scratch_url(v).map(ModelSource::Url))),
    key(Model, "drop", Some("MODEL_DROP"), |c, v| put(&mut c.model.drop, model::kinds(v))),
    key(Model, "timeout", Some("MODEL_TIMEOUT"), |c, v| put(&mut c.model.timeout, positive(v))),
    // No variables: a fleet is that of its environment, and nothing else adds databases to it.
    key(Fleet, "files", None, |c, v| put(&mut c.fleet_keys.files, fleet::strings(v).map(Some))),
    key(Fleet, "query", None, |c, v| put(&mut c.fleet_keys.query, fleet::query(v).map(Some))),
    key(Fleet, "at", None, |c, v| put(&mut c.fleet_keys.at, scratch_url(v).map(Some))),
    key(Fleet, "command", None, |c, v| put(&mut c.fleet_keys.command, fleet::command(v).map(Some))),
    key(Fleet, "list", None, |c, v| put(&mut c.fleet_keys.list, fleet::array(v).map(Some))),
    key(Fleet, "timeout", None, |c, v| put(&mut c.fleet_keys.timeout, positive(v).map(Some))),
    key(Fleet, "url", None, |c, v| put(&mut c.fleet_keys.url, fleet::url(v).map(Some))),
    key(Fleet, "schema", None, |c, v| put(&mut c.fleet_keys.schema, fleet::schema(v).map(Some))),
    key(Fleet, "jobs", None, |c, v| put(&mut c.fleet_keys.jobs, fleet::jobs(v))),
    key(Fleet, "jobs-per-server", None, |c, v| put(&mut c.fleet_keys.jobs_per_server, fleet::jobs(v))),
    key(Fleet, "canary", None, |c, v| put(&mut c.fleet_keys.canaries, fleet::canaries(v))),
    key(Fleet, "groups", None, |c, v| put(&mut c.fleet_keys.groups, fleet::groups(v))),
    key(Fleet, "max-failures", None, |c, v| put(&mut c.fleet_keys.max_failures, fleet::share(v).map(Some))),
    key(Fleet, "deadline", None, |c, v| put(&mut c.fleet_keys.deadline, fleet::window(v).map(Some))),
    key(Fleet, "exists", None, |c, v| put(&mut c.fleet_keys.exists, fleet::exists(v))),
    key(Fleet, "server-wait", None, |c, v| read(&mut c.fleet_keys.server_wait, v)),
    key(Fleet, "journal", None, |c, v| put(&mut c.fleet_keys.journal, file(v).map(Some))),
];

/// The URL is only read when needed, and not from every source.
pub(super) const URL: &Key = &KEYS[0];

/// Read from every environment, not only from the selected one.
pub(super) const PROTECTED: &Key = &KEYS[1];

/// Variables that select what is read and do not belong to a key.
pub(super) const CHOOSING: &[&str] = &["CONFIG", "ENV", "PAGER", "SCRATCH_DATABASE"];

const fn key(
    section: Section,
    name: &'static str,
    variable: Option<&'static str>,
    set: Set,
) -> Key {
    Key {
        section,
        name,
        variable,
        set,
    }
}

impl Key {
    /// Stores a value in the configuration.
    pub(super) fn set(&self, config: &mut Config, given: &Given<'_>) -> Result<(), Refused> {
        (self.set)(config, given)
    }

    /// Whether `${target}` in its value stands for the name of a target.
    pub(super) fn takes_target(&self) -> bool {
        self.section == Fleet && matches!(self.name, "url" | "schema")
    }

    /// Whether both are one key.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.section, self.name) == (other.section, other.name)
    }

    /// Returns the key with that name.
    pub(super) fn find(section: Section, name: &str) -> Option<&'static Self> {
        KEYS.iter()
            .find(|key| key.section == section && key.name == name)
    }
}

fn read<T: Setting>(slot: &mut T, given: &Given<'_>) -> Result<(), Refused> {
    put(slot, T::read(given))
}

fn put<T>(slot: &mut T, value: Result<T, Refused>) -> Result<(), Refused> {
    *slot = value?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_with_a_name_of_their_own_are_those() {
        assert_eq!((URL.section, URL.name), (Migrator, "url"));
        assert_eq!((PROTECTED.section, PROTECTED.name), (Migrator, "protected"));
    }

    #[test]
    fn every_variable_says_which_key_it_sets() {
        for key in KEYS {
            let upper = key.name.replace('-', "_").to_uppercase();
            let expected = match key.section {
                Migrator => upper,
                Postgres => format!("POSTGRES_{upper}"),
                Backup => format!("BACKUP_{upper}"),
                Schema => format!("SCHEMA_{upper}"),
                Verify => format!("VERIFY_{upper}"),
                Lint => format!("LINT_{upper}"),
                Model => format!("MODEL_{upper}"),
                Fleet => upper,
            };
            let unset = key.name == "protected" || key.section == Fleet;
            assert_eq!(key.variable, (!unset).then_some(expected.as_str()));
        }
    }
}
