//! Finds the statements of a script that a `batch` directive repeats.

use std::{collections::HashMap, ops::Range};

use super::{PlanProblem, SourceSpan};
use crate::{
    revision::{BatchDirective, Pace, Script},
    sql::{self, Dialect, NoRowChange, RowVerb, StatementKind},
};

/// How a statement is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The pace set by its directive.
    pub pace: Pace,
    /// The table whose row count limits the rows to change, written as it appears after FROM;
    /// `None` if the statement adds rows.
    pub counted: Option<String>,
}

/// A place where a `batch` directive is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchPlace {
    /// Below the last statement.
    End,
    /// Before another directive for the same statement.
    Twice,
    /// Not on a line of its own directly above a statement.
    NotAbove,
    /// Within BEGIN … COMMIT.
    InBlock,
}

/// Returns the valid directives of `script`, by the statement that each applies to.
pub(super) fn directives<'a>(
    script: &'a Script,
    statements: &[Range<usize>],
    problems: &mut Vec<PlanProblem>,
) -> HashMap<usize, &'a BatchDirective> {
    let mut found = HashMap::new();
    for directive in &script.headers.batches {
        match statement_of(script, statements, directive) {
            Ok(index) => {
                found.insert(index, directive);
            }
            Err(place) => problems.push(misplaced(script, directive, place)),
        }
    }
    found
}

/// Returns the problem of a directive in the wrong place.
pub(super) fn misplaced(
    script: &Script,
    directive: &BatchDirective,
    place: BatchPlace,
) -> PlanProblem {
    let source_span = SourceSpan::at(script, directive.start);
    PlanProblem::BatchPlace { source_span, place }
}

fn statement_of(
    script: &Script,
    statements: &[Range<usize>],
    directive: &BatchDirective,
) -> Result<usize, BatchPlace> {
    let text = &script.text;
    let index = statements.partition_point(|statement| statement.start < directive.end);
    let within = index
        .checked_sub(1)
        .is_some_and(|before| statements[before].end > directive.start);
    let line = text[..directive.start]
        .rfind(['\n', '\r'])
        .map_or(0, |end| end + 1);
    let before = text[line..directive.start].trim_start_matches('\u{feff}');
    if within || !before.trim().is_empty() {
        return Err(BatchPlace::NotAbove);
    }
    let statement = statements.get(index).ok_or(BatchPlace::End)?;
    // The directives are in text order.
    let batches = &script.headers.batches;
    let next = batches.partition_point(|other| other.start <= directive.start);
    if batches
        .get(next)
        .is_some_and(|other| other.start < statement.start)
    {
        return Err(BatchPlace::Twice);
    }
    let gap = &text[directive.end..statement.start];
    let lines = gap.matches('\n').count().max(gap.matches('\r').count());
    if gap.trim().is_empty() && lines == 1 {
        Ok(index)
    } else {
        Err(BatchPlace::NotAbove)
    }
}

/// Returns how to repeat a statement, given as its kind and text. `source_span` is its place.
///
/// # Errors
/// Returns the reason why the statement cannot be repeated.
pub(super) fn of(
    script: &Script,
    dialect: Dialect,
    (kind, sql): (&StatementKind, &str),
    its_span: &SourceSpan,
    directive: &BatchDirective,
) -> Result<Batch, PlanProblem> {
    let pace = directive.pace;
    let source_span = SourceSpan::at(script, directive.start);
    if pace.max_lag.is_some() && !dialect.capabilities().replicas {
        return Err(PlanProblem::BatchLag {
            source_span,
            dialect,
        });
    }
    let change = match kind {
        StatementKind::Plain => sql::row_change(dialect, sql),
        _ => Err(NoRowChange::OtherStatement),
    };
    let change = change.map_err(|reason| PlanProblem::BatchStatement {
        source_span: its_span.clone(),
        reason,
    })?;
    let adds_rows = change.verb.adds_rows();
    if adds_rows && pace.max_batches.is_none() {
        let verb = RowVerb::as_str(change.verb);
        return Err(PlanProblem::BatchUnbounded { source_span, verb });
    }
    Ok(Batch {
        pace,
        counted: (!adds_rows).then_some(change.table),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::Direction;

    /// Returns the statement of each directive in `text`, or the reason why it has none.
    fn found(text: &str) -> Vec<Result<usize, BatchPlace>> {
        let text = format!("-- migrator: transaction = off\n{text}");
        let script = Script::parse(Dialect::Postgres, Direction::Up, "f", text).unwrap();
        let statements = sql::split(Dialect::Postgres, &script.text).unwrap();
        let spans: Vec<_> = statements.iter().map(|one| one.span.clone()).collect();
        let directives = script.headers.batches.iter();
        directives
            .map(|directive| statement_of(&script, &spans, directive))
            .collect()
    }

    #[test]
    fn a_directive_is_for_the_statement_below_it() {
        use BatchPlace::{End, NotAbove, Twice};
        let check = |text, expected: &[_]| assert_eq!(found(text), expected, "{text:?}");
        check("-- migrator: batch\nUPDATE t", &[Ok(0)]);
        check("SELECT 1;\r\n -- migrator: batch\r\n  UPDATE t", &[Ok(1)]);
        check("SELECT 1;\n/* x */\n-- migrator: batch\nUPDATE t", &[Ok(1)]);
        check(
            "-- migrator: batch\nA;\n-- migrator: batch\nB",
            &[Ok(0), Ok(1)],
        );
        check("UPDATE t;\n-- migrator: batch", &[Err(End)]);
        check("-- migrator: batch", &[Err(End)]);
        check(
            "-- migrator: batch\n-- migrator: batch\nA",
            &[Err(Twice), Ok(0)],
        );
        check("-- migrator: batch\n\nUPDATE t", &[Err(NotAbove)]);
        check("-- migrator: batch\n-- why\nUPDATE t", &[Err(NotAbove)]);
        check("-- migrator: batch\n; UPDATE t", &[Err(NotAbove)]);
        check("SELECT 1; -- migrator: batch\nUPDATE t", &[Err(NotAbove)]);
        check(
            "UPDATE t -- migrator: batch\nSET a = 1; B",
            &[Err(NotAbove)],
        );
        check(
            "UPDATE t\n-- migrator: batch\nSET a = 1; B",
            &[Err(NotAbove)],
        );
    }

    #[test]
    fn what_can_be_repeated_has_a_bound() {
        let check = |dialect, options: &str, sql: &str, expected: Result<Option<&str>, &str>| {
            let text =
                format!("-- migrator: transaction = off\n-- migrator: batch {options}\n{sql}");
            let script = Script::parse(dialect, Direction::Up, "f", text).unwrap();
            let statements = sql::split(dialect, &script.text).unwrap();
            let directive = &script.headers.batches[0];
            let source_span = SourceSpan::at(&script, statements[0].span.start);
            let statement = (&statements[0].kind, statements[0].text(&script.text));
            let found = of(&script, dialect, statement, &source_span, directive);
            let found = match &found {
                Ok(batch) => Ok(batch.counted.as_deref()),
                Err(PlanProblem::BatchLag { .. }) => Err("lag"),
                Err(PlanProblem::BatchStatement { .. }) => Err("statement"),
                Err(PlanProblem::BatchUnbounded { verb, .. }) => Err(*verb),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(found, expected, "{options} {sql}");
        };
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            check(dialect, "", "UPDATE s.t SET a = 1", Ok(Some("s.t")));
            check(dialect, "", "INSERT INTO t SELECT 1", Err("INSERT"));
            check(dialect, "max-batches=1", "INSERT INTO t SELECT 1", Ok(None));
            check(dialect, "", "SELECT 1", Err("statement"));
            check(dialect, "", "VACUUM", Err("statement"));
            check(dialect, "", "BEGIN", Err("statement"));
        }
        let lag = "max-lag=1s";
        check(Dialect::Sqlite, lag, "DELETE FROM t", Err("lag"));
        check(Dialect::Postgres, lag, "DELETE FROM t", Ok(Some("t")));
        check(
            Dialect::Postgres,
            "",
            "MERGE INTO t USING s ON true",
            Err("MERGE"),
        );
    }
}
