//! Conditions as lists of names, operators and literals, without parentheses and casts.

use crate::sql::{Dialect, Token, TokenKind, lex};

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A keyword or a name without quotes.
    Word(String),
    /// A function, in lower case.
    Call(String),
    /// A name in quotes.
    Name(String),
    /// The contents of a string.
    Text(String),
    /// A number, with its sign.
    Number(String),
    /// An operator of one or more characters.
    Operator(String),
    /// A comma or a bracket.
    Punctuation,
}

impl Item {
    /// Whether this can be the name of the column.
    pub fn is_column(&self, column: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(column),
            Self::Name(name) => name.eq_ignore_ascii_case(column),
            _ => false,
        }
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own.eq_ignore_ascii_case(word))
    }

    /// The text of a literal.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// The parts of a condition.
pub(super) fn items(dialect: Dialect, condition: &str) -> Vec<Item> {
    let tokens: Vec<Token> = lex(dialect, condition.as_bytes())
        .filter(|token| !token.is_blank())
        .collect();
    let mut reader = Reader {
        text: condition,
        tokens: &tokens,
        at: 0,
        items: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.read();
    }
    reader.items
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    items: Vec<Item>,
}

impl<'a> Reader<'a> {
    fn text(&self, at: usize) -> &'a str {
        let token = self.tokens.get(at);
        token.map_or("", |token| &self.text[token.start..token.end])
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn read(&mut self) {
        let text = self.text(self.at);
        match self.kind(self.at) {
            Some(TokenKind::Word) if text == "OPERATOR" => return self.qualified_operator(),
            Some(TokenKind::Word) if self.kind(self.at + 1) == Some(TokenKind::Open) => {
                let is_keyword = ["and", "or", "not", "in", "any", "all", "is", "between"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word));
                self.items.push(match is_keyword {
                    true => Item::Word(text.to_owned()),
                    false => Item::Call(text.to_ascii_lowercase()),
                });
            }
            Some(TokenKind::Word) => self.items.push(Item::Word(text.to_owned())),
            Some(TokenKind::QuotedName) => self.items.push(Item::Name(unquoted(text))),
            Some(TokenKind::String | TokenKind::DollarString) => {
                self.items.push(Item::Text(content(text)));
            }
            Some(TokenKind::Number) => self.number(text),
            Some(TokenKind::Other) if text == ":" && self.text(self.at + 1) == ":" => {
                return self.cast();
            }
            Some(TokenKind::Other) if matches!(text, "," | "[" | "]" | ".") => {
                self.items.push(Item::Punctuation);
            }
            Some(TokenKind::Other) => return self.operator(),
            _ => {}
        }
        self.at += 1;
    }

    /// Takes `OPERATOR(shop.=)`.
    fn qualified_operator(&mut self) {
        let mut operator = String::new();
        while let Some(kind) = self.kind(self.at)
            && kind != TokenKind::Close
        {
            if kind == TokenKind::Other && self.text(self.at) != "." {
                operator.push_str(self.text(self.at));
            }
            self.at += 1;
        }
        self.at += 1;
        self.items.push(Item::Operator(operator));
    }

    fn number(&mut self, text: &str) {
        let before = self.items.len().checked_sub(2).map(|at| &self.items[at]);
        let is_signed = self.items.last() == Some(&Item::Operator("-".to_owned()))
            && !matches!(
                before,
                Some(Item::Word(_) | Item::Name(_) | Item::Number(_))
            );
        if is_signed {
            self.items.pop();
            self.items.push(Item::Number(format!("-{text}")));
        } else {
            self.items.push(Item::Number(text.to_owned()));
        }
    }

    /// Skips `::character varying(20)[]`.
    fn cast(&mut self) {
        self.at += 3;
        while self.text(self.at) == "." {
            self.at += 2;
        }
        loop {
            let word = self.text(self.at);
            if word == "varying" || word == "precision" {
                self.at += 1;
            } else if matches!(word, "with" | "without") && self.text(self.at + 1) == "time" {
                self.at += 3;
            } else if self.kind(self.at) == Some(TokenKind::Open)
                && self.kind(self.at + 1) == Some(TokenKind::Number)
            {
                while self.at < self.tokens.len() && self.kind(self.at) != Some(TokenKind::Close) {
                    self.at += 1;
                }
                self.at += 1;
            } else if word == "[" && self.text(self.at + 1) == "]" {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    /// Takes characters of an operator that touch each other.
    fn operator(&mut self) {
        let start = self.at;
        let is_part = |text: &str| "<>=!~*|@?#&+-/%".contains(text);
        self.at += 1;
        while self.kind(self.at) == Some(TokenKind::Other)
            && is_part(self.text(self.at))
            && self.tokens[self.at].start == self.tokens[self.at - 1].end
        {
            self.at += 1;
        }
        let (from, to) = (self.tokens[start].start, self.tokens[self.at - 1].end);
        let operator = self.text[from..to].to_owned();
        self.items.push(Item::Operator(operator));
    }
}

fn unquoted(text: &str) -> String {
    let quote = match text.chars().next() {
        Some('[') => ']',
        Some(quote) => quote,
        None => return String::new(),
    };
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    inner.replace(&quote.to_string().repeat(2), &quote.to_string())
}

/// The contents of a string constant.
fn content(text: &str) -> String {
    if let Some(inner) = text.strip_prefix('$') {
        let tag = inner.find('$').map_or(0, |at| at + 2);
        let end = text.len().saturating_sub(tag);
        return text.get(tag..end).unwrap_or("").to_owned();
    }
    let Some(open) = text.find('\'') else {
        return text.to_owned();
    };
    let inner = text.get(open + 1..text.len() - 1).unwrap_or("");
    let inner = inner.replace("''", "'");
    match text.starts_with(['e', 'E']) {
        true => inner.replace("\\\\", "\\"),
        false => inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(dialect: Dialect, condition: &str) -> String {
        let shown = items(dialect, condition);
        let shown = shown.iter().map(|item| match item {
            Item::Word(word) => word.clone(),
            Item::Call(name) => format!("{name}()"),
            Item::Name(name) => format!("`{name}`"),
            Item::Text(text) => format!("'{text}'"),
            Item::Number(number) => format!("#{number}"),
            Item::Operator(operator) => operator.clone(),
            Item::Punctuation => ",".to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parentheses_and_casts_are_left_out() {
        let check = |condition: &str, expected: &str| {
            assert_eq!(shown(Dialect::Postgres, condition), expected);
        };
        check(
            "((status)::text = ANY ((ARRAY['a'::character varying, 'it''s'::text])::text[]))",
            "status = ANY ARRAY , 'a' , 'it's' ,",
        );
        check("(a >= '-1'::integer)", "a >= '-1'");
        check(
            "(at > '2024-01-01'::timestamp(3) without time zone)",
            "at > '2024-01-01'",
        );
        check("(a)::numeric(10,2) > (0)::numeric", "a > #0");
        check("length(\"A b\") <= 5", "length() `A b` <= #5");
        check("x ~ E'^\\\\\\\\d'::text", "x ~ '^\\\\d'");
        check("a < -5", "a < #-5");
        check("a OPERATOR(shop.~~) 'b'::shop.citext", "a ~~ 'b'");
        check("x::shop.\"T\" AND y", "x AND y");
    }

    #[test]
    fn names_of_sqlite_are_read() {
        let check = |condition: &str, expected: &str| {
            assert_eq!(shown(Dialect::Sqlite, condition), expected);
        };
        check("[a] IN (1, -2)", "`a` IN #1 , #-2");
        check("`b` NOT GLOB '*[^0-9]*'", "`b` NOT GLOB '*[^0-9]*'");
    }
}
