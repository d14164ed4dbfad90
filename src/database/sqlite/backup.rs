//! Copies a database file while others may write to it.

use std::{collections::BTreeMap, path::Path, sync::Arc, thread, time::Instant};

use async_trait::async_trait;
use rusqlite::backup::{Backup, StepResult};
use sha2::{Digest as _, Sha256};

use super::{
    super::{
        Access, CopyError, DatabaseError, Detail, Draft, Settings, Use,
        backup::{Contents, CopySize, Dumped, Observer, Phase},
        stream::{self, Digest},
    },
    blocking,
    cancel::Control,
    connect::{Connection, PAUSE, Source as Place},
    handle::Failure,
    permissions,
    value::{Row, Value},
    version_table::{VersionTable, quoted},
};
use crate::{files::Compression, revision::Observed};

/// The number of pages, some megabytes, that are copied between two checks for a request to stop.
const PAGES: i32 = 4_096;

/// See [`crate::database::engine::source`].
pub struct Source {
    place: Place,
    settings: Settings,
    server: String,
}

impl Source {
    /// Checks that the database exists.
    ///
    /// # Errors
    /// Fails when it does not.
    pub async fn open(file: &Path, settings: &Settings) -> Result<Self, CopyError> {
        let place = Place::new(file)?;
        if place == Place::Memory {
            return Err(DatabaseError::InMemory.into());
        }
        place.exists(Access::Existing)?;
        let control = Control::new(settings.connect_timeout);
        let mut connection = Connection::open(&place, false, &control).await?;
        let version = connection.query("SELECT 'SQLite ' || sqlite_version()", &[])?;
        connection.close().await?;
        Ok(Self {
            place,
            server: text(version.first().and_then(|row| row.first())),
            settings: settings.clone(),
        })
    }
}

#[async_trait]
impl super::super::backup::Source for Source {
    fn server(&self) -> String {
        self.server.clone()
    }

    fn extension(&self) -> &'static str {
        "sqlite"
    }

    async fn size(&mut self) -> Result<CopySize, CopyError> {
        let control = Control::new(self.settings.connect_timeout);
        let mut connection = Connection::open(&self.place, false, &control).await?;
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes = connection.integer(sql)?.unwrap_or_default().unsigned_abs();
        connection.close().await?;
        Ok(CopySize {
            file: bytes,
            database: bytes,
        })
    }

    async fn dump(
        &mut self,
        file: &Path,
        compression: Compression,
        watch: &Observer,
    ) -> Result<Dumped, CopyError> {
        let beside = file.parent().unwrap_or(Path::new("/"));
        let scratch = match compression {
            Compression::None => None,
            Compression::Zstd => Some(
                Draft::create(beside, Use::Scratch)
                    .map_err(|error| stream::file_error(beside, &error))?,
            ),
        };
        let copy = scratch.as_ref().map_or(file, Draft::path);
        let properties = match &self.place {
            Place::File(live) => permissions::properties(live),
            Place::Memory => BTreeMap::new(),
        };
        let control = Control::watching(self.settings.connect_timeout, Arc::clone(&watch.stopped));
        let mut live = Connection::open(&self.place, false, &control).await?;
        let copied = copy_whole(&mut live, copy, &control, watch, Phase::Copying).await;
        let closed = live.close().await;
        copied?;
        closed?;
        let (counted, hashed) = self.read(copy, file, compression, &control, watch).await;
        let (contents, observed) = counted?;
        let (stored, plain) = hashed?;
        Ok(Dumped {
            contents,
            observed,
            mark: Some(plain.sha256.clone()),
            stored,
            plain,
            properties,
            cluster: None,
        })
    }
}

type Counted = Result<(Contents, Observed), DatabaseError>;
type Packed = Result<(Digest, Digest), CopyError>;

impl Source {
    /// Counts the contents of the copy while it is hashed or compressed.
    async fn read(
        &self,
        copy: &Path,
        file: &Path,
        compression: Compression,
        control: &Arc<Control>,
        watch: &Observer,
    ) -> (Counted, Packed) {
        let opened = Connection::open_copy(copy, control).await;
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(error) => return (Err(error.clone()), Err(error.into())),
        };
        let both = blocking(|| {
            thread::scope(|scope| {
                let packed = scope.spawn(|| pack(copy, file, compression, watch));
                let counted = contents(&mut connection).and_then(|contents| {
                    let table = VersionTable::new(&self.settings.version_table)?;
                    Ok((contents, table.observe(&mut connection, Detail::Brief)?))
                });
                let packed = packed.join().unwrap_or_else(|_| {
                    let reason = "a thread of the backup died".to_owned();
                    Err(DatabaseError::Other(reason).into())
                });
                (counted, packed)
            })
        });
        // The connection only read.
        let _ = connection.close().await;
        both
    }
}

/// Compresses `copy` into `file`, or hashes it if both are the same file.
fn pack(copy: &Path, file: &Path, compression: Compression, watch: &Observer) -> Packed {
    if compression == Compression::None {
        let digest = stream::digest(copy, watch, Phase::Counting)?;
        return Ok((digest.clone(), digest));
    }
    let from = stream::open(copy)?;
    let total = from.metadata().map_or(0, |found| found.len());
    let to = std::fs::File::options().write(true).open(file);
    let to = to.map_err(|error| stream::file_error(file, &error))?;
    let seen = |done| watch.at(Phase::Compressing, done, total);
    stream::pack(from, to, compression, seen).map_err(|broken| stream::explain(broken, copy, file))
}

/// Copies the database of `live` into the existing, empty file `to`.
///
/// A read transaction keeps the snapshot from the first page to the last; otherwise every write of
/// others would restart the copy. In WAL mode it blocks nobody. With a rollback journal, writers
/// must wait with their commit until it ends.
pub(super) async fn copy_whole(
    live: &mut Connection,
    to: &Path,
    control: &Arc<Control>,
    watch: &Observer,
    phase: Phase,
) -> Result<(), DatabaseError> {
    let place = Place::File(to.to_owned());
    let mut copy = Connection::open(&place, false, control).await?;
    let copied = blocking(|| {
        // An interrupted copy is discarded, so it needs no journal, and it is synced only once, at
        // the end.
        copy.query("PRAGMA main.journal_mode = OFF", &[])?;
        copy.query("PRAGMA main.synchronous = OFF", &[])?;
        live.begin_snapshot()?;
        let result = copy_pages(live, &mut copy, watch, phase);
        live.rollback();
        result
    });
    let closed = copy.close().await;
    copied.and(closed)
}

fn copy_pages(
    from: &mut Connection,
    to: &mut Connection,
    watch: &Observer,
    phase: Phase,
) -> Result<(), DatabaseError> {
    let control = Arc::clone(&from.control);
    let explain = |failure| {
        let place = "the copy";
        super::error::translate(failure, place, control.patience())
    };
    let copy = from.handle.copy_over(&mut to.handle).map_err(explain)?;
    run_steps(&copy, &control, watch, phase, explain)
}

/// Copies in steps until all pages are copied and committed.
pub(super) fn run_steps(
    copy: &Backup<'_, '_>,
    control: &Control,
    watch: &Observer,
    phase: Phase,
    explain: impl Fn(Failure) -> DatabaseError,
) -> Result<(), DatabaseError> {
    let mut busy_since = None;
    loop {
        let stepped = copy.step(PAGES);
        match stepped.map_err(|error| explain(error.into()))? {
            StepResult::Done => return Ok(()),
            StepResult::More => {
                busy_since = None;
                let progress = copy.progress();
                let total = u64::try_from(progress.pagecount).unwrap_or_default();
                let left = u64::try_from(progress.remaining).unwrap_or_default();
                watch.at(phase, total.saturating_sub(left), total)?;
            }
            // Busy or locked: another connection has locked one of the two databases.
            _ => {
                let waited = busy_since.get_or_insert_with(Instant::now).elapsed();
                if waited >= control.patience() {
                    let reason = "the database is locked".to_owned();
                    return Err(DatabaseError::Busy { waited, reason });
                }
                watch.at(phase, 0, 0)?;
                thread::sleep(PAUSE);
            }
        }
    }
}

/// The row counts of all tables, and the fingerprint of the schema.
pub(super) fn contents(connection: &mut Connection) -> Result<Contents, DatabaseError> {
    // A key or an index may need a collation of the application.
    connection.stand_in_collations()?;
    let names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 \
                 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let mut tables = BTreeMap::new();
    for row in connection.query(names, &[])? {
        let name = text(row.first());
        let counting = format!("SELECT count(*) FROM main.{}", quoted(&name));
        // A function of the application may be missing as well.
        let rows = match connection.integer(&counting) {
            Err(DatabaseError::Sql(_)) => connection.integer(&format!("{counting} NOT INDEXED")),
            counted => counted,
        }?;
        tables.insert(name, rows.unwrap_or_default().unsigned_abs());
    }
    Ok(Contents {
        unchecked: None,
        tables,
        schema: fingerprint(connection)?,
    })
}

fn fingerprint(connection: &mut Connection) -> Result<String, DatabaseError> {
    let sql = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY type, name, sql";
    let mut hash = Sha256::new();
    for row in connection.query(sql, &[])? {
        for value in &row {
            hash.update(text(Some(value)));
            hash.update([0]);
        }
    }
    let version = connection.integer("PRAGMA main.user_version")?;
    hash.update(version.unwrap_or_default().to_string());
    Ok(format!("{:x}", hash.finalize()))
}

/// Checks every page, row and index of a database. Returns the reason why indexes could not be
/// checked, such as a function or collation of the application.
///
/// # Errors
/// [`CopyError::Damaged`] with the damage.
pub(super) fn check(connection: &mut Connection) -> Result<Option<String>, CopyError> {
    let mut unchecked = None;
    let found = match connection.query("PRAGMA main.integrity_check(10)", &[]) {
        Err(DatabaseError::Sql(failure)) => {
            unchecked = Some(failure.message);
            connection.stand_in_collations()?;
            connection.query("PRAGMA main.quick_check(10)", &[])
        }
        found => found,
    };
    let found = found.map_err(|error| match error {
        DatabaseError::Sql(failure) => CopyError::Damaged {
            reason: failure.message,
        },
        other => other.into(),
    })?;
    let lines: Vec<String> = found.iter().map(|row: &Row| text(row.first())).collect();
    if lines == ["ok"] {
        return Ok(unchecked);
    }
    Err(CopyError::Damaged {
        reason: lines.join("; "),
    })
}

/// The hash of the copy that [`copy_whole`] creates of a database.
pub(super) fn digest_of(copy: &Path, watch: &Observer) -> Result<String, CopyError> {
    Ok(stream::digest(copy, watch, Phase::Keeping)?.sha256)
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Other(what)) => (*what).to_owned(),
        Some(Value::Null) | None => String::new(),
    }
}
