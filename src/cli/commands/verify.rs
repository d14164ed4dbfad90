use std::num::NonZeroUsize;

use crate::{
    cli::{context::Context, options::Vars},
    ops,
    report::{VerifyView, error::Error, exit::Exit},
    revision::{Range, Target},
};

/// Prove that down scripts undo their up scripts
///
/// Applies every revision in a scratch database, reverts it and applies it again, with rows in every
/// table, and compares schema and rows. The database itself is only read. Exits with status 3 if there is a finding.
/// --format github prints annotations for GitHub Actions.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// A revision, or a range A:B, A: or :B [default: all revisions]
    #[arg(value_name = "REVISIONS", allow_hyphen_values = true)]
    range: Option<String>,

    /// The number that the values of rows are made from
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    seed: u64,

    /// Make no rows, and compare schemas only
    #[arg(long)]
    no_rows: bool,

    /// How many parts of the revisions are verified at once [default: the number of processors]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_verify(args: VerifyArgs, context: &Context) -> Result<Exit, Error> {
    let request = context.schema_request()?;
    let range = args.range.as_deref().map(range).transpose()?;
    let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
        let args = ops::VerifyArgs {
            range,
            rows: !args.no_rows,
            seed: args.seed,
            jobs: args.jobs,
            ..self::request(context, schema.clone())
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

/// The verification of all revisions, with rows.
pub fn request(context: &Context, schema: ops::SchemaArgs) -> ops::VerifyArgs {
    let seed_file = context.config.verify_seed.as_ref();
    ops::VerifyArgs {
        schema,
        rows: true,
        seed: SEED,
        seed_file: seed_file.map(|path| (path.clone(), context.config.show(path))),
        ..ops::VerifyArgs::default()
    }
}

/// What rows are made from unless `--seed` says otherwise.
pub const SEED: u64 = 1;

/// A range, or a single revision.
pub fn range(text: &str) -> Result<Range, Error> {
    if Range::is_range(text) {
        return Ok(text.parse::<Range>().map_err(ops::Error::from)?);
    }
    let target: Target = text.parse().map_err(ops::Error::from)?;
    Ok(Range {
        start: Some(target.clone()),
        end: Some(target),
    })
}
