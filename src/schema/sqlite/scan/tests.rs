use super::*;
use crate::schema::sqlite::Identifier;

fn table(text: &str) -> TableScan {
    scan_table(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn places_are_those_of_whole_clauses() {
    let text = "CREATE TABLE \"a b\" (\n  id INTEGER PRIMARY KEY, -- the key\n  \
        [n] VARCHAR (10) CONSTRAINT \"x\" NOT NULL ON CONFLICT FAIL DEFAULT (1) /* one */,\n  \
        CONSTRAINT y UNIQUE (n, id DESC) CHECK (n > ',)')\n) WITHOUT ROWID";
    let scan = table(text);
    assert_eq!(
        (scan.name.name.as_str(), scan.name.span.of(text)),
        ("a b", "\"a b\"")
    );
    let columns: Vec<_> = scan.columns.iter().map(|it| it.span.of(text)).collect();
    let expected = [
        "id INTEGER PRIMARY KEY",
        "[n] VARCHAR (10) CONSTRAINT \"x\" NOT NULL ON CONFLICT FAIL DEFAULT (1)",
    ];
    assert_eq!(columns, expected);
    assert_eq!(scan.columns[1].name.span.of(text), "[n]");
    assert_eq!(scan.columns[1].declared_type.of(text), "VARCHAR (10)");
    let clauses: Vec<_> = scan
        .all_constraints()
        .map(|(_, it)| it.span.of(text))
        .collect();
    let expected = [
        "PRIMARY KEY",
        "CONSTRAINT \"x\" NOT NULL ON CONFLICT FAIL",
        "DEFAULT (1)",
        "CONSTRAINT y UNIQUE (n, id DESC)",
        "CHECK (n > ',)')",
    ];
    assert_eq!(clauses, expected);
    let name = scan.columns[1].constraints[0].name.as_ref().unwrap();
    assert_eq!((name.name.as_str(), name.span.of(text)), ("x", "\"x\""));
    assert!(scan.body.of(text).starts_with("\n  id") && scan.body.of(text).ends_with(")\n"));
    assert!(scan.without_rowid && !scan.strict);
}

#[test]
fn a_column_without_a_type_has_an_empty_one() {
    for text in [
        "CREATE TABLE t (a)",
        "CREATE TABLE t (a NOT NULL)",
        "CREATE TABLE t (a AS (1))",
    ] {
        let scan = table(text);
        assert_eq!(scan.columns[0].declared_type.of(text), "", "{text}");
        assert_eq!(scan.columns[0].name.name, "a");
    }
}

#[test]
fn types_are_those_that_sqlite_knows() {
    let check = |declared: &str, known: &str| {
        let text = format!("CREATE TABLE t (a {declared} NOT NULL)");
        let scan = table(&text);
        assert_eq!(scan.columns[0].type_name(&text), known);
        assert_eq!(scan.columns[0].constraints.len(), 1, "{declared}");
    };
    check("INTEGER", "INTEGER");
    check("DOUBLE PRECISION", "DOUBLE PRECISION");
    check("NUMERIC(10, -2)", "NUMERIC(10, -2)");
    check("\"my type\"", "my type");
    check("'it''s'", "it's");
    check("INT GENERATED ALWAYS", "INT");
    check("generated", "generated");
}

#[test]
fn defaults_end_where_their_numbers_do() {
    let check = |default: &str| {
        let text = format!("CREATE TABLE t (a DEFAULT {default} UNIQUE, b)");
        let scan = table(&text);
        let found = scan.columns[0].definitions().find_map(|it| match it {
            Definition::Default(span) => Some(span.of(&text)),
            _ => None,
        });
        assert_eq!(found, Some(default));
        assert_eq!(scan.columns[0].constraints.len(), 2, "{default}");
        assert_eq!(scan.columns.len(), 2, "{default}");
    };
    for default in [
        "1",
        "- 1",
        "+1.5",
        ".5",
        "-.5e+3",
        "1e-5",
        "0xE",
        "x'00'",
        "'a, b'",
        "\"a\"",
        "NULL",
        "true",
        "CURRENT_DATE",
        "(1 + (2))",
        "((')'))",
    ] {
        check(default);
    }
}

#[test]
fn keys_are_taken_apart() {
    let check = |key: &str, sorted: &str, collation: Option<&str>, descending: bool| {
        let text = format!("CREATE INDEX i ON t (x, {key})");
        let scan = scan_index(&text).unwrap();
        let found = &scan.keys[1];
        assert_eq!(found.expression.of(&text), sorted);
        assert_eq!(found.collation.as_deref(), collation, "{key}");
        assert_eq!(found.descending, descending, "{key}");
        assert_eq!(found.span.of(&text), key);
    };
    check("a", "a", None, false);
    check("a ASC", "a", None, false);
    check("a COLLATE NOCASE DESC", "a", Some("NOCASE"), true);
    check("((a) COLLATE NOCASE) DESC", "a", Some("NOCASE"), true);
    check("a COLLATE x COLLATE \"y z\"", "a", Some("y z"), false);
    check("lower(a) COLLATE NOCASE", "lower(a)", Some("NOCASE"), false);
    // COLLATE belongs to the last term.
    check(
        "a || b COLLATE NOCASE",
        "a || b COLLATE NOCASE",
        None,
        false,
    );
    check("(a || b) COLLATE NOCASE", "a || b", Some("NOCASE"), false);
    check("(a) + (b)", "(a) + (b)", None, false);
    check(
        "coalesce(a, 'x, y', (1))",
        "coalesce(a, 'x, y', (1))",
        None,
        false,
    );
}

#[test]
fn a_trigger_is_taken_apart() {
    let text = "CREATE TRIGGER t AFTER UPDATE OF a, \"b\" ON main.x FOR EACH ROW WHEN new.begin > 0 \
        BEGIN SELECT CASE 1 WHEN 1 THEN 'END' END; END";
    let scan = scan_trigger(text).unwrap();
    assert_eq!((scan.timing, scan.event), ("AFTER", "UPDATE"));
    assert_eq!(scan.columns, ["a", "b"].map(Identifier::from));
    assert_eq!(scan.table.name, "x");
    assert_eq!(scan.condition.map(|it| it.of(text)), Some("new.begin > 0"));
    assert_eq!(scan.body.of(text), "SELECT CASE 1 WHEN 1 THEN 'END' END;");
    let text = "CREATE TRIGGER \"before\" DELETE ON x BEGIN DELETE FROM y; END";
    let scan = scan_trigger(text).unwrap();
    assert_eq!(
        (scan.timing, scan.event, scan.condition),
        ("BEFORE", "DELETE", None)
    );
}

#[test]
fn a_virtual_table_is_taken_apart() {
    let check = |text: &str, module: &str, arguments: &[&str]| {
        let scan = scan_virtual_table(text).unwrap();
        assert_eq!(scan.module.name, module);
        let found: Vec<_> = scan.arguments.iter().map(|it| it.of(text)).collect();
        assert_eq!(found, arguments);
    };
    check("CREATE VIRTUAL TABLE t USING m", "m", &[]);
    check("CREATE VIRTUAL TABLE t USING \"m\" ( )", "m", &[]);
    check(
        "CREATE VIRTUAL TABLE t USING m (a, b='x, y' , f(1, 2),)",
        "m",
        &["a", "b='x, y'", "f(1, 2)", ""],
    );
}

#[test]
fn other_texts_are_not_understood() {
    let check = |text: &str, at: usize| {
        assert_eq!(scan_table(text), Err(ScanError { at }), "{text}");
    };
    check("", 0);
    check("CREATE VIEW v AS SELECT 1", 7);
    check("CREATE TABLE t AS SELECT 1", 15);
    check("CREATE TABLE t (a", 17);
    check("CREATE TABLE t (a) more", 19);
    check("CREATE TABLE t (a CHECK a > 0)", 24);
    assert!(scan_index("CREATE INDEX i ON t ()").is_err());
    assert!(scan_view("CREATE VIEW v AS").is_err());
    assert!(scan_trigger("CREATE TRIGGER t ON x BEGIN SELECT 1; END").is_err());
}
