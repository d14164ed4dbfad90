//! The databases' own shells, which run the scripts of `--sql`.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use super::{Backend, Env};

impl Env {
    /// Runs `script` as psql or the sqlite3 shell of the PATH does it.
    ///
    /// # Panics
    /// Without the shell: tests that do not run must not pass.
    pub fn shell(&self, script: &str) -> Output {
        self.shell_with(script, &[])
    }

    /// The same with more arguments.
    pub fn shell_with(&self, script: &str, arguments: &[&str]) -> Output {
        self.write("script.sql", script);
        let file = self.path("script.sql");
        let output = match self.backend {
            Backend::Postgres => Command::new("psql")
                .args(["-X", "-v", "ON_ERROR_STOP=1", "-f"])
                .arg(&file)
                .args(arguments)
                .arg(self.url())
                .output(),
            Backend::Sqlite => Command::new("sqlite3")
                .args(["-init", "/dev/null", "-bail"])
                .args(arguments)
                .arg(self.path("app.db"))
                .stdin(Stdio::from(fs::File::open(&file).unwrap()))
                .output(),
        };
        output.unwrap_or_else(|error| match self.backend {
            Backend::Postgres => panic!("psql is needed ({error}); tests/run puts it on the PATH"),
            Backend::Sqlite => panic!(
                "the sqlite3 shell is needed ({error}); tests/run installs it on Debian, elsewhere: \
                 https://sqlite.org/download.html"
            ),
        })
    }
}
