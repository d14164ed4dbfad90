//! The syntax tree of PostgreSQL: the only file that knows the crate that parses.

pub(super) use squawk_syntax::SyntaxKind;
use squawk_syntax::{SourceFile, SyntaxElement, SyntaxNode, SyntaxToken, ast::AstNode};

use crate::{
    schema::Name,
    sql::{Dialect, TokenKind, lex},
};

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node(SyntaxNode);

/// Parses a text with one statement. Returns `None` for what is not understood as a whole.
pub(super) fn parse(sql: &str) -> Option<Node> {
    if is_too_deep(sql) {
        return None;
    }
    let parsed = SourceFile::parse(sql);
    let root = parsed.tree().syntax().clone();
    let errors = parsed.errors();
    let is_error = |at: usize| {
        let at = u32::try_from(at).unwrap_or_default().into();
        let inside = root.token_at_offset(at).left_biased();
        !inside.is_some_and(|token| is_string(&token))
    };
    // The bodies of functions are strings, in any language.
    if errors
        .iter()
        .any(|error| is_error(usize::from(error.range().start())))
    {
        return None;
    }
    let mut statements = root
        .children()
        .filter(|it| it.kind() != SyntaxKind::EMPTY_STMT);
    match (statements.next(), statements.next()) {
        (Some(only), None) => Some(Node(only)),
        _ => None,
    }
}

/// The deepest nesting of parentheses and CASE.
const DEEPEST: usize = 100;

/// The most words and signs without a comma that can nest without parentheses.
const MOST_OPERATORS: usize = 300;

/// Whether a statement may nest so deeply that the parser, which calls itself, exhausts the stack.
fn is_too_deep(sql: &str) -> bool {
    let (mut depth, mut operators) = (0_usize, 0_usize);
    for token in lex(Dialect::Postgres, sql.as_bytes()) {
        let text = &sql[token.start..token.end];
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Word if is("CASE") => depth += 1,
            TokenKind::Word if is("END") => depth = depth.saturating_sub(1),
            TokenKind::Word if is("NOT") || is("BETWEEN") => operators += 1,
            // NOT NULL nests nothing.
            TokenKind::Word if is("NULL") => operators = operators.saturating_sub(1),
            TokenKind::Other => match text {
                "[" => depth += 1,
                "]" => depth = depth.saturating_sub(1),
                "," => operators = 0,
                "." | ":" => {}
                _ => operators += 1,
            },
            _ => {}
        }
        if depth > DEEPEST || operators > MOST_OPERATORS {
            return true;
        }
    }
    false
}

fn is_string(token: &SyntaxToken) -> bool {
    matches!(
        token.kind(),
        SyntaxKind::STRING | SyntaxKind::DOLLAR_QUOTED_STRING | SyntaxKind::ESC_STRING
    )
}

impl Node {
    /// The kind.
    pub(super) fn kind(&self) -> SyntaxKind {
        self.0.kind()
    }

    /// The nodes below.
    pub(super) fn children(&self) -> impl Iterator<Item = Self> + use<> {
        self.0.children().map(Self)
    }

    /// The first node below of this kind.
    pub(super) fn child(&self, kind: SyntaxKind) -> Option<Self> {
        self.children().find(|node| node.kind() == kind)
    }

    /// The nodes below of this kind.
    pub(super) fn all(&self, kind: SyntaxKind) -> impl Iterator<Item = Self> + use<> {
        self.children().filter(move |node| node.kind() == kind)
    }

    /// Whether there is a node below of this kind.
    pub(super) fn has(&self, kind: SyntaxKind) -> bool {
        self.child(kind).is_some()
    }

    /// The nodes of this kind at any depth, in the order of the text.
    pub(super) fn deep(&self, kind: SyntaxKind) -> impl Iterator<Item = Self> + use<> {
        let all = self.0.descendants().map(Self);
        all.filter(move |node| node.kind() == kind)
    }

    fn tokens(&self) -> impl Iterator<Item = SyntaxToken> + use<> {
        self.0
            .descendants_with_tokens()
            .filter_map(SyntaxElement::into_token)
    }

    fn significant(&self) -> impl Iterator<Item = SyntaxToken> + use<> {
        let is_blank =
            |kind: SyntaxKind| matches!(kind, SyntaxKind::WHITESPACE | SyntaxKind::COMMENT);
        self.tokens().filter(move |token| !is_blank(token.kind()))
    }

    /// Whether the keyword is directly below.
    pub(super) fn has_word(&self, kind: SyntaxKind) -> bool {
        self.0
            .children_with_tokens()
            .any(|it| it.kind() == kind && it.as_token().is_some())
    }

    /// The offset of the end of a keyword directly below.
    pub(super) fn end_of(&self, kind: SyntaxKind) -> Option<usize> {
        let mut elements = self.0.children_with_tokens();
        let word = elements.find(|it| it.kind() == kind)?;
        Some(word.text_range().end().into())
    }

    /// The text with single spaces, and in lower case outside quotes.
    pub(super) fn plain(&self) -> String {
        let mut text = String::new();
        let mut end = None;
        for token in self.significant() {
            let range = token.text_range();
            if end.is_some_and(|end| end != range.start()) {
                text.push(' ');
            }
            end = Some(range.end());
            match token.text().contains(['\'', '"', '$']) {
                true => text.push_str(token.text()),
                false => text.push_str(&token.text().to_lowercase()),
            }
        }
        text
    }

    /// The text as it is written.
    pub(super) fn text(&self) -> String {
        self.0.text().to_string().trim().to_owned()
    }

    /// The text of a string, without its quotes.
    pub(super) fn string(&self) -> String {
        let text = self.text();
        match text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
            Some(inner) => inner.replace("''", "'"),
            None => text,
        }
    }

    /// The identifiers of a name such as `shop.orders`.
    fn identifiers(&self) -> Vec<String> {
        let mut found = Vec::new();
        for token in self.significant() {
            match token.kind() {
                SyntaxKind::DOT => {}
                // `ONLY` and `*` belong to a relation, not to its name.
                SyntaxKind::ONLY_KW | SyntaxKind::STAR if found.is_empty() => {}
                SyntaxKind::L_PAREN if found.is_empty() => {}
                SyntaxKind::L_PAREN | SyntaxKind::R_PAREN | SyntaxKind::STAR => break,
                _ => found.push(identifier(token.text())),
            }
        }
        found
    }

    /// The name of an object with its schema.
    pub(super) fn name(&self) -> Name {
        let mut parts = self.identifiers();
        let name = parts.pop().unwrap_or_default();
        Name::new(parts.pop().unwrap_or_default(), name)
    }

    /// The last identifier of a name.
    pub(super) fn word(&self) -> String {
        self.name().name
    }
}

/// An identifier as the server folds it.
fn identifier(text: &str) -> String {
    let quoted = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match quoted {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}
