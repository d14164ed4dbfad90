use chrono::DateTime;

use super::*;
use crate::{
    revision::{
        self, Direction, History, Observed, Script,
        testing::{history, row},
    },
    sql::Dialect,
};

fn entry(text: &str) -> ExternalEntry {
    // `ID`, `ID!` if its flag is not set, `ID:KIND`.
    let (text, whole) = match text.strip_suffix('!') {
        Some(text) => (text, false),
        None => (text, true),
    };
    let (id, kind) = match text.split_once(':') {
        Some((id, kind)) => (id, Some(kind.to_owned())),
        None => (text, None),
    };
    ExternalEntry {
        id: (id != "NULL").then(|| id.to_owned()),
        kind,
        whole,
        ..ExternalEntry::default()
    }
}

fn records(tool: ExternalTool, entries: &str) -> ExternalRecords {
    ExternalRecords {
        tool,
        table: "t".to_owned(),
        entries: entries.split_whitespace().map(entry).collect(),
    }
}

fn adopted(
    history: &History,
    records: &ExternalRecords,
    layout: Layout,
) -> Result<Adoption, AdoptError> {
    adopted_on(&Observed::default(), history, records, layout)
}

fn adopted_on(
    observed: &Observed,
    history: &History,
    records: &ExternalRecords,
    layout: Layout,
) -> Result<Adoption, AdoptError> {
    let context = crate::plan::testing::context(history, observed, Dialect::Sqlite);
    adopt(&context, records, layout)
}

fn recorded(adoption: &Adoption) -> String {
    let rows = adoption.rows.iter().map(|(row, _)| row.subject.as_str());
    rows.collect::<Vec<_>>().join(" ")
}

fn doubts(adoption: &Adoption) -> String {
    let doubts = adoption.doubts.iter().map(|doubt| match doubt {
        AdoptDoubt::Failed { entry, .. } => format!("failed {entry}"),
        AdoptDoubt::Changed { revision, .. } => format!("changed {revision}"),
        AdoptDoubt::Unknown { entry, .. } => format!("unknown {entry}"),
        AdoptDoubt::Gap {
            revision, above, ..
        } => format!("gap {revision} below {above}"),
    });
    doubts.collect::<Vec<_>>().join(", ")
}

/// Checks the adoption in a directory of 1, 2, 3, 4.
fn check(tool: ExternalTool, entries: &str, expected: &str, in_doubt: &str) {
    let history = history(&[("1", ""), ("2", ""), ("3", ""), ("4", "")]);
    let adoption = adopted(&history, &records(tool, entries), Layout::Native).unwrap();
    assert_eq!(recorded(&adoption), expected, "{tool}: {entries}");
    assert_eq!(doubts(&adoption), in_doubt, "{tool}: {entries}");
    let pending = adoption.pending.len();
    assert_eq!(adoption.rows.len() + pending, 4, "{tool}: {entries}");
    let log = adoption.log_entries();
    assert_eq!(log.len(), adoption.rows.len() + adoption.doubts.len());
    let sequences: Vec<_> = adoption.rows.iter().map(|(row, _)| row.sequence).collect();
    assert!(sequences.iter().copied().eq(1..=sequences.len() as i64));
}

#[test]
fn a_row_a_migration() {
    use ExternalTool::{Dbmate, Diesel, Rails, Refinery, Sqlx};
    for tool in [Sqlx, Dbmate, Rails, Diesel, Refinery] {
        check(tool, "", "", "");
        check(tool, "1 2", "1 2", "");
        check(tool, "002 1", "1 2", "");
        check(tool, "1 2 3 4", "1 2 3 4", "");
        check(tool, "1 2 9", "1 2", "unknown 9");
        check(tool, "1 x", "1", "unknown x");
        check(tool, "1 3 4", "1 3 4", "gap 2 below 3");
        check(tool, "2 3", "2 3", "gap 1 below 2");
        check(
            tool,
            "4",
            "4",
            "gap 1 below 4, gap 2 below 4, gap 3 below 4",
        );
    }
    check(Sqlx, "1 2!", "1", "failed 2");
    check(Sqlx, "1 2! 3", "1 3", "failed 2");
    check(Sqlx, "1 9!", "1", "failed 9");
}

#[test]
fn golang_migrate_keeps_one_version() {
    let tool = ExternalTool::GolangMigrate;
    check(tool, "", "", "");
    check(tool, "2", "1 2", "");
    check(tool, "4", "1 2 3 4", "");
    check(tool, "2!", "1", "failed 2");
    check(tool, "1!", "", "failed 1");
    check(tool, "-1!", "", "failed -1");
    check(tool, "9", "1 2 3 4", "unknown 9");
    check(tool, "9!", "1 2 3 4", "failed 9");
    let two = records(tool, "1 2");
    let refused = adopted(&history(&[("1", "")]), &two, Layout::Native);
    assert_eq!(
        refused,
        Err(AdoptError::SeveralVersions {
            table: "t".to_owned(),
            found: 2
        })
    );
}

#[test]
fn of_goose_the_last_event_of_a_version_counts() {
    let tool = ExternalTool::Goose;
    check(tool, "0", "", "");
    check(tool, "0 1 2", "1 2", "");
    check(tool, "0 1 2 2!", "1", "");
    check(tool, "0 1 2 2! 2", "1 2", "");
    check(tool, "0 1 2 1!", "2", "gap 1 below 2");
    check(tool, "0 1 7", "1", "unknown 7");
    check(tool, "0 1 7 7!", "1", "");
}

#[test]
fn flyway_tells_many_kinds_of_events() {
    let tool = ExternalTool::Flyway;
    check(tool, "1:SQL 2:SQL", "1 2", "");
    check(tool, "1.0:SQL 2.0.0:SQL", "1 2", "");
    check(tool, "1:SQL 2:SQL!", "1", "failed 2");
    check(tool, "1:SQL 2:SQL! 2:SQL", "1 2", "");
    check(tool, "NULL:SCHEMA 1:SQL NULL:SQL", "1", "");
    check(tool, "1:SQL 2:SQL 2:UNDO_SQL", "1", "");
    check(tool, "1:SQL 2:SQL 2:UNDO_SQL 2:SQL", "1 2", "");
    check(tool, "1:SQL 2:SQL 2:UNDO_SQL!", "1", "failed 2");
    check(tool, "1:SQL 9:SQL 9:DELETE", "1", "");
    check(tool, "1:SQL 9:JDBC", "1", "unknown 9");
    check(tool, "2:BASELINE", "1 2", "");
    check(tool, "2.5:BASELINE 3:SQL", "1 2 3", "");
    check(tool, "2:SQL_BASELINE 4:SQL", "1 2 4", "gap 3 below 4");
    check(tool, "0:BASELINE 1:SQL", "1", "");
    check(tool, "2:INIT", "1 2", "");
}

#[test]
fn to_flyway_zeros_at_the_end_say_nothing() {
    let history = history(&[("1.0", ""), ("1.0.1", ""), ("1.10", "")]);
    let check = |entries: &str, expected: &str| {
        let records = records(ExternalTool::Flyway, entries);
        let adoption = adopted(&history, &records, Layout::Flyway).unwrap();
        assert_eq!(recorded(&adoption), expected, "{entries}");
        assert_eq!(doubts(&adoption), "", "{entries}");
    };
    check("1:SQL", "1.0");
    check("1:BASELINE", "1.0");
    check("1:BASELINE 1.0.1:SQL", "1.0 1.0.1");
    check("1.1:BASELINE", "1.0 1.0.1");
    check("1.10.00:BASELINE", "1.0 1.0.1 1.10");
}

#[test]
fn of_alembic_the_heads_are_recorded() {
    let texts = [
        ("1", "-- alembic: aa\n-- migrator: revises = base\n"),
        ("2", "-- alembic: bb\n-- migrator: revises = 1\n"),
        ("3", "-- alembic: cc\n-- migrator: revises = 1\n"),
        ("4", "-- alembic: dd\n-- migrator: revises = 2, 3\n"),
    ];
    let pairs = texts.map(|(id, text)| {
        let mut pair = revision::testing::pair(id, "");
        pair.up = Script::parse(Dialect::Sqlite, Direction::Up, "x", text).unwrap();
        pair
    });
    let history = History::new(pairs.to_vec()).unwrap();
    let check = |entries: &str, expected: &str, in_doubt: &str| {
        let records = records(ExternalTool::Alembic, entries);
        let adoption = adopted(&history, &records, Layout::Native).unwrap();
        assert_eq!(recorded(&adoption), expected, "{entries}");
        assert_eq!(doubts(&adoption), in_doubt, "{entries}");
    };
    check("", "", "");
    check("aa", "1", "");
    check("cc", "1 3", "");
    check("bb cc", "1 2 3", "");
    check("dd", "1 2 3 4", "");
    check("bb ee", "1 2", "unknown ee");
}

#[test]
fn only_what_is_below_something_applied_is_a_gap() {
    let history = history(&[
        ("1", "revises = base"),
        ("2", "revises = 1"),
        ("3", "revises = 1"),
        ("4", "revises = 3; depends-on = 2"),
    ]);
    let check = |entries: &str, expected: &str| {
        let records = records(ExternalTool::Dbmate, entries);
        let adoption = adopted(&history, &records, Layout::Native).unwrap();
        assert_eq!(doubts(&adoption), expected, "{entries}");
    };
    check("1 3", "");
    check("1 2", "");
    check("1 3 4", "gap 2 below 4");
    check("2", "gap 1 below 2");
}

#[test]
fn times_come_along() {
    let at = DateTime::from_timestamp(1_795_340_000, 0);
    let mut records = records(ExternalTool::Sqlx, "1 2");
    records.entries[0].at = at;
    records.entries[0].duration_ms = Some(7);
    let history = history(&[("1", ""), ("2", "")]);
    let adoption = adopted(&history, &records, Layout::Native).unwrap();
    let known = Past {
        applied_at: at,
        duration_ms: 7,
    };
    assert_eq!(adoption.rows[0].1, known);
    assert_eq!(adoption.rows[1].1, Past::default());
}

#[test]
fn checksums_are_compared_where_the_files_are_the_tool_s_own() {
    let history = history(&[("1", "")]);
    let mut records = records(ExternalTool::Sqlx, "1");
    let check = |records: &ExternalRecords, layout: Layout, expected: (usize, &str)| {
        let adoption = adopted(&history, records, layout).unwrap();
        let found = (adoption.compared, doubts(&adoption));
        assert_eq!(found, (expected.0, expected.1.to_owned()));
        // Despite the doubt, it is applied.
        assert_eq!(recorded(&adoption), "1");
    };
    check(&records, Layout::Sqlx, (0, ""));
    // SHA-384 of an empty script.
    let empty = "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da\
                 274edebfe76f65fbd51ad2f14898b95b";
    records.entries[0].checksum = Some(empty.to_owned());
    check(&records, Layout::Sqlx, (1, ""));
    records.entries[0].checksum = Some("00".to_owned());
    check(&records, Layout::Sqlx, (1, "changed 1"));
    check(&records, Layout::Native, (1, "changed 1"));
    check(&records, Layout::Goose, (0, ""));
    let history = revision::testing::history(&[("1", "revises = base")]);
    let adoption = adopted(&history, &records, Layout::Native).unwrap();
    assert_eq!(
        (adoption.compared, adoption.changed()),
        (0, 0),
        "it has a header of ours"
    );
}

#[test]
fn only_an_empty_version_table_takes_records_over() {
    let observed = Observed {
        applied: vec![row(1, "1", "", "")],
        layout: Some(1),
        ..Observed::default()
    };
    let history = history(&[("1", "")]);
    let records = records(ExternalTool::Sqlx, "1");
    let refused = adopted_on(&observed, &history, &records, Layout::Native);
    assert_eq!(refused, Err(AdoptError::NotEmpty(1)));
}
