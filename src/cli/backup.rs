//! What the commands about backups share: where backups are, and long work that can be stopped.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use async_trait::async_trait;

use super::{context::Context, error::Error};
use crate::{
    backup::{Making, Note, Observer, OwnersCode, Store},
    database::Cancel,
    execute::{self, Sink},
    project,
    report::{Bar, Diagnostic, duration},
};

/// Where backups are.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Directory of the backups, over `[backup] directory`
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Place {
    /// The directory.
    pub fn store(&self, context: &Context) -> Result<Store, Error> {
        let Some(directory) = &self.directory else {
            return Ok(Store::new(&context.config.backup.directory));
        };
        let directory = std::path::absolute(directory).context("--directory can't be read")?;
        Ok(Store::new(&directory))
    }
}

/// Long work: a live line, and signals that stop it.
pub struct Work {
    /// For those who do the work.
    pub observer: Observer,
    bar: Arc<Bar>,
}

impl Work {
    /// Begins to listen for signals.
    pub fn begin(context: &Context) -> Result<Self, Error> {
        execute::watch(context.stop.clone(), Arc::new(Nothing), Sink::silent())
            .context("can't listen for signals")?;
        Ok(Self::within(context))
    }

    /// As a part of what listens already.
    pub fn within(context: &Context) -> Self {
        let bar = Arc::new(context.output.bar());
        let (shown, stop) = (Arc::clone(&bar), context.stop.clone());
        Self {
            observer: Observer {
                progress: Arc::new(move |phase, done, total| shown.show(phase, done, total)),
                tell: teller(context, &bar),
                stopped: Arc::new(move || stop.is_requested()),
            },
            bar,
        }
    }

    /// Clears the live line.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

/// Says at once what people should know while it goes on. What is true of the whole command is in
/// its result as well.
fn teller(context: &Context, bar: &Arc<Bar>) -> Arc<dyn Fn(Note) + Send + Sync> {
    let (output, bar) = (context.output, Arc::clone(bar));
    let cwd = context.config.cwd().to_owned();
    let say = move |note| match note {
        Note::Waiting { file, limit } => output.waiting(&format!(
            "waiting up to {} for {}, which another process has locked",
            duration(limit),
            project::show(&cwd, &file)
        )),
        Note::OwnersCode(code) => output.warn(&owners_code(&code)),
        Note::NotDropped { name, reason } => output.warn(&Diagnostic {
            message: format!(
                "the database was replaced, but the old one, {name}, can't be dropped: {reason}"
            ),
            ..Diagnostic::default()
        }),
    };
    Arc::new(move |note| bar.suspend(|| say(note)))
}

/// That code of others is about to run with the rights of a role.
fn owners_code(code: &OwnersCode) -> Diagnostic {
    let OwnersCode {
        role,
        superuser,
        owners,
    } = code;
    let role = if *superuser {
        format!("the superuser {role}")
    } else {
        format!("the role {role}")
    };
    let owners = match owners {
        Some(owners) => owners.join(", "),
        None => "other roles, as far as its manifest tells".to_owned(),
    };
    Diagnostic {
        message: format!("code in the backup runs with the rights of {role} while it is loaded"),
        notes: vec![
            format!("owners of what is in it: {owners}"),
            "their CHECK constraints, generated columns and the functions in them are run"
                .to_owned(),
        ],
        hint: Some(
            "if they are not trusted, load it as a role with no more rights than theirs".to_owned(),
        ),
        ..Diagnostic::default()
    }
}

/// The first signal ends long work by itself.
struct Nothing;

#[async_trait]
impl Cancel for Nothing {
    async fn cancel(&self) {}
}

impl Context {
    /// How the configuration has backups made.
    pub fn making(&self) -> Making {
        Making {
            compression: self.config.backup.compress,
            keep: self.config.backup.keep as usize,
            lock_wait: self.config.lock_wait,
        }
    }
}
