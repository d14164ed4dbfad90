//! pop, as used by Ory and Buffalo: `VERSION_NAME.up.sql` for every database, and
//! `VERSION_NAME.postgres.up.sql` for one of them, which replaces the general one there. A script
//! with `.autocommit` before the direction runs outside a transaction.

use std::collections::HashSet;

use super::{
    FileKind, Holds, Layout, LayoutProblem,
    cut::{Mode, Section},
    read::Fault,
    tool::{self, Tool, leading_number, misnamed},
};
use crate::{
    revision::{Direction, RevisionId},
    sql::Dialect,
};

pub(super) const TOOL: Tool = Tool {
    whole,
    order: Some(|a, b| version(a).cmp(version(b))),
    ..Tool::plain(classify)
};

const EXPECTED: &str = "VERSION_NAME.up.sql or VERSION_NAME.down.sql, \
    with the database before the direction where it is for one alone";

/// The databases in file names, and their canonical names.
const DATABASES: &[(&str, &str)] = &[
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("pg", "postgres"),
    ("sqlite3", "sqlite"),
    ("sqlite", "sqlite"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
    ("cockroach", "cockroach"),
    ("cockroachdb", "cockroach"),
    ("crdb", "cockroach"),
];

/// The parts of a file name.
struct Name<'a> {
    version: &'a str,
    slug: &'a str,
    /// The database; `None` if the script is for all databases.
    database: Option<&'a str>,
    autocommit: bool,
    direction: Direction,
}

fn parse(name: &str) -> Option<Name<'_>> {
    let (version, rest) = leading_number(name)?;
    let stem = rest.strip_prefix('_')?.strip_suffix(".sql")?;
    let (stem, direction) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
        (Some(stem), _) => (stem, Direction::Up),
        (_, Some(stem)) => (stem, Direction::Down),
        _ => return None,
    };
    let plain = stem.strip_suffix(".autocommit");
    let stem_of_name = plain.unwrap_or(stem);
    let (slug, database) = match stem_of_name.split_once('.') {
        Some((slug, database)) => (slug, Some(database)),
        None => (stem_of_name, None),
    };
    Some(Name {
        version,
        slug,
        database,
        autocommit: plain.is_some(),
        direction,
    })
}

fn version(name: &str) -> &str {
    leading_number(name).map_or(name, |(version, _)| version)
}

fn classify(name: &str, dialect: Dialect) -> FileKind {
    if name.ends_with(".fizz") {
        return FileKind::Refused(LayoutProblem::NotSql { language: "fizz" });
    }
    script(name, dialect).unwrap_or_else(|| misnamed(Layout::Pop, name, EXPECTED))
}

fn script(name: &str, dialect: Dialect) -> Option<FileKind> {
    let name = parse(name)?;
    if let Some(database) = name.database {
        let (_, of) = DATABASES.iter().find(|(known, _)| *known == database)?;
        if *of != dialect.name() {
            return Some(FileKind::Other);
        }
    }
    let mut kind = tool::script(name.version, name.slug, Holds::One(name.direction))?;
    if let FileKind::Script(script) = &mut kind {
        script.autocommit = name.autocommit;
    }
    Some(kind)
}

/// Ignores the general script of a direction if the revision has one for this database.
pub(super) fn prefer_own_dialect(names: &[&str], kinds: &mut [FileKind]) {
    let key = |kind: &FileKind| match kind {
        FileKind::Script(script) => {
            Some((script.id.clone(), script.holds == Holds::One(Direction::Up)))
        }
        _ => None,
    };
    let is_general = |name: &str| parse(name).is_some_and(|name| name.database.is_none());
    let own: HashSet<(RevisionId, bool)> = names
        .iter()
        .zip(kinds.iter())
        .filter(|(name, _)| !is_general(name))
        .filter_map(|(_, kind)| key(kind))
        .collect();
    for (name, kind) in names.iter().zip(kinds) {
        if is_general(name) && key(kind).is_some_and(|key| own.contains(&key)) {
            *kind = FileKind::Other;
        }
    }
}

/// Returns whether names that migrator's own layout could also read belong to pop: a revision has a
/// script for one database, and another one for all of them or for another database.
pub(super) fn is_found(names: &[&str]) -> bool {
    let known = |name: &Name<'_>| {
        let database = name.database?;
        DATABASES
            .iter()
            .any(|(known, _)| *known == database)
            .then_some(())
    };
    let parsed: Vec<_> = names.iter().filter_map(|name| parse(name)).collect();
    let special: HashSet<(&str, Option<&str>)> = parsed
        .iter()
        .filter(|name| known(name).is_some())
        .map(|name| (name.version, name.database))
        .collect();
    if special.is_empty() {
        return false;
    }
    let versions: HashSet<&str> = special.iter().map(|(version, _)| *version).collect();
    parsed.iter().any(|name| {
        versions.contains(name.version) && !special.contains(&(name.version, name.database))
    }) || versions.len() < special.len()
}

/// Reads a whole file. pop treats scripts as templates.
fn whole(text: &str, _: Option<&str>) -> Result<Section, Vec<Fault>> {
    match text.find("{{") {
        Some(at) => Err(vec![Fault::at(
            at,
            LayoutProblem::Unsupported {
                what: "a template ({{ … }})",
            },
        )]),
        None => Ok(Section::whole(text, Mode::On)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::testing::{check_fault, check_names, describe, read_all};

    #[test]
    fn names() {
        check_names(
            Layout::Pop,
            &[
                (
                    "20150100000001000000_networks.postgres.up.sql",
                    "20150100000001000000 networks up",
                ),
                ("1_a.up.sql", "1 a up"),
                ("1_a.pg.down.sql", "1 a down"),
                ("1_a.sqlite3.up.sql", "other"),
                ("1_a.cockroach.up.sql", "other"),
                ("1_a.autocommit.up.sql", "1 a up"),
                ("1_a.postgres.autocommit.up.sql", "1 a up"),
                ("1_a.oracle.up.sql", "refused"),
                ("1_a.up.fizz", "refused"),
                ("a.sql", "refused"),
                ("migrate.go", "other"),
            ],
        );
    }

    #[test]
    fn a_script_for_this_database_takes_the_place_of_the_general_one() {
        let names = [
            "1_a.up.sql",
            "1_a.postgres.up.sql",
            "1_a.down.sql",
            "1_a.sqlite3.down.sql",
        ];
        let check = |dialect: Dialect, expected: [&str; 4]| {
            let found = crate::layout::sort_out(Layout::Pop, dialect, &names);
            let found: Vec<_> = found.iter().map(describe).collect();
            assert_eq!(found, expected);
        };
        check(Dialect::Postgres, ["other", "1 a up", "1 a down", "other"]);
        check(Dialect::Sqlite, ["1 a up", "other", "other", "1 a down"]);
    }

    #[test]
    fn only_names_that_do_not_read_otherwise_are_found() {
        assert!(!is_found(&["1_a.up.sql", "1_a.down.sql"]));
        assert!(!is_found(&[
            "1_a.sqlite3.up.sql",
            "1_a.sqlite3.down.sql",
            "2_a.up.sql"
        ]));
        assert!(is_found(&["1_a.sqlite3.up.sql", "1_a.down.sql"]));
        assert!(is_found(&["1_a.sqlite3.up.sql", "1_a.postgres.up.sql"]));
        assert!(!is_found(&["1_a.v2.up.sql", "1_a.down.sql"]));
    }

    #[test]
    fn autocommit_and_templates() {
        let scripts = read_all(Layout::Pop, "1_a.autocommit.up.sql", "VACUUM", None).unwrap();
        assert_eq!(
            &**scripts[0].alone(),
            "-- migrator: transaction = off\nVACUUM\n"
        );
        check_fault(
            Layout::Pop,
            "1_a.up.sql",
            "SELECT 1;\n{{ if x }}",
            "2:1 a template ({{ … }}) cannot be read",
        );
    }
}
