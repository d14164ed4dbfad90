/// Whether the letters of `word` stand anywhere in `text`, in upper or lower case, be it in a string, a
/// comment or a longer word.
pub fn mentions(text: &str, word: &str) -> bool {
    let Some((first, rest)) = word.as_bytes().split_first() else {
        return true;
    };
    let text = text.as_bytes();
    let Some(last) = text.len().checked_sub(word.len()) else {
        return false;
    };
    // Looking at the first letter alone passes over most of a text of megabytes.
    (0..=last).any(|at| {
        text[at].eq_ignore_ascii_case(first)
            && text[at + 1..=at + rest.len()].eq_ignore_ascii_case(rest)
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
