use crate::{
    cli::{
        context::{Context, Role},
        error::{self, Error, Exit},
    },
    database::{Database, Detail},
    execute::{self, Adopted},
    layout::{ForeignRecords, ForeignTool, Layout},
    plan::{self, Adoption},
    report::{AdoptView, View},
    revision::History,
};

/// Record what another migration tool has applied
///
/// Reads that tool's own table, compares it with the directory, and records the same in the
/// version table, with its times. No script runs, and the other table is left as it is. What is
/// in doubt (failed, changed since, missing, passed over) is shown, and accepted with --yes only.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose records: sqlx, golang-migrate, dbmate, rails, diesel, goose, flyway, refinery,
    /// sql-migrate or alembic; without it, those that are found
    #[arg(long, value_name = "TOOL", hide_possible_values = true, value_parser = tool())]
    from: Option<ForeignTool>,

    /// Show what would be recorded, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let history = context.history(location.dialect())?;
    let layout = context.layout()?;
    let work = Work {
        context,
        place: context.place(&location),
        history,
        layout,
        args,
    };
    let mut database = context.connect(&location, Role::Reader("adopt")).await?;
    let result = work.run(database.as_mut()).await;
    let released = database.unlock().await;
    database.close().await?;
    let view = result?;
    released?;
    context.output.result(&view);
    Ok(Exit::Done)
}

struct Work<'a> {
    context: &'a Context,
    /// The database, for people.
    place: String,
    history: History,
    layout: Layout,
    args: Args,
}

impl Work<'_> {
    async fn run(&self, database: &mut dyn Database) -> Result<AdoptView, Error> {
        if self.args.dry_run {
            let (adoption, _) = self.plan(database).await?;
            return Ok(self.view(adoption, false));
        }
        self.context.lock(database).await?;
        let (adoption, records) = self.plan(database).await?;
        if !adoption.doubts.is_empty() && !self.context.yes {
            let error = error::doubts(&adoption.doubts);
            let result = Some(self.view(adoption, false).json());
            return Err(Error { result, ..error });
        }
        let adopted = execute::write_adoption(database, &adoption, &records).await?;
        let outdated = (adopted == Adopted::Outdated).then(|| error::outdated(&adoption));
        let view = self.view(adoption, true);
        match outdated {
            None => Ok(view),
            Some(error) => Err(Error {
                result: Some(view.json()),
                ..error
            }),
        }
    }

    async fn plan(&self, database: &mut dyn Database) -> Result<(Adoption, ForeignRecords), Error> {
        let observed = database.observe(Detail::Brief).await?;
        let records = database.foreign(self.args.from).await?;
        let situation = self.context.situation(&self.history, &observed)?;
        let adoption = plan::adopt(&situation, &records, self.layout)?;
        Ok((adoption, records))
    }

    fn view(&self, adoption: Adoption, done: bool) -> AdoptView {
        AdoptView {
            database: self.place.clone(),
            adoption,
            done,
        }
    }
}

/// Reads the name of a tool.
fn tool() -> impl clap::builder::TypedValueParser<Value = ForeignTool> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(ForeignTool::ALL.map(ForeignTool::as_str))
        .try_map(|text| text.parse::<ForeignTool>())
}
