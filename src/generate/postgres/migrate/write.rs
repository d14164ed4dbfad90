//! Collects the statements of a plan.

use super::{
    fate::Fate,
    plan::{Node, Plan},
    step::Step,
};
use crate::{
    generate::{MigrationOptions, Refusal},
    schema::{Facts, Name, Object},
};

pub(super) struct Writer<'a, 'b> {
    pub plan: &'b Plan<'a>,
    pub options: &'b MigrationOptions,
    pub steps: Vec<Step>,
    pub refusals: Vec<Refusal>,
    /// The default privileges that hold for new objects.
    pub defaults: Vec<usize>,
}

impl<'a, 'b> Writer<'a, 'b> {
    pub fn new(plan: &'b Plan<'a>, options: &'b MigrationOptions) -> Self {
        let objects = plan.old.objects();
        let is_kept = |at: &usize| {
            let is_default = matches!(objects.get(*at).facts, Facts::DefaultPrivileges(_));
            is_default && plan.new_of[*at].is_some()
        };
        Self {
            defaults: (0..objects.len()).filter(is_kept).collect(),
            plan,
            options,
            steps: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Writes the statements of one part of the way.
    pub fn write(&mut self, node: Node) {
        match node {
            Node::Down(at) => self.down(at),
            Node::Aside(at) => self.aside(at),
            Node::Attach(at) => self.attach(at),
            Node::Up(at) if self.plan.is_created(at) => self.create(at),
            Node::Up(at) => {
                if self.plan.dump.layout.late_default[at] && self.plan.old_of[at].is_none() {
                    self.create(at);
                } else if let Some(old) = self.plan.old_of[at] {
                    self.alter(old, at);
                }
            }
        }
    }

    /// All statements in order.
    ///
    /// # Errors
    /// Fails with the changes for which there are none.
    pub fn finish(self) -> Result<Vec<Step>, Vec<Refusal>> {
        if !self.refusals.is_empty() {
            return Err(self.refusals);
        }
        let (last, mut steps): (Vec<Step>, Vec<Step>) =
            self.steps.into_iter().partition(|step| step.is_last);
        steps.extend(last);
        Ok(steps)
    }

    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub fn refuse(&mut self, object: &Object, reason: impl Into<String>) {
        self.refusals.push(Refusal {
            object: object.id.clone(),
            reason: reason.into(),
        });
    }

    /// The objects that a step is about.
    pub fn pair(&self, old: usize, new: usize) -> (&'a Object, &'a Object) {
        (self.plan.old.get(old), self.plan.new_object(new))
    }

    /// Whether an attribute differs.
    pub fn differs(&self, old: usize, attribute: &str) -> bool {
        self.plan.changed[old].contains_key(attribute)
    }

    fn attach(&mut self, at: usize) {
        let Some(old) = self.plan.old_of[at] else {
            return;
        };
        let (from, to) = self.pair(old, at);
        let (Facts::Table(before), Facts::Table(after)) = (&from.facts, &to.facts) else {
            return;
        };
        self.attach_table(to, before, after);
    }

    /// The name that an old type has while the new one is there.
    pub fn aside_name(&self, old: usize) -> String {
        self.free_name(&self.plan.old.get(old).id.qualified())
    }

    /// A name beside `taken` that no object of its schema has.
    pub fn free_name(&self, taken: &Name) -> String {
        let is_taken = |name: &str| {
            let in_schema =
                |object: &Object| object.id.schema == taken.schema && object.id.name == name;
            let schemas = [
                self.plan.old.objects().schema,
                self.plan.dump.layout.objects.schema,
            ];
            schemas
                .iter()
                .any(|schema| schema.objects.iter().any(in_schema))
        };
        let start = crate::schema::postgres::truncated(&taken.name, 56);
        let names = (1..).map(|number| match number {
            1 => format!("{start}_old"),
            _ => format!("{start}_old{number}"),
        });
        names
            .into_iter()
            .find(|name| !is_taken(name))
            .unwrap_or_default()
    }

    pub fn fate(&self, old: usize) -> Fate {
        self.plan.fate(old)
    }
}
