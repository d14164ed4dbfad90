use memchr::memchr2_iter;

/// Returns whether `text` contains `word`, ignoring case, even within a string, a comment or a
/// longer word.
pub fn mentions(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let Some(first) = word.first() else {
        return true;
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text).any(|at| {
        let here = text.get(at..at + word.len());
        here.is_some_and(|here| here.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        let found = |text| mentions(text, "Temp");
        assert!(found("CREATE TEMPORARY TABLE t (a)"));
        assert!(found("temp"));
        assert!(found("DROP TABLE \"temp\".t"));
        assert!(found("é tEMp"));
        assert!(!found("tem"));
        assert!(!found("CREATE TABLE tem_p (a)"));
        assert!(!found(""));
        assert!(mentions("", ""));
    }
}
