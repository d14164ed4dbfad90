//! The scripts as they will be.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{
    FixedFile,
    plan::{Change, Following},
};
use crate::{
    database,
    ops::{Error, Project},
    project::{self, TemplateError, TemplateRequest},
    revision::{
        Direction, History, Problem, Revision, RevisionId, Script, ScriptPair, TargetError,
    },
    sql::Dialect,
};

/// The template of the revisions that follow.
const TEMPLATE: &str = "autogenerate";

/// Changed scripts and new revisions.
pub(super) struct Drafts<'a> {
    project: &'a Project,
    history: &'a History,
    dialect: Dialect,
    now: DateTime<Utc>,
    changed: HashMap<RevisionId, Change>,
    new: Vec<New>,
}

/// A revision that follows.
struct New {
    id: RevisionId,
    parents: Vec<RevisionId>,
    slug: String,
    up: String,
    down: Option<String>,
}

impl New {
    fn file(&self, project: &Project, direction: Direction) -> String {
        let name = format!("{}_{}.{direction}.sql", self.id, self.slug);
        project.show(&project.directory().0.join(name))
    }
}

impl<'a> Drafts<'a> {
    /// Nothing yet.
    pub fn new(project: &'a Project, history: &'a History, dialect: Dialect) -> Self {
        Self {
            project,
            history,
            dialect,
            now: Utc::now(),
            changed: HashMap::new(),
            new: Vec::new(),
        }
    }

    /// Adds the change of a revision. Returns the revision that follows, if one is needed.
    pub fn add(
        &mut self,
        revision: &Revision,
        mut change: Change,
    ) -> Result<Option<RevisionId>, Error> {
        let following = change.following.take();
        let following = following.map(|it| self.follow(revision, &it)).transpose()?;
        self.changed.insert(revision.id.clone(), change);
        Ok(following)
    }

    /// Adds a revision that revises the head of the branch of another.
    fn follow(&mut self, revision: &Revision, what: &Following) -> Result<RevisionId, Error> {
        let parents = self.parents(revision)?;
        let id = match self.new.last() {
            None => project::next_id(self.now, self.history, &parents),
            Some(last) => self.free(last.id.successor()),
        };
        let message = match what.is_rest {
            true => format!("rest of {}", revision.message),
            false => format!("validate constraints of {}", revision.message),
        };
        let slug = project::slugify(&message)?;
        let request = TemplateRequest {
            id: &id,
            message: &message,
            slug: &slug,
            revises: &parents,
            depends_on: &[],
            label: None,
            irreversible: revision.up.headers.irreversible.as_deref(),
            transaction: !what.transaction_off,
            phase: revision.up.headers.phase,
            date: self.now,
            dialect: self.dialect,
            author: &database::actor(),
        };
        let head = project::render(&self.project.templates, Some(TEMPLATE), &request)?;
        let script = |head: &str, of: &Script, statements: &[String]| {
            let lines: Vec<String> = statements.iter().map(|it| format!("{it};\n")).collect();
            let (head, limits) = (head.trim_end(), limits(of).concat());
            format!("{head}\n{limits}\n{}", lines.concat())
        };
        let down = head.down.zip(revision.down.as_ref());
        self.new.push(New {
            up: script(&head.up, &revision.up, &what.up),
            down: down.map(|(head, of)| script(&head, of, &what.down)),
            id: id.clone(),
            parents,
            slug,
        });
        Ok(id)
    }

    /// The revisions that the next new one revises: the last new one of the branch, or the head.
    fn parents(&self, revision: &Revision) -> Result<Vec<RevisionId>, Error> {
        let heads = self.history.heads_above(&revision.id).into_iter();
        let mut heads: Vec<RevisionId> = heads.map(|head| head.id.clone()).collect();
        for new in &self.new {
            if new.parents == heads {
                heads = vec![new.id.clone()];
            }
        }
        match heads.len() {
            1 => Ok(heads),
            _ => Err(TargetError::SeveralHeads(heads).into()),
        }
    }

    /// The first identifier from `id` on that no revision has.
    fn free(&self, id: RevisionId) -> RevisionId {
        let mut ids = std::iter::successors(Some(id.clone()), |id| Some(id.successor()));
        ids.find(|id| self.history.get(id).is_none()).unwrap_or(id)
    }

    /// The new revisions.
    pub fn new_ids(&self) -> impl Iterator<Item = RevisionId> {
        self.new.iter().map(|new| new.id.clone())
    }

    /// All revisions as they will be.
    pub fn history(&self) -> Result<History, Error> {
        let parse = |direction, file: &str, text: &str| {
            Script::parse(self.dialect, direction, file, text)
                .map_err(|problems| invalid(file, problems))
        };
        let mut pairs = Vec::new();
        for revision in self.history.in_order() {
            let change = self.changed.get(&revision.id);
            let up = match change {
                Some(change) => parse(Direction::Up, &revision.up.file, &change.up)?,
                None => revision.up.clone(),
            };
            let down = match (&revision.down, change.and_then(|it| it.down.as_ref())) {
                (Some(down), Some(text)) => Some(parse(Direction::Down, &down.file, text)?),
                (down, _) => down.clone(),
            };
            pairs.push(ScriptPair {
                id: revision.id.clone(),
                slug: revision.slug.clone(),
                up,
                down,
            });
        }
        for new in &self.new {
            let file = |direction| new.file(self.project, direction);
            let down = new.down.as_ref();
            let down = down.map(|text| parse(Direction::Down, &file(Direction::Down), text));
            pairs.push(ScriptPair {
                id: new.id.clone(),
                slug: new.slug.clone(),
                up: parse(Direction::Up, &file(Direction::Up), &new.up)?,
                down: down.transpose()?,
            });
        }
        History::new(pairs)
            .and_then(|history| history.with_repeatables(self.history.repeatables().to_vec()))
            .map_err(|problems| invalid(TEMPLATE, problems))
    }

    /// The files that change, in the order of the revisions, and the new ones.
    pub fn files(&self) -> Vec<FixedFile> {
        let mut files = Vec::new();
        let mut add = |file: String, before: Option<&Script>, after: &str| {
            let before = before.map(|it| it.text.clone());
            let after = after.to_owned();
            if before.as_deref() != Some(after.as_str()) {
                files.push(FixedFile {
                    file,
                    before,
                    after,
                });
            }
        };
        for revision in self.history.in_order() {
            let Some(change) = self.changed.get(&revision.id) else {
                continue;
            };
            add(revision.up.file.clone(), Some(&revision.up), &change.up);
            if let (Some(down), Some(text)) = (&revision.down, &change.down) {
                add(down.file.clone(), Some(down), text);
            }
        }
        for new in &self.new {
            add(new.file(self.project, Direction::Up), None, &new.up);
            if let Some(down) = &new.down {
                add(new.file(self.project, Direction::Down), None, down);
            }
        }
        files
    }
}

/// The headers of a script that limit how long its statements take, which they keep elsewhere.
fn limits(script: &Script) -> Vec<String> {
    let is_limit = |line: &&str| {
        let comment = line.strip_prefix("--").map(str::trim_start);
        let header = comment.and_then(|it| it.strip_prefix("migrator:"));
        header.is_some_and(|header| {
            let key = header.split('=').next().unwrap_or_default().trim();
            key == "lock-timeout" || key == "statement-timeout"
        })
    };
    let lines = script.text.lines().map(str::trim_end).filter(is_limit);
    lines.map(|line| format!("{line}\n")).collect()
}

fn invalid(file: &str, problems: Vec<Problem>) -> Error {
    let file = file.to_owned();
    TemplateError::Script { file, problems }.into()
}
