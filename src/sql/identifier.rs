//! Identifiers in double quotes, which every dialect reads.

/// `name` in double quotes.
pub fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Cuts an identifier off the start of `text`, after its opening quote. Returns the name and the rest
/// after the closing quote; `None` if there is no closing quote.
pub fn cut_quoted(text: &str) -> Option<(String, &str)> {
    let (mut name, mut rest) = (String::new(), text);
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_are_read_back() {
        let check = |name: &str, quoted: &str| {
            assert_eq!(in_quotes(name), quoted);
            let text = format!("{}.rest", &quoted[1..]);
            assert_eq!(cut_quoted(&text), Some((name.to_owned(), ".rest")));
        };
        check("orders", "\"orders\"");
        check("a\"b", "\"a\"\"b\"");
        check("\"", "\"\"\"\"");
        assert_eq!(cut_quoted("orders"), None);
    }
}
