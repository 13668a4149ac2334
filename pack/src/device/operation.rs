//! What was ordered, done: download, checks, consent, installation, restart, report. Each step is noted before the next one begins, so that a
//! device whose power fails goes on where it was.

use std::fs;
use std::io::ErrorKind;

use super::check::{self, Facts};
use super::fetch::{Failure, Fetch, Stop};
use super::flash::{Engine, FileFlash, InstallError};
use super::memory::{Ask, Outgoing, Pending, Subject};
use super::{Device, Error};
use crate::documents::dlota::Descriptor;
use crate::install;
use crate::oma::fumo::{ResultCode, State};
use crate::oma::scomo;
use crate::package::Opened;
use crate::trust;

/// An operation that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Of what.
    pub subject: Subject,
    /// The node that was executed.
    pub node: String,
    /// The result code: of FUMO, of SCOMO, or of a workflow.
    pub code: u16,
    /// What it means, or why.
    pub text: String,
}

impl Device {
    /// Does the operation that is noted, if there is one.
    ///
    /// # Errors
    /// The device failed: its storage, or its power. The operation is still noted.
    pub(super) fn run_pending(&mut self) -> Result<(), Error> {
        let Some(pending) = self.memory.pending.clone() else { return Ok(()) };
        if pending.subject == Subject::Workflow {
            return self.run_workflow(&pending);
        }
        let mut pending = pending;
        if let Some(url) = pending.url.clone() {
            match self.download(&pending, &url) {
                Ok(agreed) => {
                    pending.agreed = agreed;
                    pending.url = None;
                    self.downloaded(&pending);
                }
                Err(Stop::Device(error)) => return Err(error),
                Err(Stop::Failed(failure)) => {
                    if pending.subject == Subject::Firmware {
                        self.memory.go(State::DownloadFailed);
                    }
                    self.component_status(&pending.subject, |package| package.download_status = scomo::Status::DownloadFailed.code());
                    return self.finished(&pending, failure.code, &failure.text);
                }
            }
            if !pending.installs {
                return self.finished(&pending, ResultCode::Success, "the package is there");
            }
            self.memory.pending = Some(pending.clone());
            self.save()?;
        }
        let installed = self.install(&pending.subject, pending.agreed, pending.activates);
        let is_done = match &installed {
            Ok(_) => true,
            Err(Stop::Failed(_)) => false,
            Err(Stop::Device(_)) => {
                return installed.map(|_| ()).map_err(|stop| if let Stop::Device(error) = stop { error } else { Error::Internal("a result") });
            }
        };
        if pending.subject == Subject::Firmware {
            self.memory.go(if is_done { State::UpdateSuccessfulHaveData } else { State::UpdateFailedHaveData });
        }
        self.component_status(&pending.subject, |package| {
            let failed = if is_done { scomo::Status::DeliveredIdle } else { scomo::Status::DeliveredInstallFailedHaveData };
            package.delivered_status = failed.code();
            package.download_status = if is_done { scomo::Status::DownloadIdle } else { scomo::Status::DownloadInstallFailedHaveData }.code();
        });
        match installed {
            Ok(version) => {
                let text = format!("version {version} is installed");
                self.user.tell(&format!("The update is done: {text}."));
                self.finished(&pending, ResultCode::Success, &text)
            }
            Err(Stop::Failed(failure)) => {
                self.user.tell(&format!("The update was not installed: {}.", failure.text));
                self.finished(&pending, failure.code, &failure.text)
            }
            Err(Stop::Device(error)) => Err(error),
        }
    }

    /// The package is there and was found good: the states of a download that goes on.
    fn downloaded(&mut self, pending: &Pending) {
        if pending.subject == Subject::Firmware {
            self.memory.go(State::DownloadComplete);
            self.memory.go(State::ReadyToUpdate);
            if pending.installs {
                self.memory.go(State::UpdateProgressing);
            }
        }
        let installs = pending.installs;
        self.component_status(&pending.subject, |package| {
            package.has_data = true;
            let status = if installs { scomo::Status::DownloadInstallProgressing } else { scomo::Status::DownloadComplete };
            package.download_status = status.code();
        });
    }

    fn component_status(&mut self, subject: &Subject, change: impl FnOnce(&mut super::memory::ComponentPackage)) {
        if let Subject::Component(name) = subject
            && let Some(package) = self.memory.packages.get_mut(name)
        {
            change(package);
        }
    }

    /// Notes the end of an operation, and the report that is now due.
    fn finished(&mut self, pending: &Pending, result: ResultCode, text: &str) -> Result<(), Error> {
        let code = match pending.subject {
            Subject::Component(_) => component_result(result),
            _ => result.code(),
        };
        let (subject, node) = (pending.subject.clone(), pending.node.clone());
        self.memory.outbox.push(Outgoing { subject: subject.clone(), node: node.clone(), code, workflow: None, correlator: pending.correlator.clone() });
        self.memory.pending = None;
        self.save()?;
        self.finished.push(Finished { subject, node, code, text: text.to_owned() });
        Ok(())
    }

    /// Gets the package and looks at it. Whether the user has said yes.
    pub(super) fn download(&mut self, pending: &Pending, url: &str) -> Result<bool, Stop> {
        let mut agreed = pending.agreed;
        let asks = self.identity.ask == Ask::Always && !agreed;
        let file = self.package_file(&pending.subject);
        let fetch = Fetch {
            agent: &self.agent,
            file: file.clone(),
            storage: self.identity.storage,
            faults: &self.faults,
            retries: self.patience.downloads,
            pause: self.patience.pause,
        };
        let user = &mut self.user;
        let arrived = fetch.get(url, &mut |descriptor: &Descriptor| {
            agreed = agreed || !asks || user.agrees(&offer(descriptor));
            agreed
        })?;
        let looked = self.look(&pending.subject);
        let outcome = match looked {
            Err(Stop::Device(error)) => return Err(error.into()),
            Ok((facts, _)) => {
                // Without a descriptor this is the first time that there is something to ask about.
                if asks && !agreed && !self.user.agrees(&question(&facts)) {
                    Err(Failure::new(ResultCode::UserCancelled, 902, "the user does not want it"))
                } else {
                    Ok(agreed || asks)
                }
            }
            Err(Stop::Failed(failure)) => Err(failure),
        };
        let status = match &outcome {
            Ok(_) => 900,
            Err(failure) => failure.status.unwrap_or(954),
        };
        let fetch = Fetch { agent: &self.agent, file, storage: 0, faults: &self.faults, retries: 0, pause: self.patience.pause };
        let told = arrived.notify.as_deref().is_none_or(|notify| fetch.notify(notify, status));
        if outcome.is_err() {
            // What was found bad is not gone on with.
            Fetch::forget(&fetch.file);
        }
        match outcome {
            // With an address for the report, the object is released only when the report was taken.
            Ok(_) if !told => Err(Failure::new(ResultCode::NetworkError, 903, "the server did not take the install-notify").into()),
            other => Ok(other?),
        }
    }

    /// Checks the package that is there; where the policy leaves a missing approval to the user, the user is asked, whatever was said
    /// before: nobody knew of it then.
    fn look(&mut self, subject: &Subject) -> Result<(Facts, Vec<u8>), Stop> {
        let bytes = self.package(subject)?;
        let record = self.trust_file()?;
        let trust = trust::record(&record).map_err(|error| Failure::new(ResultCode::ValidationFailed, 954, format!("the trust record: {error}")))?;
        let state = self.engine(subject)?.state(&self.identity);
        let facts = check::check(&bytes, &trust, &state, &self.identity.language)?;
        if let Some(reason) = &facts.unapproved
            && self.consented.as_deref() != Some(&bytes[..])
        {
            let question = format!("{}\n  It is NOT approved: {reason}.\nInstall it all the same?", facts.description);
            if !self.user.agrees(&question) {
                return Err(Failure::new(ResultCode::UserCancelled, 902, "the user does not want what is not approved").into());
            }
            self.consented = Some(bytes.clone());
        }
        Ok((facts, bytes))
    }

    /// Installs the package that is there, and starts what it brings. The version that runs then.
    pub(super) fn install(&mut self, subject: &Subject, agreed: bool, activates: bool) -> Result<String, Stop> {
        let (facts, bytes) = self.look(subject)?;
        if self.identity.ask == Ask::Always && !agreed && !self.user.agrees(&question(&facts)) {
            return Err(Failure::new(ResultCode::UserCancelled, 902, "the user does not want it").into());
        }
        let record = self.trust_file()?;
        let trust = trust::record(&record).map_err(|error| Failure::new(ResultCode::ValidationFailed, 954, error.to_string()))?;
        let mut engine = self.engine(subject)?;
        let state = engine.state(&self.identity);
        let rejected = |rejection: crate::exit::Rejection| Failure { code: check::result_of(rejection.code), status: None, text: rejection.reason };
        // The user has consented in `look`, or there was nothing to consent to.
        let verified = install::verify(&bytes, &trust, &state, true).map_err(rejected)?;
        let is_there = state.installed_manifest == Some(verified.report().manifest_digest);
        if !is_there {
            let opened = Opened::parse(&bytes).map_err(|error| Failure { code: ResultCode::CorruptedPackage, status: None, text: error.to_string() })?;
            engine.install(&verified, opened.patch.unwrap_or_default(), &facts.version, &self.faults).map_err(|error| match error {
                InstallError::Rejected(rejection) => Stop::Failed(rejected(rejection)),
                InstallError::Storage(error) => {
                    let code = if error.kind() == ErrorKind::StorageFull { ResultCode::UpdateOutOfMemory } else { ResultCode::UpdateFailed };
                    Stop::Failed(Failure { code, status: None, text: error.to_string() })
                }
                InstallError::Device(error) => Stop::Device(error),
            })?;
            if !engine.boot(&self.faults)? {
                return Err(
                    Failure { code: ResultCode::UpdateFailed, status: None, text: "the new image does not start: the old one runs again".into() }.into()
                );
            }
        }
        if let Subject::Component(name) = subject {
            self.set_active(name, activates)?;
        }
        Ok(facts.version)
    }

    /// The storage of a subject; a component that was never there begins with an empty image.
    pub(super) fn engine(&self, subject: &Subject) -> Result<FileFlash, Error> {
        let folder = self.flash_folder(subject);
        if folder.exists() { FileFlash::open(&folder, self.identity.slot) } else { FileFlash::create(&folder, &[], "", self.identity.slot) }
    }

    fn package(&self, subject: &Subject) -> Result<Vec<u8>, Stop> {
        let path = self.package_file(subject);
        fs::read(&path).map_err(|source| match source.kind() {
            // It will not come back by trying again.
            ErrorKind::NotFound => Failure { code: ResultCode::UpdateFailed, status: None, text: "the package is gone".into() }.into(),
            _ => Error::Read { path, source }.into(),
        })
    }
}

/// What the user is asked before a download.
fn offer(descriptor: &Descriptor) -> String {
    let mut text = format!("Download {}?", descriptor.name.as_deref().unwrap_or("an update"));
    let parts = [("", descriptor.description.as_deref()), ("From: ", descriptor.vendor.as_deref()), ("More: ", descriptor.info_url.as_deref())];
    parts.iter().filter_map(|(name, value)| Some((name, (*value)?))).for_each(|(name, value)| text.push_str(&format!("\n  {name}{value}")));
    text.push_str(&format!("\n  Size: {} bytes. It is installed when it is there and was found good; then the device restarts.", descriptor.size));
    text
}

fn question(facts: &Facts) -> String {
    format!("{}\nInstall it?", facts.description)
}

/// What an outcome is called in SCOMO.
fn component_result(result: ResultCode) -> u16 {
    match result {
        ResultCode::Success => 1200,
        ResultCode::UserCancelled => 1401,
        ResultCode::CorruptedPackage | ResultCode::PackageMismatch | ResultCode::ValidationFailed | ResultCode::NotAcceptable => 1407,
        ResultCode::AuthenticationFailure => 1403,
        ResultCode::UpdateFailed => 1405,
        ResultCode::BadUrl | ResultCode::NetworkError | ResultCode::RequestTimeOut => 1402,
        ResultCode::ServerUnavailable => 1501,
        ResultCode::ServerError => 1500,
        ResultCode::DownloadOutOfMemory => 1404,
        ResultCode::UpdateOutOfMemory => 1406,
        ResultCode::ClientError => 1400,
        _ => 1412,
    }
}
