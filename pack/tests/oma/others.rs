//! Software components, the sideband workflow, and the trust record in the management tree.

use sealift::device::{Device, TRUST_OBJECT, Wish};
use sealift::oma::dm::Encoding;
use sealift::serve::{Delivery, Kind};

use crate::common;
use crate::support::{Odd, OddServer, Trial, file};

#[test]
fn a_component_is_installed_and_updated() {
    for delivery in [Delivery::Inline, Delivery::Descriptor, Delivery::Vendor] {
        let trial = Trial::one(|campaign| (campaign.kind, campaign.delivery) = (Kind::Component, delivery));
        let mut kit = trial.device("new");
        kit.encoding = Encoding::Wbxml;
        assert_eq!(kit.codes(), [1200], "{delivery:?}");
        assert!(kit.open().unwrap().image(Some("app")).unwrap() == common::image(2));
        assert!(kit.open().unwrap().image(None).unwrap() == common::image(0), "the firmware is another matter");
        assert!(kit.run().is_empty());
        let kit = trial.device("old");
        kit.open().unwrap();
        Device::add_component(&kit.root, "app", &common::image(1), "1.1").unwrap();
        assert_eq!(kit.codes(), [1200]);
        assert!(kit.open().unwrap().image(Some("app")).unwrap() == common::image(2));
        let operation = if delivery == Delivery::Inline { "Install" } else { "DownloadInstall" };
        assert!(trial.results().iter().all(|(_, done, code)| done == operation && *code == 1200), "{:?}", trial.results());
    }
}

#[test]
fn a_device_asks_for_a_component() {
    let trial = Trial::one(|campaign| (campaign.kind, campaign.on_request) = (Kind::Component, true));
    let kit = trial.device("a");
    assert!(kit.run().is_empty());
    assert!(kit.wish(&Wish::Component("other".into())).is_empty());
    // Install, and later update: the same wish.
    assert_eq!(kit.wish(&Wish::Component("app".into()))[0].code, 1200);
    let events = trial.status()["events"].to_string();
    assert!(events.contains("asks for the component app"), "{events}");
    let kit = trial.device("b");
    kit.open().unwrap();
    Device::add_component(&kit.root, "app", &common::image(0), "1.0").unwrap();
    assert_eq!(kit.wish(&Wish::Component("app".into()))[0].code, 1200);
    assert!(kit.open().unwrap().image(Some("app")).unwrap() == common::image(2));
}

#[test]
fn what_goes_wrong_with_a_component_has_its_own_codes() {
    type Change = fn(&mut crate::support::Kit);
    let outcomes: [(Change, u16); 5] = [
        (|kit| kit.identity.storage = 100, 1404),
        (|kit| kit.identity.slot = 100, 1406),
        (|kit| kit.identity.class = uuid::Uuid::nil(), 1407),
        (|kit| (kit.identity.ask, kit.answers) = (sealift::device::memory::Ask::Always, vec!["n"]), 1401),
        (|kit| kit.faults = vec![sealift::device::fault::Fault::NoBoot], 1405),
    ];
    for (at, (change, code)) in outcomes.into_iter().enumerate() {
        let trial = Trial::one(|campaign| (campaign.kind, campaign.attempts) = (Kind::Component, 1));
        let mut kit = trial.device("a");
        change(&mut kit);
        assert_eq!(kit.codes(), [code], "{at}");
    }
}

#[test]
fn the_sideband_workflow() {
    let trial = Trial::one(|campaign| campaign.kind = Kind::Workflow);
    let mut kit = trial.device("a");
    kit.always = Some("y");
    assert_eq!(kit.codes(), [200]);
    assert!(kit.runs(2));
    let heard = kit.heard();
    for part in ["Update to version 2.0 with the maker's own program?", "Step 1: Connect the device", "Step 2: Open http://", "The device runs version 2.0."] {
        assert!(heard.contains(part), "{part}: {heard}");
    }
    assert_eq!(trial.results(), [("SIM:a".to_owned(), "Workflow".to_owned(), 200)]);
    for (answers, code) in [(vec!["n"], 401), (vec!["y", "y", "n"], 402)] {
        let mut kit = trial.device(if code == 401 { "refuses" } else { "stops" });
        kit.answers = answers;
        assert_eq!(kit.codes(), [code]);
        assert!(kit.runs(0));
    }
}

#[test]
fn a_workflow_is_tried_as_often_as_its_rule_says() {
    // The maker's server is down twice.
    let odd = OddServer::new(|_, count| match count {
        0..4 => Odd { status: 503, ..Odd::default() },
        _ => Odd { status: 200, media_type: "application/suit-envelope+cose".into(), body: file("dist/lamp-2.0-from-1.0.suit"), cut: None },
    });
    let trial = Trial::one(|campaign| (campaign.kind, campaign.url, campaign.retry) = (Kind::Workflow, Some(format!("{}/tool", odd.url)), (9, 1, 2)));
    let mut kit = trial.device("a");
    kit.always = Some("y");
    assert_eq!(kit.codes(), [200]);
    let status = trial.status()["results"].to_string();
    assert!(status.contains("Success at step 2 after 5 attempts"), "{status}");
    assert!(kit.heard().contains("Again in 1 s") && kit.heard().contains("Again in 8 s"), "{}", kit.heard());
    let odd = OddServer::new(|_, _| Odd { status: 503, ..Odd::default() });
    let trial = Trial::one(|campaign| (campaign.kind, campaign.url, campaign.retry) = (Kind::Workflow, Some(format!("{}/tool", odd.url)), (2, 0, 1)));
    let mut kit = trial.device("b");
    kit.always = Some("y");
    assert_eq!(kit.codes(), [410]);
    let odd = OddServer::new(|_, _| Odd { status: 404, ..Odd::default() });
    let trial = Trial::one(|campaign| (campaign.kind, campaign.url) = (Kind::Workflow, Some(format!("{}/tool", odd.url))));
    let mut kit = trial.device("c");
    kit.always = Some("y");
    assert_eq!(kit.codes(), [411]);
}

#[test]
fn a_trust_record_in_the_tree_is_replaced_only_under_its_own_rules() {
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("a");
    kit.trust = "trust.oem-only";
    let mut device = kit.open().unwrap();
    let uri = format!("{TRUST_OBJECT}/Record");
    // Not signed under the keys of the record in force, older, or no record at all.
    for bytes in [file("trust.ask"), file("trust.oem-only"), b"nonsense".to_vec()] {
        assert_eq!(device.replace_node(&uri, &bytes).unwrap(), 500);
    }
    let folder = kit.root.parent().unwrap();
    let sealift = |args: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_sealift")).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let (next, key) = (folder.join("next"), crate::support::path("oem.key.pem"));
    std::fs::copy(crate::support::path("trust.ask"), &next).unwrap();
    sealift(&["trust", "sign", next.to_str().unwrap(), "--key", key.to_str().unwrap()]);
    assert_eq!(device.replace_node(&uri, &std::fs::read(&next).unwrap()).unwrap(), 200);
    assert_eq!(std::fs::read(kit.root.join("trust")).unwrap(), std::fs::read(&next).unwrap());
}
