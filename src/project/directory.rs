//! Reads the directory of scripts and reports all problems at once.

use std::{
    borrow::Cow,
    ffi::OsString,
    fs::{self, DirEntry, FileType},
    io,
    path::Path,
};

use super::{
    directory_problem::{DirectoryProblem, Kind, problem},
    elsewhere::{Elsewhere, FilesBelow},
    external::{self, Files},
    parallel,
    reading::Reading,
    scripts::{Look, Scan, add_downs, look, take_checksum},
};
use crate::{
    arrange::Arrange as _,
    files::{self, Irregular},
    layout::{Depth, Layout},
    revision::History,
};

/// The journal file: it exists during an exchange of files and after one that was interrupted. The
/// directory is not read while it exists.
pub(super) const JOURNAL: &str = ".migrator-rebase.json";

/// Reads all scripts of `dir`, displayed as `shown`, by ID.
///
/// # Errors
/// Returns every problem found, by file.
#[cfg(test)]
pub fn read(
    dir: &Path,
    shown: &str,
    reading: &Reading,
) -> Result<Vec<crate::revision::ScriptPair>, Vec<DirectoryProblem>> {
    let scan = Scan::of(look_at_directory(dir, shown, reading).0);
    if scan.problems.is_empty() {
        Ok(scan.pairs)
    } else {
        Err(super::directory_problem::sorted(scan.problems))
    }
}

/// The scripts of a directory.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The history of the scripts.
    pub history: History,
    /// Whether there may be subdirectories, so that [`unread_below`] may find files.
    pub may_have_below: bool,
}

/// Reads all scripts of `dir` and builds their history.
///
/// # Errors
/// Returns every problem found, by file. If some files cannot be read, the history of the others is
/// still checked, and its certain problems are reported too.
pub fn read_directory(
    dir: &Path,
    shown: &str,
    reading: &Reading,
) -> Result<Directory, Vec<DirectoryProblem>> {
    let (looks, may_have_below) = look_at_directory(dir, shown, reading);
    Ok(Directory {
        history: Scan::of(looks).history()?,
        may_have_below,
    })
}

/// Like [`read_directory`], but returns only the history.
///
/// # Errors
/// See [`read_directory`].
pub fn read_history(
    dir: &Path,
    shown: &str,
    reading: &Reading,
) -> Result<History, Vec<DirectoryProblem>> {
    read_directory(dir, shown, reading).map(|directory| directory.history)
}

/// Returns the layout of the scripts in `dir`.
///
/// # Errors
/// Returns an error if the directory cannot be read, or if its names match several tools.
pub fn layout_of(dir: &Path, shown: &str, reading: &Reading) -> Result<Layout, DirectoryProblem> {
    let wrong = |kind| problem(shown.to_owned(), kind);
    let entries = list(dir).map_err(|error| wrong(directory_kind(dir, &error)))?;
    let disk = Disk { dir, shown };
    let names = entries.iter().map(Entry::name).collect::<Vec<_>>();
    disk.layout(&names, &entries, reading).map_err(wrong)
}

/// Returns the `.sql` files in subdirectories of `dir` that are not read.
///
/// # Errors
/// Returns an error if the directory cannot be read, or if its names match several tools.
pub fn unread_below(
    dir: &Path,
    shown: &str,
    reading: &Reading,
) -> Result<Option<FilesBelow>, DirectoryProblem> {
    let wrong = |kind| problem(shown.to_owned(), kind);
    let entries = list(dir).map_err(|error| wrong(directory_kind(dir, &error)))?;
    if !entries.iter().any(Entry::may_be_directory) {
        return Ok(None);
    }
    let disk = Disk { dir, shown };
    let names = entries.iter().map(Entry::name).collect::<Vec<_>>();
    let layout = disk.layout(&names, &entries, reading).map_err(wrong)?;
    Ok(disk.files_below(layout, &entries, reading))
}

/// Reads the down scripts of `dir` into a history that was read without them.
///
/// # Errors
/// Returns every problem found, by file.
pub fn read_downs(
    dir: &Path,
    shown: &str,
    reading: &Reading,
    history: History,
) -> Result<History, Vec<DirectoryProblem>> {
    let reading = Reading {
        ups: false,
        downs: true,
        ..reading.clone()
    };
    add_downs(history, look_at_directory(dir, shown, &reading).0)
}

/// Looks at all files. The second value is whether there may be subdirectories.
fn look_at_directory(dir: &Path, shown: &str, reading: &Reading) -> (Vec<Look>, bool) {
    let wrong = |kind| (vec![(None, vec![problem(shown.to_owned(), kind)])], false);
    let mut entries = match list(dir) {
        Ok(entries) => entries,
        Err(error) => return wrong(directory_kind(dir, &error)),
    };
    // Directory order is arbitrary; sorting makes the report deterministic.
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let disk = Disk { dir, shown };
    let looks = match disk.looks(&entries, reading) {
        Ok(looks) => looks,
        Err(kind) => return wrong(kind),
    };
    // Checks again afterwards: an exchange may have begun while files were read. The scripts may
    // then be a mix of the old and the new history.
    let was_there = entries.binary_search_by(|entry| entry.name.as_os_str().cmp(JOURNAL.as_ref()));
    if was_there.is_ok() || dir.join(JOURNAL).exists() {
        return wrong(Kind::UnfinishedRebase);
    }
    (looks, entries.iter().any(Entry::may_be_directory))
}

/// An entry of a directory, with its name, which the system returns as a copy each time.
struct Entry {
    name: OsString,
    found: DirEntry,
}

impl Entry {
    fn name(&self) -> Cow<'_, str> {
        self.name.to_string_lossy()
    }

    /// Returns whether it may be a directory, without accessing the file itself.
    fn may_be_directory(&self) -> bool {
        let kind = self.found.file_type();
        kind.is_ok_and(|kind| kind.is_dir() || kind.is_symlink())
    }

    fn is_directory(&self) -> bool {
        self.found.path().is_dir()
    }
}

fn list(dir: &Path) -> io::Result<Vec<Entry>> {
    let named = |found: DirEntry| Entry {
        name: found.file_name(),
        found,
    };
    fs::read_dir(dir)?.map(|found| found.map(named)).collect()
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

/// A directory on disk.
struct Disk<'a> {
    dir: &'a Path,
    shown: &'a str,
}

impl Disk<'_> {
    fn layout(
        &self,
        names: &[Cow<'_, str>],
        entries: &[Entry],
        reading: &Reading,
    ) -> Result<Layout, Kind> {
        if let Some(layout) = reading.layout {
            return Ok(layout);
        }
        let is_read = |name: &&str| reading.left_out_by(name).next().is_none();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).filter(is_read).collect();
        let found = external::detect(self, &names)?;
        if found != Layout::Native || !reading.recursive {
            return Ok(found);
        }
        let all = self.below(Depth::All, entries);
        let all: Vec<&str> = all.iter().map(String::as_str).filter(is_read).collect();
        external::detect_below(self, &all)
    }

    /// Looks at every file that `leave-out` does not exclude.
    fn looks(&self, entries: &[Entry], reading: &Reading) -> Result<Vec<Look>, Kind> {
        let names: Vec<_> = entries.iter().map(Entry::name).collect();
        let layout = self.layout(&names, entries, reading)?;
        let looks = self.looks_as(layout, entries, reading)?;
        // Only files of another tool yield neither problems nor scripts.
        if looks
            .iter()
            .any(|(found, problems)| found.is_some() || !problems.is_empty())
        {
            return Ok(looks);
        }
        match self.elsewhere(layout, entries, reading) {
            Some(found) => Err(Kind::Elsewhere { found }),
            None => Ok(looks),
        }
    }

    fn looks_as(
        &self,
        layout: Layout,
        entries: &[Entry],
        reading: &Reading,
    ) -> Result<Vec<Look>, Kind> {
        let depth = reading.depth(layout);
        let is_flat = layout == Layout::Native && depth == Depth::Flat;
        if is_flat && reading.leave_out.is_empty() {
            return Ok(self.look_at_all(&entries.iter().collect::<Vec<_>>(), reading));
        }
        let mut paths = self.below(depth, entries);
        self.leave_out(&mut paths, entries, reading)?;
        if is_flat {
            let is_kept = |entry: &&Entry| paths.iter().any(|path| *path == entry.name());
            let kept: Vec<_> = entries.iter().filter(is_kept).collect();
            return Ok(self.look_at_all(&kept, reading));
        }
        if layout == Layout::Native {
            return Ok(external::look_natively(reading, self, &paths));
        }
        let names: Vec<&str> = paths.iter().map(String::as_str).collect();
        Ok(external::look(layout, reading, self, &names))
    }

    /// Returns what exists instead of scripts, if no script was found.
    fn elsewhere(&self, layout: Layout, entries: &[Entry], reading: &Reading) -> Option<Elsewhere> {
        let mut names: Vec<_> = entries.iter().map(Entry::name).collect();
        names.retain(|name| reading.left_out_by(name).next().is_none());
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let below = || self.files_below(layout, entries, reading);
        Elsewhere::of_tool(&names).or_else(|| below().map(Elsewhere::Below))
    }

    /// Returns the `.sql` files in subdirectories that are neither read nor excluded.
    fn files_below(
        &self,
        layout: Layout,
        entries: &[Entry],
        reading: &Reading,
    ) -> Option<FilesBelow> {
        let slashes = match reading.depth(layout) {
            Depth::Flat => 0,
            Depth::One => 1,
            Depth::All => return None,
        };
        let mut files = Vec::new();
        for entry in entries.iter().filter(|entry| entry.may_be_directory()) {
            let name = entry.name();
            if !name.starts_with('.') && entry.is_directory() {
                self.add_below(&name, Depth::All, &mut files);
            }
        }
        files.retain(|path| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let is_unread = path.matches('/').count() > slashes;
            let is_sql = !name.starts_with('.') && name.to_ascii_lowercase().ends_with(".sql");
            is_unread && is_sql && reading.left_out_by(path).next().is_none()
        });
        FilesBelow::of(files)
    }

    /// Returns the names of all files, relative to the directory, down to the depth that is
    /// searched.
    fn below(&self, depth: Depth, entries: &[Entry]) -> Vec<String> {
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.name();
            if depth != Depth::Flat && !name.starts_with('.') && entry.is_directory() {
                self.add_below(&name, depth, &mut names);
            } else {
                names.push(name.into_owned());
            }
        }
        names.arrange();
        names
    }

    /// Adds the names below `directory`. Directories that cannot be listed are reported when they
    /// are read.
    fn add_below(&self, directory: &str, depth: Depth, names: &mut Vec<String>) {
        // A link may lead upwards.
        const DEEPEST: usize = 20;
        let entries = list(&self.dir.join(directory)).unwrap_or_default();
        for entry in &entries {
            let name = format!("{directory}/{}", entry.name());
            let goes_on = depth == Depth::All && name.matches('/').count() < DEEPEST;
            if goes_on && !entry.name().starts_with('.') && entry.is_directory() {
                self.add_below(&name, depth, names);
            } else {
                names.push(name);
            }
        }
    }

    fn leave_out(
        &self,
        names: &mut Vec<String>,
        entries: &[Entry],
        reading: &Reading,
    ) -> Result<(), Kind> {
        let uses = |names: &[String], pattern: &String| {
            let mut patterns = names.iter().flat_map(|name| reading.left_out_by(name));
            patterns.any(|used| used == pattern)
        };
        // Files in subdirectories may be excluded from the warning.
        let mut all = None;
        let mut fits = |pattern: &String| {
            uses(names, pattern)
                || uses(
                    all.get_or_insert_with(|| self.below(Depth::All, entries)),
                    pattern,
                )
        };
        if let Some(pattern) = reading.leave_out.iter().find(|pattern| !fits(pattern)) {
            let pattern = pattern.clone();
            return Err(Kind::NothingLeftOut { pattern });
        }
        names.retain(|name| reading.left_out_by(name).next().is_none());
        Ok(())
    }

    fn look_at_all(&self, entries: &[&Entry], reading: &Reading) -> Vec<Look> {
        parallel::map(entries, |entry| {
            let look = self.look_at(entry, reading);
            take_checksum(look.0.as_ref(), reading);
            look
        })
    }

    fn look_at(&self, entry: &Entry, reading: &Reading) -> Look {
        let file = self.shown(&entry.name());
        let content = || {
            let file_type = entry.found.file_type().map_err(unreadable)?;
            read_file(&entry.found.path(), file_type)
        };
        look(&entry.name, file, reading, content)
    }
}

impl Files for Disk<'_> {
    fn shown(&self, name: &str) -> String {
        match self.shown.trim_end_matches('/') {
            "" | "." => name.to_owned(),
            directory => format!("{directory}/{name}"),
        }
    }

    fn content(&self, name: &str) -> Result<Vec<u8>, Kind> {
        let path = self.dir.join(name);
        let found = path.symlink_metadata().map_err(unreadable)?;
        read_file(&path, found.file_type())
    }

    fn has(&self, name: &str) -> bool {
        self.dir.join(name).is_file()
    }
}

fn read_file(path: &Path, mut file_type: FileType) -> Result<Vec<u8>, Kind> {
    if file_type.is_symlink() {
        file_type = match fs::metadata(path) {
            Ok(target) => target.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Kind::DanglingLink);
            }
            Err(error) => return Err(unreadable(error)),
        };
    }
    if let Some(found) = Irregular::of(file_type) {
        return Err(Kind::NotAFile(found));
    }
    files::read_found(path).map_err(unreadable)
}

fn unreadable(error: io::Error) -> Kind {
    Kind::Unreadable {
        reason: error.to_string(),
    }
}
