use std::{fs, path::Path};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::layout::Layout;
use crate::{
    files::Irregular,
    revision::{Direction, ProblemKind, RevisionId},
    sql::Dialect,
};

fn directory<T: AsRef<[u8]>>(files: &[(&str, T)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn read_at(dir: &Path) -> Result<Vec<crate::revision::ScriptPair>, Vec<DirectoryProblem>> {
    read(dir, "m", &Reading::new(Dialect::Sqlite))
}

fn texts(problems: &[DirectoryProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

fn id(text: &str) -> RevisionId {
    text.parse().unwrap()
}

#[test]
fn pairs_come_by_id() {
    let dir = directory(&[
        ("10_c.up.sql", "-- c"),
        ("2_b.up.sql", "\u{feff}-- b\r\n"),
        ("02_b.down.sql", ""),
        ("007_a.b.up.sql", "-- migrator: transaction = off\nSELECT 1"),
        ("007_a.b.down.sql", "SELECT 2"),
        ("18446744073709551616_z.up.sql", ""),
        ("README.md", "x"),
        (".gitkeep", ""),
        (".3_x.up.sql", "\0"),
        ("3_x.up.sql~", "\0"),
    ]);
    fs::create_dir(dir.path().join("archive")).unwrap();
    let pairs = read_at(dir.path()).unwrap();
    let found: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.id.as_str(), pair.slug.as_str(), pair.down.is_some()))
        .collect();
    assert_eq!(
        found,
        [
            ("2", "b", true),
            ("007", "a.b", true),
            ("10", "c", false),
            ("18446744073709551616", "z", false)
        ]
    );
    assert_eq!(pairs[0].up.file, "m/2_b.up.sql");
    assert_eq!(&*pairs[0].up.text, "\u{feff}-- b\r\n");
    let down = pairs[1].down.as_ref().unwrap();
    assert_eq!(down.file, "m/007_a.b.down.sql");
    assert_eq!((down.direction, &*down.text), (Direction::Down, "SELECT 2"));
}

#[test]
fn files_are_shown_below_the_directory() {
    let dir = directory(&[("1_a.up.sql", "")]);
    let check = |shown: &str, file: &str| {
        let pairs = read(dir.path(), shown, &Reading::new(Dialect::Postgres)).unwrap();
        assert_eq!(pairs[0].up.file, file);
    };
    check("db/m", "db/m/1_a.up.sql");
    check("m/", "m/1_a.up.sql");
    check(".", "1_a.up.sql");
}

#[test]
fn every_problem_is_reported_at_once_by_file() {
    let dir = directory::<&[u8]>(&[
        ("1_a.up.sql", b"x\rSELECT"),
        ("1_a.down.sql", b"-- \xE4"),
        ("2_b.up.sql", b"-- b\nSELECT '\0'"),
        ("3_c.up.sql", b"\xFF\xFES\0"),
        ("4_d.down.sql", b""),
        ("5_e.up.sql", b""),
        ("5_f.down.sql", b""),
        ("6_g.up.sql", b""),
        ("06_g.up.sql", b""),
        (
            "7_h.up.sql",
            b"\xEF\xBB\xBF-- migrator: colour = red\n-- migrator: transaction = maybe",
        ),
        ("30_x.up..sql", b""),
        ("R_views.sql", b"-- migrator: revises = 1"),
        ("schema.sql", b""),
    ]);
    let problems = read_at(dir.path()).unwrap_err();
    let files: Vec<_> = problems
        .iter()
        .map(|problem| {
            let at = problem.position.map(|at| (at.line, at.column));
            (problem.place.file.as_str(), problem.place.offset, at)
        })
        .collect();
    assert_eq!(
        files,
        [
            ("m/1_a.down.sql", Some(3), Some((1, 4))),
            ("m/1_a.up.sql", Some(1), Some((1, 2))),
            ("m/2_b.up.sql", Some(13), Some((2, 9))),
            ("m/30_x.up..sql", None, None),
            ("m/3_c.up.sql", Some(0), Some((1, 1))),
            ("m/4_d.down.sql", None, None),
            ("m/5_f.down.sql", None, None),
            ("m/6_g.up.sql", None, None),
            ("m/7_h.up.sql", Some(16), Some((1, 14))),
            ("m/7_h.up.sql", Some(56), Some((2, 28))),
            ("m/R_views.sql", Some(13), Some((1, 14))),
            ("m/schema.sql", None, None),
        ]
    );
    let kind = |file: &str| {
        let mut of_file = problems.iter().filter(|problem| problem.place.file == file);
        of_file.next().unwrap().kind.clone()
    };
    use DirectoryProblemKind as Kind;
    assert_eq!(
        kind("m/1_a.down.sql"),
        Kind::Text(TextProblem::InvalidUtf8 {
            byte: 0xE4,
            offset: 3
        })
    );
    assert_eq!(
        kind("m/1_a.up.sql"),
        Kind::Text(TextProblem::LoneCarriageReturn { offset: 1 })
    );
    assert_eq!(
        kind("m/2_b.up.sql"),
        Kind::Text(TextProblem::NulByte { offset: 13 })
    );
    let encoding = "UTF-16 LE";
    assert_eq!(
        kind("m/3_c.up.sql"),
        Kind::Text(TextProblem::Encoding { encoding })
    );
    assert_eq!(
        kind("m/30_x.up..sql"),
        Kind::Misnamed {
            nearest: Some("30_x.up.sql".to_owned()),
            layout: Some(Layout::GolangMigrate),
        }
    );
    assert_eq!(
        kind("m/schema.sql"),
        Kind::Misnamed {
            nearest: None,
            layout: None
        }
    );
    assert_eq!(
        kind("m/R_views.sql"),
        Kind::Script(ProblemKind::NotRepeatable { key: "revises" })
    );
    assert_eq!(
        kind("m/4_d.down.sql"),
        Kind::Script(ProblemKind::MissingUp { id: id("4") })
    );
    assert_eq!(
        kind("m/5_f.down.sql"),
        Kind::Script(ProblemKind::SlugMismatch {
            id: id("5"),
            slug: "f".to_owned(),
            other: "e".to_owned()
        })
    );
    assert_eq!(
        kind("m/6_g.up.sql"),
        Kind::Script(ProblemKind::DuplicateScript {
            id: id("6"),
            direction: Direction::Up,
            other: "m/06_g.up.sql".to_owned()
        })
    );
    let Kind::Script(ProblemKind::UnknownHeader { key, .. }) = kind("m/7_h.up.sql") else {
        panic!("{:?}", texts(&problems));
    };
    assert_eq!(key, "colour");
}

#[test]
fn a_missing_directory_is_told_from_a_file() {
    let dir = directory(&[("file", "")]);
    let check = |name: &str, expected: &str| {
        let problems = read_at(&dir.path().join(name)).unwrap_err();
        assert_eq!(texts(&problems), [expected]);
    };
    check("none", "m: directory does not exist");
    check("file", "m: not a directory");
}

#[cfg(unix)]
#[test]
fn only_files_are_scripts() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::symlink};
    let dir = directory(&[("script", "SELECT 1"), ("1_a.up.sql", "")]);
    let at = |name: &str| dir.path().join(name);
    symlink("script", at("2_b.up.sql")).unwrap();
    assert_eq!(read_at(dir.path()).unwrap()[1].up.text, "SELECT 1".into());
    fs::create_dir(at("3_c.up.sql")).unwrap();
    symlink("nothing", at("4_d.up.sql")).unwrap();
    symlink("5_e.up.sql", at("5_e.up.sql")).unwrap();
    symlink("3_c.up.sql", at("6_f.up.sql")).unwrap();
    symlink("/dev/null", at("7_g.up.sql")).unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"8_\xE4.up.sql")), "").unwrap();
    fs::write(dir.path().join(OsStr::from_bytes(b"LIES\xE4MICH")), "").unwrap();
    let problems = read_at(dir.path()).unwrap_err();
    use DirectoryProblemKind as Kind;
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.place.file.as_str(), &problem.kind))
        .collect();
    assert_eq!(
        found[0],
        ("m/3_c.up.sql", &Kind::NotAFile(Irregular::Directory))
    );
    assert_eq!(found[1], ("m/4_d.up.sql", &Kind::DanglingLink));
    assert_eq!(found[2].0, "m/5_e.up.sql");
    assert!(
        matches!(found[2].1, Kind::Unreadable { .. }),
        "{:?}",
        found[2]
    );
    assert_eq!(
        found[3],
        ("m/6_f.up.sql", &Kind::NotAFile(Irregular::Directory))
    );
    assert_eq!(
        found[4],
        ("m/7_g.up.sql", &Kind::NotAFile(Irregular::CharacterDevice))
    );
    assert_eq!(found[5], ("m/8_\u{fffd}.up.sql", &Kind::NameNotUnicode));
    assert_eq!(found.len(), 6);
}

#[test]
fn the_history_of_a_directory_that_is_right() {
    let dir = directory(&[
        ("1_a.up.sql", "-- migrator: revises = base"),
        ("2_b.up.sql", "-- migrator: revises = 1"),
    ]);
    let history = read_history(dir.path(), "m", &Reading::new(Dialect::Sqlite)).unwrap();
    let heads: Vec<_> = history
        .heads()
        .iter()
        .map(|head| head.id.as_str())
        .collect();
    assert_eq!((history.len(), heads), (2, vec!["2"]));
}

#[test]
fn problems_of_files_and_of_the_history_come_together() {
    let dir = directory(&[
        ("1_a.up.sql", "-- migrator: colour = red"),
        ("02_b.up.sql", "-- migrator: revises = 1"),
        ("2_c.up.sql", "-- migrator: revises = base"),
        ("3_d.up.sql", "\u{feff}-- migrator: revises = 9"),
    ]);
    let problems = read_history(dir.path(), "m", &Reading::new(Dialect::Sqlite)).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem.place.file.as_str(), &problem.kind))
        .collect();
    let is = |index: usize, file: &str, matches: fn(&ProblemKind) -> bool| {
        let DirectoryProblemKind::Script(kind) = found[index].1 else {
            panic!("{found:?}");
        };
        assert_eq!(found[index].0, file);
        assert!(matches(kind), "{kind:?}");
    };
    is(0, "m/1_a.up.sql", |kind| {
        matches!(kind, ProblemKind::UnknownHeader { .. })
    });
    // Revision 1 exists, although it cannot be read, so it is not reported as missing.
    is(1, "m/2_c.up.sql", |kind| {
        matches!(kind, ProblemKind::DuplicateId { .. })
    });
    is(2, "m/3_d.up.sql", |kind| {
        matches!(kind, ProblemKind::MissingParent { .. })
    });
    assert_eq!(found.len(), 3);
    assert_eq!(problems[2].position.map(|at| at.line), Some(1));
}

#[test]
fn the_shipped_example_is_one_line_of_history_with_downs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let history = read_history(
        &root.join("migrations"),
        "m",
        &Reading::new(Dialect::Sqlite),
    )
    .unwrap();
    assert_eq!(history.heads().len(), 1);
    assert!(history.in_order().all(|revision| revision.down.is_some()));
    assert!(history.in_order().all(|revision| !revision.implicit_parent));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_directory_is_read_or_refused(
        files in prop::collection::btree_map(
            "[0-2]{1,2}_[ab]\\.(up|down)\\.sql|[0-2_a.R]{1,6}\\.sql",
            prop::collection::vec(prop::sample::select(b"-- \r\n\0\xC3\xBCmigrator:=".to_vec()), 0..12),
            0..6,
        )
    ) {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in &files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        match read_at(dir.path()) {
            Ok(pairs) => {
                let scripts: usize = pairs.iter().map(|pair| 1 + usize::from(pair.down.is_some())).sum();
                let hidden = files.keys().filter(|name| name.starts_with('.')).count();
                let repeatable = files.keys().filter(|name| name.starts_with("R_")).count();
                prop_assert_eq!(scripts + hidden + repeatable, files.len());
                prop_assert!(pairs.is_sorted_by(|a, b| a.id <= b.id));
            }
            Err(problems) => prop_assert!(problems.is_sorted_by(|a, b| a.place <= b.place)),
        }
    }
}

#[test]
fn scripts_in_memory_are_read_like_those_on_disk() {
    let check = |files: &[(&str, &[u8])]| {
        let dir = directory(files);
        let disk = read_history(dir.path(), "m", &Reading::new(Dialect::Sqlite));
        let named = files.iter().rev();
        let named = named.map(|(name, bytes)| (format!("m/{name}"), *bytes));
        let memory = embedded_history(named, &Reading::new(Dialect::Sqlite));
        let scripts = |history: &crate::revision::History| {
            let revisions = history.in_order();
            revisions
                .map(|revision| (revision.up.clone(), revision.down.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            disk.as_ref().map(scripts),
            memory.as_ref().map(scripts),
            "{files:?}"
        );
        disk.is_ok()
    };
    assert!(check(&[]));
    assert!(check(&[
        ("10_c.up.sql", b"-- c\r\nSELECT 1"),
        ("2_b.up.sql", "\u{feff}-- b".as_bytes()),
        ("2_b.down.sql", b""),
        ("README.md", b"\xff"),
        ("R_views.sql", b"CREATE VIEW v AS SELECT 1"),
    ]));
    assert!(!check(&[
        ("1_a.up.sql", b"\xff"),
        ("2_b.up.sql", b"-- migrator: revises = 9"),
        ("2_c.up.sql", b"-- migrator: nonsense = 9"),
        ("3_d.down.sql", b"a\rb"),
        ("4.sql", b"\0"),
        ("R_views.sql", b"-- no-transaction"),
    ]));
}

#[test]
fn of_a_path_in_memory_the_last_part_counts() {
    let files = [
        ("a/b/1_a.up.sql", "SELECT 1"),
        ("a/b/1_a.down.sql", "SELECT 2"),
    ];
    let history = embedded_history(files, &Reading::new(Dialect::Sqlite)).unwrap();
    let revision = history.in_order().next().unwrap();
    assert_eq!(revision.up.file, "a/b/1_a.up.sql");
    let twice = [("a/1_a.up.sql", "x"), ("b/1_a.up.sql", "y")];
    let problems = embedded_history(twice, &Reading::new(Dialect::Sqlite)).unwrap_err();
    assert!(matches!(
        problems[0].kind,
        DirectoryProblemKind::Script(ProblemKind::DuplicateScript { .. })
    ));
}

#[test]
fn repeatable_scripts_are_no_revisions() {
    let files = [
        ("1_a.up.sql", "SELECT 1"),
        ("R_zoo.sql", "SELECT 1"),
        ("sub/R_all_views.sql", "-- Every view\nSELECT 1"),
    ];
    let history = embedded_history(files, &Reading::new(Dialect::Sqlite)).unwrap();
    assert_eq!(history.len(), 1);
    let names = history.repeatables().iter();
    let names: Vec<_> = names
        .map(|one| (one.id.as_str(), one.message.as_str()))
        .collect();
    assert_eq!(names, [("R_all_views", "Every view"), ("R_zoo", "zoo")]);
    let id = &history.repeatables()[1].id;
    assert_eq!(history.repeatable(id).unwrap().script.file, "R_zoo.sql");
    let twice = [("a/R_zoo.sql", "x"), ("b/R_zoo.sql", "y")];
    let problems = embedded_history(twice, &Reading::new(Dialect::Sqlite)).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "b/R_zoo.sql: the repeatable script R_zoo exists twice; the other file is a/R_zoo.sql"
    );
}
