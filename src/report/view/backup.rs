use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, change::millis, object};
use crate::{
    backup::{Backup, Kept, Manifest, OwnersCode, TargetState},
    ops::{BackupReport, BackupsReport, RestoreReport, VerifyBackupReport},
    report::{Style, bytes, count, duration, shell_word},
    sql::in_quotes,
};

impl View for BackupReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let manifest = &self.backup.manifest;
        let mut page = Page::of(format!(
            "{} {} to {}: {}, {} in {}.",
            paint.paint(Style::Good, "Backed up"),
            self.database,
            self.file,
            size(manifest),
            bytes(manifest.size),
            duration(self.elapsed),
        ));
        for removed in &self.removed {
            page.row(paint.paint(Style::Dim, format!("  removed {removed}")));
        }
        if !self.not_counted.is_empty() {
            let line = format!(
                "  {} from another or an unknown machine or server, not counted",
                count(self.not_counted.len(), "backup")
            );
            page.row(paint.paint(Style::Dim, line));
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({
            "backup": backup(&self.file, &self.backup),
            "removed": self.removed,
            "not_counted": self.not_counted,
            "duration_ms": millis(self.elapsed),
        }))
    }
}

impl View for BackupsReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if self.backups.is_empty() {
            return Page::of(format!("No backups in {}.", self.directory));
        }
        let revisions = self.backups.iter().map(|(_, it)| state(&it.manifest));
        let width = revisions.map(|it| it.chars().count()).max().unwrap_or(0);
        let mut page = Page::default();
        for (file, backup) in &self.backups {
            let manifest = &backup.manifest;
            let revision = format!("{:<width$}", state(manifest));
            let mark = if backup.is_whole {
                String::new()
            } else {
                paint.paint(Style::Bad, "  damaged")
            };
            page.row(format!(
                "{}  {}  {:>8}  {file}{mark}",
                manifest.made_at.format("%Y-%m-%d %H:%M"),
                paint.paint(Style::Id, revision),
                bytes(manifest.size),
            ));
            if verbosity == Verbosity::Verbose {
                let host = manifest.origin.as_ref();
                let host = host.map_or_else(String::new, |it| format!(" on {}", it.host));
                let about = format!(
                    "    {}{host}, {}; {}",
                    manifest.database,
                    size(manifest),
                    manifest.server
                );
                page.row(paint.paint(Style::Dim, about));
            }
        }
        page
    }

    fn json(&self) -> Json {
        let backups = self.backups.iter().map(|(file, it)| backup(file, it));
        object(json!({
            "directory": self.directory,
            "backups": backups.collect::<Vec<_>>(),
        }))
    }
}

impl View for VerifyBackupReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let mut page = Page::of(format!(
            "{} {}: restored with {}, identical to what was copied ({}).",
            paint.paint(Style::Good, "Verified"),
            self.file,
            size(&self.backup.manifest),
            duration(self.elapsed),
        ));
        if let Some(reason) = &self.unchecked {
            page.row(format!(
                "Its indexes cannot be checked here, without what only the application has: {reason}"
            ));
        }
        page
    }

    fn json(&self) -> Json {
        object(json!({
            "backup": backup(&self.file, &self.backup),
            "owners_code": owners_code(self.owners_code.as_ref()),
            "unchecked": self.unchecked,
            "duration_ms": millis(self.elapsed),
        }))
    }
}

impl RestoreReport {
    /// The name of the old database, and the command that drops it.
    fn old(&self) -> Option<(String, String)> {
        match (&self.kept, &self.kept_file) {
            (Kept::Nothing, _) => None,
            (Kept::File(path), shown) => {
                let name = shown.clone().unwrap_or_else(|| path.display().to_string());
                let command = format!("rm {}", shell_word(&name));
                Some((name, command))
            }
            (Kept::Database(name), _) => {
                let command = format!("DROP DATABASE {}", in_quotes(name));
                Some((name.clone(), command))
            }
        }
    }
}

impl View for RestoreReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let manifest = &self.backup.manifest;
        let mut page = Page::of(format!(
            "{} {} from {}: at {}, {}, in {}.",
            paint.paint(Style::Good, "Restored"),
            self.database,
            self.file,
            state(manifest),
            size(manifest),
            duration(self.elapsed),
        ));
        if let Some((name, command)) = self.old() {
            page.sentence(format!(
                "The old database is kept as {name}. To drop it: {command}"
            ));
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        let (kept, drop) = self.old().unzip();
        object(json!({
            "database": self.database,
            "backup": backup(&self.file, &self.backup),
            "before": match self.before {
                TargetState::Missing => "missing",
                TargetState::Empty => "empty",
                TargetState::Unchanged => "unchanged",
                TargetState::Changed => "changed",
            },
            "kept": kept,
            "drop_command": drop,
            "owners_code": owners_code(self.owners_code.as_ref()),
            "duration_ms": millis(self.elapsed),
        }))
    }
}

fn owners_code(code: Option<&OwnersCode>) -> Value {
    code.map_or(Value::Null, |code| {
        json!({
            "role": code.role,
            "superuser": code.superuser,
            "owners": code.owners,
        })
    })
}

/// The size of a backup: `3 tables, 1204 rows`.
fn size(manifest: &Manifest) -> String {
    let rows = usize::try_from(manifest.rows()).unwrap_or(usize::MAX);
    format!(
        "{}, {}",
        count(manifest.tables.len(), "table"),
        count(rows, "row")
    )
}

fn state(manifest: &Manifest) -> String {
    if manifest.revisions.is_empty() {
        return "base".to_owned();
    }
    manifest.revisions.join(" and ")
}

fn backup(file: &str, backup: &Backup) -> Value {
    let manifest = &backup.manifest;
    json!({
        "file": file,
        "number": manifest.number,
        "database": manifest.database,
        "host": manifest.origin.as_ref().map(|origin| &origin.host),
        "made_at": manifest.made_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "revisions": manifest.revisions,
        "sequence": manifest.sequence,
        "server": manifest.server,
        "tool": manifest.tool,
        "tables": manifest.tables,
        "schema": manifest.schema,
        "compression": manifest.compression,
        "size": manifest.size,
        "sha256": manifest.sha256,
        "whole": backup.is_whole,
    })
}
