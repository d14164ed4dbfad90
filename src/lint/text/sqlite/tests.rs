use super::*;
use crate::{
    lint::{ConstraintKind, TableChange},
    schema::Name,
};

fn one(sql: &str) -> Act {
    let mut acts = read(sql);
    assert_eq!(acts.len(), 1, "{sql}: {acts:?}");
    acts.remove(0)
}

#[test]
fn what_is_not_understood_is_unknown() {
    for sql in [
        "",
        "CREATE TABLE",
        "ALTER TABLE t FROB",
        "DROP TABLE a, b",
        "not SQL",
    ] {
        assert_eq!(read(sql), [Act::Unknown], "{sql}");
    }
}

#[test]
fn tables_with_columns_and_constraints() {
    let Act::CreateTable(table) = one(
        "CREATE TABLE IF NOT EXISTS main.[T] (id INTEGER PRIMARY KEY AUTOINCREMENT, \"b\" text NOT NULL DEFAULT 'x',
         c REFERENCES p ON DELETE CASCADE, UNIQUE (b, c))",
    ) else {
        panic!();
    };
    assert_eq!(table.name, Name::new("", "T"));
    assert!(table.if_not_exists && table.autoincrement);
    assert_eq!(table.columns.len(), 3);
    assert!(table.columns[1].not_null);
    assert_eq!(table.columns[1].default.as_deref(), Some("'x'"));
    let ConstraintKind::ForeignKey(key) = &table.columns[2].constraints[0].kind else {
        panic!();
    };
    assert!(key.cascades && key.columns == ["c"]);
    assert_eq!(table.constraints.len(), 1);
}

#[test]
fn changes_of_tables() {
    let Act::AlterTable {
        change: TableChange::AddColumn { column, .. },
        ..
    } = one("alter table t add column \"c d\" text not null default 1 -- x\n")
    else {
        panic!();
    };
    assert_eq!(
        (column.name.as_str(), column.data_type.as_str()),
        ("c d", "text")
    );
    assert!(matches!(
        one("ALTER TABLE a RENAME TO b"),
        Act::Rename { .. }
    ));
    assert!(matches!(
        one("ALTER TABLE a RENAME b TO c"),
        Act::AlterTable {
            change: TableChange::RenameColumn { .. },
            ..
        }
    ));
    assert!(matches!(one("PRAGMA foreign_keys(0)"), Act::Set { value, .. } if value == "0"));
}

#[test]
fn copies_of_rows() {
    let check = |sql: &str, columns: &[&str], selected: Option<&[&str]>| {
        let Act::ChangeRows(change) = one(sql) else {
            panic!("{sql}");
        };
        assert_eq!(change.columns, columns, "{sql}");
        let selected = selected.map(|it| it.iter().map(ToString::to_string).collect());
        assert_eq!(change.selected, selected, "{sql}");
        assert_eq!(change.sources, [Name::new("", "t")], "{sql}");
    };
    check("INSERT INTO n SELECT * FROM t", &[], Some(&["*"]));
    check(
        "INSERT OR IGNORE INTO \"n\" (a, \"b\") SELECT \"a\", coalesce(b, 1) FROM t WHERE a",
        &["a", "b"],
        Some(&["a", "coalesce(b, 1)"]),
    );
    check("INSERT INTO n SELECT DISTINCT a FROM t", &[], None);
}

#[test]
fn sources_of_queries() {
    let check = |sql: &str, expected: &[&str]| {
        let found = query::sources(sql);
        let found: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(found, expected, "{sql}");
    };
    check(
        "SELECT * FROM a, b AS x JOIN [c d] ON 1",
        &["a", "b", "c d"],
    );
    check("WITH w AS (SELECT 1 FROM a) SELECT * FROM w", &["a"]);
    check("SELECT 'FROM x'", &[]);
}
