use std::path::PathBuf;

use crate::{
    cli::{context::Context, options::Vars},
    lint::Level,
    ops,
    report::{LintView, WrittenView, codes, error::Error, exit::Exit},
};

/// Find statements that block, break, fail or lose rows
///
/// Executes the up scripts in a scratch database and measures the locks, rewrites, scans and index
/// builds of every statement; on SQLite, and with --text, the statements are read. The database itself
/// is only read. Exits with status 3 if there is an error.
/// --format is human, json, github, sarif or markdown.
#[derive(Debug, clap::Args)]
pub struct LintArgs {
    /// A revision, or a range A:B, A: or :B, applied together [default: all revisions, one by one]
    #[arg(value_name = "REVISIONS", allow_hyphen_values = true)]
    range: Option<String>,

    /// Look at the revisions that are not in this commit, such as origin/main
    #[arg(long, value_name = "GITREF", conflicts_with = "range")]
    base: Option<String>,

    /// Read the scripts without executing them; needs no database
    #[arg(long)]
    text: bool,

    /// Show what every statement does, not only what rules find
    #[arg(long)]
    facts: bool,

    /// The sizes of tables: `live` for those of the database, or a file of --write-sizes
    #[arg(long, value_name = "live|FILE")]
    sizes: Option<String>,

    /// Write the sizes of the database's tables to a file, and do nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["range", "base", "text", "sizes", "facts"])]
    write_sizes: Option<PathBuf>,

    /// Write safe forms into the scripts of revisions that are not applied in the database
    #[arg(long, conflicts_with_all = ["text", "facts", "write_sizes"])]
    fix: bool,

    /// Print the changes of --fix, and write nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_lint(args: LintArgs, context: &Context) -> Result<Exit, Error> {
    if let Some(path) = &args.write_sizes {
        refuse_findings_format("--write-sizes", context)?;
        return write_sizes(path, context).await;
    }
    let request = asked(&args, context)?;
    if args.fix {
        refuse_findings_format("--fix", context)?;
        return fix(request, args.dry_run, context).await;
    }
    let schemas = request.schema.clone();
    let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
        let schema = schema.clone();
        let request = ops::LintArgs { schema, ..request };
        ops::lint(&context.project, session, &request).await
    };
    let report = context.read_schemas("lint", schemas, work).await?;
    let exit = match (report.interrupted, report.passed()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::CheckFailed,
    };
    let columns = context.output.columns();
    context.output.result(&LintView {
        report,
        facts: args.facts,
        columns,
    });
    Ok(exit)
}

async fn fix(lint: ops::LintArgs, dry_run: bool, context: &Context) -> Result<Exit, Error> {
    let schemas = lint.schema.clone();
    let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
        let schema = schema.clone();
        let lint = ops::LintArgs { schema, ..lint };
        ops::fix(&context.project, session, &ops::FixArgs { lint, dry_run }).await
    };
    let report = context.read_schemas("lint", schemas, work).await?;
    let exit = match report.after.passed() {
        true => Exit::Done,
        false => Exit::CheckFailed,
    };
    context.output.result(&report);
    Ok(exit)
}

/// Fails if the format shows findings alone, of which there are none with `flag`.
fn refuse_findings_format(flag: &str, context: &Context) -> Result<(), Error> {
    match context.output.findings_format() {
        Some(format) => {
            let message = format!("{flag} cannot be used with --format {format}");
            Err(Error::new(codes::M001, message).hint("use human or json"))
        }
        None => Ok(()),
    }
}

/// The look that the arguments ask for.
fn asked(args: &LintArgs, context: &Context) -> Result<ops::LintArgs, Error> {
    let usual = request(context, context.schema_request()?);
    let range = args
        .range
        .as_deref()
        .map(super::verify::range)
        .transpose()?;
    let mut settings = usual.settings;
    let live = args.sizes.as_deref() == Some("live");
    if let Some(path) = args.sizes.as_ref().filter(|_| !live) {
        let path = context.config.cwd().join(path);
        let shown = context.config.show(&path);
        let read = ops::read_sizes(&path, &shown).map_err(ops::Error::from)?;
        settings.sizes = read.sizes();
    }
    let only = match &args.base {
        Some(base) => Some(ops::new_since(&context.project, context.dialect()?, base)?),
        None => None,
    };
    Ok(ops::LintArgs {
        together: range.is_some() || only.is_some(),
        range: range.or(usual.range),
        only,
        level: if args.text { Level::Text } else { usual.level },
        schema: usual.schema,
        settings,
        live,
    })
}

/// The look at all revisions, each by itself, with the statements executed.
pub fn request(context: &Context, schema: ops::SchemaArgs) -> ops::LintArgs {
    ops::LintArgs {
        range: context.config.lint.since(),
        level: Level::Measured,
        schema,
        settings: context.config.lint.settings.clone(),
        ..ops::LintArgs::default()
    }
}

async fn write_sizes(path: &std::path::Path, context: &Context) -> Result<Exit, Error> {
    let path = context.config.cwd().join(path);
    let shown = context.config.show(&path);
    let work = async |session: &mut ops::Session| ops::measure_sizes(session).await;
    let sizes = context.read("lint", work).await?;
    ops::write_sizes(&path, &shown, &sizes).map_err(ops::Error::from)?;
    context.output.result(&WrittenView { files: vec![shown] });
    Ok(Exit::Done)
}
