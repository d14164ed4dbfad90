use serde_json::json;

use super::{Json, Page, Paint, Verbosity, View, history::ids, object};
use crate::{
    ops::{RebaseReport, RecoveredReport},
    plan::Rebase,
    report::{Style, count},
};

impl RebaseReport {
    fn moved(&self, rebase: &Rebase, paint: Paint, verbosity: Verbosity) -> Page {
        let verb = if self.dry_run { "Would move" } else { "Moved" };
        let moved = count(rebase.moved.len(), "revision");
        let mut page = Page::of(format!("{verb} {moved} onto {}:", rebase.onto));
        let lengths = rebase.moved.iter().map(|moved| moved.from.as_str().len());
        let width = lengths.max().unwrap_or(0);
        for moved in &rebase.moved {
            let from = paint.paint(Style::Dim, format!("{:<width$}", moved.from.as_str()));
            let to = paint.paint(Style::Id, &moved.to);
            page.row(format!("  {from} -> {to}  {}", moved.message));
        }
        for file in &rebase.files {
            if file.from == file.to {
                page.row(format!("  {}: depends-on updated", file.to));
            } else if verbosity == Verbosity::Verbose {
                let change = format!("  {} -> {}", file.from, file.to);
                page.row(paint.paint(Style::Dim, change));
            }
        }
        if rebase.heads.len() > 1 {
            let heads = ids(&rebase.heads).join(", ");
            let left = format!("{} heads remain: {heads}", rebase.heads.len());
            page.sentence(paint.paint(Style::Warning, left));
        }
        page
    }
}

impl View for RebaseReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let Some(rebase) = &self.rebase else {
            let revision = &self.revision;
            return Page::of(format!(
                "Nothing to move: revision {revision} is already on the head."
            ));
        };
        let mut page = self.moved(rebase, paint, verbosity);
        if let Some(reason) = self.unasked
            && verbosity > Verbosity::Quiet
        {
            let reason = format!("The database was not checked for applied revisions ({reason}).");
            page.sentence(paint.paint(Style::Dim, reason));
        }
        if self.dry_run {
            page.sentence("Nothing was changed.");
        }
        page
    }

    fn has_changed(&self) -> bool {
        self.rebase.is_some() && !self.dry_run
    }

    fn json(&self) -> Json {
        let rebase = self.rebase.as_ref();
        let moved = rebase.into_iter().flat_map(|rebase| &rebase.moved);
        let moved = moved.map(|moved| {
            json!({
                "from": moved.from.as_str(),
                "to": moved.to.as_str(),
                "message": moved.message,
                "parents": ids(&moved.parents),
            })
        });
        let files = rebase.into_iter().flat_map(|rebase| &rebase.files);
        let files = files.map(|file| json!({ "from": file.from, "to": file.to }));
        object(json!({
            "onto": rebase.map(|rebase| rebase.onto.as_str()),
            "moved": moved.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
            "heads": rebase.map(|rebase| ids(&rebase.heads)),
            "recovered": false,
            "database_asked": self.unasked.is_none(),
            "dry_run": self.dry_run,
        }))
    }
}

impl View for RecoveredReport {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let mut page = Page::of("Completed the interrupted operation. Nothing else was done.");
        for (from, to) in &self.files {
            let change = match (from, to) {
                (None, to) => format!("{} (new)", to.as_deref().unwrap_or_default()),
                (Some(from), None) => format!("{from} (removed)"),
                (Some(from), Some(to)) if from == to => format!("{to} (changed)"),
                (Some(from), Some(to)) => format!("{from} -> {to}"),
            };
            page.row(format!("  {}", paint.paint(Style::Dim, change)));
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        let files = self.files.iter();
        let files = files.map(|(from, to)| json!({ "from": from, "to": to }));
        object(json!({
            "recovered": true,
            "files": files.collect::<Vec<_>>(),
        }))
    }
}
