use serde_json::json;

use super::{
    Json, Page, Paint, Verbosity, View,
    change::{about, millis, slow_json, sql, statements, step_json},
    history::{ids, subjects},
    object,
};
use crate::{
    ops::{PlanReport, RedoReport},
    plan::Step,
    report::{Style, count, duration},
    revision::{Direction, RevisionId},
};

/// The result of `redo --dry-run`.
#[derive(Clone, Debug, PartialEq)]
pub struct RedoPlanView(pub PlanReport);

impl View for RedoPlanView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let Self(report) = self;
        if report.plan.steps.is_empty() {
            return Page::of(format!(
                "Nothing to do: {} is at {}.",
                report.database, report.from
            ));
        }
        let statements = report.plan.steps.iter().map(statements).sum();
        let mut page = Page::of(format!(
            "Would redo {} at {}: {}, {}.",
            report.database,
            report.from,
            count(report.plan.downs(), "revision"),
            count(statements, "statement"),
        ));
        let widths = report
            .plan
            .steps
            .iter()
            .map(|step| step.subject.as_str().len());
        let width = widths.max().unwrap_or(0);
        for step in &report.plan.steps {
            let id = paint.paint(Style::Id, format!("{:<width$}", step.subject.as_str()));
            let about = paint.paint(Style::Dim, about(step));
            page.row(format!(
                "  {:<6}  {id}  {}  {about}",
                verb(step),
                step.message
            ));
            if verbosity == Verbosity::Verbose {
                sql(&mut page, step, paint);
            }
        }
        page.sentence("Nothing was changed.");
        page
    }

    fn json(&self) -> Json {
        let Self(report) = self;
        let (down, up) = report.plan.steps.split_at(report.plan.downs());
        object(json!({
            "database": report.database,
            "one_transaction": report.plan.one_transaction,
            "revert": down.iter().map(step_json).collect::<Vec<_>>(),
            "apply": up.iter().map(step_json).collect::<Vec<_>>(),
        }))
    }
}

fn verb(step: &Step) -> &'static str {
    match step.direction() {
        Direction::Down => "revert",
        Direction::Up => "apply",
    }
}

impl View for RedoReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let Self { database, to, .. } = self;
        let elapsed = duration(self.elapsed);
        if self.interrupted {
            let mut page = Page::of(format!(
                "{} in {elapsed}: {} reverted, {} applied again. {database} is at {to}.",
                paint.paint(Style::Warning, "Stopped"),
                self.reverted.len(),
                self.applied.len(),
            ));
            if let Some(partial) = &self.partial {
                page.sentence(format!("{partial} is partially applied."));
            }
            if !self.missing.is_empty() {
                let missing = ids(&self.missing).join(", ");
                page.sentence(format!("Reverted and not applied again: {missing}"));
            }
            return page;
        }
        if self.reverted.is_empty() {
            return Page::of(format!("Nothing to do: {database} is at {to}."));
        }
        Page::of(format!(
            "{} {} of {database} in {elapsed}; it is at {to}.",
            paint.paint(Style::Good, "Redid"),
            count(self.reverted.len(), "revision"),
        ))
    }

    fn has_changed(&self) -> bool {
        !self.reverted.is_empty() || self.partial.is_some()
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "current": ids(&self.current),
            "reverted": ids(&self.reverted),
            "applied": subjects(&self.applied),
            "missing": ids(&self.missing),
            "interrupted": self.interrupted,
            "partial": self.partial.as_ref().map(RevisionId::as_str),
            "slow_statements": slow_json(&self.slow),
            "duration_ms": millis(self.elapsed),
        }))
    }
}
