//! The only module of `database` that distinguishes kinds of databases: it parses URLs and selects
//! the implementation. Everything else uses a [`Location`] or one of the traits.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Access, Database, DatabaseError, ScriptHead, ScriptWriter, Settings,
    location::{LocationError, split_scheme},
    postgres, sqlite,
};
#[cfg(feature = "cli")]
use super::{
    CopyError, Glance, Known, NamedRows,
    backup::{Purpose, Source, Target},
};
use super::{Scratch, ScratchEntry, ScratchError, ScratchRequest, ScratchScope, ScratchUse};
use crate::{nearest::misspelt, sql::Dialect};

/// The location of a database, parsed from a URL.
#[derive(Clone)]
pub enum Location {
    /// A server and a database on it.
    Postgres(Box<postgres::PostgresOptions>),
    /// A file, or `:memory:`.
    Sqlite(PathBuf),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())
    }
}

impl Location {
    /// Parses `url`; relative paths are relative to `base`.
    ///
    /// libpq's environment (`PGHOST`, `PGPASSWORD`, `PGSSLMODE` …), service and password files
    /// supply what the URL omits. Its other connection string, `host=db dbname=shop`, is supported
    /// as well.
    ///
    /// # Errors
    /// Fails when the URL names no database.
    pub fn parse(url: &str, base: &Path) -> Result<Self, LocationError> {
        let url = url.trim();
        if let Some(options) = postgres::url::parse_keywords(url) {
            return Ok(Self::Postgres(Box::new(options?)));
        }
        let (scheme, rest) = split_scheme(url).ok_or(LocationError::NoScheme)?;
        match dialect_of(&scheme.to_ascii_lowercase()) {
            Some(Dialect::Postgres) => Ok(Self::Postgres(Box::new(postgres::url::parse(rest)?))),
            Some(Dialect::Sqlite) => Ok(Self::Sqlite(sqlite::url::parse(rest, base)?)),
            None => Err(LocationError::Scheme {
                scheme: scheme.to_owned(),
                nearest: nearest_scheme(scheme),
            }),
        }
    }

    /// The file of trusted certificates that replace the system's, if one is named.
    #[cfg(feature = "cli")]
    pub fn root_certificates(&self) -> Option<&Path> {
        match self {
            Self::Postgres(options) => options.root_certificates(),
            Self::Sqlite(_) => None,
        }
    }

    /// `settings` overridden by those in the location.
    pub fn adjust(&self, settings: Settings) -> Settings {
        match self {
            Self::Postgres(options) => options.adjust(settings),
            Self::Sqlite(_) => settings,
        }
    }

    /// The SQL dialect of scripts.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// The database file or `:memory:`; `None` for a database on a server.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Postgres(_) => None,
            Self::Sqlite(file) => Some(file),
        }
    }

    /// The database's own name, which users type to confirm.
    pub fn database_name(&self) -> String {
        match self {
            Self::Postgres(options) => postgres::url::database(options).to_owned(),
            Self::Sqlite(file) => sqlite::url::name(file),
        }
    }

    /// The prefix of names of files about the database.
    pub fn stem(&self) -> String {
        match self {
            Self::Postgres(options) => postgres::url::database(options).to_owned(),
            Self::Sqlite(file) => sqlite::url::stem(file),
        }
    }

    /// Whether both lead to the same server and database, judging by their addresses. All ways to
    /// reach a port of this machine count as one.
    pub fn is_same_database(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Postgres(a), Self::Postgres(b)) => {
                postgres::url::address(a) == postgres::url::address(b)
            }
            (Self::Sqlite(a), Self::Sqlite(b)) => sqlite::url::is_same(a, b),
            (Self::Postgres(_) | Self::Sqlite(_), _) => false,
        }
    }

    /// Whether the database is a file that does not exist.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::Sqlite(file) => sqlite::url::is_missing(file),
        }
    }

    /// The address of the database without user and password, equal for all spellings. A server on
    /// this machine has no host.
    pub fn address(&self) -> String {
        match self {
            Self::Postgres(options) => postgres::url::address(options),
            Self::Sqlite(file) => sqlite::url::address(file),
        }
    }

    /// The server, equal for all spellings; `None` for a file.
    #[cfg(feature = "cli")]
    pub fn server(&self) -> Option<String> {
        match self {
            Self::Postgres(options) => Some(postgres::url::server(options)),
            Self::Sqlite(_) => None,
        }
    }

    /// Whether the address has another meaning on another machine, as for files and servers on this
    /// machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Postgres(options) => postgres::url::is_local(options),
            Self::Sqlite(_) => true,
        }
    }

    /// The URL for other programs, with the password if there is one.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres(options) => postgres::client_url::client_url(options),
            Self::Sqlite(file) => sqlite::url::client_url(file),
        }
    }

    /// The location for display, with links in a file's path resolved. Never with a password.
    pub fn resolved(&self) -> String {
        match self {
            Self::Postgres(_) => self.to_string(),
            Self::Sqlite(file) => sqlite::url::address(file),
        }
    }

    /// The location for display, with a file's path formatted by `show`. Never with a password.
    pub fn shown(&self, show: impl Fn(&Path) -> String) -> String {
        match self {
            Self::Postgres(_) => self.to_string(),
            Self::Sqlite(file) => sqlite::url::place(&show(file)),
        }
    }
}

/// Formats the location for display, never with a password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(options) => postgres::url::write(options, f),
            Self::Sqlite(file) => f.write_str(&sqlite::url::place(&file.display().to_string())),
        }
    }
}

/// The URL of a file, whose path has its special characters escaped.
#[cfg(feature = "cli")]
pub fn file_url(path: &str) -> String {
    sqlite::url::place(path)
}

/// The URL schemes of a dialect, and names that other tools use for them.
fn schemes(dialect: Dialect) -> (&'static [&'static str], &'static [&'static str]) {
    match dialect {
        Dialect::Postgres => (postgres::url::SCHEMES, postgres::url::OTHER_SCHEMES),
        Dialect::Sqlite => (sqlite::url::SCHEMES, sqlite::url::OTHER_SCHEMES),
    }
}

fn dialect_of(scheme: &str) -> Option<Dialect> {
    let mut all = Dialect::ALL.into_iter();
    all.find(|dialect| schemes(*dialect).0.contains(&scheme))
}

fn nearest_scheme(scheme: &str) -> Option<&'static str> {
    let scheme = scheme.to_ascii_lowercase();
    let mut all = Dialect::ALL.map(schemes).into_iter();
    match all.find(|(_, others)| others.contains(&scheme.as_str())) {
        Some((ours, _)) => ours.first().copied(),
        None => {
            let known = Dialect::ALL
                .into_iter()
                .flat_map(|dialect| schemes(dialect).0);
            misspelt(&scheme, known.copied())
        }
    }
}

/// Connects to `location`.
///
/// # Errors
/// Fails when the database does not exist or denies access.
pub async fn connect(
    location: &Location,
    access: Access,
    settings: Settings,
) -> Result<Box<dyn Database>, DatabaseError> {
    Ok(match location {
        Location::Postgres(options) => {
            Box::new(postgres::Postgres::connect(options, settings).await?)
        }
        Location::Sqlite(file) => Box::new(sqlite::Sqlite::connect(file, access, settings).await?),
    })
}

/// Looks at a file without a session. A database on a server is [`Glance::Doubtful`].
#[cfg(feature = "cli")]
pub fn glance(location: &Location, settings: &Settings, known: Known<'_>) -> Glance {
    match location {
        Location::Postgres(_) => Glance::Doubtful,
        Location::Sqlite(file) => sqlite::glance::glance(file, settings, known),
    }
}

/// Looks at the version tables in schemas of one database, over one connection. The name of the table in
/// `settings` has no schema. A file has none, so that it is [`Glance::Doubtful`].
///
/// # Errors
/// Fails when the server cannot be reached or the connection is lost.
#[cfg(feature = "cli")]
pub async fn glance_at_schemas(
    location: &Location,
    settings: &Settings,
    schemas: &[&str],
    known: Known<'_>,
) -> Result<Vec<Glance>, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            postgres::glance::glance(options, settings, schemas, known).await
        }
        Location::Sqlite(_) => Ok(schemas.iter().map(|_| Glance::Doubtful).collect()),
    }
}

/// Connects for a journey through the schemas of one database, or to one file; `settings` are those of one
/// target. `None` where each schema needs a session of its own, as through poolers.
///
/// # Errors
/// Fails when the server cannot be reached or denies access.
#[cfg(feature = "cli")]
pub async fn roam(
    location: &Location,
    settings: &Settings,
) -> Result<Option<Box<dyn Database>>, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            let opened = postgres::Postgres::roam(options, settings.clone()).await?;
            Ok(opened.map(|it| Box::new(it) as Box<dyn Database>))
        }
        Location::Sqlite(_) => connect(location, Access::Existing, settings.clone())
            .await
            .map(Some),
    }
}

/// Whether a script in `dialect` leaves the names without a schema in the schema of a journey, see [`roam`].
#[cfg(feature = "cli")]
pub fn may_roam(dialect: Dialect, script: &str) -> bool {
    match dialect {
        Dialect::Postgres => postgres::may_roam(script),
        Dialect::Sqlite => true,
    }
}

/// Returns the rows of a query with the names of its columns, without looking for a version table. Nothing can
/// be written.
///
/// # Errors
/// Fails when the database cannot be reached or refuses the query.
#[cfg(feature = "cli")]
pub async fn ask(
    location: &Location,
    settings: Settings,
    sql: &str,
) -> Result<NamedRows, DatabaseError> {
    let mut database: Box<dyn Database> = match location {
        Location::Postgres(options) => Box::new(postgres::Postgres::open(options, settings).await?),
        Location::Sqlite(_) => connect(location, Access::Existing, settings).await?,
    };
    let found = database.rows().ask_named(sql).await;
    // What was read is complete.
    let _ = database.close().await;
    found
}

/// A script writer for the shell of `dialect`.
///
/// # Errors
/// Fails when the configured name of the version table is invalid.
pub fn script(
    dialect: Dialect,
    settings: Settings,
    head: ScriptHead,
) -> Result<Box<dyn ScriptWriter>, DatabaseError> {
    Ok(match dialect {
        Dialect::Postgres => Box::new(postgres::PostgresScript::new(settings, head)?),
        Dialect::Sqlite => Box::new(sqlite::SqliteScript::new(settings, head)?),
    })
}

/// Creates the database of `location`, but not the directory of a file. Returns whether it was
/// missing.
///
/// `maintenance` is the database on the PostgreSQL server to connect to meanwhile.
///
/// # Errors
/// Fails when the database cannot be created.
pub async fn create(
    location: &Location,
    settings: &Settings,
    maintenance: Option<&str>,
) -> Result<bool, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            postgres::admin::create(options, settings, maintenance).await
        }
        Location::Sqlite(file) => sqlite::admin::create(file, settings).await,
    }
}

/// Drops the database of `location`. Returns whether it existed.
///
/// With `force`, a PostgreSQL server terminates the sessions of others first.
///
/// # Errors
/// Fails when the database is in use or cannot be dropped.
pub async fn drop(
    location: &Location,
    settings: &Settings,
    maintenance: Option<&str>,
    force: bool,
) -> Result<bool, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            postgres::admin::drop(options, settings, maintenance, force).await
        }
        Location::Sqlite(file) => sqlite::admin::drop(file, settings).await,
    }
}

/// Checks whether the database is available: the server answers and has it, the file can be opened,
/// or its directory exists so that it can be created. Returns within `patience`.
///
/// # Errors
/// The reason why the database is not available.
pub async fn probe(
    location: &Location,
    settings: &Settings,
    patience: Duration,
) -> Result<(), DatabaseError> {
    match location {
        Location::Postgres(options) => postgres::admin::probe(options, settings, patience).await,
        Location::Sqlite(file) => sqlite::admin::probe(file, patience).await,
    }
}

/// Checks whether the database can be copied, before starting a copy: it answers, and the required
/// programs are installed.
///
/// # Errors
/// The reason why the database cannot be copied.
#[cfg(feature = "cli")]
pub async fn source(
    location: &Location,
    settings: &Settings,
) -> Result<Box<dyn Source>, CopyError> {
    Ok(match location {
        Location::Postgres(options) => {
            Box::new(postgres::backup::Source::open(options, settings).await?)
        }
        Location::Sqlite(file) => Box::new(sqlite::backup::Source::open(file, settings).await?),
    })
}

/// The directory in which the server of `location` keeps its databases, if it is on this machine and tells;
/// `None` for files.
#[cfg(feature = "cli")]
pub async fn storage(location: &Location, settings: &Settings) -> Option<PathBuf> {
    match location {
        Location::Postgres(options) => postgres::backup::storage(options, settings).await,
        Location::Sqlite(_) => None,
    }
}

/// The database that a copy of `location` in `file` is without being loaded; `None` if it has to be loaded.
#[cfg(feature = "cli")]
pub fn usable_copy(location: &Location, file: &Path) -> Option<Location> {
    match location {
        Location::Postgres(_) => None,
        Location::Sqlite(_) => Some(Location::Sqlite(file.to_owned())),
    }
}

/// Prepares to load copies beside the database of `location`; for SQLite into `directory`, or
/// beside the file for [`Purpose::Restore`]. Removes the remains of killed processes.
///
/// # Errors
/// Fails when the database does not answer, or a required program is missing.
#[cfg(feature = "cli")]
pub async fn target(
    location: &Location,
    settings: &Settings,
    directory: &Path,
    purpose: Purpose,
    client: Option<u32>,
) -> Result<Box<dyn Target>, CopyError> {
    Ok(match location {
        Location::Postgres(options) => {
            Box::new(postgres::target::Target::open(options, settings, purpose, client).await?)
        }
        Location::Sqlite(file) => {
            Box::new(sqlite::target::Target::open(file, settings, directory, purpose).await?)
        }
    })
}

/// Creates a scratch database. On PostgreSQL, the first of these ways that works: on the server of
/// [`ScratchRequest::url`]; without one, on the server of the database, or on a server started from
/// the programs of this machine.
///
/// # Errors
/// The reasons why no way works.
pub async fn scratch(request: &ScratchRequest) -> Result<Box<dyn Scratch>, ScratchError> {
    Ok(match &request.like {
        Location::Postgres(like) => Box::new(postgres::throwaway::create(request, like).await?),
        Location::Sqlite(_) => match request.purpose {
            ScratchUse::Own => Box::new(sqlite::scratch::InMemory::new()),
            ScratchUse::Shared => Box::new(sqlite::scratch::InDirectory::create()?),
        },
    })
}

/// Lists the scratch databases and templates.
///
/// # Errors
/// Fails when the server does not answer.
pub async fn list_scratch(scope: &ScratchScope) -> Result<Vec<ScratchEntry>, DatabaseError> {
    match &scope.like {
        Location::Postgres(like) => postgres::scratch_list::list(scope, like).await,
        Location::Sqlite(_) => Ok(sqlite::scratch::list()),
    }
}

/// Drops the templates that nobody uses and the scratch databases whose process has ended. Returns
/// what was dropped.
///
/// # Errors
/// Fails when the server does not answer.
pub async fn drop_scratch(scope: &ScratchScope) -> Result<Vec<ScratchEntry>, DatabaseError> {
    match &scope.like {
        Location::Postgres(like) => postgres::scratch_list::drop_unused(scope, like).await,
        Location::Sqlite(_) => Ok(sqlite::scratch::drop_left()),
    }
}

#[cfg(test)]
mod tests {
    use std::env;

    use proptest::prelude::*;

    use super::{super::without_password, *};

    fn parse(url: &str) -> Result<Location, LocationError> {
        Location::parse(url, Path::new("/base"))
    }

    #[test]
    fn urls_lead_to_places() {
        let check = |url: &str, place: &str| {
            let shown = parse(url).map(|location| location.to_string());
            assert_eq!(shown.as_deref(), Ok(place), "{url}");
        };
        check("sqlite:rel.db", "sqlite:/base/rel.db");
        check("sqlite:./rel.db", "sqlite:/base/./rel.db");
        check("sqlite://rel.db", "sqlite:/base/rel.db");
        check("sqlite:///abs.db", "sqlite:/abs.db");
        check("sqlite:/abs.db", "sqlite:/abs.db");
        check("SQLite:a%20b%3F.db", "sqlite:/base/a b?.db");
        check("sqlite:100%.db", "sqlite:/base/100%.db");
        check("sqlite::memory:", "sqlite::memory:");
        check("sqlite://:memory:", "sqlite::memory:");
        check("sqlite:x.db?mode=rwc", "sqlite:/base/x.db");
        check("sqlite:x?mode=memory", "sqlite::memory:");
        check(" postgres://u:secret@h:6000/db ", "postgres://u@h:6000/db");
        check("postgresql://u:secret@h/db", "postgres://u@h:5432/db");
        check("postgres://a%2Fb@h/a%2Fb", "postgres://a/b@h:5432/a/b");
        check("postgres://u@[::1]/db", "postgres://u@[::1]:5432/db");
        check(
            "postgres://u@/db?host=::1&port=7",
            "postgres://u@[::1]:7/db",
        );
        check(
            "postgres://u@h/db?sslmode=require&channel_binding=prefer&connect_timeout=5&keepalives_idle=30",
            "postgres://u@h:5432/db",
        );
        check(
            "postgres://u@h/db?schema=app&pgbouncer=true",
            "postgres://u@h:5432/db",
        );
        check(
            "host=h port=7 user=u password='s@ /x' dbname='my db'",
            "postgres://u@h:7/my db",
        );
        check("postgres://u@[::1]:7000/db", "postgres://u@[::1]:7000/db");
        check(
            "postgres://u:s%40%2Fx@h/db?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://u@h:5432/db",
        );
        check(
            "postgres:///db?host=/run/pg&user=u&password=secret@1",
            "postgres://u@/db?host=/run/pg",
        );
        check(
            "postgres://u@%2Frun%2Fpg:5433/db?options[search_path]=x",
            "postgres://u@/db?host=/run/pg&port=5433",
        );
        check(
            "postgres://a%26b:s%2B+%40@:6000/db?host=/run/pg",
            "postgres://a&b@/db?host=/run/pg&port=6000",
        );
    }

    #[test]
    fn a_password_is_taken_out_and_nothing_else() {
        let check = |url: &str, expected: &str| assert_eq!(without_password(url), expected);
        check("sqlite:a b.db?mode=rw", "sqlite:a b.db?mode=rw");
        check("sqlite::memory:", "sqlite::memory:");
        check("postgres://u:s%40x@h:1/db", "postgres://u@h:1/db");
        check(
            "postgres://u@h/db?sslmode=require",
            "postgres://u@h/db?sslmode=require",
        );
        check(
            "postgres:///db?user=u&pass%77ord=x@y&host=/run",
            "postgres:///db?user=u&host=/run",
        );
        check("postgres://h/db?password=x", "postgres://h/db");
        check("host=h password='a b' dbname=x", "host='h' dbname='x'");
        check("app.db", "app.db");
    }

    #[test]
    fn what_is_shown_of_a_socket_can_be_read_again() {
        for shown in [
            "postgres://u@/db?host=/run/pg",
            "postgres://u@/db?host=/run/pg&port=5433",
        ] {
            let read = parse(shown).map(|location| location.to_string());
            assert_eq!(read.as_deref(), Ok(shown));
        }
    }

    #[test]
    fn other_urls_are_refused() {
        let check = |url: &str, expected: LocationError| {
            assert_eq!(parse(url).err(), Some(expected), "{url}");
        };
        let scheme = |scheme: &str, nearest| LocationError::Scheme {
            scheme: scheme.into(),
            nearest,
        };
        let parameter = |name: &str, nearest| LocationError::Parameter {
            name: name.into(),
            nearest,
        };
        check("app.db", LocationError::NoScheme);
        check("", LocationError::NoScheme);
        check("./a:b", LocationError::NoScheme);
        check("C:\\app.db", LocationError::NoScheme);
        check("app.db:x", LocationError::NoScheme);
        check("sqlite3:app.db", scheme("sqlite3", Some("sqlite")));
        check("file:app.db", scheme("file", Some("sqlite")));
        check("postgre://h/db", scheme("postgre", Some("postgres")));
        check("pg://h/db", scheme("pg", Some("postgres")));
        check("mysql://h/db", scheme("mysql", None));
        check(
            "postgres://h/db?ssl_mode=require",
            parameter("ssl_mode", Some("sslmode")),
        );
        check("postgres://h/db?zzz=1", parameter("zzz", None));
        check("sqlite:x.db?cache=shared", parameter("cache", None));
    }

    #[test]
    fn syntax_errors_say_what_is_wrong_without_the_password() {
        let check = |url: &str, part: &str| match parse(url) {
            Err(LocationError::Syntax(reason)) => {
                assert!(reason.contains(part), "{url}: {reason}");
                assert!(!reason.contains("secret"), "{url}: {reason}");
            }
            other => panic!("{url}: {:?}", other.map(|location| location.to_string())),
        };
        check("sqlite:", "no file");
        check("sqlite:x.db?mode=ro", "mode=ro");
        check("postgres:db", "//");
        check("postgres://u:secret/@h/db", "%2F");
        check("postgres://u:12/secret@h/db", "%2F");
        check("postgres://u:secret#1@h/db", "%23");
        check("postgres://u:12?secret@h/db", "%3F");
        check("postgres://u:secret@h:port/db", "port");
        check("postgres://u:secret@[::1/db", "]");
        check("postgres://u:secret@a:1,b:2/db", "several hosts");
    }

    #[test]
    fn a_database_is_never_guessed() {
        for url in [
            "postgres://postgres@h",
            "postgres://u@h/?sslmode=disable",
            "host=h",
        ] {
            let found = parse(url).map(|location| location.database_name());
            // The environment may name one.
            let expected = env::var("PGDATABASE").map_err(|_| LocationError::NoDatabase);
            assert_eq!(found, expected, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(
            noise in "[a-z/#?@:%&=,\\[\\] ]{0,5}",
            place in "(h|h/db|h:1/db|h:x|/db|:1/db|:x|)",
        ) {
            let shown = match parse(&format!("postgres://u:hunter2{noise}hunter2@{place}")) {
                Ok(location) => location.to_string(),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
