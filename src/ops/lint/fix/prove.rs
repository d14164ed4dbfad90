//! Shows that fixed scripts do what the others did, without the findings.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use super::{FixError, Fixed};
use crate::{
    lint::Severity,
    ops::{
        Error, LintReport, LintedRevision, Project, SchemaArgs, Session, VerifiedRevision,
        VerifyArgs, schema::Reader, verify,
    },
    revision::{RevisionId, Target},
    schema::{Difference, compare},
};

/// Why fixed scripts are not better than the others.
#[derive(Debug)]
pub enum Unproven {
    /// A statement of a fixed script fails in a scratch database.
    Fails {
        /// The file.
        file: String,
        /// The text of the file, which is not written.
        text: String,
        /// The byte offset of the statement.
        offset: usize,
        /// The error.
        error: String,
    },
    /// A fixed script cannot run, or its suppressions are wrong.
    Wrong {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// Lint finds as much of a rule as before, or more.
    Found {
        /// The revision that was fixed.
        revision: RevisionId,
        /// The name of the rule.
        rule: &'static str,
    },
    /// The scripts lead to another schema than before.
    Differs(Box<Difference>),
    /// The down script does not restore the schema, or a script fails the second time.
    NotVerified(Box<VerifiedRevision>),
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails { file, error, .. } => write!(f, "{file}: {error}"),
            Self::Wrong { file, reason } => write!(f, "{file}: {reason}"),
            Self::Found { revision, rule } => {
                write!(f, "{rule} still finds something in revision {revision}")
            }
            Self::Differs(_) => f.write_str("they lead to another schema"),
            Self::NotVerified(verified) => {
                write!(f, "revision {} is not reversible", verified.revision)
            }
        }
    }
}

/// Checks that the findings are gone, and that no others came.
pub(super) fn linted(
    before: &LintReport,
    after: &LintReport,
    fixed: &[Fixed],
) -> Result<(), FixError> {
    let find = |report: &'_ LintReport, id: &RevisionId| -> Option<usize> {
        report.revisions.iter().position(|it| it.revision == *id)
    };
    let revisions: HashSet<&RevisionId> = fixed.iter().map(|it| &it.revision).collect();
    for id in revisions {
        let of_it = || fixed.iter().filter(move |it| it.revision == *id);
        let following = of_it().find_map(|it| it.following.as_ref());
        let Some(old) = find(before, id).map(|at| &before.revisions[at]) else {
            continue;
        };
        let mut counts = BTreeMap::new();
        for now in [Some(id), following].into_iter().flatten() {
            let Some(now) = find(after, now).map(|at| &after.revisions[at]) else {
                continue;
            };
            check_run(old, now)?;
            count(now, &mut counts);
        }
        let mut old_counts = BTreeMap::new();
        count(old, &mut old_counts);
        let more = |(rule, now): &(&&'static str, &usize)| {
            let before = old_counts.get(**rule).copied().unwrap_or(0);
            match of_it().filter(|it| it.rules.contains(*rule)).count() {
                // The new statements may have what the one before had.
                0 => before == 0,
                gone => **now > before.saturating_sub(gone),
            }
        };
        if let Some((rule, _)) = counts.iter().find(more) {
            let revision = id.clone();
            return Err(FixError::Unproven(Unproven::Found { revision, rule }));
        }
    }
    Ok(())
}

/// Checks that the script ran, if the one before did.
fn check_run(old: &LintedRevision, now: &LintedRevision) -> Result<(), FixError> {
    let wrong = |reason: String| {
        let file = now.file.clone();
        Err(FixError::Unproven(Unproven::Wrong { file, reason }))
    };
    if let Some(refused) = &now.refused {
        return wrong(refused.to_string());
    }
    if now.problems.len() > old.problems.len()
        && let Some(problem) = now.problems.first()
    {
        return wrong(problem.to_string());
    }
    if let (None, Some(reason)) = (&old.not_measured, &now.not_measured) {
        return wrong(reason.clone());
    }
    let failed = now.statements.iter().find(|it| it.error.is_some());
    if let Some(statement) = failed
        && old.statements.iter().all(|it| it.error.is_none())
    {
        return Err(FixError::Unproven(Unproven::Fails {
            file: now.file.clone(),
            text: now.text.to_string(),
            offset: statement.span.start,
            error: statement.error.clone().unwrap_or_default(),
        }));
    }
    Ok(())
}

/// Adds the number of causes of each rule.
fn count(revision: &LintedRevision, counts: &mut BTreeMap<&'static str, usize>) {
    let causes = revision.findings.iter().flat_map(|it| &it.causes);
    for cause in causes.filter(|it| it.severity > Severity::Note) {
        *counts.entry(cause.rule.name).or_default() += 1;
    }
}

/// Checks that the scripts lead to the schema that the ones before led to, if those run.
pub(super) async fn same(
    project: &Project,
    changed: &Project,
    session: &mut Session,
    args: &SchemaArgs,
) -> Result<(), Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let heads = [Target::Heads];
    let before = reader.in_sandbox(async |it| it.apply(project, &heads).await);
    let before = match before.await {
        Ok(before) => before,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(_) => return Ok(()),
    };
    let after = reader.in_sandbox(async |it| it.apply(changed, &heads).await);
    let difference = compare(&before, &after.await?);
    match difference.changes.is_empty() {
        true => Ok(()),
        false => Err(FixError::Unproven(Unproven::Differs(Box::new(difference))).into()),
    }
}

/// Checks that the scripts restore what was there before, if the ones before did.
pub(super) async fn verified(
    project: &Project,
    changed: &Project,
    session: &mut Session,
    schema: &SchemaArgs,
    fixed: &[Fixed],
) -> Result<(), Error> {
    let revisions = || fixed.iter().map(|it| it.revision.clone());
    let new = fixed.iter().filter_map(|it| it.following.clone());
    let args = |only: HashSet<RevisionId>| VerifyArgs {
        only: Some(only),
        schema: schema.clone(),
        ..VerifyArgs::default()
    };
    let all = args(revisions().chain(new).collect());
    let after = verify(changed, session, &all).await?;
    if after.interrupted {
        return Err(Error::Interrupted);
    }
    let mut wrong = after.revisions;
    wrong.retain(|it| !it.findings.is_empty());
    if wrong.is_empty() {
        return Ok(());
    }
    let before = verify(project, session, &args(revisions().collect())).await?;
    let was_wrong = |id: &RevisionId| {
        let found = before.revisions.iter().find(|it| it.revision == *id);
        found.is_some_and(|it| !it.findings.is_empty())
    };
    match wrong.into_iter().find(|it| !was_wrong(&it.revision)) {
        Some(verified) => {
            let verified = Box::new(verified);
            Err(FixError::Unproven(Unproven::NotVerified(verified)).into())
        }
        None => Ok(()),
    }
}
