//! Writes the safe forms of statements.

mod draft;
mod plan;
mod prove;
mod text;

use std::{collections::HashSet, path::Path, sync::Arc};

pub use prove::Unproven;

use self::draft::Drafts;
use super::{LintArgs, LintReport};
use crate::{
    database::Detail,
    ops::{Error, LintedRevision, Project, Session, verify::selected},
    project::{self, Exchange},
    revision::{Revision, RevisionId},
    sql::Dialect,
};

/// Arguments of `lint --fix`.
#[derive(Clone, Default)]
pub struct FixArgs {
    /// What is looked at, and how.
    pub lint: LintArgs,
    /// Whether to write nothing.
    pub dry_run: bool,
}

/// The result of `lint --fix`.
#[derive(Debug)]
pub struct FixReport {
    /// The files that change, or that are new.
    pub files: Vec<FixedFile>,
    /// The findings that are gone.
    pub fixed: Vec<Fixed>,
    /// The findings with a fix that are left, with the reasons.
    pub left: Vec<Left>,
    /// What lint finds afterwards.
    pub after: LintReport,
    /// Whether the files were written.
    pub written: bool,
}

/// A file that changes, or that is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFile {
    /// The file, as named in messages.
    pub file: String,
    /// The text before; `None` if the file is new.
    pub before: Option<Arc<str>>,
    /// The text afterwards.
    pub after: String,
}

/// A finding that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The revision.
    pub revision: RevisionId,
    /// The file of the up script.
    pub file: String,
    /// The line of the statement before, from 1.
    pub line: u32,
    /// The names of the rules.
    pub rules: Vec<&'static str>,
    /// The revision that follows, if one was needed.
    pub following: Option<RevisionId>,
}

/// A finding with a fix that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The revision.
    pub revision: RevisionId,
    /// The file of the up script.
    pub file: String,
    /// The line of the statement, from 1.
    pub line: u32,
    /// The names of the rules.
    pub rules: Vec<&'static str>,
    /// The reason.
    pub reason: &'static str,
}

/// The reason why nothing was fixed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// All findings with a fix are in revisions that are applied.
    #[error("{} in {place}", applied(.revisions))]
    Applied {
        /// The revisions.
        revisions: Vec<RevisionId>,
        /// The database.
        place: String,
    },
    /// The fixed scripts are not better.
    #[error("the fixed scripts do not hold: {0}")]
    Unproven(Unproven),
}

fn applied(revisions: &[RevisionId]) -> String {
    match revisions {
        [only] => format!("revision {only} is applied"),
        all => {
            let ids: Vec<&str> = all.iter().map(RevisionId::as_str).collect();
            format!("the revisions {} are applied", ids.join(", "))
        }
    }
}

/// Why a finding in an applied revision is left.
const APPLIED: &str = "the revision is applied";

/// Writes the safe forms of the statements with findings into revisions that are not applied, all
/// files or none. The result was linted and verified in scratch databases before. Only reads the
/// configured database.
///
/// # Errors
/// Fails when the scripts or the database cannot be read, when all findings with a fix are in applied
/// revisions, and when the fixed scripts fail or still have the findings. Nothing is written then.
pub async fn fix(
    project: &Project,
    session: &mut Session,
    args: &FixArgs,
) -> Result<FixReport, Error> {
    let dialect = session.dialect();
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let observed = session.observe_or_empty(Detail::Brief).await?;
    let is_applied = |id: &RevisionId| observed.applied.iter().any(|row| row.revision == *id);
    let lint = &args.lint;
    let wanted = selected(project, session, lint.range.as_ref(), lint.only.as_ref()).await?;
    let before = super::lint(project, session, lint).await?;
    if before.interrupted {
        return Err(Error::Interrupted);
    }
    let mut planned = Planned::new(Drafts::new(project, &history, dialect));
    for linted in before.revisions.iter().filter(|it| plan::is_fixable(it)) {
        match history.get(&linted.revision) {
            Some(revision) if is_applied(&revision.id) => planned.refuse(linted),
            Some(revision) => planned.add(dialect, revision, linted)?,
            None => {}
        }
    }
    if planned.fixed.is_empty() {
        return planned.nothing(session.place(), before);
    }
    let drafts = planned.drafts;
    let changed = project.with_history(dialect, drafts.history()?);
    let only: HashSet<RevisionId> = wanted.into_iter().chain(drafts.new_ids()).collect();
    let again = LintArgs {
        range: None,
        only: Some(only),
        together: lint.together,
        ..lint.clone()
    };
    let after = super::lint(&changed, session, &again).await?;
    if after.interrupted {
        return Err(Error::Interrupted);
    }
    prove::linted(&before, &after, &planned.fixed)?;
    prove::same(project, &changed, session, &lint.schema).await?;
    prove::verified(project, &changed, session, &lint.schema, &planned.fixed).await?;
    let files = drafts.files();
    if !args.dry_run {
        write(project, &files)?;
    }
    Ok(FixReport {
        files,
        fixed: planned.fixed,
        left: planned.left,
        after,
        written: !args.dry_run,
    })
}

/// What is done about the findings of a run.
struct Planned<'a> {
    drafts: Drafts<'a>,
    fixed: Vec<Fixed>,
    left: Vec<Left>,
    /// The applied revisions.
    refused: Vec<RevisionId>,
}

impl<'a> Planned<'a> {
    fn new(drafts: Drafts<'a>) -> Self {
        Self {
            drafts,
            fixed: Vec::new(),
            left: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Leaves the findings in an applied revision.
    fn refuse(&mut self, linted: &LintedRevision) {
        self.refused.push(linted.revision.clone());
        self.left.extend(plan::all(linted, APPLIED));
    }

    /// Fixes findings in a revision.
    fn add(
        &mut self,
        dialect: Dialect,
        revision: &Revision,
        linted: &LintedRevision,
    ) -> Result<(), Error> {
        let Some(change) = plan::plan(dialect, revision, linted, &mut self.left) else {
            return Ok(());
        };
        let findings = change.fixed.clone();
        let following = self.drafts.add(revision, change)?;
        self.fixed
            .extend(findings.into_iter().map(|(line, rules)| Fixed {
                revision: revision.id.clone(),
                file: linted.file.clone(),
                line,
                rules,
                following: following.clone(),
            }));
        Ok(())
    }

    /// The result where nothing is fixed.
    fn nothing(self, place: &str, found: LintReport) -> Result<FixReport, Error> {
        if !self.refused.is_empty() && self.left.iter().all(|it| it.reason == APPLIED) {
            let error = FixError::Applied {
                revisions: self.refused,
                place: place.to_owned(),
            };
            return Err(error.into());
        }
        Ok(FixReport {
            files: Vec::new(),
            fixed: Vec::new(),
            left: self.left,
            after: found,
            written: false,
        })
    }
}

/// Writes all files or none.
fn write(project: &Project, files: &[FixedFile]) -> Result<(), Error> {
    let (directory, shown) = project.directory();
    let name = |file: &FixedFile| {
        let name = Path::new(&file.file).strip_prefix(shown);
        let name = name.unwrap_or(Path::new(&file.file));
        name.to_string_lossy().into_owned()
    };
    let names: Vec<String> = files.iter().map(name).collect();
    let files = files.iter().zip(&names);
    let exchanges = files.map(|(file, name)| Exchange {
        from: file.before.as_deref().map(|text| (name.as_str(), text)),
        to: name,
        after: Some(&file.after),
    });
    let exchanges: Vec<_> = exchanges.collect();
    project::exchange(directory, &exchanges)?;
    Ok(())
}
