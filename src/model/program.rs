use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

use super::ModelRequest;

/// A program that prints SQL.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program for display.
    pub shown: String,
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Variables added to its environment.
    pub variables: Vec<(String, OsString)>,
    /// What it reads from its standard input; nothing if this is `None`.
    pub input: Option<String>,
}

/// What a program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The program for display.
    pub program: String,
    /// The SQL.
    pub sql: String,
    /// What it wrote to standard error.
    pub messages: String,
}

/// The error of a program that printed no SQL.
#[derive(Debug, thiserror::Error)]
#[error("`{program}` {fault}")]
pub struct ProgramError {
    /// The program for display.
    pub program: String,
    /// What went wrong.
    #[source]
    pub fault: ProgramFault,
    /// The last lines that it wrote, to standard error if there are any.
    pub tail: String,
}

/// What went wrong with a program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramFault {
    /// It cannot be started.
    #[error("cannot be started: {0}")]
    Start(#[source] io::Error),
    /// Its output cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// It did not end in time.
    #[error("did not end within {} seconds", .0.as_secs_f64())]
    Timeout(Duration),
    /// It failed.
    #[error("failed: {0}")]
    Failed(ExitStatus),
    /// It printed nothing.
    #[error("printed nothing")]
    Silent,
    /// Its output is not UTF-8.
    #[error("printed something else than UTF-8")]
    NotText,
    /// Its output is larger than any schema.
    #[error("printed more than {} MB", MAX_OUTPUT / 1_000_000)]
    TooLong,
}

/// The most that a program may print, in bytes.
const MAX_OUTPUT: u64 = 256_000_000;

/// How many lines of the messages of a program are shown.
const SHOWN_LINES: usize = 20;

impl Program {
    /// Runs the program to its end and returns what it printed. A dropped future ends the program.
    ///
    /// # Errors
    /// Fails when the program prints no SQL.
    pub async fn run(&self, request: &ModelRequest) -> Result<Output, ProgramError> {
        let error = |fault| ProgramError {
            program: self.shown.clone(),
            fault,
            tail: String::new(),
        };
        let child = self.start(request);
        let mut running = Running(child.map_err(|it| error(ProgramFault::Start(it)))?);
        let ended = tokio::time::timeout(request.timeout, self.finish(&mut running.0)).await;
        let (status, out, err) = match ended {
            Err(_) => return Err(error(ProgramFault::Timeout(request.timeout))),
            Ok(Err(fault)) => return Err(error(ProgramFault::Read(fault))),
            Ok(Ok(ended)) => ended,
        };
        let messages = String::from_utf8_lossy(&err).into_owned();
        let failed = |fault| ProgramError {
            program: self.shown.clone(),
            fault,
            tail: match messages.trim().is_empty() {
                true => tail(&String::from_utf8_lossy(&out)),
                false => tail(&messages),
            },
        };
        if !status.success() {
            return Err(failed(ProgramFault::Failed(status)));
        }
        if out.len() as u64 > MAX_OUTPUT {
            return Err(failed(ProgramFault::TooLong));
        }
        match String::from_utf8(out.clone()) {
            Err(_) => Err(failed(ProgramFault::NotText)),
            Ok(sql) if sql.trim().is_empty() => Err(failed(ProgramFault::Silent)),
            Ok(sql) => Ok(Output {
                program: self.shown.clone(),
                sql,
                messages,
            }),
        }
    }

    fn start(&self, request: &ModelRequest) -> io::Result<Child> {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().cloned().unwrap_or_default());
        command.args(words).current_dir(&request.root);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Colours and prompts are for terminals.
        command.env("NO_COLOR", "1").env("CI", "1");
        command.stdin(match self.input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // What the program starts ends with it.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }

    async fn finish(&self, child: &mut Child) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, &self.input) {
                match stdin.write_all(input.as_bytes()).await {
                    // A program that needs no input is none of our business.
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let read_out = async {
            match stdout {
                Some(stdout) => stdout.take(MAX_OUTPUT + 1).read_to_end(&mut out).await,
                None => Ok(0),
            }
        };
        let read_err = async {
            match stderr {
                Some(stderr) => stderr.take(MAX_OUTPUT).read_to_end(&mut err).await,
                None => Ok(0),
            }
        };
        tokio::try_join!(write, read_out, read_err)?;
        let status = child.wait().await?;
        Ok((status, out, err))
    }
}

/// A program that is ended with all that it started if it does not end by itself.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| libc::pid_t::try_from(id).ok()) {
            // SAFETY: the call has no memory to keep. The program is not waited for yet, so that its
            // ID cannot belong to another group.
            unsafe {
                libc::kill(-group, libc::SIGKILL);
            }
        }
    }
}

/// The last lines of a text.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn run(script: &str, seconds: u64) -> Result<Output, ProgramError> {
        let request = ModelRequest {
            root: std::env::temp_dir(),
            timeout: Duration::from_secs(seconds),
        };
        let words = ["sh", "-c", script].map(str::to_owned);
        super::super::command(&words, &request).await
    }

    #[tokio::test]
    async fn what_a_program_prints_is_the_sql() {
        let output = run("echo 'CREATE TABLE t (a int);'; echo hello >&2", 60)
            .await
            .unwrap();
        assert_eq!(output.sql, "CREATE TABLE t (a int);\n");
        assert_eq!(output.messages, "hello\n");
    }

    #[tokio::test]
    async fn programs_that_print_no_sql_are_errors() {
        let check = async |script: &str, message: &str, tail: &str| {
            let error = run(script, 60).await.unwrap_err();
            assert_eq!(error.to_string(), format!("`sh -c {script}` {message}"));
            assert_eq!(error.tail, tail);
        };
        check("true", "printed nothing", "").await;
        check("echo; echo why >&2", "printed nothing", "why").await;
        check("echo a; exit 3", "failed: exit status: 3", "a").await;
        check("echo a; echo b >&2; exit 1", "failed: exit status: 1", "b").await;
        check(
            "printf '\\377'",
            "printed something else than UTF-8",
            "\u{fffd}",
        )
        .await;
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("alive");
        let script = format!("(sleep 3; touch {}) & sleep 600", file.display());
        let error = run(&script, 1).await.unwrap_err();
        assert!(matches!(error.fault, ProgramFault::Timeout(_)), "{error}");
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert!(!file.exists());
    }
}
