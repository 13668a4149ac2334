use super::*;
use crate::update::Trial;
use sealift_formats::ErrorKind;
use sealift_formats::manifest::ImageId;

fn after(events: &[Event]) -> Session {
    let mut session = Session::default();
    for event in events {
        session.take(*event).unwrap();
        assert_eq!(Session::of_bytes(session.to_bytes()), Some(session), "kept over a reset");
    }
    session
}

fn start(trial: Option<Trial>, reverted: bool) -> Boot {
    Boot::Start(Start { image: ImageId { digest: [0; 32], size: 1 }, trial, reverted })
}

#[test]
fn a_download_and_an_update_each_end_in_an_alert() {
    let mut session = after(&[Event::Execute(Operation::Download), Event::Downloaded, Event::Accepted]);
    assert_eq!(session.state(), State::ReadyToUpdate);
    assert_eq!(session.alert(), Some(Alert { operation: Operation::Download, outcome: Outcome::SUCCESS }));
    assert_eq!(session.take(Event::Execute(Operation::Update)), Err(OutOfOrder), "the alert comes first");
    session.alert_sent();
    for event in [Event::Execute(Operation::Update), Event::Confirmed] {
        session.take(event).unwrap();
    }
    assert_eq!(session.alert(), Some(Alert { operation: Operation::Update, outcome: Outcome::SUCCESS }));
    session.alert_sent();
    session.take(Event::CleanedUp).unwrap();
    assert_eq!(session.state().code(), 100);
    session.take(Event::CleanedUp).unwrap();
    assert_eq!(session, Session::default());
}

#[test]
fn download_and_update_has_one_alert_at_the_end() {
    let mut session = after(&[Event::Execute(Operation::DownloadAndUpdate), Event::Downloaded, Event::Accepted]);
    assert!(session.goes_on() && session.alert().is_none());
    session.take(Event::Accepted).unwrap();
    session.booted(&start(Some(Trial::Reverts { starts_left: 0 }), false));
    assert_eq!(session.state(), State::UpdateProgressing);
    session.booted(&start(None, true));
    assert_eq!(session.state(), State::UpdateFailedHaveData);
    assert_eq!(session.alert(), Some(Alert { operation: Operation::DownloadAndUpdate, outcome: Outcome::UPDATE_FAILED }));
}

#[test]
fn a_failed_download_reports_itself() {
    let session = after(&[Event::Execute(Operation::DownloadAndUpdate), Event::Failed(Outcome::NETWORK)]);
    assert_eq!((session.state().code(), session.alert().unwrap().outcome), (20, Outcome(503)));
    let session = after(&[Event::Execute(Operation::Download), Event::Downloaded, Event::Failed(Outcome::USER_CANCELLED)]);
    assert_eq!((session.state().code(), session.alert().unwrap().outcome), (20, Outcome(401)));
}

#[test]
fn a_package_in_the_tree_needs_no_download() {
    let session = after(&[Event::Replace, Event::Execute(Operation::Update), Event::Failed(Outcome::of(&Error::OtherClass))]);
    assert_eq!((session.state().code(), session.alert().unwrap().outcome), (70, Outcome(403)));
}

#[test]
fn what_has_no_meaning_changes_nothing() {
    let events = [
        Event::Execute(Operation::Download),
        Event::Execute(Operation::Update),
        Event::Replace,
        Event::Downloaded,
        Event::Accepted,
        Event::Failed(Outcome::NETWORK),
        Event::Confirmed,
        Event::CleanedUp,
    ];
    for state in State::ALL {
        for event in events {
            let before = Session { state, operation: None, outcome: None };
            let mut session = before;
            if session.take(event).is_err() {
                assert_eq!(session, before);
            } else {
                assert_ne!(session.state(), state, "{event:?} leads on from {state:?}");
            }
        }
    }
}

#[test]
fn reasons_have_the_nearest_code() {
    for (reason, code) in [
        (ErrorKind::PatchMagic.at(0).into(), 402),
        (Error::ChunkDigest, 402),
        (Error::OtherOldImage, 403),
        (Error::OemSignature, 404),
        (Error::SequenceBelowFloor { found: 1, floor: 2 }, 405),
        (Error::ApprovalByOemKey, 405),
        (Error::RamClass, 502),
        (Error::Flash, 410),
        (Error::Format(ErrorKind::SeveralComponents.at(0)), 403),
        (Error::Format(ErrorKind::TooManyComponents.at(0)), 402),
        (Error::OtherComponents, 403),
        (Error::AfterError, 400),
    ] {
        assert_eq!(Outcome::of(&reason), Outcome(code), "{reason}");
    }
}
