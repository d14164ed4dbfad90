//! Tests of plans as scripts, with a writer that applies its requests to the fake: the result must
//! be that of a run.

use async_trait::async_trait;

use super::*;
use crate::{
    database::{Ledger, Progress, Runner, ScriptWriter, StepError, StepRequest, StepStage},
    revision::{LogEntry, RecordChange, Subject},
    sql::ConcurrentIndex,
};

/// The fake as a script writer, representing the database on which its script runs.
struct Writer {
    fake: Fake,
    /// The label of a step that the writer refuses.
    refused: Option<&'static str>,
}

#[async_trait]
impl Ledger for Writer {
    async fn record_after(
        &mut self,
        _: std::time::Duration,
        changes: &[RecordChange],
        log: &[LogEntry],
    ) -> Result<(), DatabaseError> {
        self.fake.record(changes, log).await
    }
}

#[async_trait]
impl Runner for Writer {
    async fn run_step(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        if Some(step.label) == self.refused {
            return Err(StepError {
                stage: StepStage::Begin,
                error: sql_error("no"),
            });
        }
        self.fake.run_step(step, progress).await
    }

    async fn run_alone(
        &mut self,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
    ) -> Result<(), StepError> {
        self.fake.run_alone(step, progress).await
    }

    async fn reset_session(&mut self) -> Result<(), DatabaseError> {
        self.fake.reset_session().await
    }

    async fn begin_run(&mut self, foreign_keys: bool) -> Result<(), DatabaseError> {
        self.fake.begin_run(foreign_keys).await
    }

    async fn commit_run(&mut self) -> Result<(), DatabaseError> {
        self.fake.commit_run().await
    }
}

#[async_trait]
impl ScriptWriter for Writer {
    async fn mark(
        &mut self,
        mark: RecordChange,
        created: Option<&ConcurrentIndex>,
    ) -> Result<(), DatabaseError> {
        assert_eq!(created, None, "no script of these tests creates one");
        self.record(&[mark], &[]).await
    }

    fn finish(self: Box<Self>) -> String {
        self.fake.calls.join(" ")
    }
}

fn writer(stored: Stored) -> Writer {
    let stored = Stored {
        prepared: true,
        ..stored
    };
    Writer {
        fake: Fake::reopen(stored),
        refused: None,
    }
}

/// The calls that a script writer receives as well.
fn written(calls: &[&'static str]) -> Vec<&'static str> {
    let others = ["prepare", "observe", "try_lock", "unlock"];
    let calls = calls.iter().copied();
    calls.filter(|call| !others.contains(call)).collect()
}

#[tokio::test]
async fn a_script_does_what_a_run_does() {
    for mode in [Mode::Each, Mode::All, Mode::Off] {
        for direction in [Direction::Up, Direction::Down] {
            let start = match direction {
                Direction::Up => Stored::default(),
                Direction::Down => applied(mode).await,
            };
            let plan = plan(&start, direction, mode).unwrap();
            let mut ran = Fake::reopen(start.clone());
            execute(&mut ran, plan.clone()).await.unwrap();
            let mut writer = writer(start);
            write_script(&mut writer, plan).await.unwrap();
            let context = format!("{mode:?} {direction:?}");
            assert_eq!(writer.fake.stored, ran.stored, "{context}");
            assert_eq!(writer.fake.calls, written(&ran.calls), "{context}");
        }
    }
}

#[tokio::test]
async fn nothing_is_done_by_a_script_that_can_not_be_written() {
    for mode in [Mode::Each, Mode::All] {
        let mut writer = writer(Stored::default());
        writer.refused = Some("upgrade 2");
        let plan = plan(&Stored::default(), Direction::Up, mode).unwrap();
        let error = write_script(&mut writer, plan).await.unwrap_err();
        let ScriptError::Step(failure) = error else {
            panic!("{error:?}");
        };
        assert_eq!(failure.failure.error, sql_error("no").into(), "{mode:?}");
        assert_eq!(failure.failure.step.subject.as_str(), "2");
        let not_run: Vec<_> = failure.not_run.iter().map(Subject::as_str).collect();
        assert_eq!((failure.done.len(), not_run), (0, vec!["1", "3"]));
    }
}

#[tokio::test]
async fn records_of_baselines_come_first() {
    let start = squash_tests::two().await;
    let plan = squash_tests::planned(&start);
    let mut ran = Fake::reopen(start.clone());
    exchange(&mut ran, &plan.exchanges).await.unwrap();
    execute(&mut ran, plan.clone()).await.unwrap();
    let mut writer = writer(start);
    write_script(&mut writer, plan).await.unwrap();
    assert_eq!(writer.fake.stored, ran.stored);
}

#[tokio::test]
async fn a_batch_is_refused() {
    let plan = batch_tests::batch_plan(&Stored::default(), "pause=1ms", batch_tests::UPDATE);
    let error = write_script(&mut writer(Stored::default()), plan).await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "1: a batch cannot be written as a script");
}
