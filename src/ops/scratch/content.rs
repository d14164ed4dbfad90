//! Digests of what decides the content of scratch databases.

use sha2::{Digest, Sha256};

#[cfg(feature = "cli")]
use super::ScratchSeed;
#[cfg(feature = "cli")]
use crate::ops::SeedStatement;
use crate::{
    ops::{Project, Session},
    revision::{History, LAYOUT, Repeatable, Revision, Script, Target},
    sql::{self, Dialect, Vars},
};

/// A digest of everything in the project that decides the content of a database at `targets`.
pub(super) fn content<'a>(
    project: &'a Project,
    session: &Session,
    history: &History,
    targets: &[Target],
) -> Content<'a> {
    let settings = session.settings();
    let mut digest = Content::new(session.dialect(), &project.vars);
    digest.add(&LAYOUT.to_string());
    digest.add(&settings.version_table);
    for (name, value) in &settings.session {
        digest.add(name);
        digest.add(value);
    }
    let names: Option<Vec<&str>> = targets.iter().map(name).collect();
    let all: Vec<&Revision> = history.in_order().collect();
    let needed = match &names {
        Some(names) => {
            let ids = all.iter().map(|revision| &revision.id);
            let ids: Vec<_> = ids.filter(|id| names.contains(&id.as_str())).collect();
            history.closure(&ids.into_iter().cloned().collect::<Vec<_>>())
        }
        // A relative target depends on all revisions.
        None => all.clone(),
    };
    for target in targets.iter().filter(|_| names.is_none()) {
        digest.add(&target.to_string());
    }
    for revision in &needed {
        digest.revision(revision);
    }
    // Repeatable scripts run when nothing is pending.
    if needed.len() == all.len() {
        for repeatable in history.repeatables() {
            digest.repeatable(repeatable);
        }
    }
    digest
}

/// The ID in a target that names a revision by it.
fn name(target: &Target) -> Option<&str> {
    match target {
        Target::Name { text } => Some(text),
        _ => None,
    }
}

/// A digest that tells this project and database from others.
pub(super) fn project_digest(project: &Project, session: &Session) -> String {
    let mut digest = Content::new(session.dialect(), Vars::none());
    let (directory, _) = project.directory();
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    digest.add(&directory.display().to_string());
    digest.add(&session.location().address());
    digest.finish()
}

/// A digest in the making.
pub(super) struct Content<'a> {
    hash: Sha256,
    dialect: Dialect,
    vars: &'a Vars,
}

impl<'a> Content<'a> {
    fn new(dialect: Dialect, vars: &'a Vars) -> Self {
        Self {
            hash: Sha256::new(),
            dialect,
            vars,
        }
    }

    fn add(&mut self, part: &str) {
        self.hash.update((part.len() as u64).to_be_bytes());
        self.hash.update(part);
    }

    fn revision(&mut self, revision: &Revision) {
        self.add(revision.id.as_str());
        self.add(&revision.slug);
        self.script(&revision.up);
        // Records contain down scripts.
        match &revision.down {
            Some(down) => self.script(down),
            None => self.add(""),
        }
    }

    fn repeatable(&mut self, repeatable: &Repeatable) {
        self.add(&repeatable.id.to_string());
        self.script(&repeatable.script);
    }

    fn script(&mut self, script: &Script) {
        self.add(&script.text);
        let Some(how) = script.headers.placeholders else {
            return;
        };
        // What cannot be expanded is reported by the run.
        if let Ok(expanded) = sql::expand(self.dialect, &script.text, how, self.vars) {
            self.add(&expanded.text);
        }
    }

    /// Adds what decides the rows.
    #[cfg(feature = "cli")]
    pub fn seeded(mut self, seed: Option<&ScratchSeed>, statements: &[SeedStatement]) -> Self {
        let Some(seed) = seed else { return self };
        // Another version may make other rows.
        self.add(env!("CARGO_PKG_VERSION"));
        self.add(&seed.number.to_string());
        for statement in statements {
            self.add(&statement.sql);
        }
        self
    }

    /// The digest.
    pub fn finish(self) -> String {
        format!("{:x}", self.hash.finalize())
    }
}
