//! Finds statements that block others, break programs, fail on rows or lose them.

mod fix;
mod measure;
mod probe;
pub(super) mod read;
mod sizes;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

pub use fix::{FixArgs, FixError, FixReport, Fixed, FixedFile, Left, Unproven, fix};
pub use sizes::{SizeSnapshot, SizesError, TableSize, measure_sizes, read_sizes, write_sizes};

use self::{
    measure::Measuring,
    read::{Read, Text},
};
use super::{Error, Project, SchemaArgs, Session, schema::Reader, session::until_stopped, verify};
use crate::{
    lint::{self, Finding, Known, Level, Settings, Severity, SuppressionProblem},
    plan::PlanError,
    revision::{History, Range, Revision, RevisionId},
    schema::ObjectId,
};

/// Arguments of `lint`.
#[derive(Clone, Default)]
pub struct LintArgs {
    /// The revisions that are looked at; all if this is `None`.
    pub range: Option<Range>,
    /// Of these, only the ones listed here, if this is given.
    pub only: Option<HashSet<RevisionId>>,
    /// Whether these revisions are applied together, so that what one creates is new to the next.
    /// Otherwise each is judged by itself.
    pub together: bool,
    /// Whether statements are executed in a scratch database, or only read.
    pub level: Level,
    /// Where scratch databases are created.
    pub schema: SchemaArgs,
    /// Limits, severities and sizes.
    pub settings: Settings,
    /// Whether the sizes of tables are read from the configured database, and rows that would make a
    /// statement fail are counted there.
    pub live: bool,
}

/// The result of `lint`.
#[derive(Debug)]
pub struct LintReport {
    /// The directory.
    pub directory: String,
    /// How effects are known.
    pub level: Level,
    /// The revisions that were looked at, in the order in which they are applied.
    pub revisions: Vec<LintedRevision>,
    /// Whether a request to stop ended the work.
    pub interrupted: bool,
    /// The duration.
    pub elapsed: Duration,
}

impl LintReport {
    /// The number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        let findings = self.revisions.iter().flat_map(|it| &it.findings);
        findings.filter(|it| it.severity == severity).count()
    }

    /// Whether there is no error.
    pub fn passed(&self) -> bool {
        let is_fine = |it: &LintedRevision| it.problems.is_empty() && it.refused.is_none();
        self.count(Severity::Error) == 0 && self.revisions.iter().all(is_fine)
    }
}

/// What was found in the up script of one revision.
#[derive(Debug)]
pub struct LintedRevision {
    /// The revision.
    pub revision: RevisionId,
    /// The message.
    pub message: String,
    /// The file of the up script.
    pub file: String,
    /// The text of the file.
    pub text: Arc<str>,
    /// The statements with what they do.
    pub statements: Vec<lint::Statement>,
    /// The findings, at most one a statement.
    pub findings: Vec<Finding>,
    /// The number of causes that the script suppresses.
    pub suppressed: usize,
    /// What is wrong with the suppressions.
    pub problems: Vec<SuppressionProblem>,
    /// Why the script cannot run at all.
    pub refused: Option<PlanError>,
    /// Why no statement was executed, if they should have been.
    pub not_measured: Option<String>,
}

/// Looks at the up scripts of revisions. Never writes to the configured database.
///
/// # Errors
/// Fails when scripts are invalid, or when no scratch database can be created or used.
pub async fn lint(
    project: &Project,
    session: &mut Session,
    args: &LintArgs,
) -> Result<LintReport, Error> {
    let begin = Instant::now();
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let wanted =
        verify::selected(project, session, args.range.as_ref(), args.only.as_ref()).await?;
    let order: Vec<&Revision> = history.in_order().collect();
    let last = order.iter().rposition(|it| wanted.contains(&it.id));
    let order = &order[..last.map_or(0, |last| last + 1)];
    let mut settings = args.settings.clone();
    if args.live && !order.is_empty() {
        args.schema.tell("reading the sizes of tables");
        settings.sizes = sizes::measure_sizes(session).await?.sizes();
    }
    let stop = session.stop_signal().clone();
    let mut linting = Linting {
        project,
        settings,
        known: Known::new(dialect),
        together: args.together,
        measuring: None,
        done: Vec::new(),
    };
    let mut reader = Reader {
        project,
        session,
        args: &args.schema,
    };
    if args.level == Level::Measured && !order.is_empty() {
        linting.measuring = Some(Measuring::open(&mut reader).await?);
    }
    let ended = until_stopped(&stop, linting.run(&history, order, &wanted, &args.schema)).await;
    let left = match linting.measuring.take() {
        Some(measuring) => measuring.leave().await,
        None => Ok(()),
    };
    let interrupted = match ended {
        Ok(()) => false,
        Err(Error::Interrupted) => true,
        Err(error) => return Err(error),
    };
    if !interrupted {
        left?;
    }
    let mut revisions = linting.done;
    if args.live && !interrupted {
        probe::probe(session, &mut revisions).await?;
    }
    Ok(LintReport {
        directory: project.directory().1.to_owned(),
        level: args.level,
        revisions,
        interrupted,
        elapsed: begin.elapsed(),
    })
}

/// A table that one of so many following revisions makes again is being rebuilt.
const NEAR: usize = 10;

/// The revisions one by one.
struct Linting<'a> {
    project: &'a Project,
    settings: Settings,
    known: Known,
    together: bool,
    measuring: Option<Measuring>,
    done: Vec<LintedRevision>,
}

impl Linting<'_> {
    async fn run(
        &mut self,
        history: &History,
        order: &[&Revision],
        wanted: &HashSet<RevisionId>,
        args: &SchemaArgs,
    ) -> Result<(), Error> {
        let dialect = self.known.dialect();
        // What cannot be read is reported when its turn comes.
        let texts = order
            .iter()
            .map(|it| Text::of(self.project, history, it, dialect));
        let texts: Vec<Result<Text, Error>> = texts.collect();
        let made = made(&texts, Known::new(dialect));
        let mut is_begun = false;
        for (at, (revision, text)) in order.iter().zip(texts).enumerate() {
            if let Some(progress) = &args.progress {
                progress(
                    "looking at scripts",
                    self.done.len() as u64,
                    wanted.len() as u64,
                );
            }
            let is_wanted = wanted.contains(&revision.id);
            let begins = is_wanted && !(self.together && is_begun);
            if begins {
                if let Some(schema) = self.measuring.as_ref().and_then(Measuring::schema) {
                    self.known.schema(schema);
                }
                self.known.begin_run();
                is_begun = true;
            }
            let read = text.map(|text| text.predicted(&mut self.known));
            if is_wanted {
                let near = match self.together {
                    true => &made[at + 1..],
                    false => &made[at + 1..made.len().min(at + 1 + NEAR)],
                };
                let later = near.iter().flatten().cloned().collect();
                let linted = self.look(revision, read, begins, later).await?;
                self.done.push(linted);
            } else if let Some(measuring) = &mut self.measuring {
                measuring.advance(revision).await?;
            }
        }
        Ok(())
    }

    async fn look(
        &mut self,
        revision: &Revision,
        read: Result<Read, Error>,
        begins: bool,
        later: Vec<ObjectId>,
    ) -> Result<LintedRevision, Error> {
        let mut linted = LintedRevision {
            revision: revision.id.clone(),
            message: revision.message.clone(),
            file: revision.up.file.clone(),
            text: Arc::clone(&revision.up.text),
            statements: Vec::new(),
            findings: Vec::new(),
            suppressed: 0,
            problems: Vec::new(),
            refused: None,
            not_measured: None,
        };
        let mut read = match read {
            Ok(read) => read,
            Err(Error::Plan(error)) => {
                if let Some(measuring) = &mut self.measuring {
                    measuring.block(revision);
                }
                linted.refused = Some(error);
                return Ok(linted);
            }
            Err(error) => return Err(error),
        };
        read.script.later = later;
        if let Some(measuring) = &mut self.measuring {
            let measured = measuring.measure(revision, &mut read.script, begins);
            linted.not_measured = measured.await?;
        }
        let findings = lint::lint(&read.script, &self.settings);
        let suppressed = read.suppress(&self.settings, findings);
        linted.findings = suppressed.findings;
        linted.suppressed = suppressed.suppressed;
        linted.problems = suppressed.problems;
        linted.statements = read.into_statements();
        Ok(linted)
    }
}

/// The tables and views that each script makes, after what is `known`.
fn made(texts: &[Result<Text, Error>], mut known: Known) -> Vec<Vec<ObjectId>> {
    let made = texts.iter().map(|text| match text {
        Ok(text) => text.made(&mut known),
        Err(_) => Vec::new(),
    });
    made.collect()
}
