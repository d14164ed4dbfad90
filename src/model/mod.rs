//! Programs that print a declared schema as SQL: a command of the project, and those for the models
//! of other tools, which are embedded here and run with the project's own interpreter.

mod carry;
mod interpreter;
mod kept;
mod orm;
mod program;

use std::{path::PathBuf, time::Duration};

pub use kept::Kept;
pub use orm::program as orm;
pub use program::{Output, Program, ProgramError, ProgramFault};

/// How programs are run.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The directory of the project, in which programs run.
    pub root: PathBuf,
    /// How long a program may take.
    pub timeout: Duration,
}

/// Runs a command that prints SQL.
///
/// # Errors
/// Fails when the command cannot be started, takes too long, fails, or prints nothing or something
/// else than UTF-8.
pub async fn command(words: &[String], request: &ModelRequest) -> Result<Output, ProgramError> {
    let program = Program {
        shown: words.join(" "),
        words: words.iter().map(Into::into).collect(),
        variables: Vec::new(),
        input: None,
    };
    program.run(request).await
}
