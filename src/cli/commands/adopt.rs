use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    layout::ExternalTool,
    ops,
};

/// Record what another migration tool has applied
///
/// Reads that tool's own table, compares it with the directory, and records the same in the
/// version table, with its times. No script runs, and the other table is left as it is. What is
/// in doubt (failed, changed since, missing, skipped) is shown, and accepted with --yes only.
#[derive(Debug, clap::Args)]
pub struct AdoptArgs {
    /// Whose records: sqlx, golang-migrate, dbmate, rails, diesel, goose, flyway, refinery,
    /// sql-migrate or alembic; without it, those that are found
    #[arg(long, value_name = "TOOL", hide_possible_values = true, value_parser = tool())]
    from: Option<ExternalTool>,

    /// Show what would be recorded, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn cmd_adopt(args: AdoptArgs, context: &Context) -> Result<Exit, Error> {
    let project = &context.project;
    let request = ops::AdoptArgs {
        from: args.from,
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
