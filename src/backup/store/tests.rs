use std::{
    collections::BTreeMap,
    fs::File,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use tempfile::TempDir;

use super::*;
use crate::{
    backup::{Note, Observer},
    database::{
        Location,
        backup::{Contents, Dumped},
        stream::Digest,
    },
    files::Compression,
    revision::Observed,
};

const TEXT: &str = "data";

const LOCK: &str = ".migrator-backups.lock";

fn manifest(database: &str, second: i64) -> Manifest {
    let dumped = Dumped {
        contents: Contents::default(),
        observed: Observed::default(),
        stored: Digest {
            size: TEXT.len() as u64,
            ..Digest::default()
        },
        plain: Digest::default(),
        mark: None,
        properties: BTreeMap::new(),
        cluster: None,
    };
    let time = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
    let location = Location::Sqlite(Path::new("/").join(database));
    let database = (database.to_owned(), &location);
    Manifest::new(time, database, String::new(), Compression::None, dumped)
}

fn watch() -> Observer {
    Observer {
        progress: Arc::new(|_, _, _| {}),
        tell: Arc::new(|_| {}),
        stopped: Arc::new(|| false),
    }
}

/// A process started by another test inherits an open file and its lock until it executes its
/// program.
fn briefly(watch: &Observer) -> Wait<'_> {
    let limit = Duration::from_secs(10);
    Wait { limit, watch }
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(&dir.path().join("deep/backups"));
    store.prepare(briefly(&watch())).unwrap();
    (dir, store)
}

fn publish(store: &Store, manifest: Manifest) -> Backup {
    let draft = store.draft().unwrap();
    draft.file().write_all(TEXT.as_bytes()).unwrap();
    let named = ("app", "sqlite");
    store
        .publish(draft, manifest, named, briefly(&watch()))
        .unwrap()
}

fn add(store: &Store, database: &str, second: i64) -> Backup {
    publish(store, manifest(database, second))
}

/// The names of files that are not hidden.
fn visible(store: &Store) -> Vec<String> {
    let names = store.names().unwrap().into_iter();
    let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}

/// The numbers of the listed backups.
fn listed(store: &Store) -> Vec<u64> {
    let all = store.list().unwrap();
    all.iter().map(|it| it.manifest.number).collect()
}

fn prune(store: &Store, made: &Backup, keep: usize) -> Vec<u64> {
    let before = store.list().unwrap();
    let pruned = store.prune(made, keep, briefly(&watch()));
    assert_eq!(pruned.error, None);
    let number = |file: &PathBuf| {
        let backup = before.iter().find(|it| it.file == *file);
        backup.unwrap().manifest.number
    };
    pruned.removed.iter().map(number).collect()
}

fn prepare(store: &Store) {
    store.prepare(briefly(&watch())).unwrap();
}

#[test]
fn backups_are_listed_as_they_were_made_whatever_the_clock_says() {
    let (_dir, store) = store();
    let files: Vec<_> = [7, 5, 5, 900]
        .into_iter()
        .map(|second| add(&store, "a", second).file)
        .collect();
    assert_eq!(listed(&store), [1, 2, 3, 4]);
    let names = files.iter().map(|file| file.file_name().unwrap());
    let expected = [
        "app-19700101T000007Z.sqlite",
        "app-19700101T000005Z.sqlite",
        "app-19700101T000005Z-2.sqlite",
        "app-19700101T001500Z.sqlite",
    ];
    assert!(names.eq(expected));
    let origin = manifest("a", 0).origin.unwrap();
    let newest = store
        .newest(("a", &origin), Dialect::Sqlite)
        .unwrap()
        .unwrap();
    assert_eq!(newest.file, files[3]);
    assert_eq!(store.find(Path::new(expected[3])), Ok(newest.clone()));
    assert_eq!(store.find(&newest.file), Ok(newest));
}

#[test]
fn only_the_oldest_of_the_same_database_go() {
    let (_dir, store) = store();
    for second in 0..3 {
        add(&store, "a", second);
    }
    add(&store, "b", 0);
    let made = add(&store, "a", 3);
    assert_eq!(prune(&store, &made, 0), [0; 0]);
    assert_eq!(prune(&store, &made, 4), [0; 0]);
    assert_eq!(prune(&store, &made, 3), [1]);
    assert_eq!(listed(&store), [2, 3, 4, 5]);
    assert_eq!(visible(&store).len(), 8);
    assert_eq!(prune(&store, &made, 1), [2, 3]);
    assert_eq!(listed(&store), [4, 5]);
}

#[test]
fn what_was_just_made_never_goes() {
    let (_dir, store) = store();
    // The clock was ahead, or two backups were created within a second.
    add(&store, "a", 1_000_000);
    let made = add(&store, "a", 5);
    assert_eq!(prune(&store, &made, 1), [1]);
    let other = add(&store, "a", 5);
    assert_eq!(prune(&store, &other, 1), [2]);
    assert_eq!(listed(&store), [3]);
    // This holds even if another backup claims a higher number.
    let mut text = fs::read_to_string(manifest_of(&other.file)).unwrap();
    text = text.replace("\"number\": 3", &format!("\"number\": {}", u64::MAX));
    fs::write(manifest_of(&other.file), text).unwrap();
    let last = add(&store, "a", 6);
    prune(&store, &last, 1);
    assert!(last.file.exists() && !other.file.exists());
}

#[test]
fn damaged_backups_neither_count_nor_go() {
    let (_dir, store) = store();
    let good = add(&store, "a", 1);
    for second in [2, 3] {
        let damaged = add(&store, "a", second);
        fs::write(&damaged.file, "dat").unwrap();
        assert!(!store.find(&damaged.file).unwrap().is_whole);
    }
    let made = add(&store, "a", 4);
    assert_eq!(prune(&store, &made, 2), [0; 0]);
    assert!(good.file.exists());
    assert_eq!(prune(&store, &made, 1), [1]);
    assert_eq!(listed(&store), [2, 3, 4]);
}

#[test]
fn backups_of_another_machine_or_of_nobody_known_are_never_removed() {
    let (_dir, store) = store();
    let mut theirs = manifest("a", 1);
    theirs.origin.as_mut().unwrap().host = "elsewhere".to_owned();
    let theirs = publish(&store, theirs).file;
    let mut old = manifest("a", 2);
    old.origin = None;
    let old = publish(&store, old).file;
    add(&store, "a", 3);
    let made = add(&store, "a", 4);
    let pruned = store.prune(&made, 1, briefly(&watch()));
    assert_eq!(pruned.removed.len(), 1);
    assert_eq!(pruned.not_counted, [theirs.clone(), old.clone()]);
    assert!(theirs.exists() && old.exists() && made.file.exists());
    // For verification, the database's own backup comes first.
    let origin = manifest("a", 0).origin.unwrap();
    let newest = |origin: &Origin| {
        let newest = store.newest(("a", origin), Dialect::Sqlite).unwrap();
        newest.unwrap().file
    };
    assert_eq!(newest(&origin), made.file);
    let unknown = Origin {
        host: "a third".to_owned(),
        ..origin
    };
    assert_eq!(newest(&unknown), made.file);
}

#[test]
fn a_number_is_given_once() {
    let (_dir, store) = store();
    let moved: Vec<_> = (0..3).map(|second| add(&store, "a", second)).collect();
    for backup in &moved {
        fs::remove_file(&backup.file).unwrap();
        fs::remove_file(manifest_of(&backup.file)).unwrap();
    }
    assert_eq!(add(&store, "a", 9).manifest.number, 4);
    // Without the lock file, the manifests provide the number.
    fs::write(store.directory.join(LOCK), "nonsense").unwrap();
    assert_eq!(add(&store, "a", 9).manifest.number, 5);
    fs::remove_file(store.directory.join(LOCK)).unwrap();
    assert_eq!(add(&store, "a", 9).manifest.number, 6);
}

#[test]
fn only_what_is_ours_and_unfinished_is_removed() {
    let (_dir, store) = store();
    add(&store, "a", 1);
    let moved = add(&store, "a", 2);
    let away = store.directory.join("../away");
    fs::rename(&moved.file, &away).unwrap();
    let strangers = [
        "webpack.manifest.json",
        "app-2.sqlite.manifest.json",
        "x.manifest.json",
        "stranger.sqlite",
        ".migrator-0123456789abcdef.other",
    ];
    let mut naming_nothing = manifest("a", 3);
    naming_nothing.draft = Some("stranger.sqlite".to_owned());
    let texts = [
        "{}".to_owned(),
        manifest("a", 2).text(),
        naming_nothing.text(),
        "x".to_owned(),
        "x".to_owned(),
    ];
    for (name, text) in strangers.iter().zip(&texts) {
        fs::write(store.directory.join(name), text).unwrap();
    }
    let part = store.directory.join(".migrator-0123456789abcdef.part");
    fs::write(&part, "half").unwrap();
    let draft = store.draft().unwrap();
    prepare(&store);
    for (name, text) in strangers.iter().zip(&texts) {
        let found = fs::read_to_string(store.directory.join(name)).unwrap();
        assert_eq!(found, *text, "{name}");
    }
    assert!(!part.exists() && draft.path().exists());
    // A file that was moved away and comes back is a backup.
    assert_eq!(listed(&store), [1]);
    fs::rename(&away, &moved.file).unwrap();
    assert_eq!(listed(&store), [1, 2]);
    assert!(store.find(&moved.file).unwrap().is_whole);
}

/// Tests what `prepare` does with every state between the first and the last step of listing and
/// removing a backup.
#[test]
fn killed_between_two_steps_a_backup_is_listed_or_gone() {
    let (_dir, store) = store();
    let backup = add(&store, "a", 1);
    let draft = store
        .directory
        .join(backup.manifest.draft.as_ref().unwrap());
    let manifest = manifest_of(&backup.file);
    let text = fs::read_to_string(&manifest).unwrap();
    let check = |with_draft: bool, with_manifest: bool, with_file: bool| {
        let parts = [
            (&draft, with_draft, TEXT),
            (&manifest, with_manifest, text.as_str()),
            (&backup.file, with_file, TEXT),
        ];
        for (path, is_there, text) in parts {
            let _ = fs::remove_file(path);
            if is_there {
                fs::write(path, text).unwrap();
            }
        }
        assert_eq!(
            listed(&store).len(),
            usize::from(with_manifest && with_file)
        );
        prepare(&store);
        let mut expected = vec![];
        if with_file {
            expected = vec![&backup.file, &manifest];
        }
        let left = visible(&store);
        let left: Vec<_> = left.iter().map(|name| store.directory.join(name)).collect();
        assert!(left.iter().eq(expected), "{left:?}");
        assert!(!draft.exists());
    };
    // Both written; the manifest renamed; the file renamed.
    check(true, false, false);
    check(true, true, false);
    check(false, true, true);
    // Removing: the file has its draft name again; the manifest is removed; both are removed.
    check(true, true, false);
    check(true, false, false);
    check(false, false, false);
}

#[test]
fn a_draft_that_is_held_keeps_its_manifest() {
    let (_dir, store) = store();
    let draft = store.draft().unwrap();
    let name = draft.path().file_name().unwrap().to_str().unwrap();
    let mut manifest = manifest("a", 1);
    manifest.draft = Some(name.to_owned());
    let path = store.directory.join("app-1.sqlite.manifest.json");
    fs::write(&path, manifest.text()).unwrap();
    prepare(&store);
    assert!(path.exists() && draft.path().exists());
    drop(draft);
    prepare(&store);
    // Nothing distinguishes it from one whose file was moved.
    assert!(path.exists());
}

#[test]
fn a_lock_that_others_hold_is_waited_for_until_its_deadline() {
    let (_dir, store) = store();
    // Anyone who can read the file can lock it.
    let held = File::open(store.directory.join(LOCK)).unwrap();
    held.lock_shared().unwrap();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&notes);
    let mut watch = Observer {
        tell: Arc::new(move |note| kept.lock().unwrap().push(note)),
        ..watch()
    };
    let wait = |watch: &Observer, limit| store.prepare(Wait { limit, watch });
    let error = wait(&watch, Duration::from_millis(30)).unwrap_err();
    assert!(matches!(error, BackupError::Busy { .. }), "{error}");
    let expected = Note::Waiting {
        file: store.directory.join(LOCK),
        limit: Duration::from_millis(30),
    };
    assert_eq!(*notes.lock().unwrap(), [expected]);
    watch.stopped = Arc::new(|| true);
    let stopped = wait(&watch, Duration::from_secs(3600));
    assert_eq!(stopped, Err(BackupError::Interrupted));
    drop(held);
    wait(&watch, Duration::ZERO).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_neither_opened_nor_made() {
    use std::process::Command;

    let (_dir, store) = store();
    add(&store, "a", 1);
    for name in [
        "x.sqlite",
        "app-19700101T000002Z.sqlite.manifest.json",
        "y.sqlite.manifest.json",
        ".migrator-0123456789abcdef.part",
        ".migrator-0123456789abcdef.backup",
    ] {
        let path = store.directory.join(name);
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    fs::write(store.directory.join("x.sqlite.manifest.json"), "{}").unwrap();
    fs::write(store.directory.join("y.sqlite"), "").unwrap();
    prepare(&store);
    assert_eq!(listed(&store), [1]);
    assert_eq!(add(&store, "a", 2).manifest.number, 2);
    for name in ["x.sqlite", "y.sqlite"] {
        assert!(store.find(&store.directory.join(name)).is_err());
    }
    // Nothing is created through a lock file that is a symbolic link.
    let lock = store.directory.join(LOCK);
    let target = store.directory.join("target");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&target, &lock).unwrap();
    let error = store.prepare(briefly(&watch())).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(!target.exists());
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let (_dir, store) = store();
    let check = |name: &str, part: &str| {
        let error = store.find(&store.directory.join(name)).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    check("missing", "does not exist");
    check("", "not a regular file");
    let file = add(&store, "a", 1).file;
    fs::write(manifest_of(&file), "{").unwrap();
    check("app-19700101T000001Z.sqlite", "cannot read");
    fs::remove_file(manifest_of(&file)).unwrap();
    check("app-19700101T000001Z.sqlite", "manifest");
    let origin = manifest("a", 0).origin.unwrap();
    assert_eq!(store.newest(("a", &origin), Dialect::Sqlite), Ok(None));
}

#[test]
fn names_of_databases_become_names_of_files() {
    let check = |name: &str, expected: &str| assert_eq!(plain(name), expected);
    check("shop", "shop");
    check("app.db", "app.db");
    check("../a b", "_a_b");
    check("żółw", "żółw");
    check("..", "database");
    assert_eq!(plain(&"ż".repeat(80)).len(), LONGEST);
}
