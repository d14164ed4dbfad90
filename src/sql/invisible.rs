use super::{Dialect, TokenKind, lex};

/// An invisible or blank-looking character that is part of a name or not valid SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invisible {
    /// The byte offset of the character.
    pub at: usize,
    /// The character.
    pub character: char,
    /// The name of the character.
    pub name: &'static str,
}

/// Returns the invisible characters of `text` outside strings, quoted names and comments.
pub fn invisible(dialect: Dialect, text: &str) -> Vec<Invisible> {
    let tokens = lex(dialect, text.as_bytes());
    let bare = tokens.filter(|token| {
        matches!(
            token.kind,
            TokenKind::Word | TokenKind::Number | TokenKind::Other
        )
    });
    // A character may consist of several one-byte tokens.
    let found = bare.flat_map(|token| {
        let starts = (token.start..token.end).filter(|at| text.is_char_boundary(*at));
        starts.filter_map(|at| {
            let character = text[at..].chars().next()?;
            let name = name(character)?;
            Some(Invisible {
                at,
                character,
                name,
            })
        })
    });
    found.collect()
}

fn name(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{feff}' => "byte order mark",
        '\u{a0}' => "no-break space",
        '\u{202f}' => "narrow no-break space",
        '\u{3000}' => "ideographic space",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{2060}' => "word joiner",
        '\u{ad}' => "soft hyphen",
        '\u{85}' => "next line",
        '\u{2028}' => "line separator",
        '\u{2029}' => "paragraph separator",
        '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200a}' | '\u{205f}' => "space of another kind",
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "mark of the direction of text"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_has_a_name() {
        let check = |text: &str, expected: &[(usize, &str)]| {
            for dialect in Dialect::ALL {
                let found = invisible(dialect, text);
                let found: Vec<_> = found.iter().map(|one| (one.at, one.name)).collect();
                assert_eq!(found, expected, "{dialect}: {text:?}");
            }
        };
        check("\u{feff}SELECT 1", &[]);
        check("SELECT 1;\n\u{feff}SELECT 2", &[(10, "byte order mark")]);
        check("SELECT\u{a0}1", &[(6, "no-break space")]);
        check("SELECT a\u{200b}", &[(8, "zero width space")]);
        check("SELECT 'a\u{a0}b', \"\u{a0}\" -- \u{a0}", &[]);
        check("SELECT żółć", &[]);
    }
}
