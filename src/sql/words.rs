//! Parses a statement word by word.

use super::{Dialect, Lexer, TokenKind, lex};

/// The significant tokens of a statement.
#[derive(Clone)]
pub(super) struct Words<'a> {
    dialect: Dialect,
    text: &'a str,
    lexer: Lexer<'a>,
}

/// A significant token and its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
}

impl Item<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let token = self.lexer.find(|token| !token.is_blank())?;
        Some(Item {
            kind: token.kind,
            text: &self.text[token.start..token.end],
        })
    }
}

impl<'a> Words<'a> {
    pub(super) fn new(dialect: Dialect, text: &'a str) -> Self {
        Self {
            dialect,
            text,
            lexer: lex(dialect, text.as_bytes()),
        }
    }

    pub(super) fn peek(&self) -> Option<Item<'a>> {
        self.clone().next()
    }

    pub(super) fn is_done(&self) -> bool {
        self.peek().is_none()
    }

    /// Takes the next token if it satisfies `test`.
    pub(super) fn eat_if(&mut self, test: impl Fn(&Item) -> bool) -> bool {
        let mut ahead = self.clone();
        let found = ahead.next().is_some_and(|item| test(&item));
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes the next token if it is this keyword.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        self.eat_if(|item| item.is(word))
    }

    /// Takes these keywords if all of them follow, or takes nothing.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let found = words.iter().all(|word| ahead.eat(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Takes the next token if it is one of these keywords, and returns the keyword.
    pub(super) fn eat_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.eat(word))
    }

    /// Takes the next token if it is this single byte.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        self.eat_if(|item| item.text == symbol)
    }

    /// Takes a name, folded as by the database; if quotes do not preserve case, always to lower
    /// case.
    pub(super) fn name(&mut self) -> Option<String> {
        let mut ahead = self.clone();
        let name = unquoted(self.dialect, ahead.next()?)?;
        *self = ahead;
        Some(name)
    }

    /// Takes tokens up to the `)` that matches the `(` just taken, and returns those between.
    pub(super) fn parenthesized(&mut self) -> Vec<Item<'a>> {
        let mut depth = 1u32;
        let mut items = Vec::new();
        for item in self.by_ref() {
            match item.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            items.push(item);
        }
        items
    }

    /// Skips past the next `word` outside parentheses.
    pub(super) fn skip_past(&mut self, word: &str) -> bool {
        let mut depth = 0u32;
        for item in self.by_ref() {
            match item.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                _ if depth == 0 && item.is(word) => return true,
                _ => {}
            }
        }
        false
    }

    /// Returns the remaining text, with every run of white space and comments as one space.
    pub(super) fn collapsed(self) -> String {
        let mut collapsed = String::new();
        let mut gap = false;
        for token in self.lexer {
            if token.is_blank() {
                gap = true;
                continue;
            }
            if gap && !collapsed.is_empty() {
                collapsed.push(' ');
            }
            gap = false;
            collapsed.push_str(&self.text[token.start..token.end]);
        }
        collapsed
    }
}

/// Returns whether a list of options `a, b = x, c false` sets `name` to false.
pub(super) fn option_is_off(items: &[Item], name: &str) -> bool {
    option(items, name).is_some_and(|value| value.iter().any(is_off))
}

/// Returns whether a list of options has `name` and does not set it to false.
pub(super) fn option_is_on(items: &[Item], name: &str) -> bool {
    option(items, name).is_some_and(|value| !value.iter().any(is_off))
}

/// Returns the text after `name` in a list of options, up to the comma.
fn option<'a, 'b>(items: &'a [Item<'b>], name: &str) -> Option<&'a [Item<'b>]> {
    items
        .split(|item| item.text == ",")
        .find_map(|option| match option {
            [first, value @ ..] if first.is(name) => Some(value),
            _ => None,
        })
}

fn is_off(item: &Item) -> bool {
    ["false", "off", "0"]
        .iter()
        .any(|off| item.text.trim_matches('\'').eq_ignore_ascii_case(off))
}

fn unquoted(dialect: Dialect, item: Item) -> Option<String> {
    let text = item.text;
    let rules = dialect.names();
    let name = match item.kind {
        TokenKind::Word => text.to_ascii_lowercase(),
        // Its escapes are not decoded, since they are not used in practice.
        TokenKind::QuotedName if text.starts_with(['u', 'U']) => return None,
        TokenKind::String if !rules.in_strings => return None,
        TokenKind::QuotedName | TokenKind::String => {
            let open = text.get(..1)?;
            let close = if open == "[" { "]" } else { open };
            let inner = text[1..].strip_suffix(close)?;
            match open {
                "[" => inner.to_owned(),
                "x" | "X" => return None,
                quote => inner.replace(&quote.repeat(2), quote),
            }
        }
        _ => return None,
    };
    let name = if rules.fold_quoted {
        name.to_ascii_lowercase()
    } else {
        name
    };
    Some(match rules.max_bytes {
        Some(max) => cut(name, max),
        None => name,
    })
}

fn cut(mut name: String, max: usize) -> String {
    let mut end = name.len().min(max);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}
