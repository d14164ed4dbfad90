//! External text in Markdown.

/// Text in which nothing is markup.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '@'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped.replace('\n', " ")
}

/// A span of code, with more backticks than it has in a row.
pub(super) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{}{space}{fence}", text.replace('\n', " "))
}

/// A block of SQL, with a fence that it does not contain.
pub(super) fn block(sql: &str) -> String {
    let fence = "`".repeat(longest_run(sql).max(2) + 1);
    format!("{fence}sql\n{}\n{fence}", sql.trim_end())
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_place() {
        assert_eq!(escaped("a_b <img> @x `c`"), r"a\_b \<img\> \@x \`c\`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(block("SELECT 1;\n"), "```sql\nSELECT 1;\n```");
        assert_eq!(block("x ``` y"), "````sql\nx ``` y\n````");
    }
}
