use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object, repair::NOT_STORED};
use crate::{
    ops::{
        ChangedSince, CurrentReport, Differences, HistoryReport, Mark, RevisionLine, ShowReport,
        Unasked,
    },
    report::{Diff, Style, batches::so_far, duration},
    revision::{Ending, Partial, RevisionId, ScriptChange, State, Subject},
};

impl Mark {
    fn text(&self) -> String {
        match self {
            Self::Head => "head".to_owned(),
            Self::Current => "current".to_owned(),
            Self::Label(label) => format!("@{label}"),
            Self::Unknown => "not in this directory".to_owned(),
            Self::Partial => "partially applied".to_owned(),
            Self::Applied => "applied".to_owned(),
            Self::Pending => "pending".to_owned(),
            Self::Contract => "contract".to_owned(),
        }
    }

    fn style(&self) -> Style {
        match self {
            Self::Head | Self::Current => Style::Good,
            Self::Label(_) => Style::Strong,
            Self::Unknown | Self::Partial => Style::Bad,
            Self::Applied => Style::Dim,
            Self::Pending | Self::Contract => Style::Warning,
        }
    }
}

impl RevisionLine {
    pub(super) fn human(&self, paint: Paint, width: usize) -> String {
        let id = paint.paint(Style::Id, format!("{:<width$}", self.id.as_str()));
        let mut line = format!("{id}  {}", self.message);
        if !self.marks.is_empty() {
            let marks: Vec<_> = self
                .marks
                .iter()
                .map(|mark| paint.paint(mark.style(), mark.text()))
                .collect();
            line.push_str(&format!("  ({})", marks.join(", ")));
        }
        if self.show_parents {
            line.push_str(&paint.paint(Style::Dim, format!("  <- {}", parents(&self.parents))));
        }
        line
    }

    pub(super) fn json(&self) -> Value {
        let has = |mark: &Mark| self.marks.contains(mark);
        let label = self.marks.iter().find_map(|mark| match mark {
            Mark::Label(label) => Some(label),
            _ => None,
        });
        let states = [
            (Mark::Current, "current"),
            (Mark::Applied, "applied"),
            (Mark::Partial, "partial"),
            (Mark::Pending, "pending"),
        ];
        let mut line = json!({
            "revision": self.id.as_str(),
            "message": self.message,
            "parents": ids(&self.parents),
            "depends_on": ids(&self.depends_on),
            "label": label,
            "head": has(&Mark::Head),
            "phase": has(&Mark::Contract).then_some("contract"),
            "file": self.file,
        });
        // Shown if the database was read.
        if let Some((_, state)) = states.iter().find(|(mark, _)| has(mark)) {
            line["state"] = json!(state);
        }
        line
    }
}

pub(super) fn ids(ids: &[RevisionId]) -> Vec<&str> {
    ids.iter().map(RevisionId::as_str).collect()
}

pub(super) fn subjects(subjects: &[Subject]) -> Vec<&str> {
    subjects.iter().map(Subject::as_str).collect()
}

fn parents(parents: &[RevisionId]) -> String {
    if parents.is_empty() {
        "base".to_owned()
    } else {
        ids(parents).join(", ")
    }
}

pub(super) fn width<'a>(lines: impl IntoIterator<Item = &'a RevisionLine>) -> usize {
    let lengths = lines.into_iter().map(|line| line.id.as_str().len());
    lengths.max().unwrap_or(0)
}

fn listing(lines: &[RevisionLine], paint: Paint, verbosity: Verbosity) -> Page {
    let width = width(lines);
    let mut page = Page::default();
    for line in lines {
        page.fact("", line.human(paint, width), width + 2);
        if verbosity == Verbosity::Verbose {
            details(&mut page, line, paint, width);
        }
    }
    page
}

/// The details of a revision below its message, for `-v`.
pub(super) fn details(page: &mut Page, line: &RevisionLine, paint: Paint, width: usize) {
    let mut detail = |name: &str, value: String| {
        page.row(paint.paint(Style::Dim, format!("{:width$}  {name} {value}", "")));
    };
    detail("revises", parents(&line.parents));
    if !line.depends_on.is_empty() {
        detail("depends on", ids(&line.depends_on).join(", "));
    }
    if let Some(file) = &line.file {
        detail("file", file.clone());
    }
}

impl View for HistoryReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if self.lines.is_empty() {
            return Page::of(match self.is_range {
                true => "No revisions in that range.",
                false => "No revisions.",
            });
        }
        listing(&self.lines, paint, verbosity)
    }

    fn json(&self) -> Json {
        object(json!({
            "revisions": self.lines.iter().map(RevisionLine::json).collect::<Vec<_>>(),
        }))
    }
}

impl View for CurrentReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if self.lines.is_empty() {
            return Page::of("base (nothing is applied)");
        }
        listing(&self.lines, paint, verbosity)
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "current": self.lines.iter().map(RevisionLine::json).collect::<Vec<_>>(),
            "at_heads": self.at_heads,
        }))
    }
}

impl ChangedSince {
    fn text(self) -> &'static str {
        match (self.up, self.down) {
            (false, false) => "unchanged since",
            (true, false) => "the up script was changed since then",
            (false, true) => "the down script was changed since then",
            (true, true) => "both scripts were changed since then",
        }
    }
}

impl ShowReport {
    fn id(&self) -> &str {
        let own = self.revision.as_ref().map(|revision| &revision.id);
        own.or(self.applied.as_ref().map(|row| &row.revision))
            .map_or("", RevisionId::as_str)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if let Some(revision) = &self.revision {
            facts.push(("Message", revision.message.clone()));
            facts.push(("Revises", parents(&revision.parents)));
            let children = ids(&self.children).join(", ");
            facts.push((
                "Revised by",
                if children.is_empty() {
                    "none (head)".into()
                } else {
                    children
                },
            ));
            if !revision.depends_on.is_empty() {
                facts.push(("Depends on", ids(&revision.depends_on).join(", ")));
            }
            if let Some(label) = &revision.label {
                facts.push(("Label", label.clone()));
            }
            facts.push(("Up", revision.up.file.clone()));
            let irreversible = revision.up.headers.irreversible.as_deref();
            facts.push((
                "Down",
                match (&revision.down, irreversible) {
                    (Some(down), _) => down.file.clone(),
                    (None, Some(reason)) => format!("none, irreversible: {reason}"),
                    (None, None) => "none".to_owned(),
                },
            ));
        } else if let Some(row) = &self.applied {
            facts.push(("Message", row.message.clone()));
            facts.push(("Revises", parents(&row.parents)));
            facts.push(("Files", "not in this directory".to_owned()));
        }
        facts.push(("Applied", self.applied_text()));
        if let Some(partial) = self.partial() {
            let ending = partial.interruption.as_ref();
            let ending = ending.map_or_else(String::new, |found| found.ending.to_string());
            let known = so_far(partial);
            let known = known.into_iter().chain(ending.lines().map(str::to_owned));
            facts.extend(known.map(|fact| ("", fact)));
        }
        if let Some(changed) = self.changed {
            let Differences { up, down, .. } = &self.differences;
            let is_changed = changed.up || changed.down;
            let text = match !is_changed && (up.is_some() || down.is_some()) {
                true => "unchanged since, apart from comments and white space",
                false => changed.text(),
            };
            facts.push(("Scripts", text.to_owned()));
        }
        if self.differences.is_up_unknown {
            facts.push(("", NOT_STORED.to_owned()));
        }
        facts
    }

    /// The differences from what was applied.
    fn differences(&self, page: &mut Page, paint: Paint) {
        let Differences { up, down, all, .. } = &self.differences;
        for change in [up, down].into_iter().flatten() {
            let diff = Diff::of(self.id(), change);
            page.blank();
            match all {
                true => diff.show_all(page, paint),
                false => diff.show(page, paint),
            }
        }
    }

    /// The progress of a partially applied script.
    fn partial(&self) -> Option<&Partial> {
        match &self.applied.as_ref()?.state {
            State::Partial(partial) => Some(partial),
            State::Applied => None,
        }
    }

    fn applied_text(&self) -> String {
        let Some(row) = &self.applied else {
            return match &self.unasked {
                None => "no".to_owned(),
                Some(Unasked::NotConfigured) => "unknown (no database given)".to_owned(),
                Some(Unasked::Unreadable(_)) => "unknown (cannot read the database)".to_owned(),
            };
        };
        if let Some(partial) = self.partial() {
            return format!(
                "partially: {} of {} statements of the {} script are done",
                partial.statements_done, partial.statements_total, partial.direction
            );
        }
        let at = row
            .applied_at
            .unwrap_or(row.started_at)
            .format("%Y-%m-%d %H:%M:%S UTC");
        let took = u64::try_from(row.duration_ms).map(std::time::Duration::from_millis);
        format!(
            "{at} by {} in {}",
            row.applied_by,
            duration(took.unwrap_or_default())
        )
    }
}

impl View for ShowReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::of(paint.paint(Style::Id, format!("Revision {}", self.id())));
        for (name, value) in self.facts() {
            let name = paint.paint(Style::Dim, format!("{name:<10}"));
            page.fact(format!("  {name}  "), value, 14);
        }
        self.differences(&mut page, paint);
        if verbosity == Verbosity::Verbose
            && let Some(revision) = &self.revision
        {
            for script in [Some(&revision.up), revision.down.as_ref()]
                .into_iter()
                .flatten()
            {
                page.blank();
                page.exact(paint.paint(Style::Strong, &script.file));
                page.block("    ", script.alone().trim_end());
            }
        }
        page
    }

    fn json(&self) -> Json {
        let revision = self.revision.as_ref();
        object(json!({
            "revision": self.id(),
            "message": revision.map(|r| &r.message).or(self.applied.as_ref().map(|row| &row.message)),
            "parents": revision.map_or_else(
                || self.applied.as_ref().map(|row| ids(&row.parents)),
                |r| Some(ids(&r.parents))
            ),
            "children": ids(&self.children),
            "depends_on": revision.map(|r| ids(&r.depends_on)).unwrap_or_default(),
            "label": revision.and_then(|r| r.label.as_ref()),
            "head": self.head,
            "up": revision.map(|r| &r.up.file),
            "down": revision.and_then(|r| r.down.as_ref()).map(|down| &down.file),
            "irreversible": revision.and_then(|r| r.up.headers.irreversible.as_ref()),
            "applied": self.unasked.is_none().then_some(self.applied.is_some()),
            "applied_at": self.applied.as_ref().and_then(|row| row.applied_at).map(rfc3339),
            "changed_up": self.changed.map(|changed| changed.up),
            "changed_down": self.changed.map(|changed| changed.down),
            "diff_up": self.differences.up.as_ref().and_then(ScriptChange::unified),
            "diff_down": self.differences.down.as_ref().and_then(ScriptChange::unified),
            "applied_by": self.applied.as_ref().map(|row| &row.applied_by),
            "duration_ms": self.applied.as_ref().map(|row| row.duration_ms),
            "partial": self.applied.as_ref().map(|_| self.partial().is_some()),
            "statements_done": self.partial().map(|partial| partial.statements_done),
            "statements_total": self.partial().map(|partial| partial.statements_total),
            "error": self.partial().and_then(|partial| ending_json(partial).0),
            "in_doubt": self.partial().map(|partial| ending_json(partial).1),
        }))
    }
}

/// The error of the statement that stopped, and whether its outcome is unknown.
pub(super) fn ending_json(partial: &Partial) -> (Option<&str>, bool) {
    match partial.interruption.as_ref().map(|left| &left.ending) {
        Some(Ending::Failed(error)) => (Some(error), false),
        Some(Ending::Unknown) => (None, true),
        None => (None, false),
    }
}

pub(super) fn rfc3339(time: chrono::DateTime<chrono::Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
