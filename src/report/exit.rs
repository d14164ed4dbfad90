//! Exit statuses.

use std::process::ExitCode;

/// The exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: success.
    Done,
    /// 1: failure, nothing was changed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3: a check has found problems.
    CheckFailed,
    /// 4: some steps were done.
    Partway,
    /// 5: timed out waiting for the lock.
    Busy,
    /// 126: the program to run cannot be run.
    NotExecutable,
    /// 127: the program to run does not exist.
    NotFound,
    /// 130: interrupted by a signal.
    Interrupted,
    /// The exit status of a program that was run.
    Program(u8),
}

impl Exit {
    /// The number seen by the shell.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CheckFailed => 3,
            Self::Partway => 4,
            Self::Busy => 5,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
            Self::Interrupted => 130,
            Self::Program(status) => status,
        }
    }

    /// The exit status of the process.
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}
