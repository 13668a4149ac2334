//! The power fails before every single write of a device: after the restart the update is completed, and reported once.

use sealift::device::Error;
use sealift::device::fault::Fault;
use sealift::serve::{Campaign, Delivery, Kind};

use crate::support::Trial;

fn every_cut(change: impl Fn(&mut Campaign)) -> u64 {
    // One server for all: each cut is a device of its own.
    let trial = Trial::one(|campaign| change(campaign));
    let mut cuts = 0;
    for at in 1.. {
        let id = format!("cut-{at}");
        let mut kit = trial.device(&id);
        kit.faults = vec![Fault::PowerCutAt(at)];
        let first = kit.open().and_then(|mut device| device.run(&sealift::device::Wish::Orders));
        kit.faults.clear();
        match first {
            Err(Error::PowerCut(_)) => {
                cuts += 1;
                kit.run();
            }
            Ok(done) => assert!(!done.is_empty(), "cut {at}"),
            Err(other) => panic!("cut {at}: {other}"),
        }
        let results: Vec<_> = trial.results().into_iter().filter(|(device, ..)| *device == format!("SIM:{id}")).collect();
        assert_eq!(results.len(), 1, "cut {at}: {results:?}");
        assert!([200, 1200].contains(&results[0].2), "cut {at}: {results:?}");
        if first_was_whole(cuts, at) {
            break;
        }
        assert!(at < 500, "the device never stops to write");
    }
    cuts
}

/// Whether no cut happened in this run: there are fewer writes than that.
fn first_was_whole(cuts: u64, at: u64) -> bool {
    cuts < at
}

#[test]
fn by_address() {
    let cuts = every_cut(|campaign| campaign.delivery = Delivery::Descriptor);
    assert!(cuts > 15, "{cuts}");
}

#[test]
fn by_address_in_two_steps() {
    // Two results each.
    let trial = Trial::one(|campaign| campaign.two_steps = true);
    for at in [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22] {
        let mut kit = trial.device(&format!("{at}"));
        kit.faults = vec![Fault::PowerCutAt(at)];
        let first = kit.open().and_then(|mut device| device.run(&sealift::device::Wish::Orders));
        kit.faults.clear();
        assert!(matches!(first, Err(Error::PowerCut(_)) | Ok(_)), "{first:?}");
        kit.run();
        assert!(kit.runs(2), "cut {at}");
        let results: Vec<_> = trial.results().into_iter().filter(|(device, ..)| *device == format!("SIM:{at}")).collect();
        assert_eq!(results.len(), 2, "cut {at}: {results:?}");
    }
}

#[test]
fn inside_messages() {
    let cuts = every_cut(|campaign| campaign.delivery = Delivery::Inline);
    assert!(cuts > 12, "{cuts}");
}

#[test]
fn a_component() {
    let cuts = every_cut(|campaign| (campaign.kind, campaign.delivery) = (Kind::Component, Delivery::Vendor));
    assert!(cuts > 12, "{cuts}");
}

#[test]
fn a_package_that_is_gone_is_reported_and_does_not_hold_the_device_for_ever() {
    let trial = Trial::one(|campaign| (campaign.delivery, campaign.attempts) = (Delivery::Vendor, 1));
    let mut kit = trial.device("a");
    // The first writes are those of the sessions and the download; the package is noted as there a little later.
    for at in 1.. {
        kit.root = trial.folder.path().join(format!("{at}"));
        kit.identity.id = format!("SIM:{at}");
        kit.faults = vec![Fault::PowerCutAt(at)];
        let _ = kit.open().and_then(|mut device| device.run(&sealift::device::Wish::Orders));
        kit.faults.clear();
        let device = kit.open().unwrap();
        if device.memory().pending.as_ref().is_some_and(|pending| pending.url.is_none()) {
            break;
        }
        assert!(at < 100);
    }
    std::fs::remove_file(kit.root.join("firmware.package")).unwrap();
    assert_eq!(kit.codes(), [410]);
    assert!(kit.runs(0));
}
