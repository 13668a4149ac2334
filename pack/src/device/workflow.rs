//! The sideband workflow: the user leads the device to the maker's own way, step by step, as often as the rule allows.

use std::time::Duration;
use std::{cmp, thread};

use super::fetch::{Fetch, Stop};
use super::memory::{Outgoing, Pending, Subject};
use super::operation::Finished;
use super::{Device, Error};
use crate::oma::fumo::ResultCode;
use crate::oma::sacmo::{Outcome, Workflow};

impl Device {
    /// Runs the workflow that the server has sent, and notes its report.
    pub(super) fn run_workflow(&mut self, pending: &Pending) -> Result<(), Error> {
        self.memory.transactions += 1;
        let transaction = self.memory.transactions;
        let text = self.memory.workflow.clone().unwrap_or_default();
        let (id, end) = match Workflow::read(text.as_bytes()) {
            Ok(workflow) => (workflow.id.clone(), self.steps(&workflow, pending)?),
            Err(error) => ("unknown".to_owned(), End { step: 0, attempts: 0, outcome: Outcome::NotUnderstood, text: error.to_string() }),
        };
        Fetch::forget(&self.package_file(&Subject::Workflow));
        let code = end.outcome.code();
        self.memory.outbox.push(Outgoing {
            subject: Subject::Workflow,
            node: pending.node.clone(),
            code,
            workflow: Some((id, transaction, end.step, end.attempts)),
            correlator: pending.correlator.clone(),
        });
        self.memory.pending = None;
        self.save()?;
        self.finished.push(Finished { subject: Subject::Workflow, node: pending.node.clone(), code, text: end.text });
        Ok(())
    }

    fn steps(&mut self, workflow: &Workflow, pending: &Pending) -> Result<End, Error> {
        let language = self.identity.language.clone();
        let end = |step, attempts, outcome, text: &str| Ok(End { step, attempts, outcome, text: text.to_owned() });
        if let Some(confirmation) = &workflow.confirmation
            && !self.user.agrees(confirmation.text(&language))
        {
            return end(0, 0, Outcome::Refused, "the user does not want it");
        }
        let last = u32::try_from(workflow.instructions.len()).unwrap_or(u32::MAX);
        let mut attempt = 1;
        loop {
            for (step, instruction) in (1..).zip(&workflow.instructions) {
                if !self.user.agrees(&format!("Step {step}: {} Done?", instruction.text(&language))) {
                    return end(step, attempt, Outcome::Cancelled, "the user stopped");
                }
            }
            // The maker's own way, simulated: the package comes from its address and is installed as any other.
            let way = Pending { agreed: true, ..pending.clone() };
            let failure = match self.download(&way, &workflow.vendor_url).and_then(|_| self.install(&Subject::Workflow, true, true)) {
                Ok(_) => {
                    if let Some(completion) = &workflow.completion {
                        self.user.tell(completion.text(&language));
                    }
                    return end(last, attempt, Outcome::Success, "done");
                }
                Err(Stop::Device(error)) => return Err(error),
                Err(Stop::Failed(failure)) => failure,
            };
            if failure.code == ResultCode::BadUrl {
                return end(last, attempt, Outcome::BadUrl, &failure.text);
            }
            let Some(delay) = workflow.retry.delay_after(attempt) else {
                return end(last, attempt, Outcome::Failed, &failure.text);
            };
            self.user.tell(&format!("That did not work: {}. Again in {delay} s.", failure.text));
            thread::sleep(cmp::min(Duration::from_secs(u64::from(delay)), self.patience.workflow));
            attempt += 1;
        }
    }
}

struct End {
    step: u32,
    attempts: u32,
    outcome: Outcome,
    text: String,
}
