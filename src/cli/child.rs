//! A program that runs in place of migrator: with its input and output, its signals and its exit
//! status.

use std::{ffi::OsString, io, process::ExitStatus, time::Duration};

use anyhow::Context as _;
use tokio::process::{Child, Command};

use crate::report::{codes, error::Error, shell_word};

/// The interval at which `beat` is called while the program runs.
const BEAT: Duration = Duration::from_secs(20);

/// The signals that concern the program. While the value exists, none of them ends this process.
pub struct Signals(platform::Signals);

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// Fails when the system refuses.
    pub fn install() -> Result<Self, Error> {
        let installed = platform::Signals::install();
        Ok(Self(installed.context("cannot listen for signals")?))
    }
}

/// Runs a program, given as its name and arguments, with `variables` in its environment, and waits for
/// its end. Returns its exit status, which is 128 and the number of a signal that ended it.
///
/// # Errors
/// Fails when the program cannot be started.
pub async fn run(
    words: &[OsString],
    variables: &[(&str, String)],
    mut signals: Signals,
    mut beat: impl AsyncFnMut(),
) -> Result<u8, Error> {
    let (program, arguments) = words.split_first().ok_or_else(no_program)?;
    let mut command = Command::new(program);
    command.args(arguments);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command.spawn().map_err(|error| failed(program, &error))?;
    loop {
        tokio::select! {
            biased;
            ended = child.wait() => return Ok(status(ended.context("cannot wait for the command")?)),
            signal = signals.0.next() => forward(&child, signal),
            () = tokio::time::sleep(BEAT) => beat().await,
        }
    }
}

fn no_program() -> Error {
    Error::new(codes::M001, "no command is given")
}

fn failed(program: &OsString, error: &io::Error) -> Error {
    let name = shell_word(&program.to_string_lossy());
    match error.kind() {
        io::ErrorKind::NotFound => Error::new(codes::M877, format!("{name}: command not found")),
        _ => Error::new(codes::M878, format!("{name}: {error}")),
    }
}

fn forward(child: &Child, signal: Option<i32>) {
    // Without an ID, the program has ended.
    if let (Some(id), Some(signal)) = (child.id(), signal) {
        platform::send(id, signal);
    }
}

#[cfg(unix)]
fn status(ended: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let signal = ended.signal().map(|signal| 128 + signal);
    let status = ended.code().or(signal);
    status.and_then(|it| u8::try_from(it).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn status(ended: ExitStatus) -> u8 {
    let status = ended.code();
    status.and_then(|it| u8::try_from(it).ok()).unwrap_or(1)
}

#[cfg(unix)]
mod platform {
    use std::io;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use crate::execute;

    pub struct Signals {
        interrupt: Signal,
        quit: Signal,
        terminate: Signal,
        hangup: Option<Signal>,
    }

    impl Signals {
        pub fn install() -> io::Result<Self> {
            // The program inherits what is ignored.
            let hangup = (!execute::hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: hangup.transpose()?,
            })
        }

        /// Waits for a signal. Returns the one to forward, if it is to be forwarded.
        pub async fn next(&mut self) -> Option<i32> {
            let from_terminal = |number| (!is_foreground()).then_some(number);
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = self.interrupt.recv() => from_terminal(libc::SIGINT),
                _ = self.quit.recv() => from_terminal(libc::SIGQUIT),
                _ = self.terminate.recv() => Some(libc::SIGTERM),
                _ = hangup => Some(libc::SIGHUP),
            }
        }
    }

    /// Whether the terminal sends its signals to this process and to the program alike.
    fn is_foreground() -> bool {
        // SAFETY: the calls only return numbers.
        unsafe {
            let group = libc::getpgrp();
            (0..3).any(|descriptor| libc::tcgetpgrp(descriptor) == group)
        }
    }

    pub fn send(id: u32, signal: i32) {
        let Ok(id) = libc::pid_t::try_from(id) else {
            return;
        };
        // SAFETY: the call has no memory to keep. The program is not waited for yet, so that its ID
        // cannot belong to another one.
        unsafe {
            libc::kill(id, signal);
        }
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;

    pub struct Signals;

    impl Signals {
        pub fn install() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for a signal, which the program receives as well.
        pub async fn next(&mut self) -> Option<i32> {
            let _ = tokio::signal::ctrl_c().await;
            None
        }
    }

    pub fn send(_: u32, _: i32) {}
}
