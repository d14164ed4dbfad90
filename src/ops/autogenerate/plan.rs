use std::{sync::Arc, thread};

use super::{AutogenerateArgs, AutogenerateError, concerned::concerned, prove::Prover};
use crate::{
    generate::{
        self, Loss, Migration, MigrationOptions, Place, Refusal, Rename, RenameError, Renamed,
        Statement, migrate,
    },
    online::{self, Division, Job, Order, Part, Refill, Waiting},
    ops::{Error, model::Declared, verify::state::Watched},
    revision::Phase,
    schema::{self, Difference, Facts, Kind, Name, Note, Object, ObjectId, Schema, compare},
};

/// What leads from the head to the declared schema.
pub(super) struct Plan {
    /// The objects with another name.
    pub renames: Vec<(ObjectId, ObjectId)>,
    /// The other differences.
    pub difference: Difference,
    /// The head under its new names.
    pub renamed: Arc<Schema>,
    /// The declared schema.
    pub target: Schema,
    /// The statements of the up scripts.
    up: Vec<Statement>,
    /// The revisions, if they are those of programs in use.
    online: Option<Division>,
    /// The statements from the declared schema to the head under its new names, if there are some. Those
    /// of the down scripts are planned again, from the schema that the up scripts make.
    back: Option<Vec<Statement>>,
    /// The statements that give back the old names.
    pub names_back: Vec<Statement>,
    /// The head.
    start: Arc<Schema>,
}

/// The statements of one revision.
pub(super) struct Segment<'a> {
    pub statements: &'a [Statement],
    /// Whether they run in a transaction.
    pub in_transaction: bool,
    /// The phase, unless it is the usual one.
    pub phase: Option<Phase>,
    /// What the down script does beside leading to the schema of before.
    pub refills: &'a [Refill],
    /// What the statements have in common.
    pub job: Option<Job>,
}

impl Segment<'_> {
    /// What tells the revision from others of the same message.
    pub fn name(&self) -> Option<&'static str> {
        let job = self.job?;
        Some(match (self.phase, job) {
            (Some(Phase::Contract), Job::Change) => "contract",
            _ => job.name(),
        })
    }
}

impl Plan {
    /// Plans the way from `start`, the schema in the prover's database, to the declared one.
    pub async fn new(
        prover: &mut Prover,
        start: &Arc<Schema>,
        declared: Declared,
        args: &AutogenerateArgs,
    ) -> Result<Self, Error> {
        let (renamed, names) = with_new_names(prover, start, &declared, &args.renames).await?;
        let target = declared.schema;
        let difference = compare(&renamed, &target);
        refuse_possible_renames(&difference, &renamed, args)?;
        if args.online {
            refuse_online(&renamed, &names)?;
        }
        let options = MigrationOptions {
            fills: args.fills.clone(),
            apart: args.online,
        };
        let (migration, back) = both_ways(&renamed, &target, &difference, &options);
        let migration = migration.map_err(Error::NotGenerated)?;
        let up = names.iter().flat_map(|it| it.up.clone());
        let up: Vec<Statement> = up.chain(migration.statements).collect();
        let online = args
            .online
            .then(|| online::divide(up.clone(), Order::Compact, &renamed, &target));
        let names_back = names.iter().rev().flat_map(|it| it.down.clone());
        let names_back: Vec<Statement> = names_back.collect();
        let plan = Self {
            up,
            online,
            back,
            names_back,
            start: Arc::clone(start),
            renames: names
                .iter()
                .map(|it| (it.from.clone(), it.to.clone()))
                .collect(),
            difference,
            renamed,
            target,
        };
        let losses = plan.losses();
        match losses.is_empty() || args.allow_loss {
            true => Ok(plan),
            false => Err(AutogenerateError::Loses(losses).into()),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.up.is_empty()
    }

    /// The tables whose rows the scripts can change.
    pub fn concerned(&self) -> Watched {
        let Some(back) = &self.back else {
            return Watched::All;
        };
        let statements = self.up.iter().chain(back);
        let schemas = [&*self.start, &*self.renamed, &self.target];
        concerned(
            statements.chain(&self.names_back),
            &self.difference,
            schemas,
        )
    }

    /// What the up scripts lose.
    pub fn losses(&self) -> Vec<Loss> {
        let losses = self.up.iter().flat_map(|statement| &statement.losses);
        losses.cloned().collect()
    }

    /// Divides the statements in the order in which they were planned. Returns whether that is another
    /// division.
    pub fn keep_order(&mut self) -> bool {
        let Some(division) = &mut self.online else {
            return false;
        };
        let up = self.up.clone();
        let in_order = online::divide(up, Order::AsPlanned, &self.renamed, &self.target);
        let is_other = *division != in_order;
        *division = in_order;
        is_other
    }

    /// The statements that make others wait although they should not.
    pub fn waiting(&self) -> &[Waiting] {
        self.online.as_ref().map_or(&[], |it| &it.waiting)
    }

    /// The statements, divided where they cannot share a transaction.
    pub fn segments(&self) -> Vec<Segment<'_>> {
        if let Some(division) = &self.online {
            return division.parts.iter().map(of_part).collect();
        }
        let is_together = |before: &Statement, next: &Statement| match next.place {
            Place::Anywhere => before.place != Place::Outside,
            Place::AfterCommit => false,
            Place::Outside => before.place == Place::Outside,
        };
        let segments = self.up.chunk_by(is_together);
        segments
            .map(|statements| Segment {
                statements,
                in_transaction: statements[0].place == Place::Anywhere,
                phase: None,
                refills: &[],
                job: None,
            })
            .collect()
    }
}

fn of_part(part: &Part) -> Segment<'_> {
    Segment {
        statements: &part.statements,
        in_transaction: part.job.in_transaction(),
        phase: (part.phase == Phase::Contract).then_some(part.phase),
        refills: &part.refills,
        job: Some(part.job),
    }
}

/// Refuses what programs in use do not survive, whichever way it is written.
fn refuse_online(schema: &Schema, names: &[Renamed]) -> Result<(), AutogenerateError> {
    if !schema.dialect.capabilities().concurrent_writers {
        return Err(AutogenerateError::OnlineSqlite);
    }
    let is_seen = |kind| {
        matches!(
            kind,
            Kind::Table
                | Kind::Column
                | Kind::View
                | Kind::MaterializedView
                | Kind::Function
                | Kind::Procedure
                | Kind::Enum
                | Kind::Domain
                | Kind::Composite
                | Kind::Range
                | Kind::Schema
        )
    };
    let mut seen = names.iter().filter(|it| is_seen(it.from.kind));
    match seen.next() {
        Some(renamed) => Err(AutogenerateError::OnlineRename(
            renamed.from.clone(),
            renamed.to.clone(),
        )),
        None => Ok(()),
    }
}

/// Plans the way to the declared schema and the way back, at the same time.
fn both_ways(
    from: &Schema,
    to: &Schema,
    difference: &Difference,
    options: &MigrationOptions,
) -> (Result<Migration, Vec<Refusal>>, Option<Vec<Statement>>) {
    if difference.is_empty() {
        return (Ok(Migration::default()), Some(Vec::new()));
    }
    thread::scope(|scope| {
        let back = scope.spawn(|| migrate(to, from, options));
        let way = migrate(from, to, options);
        let back = back.join().ok().and_then(Result::ok);
        (way, back.map(|back| back.statements))
    })
}

/// Renames objects in the prover's database, reads its schema, and gives the old names back.
async fn with_new_names(
    prover: &mut Prover,
    start: &Arc<Schema>,
    declared: &Declared,
    asked: &[Rename],
) -> Result<(Arc<Schema>, Vec<Renamed>), Error> {
    let mut schema = Arc::clone(start);
    let mut done: Vec<Renamed> = Vec::new();
    let asked = asked.iter().map(|rename| (rename, true));
    let told = declared.renames.iter().map(|rename| (rename, false));
    for (rename, is_due) in asked.chain(told) {
        let error = |error| AutogenerateError::Rename {
            text: rename.text.clone(),
            error,
        };
        let renamed = match generate::rename(&schema, rename) {
            // It was made before.
            Err(RenameError::Unknown(_)) if !is_due => continue,
            Ok(renamed) if !is_due && schema.get(&renamed.to).is_some() => continue,
            other => other.map_err(error)?,
        };
        prover.run(&renamed.up).await?;
        schema = prover.schema().await?;
        done.push(renamed);
    }
    for rename in renames_of_sequences(&done, &schema, &declared.schema) {
        let Ok(renamed) = generate::rename(&schema, &rename) else {
            continue;
        };
        prover.run(&renamed.up).await?;
        schema = prover.schema().await?;
        done.push(renamed);
    }
    for renamed in done.iter().rev() {
        prover.run(&renamed.down).await?;
    }
    Ok((schema, done))
}

/// The renames of the sequences whose columns, or tables, were renamed: the server names the sequence of
/// a serial column after both.
fn renames_of_sequences(done: &[Renamed], schema: &Schema, declared: &Schema) -> Vec<Rename> {
    let is_renamed = |(table, column): &(Name, String)| {
        done.iter().any(|renamed| match renamed.to.kind {
            Kind::Table => renamed.to.qualified() == *table,
            Kind::Column => {
                renamed.to.parent_name().as_ref() == Some(table) && renamed.to.name == *column
            }
            _ => false,
        })
    };
    let mut found = Vec::new();
    for object in &schema.objects {
        let Facts::Sequence(sequence) = &object.facts else {
            continue;
        };
        let owner = sequence.owned_by.as_ref().filter(|it| is_renamed(it));
        let Some(owner) = owner.filter(|_| declared.get(&object.id).is_none()) else {
            continue;
        };
        let of_owner = |it: &&Object| match &it.facts {
            Facts::Sequence(sequence) => {
                sequence.owned_by.as_ref() == Some(owner) && schema.get(&it.id).is_none()
            }
            _ => false,
        };
        if let Some(new) = declared.objects.iter().find(of_owner) {
            found.push(Rename {
                kind: Some(Kind::Sequence),
                from: vec![object.id.schema.clone(), object.id.name.clone()],
                to: vec![new.id.schema.clone(), new.id.name.clone()],
                text: format!("{}={}", object.id.name, new.id.name),
            });
        }
    }
    found
}

/// Fails if a table or a column is dropped that looks like an added one, unless it was declared to be
/// another.
fn refuse_possible_renames(
    difference: &Difference,
    schema: &Schema,
    args: &AutogenerateArgs,
) -> Result<(), Error> {
    let mut allowed = Vec::new();
    for text in &args.no_renames {
        let unknown = || AutogenerateError::NoRename(text.clone());
        allowed.push(schema::path(text).ok_or_else(unknown)?);
    }
    let is_allowed = |id: &ObjectId| {
        let mut paths = allowed.iter();
        paths.any(|path| generate::is_named(id, path, schema.dialect))
    };
    let pairs = difference.notes.iter().filter_map(|note| match note {
        // Other objects have no data that a rename would keep.
        Note::PossibleRename { from, to }
            if matches!(from.kind, Kind::Table | Kind::Column) && !is_allowed(from) =>
        {
            Some((from.clone(), to.clone()))
        }
        _ => None,
    });
    let pairs: Vec<_> = pairs.collect();
    match pairs.is_empty() {
        true => Ok(()),
        false => Err(AutogenerateError::PossibleRenames(pairs).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(places: &[Place]) -> Plan {
        let dialect = crate::sql::Dialect::Postgres;
        let schema = Schema::new(dialect, Vec::new());
        let renamed = Arc::new(schema.clone());
        let statement = |(number, place): (usize, &Place)| Statement {
            place: *place,
            ..Statement::new(None, number.to_string())
        };
        Plan {
            online: None,
            renames: Vec::new(),
            difference: Difference::default(),
            renamed: Arc::clone(&renamed),
            target: schema,
            up: places.iter().enumerate().map(statement).collect(),
            back: None,
            names_back: Vec::new(),
            start: renamed,
        }
    }

    #[test]
    fn statements_are_divided_where_they_need_a_commit() {
        use Place::{AfterCommit, Anywhere, Outside};
        let check = |places: &[Place], expected: &[(usize, bool)]| {
            let plan = plan(places);
            let segments = plan.segments().into_iter();
            let found: Vec<_> = segments
                .map(|segment| (segment.statements.len(), segment.in_transaction))
                .collect();
            assert_eq!(found, expected, "{places:?}");
        };
        check(&[], &[]);
        check(&[Anywhere, Anywhere], &[(2, true)]);
        check(&[Anywhere, AfterCommit, Anywhere], &[(1, true), (2, false)]);
        check(&[Outside, Outside, Anywhere], &[(2, false), (1, true)]);
        check(&[Anywhere, Outside], &[(1, true), (1, false)]);
    }
}
