use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Json, Page, Paint, Verbosity, View,
    history::{ids, subjects},
    object,
};
use crate::{
    execute::{Done, SlowStatement},
    ops::{PlanReport, RunReport, StampReport},
    plan::{Execution, Source, Step, Unit, UnitKind},
    report::{Style, count, count_steps, duration},
    revision::{Direction, RevisionId},
};

impl View for PlanReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let place = in_schema(&self.database, self.schema.as_deref());
        if self.plan.steps.is_empty() {
            return Page::of(format!("Nothing to do: {} is at {}.", place, self.from));
        }
        let verb = verb(self.plan.direction);
        let statements = self.plan.steps.iter().map(statements).sum();
        let mut page = Page::of(format!(
            "Would {verb} {} from {}: {}, {}.",
            place,
            self.from,
            count_steps(self.plan.steps.iter().map(|step| &step.subject)),
            count(statements, "statement"),
        ));
        let width = self
            .plan
            .steps
            .iter()
            .map(|step| step.subject.as_str().len())
            .max();
        let width = width.unwrap_or(0);
        for step in &self.plan.steps {
            let id = paint.paint(Style::Id, format!("{:<width$}", step.subject.as_str()));
            let about = paint.paint(Style::Dim, about(step));
            page.row(format!("  {id}  {}  {about}", step.message));
            if verbosity == Verbosity::Verbose {
                sql(&mut page, step, paint);
            }
        }
        page.sentence("Nothing was changed.");
        page
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "schema": self.schema,
            "direction": self.plan.direction.as_str(),
            "one_transaction": self.plan.one_transaction,
            "steps": self.plan.steps.iter().map(step_json).collect::<Vec<_>>(),
        }))
    }
}

/// A database with the schema that scripts run in, unless it is the usual one.
pub(super) fn in_schema(database: &str, schema: Option<&str>) -> String {
    match schema.filter(|schema| *schema != "public") {
        Some(schema) => format!("{database}, schema {schema},"),
        None => database.to_owned(),
    }
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    }
}

/// The number of statements to run. For a resumed script, these are the remaining ones.
pub(super) fn statements(step: &Step) -> usize {
    let done = step.resume.as_ref().map_or(0, |resume| resume.done);
    match &step.execution {
        Execution::Transaction(range) => range.len(),
        Execution::Units(units) => {
            let left = units.iter().skip(done);
            left.map(|unit| unit.statements.len()).sum()
        }
    }
}

pub(super) fn about(step: &Step) -> String {
    let mut about = count(statements(step), "statement");
    let done = step.resume.as_ref().map_or(0, |resume| resume.done);
    if let Execution::Units(units) = &step.execution {
        about.push_str(", run one by one");
        let repeated = |unit: &&Unit| matches!(unit.kind, UnitKind::Batch(_));
        match units.iter().skip(done).filter(repeated).count() {
            0 => {}
            number => about.push_str(&format!(", {number} in batches")),
        }
        if let Some(resume) = &step.resume {
            about.push_str(&match units.len() {
                total if resume.done == total => ", all of them done".to_owned(),
                total => format!(", resumes at statement {} of {total}", resume.done + 1),
            });
        }
    }
    if step.source == Source::Stored {
        about.push_str(", stored script");
    }
    about
}

pub(super) fn sql(page: &mut Page, step: &Step, paint: Paint) {
    let done = step.resume.as_ref().map_or(0, |resume| resume.done);
    let first = match &step.execution {
        Execution::Units(units) if done > 0 => units
            .get(done)
            .map_or(step.statements.len(), |unit| unit.statements.start),
        _ => 0,
    };
    for statement in step.statements.iter().skip(first) {
        page.painted_block("      ", step.written(statement), paint, Style::Dim);
    }
}

pub(super) fn step_json(step: &Step) -> Value {
    json!({
        "revision": step.subject.as_str(),
        "kind": step.subject.kind(),
        "message": step.message,
        "file": step.script.file,
        "stored_script": step.source == Source::Stored,
        "statements": statements(step),
        "statements_done": step.resume.as_ref().map(|resume| resume.done),
        "transaction": matches!(step.execution, Execution::Transaction(_)),
    })
}

impl View for RunReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let place = in_schema(&self.database, self.schema.as_deref());
        let elapsed = duration(self.elapsed);
        if self.interrupted {
            let middle = match &self.partial {
                Some(revision) => format!(" in the middle of {revision}"),
                None => String::new(),
            };
            return Page::of(format!(
                "{}{middle} after {} in {elapsed}; {} left. {} is at {}.",
                paint.paint(Style::Warning, "Stopped"),
                count_steps(self.done.iter().map(|done| &done.subject)),
                self.not_run.len() + usize::from(self.partial.is_some()),
                place,
                self.to,
            ));
        }
        if self.done.is_empty() {
            return Page::of(format!("Nothing to do: {} is at {}.", place, self.to));
        }
        let verb = match self.direction {
            Direction::Up => "Upgraded",
            Direction::Down => "Downgraded",
        };
        Page::of(format!(
            "{} {} from {} to {}: {} in {elapsed}.",
            paint.paint(Style::Good, verb),
            place,
            self.from,
            self.to,
            count_steps(self.done.iter().map(|done| &done.subject)),
        ))
    }

    fn has_changed(&self) -> bool {
        !self.done.is_empty() || self.partial.is_some()
    }

    fn json(&self) -> Json {
        let done: Vec<_> = self.done.iter().map(done_json).collect();
        object(json!({
            "database": self.database,
            "schema": self.schema,
            "direction": self.direction.as_str(),
            "current": ids(self.current.as_deref().unwrap_or_default()),
            "done": done,
            "not_run": subjects(&self.not_run),
            "interrupted": self.interrupted,
            "partial": self.partial.as_ref().map(RevisionId::as_str),
            "slow_statements": slow_json(&self.slow),
            "backup": self.backup,
            "backups_removed": self.backups_removed,
            "duration_ms": millis(self.elapsed),
        }))
    }
}

pub(super) fn slow_json(slow: &[SlowStatement]) -> Value {
    serde_json::to_value(slow).unwrap_or_default()
}

fn done_json(done: &Done) -> Value {
    let batches = done.batches.iter().map(|total| {
        json!({
            "statement": total.statement,
            "batches": total.batches,
            "rows": total.rows,
            "duration_ms": millis(total.elapsed),
        })
    });
    json!({
        "revision": done.subject.as_str(),
        "kind": done.subject.kind(),
        "duration_ms": millis(done.elapsed),
        "batches": batches.collect::<Vec<_>>(),
    })
}

pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

impl View for StampReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet && !self.dry_run {
            return Page::default();
        }
        let verb = if self.dry_run {
            "Would stamp".to_owned()
        } else {
            paint.paint(Style::Good, "Stamped")
        };
        Page::of(format!(
            "{verb} {} from {} to {}: {} written, {} removed. The schema was not changed.",
            self.database,
            self.from,
            self.to,
            count(self.written, "record"),
            self.removed,
        ))
    }

    fn has_changed(&self) -> bool {
        !self.dry_run && self.written + self.removed > 0
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "current": ids(self.current.as_deref().unwrap_or_default()),
            "written": self.written,
            "removed": self.removed,
            "dry_run": self.dry_run,
        }))
    }
}
