//! Annotations for GitHub workflows, which read them from the output of a step.

use super::{Diagnostic, Page, Snippet, Weight, escape};

/// A line `::error …::…`, or of another weight. `path` converts a file name to one that GitHub finds.
pub fn annotation(found: &Diagnostic, weight: Weight, path: &dyn Fn(&str) -> String) -> Page {
    let mut properties = Vec::new();
    if let Some(place) = &found.place {
        properties.push(format!("file={}", property(&path(&place.file))));
        if let Some(at) = Snippet::position(place) {
            properties.push(format!("line={},col={}", at.line, at.column));
        }
    }
    properties.push(format!("title={}", property(found.code)));
    let hint = found.hint.iter().map(|hint| format!("help: {hint}"));
    let notes = found.notes.iter().map(|note| format!("note: {note}"));
    let text: Vec<_> = std::iter::once(found.message.clone())
        .chain(notes)
        .chain(hint)
        .collect();
    let text = data(&text.join("\n"));
    let mut page = Page::default();
    page.command(format!(
        "::{} {}::{text}",
        weight.annotation(),
        properties.join(",")
    ));
    page
}

/// Escapes the text after the second `::`.
fn data(text: &str) -> String {
    escape::lines(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property, after a `=`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_an_annotation() {
        let found = Diagnostic {
            code: "M801",
            message: "100 %: a,b\r\n::error::no\u{1b}[1m\u{202e}\rx".to_owned(),
            place: Some(Snippet {
                file: "m/1,2:3 100%.sql".to_owned(),
                text: Some("a\nb c".into()),
                offset: Some(4),
                ..Snippet::default()
            }),
            notes: vec!["one".to_owned()],
            hint: Some("two".to_owned()),
            diff: None,
        };
        assert_eq!(
            annotation(&found, Weight::Error, &|file| format!("sub/{file}")).to_string(),
            "::error file=sub/m/1%2C2%3A3 100%25.sql,line=2,col=3,title=M801::\
             100 %25: a,b%0A::error::no\\u{1b}[1m\\u{202e}\\rx%0Anote: one%0Ahelp: two\n"
        );
        let plain = Diagnostic {
            code: "M805",
            message: "x".to_owned(),
            ..Diagnostic::default()
        };
        let line = annotation(&plain, Weight::Error, &str::to_owned).to_string();
        assert_eq!(line, "::error title=M805::x\n");
    }
}
