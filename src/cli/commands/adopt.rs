use crate::{
    cli::context::Context,
    database::Access,
    layout::{ExternalChoice, ExternalTool},
    ops,
    report::{error::Error, exit::Exit},
};

/// Record what another migration tool has applied
///
/// Reads the table of that tool, compares it with the directory, and copies its records and
/// their times to the version table. No script runs, and the other table is not changed.
/// Doubtful records (failed, changed since, missing, skipped) are shown, and are accepted only
/// with --yes.
#[derive(Debug, clap::Args)]
pub struct AdoptArgs {
    /// Tool to read from: sqlx, golang-migrate, dbmate, rails, diesel, goose, flyway, refinery, sql-migrate, alembic, prisma, drizzle, knex or node-pg-migrate [default: the one whose table is found]
    #[arg(long, value_name = "TOOL", hide_possible_values = true, value_parser = tool())]
    from: Option<ExternalTool>,

    /// Table of that tool, if it does not have its usual name: NAME, or SCHEMA.NAME on PostgreSQL
    #[arg(long, value_name = "NAME", requires = "from")]
    table: Option<String>,

    /// Show what would be recorded without changing anything
    #[arg(long)]
    dry_run: bool,
}

pub async fn cmd_adopt(args: AdoptArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    let request = ops::AdoptArgs {
        from: ExternalChoice {
            tool: args.from,
            table: args.table,
        },
        accept_doubts: context.yes,
    };
    let report = if args.dry_run {
        let work =
            async |session: &mut ops::Session| ops::plan_adopt(project, session, &request).await;
        context.read("adopt", work).await?
    } else {
        let work = context.operate(("adopt", Access::Existing), async |session, _| {
            ops::adopt(project, session, &request).await
        });
        work.await?
    };
    context.output.result(&report);
    Ok(Exit::Done)
}

/// Reads the name of a tool.
fn tool() -> impl clap::builder::TypedValueParser<Value = ExternalTool> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(ExternalTool::ALL.map(ExternalTool::as_str))
        .try_map(|text| text.parse::<ExternalTool>())
}
