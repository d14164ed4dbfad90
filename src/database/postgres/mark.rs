//! Marks within a message: they show other sessions which statement of a step runs, since the
//! server sends no results before the whole message has been processed.

use super::{super::StepRequest, session};
use crate::sql::StatementKind;

/// The positions and texts of a step's marks. A mark is a SET of application_name, which takes the
/// server some microseconds.
pub(super) struct Marks<'a> {
    step: &'a StepRequest<'a>,
    wanted: bool,
}

impl<'a> Marks<'a> {
    /// The marks of `step`, if they are `wanted` and can distinguish statements. A script that sets
    /// its own name keeps it.
    pub fn of(step: &'a StepRequest<'a>, wanted: bool) -> Self {
        let names_itself =
            || step.text.contains("application_name") || step.text.contains("APPLICATION_NAME");
        Self {
            step,
            wanted: wanted && step.statements.len() > 1 && !names_itself(),
        }
    }

    /// An expression that sets the mark before the statement with index `first`.
    pub fn first(&self, first: usize) -> String {
        match self.part(first) {
            Some(part) => session::part_setting(self.step.label, &part),
            None => session::name_setting(self.step.label),
        }
    }

    /// A command that sets the mark before the statement with this index, if it has one.
    pub fn before(&self, index: usize) -> Option<String> {
        if !self.wanted || self.joins(index) {
            return None;
        }
        let part = self.part(index)?;
        Some(session::part_command(self.step.label, &part))
    }

    /// The part shown in a mark: `3/7`, or `3-5/7` for statements without marks between them.
    fn part(&self, first: usize) -> Option<String> {
        let total = self.step.statements.len();
        if !self.wanted || first >= total {
            return None;
        }
        let last = (first + 1..total)
            .find(|index| !self.joins(*index))
            .unwrap_or(total);
        Some(match last - first {
            1 => format!("{last}/{total}"),
            _ => format!("{}-{last}/{total}", first + 1),
        })
    }

    /// Whether the statement with this index needs no mark: one of a series of INSERTs, which take
    /// hardly longer than the mark, or a statement that only sets the session.
    fn joins(&self, index: usize) -> bool {
        let inserts = |index: usize| {
            let text = self.step.statements[index].text(self.step.text);
            let verb = text.as_bytes().get(..6);
            verb.is_some_and(|verb| verb.eq_ignore_ascii_case(b"insert"))
        };
        self.step.statements[index].kind == StatementKind::Session
            || index > 0 && inserts(index) && inserts(index - 1)
    }
}

/// The first and last statement index in the mark of a session's name.
pub(super) fn read(name: &str) -> Option<(usize, usize)> {
    let (name, part) = name.rsplit_once(' ')?;
    if !name.starts_with(session::NAME) {
        return None;
    }
    let (numbers, _) = part.split_once('/')?;
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let index = |number: &str| number.parse::<usize>().ok()?.checked_sub(1);
    Some((index(first)?, index(last)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{self, Dialect};

    fn check(text: &str, expected: &[Option<&str>]) {
        let statements = sql::split(Dialect::Postgres, text).unwrap();
        let step = StepRequest {
            carried: std::time::Duration::ZERO,
            label: "upgrade 20261122093000",
            text,
            statements: &statements,
            modes: "",
            foreign_keys: false,
            unchecked_keys: false,
            lock_timeout: None,
            statement_timeout: None,
            expects: 0,
            changes: &[],
            log: &[],
            keep_session: false,
        };
        let marks = Marks::of(&step, true);
        let first = Some(marks.first(0)).filter(|first| first.contains('/'));
        let others = (1..statements.len()).map(|index| marks.before(index));
        let found: Vec<_> = [first].into_iter().chain(others).collect();
        let shown: Vec<_> = found
            .iter()
            .map(|mark| mark.as_deref()?.split('\'').find(|part| part.contains('/')))
            .map(|name| name?.rsplit(' ').next())
            .collect();
        assert_eq!(shown, expected, "{text}");
        assert!(!found.iter().flatten().any(|mark| mark.contains(';')));
    }

    #[test]
    fn statements_are_told_apart_where_it_costs_little() {
        check("SELECT 1", &[None]);
        check("SELECT 1; SELECT 2", &[Some("1/2"), Some("2/2")]);
        check(
            "UPDATE t SET a = 1; INSERT INTO t VALUES (1); insert into t VALUES (2); DROP TABLE t",
            &[Some("1/4"), Some("2-3/4"), None, Some("4/4")],
        );
        check(
            "SET work_mem = '1GB'; SELECT 1; SET a.b = 1",
            &[Some("1/3"), Some("2-3/3"), None],
        );
        check("SET application_name = 'x'; SELECT 1", &[None, None]);
    }

    #[test]
    fn marks_are_read_as_they_are_written() {
        let name = |part: &str| format!("migrator upgrade 20261122093000 {part}");
        assert_eq!(read(&name("3/7")), Some((2, 2)));
        assert_eq!(read(&name("3-5/7")), Some((2, 4)));
        for other in ["migrator upgrade", "migrator upgrade 1", "psql 3/7", ""] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read(&name("0/7")), None);
        let long = session::part_command(&"x".repeat(80), "10-12/20");
        let name = long.split('\'').nth(1).unwrap();
        assert_eq!((name.len(), read(name)), (63, Some((9, 11))));
    }
}
