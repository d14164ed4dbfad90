//! What `fleet upgrade` and `fleet downgrade` did, or would do.

use serde_json::{Value, json};

use super::{
    super::{Json, Page, Paint, Verbosity, View, object},
    causes, causes_json, facts, name_of, target_names,
};
use crate::{
    fleet::{Outcome, Target, TargetLine},
    ops::{FleetEnded, FleetPlanReport, FleetRunReport, fleet_millis},
    report::{Style, count, duration, fleet::names},
    revision::Direction,
};

/// The result of `fleet upgrade` and `fleet downgrade`.
pub struct FleetRunView<'a> {
    /// The result.
    pub report: &'a FleetRunReport,
    /// The targets of the fleet.
    pub targets: &'a [Target],
    /// The lines of the targets, unless they were printed before.
    pub lines: Vec<Value>,
}

/// The account of one target.
pub fn target_json(target: &Target, line: &TargetLine) -> Value {
    let reason = line.reason.as_ref();
    json!({
        "name": target.name,
        "group": target.group,
        "from": line.from,
        "to": line.to,
        "ms": fleet_millis(line),
        "outcome": line.outcome.as_str(),
        "code": reason.map(|it| it.code),
        "place": reason.and_then(|it| it.place.as_deref()),
        "message": reason.map(|it| it.message.as_str()),
    })
}

fn ended(ended: FleetEnded) -> (&'static str, &'static str) {
    match ended {
        FleetEnded::Stopped => ("stopped", "the run was stopped"),
        FleetEnded::Closed => ("deadline", "the time for it was over"),
        FleetEnded::Canary => ("canary", "a canary failed"),
        FleetEnded::Failures => ("max_failures", "too many targets failed"),
    }
}

impl FleetRunView<'_> {
    /// Tells of targets that were not upgraded.
    fn left(&self, paint: Paint, fact: &mut dyn FnMut(&str, Vec<String>)) {
        let report = self.report;
        let tally = &report.tally;
        if tally.skipped > 0 {
            let mut lines = vec![format!("{}: they do not exist", tally.skipped)];
            lines.extend(causes(tally, Outcome::Skipped, self.targets, true));
            fact("Skipped", lines);
        }
        if tally.failed > 0 {
            let mut lines = vec![paint.paint(Style::Bad, tally.failed.to_string())];
            lines.extend(causes(tally, Outcome::Failed, self.targets, false));
            fact("Failed", lines);
        }
        if tally.not_started > 0 {
            let why = report
                .ended
                .map(|it| format!(": {}", ended(it).1))
                .unwrap_or_default();
            fact(
                "Not started",
                vec![paint.paint(Style::Warning, format!("{}{why}", tally.not_started))],
            );
        }
    }
}

impl View for FleetRunView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        if verbosity == Verbosity::Quiet {
            return page;
        }
        let report = self.report;
        let tally = &report.tally;
        let mut fact = |name: &str, values: Vec<String>| facts(&mut page, paint, name, values);
        let fleet = format!("{} ({})", report.environment, count(tally.total, "target"));
        fact("Fleet", vec![fleet]);
        let (done, steps) = match report.direction {
            Direction::Up => ("Upgraded", "step"),
            Direction::Down => ("Downgraded", "step"),
        };
        let text = format!("{} ({})", tally.done, count(tally.steps, steps));
        let style = if tally.done > 0 {
            Style::Good
        } else {
            Style::Dim
        };
        fact(done, vec![paint.paint(style, text)]);
        fact("Up to date", vec![tally.current.to_string()]);
        let mut fact = |name: &str, values: Vec<String>| facts(&mut page, paint, name, values);
        self.left(paint, &mut fact);
        let warnings = report.warnings.iter().map(|warning| {
            let names = names(&warning.targets, &name_of(self.targets));
            paint.paint(Style::Warning, format!("{} ({names})", warning.text))
        });
        fact("Warnings", warnings.collect());
        fact("Time", vec![duration(report.elapsed)]);
        page
    }

    fn has_changed(&self) -> bool {
        self.report.tally.steps > 0
    }

    fn json(&self) -> Json {
        let report = self.report;
        let tally = &report.tally;
        let warnings = report.warnings.iter().map(|warning| {
            json!({
                "message": warning.text,
                "targets": target_names(self.targets, &warning.targets),
            })
        });
        let mut fields = object(json!({
            "environment": report.environment,
            "direction": report.direction.as_str(),
            "targets": tally.total,
            "done": tally.done,
            "current": tally.current,
            "skipped": tally.skipped,
            "failed": tally.failed,
            "not_started": tally.not_started,
            "steps": tally.steps,
            "ended": report.ended.map(|it| ended(it).0),
            "causes": causes_json(tally, self.targets),
            "warnings": warnings.collect::<Vec<_>>(),
            "ms": (report.elapsed.as_secs_f64() * 1e6).round() / 1e3,
        }));
        if !self.lines.is_empty() {
            fields.insert("lines".to_owned(), json!(self.lines));
        }
        fields
    }
}

/// The result of `fleet upgrade --dry-run` and `fleet downgrade --dry-run`.
pub struct FleetPlanView<'a> {
    /// The result.
    pub report: &'a FleetPlanReport,
    /// The targets of the fleet.
    pub targets: &'a [Target],
}

impl View for FleetPlanView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let report = self.report;
        let mut page = Page::default();
        let fleet = format!(
            "{} ({})",
            report.environment,
            count(report.targets, "target")
        );
        facts(&mut page, paint, "Fleet", vec![fleet]);
        facts(
            &mut page,
            paint,
            "Up to date",
            vec![report.current.to_string()],
        );
        let mut missing = causes(&report.tally, Outcome::Skipped, self.targets, true);
        if report.tally.skipped > 0 {
            missing.insert(0, format!("{}: they do not exist", report.tally.skipped));
        }
        facts(&mut page, paint, "Skipped", missing);
        for one in &report.plans {
            page.blank();
            let names = names(&one.targets, &name_of(self.targets));
            let head = format!("In {}: {names}", count(one.targets.len(), "target"));
            page.sentence(paint.paint(Style::Strong, head));
            page.append(one.plan.human(paint, verbosity));
        }
        page
    }

    fn json(&self) -> Json {
        let report = self.report;
        let plans = report.plans.iter().map(|one| {
            let mut fields = one.plan.json();
            fields.remove("database");
            fields.remove("schema");
            fields.insert("from".to_owned(), json!(one.plan.from));
            fields.insert(
                "targets".to_owned(),
                json!(target_names(self.targets, &one.targets)),
            );
            Value::Object(fields)
        });
        object(json!({
            "environment": report.environment,
            "direction": report.direction.as_str(),
            "targets": report.targets,
            "current": report.current,
            "plans": plans.collect::<Vec<_>>(),
            "causes": causes_json(&report.tally, self.targets),
        }))
    }
}
