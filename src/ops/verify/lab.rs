use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::{
    database::{DatabaseError, Detail},
    execute::{self, Finish, Known, MigrateOptions, Migrated, PartialFailure, RunOptions},
    ops::{
        Error, Project, Session, StampArgs,
        schema::{CREATING, Reader, Sandbox, Sandboxes, lenient},
        stamp,
    },
    plan::{self, Plan, PlanContext, PlanError},
    revision::{History, Observed, Revision, RevisionId, Script, Target, TransactionScope},
    schema::{Schema, Scope},
    sql::{self, Dialect},
};

use super::{
    attempt::is_lacking,
    state::{State, Watched},
};

/// A scratch database in which revisions are applied and reverted one by one.
pub(in crate::ops) struct Lab {
    sandbox: Sandbox,
    /// The session that reads. Queries that it prepares outlive scripts, after which the session that
    /// runs them is reset. `None` if the database has a single session.
    reading: Option<Session>,
    /// The revisions.
    project: Project,
    /// The revisions and the repeatable scripts.
    whole: Project,
    scope: Scope,
    watched: Watched,
    /// What was done to reach the present state.
    past: Vec<(RevisionId, Recorded)>,
    /// The state of the version table, while the lock is held.
    observed: Option<Observed>,
}

/// How a revision got into the version table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Recorded {
    Applied,
    Stamped,
}

/// The failure of a script, unless it succeeded. After a failure the script may be partially applied.
type Ran = Option<Box<PartialFailure>>;

impl Lab {
    /// Creates an empty scratch database for the scripts of `reader`'s project.
    /// `with_rows` is whether their rows are read as well.
    pub async fn open(reader: &mut Reader<'_>, with_rows: bool) -> Result<Self, Error> {
        reader.args.tell(CREATING);
        let sandboxes = reader.sandboxes().await?;
        Self::create(&sandboxes, reader.project, &reader.args.scope, with_rows).await
    }

    /// Creates an empty scratch database for the scripts of `project`.
    /// `with_rows` is whether their rows are read as well.
    pub async fn create(
        sandboxes: &Sandboxes,
        project: &Project,
        scope: &Scope,
        with_rows: bool,
    ) -> Result<Self, Error> {
        let dialect = sandboxes.like.dialect();
        let whole = lenient(project, dialect)?;
        let history = whole.history(dialect)?;
        let repeatables = history.repeatables().iter();
        let repeatables: Vec<_> = repeatables.map(|it| it.id.clone()).collect();
        let revisions = History::clone(&history).without_repeatables(&repeatables);
        let project = whole.with_history(dialect, revisions);
        let sandbox = sandboxes.create(None).await?;
        let reading = sandbox.another_session();
        let mut lab = Self {
            reading,
            sandbox,
            project,
            whole,
            scope: scope.clone(),
            watched: match with_rows {
                true => Watched::All,
                false => Watched::None,
            },
            past: Vec::new(),
            observed: None,
        };
        lab.reader().expect_inspections();
        Ok(lab)
    }

    /// Continues with the revisions of `history`, among which are those applied.
    pub fn adopt(&mut self, history: History) {
        self.project = self.project.with_history(self.dialect(), history);
    }

    /// How the present state was reached.
    pub fn past(&self) -> &[(RevisionId, Recorded)] {
        &self.past
    }

    /// Notes how the present state could have been reached.
    pub fn set_past(&mut self, past: Vec<(RevisionId, Recorded)>) {
        self.past = past;
    }

    /// Applies or records the revisions of `past` that are not applied. All others must be in it.
    pub async fn follow(&mut self, past: &[(RevisionId, Recorded)]) -> Result<(), Error> {
        let mut rest = &past[self.past.len().min(past.len())..];
        while let Some((revision, recorded)) = rest.first() {
            if *recorded == Recorded::Stamped {
                self.stamp(revision).await?;
                rest = &rest[1..];
                continue;
            }
            let applied = rest.iter().take_while(|(_, it)| *it == Recorded::Applied);
            let ids: Vec<RevisionId> = applied.map(|(id, _)| id.clone()).collect();
            if let Some(failure) = self.all(&ids).await? {
                return Err(Error::InScratch(Box::new(Error::Failed(failure))));
            }
            self.past.extend_from_slice(&rest[..ids.len()]);
            rest = &rest[ids.len()..];
        }
        Ok(())
    }

    /// Runs the up scripts of revisions that need nothing else that is not applied, in their order.
    async fn all(&mut self, ids: &[RevisionId]) -> Result<Ran, Error> {
        let dialect = self.dialect();
        let past = self.past.iter().map(|(id, _)| id);
        let known: Vec<RevisionId> = past.chain(ids).cloned().collect();
        let history = self.project.history(dialect)?.up_to(&known);
        let project = self.project.with_history(dialect, history);
        let (session, observed) = (&mut self.sandbox.session, &mut self.observed);
        let plan = |context: &PlanContext<'_>| plan::upgrade(context, &Target::Heads);
        run(session, &project, (observed, &[]), plan).await
    }

    /// Reads the rows of these tables alone from now on.
    pub fn watch(&mut self, tables: Watched) {
        self.watched = tables;
    }

    /// The tables whose rows are read.
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Closes the session and drops the database.
    pub async fn leave(self) -> Result<(), Error> {
        let _held = self.sandbox.hold();
        if let Some(reading) = self.reading {
            // Dropping the database ends its sessions.
            let _ = reading.close().await;
        }
        self.sandbox.leave().await
    }

    /// The session with the scratch database.
    pub fn session(&mut self) -> &mut Session {
        &mut self.sandbox.session
    }

    /// The first statement of the up script that would change more than a scratch database.
    pub fn refuses_up(&self, revision: &Revision) -> Option<crate::ops::OutsideScript> {
        self.sandbox.refuses(&revision.up)
    }

    /// The first statement of the revision that would change more than a scratch database.
    pub fn refuses(&self, revision: &Revision) -> Option<crate::ops::OutsideScript> {
        let down = revision
            .down
            .as_ref()
            .and_then(|it| self.sandbox.refuses(it));
        self.sandbox.refuses(&revision.up).or(down)
    }

    /// Runs the up script of a revision whose parents are applied.
    pub async fn up(&mut self, revision: &RevisionId) -> Result<Ran, Error> {
        let target = Target::Name {
            text: revision.as_str().to_owned(),
        };
        self.run(revision, |context| plan::upgrade(context, &target))
            .await
    }

    /// Runs all scripts, and reads the schema.
    pub async fn schema_at_heads(&mut self) -> Result<Arc<Schema>, Error> {
        self.sandbox.apply(&self.whole, &[Target::Heads]).await?;
        self.schema().await
    }

    /// Runs the repeatable scripts, once all revisions are applied. Returns the failure of one.
    pub async fn repeatables(&mut self) -> Result<Ran, Error> {
        let plan = |context: &PlanContext<'_>| plan::upgrade(context, &Target::Heads);
        run(
            &mut self.sandbox.session,
            &self.whole,
            (&mut self.observed, &[]),
            plan,
        )
        .await
    }

    /// Runs the down script of a revision that no applied one revises.
    pub async fn down(&mut self, revision: &RevisionId) -> Result<Ran, Error> {
        self.run(revision, |context| plan::revert(context, revision))
            .await
    }

    /// Notes that a revision is among those applied, here or in a database that takes the place of this one.
    pub fn note_applied(&mut self, revision: &RevisionId) {
        if !self.has(revision) {
            self.applied(revision);
        }
    }

    /// Whether a revision is among those applied.
    pub fn has(&self, revision: &RevisionId) -> bool {
        self.past.iter().any(|(other, _)| other == revision)
    }

    /// Notes that a revision stays applied.
    pub fn applied(&mut self, revision: &RevisionId) {
        self.past.push((revision.clone(), Recorded::Applied));
    }

    /// Applies a revision that has to be there for others. It is only recorded if the role or the server
    /// lacks what it needs.
    ///
    /// # Errors
    /// Fails when the script fails otherwise.
    pub async fn advance(&mut self, revision: &RevisionId) -> Result<(), Error> {
        match self.up(revision).await? {
            None => self.applied(revision),
            Some(failure) if is_lacking(&failure) => self.stamp(revision).await?,
            Some(failure) => return Err(Error::InScratch(Box::new(Error::Failed(failure)))),
        }
        Ok(())
    }

    /// Records a revision without running its script.
    pub async fn stamp(&mut self, revision: &RevisionId) -> Result<(), Error> {
        self.past.push((revision.clone(), Recorded::Stamped));
        self.record_past().await
    }

    /// Makes the version table that of an empty database.
    pub async fn forget_past(&mut self) -> Result<(), Error> {
        self.check_records().await?;
        self.past.clear();
        self.record(true).await
    }

    /// Records the revisions of the past, and no others, without running a script.
    pub async fn record_past(&mut self) -> Result<(), Error> {
        self.check_records().await?;
        self.record(false).await
    }

    async fn record(&mut self, purge: bool) -> Result<(), Error> {
        // This takes and releases the lock.
        self.observed = None;
        let targets = self.past.iter().map(|(id, _)| Target::Name {
            text: id.as_str().to_owned(),
        });
        let args = StampArgs {
            targets: targets.collect(),
            purge,
        };
        stamp(&self.project, &mut self.sandbox.session, &args)
            .await
            .map(drop)
    }

    /// Whether the version table is what the scripts that were run should have made of it.
    pub async fn has_right_records(&mut self) -> Result<bool, Error> {
        let Some(expected) = &self.observed else {
            return Ok(true);
        };
        let found = self.sandbox.session.observe(Detail::Brief).await?;
        Ok(found.records_same(expected))
    }

    /// Fails if the version table is not what the scripts that were run should have made of it.
    pub async fn check_records(&mut self) -> Result<(), Error> {
        match self.has_right_records().await? {
            true => Ok(()),
            false => Err(changed_records()),
        }
    }

    /// Makes the version table what the scripts that were run should have made of it.
    pub async fn right_records(&mut self) -> Result<(), Error> {
        self.record(true).await
    }

    /// Runs what follows in a session of its own, where the database can have several. Code that was
    /// planned when columns had other types fails in the session that planned it.
    pub async fn start_session(&mut self) {
        if self.reading.is_some() {
            self.observed = None;
            self.sandbox.session.abandon().await;
        }
    }

    /// Whether to take everything out of the database costs less than another database, and is possible.
    pub fn is_worth_wiping(&self) -> bool {
        self.reading.is_some() && self.scope.is_everything()
    }

    /// Whether the database is certain to be empty but for the version table.
    pub async fn is_bare(&mut self) -> Result<bool, Error> {
        Ok(self.reader().is_bare().await?)
    }

    /// The session that reads.
    fn reader(&mut self) -> &mut Session {
        self.reading.as_mut().unwrap_or(&mut self.sandbox.session)
    }

    /// Reads the schema.
    pub async fn schema(&mut self) -> Result<Arc<Schema>, Error> {
        let session = self.reading.as_mut().unwrap_or(&mut self.sandbox.session);
        Ok(Arc::new(session.inspect(&self.scope).await?))
    }

    /// Reads the schema and the rows.
    pub async fn state(&mut self) -> Result<State, Error> {
        let session = self.reading.as_mut().unwrap_or(&mut self.sandbox.session);
        State::read(session, &self.scope, &self.watched).await
    }

    /// Reads the rows of the present schema, which was read.
    pub async fn state_of(&mut self, schema: Arc<Schema>) -> Result<State, Error> {
        let session = self.reading.as_mut().unwrap_or(&mut self.sandbox.session);
        State::with_rows(session, schema, &self.watched).await
    }

    /// Reads the schema and the rows after `script` led here from `before`.
    pub async fn state_after(&mut self, script: &Script, before: &State) -> Result<State, Error> {
        if self.watched == Watched::None || before.has_event_triggers() || !self.keeps_rows(script)
        {
            return self.state().await;
        }
        let session = self.reading.as_mut().unwrap_or(&mut self.sandbox.session);
        State::read_after(session, &self.scope, &self.watched, before).await
    }

    /// The dialect of the scripts.
    pub fn dialect(&self) -> Dialect {
        self.sandbox.session.dialect()
    }

    /// Whether a script changes no rows but those of tables whose definition it changes.
    pub fn keeps_rows(&self, script: &Script) -> bool {
        keeps_rows(script, self.dialect())
    }

    /// Runs a plan for `revision`. The others of the past have to be recorded.
    async fn run(
        &mut self,
        revision: &RevisionId,
        plan_of: impl Fn(&PlanContext<'_>) -> Result<Plan, PlanError>,
    ) -> Result<Ran, Error> {
        let past = self.past.iter().map(|(id, _)| id);
        let others: Vec<&RevisionId> = past.filter(|id| *id != revision).collect();
        let (session, observed) = (&mut self.sandbox.session, &mut self.observed);
        run(session, &self.project, (observed, &others), plan_of).await
    }
}

/// The error of a version table that a script has changed.
fn changed_records() -> Error {
    let reason = "a script has changed the version table".to_owned();
    DatabaseError::StateChanged { reason }.into()
}

fn keeps_rows(script: &Script, dialect: Dialect) -> bool {
    let statements = sql::split(dialect, &script.text);
    statements.is_ok_and(|statements| {
        let mut statements = statements.iter();
        statements.all(|statement| sql::keeps_rows(dialect, statement.text(&script.text)))
    })
}

/// Runs a plan in the scratch database, each revision in a transaction of its own. If it succeeds, the
/// lock is kept, with the state of the version table in `observed`. The revisions in `needed` have to be recorded.
async fn run(
    session: &mut Session,
    project: &Project,
    (observed, needed): (&mut Option<Observed>, &[&RevisionId]),
    plan_of: impl Fn(&PlanContext<'_>) -> Result<Plan, PlanError>,
) -> Result<Ran, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let options = MigrateOptions {
        // Down scripts are those of the files.
        detail: Detail::Brief,
        lock_wait: Duration::ZERO,
        run: RunOptions {
            // Nobody else is in the database who could be waited for.
            attempts: 1,
            ..session.patience().1
        },
        replan_midway: false,
        survey: false,
        tells_state: true,
        alone: true,
    };
    let (stop, events) = (session.stop_signal().clone(), session.events().clone());
    let plan = |observed: &Observed, _: Option<&_>| -> Result<Plan, Error> {
        let recorded: HashSet<&RevisionId> =
            observed.applied.iter().map(|row| &row.revision).collect();
        if !needed.iter().all(|id| recorded.contains(id)) {
            return Err(changed_records());
        }
        let transaction = Some(TransactionScope::Revision);
        let context = project.run_context(&history, observed, dialect, transaction);
        Ok(plan_of(&context)?)
    };
    let before = |_: &Plan| std::future::ready(Ok(()));
    let mut database = session.exclusive().await?;
    let parts = (plan, before);
    let run = execute::migrate(
        database.as_mut(),
        options,
        observed.take().map(Known::State),
        parts,
        &stop,
        &events,
    );
    let migrated = run.await.map_err(|aborted| aborted.error);
    match &migrated {
        Ok(done) if matches!(done.finish, Finish::Complete) => session.keep(database),
        _ => session.release(database).await,
    }
    let Migrated { finish, now, .. } = migrated?;
    match finish {
        Finish::Complete => {
            *observed = now;
            Ok(None)
        }
        Finish::Stopped { .. } => Err(Error::Interrupted),
        Finish::Outdated(error) => Err(error.into()),
        Finish::Failed(failure) => Ok(Some(Box::new(failure))),
    }
}
