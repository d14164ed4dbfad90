use std::{collections::BTreeMap, fmt::Write, time::Duration};

use super::{grouped, scale::Scale, text};
use crate::{
    arrange::Arrange as _,
    ops::{Blocks, LockSpan, RehearseReport, RehearsedStatement},
    report::{
        count, duration,
        format::bytes,
        view::rehearse::words::{blocks_sentence, locked, work_sentence},
    },
    schema::Name,
};

/// The lanes of statements and locks along time, as a table of drawings; empty if nothing ran.
pub(super) fn draw(report: &RehearseReport) -> String {
    let statements: Vec<&RehearsedStatement> = statements(report).map(|(_, it)| it).collect();
    if statements.is_empty() {
        return String::new();
    }
    let times: Vec<Duration> = statements.iter().map(|it| it.elapsed).collect();
    let line = Line {
        report,
        scale: Scale::new(&times, report.has_rows()),
        firsts: firsts(report),
    };
    let mut out = String::from("<table class=\"lanes\">\n");
    line.axis(&mut out);
    out.push_str("<tbody>\n");
    line.statements(&mut out);
    for (table, spans) in lanes(&report.locks) {
        line.lane(&mut out, table, &spans);
    }
    out.push_str("</tbody>\n</table>\n");
    out
}

/// All statements with the numbers of their revisions.
fn statements(report: &RehearseReport) -> impl Iterator<Item = (usize, &RehearsedStatement)> {
    let revisions = report.revisions.iter().enumerate();
    revisions.flat_map(|(number, it)| it.statements.iter().map(move |it| (number, it)))
}

/// The numbers of the first statements of revisions, and that of all.
fn firsts(report: &RehearseReport) -> Vec<usize> {
    let mut firsts = vec![0];
    let mut sum = 0;
    for revision in &report.revisions {
        sum += revision.statements.len();
        firsts.push(sum);
    }
    firsts
}

/// The locks by table: those that others wait for longest come first.
fn lanes(locks: &[LockSpan]) -> Vec<(Option<&Name>, Vec<&LockSpan>)> {
    let mut lanes: BTreeMap<Option<&Name>, Vec<&LockSpan>> = BTreeMap::new();
    for span in locks {
        lanes.entry(span.table.as_ref()).or_default().push(span);
    }
    let mut lanes: Vec<(Option<&Name>, Vec<&LockSpan>)> = lanes.into_iter().collect();
    let weight = |spans: &[&LockSpan]| {
        let wait = |least: Blocks| -> Duration {
            let blocking = spans.iter().filter(|it| it.blocks >= least);
            blocking.map(|it| it.until - it.from).sum()
        };
        let strongest = spans.iter().map(|it| it.blocks).max();
        (strongest, wait(Blocks::Everything), wait(Blocks::Writes))
    };
    lanes.arrange_by_key(|(_, spans)| std::cmp::Reverse(weight(spans)));
    lanes
}

struct Line<'a> {
    report: &'a RehearseReport,
    scale: Scale,
    firsts: Vec<usize>,
}

impl Line<'_> {
    /// The revisions, and times.
    fn axis(&self, out: &mut String) {
        out.push_str("<thead>\n<tr><th scope=\"row\">Scripts</th><td>");
        let _ = write!(
            out,
            "<svg class=\"scripts\" width=\"100%\" height=\"{HEIGHT}\" role=\"group\" aria-label=\"Scripts\">"
        );
        for (number, revision) in self.report.revisions.iter().enumerate() {
            let (from, until) = self.bounds(number);
            let class = match &revision.failure {
                Some(_) => "band bad",
                None => "band",
            };
            let name = text(revision.subject.as_str());
            let shown = match until - from > 22.0 {
                true => format!("{} · {name}", number + 1),
                false => (number + 1).to_string(),
            };
            let _ = write!(
                out,
                "<a href=\"#r{id}\"><svg x=\"{from:.3}%\" width=\"{width:.3}%\" height=\"100%\">\
                 <title>{name} {message}</title><rect class=\"{class}\" width=\"100%\" height=\"100%\"/>\
                 <text x=\"50%\" y=\"15\">{shown}</text></svg></a>",
                id = number + 1,
                width = until - from,
                message = text(&revision.message),
            );
        }
        out.push_str("</svg></td></tr>\n");
        if self.report.has_rows() {
            out.push_str("<tr class=\"times\"><th scope=\"row\">Time</th><td>");
            let _ = write!(
                out,
                "<svg width=\"100%\" height=\"{HEIGHT}\" aria-hidden=\"true\">"
            );
            for (time, place) in self.scale.marks() {
                let anchor = if place < 2.0 { "start" } else { "middle" };
                let shown = match time.is_zero() {
                    true => "0".to_owned(),
                    false => duration(time),
                };
                let _ = write!(
                    out,
                    "<line x1=\"{place:.3}%\" x2=\"{place:.3}%\" y1=\"16\" y2=\"22\"/>\
                     <text x=\"{place:.3}%\" y=\"12\" text-anchor=\"{anchor}\">{shown}</text>"
                );
            }
            out.push_str("</svg></td></tr>\n");
        }
        out.push_str("</thead>\n");
    }

    /// Where a revision begins and ends.
    fn bounds(&self, revision: usize) -> (f64, f64) {
        let place = |at: usize| self.scale.begin(self.firsts[at]);
        (place(revision), place(revision + 1))
    }

    /// Begins a lane. Revisions are divided by lines.
    fn begin(&self, out: &mut String, name: &str, size: &str) {
        let _ = write!(
            out,
            "<tr><th scope=\"row\"><b>{name}</b><small>{size}</small></th><td>\
             <svg width=\"100%\" height=\"{HEIGHT}\" role=\"group\" aria-label=\"{name}\">"
        );
        for number in 1..self.report.revisions.len() {
            let (place, _) = self.bounds(number);
            let _ = write!(
                out,
                "<line class=\"cut\" x1=\"{place:.3}%\" x2=\"{place:.3}%\" y1=\"0\" y2=\"100%\"/>"
            );
        }
    }

    fn statements(&self, out: &mut String) {
        let number = count(self.firsts.last().copied().unwrap_or_default(), "statement");
        self.begin(out, "Statements", &number);
        for (at, (revision, statement)) in statements(self.report).enumerate() {
            let class = match statement.has_failed {
                true => "statement bad",
                false => "statement",
            };
            let about = self.about(revision, statement);
            let place = (self.scale.begin(at), self.scale.begin(at + 1));
            bar(out, class, place, &about);
        }
        out.push_str("</svg></td></tr>\n");
    }

    /// What a statement is, and what it did.
    fn about(&self, revision: usize, statement: &RehearsedStatement) -> String {
        let revision = &self.report.revisions[revision];
        let mut facts = vec![format!("{}, line {}", revision.subject, statement.line)];
        if self.report.has_rows() {
            facts.push(duration(statement.elapsed));
        }
        if statement.has_failed {
            facts.push("failed".to_owned());
        }
        facts.extend(statement.works.iter().map(work_sentence));
        format!("{}\n{}", facts.join(", "), cut(&statement.sql))
    }

    /// The locks on one table.
    fn lane(&self, out: &mut String, table: Option<&Name>, spans: &[&LockSpan]) {
        let size = table.and_then(|table| self.report.sizes.get(table));
        let size = size.map_or_else(String::new, |size| {
            let rows = format!("{} rows", grouped(size.rows));
            match size.pages {
                0 => rows,
                pages => format!("{rows}, {}", bytes(pages * 8192)),
            }
        });
        self.begin(out, &text(&locked(table)), &size);
        for span in spans {
            let class = match span.blocks {
                Blocks::Nothing => "lock nothing",
                Blocks::Rows => "lock rows",
                Blocks::Writes => "lock writes",
                Blocks::Everything => "lock everything",
            };
            let first = self.firsts[span.revision] + span.statement;
            let place = (self.scale.begin(first), self.scale.end(span.until));
            bar(out, class, place, &self.held(span));
        }
        out.push_str("</svg></td></tr>\n");
    }

    /// What a lock is, and which statement takes it.
    fn held(&self, span: &LockSpan) -> String {
        let revision = &self.report.revisions[span.revision];
        let statement = &revision.statements[span.statement];
        let mode = span.mode.map_or_else(String::new, |it| format!(" {it},"));
        let time = match self.report.has_rows() {
            true => format!(" for {}", duration(span.until - span.from)),
            false => String::new(),
        };
        format!(
            "{}:{mode} {}{time}\ntaken in line {} of {}:\n{}",
            locked(span.table.as_ref()),
            blocks_sentence(span.blocks),
            statement.line,
            revision.file,
            cut(&statement.sql),
        )
    }
}

/// A bar that can be pointed at and reached by the keyboard. It is higher the more it blocks.
fn bar(out: &mut String, class: &str, (from, until): (f64, f64), about: &str) {
    let height = match class {
        "lock nothing" => 6,
        "lock rows" => 10,
        "lock everything" => 18,
        _ => 14,
    };
    let y = (HEIGHT - height) / 2;
    let _ = write!(
        out,
        "<rect class=\"{class}\" x=\"{from:.3}%\" width=\"{:.3}%\" y=\"{y}\" height=\"{height}\" rx=\"2\" tabindex=\"0\" role=\"img\">\
         <title>{}</title></rect>",
        (until - from).max(0.1),
        text(about)
    );
}

/// The height of a lane in pixels.
const HEIGHT: u32 = 22;

/// The most characters of a statement.
const MOST: usize = 600;

/// The beginning of a statement.
fn cut(sql: &str) -> String {
    match sql.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &sql[..at]),
        None => sql.to_owned(),
    }
}
