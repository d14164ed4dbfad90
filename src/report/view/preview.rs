use super::{Page, Paint};
use crate::{
    ops::{PlanReport, StampReport},
    plan::Step,
    report::{Style, count, count_steps},
    revision::{Direction, Subject},
    sql::{Dialect, dropped},
};

/// The maximum number of steps listed before a confirmation; the rest is counted.
const STEPS: usize = 20;

/// A pending change to a protected database.
#[derive(Clone, Debug, PartialEq)]
pub enum Preview {
    /// The plan of a downgrade or redo.
    Plan(PlanReport),
    /// The records that stamp would write.
    Stamp(StampReport),
}

impl Preview {
    /// The text before a confirmation: the direction, the revisions, and the objects that their
    /// scripts drop, as far as the text shows.
    pub fn page(&self, dialect: Dialect, paint: Paint) -> Page {
        match self {
            Self::Plan(report) => plan(report, dialect, paint),
            Self::Stamp(report) => Page::of(format!(
                "stamp goes from {} to {}: {} written, {} removed; no script runs.",
                report.from,
                report.to,
                count(report.written, "record"),
                report.removed,
            )),
        }
    }
}

fn plan(report: &PlanReport, dialect: Dialect, paint: Paint) -> Page {
    let steps = &report.plan.steps;
    if steps.is_empty() {
        return Page::of(format!("Nothing to do from {}.", report.from));
    }
    let is_down = |step: &&Step| step.direction() == Direction::Down;
    let subjects = |down: bool| -> Vec<&Subject> {
        let steps = steps.iter().filter(|step| is_down(step) == down);
        steps.map(|step| &step.subject).collect()
    };
    let (down, up) = (subjects(true), subjects(false));
    let again = match up.is_empty() {
        true => String::new(),
        false => format!(", then applies {}", count_steps(up)),
    };
    let reverted = count_steps(down);
    let mut page = Page::of(format!(
        "From {}, this reverts {reverted}{again}:",
        report.from
    ));
    let width = steps.iter().map(|step| step.subject.as_str().len()).max();
    let width = width.unwrap_or_default();
    for step in steps.iter().take(STEPS) {
        let verb = match step.direction() {
            Direction::Down => "revert",
            Direction::Up => "apply",
        };
        let id = paint.paint(Style::Id, format!("{:<width$}", step.subject.as_str()));
        page.row(format!("  {verb:<6}  {id}  {}", step.message));
        let drops = drops(step, dialect);
        if !drops.is_empty() {
            let drops = paint.paint(Style::Warning, format!("drops {}", drops.join(", ")));
            page.row(format!("          {drops}"));
        }
    }
    if steps.len() > STEPS {
        let more = steps.len() - STEPS;
        page.row(format!("  … and {more} more; --dry-run lists all of them"));
    }
    page
}

fn drops(step: &Step, dialect: Dialect) -> Vec<String> {
    let statements = step.statements.iter();
    let dropped = statements.flat_map(|statement| dropped(dialect, step.written(statement)));
    dropped
        .map(|it| format!("{} {}", it.kind, it.name))
        .collect()
}
