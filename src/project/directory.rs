//! Reads the directory of scripts: all of it, and every problem at once.

use std::{
    fs::{self, DirEntry},
    io,
    num::NonZero,
    panic::resume_unwind,
    path::Path,
    thread,
};

use super::scripts::{DirectoryProblem, Kind, Look, Scan, look, problem, sorted};
use crate::{
    revision::{History, ScriptPair},
    sql::Dialect,
};

/// There while files are exchanged, and after an exchange that was not finished. The directory is
/// not read then.
pub(super) const JOURNAL: &str = ".migrator-rebase.json";

/// Reads all scripts of `dir`, which is shown as `shown`, by id.
///
/// # Errors
/// Every problem found, by file.
pub fn read(
    dir: &Path,
    shown: &str,
    dialect: Dialect,
) -> Result<Vec<ScriptPair>, Vec<DirectoryProblem>> {
    let scan = scan(dir, shown, dialect);
    if scan.problems.is_empty() {
        Ok(scan.pairs)
    } else {
        Err(sorted(scan.problems))
    }
}

/// Reads all scripts of `dir` and builds their history.
///
/// # Errors
/// Every problem found, by file. When some files can't be read, the history of the
/// others is still looked at, and what is certainly wrong with it is reported too.
pub fn read_history(
    dir: &Path,
    shown: &str,
    dialect: Dialect,
) -> Result<History, Vec<DirectoryProblem>> {
    scan(dir, shown, dialect).history()
}

fn scan(dir: &Path, shown: &str, dialect: Dialect) -> Scan {
    match list(dir) {
        Err(error) => {
            let problem = problem(shown.to_owned(), directory_kind(dir, &error));
            Scan::of([(None, vec![problem])])
        }
        Ok(mut entries) => {
            // The order of a directory is anyone's; that of the report is not.
            entries.sort_by_cached_key(DirEntry::file_name);
            let looks = look_at_all(&entries, shown, dialect);
            // Afterwards as well: an exchange may have begun while files were read. Whatever was
            // seen then is of a history that is neither the old nor the new one.
            if entries.iter().any(|entry| entry.file_name() == JOURNAL)
                || dir.join(JOURNAL).exists()
            {
                let problem = problem(shown.to_owned(), Kind::UnfinishedRebase);
                return Scan::of([(None, vec![problem])]);
            }
            Scan::of(looks)
        }
    }
}

fn list(dir: &Path) -> io::Result<Vec<DirEntry>> {
    fs::read_dir(dir)?.collect()
}

fn directory_kind(dir: &Path, error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::NotFound => Kind::MissingDirectory,
        io::ErrorKind::NotADirectory => Kind::NotADirectory,
        _ if dir.is_file() => Kind::NotADirectory,
        _ => Kind::Unreadable {
            reason: error.to_string(),
        },
    }
}

/// Entries that are worth a thread.
const SHARE: usize = 200;

/// [`look_at`] every entry, in order; large directories with the help of other processors.
fn look_at_all(entries: &[DirEntry], shown: &str, dialect: Dialect) -> Vec<Look> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let shares = processors.min(entries.len() / SHARE).max(1);
    let look = |share: &[DirEntry]| {
        let looks = share.iter().map(|entry| look_at(entry, shown, dialect));
        looks.collect::<Vec<_>>()
    };
    let mut parts = entries.chunks(entries.len().div_ceil(shares).max(1));
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || look(part))).collect();
        let mut all = look(first);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    })
}

fn look_at(entry: &DirEntry, shown: &str, dialect: Dialect) -> Look {
    let name = entry.file_name();
    let lossy = name.to_string_lossy();
    let file = match shown.trim_end_matches('/') {
        "" | "." => lossy.to_string(),
        directory => format!("{directory}/{lossy}"),
    };
    look(&name, file, dialect, || read_file(entry))
}

fn read_file(entry: &DirEntry) -> Result<Vec<u8>, Kind> {
    let unreadable = |error: io::Error| Kind::Unreadable {
        reason: error.to_string(),
    };
    let path = entry.path();
    let mut file_type = entry.file_type().map_err(unreadable)?;
    if file_type.is_symlink() {
        file_type = match fs::metadata(&path) {
            Ok(target) => target.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Kind::DanglingLink);
            }
            Err(error) => return Err(unreadable(error)),
        };
    }
    // Reading a pipe would wait for ever.
    if !file_type.is_file() {
        return Err(Kind::NotAFile);
    }
    fs::read(&path).map_err(unreadable)
}
