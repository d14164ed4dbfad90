use std::path::{Path, PathBuf};

use crate::{
    cli::{context::Context, options::Global},
    database::{Access, Location, without_password},
    ops,
    project::ScratchUrl,
    report::{
        Output,
        error::{self, Error},
        exit::Exit,
    },
};

/// Create a project: migrator.toml, migrations/ and templates/
///
/// Also creates a .gitignore. Existing files are not overwritten.
///
/// With --from-database, the project gets a first revision that makes what the database contains,
/// proven in a scratch database. The database is only read, unless the revision is recorded as
/// applied there: --stamp does so, and without it a terminal is asked.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Directory of the project
    #[arg(default_value = ".")]
    dir: PathBuf,

    /// Write a revision that makes what this database contains
    #[arg(long, value_name = "URL")]
    from_database: Option<String>,

    /// Record that revision as applied in the database
    #[arg(long, requires = "from_database")]
    stamp: bool,
}

pub async fn cmd_init(args: &InitArgs, global: &Global, output: &Output) -> Result<Exit, Error> {
    let Some(url) = &args.from_database else {
        output.result(&ops::init(&args.dir)?);
        return Ok(Exit::Done);
    };
    let global = Global {
        url: Some(url.clone()),
        ..global.clone()
    };
    let context = Context::load(&global, Vec::new(), output.clone())?;
    let done = cmd_init_from_database(args, url, &context).await;
    done.map_err(|error| context.shown(error))
}

async fn cmd_init_from_database(
    args: &InitArgs,
    url: &str,
    context: &Context,
) -> Result<Exit, Error> {
    let location = context.location()?;
    let cwd = context.config.cwd();
    let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
        let request = ops::InitFromArgs {
            dir: args.dir.clone(),
            cwd: cwd.to_owned(),
            url: ScratchUrl {
                text: url.to_owned(),
                base: cwd.to_owned(),
            },
            written_url: written(url, &location, &args.dir),
            schema: schema.clone(),
            seed: super::verify::SEED,
        };
        ops::init_from_database(session, &request).await
    };
    let request = context.schema_request()?;
    let mut report = context.read_schemas("init", request, work).await?;
    if let Some(baseline) = &mut report.baseline
        && baseline.revision.is_some()
    {
        let question = format!(
            "Record the baseline as applied in {}? [y/N] ",
            context.place(&location)
        );
        if args.stamp || context.says_yes(&question) {
            let stamped = context.operate(("stamp", Access::Existing), async |session, _| {
                ops::stamp_baseline(session, &args.dir).await
            });
            let stamped = stamped.await;
            baseline.stamped = stamped.is_ok();
            if let Err(error) = stamped {
                context.output.result(&report);
                return Err(error::after_init(error));
            }
        }
    }
    context.output.result(&report);
    Ok(Exit::Done)
}

/// The URL for the configuration in `dir`: a file by its path from there, and nothing with a password.
fn written(url: &str, location: &Location, dir: &Path) -> Option<String> {
    match location.file() {
        Some(_) if dir == Path::new(".") => Some(url.to_owned()),
        Some(file) => Some(format!("sqlite:{}", file.display())),
        None => (without_password(url) == url).then(|| url.to_owned()),
    }
}
