use super::{
    Page, Paint, RehearseView, Verbosity, found,
    verdict::{Verdict, reverted},
    words::{
        WITHOUT_ROWS, copied, growth, hold_sentence, locked, rows_sentence, wal, work_sentence,
    },
};
use crate::{
    arrange::Arrange as _,
    ops::{CopySource, RehearseReport, RehearsedRevision, RehearsedStatement},
    report::{Style, Weight, count, duration},
};

/// The statements that are shown of a revision without `-v`: those that took longest.
const SHOWN: usize = 5;

/// The report as text.
pub(super) fn page(view: &RehearseView, paint: Paint, verbosity: Verbosity) -> Page {
    let report = &view.report;
    let mut page = Page::default();
    let has_times = report.has_rows();
    for one in &report.revisions {
        revision(&mut page, one, (paint, verbosity), has_times);
    }
    for found in found(report) {
        page.append(found.human(paint.0, Weight::Error, view.columns));
        page.blank();
    }
    if verbosity > Verbosity::Quiet {
        for line in summary(report, paint) {
            page.sentence(line);
        }
    }
    page
}

fn revision(
    page: &mut Page,
    revision: &RehearsedRevision,
    (paint, verbosity): (Paint, Verbosity),
    has_times: bool,
) {
    let (style, sign) = match revision.failure {
        None => (Style::Good, "✓"),
        Some(_) => (Style::Bad, "✗"),
    };
    let mut facts = vec![revision.message.clone()];
    if has_times {
        facts.push(cost(revision));
    }
    page.row(format!(
        "{} {}  {}",
        paint.paint(style, sign),
        paint.paint(Style::Id, revision.subject.as_str()),
        facts.join("  "),
    ));
    if verbosity == Verbosity::Quiet {
        return;
    }
    for hold in &revision.holds {
        let sentence = hold_sentence(hold, has_times);
        page.row(format!("    {}", paint.paint(Style::Warning, sentence)));
    }
    for statement in shown(revision, verbosity) {
        page.row(format!("    {}", statement_sentence(statement, has_times)));
    }
    for counted in &revision.rows {
        let rows = rows_sentence(counted);
        page.row(format!("    {}: {rows}", counted.table));
    }
}

/// Time, growth and log of a revision.
fn cost(revision: &RehearsedRevision) -> String {
    let costs = [
        duration(revision.elapsed),
        growth(revision.growth),
        wal(revision.wal),
    ];
    let costs: Vec<String> = costs.into_iter().filter(|it| !it.is_empty()).collect();
    costs.join(", ")
}

/// The statements that took longest, in their order.
fn shown(revision: &RehearsedRevision, verbosity: Verbosity) -> Vec<&RehearsedStatement> {
    let mut statements: Vec<&RehearsedStatement> = revision.statements.iter().collect();
    if verbosity < Verbosity::Verbose {
        statements.arrange_by_key(|it| std::cmp::Reverse(it.elapsed));
        statements.truncate(SHOWN);
        statements.arrange_by_key(|it| it.line);
    }
    statements
}

fn statement_sentence(statement: &RehearsedStatement, has_times: bool) -> String {
    let words: Vec<&str> = statement.sql.split_whitespace().take(8).collect();
    let mut facts = Vec::new();
    if has_times {
        facts.push(duration(statement.elapsed));
    }
    if statement.times != 1 {
        facts.push(format!("{} times", statement.times));
    }
    if has_times && statement.wal.is_some_and(|it| it >= MUCH) {
        facts.push(wal(statement.wal));
    }
    let works: Vec<String> = statement.works.iter().map(work_sentence).collect();
    let parts = [facts.join(", "), works.join(", ")];
    let parts: Vec<String> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    let sentence = format!(
        "{:>4}  {}  {}",
        statement.line,
        words.join(" "),
        parts.join(": ")
    );
    sentence.trim_end().to_owned()
}

/// The bytes of log from which they are shown of a statement.
const MUCH: u64 = 1_000_000;

/// The result, what a deployment costs, and what was done.
pub(super) fn summary(report: &RehearseReport, paint: Paint) -> Vec<String> {
    let (style, result) = match report.passed() {
        true => (Style::Good, "nothing failed"),
        false => (
            Style::Bad,
            "a deployment would fail or could not be reverted",
        ),
    };
    let scripts = count(report.revisions.len(), "script");
    let not_run = match report.not_run.len() {
        0 => String::new(),
        more => format!(", {more} not run"),
    };
    let mut lines = vec![format!(
        "Rehearsed on {} from {}: {scripts}{not_run}; {}; {}. The copy took {}, all {}.",
        copied(report),
        report.from,
        paint.paint(style, result),
        reverted(report),
        duration(report.copying),
        duration(report.elapsed),
    )];
    match &report.copied {
        CopySource::Schema { lacks } => {
            lines.push(paint.paint(Style::Warning, WITHOUT_ROWS));
            lines.extend(lacks.iter().map(|it| format!("Not in the copy: {it}")));
        }
        _ if report.revisions.is_empty() => {}
        _ => lines.push(costs(report)),
    }
    lines
}

/// What a deployment costs, in a sentence.
fn costs(report: &RehearseReport) -> String {
    let verdict = Verdict::of(report);
    let mut costs = vec![format!("statements take {}", duration(verdict.time))];
    if let Some(hold) = verdict.writes {
        let table = locked(hold.table.as_ref());
        let wait = duration(hold.writes);
        costs.push(format!("writes of {table} wait longest, {wait}"));
    }
    if let Some(hold) = verdict.reads {
        let table = locked(hold.table.as_ref());
        costs.push(format!("reads of {table} {}", duration(hold.reads)));
    }
    let grown = [growth(verdict.growth), wal(verdict.wal)];
    costs.extend(grown.into_iter().filter(|it| !it.is_empty()));
    for (table, rows) in &verdict.lost {
        costs.push(format!("{table} loses {rows} rows"));
    }
    format!("A deployment: {}.", costs.join(", "))
}
