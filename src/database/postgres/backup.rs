//! Copies a database with pg_dump, in a snapshot that this session exports and in which it counts
//! rows.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, Row};

use super::{
    super::{
        CopyError, DatabaseError, Detail, Settings,
        backup::{Contents, CopySize, Dumped, Observer, Phase},
        stream::{self, Digest},
    },
    connect,
    contents::contents,
    lookup,
    message::rows,
    options::ServerOptions,
    owners,
    programs::{self, Input, Output, Program},
    url,
    version_table::{Trouble, VersionTable},
};
use crate::{files::Compression, revision::Observed};

pub(super) use super::properties::{failed, optional, properties, text};

/// The interval at which a request to stop is checked.
const NAP: Duration = Duration::from_millis(50);

/// See [`crate::database::engine::source`].
pub struct Source {
    options: ServerOptions,
    settings: Settings,
    place: String,
    program: Program,
    server: String,
    /// Whether the file is not compressed by pg_dump either.
    hurries: bool,
}

impl Source {
    /// Connects, and finds a pg_dump that supports the server's version.
    ///
    /// # Errors
    /// Fails when either is not possible.
    pub async fn open(options: &ServerOptions, settings: &Settings) -> Result<Self, CopyError> {
        let place = url::place(options);
        let options = connect::prepared(options, settings);
        let mut connection = session(&options, settings, &place).await?;
        let version = rows(&mut connection, "SHOW server_version").await;
        let version = version.map_err(|error| failed(&error))?;
        let major = connection.server_version_num().unwrap_or_default() / 10_000;
        let program = programs::find("pg_dump", major)?;
        // Each copy opens its own connection.
        let _ = connection.close().await;
        let number: String = version
            .first()
            .map_or(Ok(String::new()), |row| row.try_get(0))
            .map_err(|error| failed(&error))?;
        let number = number.split(' ').next().unwrap_or_default();
        Ok(Self {
            options,
            settings: settings.clone(),
            place,
            server: format!("PostgreSQL {number}"),
            program,
            hurries: false,
        })
    }
}

#[async_trait]
impl super::super::backup::Source for Source {
    fn server(&self) -> String {
        self.server.clone()
    }

    fn extension(&self) -> &'static str {
        "dump"
    }

    async fn size(&mut self) -> Result<CopySize, CopyError> {
        let mut connection = session(&self.options, &self.settings, &self.place).await?;
        let file = size(&mut connection).await?;
        let sql = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())::text";
        let database = rows(&mut connection, sql).await.map_err(|e| failed(&e))?;
        let _ = connection.close().await;
        let database = optional(database.first(), 0)?;
        let database = database.and_then(|it| it.parse().ok()).unwrap_or(file);
        Ok(CopySize { file, database })
    }

    fn hurry(&mut self) {
        self.hurries = true;
    }

    async fn dump(
        &mut self,
        file: &Path,
        compression: Compression,
        watch: &Observer,
    ) -> Result<Dumped, CopyError> {
        let mut connection = session(&self.options, &self.settings, &self.place).await?;
        let mut table = lookup::resolve(&mut connection, &self.settings.version_table).await?;
        let (snapshot, encoding) = begin(&mut connection).await?;
        let expected = size(&mut connection).await?;
        // If one fails, it ends the other.
        let broken = Arc::new(AtomicBool::new(false));
        let watch = either(watch, &broken);
        let dumping = Dumping {
            program: self.program.clone(),
            options: self.options.clone(),
            snapshot,
            encoding,
            file: file.to_owned(),
            compression,
            hurries: self.hurries,
            watch: watch.clone(),
            expected,
        };
        // Both use the same snapshot, which this session keeps until both are done.
        let looking = async {
            let looking = look(&mut connection, &mut table);
            let seen = unless_stopped(looking, &watch).await;
            broken.fetch_or(seen.is_err(), Ordering::SeqCst);
            seen
        };
        let dumping = async {
            let dumped = tokio::task::spawn_blocking(move || dumping.run()).await;
            let dumped = dumped.unwrap_or_else(|error| {
                let reason = format!("the backup's thread: {error}");
                Err(DatabaseError::Other(reason).into())
            });
            broken.fetch_or(dumped.is_err(), Ordering::SeqCst);
            dumped
        };
        let (seen, dumped) = tokio::join!(looking, dumping);
        let (seen, (stored, plain)) = match (seen, dumped) {
            (Ok(seen), Ok(dumped)) => (seen, dumped),
            (Err(DatabaseError::Interrupted) | Ok(_), Err(error)) => return Err(error),
            (Err(error), _) => return Err(error.into()),
        };
        let Seen {
            contents,
            observed,
            mark,
            mut properties,
            cluster,
        } = seen;
        properties.insert("client".to_owned(), self.program.major.to_string());
        let _ = connection.close().await;
        Ok(Dumped {
            contents,
            observed,
            stored,
            plain,
            mark,
            properties,
            cluster,
        })
    }
}

/// An observer that also stops when `broken` is set.
fn either(watch: &Observer, broken: &Arc<AtomicBool>) -> Observer {
    let (stopped, broken) = (Arc::clone(&watch.stopped), Arc::clone(broken));
    Observer {
        progress: Arc::clone(&watch.progress),
        tell: Arc::clone(&watch.tell),
        stopped: Arc::new(move || stopped() || broken.load(Ordering::SeqCst)),
    }
}

/// The result of `asking`, unless a stop is requested before. The session must not be used after
/// that.
pub(super) async fn unless_stopped<T>(
    asking: impl Future<Output = Result<T, DatabaseError>>,
    watch: &Observer,
) -> Result<T, DatabaseError> {
    let stopped = async {
        while !(watch.stopped)() {
            tokio::time::sleep(NAP).await;
        }
    };
    tokio::select! {
        answer = asking => answer,
        () = stopped => Err(DatabaseError::Interrupted),
    }
}

/// Opens a session for long work.
pub(super) async fn session(
    options: &ServerOptions,
    settings: &Settings,
    place: &str,
) -> Result<PgConnection, DatabaseError> {
    let patient = [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ]
    .map(|name| (name, "0".to_owned()));
    let timeout = settings.connect_timeout;
    let (connection, _) = connect::open(options, &patient, timeout, place).await?;
    Ok(connection)
}

/// Begins a transaction with one snapshot. Returns the exported snapshot and the database's
/// encoding.
async fn begin(connection: &mut PgConnection) -> Result<(String, String), DatabaseError> {
    let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path TO ''; \
               SET LOCAL row_security TO off; SELECT pg_catalog.pg_export_snapshot(), \
               pg_catalog.current_setting('server_encoding')";
    let found = rows(connection, sql).await.map_err(|e| failed(&e))?;
    Ok((text(found.first(), 0)?, text(found.first(), 1)?))
}

/// The size of all tables in bytes, from the server's statistics. Reading the exact size would
/// require a lock on each.
async fn size(connection: &mut PgConnection) -> Result<u64, DatabaseError> {
    let sql = "SELECT (pg_catalog.sum(c.relpages::bigint) \
               * pg_catalog.current_setting('block_size')::bigint)::bigint::text \
               FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'm', 't') \
               AND c.relpages > 0 AND c.oid >= 16384";
    let found = rows(connection, sql).await.map_err(|e| failed(&e))?;
    Ok(optional(found.first(), 0)?
        .and_then(|size| size.parse().ok())
        .unwrap_or_default())
}

/// See [`crate::database::engine::storage`]. Only some roles may see it.
pub(in crate::database) async fn storage(
    options: &ServerOptions,
    settings: &Settings,
) -> Option<PathBuf> {
    if !url::is_local(options) {
        return None;
    }
    let place = url::place(options);
    let options = connect::prepared(options, settings);
    let mut connection = session(&options, settings, &place).await.ok()?;
    let found = rows(&mut connection, "SHOW data_directory").await;
    let _ = connection.close().await;
    let path = PathBuf::from(optional(found.ok()?.first(), 0).ok()??);
    path.is_absolute().then_some(path)
}

struct Dumping {
    program: Program,
    options: ServerOptions,
    snapshot: String,
    /// The encoding of the database. With another one, such as the role's client_encoding or UTF8
    /// for a SQL_ASCII database, characters could fail or be lost.
    encoding: String,
    file: PathBuf,
    compression: Compression,
    hurries: bool,
    watch: Observer,
    /// The size of the tables in bytes, which only approximates the size of the copy.
    expected: u64,
}

impl Dumping {
    fn run(self) -> Result<(Digest, Digest), CopyError> {
        let mut arguments = vec![
            "--format=custom".to_owned(),
            "--no-password".to_owned(),
            format!("--snapshot={}", self.snapshot),
            format!("--encoding={}", self.encoding),
        ];
        match self.compression {
            Compression::None => {
                // pg_dump writes the file itself: only then it stores the offset of each table's
                // data, which allows a parallel restore.
                arguments.push(format!("--file={}", self.file.display()));
                if self.hurries {
                    arguments.push("--compress=0".to_owned());
                }
                let look = || {
                    let written = self.file.metadata().map_or(0, |found| found.len());
                    self.watch.at(Phase::Copying, written, 0)
                };
                let (input, output) = (Input::Nothing, Output::Nothing);
                programs::run(
                    &self.program,
                    &self.options,
                    &arguments,
                    input,
                    output,
                    look,
                )?;
                let digest = stream::digest(&self.file, &self.watch, Phase::Counting)?;
                Ok((digest.clone(), digest))
            }
            Compression::Zstd => {
                arguments.push("--compress=0".to_owned());
                self.pipe(&arguments)
            }
        }
    }

    fn pipe(&self, arguments: &[String]) -> Result<(Digest, Digest), CopyError> {
        let mut packed = None;
        let to = std::fs::File::options().write(true).open(&self.file);
        let to = to.map_err(|error| stream::file_error(&self.file, &error))?;
        let seen = |done| self.watch.at(Phase::Copying, done, self.expected.max(done));
        let drain = |stdout| {
            let piped = stream::pack(stdout, to, Compression::Zstd, seen);
            packed = Some(piped.map_err(|broken| stream::explain(broken, &self.file, &self.file))?);
            Ok(())
        };
        let output = Output::To(Box::new(drain));
        let look = || match (self.watch.stopped)() {
            true => Err(DatabaseError::Interrupted),
            false => Ok(()),
        };
        programs::run(
            &self.program,
            &self.options,
            arguments,
            Input::Nothing,
            output,
            look,
        )?;
        let nothing = || DatabaseError::Other("pg_dump printed nothing".to_owned()).into();
        packed.ok_or_else(nothing)
    }
}

struct Seen {
    contents: Contents,
    observed: Observed,
    mark: Option<String>,
    properties: BTreeMap<String, String>,
    cluster: Option<String>,
}

/// Reads the contents of the snapshot.
async fn look(
    connection: &mut PgConnection,
    table: &mut VersionTable,
) -> Result<Seen, DatabaseError> {
    let mark = mark(connection).await?;
    let mut properties = properties(connection).await?;
    properties.insert(owners::PROPERTY.to_owned(), owners::all(connection).await?);
    let cluster = cluster(connection).await?;
    let observed = table.observe(connection, Detail::Brief).await;
    let observed = observed.map_err(|trouble| match trouble {
        Trouble::Theirs(error) => failed(&error),
        Trouble::Ours(error) => error,
    })?;
    let contents = contents(connection).await?;
    Ok(Seen {
        contents,
        observed,
        mark,
        properties,
        cluster,
    })
}

/// The server's system identifier, which only copies of its files share. `None` if the role may not
/// see it.
async fn cluster(connection: &mut PgConnection) -> Result<Option<String>, DatabaseError> {
    let allowed = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute')::text";
    let found = rows(connection, allowed).await.map_err(|e| failed(&e))?;
    if text(found.first(), 0)? != "true" {
        return Ok(None);
    }
    let sql = "SELECT s.system_identifier::text FROM pg_catalog.pg_control_system() AS s";
    let found = rows(connection, sql).await.map_err(|e| failed(&e))?;
    optional(found.first(), 0)
}

/// A mark that changes as soon as anything is written on the server: the number of the next
/// transaction and the system identifier. `None` while others write, or if the server does not
/// provide it.
pub(super) async fn mark(connection: &mut PgConnection) -> Result<Option<String>, DatabaseError> {
    let sql = "SELECT pg_catalog.concat(s.system_identifier, ' ', c.timeline_id, ' ', d.oid, ' ', x.xmax) \
               FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c, \
               pg_catalog.pg_database AS d, \
               (SELECT pg_catalog.txid_snapshot_xmin(t) AS xmin, pg_catalog.txid_snapshot_xmax(t) AS xmax \
                FROM pg_catalog.txid_current_snapshot() AS t) AS x \
               WHERE d.datname = pg_catalog.current_database() AND x.xmin = x.xmax";
    let allowed = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') \
                   AND pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'execute')";
    let found = rows(connection, allowed).await.map_err(|e| failed(&e))?;
    let may = found
        .first()
        .map_or(Ok(false), |row| row.try_get::<bool, _>(0));
    if !may.map_err(|e| failed(&e))? {
        return Ok(None);
    }
    let found = rows(connection, sql).await.map_err(|e| failed(&e))?;
    optional(found.first(), 0)
}
