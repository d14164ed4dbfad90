use std::cell::Cell;

use super::*;
use crate::{
    project::{DirectoryProblemKind, Reading, read_history},
    sql::Dialect,
};

/// The effect of the step that breaks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The process is killed: nothing more is done.
    Killed,
    /// The process is killed directly after the step.
    KilledAfter,
    /// The system refuses this one step.
    Refused,
}

/// A directory that breaks at one of the steps that change it.
struct Breaking<'a> {
    inner: Directory<'a>,
    fault: Fault,
    at: usize,
    steps: Cell<usize>,
    dead: Cell<bool>,
}

impl<'a> Breaking<'a> {
    fn new(dir: &'a Path, fault: Fault, at: usize) -> Self {
        Self {
            inner: Directory(dir),
            fault,
            at,
            steps: Cell::new(0),
            dead: Cell::new(false),
        }
    }

    fn alive(&self) -> io::Result<()> {
        if self.dead.get() {
            return Err(io::Error::other("killed"));
        }
        Ok(())
    }

    fn step(&self, act: impl Fn() -> io::Result<()>, half: impl Fn()) -> io::Result<()> {
        self.alive()?;
        let step = self.steps.replace(self.steps.get() + 1);
        if step != self.at {
            return act();
        }
        match self.fault {
            Fault::Killed => half(),
            Fault::KilledAfter => act()?,
            Fault::Refused => return Err(io::Error::other("refused")),
        }
        self.dead.set(true);
        Err(io::Error::other("killed"))
    }
}

impl Disk for Breaking<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.inner.path(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.alive()?;
        self.inner.names()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.alive()?;
        self.inner.read(name)
    }

    fn write(&self, name: &str, bytes: &[u8], like: Option<&str>) -> io::Result<()> {
        let half = || fs::write(self.path(name), &bytes[..bytes.len() / 2]).unwrap();
        self.step(|| self.inner.write(name, bytes, like), half)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(|| self.inner.rename(from, to), || {})
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step(|| self.inner.remove(name), || {})
    }

    fn sync(&self) -> io::Result<()> {
        self.step(|| self.inner.sync(), || {})
    }
}

const ONE: &str = "-- migrator: revises = base\n";
const OLD: &[(&str, &str)] = &[
    ("1_a.up.sql", ONE),
    ("2_b.up.sql", "-- migrator: revises = 1\n"),
    ("2_b.down.sql", "DROP b;\n"),
    ("3_c.up.sql", "-- migrator: revises = 2\n"),
    (
        "4_d.up.sql",
        "-- migrator: revises = 1\n-- migrator: depends-on = 2\n",
    ),
    GONE,
];
/// A script that is removed, without a new name.
const GONE: (&str, &str) = ("5_e.up.sql", "-- migrator: revises = 1\n");
/// A script that is new.
const MADE: (&str, &str) = ("6_f.up.sql", "-- migrator: revises = 1\n");
const NEW: &[(&str, &str)] = &[
    ("1_a.up.sql", ONE),
    ("20_b.up.sql", "-- migrator: revises = 1\n"),
    ("20_b.down.sql", "DROP b;\n"),
    ("30_c.up.sql", "-- migrator: revises = 20\n"),
    (
        "4_d.up.sql",
        "-- migrator: revises = 1\n-- migrator: depends-on = 20\n",
    ),
    MADE,
];

fn exchanges() -> Vec<Exchange<'static>> {
    let pairs = OLD.iter().zip(NEW).filter(|(old, new)| old != new);
    let exchange =
        |(old, new): (&(&'static str, &'static str), &(&'static str, &'static str))| Exchange {
            from: Some(*old),
            to: new.0,
            after: Some(new.1),
        };
    let gone = Exchange {
        from: Some(GONE),
        to: GONE.0,
        after: None,
    };
    let made = Exchange {
        from: None,
        to: MADE.0,
        after: Some(MADE.1),
    };
    pairs.map(exchange).chain([gone, made]).collect()
}

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in OLD {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Returns every file that is not hidden, with its text.
fn contents(dir: &Path) -> Vec<(String, String)> {
    let names = Directory(dir).names().unwrap().into_iter();
    let mut files: Vec<_> = names
        .filter(|name| !name.starts_with('.'))
        .map(|name| (name.clone(), fs::read_to_string(dir.join(&name)).unwrap()))
        .collect();
    files.sort();
    files
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut files: Vec<_> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    files.sort();
    files
}

/// The result of a reading command: a complete history, or an unfinished exchange.
#[derive(Debug, PartialEq)]
enum Seen {
    Old,
    New,
    Unfinished,
}

fn seen(dir: &Path) -> Seen {
    match read_history(dir, "m", &Reading::new(Dialect::Sqlite)) {
        Ok(_) if contents(dir) == owned(OLD) => Seen::Old,
        Ok(_) if contents(dir) == owned(NEW) => Seen::New,
        Ok(_) => panic!("a mixture is read: {:?}", contents(dir)),
        Err(problems) => {
            let kinds: Vec<_> = problems.into_iter().map(|problem| problem.kind).collect();
            assert_eq!(kinds, [DirectoryProblemKind::UnfinishedRebase]);
            Seen::Unfinished
        }
    }
}

fn hidden(dir: &Path) -> usize {
    let names = Directory(dir).names().unwrap().into_iter();
    names.filter(|name| name.starts_with('.')).count()
}

#[test]
fn files_are_exchanged() {
    let dir = directory();
    exchange(dir.path(), &exchanges()).unwrap();
    assert_eq!(seen(dir.path()), Seen::New);
    assert_eq!(hidden(dir.path()), 0);
    assert_eq!(recover(dir.path()).unwrap(), None);
}

/// Breaks at every step, and then again at every step of each attempt to continue.
#[test]
fn wherever_it_breaks_the_directory_is_old_or_new_or_says_so() {
    let mut states = Vec::new();
    for fault in [Fault::Killed, Fault::KilledAfter, Fault::Refused] {
        for at in 0.. {
            let dir = directory();
            let disk = Breaking::new(dir.path(), fault, at);
            let result = run(&disk, &exchanges());
            if disk.steps.get() <= at {
                result.unwrap();
                assert!(at > 10, "only {at} steps");
                break;
            }
            result.unwrap_err();
            let state = seen(dir.path());
            for again in 0.. {
                let broken = Breaking::new(dir.path(), fault, again);
                let outcome = go_on(&broken);
                assert_ne!(
                    seen(dir.path()) == Seen::Old,
                    state != Seen::Old,
                    "{fault:?} {at}"
                );
                if broken.steps.get() <= again {
                    outcome.unwrap();
                    break;
                }
            }
            let expected = match state {
                Seen::Old => Seen::Old,
                Seen::New | Seen::Unfinished => Seen::New,
            };
            assert_eq!(seen(dir.path()), expected, "{fault:?} at step {at}");
            // The next exchange leaves nothing behind.
            if expected == Seen::Old {
                exchange(dir.path(), &exchanges()).unwrap();
                assert_eq!(seen(dir.path()), Seen::New);
            }
            assert_eq!(hidden(dir.path()), 0, "{fault:?} at step {at}");
            states.push(state);
        }
    }
    for state in [Seen::Old, Seen::New, Seen::Unfinished] {
        assert!(states.contains(&state), "{state:?} never came");
    }
}

/// Creates a directory whose exchange stopped after the journal was written.
fn decided() -> tempfile::TempDir {
    let dir = directory();
    let files = exchanges();
    let staged = files.iter().filter(|file| file.after.is_some());
    let steps = staged.count() + 4;
    run(
        &Breaking::new(dir.path(), Fault::Killed, steps),
        &exchanges(),
    )
    .unwrap_err();
    assert_eq!(seen(dir.path()), Seen::Unfinished);
    assert!(dir.path().join("2_b.up.sql").exists());
    assert!(!dir.path().join("20_b.up.sql").exists());
    dir
}

#[test]
fn what_was_changed_since_is_not_removed() {
    let dir = decided();
    let edited = dir.path().join("3_c.up.sql");
    fs::write(&edited, "-- mine").unwrap();
    let error = recover(dir.path()).unwrap_err();
    assert!(
        matches!(&error, ExchangeError::Changed(path) if *path == edited),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(&edited).unwrap(), "-- mine");
    fs::remove_file(edited).unwrap();
    recover(dir.path()).unwrap().unwrap();
    assert_eq!(seen(dir.path()), Seen::New);
}

#[test]
fn nothing_is_overwritten() {
    let dir = decided();
    let taken = dir.path().join("30_c.up.sql");
    fs::write(&taken, "-- mine").unwrap();
    let error = recover(dir.path()).unwrap_err();
    assert!(
        matches!(&error, ExchangeError::Exists(path) if *path == taken),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(&taken).unwrap(), "-- mine");

    let dir = directory();
    fs::write(dir.path().join("20_b.down.sql"), "-- mine").unwrap();
    let error = exchange(dir.path(), &exchanges()).unwrap_err();
    assert!(matches!(error, ExchangeError::Exists(_)), "{error:?}");
    assert_eq!(hidden(dir.path()), 0);
}

#[test]
fn a_script_edited_since_it_was_read_is_left_alone() {
    let dir = directory();
    fs::write(dir.path().join("2_b.up.sql"), "-- mine").unwrap();
    let error = exchange(dir.path(), &exchanges()).unwrap_err();
    assert!(matches!(error, ExchangeError::Changed(_)), "{error:?}");
    assert_eq!(hidden(dir.path()), 0);
    assert!(!dir.path().join("20_b.up.sql").exists());
}

#[test]
fn a_journal_that_makes_no_sense_is_named() {
    let elsewhere =
        r#"{"version": 1, "files": [{"from": "../x", "to": "x", "staged": "y", "before": ""}]}"#;
    for text in ["", "{}", "{\"version\": 9, \"files\": []}", elsewhere] {
        let dir = directory();
        fs::write(dir.path().join(JOURNAL), text).unwrap();
        let error = recover(dir.path()).unwrap_err();
        assert!(matches!(error, ExchangeError::Journal { .. }), "{error:?}");
        assert_eq!(contents(dir.path()), owned(OLD));
    }
}

#[cfg(unix)]
#[test]
fn one_at_a_time() {
    let dir = decided();
    let held = File::open(dir.path()).unwrap();
    held.try_lock().unwrap();
    for result in [
        exchange(dir.path(), &exchanges()).map(|()| None),
        recover(dir.path()),
    ] {
        assert!(matches!(result, Err(ExchangeError::Busy(_))), "{result:?}");
    }
    drop(held);
    recover(dir.path()).unwrap().unwrap();
}
