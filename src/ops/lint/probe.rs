use super::LintedRevision;
use crate::{
    lint::{Class, Severity},
    ops::{Error, Session},
};

/// Counts the rows that make statements fail in the configured database. Without such rows, the
/// statement does not fail.
pub(super) async fn probe(
    session: &mut Session,
    revisions: &mut [LintedRevision],
) -> Result<(), Error> {
    for revision in revisions {
        for finding in &mut revision.findings {
            let mut kept = Vec::with_capacity(finding.causes.len());
            for mut cause in std::mem::take(&mut finding.causes) {
                let rows = match &cause.probe {
                    Some(probe) if cause.rule.class == Class::Fails => {
                        count(session, &probe.sql).await
                    }
                    _ => None,
                };
                match (rows, &cause.probe) {
                    (Some(0), _) => continue,
                    (Some(rows), Some(probe)) => {
                        cause.message = format!("{}: {rows} {}", cause.message, probe.counts);
                        cause.severity = Severity::Error;
                    }
                    _ => {}
                }
                kept.push(cause);
            }
            finding.causes = kept;
            finding.sum_up();
        }
        revision.findings.retain(|it| !it.causes.is_empty());
    }
    Ok(())
}

/// The number that a query returns; `None` if it fails, as where the table does not exist yet.
async fn count(session: &mut Session, sql: &str) -> Option<u64> {
    let rows = session.ask(sql).await.ok()?;
    rows.into_iter().flatten().flatten().next()?.parse().ok()
}
