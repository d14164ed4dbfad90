//! The user's editor.

use std::{path::PathBuf, process::Command};

use super::{codes, error::Error};

/// What `$VISUAL` or `$EDITOR` names.
#[derive(Debug, PartialEq, Eq)]
pub struct Editor {
    /// The variable.
    variable: &'static str,
    /// The program and its arguments; never empty.
    words: Vec<String>,
}

impl Editor {
    /// Finds it.
    ///
    /// # Errors
    /// When neither variable names one.
    pub fn find() -> Result<Self, Error> {
        Self::among(|name| std::env::var(name).ok())
    }

    fn among(value: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        for variable in ["VISUAL", "EDITOR"] {
            let Some(text) = value(variable).filter(|text| !text.trim().is_empty()) else {
                continue;
            };
            let words = words(&text).filter(|words| !words.is_empty());
            return words.map(|words| Self { variable, words }).ok_or_else(|| {
                Error::new(
                    codes::M462,
                    format!("{variable} can't be read: a quote in it is not closed"),
                )
                .hint(format!("set it to a program, as in {variable}=vi"))
            });
        }
        Err(Error::new(codes::M462, "no editor is set")
            .hint("set VISUAL or EDITOR, as in EDITOR=vi"))
    }

    /// Opens `files` in it and waits until it is closed.
    ///
    /// # Errors
    /// When it can't be started, or says that something went wrong.
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
            .map_err(|error| failed(format!("can't be started: {error}")))?;
        if status.success() {
            Ok(())
        } else {
            Err(failed(format!("failed with {status}")))
        }
    }
}

/// Parts `text` as a shell does, with quotes and backslashes but without variables; `None` when a
/// quote is open at the end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            // Within double quotes a backslash is one, but before these.
            ('\\', Some('"')) => {
                let escaped = characters.next_if(|c| matches!(c, '"' | '\\' | '$' | '`'));
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', None) => word
                .get_or_insert_default()
                .push(characters.next().unwrap_or('\\')),
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_as_a_shell_does() {
        let check = |text: &str, expected: &[&str]| {
            let expected = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(text), Some(expected), "{text}");
        };
        check("vi", &["vi"]);
        check("  code --wait ", &["code", "--wait"]);
        check("'/opt/my editor/bin' -x", &["/opt/my editor/bin", "-x"]);
        check(r#""a \"b\" \c" d"#, &[r#"a "b" \c"#, "d"]);
        check(r"/opt/my\ editor", &["/opt/my editor"]);
        check("emacs -e ''", &["emacs", "-e", ""]);
        check(r"a'b'\'c", &["ab'c"]);
        check("", &[]);
        assert_eq!(words("'vi"), None);
        assert_eq!(words("vi \"x"), None);
    }

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
