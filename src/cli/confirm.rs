//! Confirmations of actions that cannot be undone.

use std::io::IsTerminal;

use super::context::Context;
use crate::{
    database::Location,
    ops::{self, Session},
    report::{self, Preview, codes, error::Error},
};

impl Context {
    /// Asks for the database's name before an action that cannot be undone on a protected database.
    pub fn confirm(&self, verb: &str) -> Result<(), Error> {
        let location = self.location()?;
        if self.is_protected(&location) {
            self.ask_for_name(&location, verb)
        } else {
            Ok(())
        }
    }

    /// Asks for the database's name before the command `verb`, after showing its `plan`. An invalid
    /// plan is an error before the question.
    pub async fn confirm_plan(
        &self,
        verb: &str,
        plan: impl AsyncFnOnce(&mut Session) -> Result<Preview, ops::Error>,
    ) -> Result<(), Error> {
        let location = self.location()?;
        if !self.is_protected(&location) {
            return Ok(());
        }
        if !self.yes && can_ask() {
            let preview = self.read(verb, plan).await?;
            self.output.preview(&preview, location.dialect());
        }
        self.ask_for_name(&location, verb)
    }

    /// Asks for the database's name, whether the database is protected or not.
    pub fn ask_for_name(&self, location: &Location, verb: &str) -> Result<(), Error> {
        if self.yes {
            return Ok(());
        }
        let (place, name) = (self.place(location), location.database_name());
        let (refused, question) = if self.is_protected(location) {
            (
                format!("{place} is protected, and {verb} was not confirmed"),
                format!("{place} is protected."),
            )
        } else {
            (
                format!("{verb} of {place} was not confirmed"),
                format!("This cannot be undone: {verb} of {place}."),
            )
        };
        let question = format!("{question} Type the database's name to {verb}: ");
        match answer(&question) {
            Some(answer) if answer == name => Ok(()),
            _ => Err(Error::new(codes::M112, refused).hint(format!(
                "type the database's name ({name}) when asked, or give --yes"
            ))),
        }
    }

    /// Whether a user can be asked.
    pub fn can_ask(&self) -> bool {
        can_ask()
    }

    /// Asks for a word. Returns whether a user gave it.
    pub fn answers(&self, question: &str, word: &str) -> bool {
        answer(question).is_some_and(|answer| answer == word)
    }

    /// Asks what cannot be told in advance: `None` if no user can answer.
    pub fn asks(&self, question: &str) -> Option<bool> {
        let answer = answer(question)?.to_lowercase();
        Some(["y", "yes"].contains(&answer.as_str()))
    }

    /// Asks whether to record a repair.
    pub fn confirms_repair(&self) -> bool {
        self.says_yes("Record this? [y/N] ")
    }

    /// Asks a question that can be answered with yes.
    pub fn says_yes(&self, question: &str) -> bool {
        let is_yes = |answer: String| ["y", "yes"].contains(&answer.to_lowercase().as_str());
        self.yes || answer(question).is_some_and(is_yes)
    }
}

/// Whether a user can answer.
fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The answer, if a user can give one.
fn answer(question: &str) -> Option<String> {
    if !can_ask() {
        return None;
    }
    report::ask(question);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}
