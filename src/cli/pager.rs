//! The user's pager.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::report::shell_words;

/// The pager if no variable names one.
const USUAL: &str = "less";

/// Defaults for variables of common pagers: less passes colours on, exits if the text fits the
/// screen, and leaves the text on it.
const SETTINGS: [(&str, &str); 2] = [("LESS", "FRX"), ("LV", "-c")];

/// The pager named by `$MIGRATOR_PAGER` or `$PAGER`.
#[derive(Debug, PartialEq, Eq)]
pub struct Pager {
    /// The program and its arguments; never empty.
    words: Vec<String>,
}

impl Pager {
    /// Finds the pager; `None` if none is wanted or the variable cannot be read.
    pub fn find() -> Option<Self> {
        Self::among(|name| std::env::var(name).ok())
    }

    fn among(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if value("TERM").is_none_or(|term| term == "dumb") {
            return None;
        }
        let named = value("MIGRATOR_PAGER").or_else(|| value("PAGER"));
        let words = shell_words(named.as_deref().unwrap_or(USUAL))?;
        let is_none = words.first().is_none_or(|program| program == "cat");
        (!is_none).then_some(Self { words })
    }

    /// Shows `text`, and waits until the pager is closed. Returns false if the pager cannot be
    /// started or fails, so the text may not have been shown.
    pub fn show(&self, text: &str) -> bool {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).stdin(Stdio::piped());
        for (name, usual) in SETTINGS {
            if std::env::var_os(name).is_none() {
                command.env(name, usual);
            }
        }
        // Ctrl-C is left to the pager. If this process ended, the pager would share the terminal
        // with the shell.
        #[cfg(unix)]
        let _ignored = {
            use tokio::signal::unix::{SignalKind, signal};
            let runtime = tokio::runtime::Handle::try_current().ok();
            runtime.and_then(|_| signal(SignalKind::interrupt()).ok())
        };
        let Ok(mut process) = command.spawn() else {
            return false;
        };
        if let Some(mut input) = process.stdin.take() {
            // A pager that is closed early has shown enough.
            let _ = input.write_all(text.as_bytes());
        }
        process.wait().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_name_the_pager() {
        let check = |ours: Option<&str>, pager: Option<&str>, expected: Option<&str>| {
            let found = Pager::among(|name| {
                let value = match name {
                    "MIGRATOR_PAGER" => ours,
                    "PAGER" => pager,
                    _ => Some("xterm"),
                };
                value.map(str::to_owned)
            });
            let found = found.map(|pager| pager.words.join("|"));
            assert_eq!(found.as_deref(), expected, "{ours:?} {pager:?}");
        };
        check(None, None, Some("less"));
        check(None, Some("more -d"), Some("more|-d"));
        check(Some("bat --plain"), Some("more"), Some("bat|--plain"));
        check(Some(""), Some("more"), None);
        check(None, Some("cat"), None);
        check(None, Some("'open"), None);
        assert_eq!(Pager::among(|_| None), None);
    }

    #[test]
    fn a_pager_that_is_missing_or_fails_says_so() {
        let show = |words: &[&str]| {
            let words = words.iter().copied().map(str::to_owned).collect();
            Pager { words }.show("text\n")
        };
        assert!(!show(&["/nonexistent/pager"]));
        assert!(!show(&["sh", "-c", "exit 1"]));
        assert!(show(&["sh", "-c", "test \"$(cat)\" = text"]));
        assert!(show(&["true"]));
    }
}
