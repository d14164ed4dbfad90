use crate::{
    cli::{context::Context, options::Vars},
    ops,
    report::{VerifyView, error::Error, exit::Exit},
    revision::{Range, Target},
};

/// Prove in a scratch database that down scripts undo their up scripts
///
/// Applies every revision, reverts it and applies it again, with rows in every table, and compares
/// schema and rows. The database itself is only read. Exits with status 3 if there is a finding.
/// --format github prints annotations for GitHub Actions.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The revisions: one of them, or A:B, A: or :B [default: all]
    #[arg(allow_hyphen_values = true)]
    range: Option<String>,

    /// The number that the values of rows are made from
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Make no rows, and compare schemas only
    #[arg(long)]
    no_rows: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_verify(args: VerifyArgs, context: &Context) -> Result<Exit, Error> {
    let request = context.schema_request()?;
    let range = args.range.as_deref().map(range).transpose()?;
    let seed_file = context.config.verify_seed.as_ref();
    let seed_file = seed_file.map(|path| (path.clone(), context.config.show(path)));
    let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
        let args = ops::VerifyArgs {
            range,
            schema: schema.clone(),
            rows: !args.no_rows,
            seed: args.seed,
            seed_file,
            ..ops::VerifyArgs::default()
        };
        ops::verify(&context.project, session, &args).await
    };
    let report = context.read_schemas("verify", request, work).await?;
    let exit = match (report.interrupted, report.passed()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::CheckFailed,
    };
    let columns = context.output.columns();
    context.output.result(&VerifyView { report, columns });
    Ok(exit)
}

/// A range, or a single revision.
fn range(text: &str) -> Result<Range, Error> {
    if Range::is_range(text) {
        return Ok(text.parse::<Range>().map_err(ops::Error::from)?);
    }
    let target: Target = text.parse().map_err(ops::Error::from)?;
    Ok(Range {
        start: Some(target.clone()),
        end: Some(target),
    })
}
