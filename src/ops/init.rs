use std::path::{Path, PathBuf};

use super::{
    AutogenerateArgs, AutogenerateReport, Error, ModelArgs, Project, Proof, RevisionArgs,
    SchemaArgs, Scripts, Session, StampArgs, autogenerate, autogenerate::write, stamp,
};
use crate::{
    project::{self, ModelConfig, ModelSource, ScratchUrl},
    revision::RevisionId,
    schema::Unmodelled,
};

/// A project that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitReport {
    /// The files and directories, as named in messages.
    pub files: Vec<String>,
    /// Whether the `.gitignore` was created.
    pub ignores: bool,
    /// The directory of the project, if it is not the working directory.
    pub dir: Option<String>,
    /// The revision that makes what a database contains, if the project was created from one.
    pub baseline: Option<Baseline>,
}

/// A revision that makes what a database contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The revision; `None` if the database is empty.
    pub revision: Option<RevisionId>,
    /// How its scripts were proven.
    pub proof: Proof,
    /// What the revision does not make, since the model of schemas does not have it.
    pub left_out: Vec<Unmodelled>,
    /// Whether the revision was recorded as applied.
    pub stamped: bool,
    /// Whether the URL was written. One with a password is not.
    pub has_url: bool,
}

/// Arguments of `init --from-database`.
#[derive(Clone)]
pub struct InitFromArgs {
    /// The directory of the project.
    pub dir: PathBuf,
    /// The working directory.
    pub cwd: PathBuf,
    /// The URL of the database, as it is read.
    pub url: ScratchUrl,
    /// The URL as it is written; `None` to write a variable in its place.
    pub written_url: Option<String>,
    /// What is read, and where scratch databases are created.
    pub schema: SchemaArgs,
    /// What the values of the rows are made from with which the scripts are proven.
    pub seed: u64,
}

/// The URL in the configuration of a project whose database has a password.
const VARIABLE: &str = "${DATABASE_URL}";

/// Creates a project in `dir` without overwriting anything.
///
/// # Errors
/// Fails when a file exists or cannot be written.
pub fn init(dir: &Path) -> Result<InitReport, Error> {
    created(dir, None)
}

fn created(dir: &Path, url: Option<&str>) -> Result<InitReport, Error> {
    let made = project::init(dir, url)?;
    Ok(InitReport {
        ignores: made.iter().any(|path| path.ends_with(".gitignore")),
        files: made.iter().map(|path| shown(path)).collect(),
        dir: (dir != Path::new(".")).then(|| dir.display().to_string()),
        baseline: None,
    })
}

fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    path.display().to_string()
}

/// Creates a project with one revision that makes what the database of `session` contains, proven in a
/// scratch database. Only reads the database.
///
/// # Errors
/// Fails when there is a project, when the database cannot be read, or when the proof fails. Nothing
/// is written then.
pub async fn init_from_database(
    session: &mut Session,
    args: &InitFromArgs,
) -> Result<InitReport, Error> {
    project::ensure_new(&args.dir)?;
    let report = baseline(session, args).await?;
    let url = args.written_url.as_deref().unwrap_or(VARIABLE);
    let mut made = created(&args.dir, Some(url))?;
    let project = in_directory(&args.dir);
    let written = write(&project, &report.revisions)?;
    let paths = written.iter().flat_map(|revision| &revision.paths);
    made.files.extend(paths.map(|path| shown(path)));
    made.baseline = Some(Baseline {
        revision: report.revisions.first().map(|draft| draft.id.clone()),
        proof: report.proof,
        left_out: report.left_out,
        stamped: false,
        has_url: args.written_url.is_some(),
    });
    Ok(made)
}

/// Records the baseline of a new project as applied.
///
/// # Errors
/// Fails when the database cannot be written to.
pub async fn stamp_baseline(session: &mut Session, dir: &Path) -> Result<(), Error> {
    let args = StampArgs {
        targets: vec![crate::revision::Target::Heads],
        purge: false,
    };
    stamp(&in_directory(dir), session, &args).await.map(drop)
}

fn in_directory(dir: &Path) -> Project {
    let path = dir.join("migrations");
    let shown = shown(&path);
    Project::new(Scripts::Directory { path, shown })
}

async fn baseline(session: &mut Session, args: &InitFromArgs) -> Result<AutogenerateReport, Error> {
    let request = AutogenerateArgs {
        revision: RevisionArgs {
            message: "Baseline".to_owned(),
            ..RevisionArgs::default()
        },
        model: ModelArgs {
            config: ModelConfig {
                source: Some(ModelSource::Url(args.url.clone())),
                ..ModelConfig::default()
            },
            root: args.cwd.clone(),
            cwd: args.cwd.clone(),
        },
        schema: args.schema.clone(),
        renames: Vec::new(),
        no_renames: Vec::new(),
        fills: Vec::new(),
        allow_loss: false,
        online: false,
        seed: args.seed,
        dry_run: true,
    };
    let empty = Project::new(Scripts::Embedded([].into()));
    autogenerate(&empty, session, &request).await
}
