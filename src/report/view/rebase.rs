use serde_json::json;

use super::{Json, Paint, Verbosity, View, history::ids, object};
use crate::{
    ops::{RebaseReport, RecoveredReport},
    plan::Rebase,
    report::{Style, count},
};

impl RebaseReport {
    fn moved_text(&self, rebase: &Rebase, paint: Paint, verbosity: Verbosity) -> String {
        let verb = if self.dry_run { "Would move" } else { "Moved" };
        let moved = count(rebase.moved.len(), "revision");
        let mut text = format!("{verb} {moved} onto {}:\n", rebase.onto);
        let lengths = rebase.moved.iter().map(|moved| moved.from.as_str().len());
        let width = lengths.max().unwrap_or(0);
        for moved in &rebase.moved {
            let from = paint.paint(Style::Dim, format!("{:<width$}", moved.from.as_str()));
            let to = paint.paint(Style::Id, &moved.to);
            text.push_str(&format!("  {from} -> {to}  {}\n", moved.message));
        }
        for file in &rebase.files {
            if file.from == file.to {
                text.push_str(&format!("  {}: depends-on follows\n", file.to));
            } else if verbosity == Verbosity::Verbose {
                let change = format!("  {} -> {}\n", file.from, file.to);
                text.push_str(&paint.paint(Style::Dim, change));
            }
        }
        if rebase.heads.len() > 1 {
            let heads = ids(&rebase.heads).join(", ");
            let left = format!("There are still {} heads: {heads}\n", rebase.heads.len());
            text.push_str(&paint.paint(Style::Warning, left));
        }
        text
    }
}

impl View for RebaseReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let Some(rebase) = &self.rebase else {
            let revision = &self.revision;
            return format!("Revision {revision} is where it should be: nothing to move.\n");
        };
        let mut text = self.moved_text(rebase, paint, verbosity);
        if let Some(reason) = self.unasked
            && verbosity > Verbosity::Quiet
        {
            let reason = format!("No database was asked whether it is applied ({reason}).\n");
            text.push_str(&paint.paint(Style::Dim, reason));
        }
        if self.dry_run {
            text.push_str("Nothing was changed.\n");
        }
        text
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
    fn human(&self, paint: Paint, _: Verbosity) -> String {
        let mut text = "Completed what was interrupted. Nothing else was done.\n".to_owned();
        for (from, to) in &self.files {
            let change = match to {
                None => format!("{from} (removed)"),
                Some(to) if from == to => format!("{to} (changed)"),
                Some(to) => format!("{from} -> {to}"),
            };
            text.push_str(&format!("  {}\n", paint.paint(Style::Dim, change)));
        }
        text
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
