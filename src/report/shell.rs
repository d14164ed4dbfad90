//! Words of shell commands.

/// `word` as an argument in a shell command, quoted if necessary.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The words of a shell command, with quotes and backslashes but without variables; `None` if a quote
/// is not closed.
pub fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            // In double quotes, a backslash escapes only these characters.
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
    fn words_survive_a_shell() {
        let check = |word: &str, expected: &str| assert_eq!(shell_word(word), expected);
        check("backups/app-1.sqlite.zst", "backups/app-1.sqlite.zst");
        check("a b", "'a b'");
        check("it's", "'it'\\''s'");
        check("", "''");
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        let check = |text: &str, expected: &[&str]| {
            let expected = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(shell_words(text), Some(expected), "{text}");
        };
        check("vi", &["vi"]);
        check("  code --wait ", &["code", "--wait"]);
        check("'/opt/my editor/bin' -x", &["/opt/my editor/bin", "-x"]);
        check(r#""a \"b\" \c" d"#, &[r#"a "b" \c"#, "d"]);
        check(r"/opt/my\ editor", &["/opt/my editor"]);
        check("emacs -e ''", &["emacs", "-e", ""]);
        check(r"a'b'\'c", &["ab'c"]);
        check("", &[]);
        assert_eq!(shell_words("'vi"), None);
        assert_eq!(shell_words("vi \"x"), None);
    }
}
