use console::{StyledObject, style};

/// What a piece of text means; the colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Ids.
    Id,
    /// Done.
    Good,
    /// Failed.
    Bad,
    /// Look at this.
    Warning,
    /// Headings and names.
    Strong,
    /// What can be skipped.
    Dim,
}

/// Colours for one stream, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// `text` in the colour of `meaning`.
    pub fn paint(self, meaning: Style, text: impl ToString) -> String {
        let text = text.to_string();
        if !self.0 {
            return text;
        }
        let styled: StyledObject<String> = style(text).force_styling(true);
        match meaning {
            Style::Id => styled.yellow(),
            Style::Good => styled.green(),
            Style::Bad => styled.red().bold(),
            Style::Warning => styled.magenta(),
            Style::Strong => styled.bold(),
            Style::Dim => styled.dim(),
        }
        .to_string()
    }
}
