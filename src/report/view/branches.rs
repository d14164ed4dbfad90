use serde_json::{Value, json};

use super::{
    Json, Page, Paint, Verbosity, View,
    history::{details, ids, width},
    object,
};
use crate::{
    ops::{BranchesReport, Lead, RevisionLine},
    report::Style,
};

impl Lead {
    fn json(&self) -> Value {
        let mut json = self.line.json();
        json["heads"] = json!(ids(&self.heads));
        json
    }

    fn human(&self, paint: Paint, width: usize) -> String {
        // A revision that is its own only head needs no mention of it.
        let itself = matches!(self.heads.as_slice(), [only] if *only == self.line.id);
        let to = if itself {
            String::new()
        } else {
            let heads = ids(&self.heads).join(", ");
            paint.paint(Style::Dim, format!("  -> {heads}"))
        };
        format!("{}{to}", self.line.human(paint, width))
    }
}

impl BranchesReport {
    fn all_lines(&self) -> impl Iterator<Item = &RevisionLine> {
        let points = self.forks.iter().map(|fork| &fork.point);
        let children = self.forks.iter().flat_map(|fork| &fork.children);
        let leads = children.chain(&self.labels).chain(&self.roots);
        points.chain(leads.map(|lead| &lead.line))
    }
}

impl View for BranchesReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let verbose = verbosity == Verbosity::Verbose;
        let width = width(self.all_lines());
        let mut page = Page::default();
        let mut add = |indent: &str, shown: String, line: &RevisionLine| {
            page.fact(indent, shown, indent.len() + width + 2);
            if verbose {
                details(&mut page, line, paint, indent.len() + width);
            }
        };
        for fork in &self.forks {
            add("", fork.point.human(paint, width), &fork.point);
            for child in &fork.children {
                add("  ", child.human(paint, width), &child.line);
            }
        }
        let mut leads = |title: &str, leads: &[Lead]| {
            if !leads.is_empty() {
                if !page.is_empty() {
                    page.blank();
                }
                page.sentence(paint.paint(Style::Strong, title));
            }
            for lead in leads {
                page.fact("  ", lead.human(paint, width), width + 4);
            }
        };
        leads("Labels", &self.labels);
        // A single root is not worth mentioning.
        if self.roots.len() > 1 || verbose {
            leads("Roots", &self.roots);
        }
        if page.is_empty() {
            page.sentence("The history has no branches.");
        }
        page
    }

    fn json(&self) -> Json {
        let forks = self.forks.iter().map(|fork| {
            let mut json = fork.point.json();
            let children = fork.children.iter().map(Lead::json);
            json["children"] = children.collect();
            json
        });
        let leads = |leads: &[Lead]| leads.iter().map(Lead::json).collect::<Vec<_>>();
        object(json!({
            "branch_points": forks.collect::<Vec<_>>(),
            "labels": leads(&self.labels),
            "roots": leads(&self.roots),
        }))
    }
}
