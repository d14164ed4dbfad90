use super::*;
use crate::{
    plan::{Plan, PlanContext, PlanProblem, after, downgrade, seen, upgrade},
    revision::{Observed, ScriptPair, Target},
};

/// Scripts as `ID headers|up|down`; without a down there is none.
fn history_of(dialect: Dialect, lines: &[&str]) -> History {
    let pairs = lines.iter().map(|line| {
        let parts: Vec<_> = line.split('|').collect();
        let (id, headers) = parts[0].split_once(' ').unwrap_or((parts[0], ""));
        let headers = headers.split(';').filter(|one| !one.trim().is_empty());
        let headers: String = headers
            .map(|one| format!("-- migrator: {}\n", one.trim()))
            .collect();
        let script = |direction: Direction, text: String| {
            Script::parse(
                dialect,
                direction,
                format!("m/{id}_x.{direction}.sql"),
                text,
            )
            .unwrap()
        };
        ScriptPair {
            id: id.parse().unwrap(),
            slug: "x".to_owned(),
            up: script(Direction::Up, format!("{headers}{}", parts[1])),
            down: parts
                .get(2)
                .map(|text| script(Direction::Down, (*text).to_owned())),
        }
    });
    History::new(pairs.collect()).unwrap()
}

fn history(lines: &[&str]) -> History {
    history_of(Dialect::Postgres, lines)
}

fn squashed(history: &History, to: &str) -> Result<Squash, Vec<SquashProblem>> {
    let to = history.get(&to.parse().unwrap()).unwrap();
    squash(history, Dialect::Postgres, to, "Baseline", "baseline")
}

/// Returns the directory after the squash.
fn exchanged(history: &History, squash: &Squash) -> History {
    let is_gone = |one: &&Revision| squash.replaces.contains(&one.id) || one.id == squash.baseline;
    let mut pairs: Vec<_> = history
        .by_id()
        .filter(|one| !is_gone(one))
        .map(|one| ScriptPair {
            id: one.id.clone(),
            slug: one.slug.clone(),
            up: one.up.clone(),
            down: one.down.clone(),
        })
        .collect();
    let text = |direction: Direction| {
        let ends = format!(".{direction}.sql");
        let new = squash.files.iter().filter(|file| file.to.ends_with(&ends));
        let text = new.filter_map(|file| file.after.clone()).next()?;
        Some(Script::parse(Dialect::Postgres, direction, format!("m/b{ends}"), text).unwrap())
    };
    pairs.push(ScriptPair {
        id: squash.baseline.clone(),
        slug: "baseline".to_owned(),
        up: text(Direction::Up).unwrap(),
        down: text(Direction::Down),
    });
    History::new(pairs).unwrap()
}

fn context<'a>(history: &'a History, observed: &'a Observed) -> PlanContext<'a> {
    crate::plan::testing::context(history, observed, Dialect::Postgres)
}

fn up(history: &History, observed: &Observed, target: &str) -> Plan {
    let target: Target = target.parse().unwrap();
    upgrade(&context(history, observed), &target).unwrap()
}

/// Returns the state after an upgrade of an empty database to `target`.
fn at(history: &History, target: &str) -> Observed {
    let nothing = Observed::default();
    after(&nothing, &up(history, &nothing, target))
}

fn rows(observed: &Observed) -> String {
    let rows = observed.applied.iter().map(|row| {
        let parents: Vec<_> = row.parents.iter().map(RevisionId::as_str).collect();
        format!("{}:{}<{}", row.sequence, row.revision, parents.join("+"))
    });
    rows.collect::<Vec<_>>().join(" ")
}

const LINE: &[&str] = &[
    "1|CREATE TABLE a (x int);|DROP TABLE a;",
    "2|BEGIN; CREATE TABLE b (x int);\nCREATE INDEX i ON b (x) ; COMMIT;|DROP TABLE b",
    "3|INSERT INTO a VALUES (1)|DELETE FROM a",
    "4|SELECT 4|SELECT 5",
];

#[test]
fn statements_stay_in_order_and_downs_go_back() {
    let squash = squashed(&history(LINE), "3").unwrap();
    let text = |name: &str| {
        let file = squash.files.iter().find(|file| file.from == name).unwrap();
        (file.to.as_str(), file.after.as_deref())
    };
    let up = "-- Baseline
-- migrator: revises = base
-- migrator: replaces = 1, 2

-- 1 x
CREATE TABLE a (x int);

-- 2 x
CREATE TABLE b (x int);
CREATE INDEX i ON b (x);

-- 3 x
INSERT INTO a VALUES (1);
";
    assert_eq!(text("3_x.up.sql"), ("3_baseline.up.sql", Some(up)));
    let down =
        "-- Baseline\n\n-- 3 x\nDELETE FROM a;\n\n-- 2 x\nDROP TABLE b;\n\n-- 1 x\nDROP TABLE a;\n";
    assert_eq!(text("3_x.down.sql"), ("3_baseline.down.sql", Some(down)));
    assert_eq!(text("1_x.up.sql").1, None);
    assert_eq!(squash.files.len(), 6);
    assert_eq!(squash.statements, 4);
}

#[test]
fn one_without_a_way_back_leaves_none() {
    let lines = [
        "1|SELECT 1",
        "2 irreversible = gone|SELECT 2",
        "3|SELECT 3|SELECT 4",
    ];
    let squash = squashed(&history(&lines), "3").unwrap();
    assert_eq!(squash.irreversible.len(), 2);
    let up = squash.files.iter().find_map(|file| file.after.as_deref());
    assert!(
        up.unwrap()
            .contains("-- migrator: irreversible = no way back from 1, 2\n")
    );
    let written = squash.files.iter().filter(|file| file.after.is_some());
    assert_eq!(written.count(), 1);
}

#[test]
fn settings_are_joined() {
    let lines = [
        "1 lock-timeout = 5s; vars = on|SELECT :{x}",
        "2 transaction = off; lock-timeout = 1min|CREATE INDEX CONCURRENTLY i ON a (x);\n-- migrator: batch\nUPDATE a SET x = 1",
        "3|COPY a FROM stdin;\n1\n\\.\nSELECT 3",
        "4|",
    ];
    let squash = squashed(&history(&lines), "4").unwrap();
    let up = squash
        .files
        .iter()
        .find_map(|file| file.after.clone())
        .unwrap();
    let expected = "-- migrator: irreversible = no way back from 1, 2, 3, 4
-- migrator: transaction = off
-- migrator: vars = on
-- migrator: lock-timeout = 60000ms

-- 1 x
BEGIN;
SELECT :{x};
COMMIT;

-- 2 x
CREATE INDEX CONCURRENTLY i ON a (x);
-- migrator: batch
UPDATE a SET x = 1;

-- 3 x
BEGIN;
COPY a FROM stdin;
1
\\.
SELECT 3;
COMMIT;

-- 4 x
";
    let (_, rest) = up.split_once("-- migrator: replaces = 1, 2, 3\n").unwrap();
    assert_eq!(rest, expected);
}

#[test]
fn what_can_not_be_one_script_is_refused() {
    let check = |lines: &[&str], to: &str, expected: &[&str]| {
        let problems = squashed(&history(lines), to).unwrap_err();
        let found: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{lines:?}");
    };
    check(
        &["1|SELECT 1"],
        "1",
        &["revision 1 has no parent, so there is nothing to squash"],
    );
    check(
        &[
            "1|a|b",
            "2|a|b",
            "3 revises = 1|a|b",
            "4 revises = 2; depends-on = 1|a|b",
        ],
        "2",
        &[
            "revision 3 requires 1, which would be removed",
            "revision 4 requires 1, which would be removed",
        ],
    );
    let session = "the session state that this leaves would affect the scripts after it";
    check(&["1|SET x = 1|b", "2|SELECT 1|b"], "2", &[session]);
    check(
        &[
            "1|SELECT pg_catalog.set_config('search_path', '', false)|b",
            "2|a|b",
        ],
        "2",
        &[session],
    );
    check(
        &["1|CREATE TEMP TABLE t (x int)|b", "2|a|b"],
        "2",
        &[session],
    );
    assert!(squashed(&history(&["1|a|b", "2|SET x = 1|b"]), "2").is_ok());
    check(
        &["1|BEGIN READ ONLY; a; COMMIT|b", "2|a|b"],
        "2",
        &[
            "this transaction has the mode READ ONLY, but the squashed script has a single transaction",
        ],
    );
    check(
        &["1 vars = on|a|b", "2|SELECT a[1:{2}]|b"],
        "2",
        &["this would become a placeholder, because other scripts have the header `vars`"],
    );
    check(
        &["1 label = one|a|b", "2 label = two|a|b"],
        "2",
        &["the labels one and two cannot both be on one revision"],
    );
}

#[test]
fn databases_that_have_it_all_take_the_baseline_as_applied() {
    let old = history(LINE);
    let new = exchanged(&old, &squashed(&old, "3").unwrap());
    let check = |observed: &Observed, steps: &[&str], expected: &str| {
        let plan = up(&new, observed, "head");
        let ran: Vec<_> = plan
            .steps
            .iter()
            .map(|step| step.subject.as_str())
            .collect();
        assert_eq!(ran, steps);
        let settled = seen(&new, observed.clone(), Dialect::Postgres);
        assert_eq!(rows(&after(&settled, &plan)), expected);
    };
    check(&Observed::default(), &["3", "4"], "1:3< 2:4<3");
    check(&at(&old, "3"), &["4"], "3:3< 4:4<3");
    check(&at(&old, "4"), &[], "3:3< 4:4<3");
    // One that has it already.
    let settled = seen(&new, at(&old, "4"), Dialect::Postgres);
    assert_eq!(seen(&new, settled.clone(), Dialect::Postgres), settled);
    check(&settled, &[], "3:3< 4:4<3");
    let plan = up(&new, &at(&old, "3"), "head");
    let [exchange] = plan.exchanges.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(exchange.changes().len(), 4);
    assert_eq!(exchange.log_entries().len(), 3);
}

#[test]
fn a_database_in_the_middle_is_told_so() {
    let old = history(LINE);
    let new = exchanged(&old, &squashed(&old, "3").unwrap());
    let observed = at(&old, "2");
    let target = "head".parse().unwrap();
    for planner in [upgrade, downgrade] {
        let refused = planner(&context(&new, &observed), &target).unwrap_err();
        let [PlanProblem::Halfway(found)] = &refused.0[..] else {
            panic!("{refused:?}");
        };
        let names = |ids: &[RevisionId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (names(&found.applied), names(&found.missing)),
            (vec!["1".to_owned(), "2".to_owned()], vec!["3".to_owned()])
        );
    }
    // Out-of-order revisions count.
    let mut late = at(&old, "4");
    late.applied.remove(0);
    assert!(upgrade(&context(&new, &late), &target).is_err());
}

#[test]
fn a_baseline_can_be_squashed_again() {
    let old = history(LINE);
    let first = exchanged(&old, &squashed(&old, "2").unwrap());
    let second = squashed(&first, "4").unwrap();
    let up_text = second
        .files
        .iter()
        .find_map(|file| file.after.clone())
        .unwrap();
    assert!(
        up_text.contains("-- migrator: replaces = 2, 3\n-- migrator: replaces = 2: 1\n"),
        "{up_text}"
    );
    let new = exchanged(&first, &second);
    let target = "head".parse().unwrap();
    for observed in [
        at(&old, "4"),
        at(&first, "4"),
        seen(&first, at(&old, "4"), Dialect::Postgres),
    ] {
        let plan = upgrade(&context(&new, &observed), &target).unwrap();
        assert!(plan.steps.is_empty());
        assert_eq!(plan.exchanges.len(), 1, "{observed:?}");
        let settled = seen(&new, observed, Dialect::Postgres);
        assert_eq!(settled.applied.len(), 1);
    }
    let third = exchanged(&first, &second);
    for observed in [at(&old, "3"), at(&first, "3"), at(&old, "1")] {
        assert!(upgrade(&context(&third, &observed), &target).is_err());
    }
}

#[test]
fn who_names_a_replaced_revision_means_the_baseline() {
    let old = history(LINE);
    let squash = squashed(&old, "3").unwrap();
    let new = exchanged(&old, &squash);
    let late = Script::parse(
        Dialect::Postgres,
        Direction::Up,
        "m/9_x.up.sql",
        "-- migrator: revises = 1, 2",
    );
    let mut pairs: Vec<_> = new
        .by_id()
        .map(|one| ScriptPair {
            id: one.id.clone(),
            slug: one.slug.clone(),
            up: one.up.clone(),
            down: one.down.clone(),
        })
        .collect();
    pairs.push(ScriptPair {
        id: "9".parse().unwrap(),
        slug: "x".to_owned(),
        up: late.unwrap(),
        down: None,
    });
    let history = History::new(pairs.clone()).unwrap();
    let nine = history.get(&"9".parse().unwrap()).unwrap();
    assert_eq!(nine.parents, ["3".parse().unwrap()]);
    // The file exists again.
    let back = "1|SELECT 1|SELECT 2";
    let back = history_of(Dialect::Postgres, &[back]);
    let back = back.by_id().next().unwrap();
    pairs.push(ScriptPair {
        id: back.id.clone(),
        slug: "x".to_owned(),
        up: back.up.clone(),
        down: None,
    });
    let problems = History::new(pairs).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "m/b.up.sql: `replaces` names revision 1, which still exists"
    );
}

#[test]
fn nothing_of_a_session_is_in_a_script_that_goes_on() {
    let lines = [
        "1 transaction = off|VACUUM|a",
        "2|CREATE TEMP TABLE t (x int)|b",
    ];
    let problems = squashed(&history(&lines), "2").unwrap_err();
    assert!(
        matches!(problems[0], SquashProblem::Session { .. }),
        "{problems:?}"
    );
}

proptest::proptest! {
    /// The baseline has exactly the statements of the scripts.
    #[test]
    fn every_statement_is_there_once(
        scripts in proptest::collection::vec(
            proptest::collection::vec(
                "[a-c] '[;a-z]{0,3}'|-- c\n|/\\* ; \\* /|\\$x\\$ ;; \\$x\\$|d \"[;a]\" ;",
                0..6,
            ),
            2..5,
        ),
    ) {
        let texts: Vec<String> = scripts.iter().map(|parts| parts.join(";\n")).collect();
        let split = |text: &str| sql::split(Dialect::Postgres, text);
        proptest::prop_assume!(texts.iter().all(|text| split(text).is_ok()));
        let lines: Vec<_> = texts.iter().zip(1..).map(|(text, id)| format!("{id}|{text}|x")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let squash = squashed(&history(&lines), &scripts.len().to_string()).unwrap();
        let up = squash.files.iter().find(|file| file.to.ends_with(".up.sql") && file.after.is_some());
        let up = up.unwrap().after.as_deref().unwrap();
        let of = |text: &str| -> Vec<String> {
            let statements = split(text).unwrap();
            statements.iter().map(|one| one.text(text).to_owned()).collect()
        };
        let expected: Vec<String> = texts.iter().flat_map(|text| of(text)).collect();
        proptest::prop_assert_eq!(of(up), expected);
    }
}
