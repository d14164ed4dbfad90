//! The journal: what became of each target in the last runs. It serves `--failed` alone; what is applied
//! is told by each database.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::FleetError;
use crate::{
    files,
    fleet::{Outcome, Target, TargetLine},
    project::JOURNALS,
};

/// A journal that is written.
pub(super) struct Journal {
    /// The file; `None` after a write has failed.
    file: Mutex<Result<fs::File, io::Error>>,
}

impl Journal {
    /// Begins a journal in the place of the last one. Targets that had failed are kept until they are run
    /// again, also by runs that are killed.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub fn begin(path: &Path, command: &str) -> Result<Self, FleetError> {
        let failed = |error| FleetError::Journal {
            path: path.to_owned(),
            error,
        };
        let kept = match read(path) {
            Ok(lines) => lines,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(failed(error)),
        };
        let file = start(path, command, &kept).map_err(failed)?;
        Ok(Self {
            file: Mutex::new(Ok(file)),
        })
    }

    /// Adds a target. Each line is a single write.
    pub fn add(&self, target: &Target, line: &TargetLine) {
        let reason = line.reason.as_ref();
        let entry = json!({
            "name": target.name,
            "group": target.group,
            "from": line.from,
            "to": line.to,
            "ms": millis(line),
            "outcome": line.outcome.as_str(),
            "code": reason.map(|it| it.code),
            "place": reason.and_then(|it| it.place.as_deref()),
            "message": reason.map(|it| it.message.as_str()),
        });
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(open) = file.as_mut()
            && let Err(error) = open.write_all(format!("{entry}\n").as_bytes())
        {
            *file = Err(error);
        }
    }

    /// The error that has kept lines from being written, if one has.
    pub fn finish(self) -> Option<io::Error> {
        self.file
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .err()
    }
}

/// The duration of a target in milliseconds, with microseconds.
pub fn millis(line: &TargetLine) -> f64 {
    (line.elapsed.as_secs_f64() * 1e6).round() / 1e3
}

/// Writes the beginning beside the file and renames it.
fn start(path: &Path, command: &str, kept: &BTreeMap<String, Value>) -> io::Result<fs::File> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    // One of a killed process with the same number.
    let _ = fs::remove_file(&draft);
    let mut file = files::create_private(&draft)?;
    let head = json!({
        "command": command,
        "at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "tool_version": env!("CARGO_PKG_VERSION"),
    });
    let failed = kept.values().filter(|line| is_failed(line));
    let lines = std::iter::once(&head).chain(failed);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    file.write_all(text.as_bytes())?;
    fs::rename(&draft, path)?;
    Ok(file)
}

/// Makes the default directory with a file that keeps git from it. Others are not made.
fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() || directory.file_name().is_none_or(|name| name != JOURNALS) {
        return Ok(());
    }
    fs::create_dir(directory)?;
    let mut ignore = files::create_private(&directory.join(".gitignore"))?;
    ignore.write_all(b"*\n")
}

/// The last line of each target. A line that a killed process has not finished is none.
fn read(path: &Path) -> io::Result<BTreeMap<String, Value>> {
    let bytes = files::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
    let named = lines.filter_map(|line| {
        let name = line.get("name")?.as_str()?.to_owned();
        Some((name, Value::Object(line)))
    });
    Ok(named.collect())
}

fn is_failed(line: &Value) -> bool {
    line["outcome"] == Outcome::Failed.as_str()
}

/// The names of targets that have failed when they were last run.
///
/// # Errors
/// Fails when there is no journal or it cannot be read.
pub(super) fn failed(path: &Path) -> Result<HashSet<String>, FleetError> {
    match read(path) {
        Ok(lines) => {
            let failed = lines.into_iter().filter(|(_, line)| is_failed(line));
            Ok(failed.map(|(name, _)| name).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(FleetError::NoJournal(path.to_owned()))
        }
        Err(error) => Err(FleetError::Journal {
            path: path.to_owned(),
            error,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Reason;

    fn line(outcome: Outcome) -> TargetLine {
        TargetLine {
            outcome,
            reason: (outcome == Outcome::Failed).then(|| Reason {
                code: "M701",
                place: None,
                message: "it failed".to_owned(),
            }),
            ..TargetLine::not_started(0)
        }
    }

    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<_> = failed(path).unwrap().into_iter().collect();
        names.sort();
        names
    }

    #[test]
    fn failed_targets_are_kept_until_they_are_run_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(JOURNALS).join("fleet-x.ndjson");
        assert!(matches!(failed(&path), Err(FleetError::NoJournal(_))));
        let (a, b, hostile) = (
            Target::named("a"),
            Target::named("b"),
            Target::named("\"}\\"),
        );
        let journal = Journal::begin(&path, "upgrade").unwrap();
        for target in [&a, &b, &hostile] {
            journal.add(target, &line(Outcome::Failed));
        }
        assert!(journal.finish().is_none());
        assert_eq!(names(&path), ["\"}\\", "a", "b"]);
        // A run that is killed after its first target.
        let journal = Journal::begin(&path, "upgrade").unwrap();
        journal.add(&a, &line(Outcome::Done));
        drop(journal);
        assert_eq!(names(&path), ["\"}\\", "b"]);
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"name\":\"c\",\"outc")
            .unwrap();
        assert_eq!(names(&path), ["\"}\\", "b"]);
        let ignored = path.with_file_name(".gitignore");
        assert_eq!(fs::metadata(ignored).unwrap().len(), 2);
    }
}
