use chrono::{DateTime, Utc};

use super::{Proof, plan::Segment};
use crate::{
    database,
    generate::{Migration, Place, Statement},
    ops::{Error, Project, RevisionArgs, revision::one},
    project::{self, Rendered, TemplateError, TemplateRequest},
    revision::{Direction, History, RevisionId, Script, ScriptPair},
    sql::Dialect,
};

/// The template of generated scripts.
const TEMPLATE: &str = "autogenerate";

/// A generated revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The revision.
    pub id: RevisionId,
    /// The revisions that it revises.
    pub parents: Vec<RevisionId>,
    /// The file name of the up script.
    pub up_file: String,
    /// The up script.
    pub up: String,
    /// The file name of the down script.
    pub down_file: String,
    /// The down script; `None` if the revision is irreversible.
    pub down: Option<String>,
}

/// The revisions that are generated, while they are proven.
pub(super) struct Drafts<'a> {
    project: &'a Project,
    args: &'a RevisionArgs,
    history: &'a History,
    parents: Vec<RevisionId>,
    dialect: Dialect,
    now: DateTime<Utc>,
    parts: Vec<Part>,
}

/// A revision without its comments.
struct Part {
    id: RevisionId,
    parents: Vec<RevisionId>,
    slug: String,
    head: Rendered,
    up: String,
    down: Option<String>,
}

impl<'a> Drafts<'a> {
    /// No revisions yet, which will revise `parents`.
    pub fn new(
        project: &'a Project,
        args: &'a RevisionArgs,
        (history, parents): (&'a History, Vec<RevisionId>),
        dialect: Dialect,
    ) -> Self {
        Self {
            project,
            args,
            history,
            parents,
            dialect,
            now: Utc::now(),
            parts: Vec::new(),
        }
    }

    /// Forgets the revisions.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// The revisions that they revise.
    pub fn parents(&self) -> &[RevisionId] {
        &self.parents
    }

    /// All revisions of the project.
    pub fn project_history(&self) -> &'a History {
        self.history
    }

    /// Sets the up script of the revision with this number, and returns its identifier.
    pub fn set_up(&mut self, number: usize, segment: &Segment<'_>) -> Result<RevisionId, Error> {
        let up = statements(segment.statements);
        if let Some(part) = self.parts.get_mut(number) {
            part.up = up;
            return Ok(part.id.clone());
        }
        let (id, parents, slug) = match self.parts.last() {
            None => (
                self.first_id()?,
                self.parents.clone(),
                project::slugify(&self.args.message)?,
            ),
            Some(last) => (
                self.free(last.id.successor()),
                vec![last.id.clone()],
                self.further_slug(number, segment),
            ),
        };
        let head = self.head(&id, &parents, &slug, segment)?;
        self.parts.push(Part {
            id: id.clone(),
            parents,
            slug,
            head,
            up,
            down: None,
        });
        Ok(id)
    }

    /// Sets the down script of the revision with this number.
    pub fn set_down(&mut self, number: usize, down: &[Statement]) {
        if let Some(part) = self.parts.get_mut(number) {
            part.down = Some(statements(down));
        }
    }

    /// The revisions of the project and the drafts.
    pub fn history(&self) -> Result<History, Error> {
        let revisions = self.history.in_order();
        let mut pairs: Vec<ScriptPair> = revisions
            .map(|revision| ScriptPair {
                id: revision.id.clone(),
                slug: revision.slug.clone(),
                up: revision.up.clone(),
                down: revision.down.clone(),
            })
            .collect();
        for part in &self.parts {
            let draft = part.draft("");
            let parse = |direction, file: &str, text: &str| {
                Script::parse(self.dialect, direction, file, text)
            };
            let up = parse(Direction::Up, &draft.up_file, &draft.up);
            let down = draft.down.as_deref();
            let down = down.map(|text| parse(Direction::Down, &draft.down_file, text));
            pairs.push(ScriptPair {
                id: part.id.clone(),
                slug: part.slug.clone(),
                up: up.map_err(|problems| invalid(&draft.up_file, problems))?,
                down: down
                    .transpose()
                    .map_err(|problems| invalid(&draft.down_file, problems))?,
            });
        }
        History::new(pairs).map_err(|problems| invalid(TEMPLATE, problems))
    }

    /// The revisions with their comments.
    pub fn finish(&self, proof: &Proof) -> Vec<Draft> {
        let comment = comment(proof);
        self.parts.iter().map(|part| part.draft(&comment)).collect()
    }

    fn first_id(&self) -> Result<RevisionId, Error> {
        let id = match &self.args.rev_id {
            Some(text) => text.parse()?,
            None => project::next_id(self.now, self.history, &self.parents),
        };
        match self.history.implicit_child(&id) {
            Some(child) => Err(Error::Reparented {
                id,
                child: child.id.clone(),
                file: child.up.file.clone(),
            }),
            None => Ok(id),
        }
    }

    /// The slug of a revision after the first one.
    fn further_slug(&self, number: usize, segment: &Segment<'_>) -> String {
        let (first, number) = (&self.parts[0].slug, number + 1);
        match segment.name() {
            Some(name) => format!("{first}_{number}_{name}"),
            None => format!("{first}_{number}"),
        }
    }

    /// The first identifier from `id` on that no revision has.
    fn free(&self, id: RevisionId) -> RevisionId {
        let mut ids = std::iter::successors(Some(id.clone()), |id| Some(id.successor()));
        ids.find(|id| self.history.get(id).is_none()).unwrap_or(id)
    }

    /// What the scripts begin with.
    fn head(
        &self,
        id: &RevisionId,
        parents: &[RevisionId],
        slug: &str,
        segment: &Segment<'_>,
    ) -> Result<Rendered, Error> {
        let is_first = self.parts.is_empty();
        let depends_on = self.args.depends_on.iter().filter(|_| is_first);
        let depends_on = depends_on.map(|text| one(self.history, text));
        let depends_on: Vec<RevisionId> = depends_on.collect::<Result<_, _>>()?;
        let request = TemplateRequest {
            id,
            message: &self.args.message,
            slug,
            revises: parents,
            depends_on: &depends_on,
            label: self.args.label.as_deref().filter(|_| is_first),
            irreversible: self.args.no_down.as_deref(),
            transaction: segment.in_transaction,
            phase: segment.phase,
            date: self.now,
            dialect: self.dialect,
            author: &database::actor(),
        };
        let template = self.args.template.as_deref().unwrap_or(TEMPLATE);
        Ok(project::render(
            &self.project.templates,
            Some(template),
            &request,
        )?)
    }
}

impl Part {
    fn draft(&self, comment: &str) -> Draft {
        let script = |head: &str, body: &str| {
            let head = head.trim_end();
            format!("{head}\n{comment}\n{body}")
        };
        let file = |direction: Direction| format!("{}_{}.{direction}.sql", self.id, self.slug);
        let down = self.head.down.as_ref().zip(self.down.as_ref());
        Draft {
            id: self.id.clone(),
            parents: self.parents.clone(),
            up_file: file(Direction::Up),
            up: script(&self.head.up, &self.up),
            down_file: file(Direction::Down),
            down: down.map(|(head, body)| script(head, body)),
        }
    }
}

/// The statements as text. The revision's own headers say which transactions they need.
fn statements(statements: &[Statement]) -> String {
    if statements.is_empty() {
        return "-- The schema is the same before and after.\n".to_owned();
    }
    let statements = statements.iter().map(|statement| Statement {
        place: Place::Anywhere,
        ..statement.clone()
    });
    let statements = statements.collect();
    Migration { statements }.to_string()
}

fn comment(proof: &Proof) -> String {
    match proof {
        Proof::WithRows => {
            "-- Proven in a scratch database with rows: up, down and up again.\n".to_owned()
        }
        Proof::WithoutRows(reason) => {
            let reason = reason.lines().next().unwrap_or_default();
            let reason = crate::sql::comment(reason.trim());
            format!(
                "-- Proven in a scratch database without rows only: up, down and up again.\n\
                 -- With rows: {reason}\n"
            )
        }
    }
}

fn invalid(file: &str, problems: Vec<crate::revision::Problem>) -> Error {
    let file = file.to_owned();
    TemplateError::Script { file, problems }.into()
}
