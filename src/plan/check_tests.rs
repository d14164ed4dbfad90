use super::*;
use crate::revision::{AppliedRevision, ScriptPair, State};

/// Creates a history from lines `ID headers: SQL`; `;` separates the headers, and each down script
/// is `DROP`.
fn history(lines: &[&str]) -> History {
    let pairs = lines.iter().map(|line| {
        let (head, sql) = line.split_once(':').unwrap_or((line, "SELECT 1"));
        let (name, headers) = head.split_once(' ').unwrap_or((head, ""));
        let headers = headers.split(';').filter(|h| !h.trim().is_empty());
        let headers: String = headers
            .map(|header| format!("-- migrator: {}\n", header.trim()))
            .collect();
        let script = |direction: Direction, text: String| {
            let file = format!("m/{name}_x.{direction}.sql");
            Script::parse(Dialect::Sqlite, direction, file, text).unwrap()
        };
        ScriptPair {
            id: name.parse().unwrap(),
            slug: "x".to_owned(),
            up: script(Direction::Up, format!("{headers}{sql}")),
            down: (!headers.contains("irreversible"))
                .then(|| script(Direction::Down, "DROP".to_owned())),
        }
    });
    History::new(pairs.collect()).unwrap()
}

/// Returns a database with everything in `history` applied.
fn applied(history: &History) -> Observed {
    let row = |(revision, sequence): (&Revision, i64)| AppliedRevision {
        sequence,
        revision: revision.id.clone(),
        message: String::new(),
        parents: revision.parents.clone(),
        depends_on: revision.depends_on.clone(),
        up_checksum: revision.up.checksum(Dialect::Sqlite),
        down_checksum: revision
            .down
            .as_ref()
            .map(|down| down.checksum(Dialect::Sqlite)),
        down_script: None,
        state: State::Applied,
        started_at: chrono::DateTime::UNIX_EPOCH,
        applied_at: None,
        duration_ms: 0,
        applied_by: String::new(),
        tool_version: String::new(),
    };
    Observed {
        applied: history.in_order().zip(1..).map(row).collect(),
        layout: Some(1),
        ..Observed::default()
    }
}

fn found(history: &History, observed: Option<&Observed>, base: Option<&History>) -> Vec<String> {
    let request = CheckRequest {
        obstacles: &[],
        faults: &[],
        history,
        observed,
        base,
        dialect: Dialect::Sqlite,
        pending_ok: false,
        out_of_order_ok: false,
        downs: Downs::Required,
    };
    check(&request).iter().map(ToString::to_string).collect()
}

#[test]
fn the_directory() {
    let check = |lines: &[&str], expected: &[&str]| {
        assert_eq!(found(&history(lines), None, None), expected, "{lines:?}");
    };
    check(&[], &[]);
    check(&["1", "2 irreversible = gone", "3"], &[]);
    check(
        &["1", "2 revises = 1", "3 revises = 1"],
        &["there are 2 heads: 2, 3"],
    );
}

#[test]
fn the_database() {
    let check = |now: &[&str], then: &[&str], expected: &[&str]| {
        let observed = applied(&history(then));
        let found = found(&history(now), Some(&observed), None);
        assert_eq!(found, expected, "{now:?} against {then:?}");
    };
    check(&["1", "2"], &["1", "2"], &[]);
    check(&["1", "2", "3"], &["1"], &["not applied yet: 2, 3"]);
    check(
        &["1", "2", "3 phase = contract"],
        &["1"],
        &["not applied yet: 2, 3 (contract)"],
    );
    check(
        &["1", "2"],
        &["1", "2", "3"],
        &["applied and above all revisions of this directory: 3"],
    );
    check(
        &["1", "2: SELECT 2"],
        &["1", "2"],
        &["the up script of revision 2 was changed after it was applied"],
    );
    check(
        &["1", "2 revises = 1", "3 revises = 2"],
        &["1", "2", "9 revises = 1"],
        &["applied and not in this directory: 9", "not applied yet: 3"],
    );
    check(
        &["1", "2", "3 revises = 2"],
        &["1", "3 revises = 1"],
        &[
            "revision 2 sorts before 3, which is applied, and does not name its parent",
            "not applied yet: 2",
        ],
    );
}

#[test]
fn another_commit() {
    let check = |now: &[&str], base: &[&str], expected: &[&str]| {
        let found = found(&history(now), None, Some(&history(base)));
        assert_eq!(found, expected, "{now:?} against {base:?}");
    };
    check(&["1", "2"], &[], &[]);
    check(&["1", "2", "3"], &["1", "2"], &[]);
    // The base has two heads, and both are joined.
    let heads = ["1", "2 revises = 1", "3 revises = 1"];
    let joined = [heads.as_slice(), &["4 revises = 2, 3"]].concat();
    check(&joined, &heads, &[]);
    check(
        &["1", "2", "3 revises = 2; label = x:  SELECT  1 ;  -- so"],
        &["1", "2", "3 revises = 2"],
        &[],
    );
    check(
        &["1", "2", "3 revises = 2: SELECT 2"],
        &["1", "2", "3 revises = 2"],
        &["the up script of revision 3 differs from the one in the base"],
    );
    // An inserted revision changes the implicit parent of the next one.
    check(
        &["1", "2", "3"],
        &["1", "3"],
        &[
            "revision 3 revises other revisions than in the base: 2",
            "revision 2 is new and revises 1, which is not the head of the base (3)",
        ],
    );
    check(
        &["1", "2 depends-on = 1"],
        &["1", "2"],
        &["revision 2 depends on other revisions than in the base: 1"],
    );
    check(
        &[
            "10",
            "20 revises = 10",
            "15 revises = 20",
            "16 revises = 15",
        ],
        &["10", "20 revises = 10"],
        &[
            "revision 15 is new and sorts before 20, the head of the base",
            "revision 16 is new and sorts before 20, the head of the base",
        ],
    );
    check(
        &["1 irreversible = no"],
        &["1"],
        &["1_x.down.sql is in the base but not in this directory"],
    );
    check(&["1"], &["1 irreversible = no"], &[]);
}

#[test]
fn what_was_moved_is_named() {
    let base = history(&["1", "2: SELECT 'it'"]);
    let now = history(&["1", "3: SELECT 'it'"]);
    let request = CheckRequest {
        obstacles: &[],
        faults: &[],
        history: &now,
        observed: None,
        base: Some(&base),
        dialect: Dialect::Sqlite,
        pending_ok: false,
        out_of_order_ok: false,
        downs: Downs::Required,
    };
    let first = &check(&request)[0];
    let expected = Finding::BaseGone {
        file: "2_x.up.sql".to_owned(),
        now: Some("m/3_x.up.sql".to_owned()),
    };
    assert_eq!(first, &expected);
}
