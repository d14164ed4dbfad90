use super::*;

fn id(text: &str) -> RevisionId {
    text.parse().unwrap()
}

/// Creates a history from lines `ID headers`; `;` separates the headers.
fn history(lines: &[&str]) -> History {
    let pairs = lines.iter().map(|line| {
        let (name, headers) = line.split_once(' ').unwrap_or((line, ""));
        let headers = headers.split(';').filter(|h| !h.trim().is_empty());
        let text: String = headers
            .map(|header| format!("-- migrator: {}\n", header.trim()))
            .collect();
        let script = |direction: Direction, text: String| {
            let file = format!("m/{name}_x.{direction}.sql");
            Script::parse(Dialect::Sqlite, direction, file, text).unwrap()
        };
        ScriptPair {
            id: id(name),
            slug: "x".to_owned(),
            up: script(Direction::Up, text),
            down: Some(script(Direction::Down, "DROP".to_owned())),
        }
    });
    History::new(pairs.collect()).unwrap()
}

fn attempt(
    history: &History,
    applied: Option<&[&str]>,
    revision: &str,
    onto: Option<&str>,
) -> Result<Option<Rebase>, RebaseProblem> {
    let observed = applied.map(|ids| Observed {
        applied: ids
            .iter()
            .zip(1..)
            .map(|(text, sequence)| crate::revision::AppliedRevision {
                sequence,
                revision: id(text),
                message: String::new(),
                parents: Vec::new(),
                depends_on: Vec::new(),
                up_checksum: format!("v1:{}", "0".repeat(64)).parse().unwrap(),
                down_checksum: None,
                down_script: None,
                state: crate::revision::State::Applied,
                started_at: chrono::DateTime::UNIX_EPOCH,
                applied_at: None,
                duration_ms: 0,
                applied_by: String::new(),
                tool_version: String::new(),
            })
            .collect(),
        layout: Some(1),
        ..Observed::default()
    });
    let onto = onto.map(id);
    let request = RebaseRequest {
        history,
        observed: observed.as_ref(),
        dialect: Dialect::Sqlite,
        revision: &id(revision),
        onto: onto.as_ref(),
    };
    rebase(&request, |_, count| {
        let ids = (0..count).map(|at| id(&format!("{}", 100 + at)));
        ids.collect()
    })
}

/// Formats the moved revisions as `FROM>TO<-PARENTS`, then the files whose text changes, with their
/// text.
fn shown(rebase: &Rebase) -> String {
    let moved = rebase
        .moved
        .iter()
        .map(|m| format!("{}>{}<-{}", m.from, m.to, join(&m.parents)));
    let edited = rebase
        .files
        .iter()
        .filter(|f| Some(&f.before) != f.after.as_ref());
    let edited = edited.map(|f| {
        format!(
            "{}: {}",
            f.to,
            f.after.as_deref().unwrap().trim_end().replace('\n', "; ")
        )
    });
    moved.chain(edited).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_branch_moves_with_all_that_is_above_it() {
    let h = history(&[
        "1 revises = base",
        "2 revises = 1",
        "3 revises = 1; label = b",
        "4 revises = 3; depends-on = 2",
        "5 revises = base; depends-on = 4",
    ]);
    let rebase = attempt(&h, Some(&["1", "2"]), "3", Some("2"))
        .unwrap()
        .unwrap();
    assert_eq!(
        shown(&rebase),
        "3>100<-2\n4>101<-100\n\
         100_x.up.sql: -- migrator: revises = 2; -- migrator: label = b\n\
         101_x.up.sql: -- migrator: revises = 100; -- migrator: depends-on = 2\n\
         5_x.up.sql: -- migrator: revises = base; -- migrator: depends-on = 101"
    );
    let names: Vec<_> = rebase.files.iter().map(|f| (&*f.from, &*f.to)).collect();
    assert_eq!(
        names,
        [
            ("3_x.up.sql", "100_x.up.sql"),
            ("3_x.down.sql", "100_x.down.sql"),
            ("4_x.up.sql", "101_x.up.sql"),
            ("4_x.down.sql", "101_x.down.sql"),
            ("5_x.up.sql", "5_x.up.sql"),
        ]
    );
    assert_eq!(join(&rebase.heads), "5, 101");
}

#[test]
fn a_parent_that_went_without_saying_is_written() {
    let h = history(&["1", "2", "3 revises = 1", "4"]);
    let rebase = attempt(&h, None, "3", None).unwrap().unwrap();
    assert_eq!(
        shown(&rebase),
        "3>100<-2\n4>101<-100\n\
         100_x.up.sql: -- migrator: revises = 2\n\
         101_x.up.sql: -- migrator: revises = 100"
    );
    assert_eq!(join(&rebase.heads), "101");
}

#[test]
fn merges_of_other_branches_are_kept() {
    let h = history(&[
        "1 revises = base",
        "2 revises = 1",
        "3 revises = 1",
        "4 revises = 1",
        "5 revises = 3, 4",
    ]);
    let rebase = attempt(&h, None, "3", Some("2")).unwrap().unwrap();
    assert_eq!(
        shown(&rebase).lines().take(2).collect::<Vec<_>>(),
        ["3>100<-2", "5>101<-100, 4"]
    );
}

#[test]
fn where_there_is_nothing_to_do() {
    let check = |lines: &[&str], revision: &str, onto: Option<&str>| {
        assert_eq!(attempt(&history(lines), None, revision, onto), Ok(None));
    };
    check(&["1", "2", "3"], "1", None);
    check(&["1", "2", "3"], "3", None);
    check(&["1", "2", "3"], "2", None);
    check(&["1", "2", "3"], "3", Some("2"));
}

#[test]
fn an_id_that_sorts_below_its_parent_is_renewed() {
    let h = history(&["5 revises = base", "3 revises = 5"]);
    let rebase = attempt(&h, None, "3", None).unwrap().unwrap();
    assert_eq!(shown(&rebase), "3>100<-5");
}

#[test]
fn what_is_refused() {
    let fork: &[&str] = &["1", "2 revises = 1", "3 revises = 1", "4 revises = 3"];
    let check = |lines: &[&str], applied: Option<&[&str]>, revision: &str, onto, expected: &str| {
        let problem = attempt(&history(lines), applied, revision, onto).unwrap_err();
        assert_eq!(problem.to_string(), expected);
    };
    check(
        fork,
        Some(&["1", "3"]),
        "3",
        None,
        "revisions that are applied cannot get new IDs: 3",
    );
    check(
        fork,
        Some(&["1", "3", "4"]),
        "3",
        None,
        "revisions that are applied cannot get new IDs: 3, 4",
    );
    check(fork, None, "3", Some("4"), "4 is above 3 and moves with it");
    check(
        fork,
        None,
        "2",
        Some("3"),
        "3 is not a head: it is revised by 4",
    );
    check(
        &["1", "2 revises = 1", "3 revises = 1", "4 revises = 1"],
        None,
        "4",
        None,
        "there are 2 heads to move onto: 2, 3",
    );
    check(
        &[
            "1",
            "2 revises = 1",
            "3 revises = 1",
            "4 revises = 2, 3",
            "5 revises = 1",
        ],
        None,
        "4",
        None,
        "revision 4 joins 2, 3, so it cannot be moved onto a single head",
    );
    check(
        &["1", "2 revises = 1", "3 revises = 1", "4 revises = 2, 3"],
        None,
        "3",
        None,
        "revision 4 joins the branch with 2, which would then be below it",
    );
    check(
        &["1", "2 revises = 1; depends-on = 3", "3 revises = 1"],
        None,
        "3",
        None,
        "2 requires revision 3, which therefore cannot be moved onto it",
    );
    check(
        &[
            "1",
            "2 revises = 1",
            "3 revises = 2",
            "9 revises = 1",
            "200 ",
            "1000 ",
        ],
        None,
        "3",
        Some("1000"),
        "revision 200 does not name its parent, and would get a different one",
    );
}
