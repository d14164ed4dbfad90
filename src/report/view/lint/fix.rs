use serde_json::json;

use crate::{
    lint::Severity,
    ops::{FixReport, FixedFile},
    report::{Json, Page, Paint, Style, Verbosity, View, count, diff, view::object},
    revision::ScriptChange,
};

impl View for FixReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        if !self.written {
            for file in &self.files {
                diff::show_texts(&mut page, paint, file.before.is_none(), &change(file));
            }
            if !page.is_empty() {
                page.blank();
            }
        }
        for it in &self.fixed {
            let done = paint.paint(Style::Good, "fixed");
            let rules = it.rules.join(", ");
            let following = match &it.following {
                Some(id) => format!("; {} follows", paint.paint(Style::Id, id)),
                None => String::new(),
            };
            page.row(format!(
                "{done} {}:{}: {rules}{following}",
                it.file, it.line
            ));
        }
        for it in &self.left {
            let left = paint.paint(Style::Warning, "left");
            let rules = it.rules.join(", ");
            page.row(format!(
                "{left} {}:{}: {rules}: {}",
                it.file, it.line, it.reason
            ));
        }
        if self.written {
            for file in &self.files {
                let verb = match file.before {
                    Some(_) => "changed",
                    None => "created",
                };
                page.row(format!("{verb} {}", paint.paint(Style::Strong, &file.file)));
            }
        }
        if verbosity > Verbosity::Quiet {
            page.sentence(self.summary());
        }
        page
    }

    fn has_changed(&self) -> bool {
        self.written
    }

    fn json(&self) -> Json {
        let files = self.files.iter().map(|file| {
            json!({
                "file": file.file,
                "created": file.before.is_none(),
                "text": file.after,
            })
        });
        let fixed = self.fixed.iter().map(|it| {
            json!({
                "revision": it.revision.as_str(),
                "file": it.file,
                "line": it.line,
                "rules": it.rules,
                "following": it.following.as_ref().map(|id| id.as_str()),
            })
        });
        let left = self.left.iter().map(|it| {
            json!({
                "revision": it.revision.as_str(),
                "file": it.file,
                "line": it.line,
                "rules": it.rules,
                "reason": it.reason,
            })
        });
        object(json!({
            "written": self.written,
            "files": files.collect::<Vec<_>>(),
            "fixed": fixed.collect::<Vec<_>>(),
            "left": left.collect::<Vec<_>>(),
            "passed": self.after.passed(),
            "counts": {
                "error": self.after.count(Severity::Error),
                "warning": self.after.count(Severity::Warning),
                "note": self.after.count(Severity::Note),
            },
        }))
    }
}

impl FixReport {
    fn summary(&self) -> String {
        if self.fixed.is_empty() {
            return "Nothing was fixed.".to_owned();
        }
        let fixed = count(self.fixed.len(), "finding");
        let begin = match self.written {
            true => format!("Fixed {fixed}"),
            false => format!("Would fix {fixed}"),
        };
        let words = [(Severity::Error, "error"), (Severity::Warning, "warning")];
        let counts = words
            .map(|(severity, word)| (self.after.count(severity), word))
            .into_iter()
            .filter(|(found, _)| *found > 0)
            .map(|(found, word)| count(found, word));
        let counts: Vec<String> = counts.collect();
        let left = match counts.is_empty() {
            true => "nothing is left".to_owned(),
            false => format!("{} left", counts.join(", ")),
        };
        let end = match self.written {
            true => "",
            false => " Nothing was written.",
        };
        format!("{begin}; {left}. Proven in a scratch database.{end}")
    }
}

fn change(file: &FixedFile) -> ScriptChange {
    ScriptChange {
        file: file.file.clone(),
        applied: file.before.clone().unwrap_or_default(),
        now: file.after.as_str().into(),
    }
}
