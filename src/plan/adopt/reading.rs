//! Matches another tool's records with the revisions of a directory.

use std::collections::{HashMap, HashSet};

use super::{AdoptDoubt, AdoptError};
use crate::{
    layout::{
        ExternalEntry, ExternalRecords, ExternalTool, Layout, alembic_id, checksum_matches,
        drizzle_id, revision_id,
    },
    revision::{History, Revision, RevisionId, Script},
};

/// The result of matching a tool's records with the revisions of a directory.
pub(in crate::plan) struct Reading<'a> {
    history: &'a History,
    records: &'a ExternalRecords,
    /// Applied revisions, each with its entry if it has one.
    pub applied: HashMap<RevisionId, Option<&'a ExternalEntry>>,
    /// Revisions that stopped partway.
    failed: HashSet<RevisionId>,
    pub doubts: Vec<AdoptDoubt>,
}

impl<'a> Reading<'a> {
    pub fn new(history: &'a History, records: &'a ExternalRecords) -> Self {
        Self {
            history,
            records,
            applied: HashMap::new(),
            failed: HashSet::new(),
            doubts: Vec::new(),
        }
    }

    /// Returns the number of revisions that the records name. Call it after `read`.
    pub fn named(&self) -> usize {
        self.applied.len() + self.failed.len()
    }

    pub fn read(&mut self) -> Result<(), AdoptError> {
        let entries = &self.records.entries;
        match self.records.tool {
            ExternalTool::GolangMigrate => return self.read_version(entries),
            ExternalTool::Goose => self.read_goose(entries),
            ExternalTool::Flyway => self.read_flyway(entries),
            ExternalTool::Alembic => self.read_heads(entries),
            ExternalTool::Prisma => self.read_prisma(entries),
            ExternalTool::Sqlx
            | ExternalTool::Dbmate
            | ExternalTool::Rails
            | ExternalTool::Diesel
            | ExternalTool::Refinery
            | ExternalTool::SqlMigrate
            | ExternalTool::Drizzle
            | ExternalTool::Knex
            | ExternalTool::NodePgMigrate => {
                for entry in entries {
                    self.take(entry);
                }
            }
        }
        Ok(())
    }

    /// Reads the row of one migration.
    fn take(&mut self, entry: &'a ExternalEntry) {
        match self.find(entry) {
            _ if !entry.whole => self.fail(entry),
            Some(revision) => {
                self.applied.insert(revision.id.clone(), Some(entry));
            }
            None => self.unknown(entry),
        }
    }

    /// Reads the only row: the version, up to which everything is applied. A dirty version may also
    /// mean that the down script of the next version failed.
    fn read_version(&mut self, entries: &'a [ExternalEntry]) -> Result<(), AdoptError> {
        let entry = match entries {
            [] => return Ok(()),
            [entry] => entry,
            several => {
                return Err(AdoptError::SeveralVersions {
                    table: self.records.table.clone(),
                    found: several.len(),
                });
            }
        };
        match self.find(entry) {
            _ if !entry.whole => self.fail(entry),
            Some(_) => {}
            None => self.unknown(entry),
        }
        let Some(version) = self.id(entry) else {
            return Ok(());
        };
        let below = self
            .history
            .by_id()
            .filter(|revision| revision.id < version || (revision.id == version && entry.whole));
        self.applied
            .extend(below.map(|revision| (revision.id.clone(), None)));
        Ok(())
    }

    /// Reads events, one per row: the last one of each version counts. Version 0 is the empty
    /// database.
    fn read_goose(&mut self, entries: &'a [ExternalEntry]) {
        let mut last: Vec<&ExternalEntry> = Vec::new();
        for entry in entries {
            last.retain(|earlier| earlier.id != entry.id);
            last.push(entry);
        }
        let applied = last.into_iter().filter(|entry| entry.whole);
        for entry in applied.filter(|entry| entry.id.as_deref() != Some("0")) {
            self.take(entry);
        }
    }

    /// Reads events of several kinds, one per row.
    fn read_flyway(&mut self, entries: &'a [ExternalEntry]) {
        let mut last: Vec<&ExternalEntry> = Vec::new();
        let mut baseline = None;
        // Rows of repeatable scripts and schema creation have no version.
        for entry in entries.iter().filter(|entry| entry.id.is_some()) {
            let kind = entry.kind.as_deref().unwrap_or_default();
            if kind.ends_with("BASELINE") || kind == "INIT" {
                baseline = baseline.max(self.id(entry));
                continue;
            }
            last.retain(|earlier| earlier.id != entry.id);
            let is_gone = kind == "DELETE" || (kind.starts_with("UNDO") && entry.whole);
            if !is_gone {
                last.push(entry);
            }
        }
        if let Some(baseline) = baseline {
            let baseline = trimmed(&baseline);
            let below = self.history.by_id();
            let below = below.filter(|one| trimmed(&one.id) <= baseline);
            self.applied
                .extend(below.map(|revision| (revision.id.clone(), None)));
        }
        for entry in last {
            self.take(entry);
        }
    }

    /// A row an attempt: one that was rolled back does not count, and one that was not finished failed.
    fn read_prisma(&mut self, entries: &'a [ExternalEntry]) {
        for entry in entries.iter().filter(|entry| entry.kind.is_none()) {
            match entry.at {
                Some(_) => self.take(entry),
                None => self.fail(entry),
            }
        }
    }

    /// A row a head, with all that is below it.
    fn read_heads(&mut self, entries: &'a [ExternalEntry]) {
        let mut heads = Vec::new();
        for entry in entries {
            match self.find(entry) {
                Some(revision) => heads.push(revision.id.clone()),
                None => self.unknown(entry),
            }
        }
        let below = self.history.closure(&heads).into_iter();
        self.applied
            .extend(below.map(|revision| (revision.id.clone(), None)));
    }

    /// Compares checksums if the files are the tool's own, and returns how many were compared.
    pub fn compare_checksums(&mut self, layout: Layout) -> usize {
        // Script pairs of sqlx are named like migrator's own.
        let own = match (self.records.tool, layout) {
            (ExternalTool::Sqlx, Layout::Native) => is_untouched,
            (tool, _) if tool.layout() == Some(layout) => |_: &Script| true,
            _ => return 0,
        };
        let mut compared = 0;
        for revision in self.history.in_order() {
            let entry = self.applied.get(&revision.id).copied().flatten();
            let Some(recorded) = entry.and_then(|entry| entry.checksum.as_deref()) else {
                continue;
            };
            let (up, tool) = (&revision.up, self.records.tool);
            if !own(up) {
                continue;
            }
            let matches = checksum_matches(tool, recorded, file_name(revision), &up.text);
            compared += usize::from(matches.is_some());
            if matches == Some(false) {
                self.doubts.push(AdoptDoubt::Changed {
                    revision: revision.id.clone(),
                    file: up.file.clone(),
                    table: self.records.table.clone(),
                });
            }
        }
        compared
    }

    pub fn look_for_gaps(&mut self) {
        let ids: Vec<_> = self.applied.keys().cloned().collect();
        for revision in self.history.closure(&ids) {
            let id = &revision.id;
            if self.applied.contains_key(id) || self.failed.contains(id) {
                continue;
            }
            let above = self.history.descendants(std::slice::from_ref(id));
            let above = above.iter().find(|one| self.applied.contains_key(&one.id));
            self.doubts.extend(above.map(|above| AdoptDoubt::Gap {
                revision: id.clone(),
                file: revision.up.file.clone(),
                above: above.id.clone(),
                table: self.records.table.clone(),
            }));
        }
    }

    fn fail(&mut self, entry: &ExternalEntry) {
        let revision = self.find(entry).map(|revision| {
            let id = revision.id.clone();
            (id, revision.up.file.clone())
        });
        if let Some((id, _)) = &revision {
            self.failed.insert(id.clone());
            self.applied.remove(id);
        }
        self.doubts.push(AdoptDoubt::Failed {
            entry: label(entry),
            table: self.records.table.clone(),
            revision,
        });
    }

    fn unknown(&mut self, entry: &ExternalEntry) {
        self.doubts.push(AdoptDoubt::Unknown {
            entry: label(entry),
            table: self.records.table.clone(),
        });
    }

    fn id(&self, entry: &ExternalEntry) -> Option<RevisionId> {
        revision_id(self.records.tool, entry.id.as_deref()?)
    }

    fn find(&self, entry: &ExternalEntry) -> Option<&'a Revision> {
        let mut all = self.history.by_id();
        if self.records.tool == ExternalTool::Alembic {
            let id = entry.id.as_deref()?;
            return all.find(|revision| alembic_id(&revision.up.text) == Some(id));
        }
        if self.records.tool == ExternalTool::Drizzle {
            let hash = entry.id.as_deref()?;
            return all.find(|revision| drizzle_id(&revision.up.text) == hash);
        }
        let id = self.id(entry)?;
        let found = self.history.get(&id);
        if found.is_none() && self.records.tool == ExternalTool::Flyway {
            return all.find(|revision| trimmed(&revision.id) == trimmed(&id));
        }
        found
    }
}

/// Removes trailing zeros: Flyway treats `1.0` as `1`.
fn trimmed(id: &RevisionId) -> RevisionId {
    let mut text = id.as_str();
    while let Some((rest, last)) = text.rsplit_once('.')
        && last.bytes().all(|digit| digit == b'0')
    {
        text = rest;
    }
    text.parse().unwrap_or_else(|_| id.clone())
}

/// Returns whether the script has no migrator header, so that its text can match the tool's
/// checksum.
fn is_untouched(script: &Script) -> bool {
    !script.text.contains("-- migrator:")
}

/// Returns the file name of the revision's up script, without its directory.
fn file_name(revision: &Revision) -> &str {
    let file = revision.up.file.as_str();
    file.rsplit_once('/').map_or(file, |(_, name)| name)
}

/// Returns the tool's name for the migration.
fn label(entry: &ExternalEntry) -> String {
    match (&entry.id, &entry.name) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => "without a name".to_owned(),
    }
}
