//! The user's editor.

use std::{path::PathBuf, process::Command};

use crate::report::{codes, error::Error, shell_words};

/// The editor named by `$VISUAL` or `$EDITOR`.
#[derive(Debug, PartialEq, Eq)]
pub struct Editor {
    /// The variable.
    variable: &'static str,
    /// The program and its arguments; never empty.
    words: Vec<String>,
}

impl Editor {
    /// Finds the editor.
    ///
    /// # Errors
    /// Fails when neither variable names one.
    pub fn find() -> Result<Self, Error> {
        Self::among(|name| std::env::var(name).ok())
    }

    fn among(value: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        for variable in ["VISUAL", "EDITOR"] {
            let Some(text) = value(variable).filter(|text| !text.trim().is_empty()) else {
                continue;
            };
            let words = shell_words(&text).filter(|words| !words.is_empty());
            return words.map(|words| Self { variable, words }).ok_or_else(|| {
                Error::new(
                    codes::M462,
                    format!("{variable} cannot be read: a quote in it is not closed"),
                )
                .hint(format!("set it to a program, as in {variable}=vi"))
            });
        }
        Err(Error::new(codes::M462, "no editor is set")
            .hint("set VISUAL or EDITOR, as in EDITOR=vi"))
    }

    /// Opens `files` in the editor and waits until it is closed.
    ///
    /// # Errors
    /// Fails when the editor cannot be started or reports an error.
    pub fn open(&self, files: &[PathBuf]) -> Result<(), Error> {
        let shown = self.words.join(" ");
        let failed = |reason: String| {
            Error::new(codes::M463, format!("the editor `{shown}` {reason}"))
                .hint(format!("it comes from {}", self.variable))
        };
        let status = Command::new(&self.words[0])
            .args(&self.words[1..])
            .args(files)
            .status()
            .map_err(|error| failed(format!("cannot be started: {error}")))?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format!("failed with {status}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visual_goes_before_editor() {
        let find = |visual: Option<&str>, editor: Option<&str>| {
            Editor::among(|name| {
                let value = if name == "VISUAL" { visual } else { editor };
                value.map(str::to_owned)
            })
            .map(|editor| (editor.variable, editor.words.join("|")))
            .map_err(|error| error.diagnostics[0].code)
        };
        assert_eq!(find(Some("a b"), Some("c")), Ok(("VISUAL", "a|b".into())));
        assert_eq!(find(None, Some("c")), Ok(("EDITOR", "c".into())));
        assert_eq!(find(Some(" "), Some("c")), Ok(("EDITOR", "c".into())));
        assert_eq!(find(None, None), Err("M462"));
        assert_eq!(find(Some("'a"), Some("c")), Err("M462"));
    }
}
