//! Firmware updates: every way to deliver, every result that can be caused, every edge of the state machine.

use std::collections::BTreeSet;
use std::sync::Mutex;

use sealift::device::Wish;
use sealift::device::fault::Fault;
use sealift::device::memory::Ask;
use sealift::oma::dm::Encoding;
use sealift::oma::fumo::{self, Requester, State};
use sealift::serve::Delivery;

use crate::support::{Kit, Odd, OddServer, Trial, campaign, file};

/// Edges that were gone in any test of this file.
static SEEN: Mutex<BTreeSet<(u8, u8)>> = Mutex::new(BTreeSet::new());

fn note(kit: &Kit) {
    SEEN.lock().unwrap().extend(kit.steps());
}

#[test]
fn a_package_by_each_of_the_three_ways_and_in_both_forms() {
    for delivery in [Delivery::Inline, Delivery::LargeObject, Delivery::Descriptor, Delivery::Vendor] {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let trial = Trial::one(|campaign| campaign.delivery = delivery);
            let mut kit = trial.device("a");
            kit.encoding = encoding;
            if delivery == Delivery::LargeObject {
                kit.identity.max_message = 2048;
            }
            assert_eq!(kit.codes(), [200], "{delivery:?} {encoding:?}");
            assert!(kit.runs(2), "{delivery:?}");
            assert!(kit.heard().contains("The update is done: version 2.0 is installed."), "{}", kit.heard());
            assert_eq!(trial.stage("a"), "done");
            let by_data = matches!(delivery, Delivery::Inline | Delivery::LargeObject);
            let operation = if by_data { "Update" } else { "DownloadAndUpdate" };
            assert_eq!(trial.results(), [("SIM:a".to_owned(), operation.to_owned(), 200)]);
            assert_eq!(trial.notices(), if delivery == Delivery::Descriptor { vec![900] } else { Vec::new() });
            note(&kit);
            // There is nothing to do any more, and nobody is bothered with it.
            let said = kit.heard();
            assert!(kit.run().is_empty());
            assert_eq!(kit.heard(), said);
            assert_eq!(trial.results().len(), 1);
        }
    }
}

#[test]
fn in_two_steps_the_server_learns_of_the_download_first() {
    let trial = Trial::one(|campaign| campaign.two_steps = true);
    let kit = trial.device("a");
    assert_eq!(kit.codes(), [200, 200]);
    assert!(kit.runs(2));
    let mut operations: Vec<String> = trial.results().into_iter().map(|(_, operation, _)| operation).collect();
    operations.sort();
    assert_eq!(operations, ["Download", "Update"]);
    note(&kit);
}

#[test]
fn the_server_asks_the_user_first() {
    let trial = Trial::one(|campaign| campaign.confirm = true);
    let mut kit = trial.device("yes");
    kit.answers = vec!["y"];
    assert_eq!(kit.codes(), [200]);
    assert_eq!(kit.heard().matches("[y/N]").count(), 1, "asked once: {}", kit.heard());
    let mut kit = trial.device("no");
    kit.answers = vec!["n"];
    assert!(kit.run().is_empty());
    assert!(kit.runs(0));
    assert_eq!(trial.stage("no"), "declined");
    assert!(trial.results().contains(&("SIM:no".into(), "Confirm".into(), 401)));
    // Declined is declined: nobody asks again.
    let said = kit.heard();
    kit.run();
    assert_eq!(kit.heard(), said);
}

#[test]
fn the_user_refuses() {
    for (delivery, two_steps, notices) in [(Delivery::Descriptor, false, vec![902]), (Delivery::Vendor, true, vec![]), (Delivery::Inline, false, vec![])] {
        let trial = Trial::one(|campaign| (campaign.delivery, campaign.two_steps) = (delivery, two_steps));
        let mut kit = trial.device("a");
        kit.identity.ask = Ask::Always;
        kit.answers = vec!["no"];
        assert_eq!(kit.codes(), [401], "{delivery:?}");
        assert!(kit.runs(0));
        assert_eq!(trial.notices(), notices);
        let heard = kit.heard();
        if delivery == Delivery::Descriptor {
            assert!(heard.contains("Download lamp 2.0?") && heard.contains("Size: "), "{heard}");
        } else {
            // What, from whom, approved by whom, how big, how long.
            for part in ["Update of app to version 2.0", "Dims", "From: signed by Example", "Approved by: 310-410", "bytes", "about 1 s"] {
                assert!(heard.contains(part), "{part}: {heard}");
            }
        }
        note(&kit);
    }
}

#[test]
fn a_package_that_is_damaged_on_its_way() {
    let size = file("dist/lamp-2.0-from-1.0.suit").len() as u64;
    // In a digest or the patch it is damage; in a signature it is a signature that does not hold.
    for (at, code) in [(size - 1, 402), (size / 2, 402)] {
        let trial = Trial::one(|_| {});
        let mut kit = trial.device("a");
        kit.faults = vec![Fault::Corrupt(at)];
        assert_eq!(kit.codes(), [code], "byte {at}");
        assert_eq!(trial.notices(), [954]);
        assert!(kit.runs(0));
        note(&kit);
    }
    let odd = OddServer::new(|_, _| {
        let mut body = file("dist/lamp-2.0-from-1.0.suit");
        body.truncate(body.len() - 10);
        Odd { status: 200, media_type: "application/suit-envelope+cose".into(), body, cut: None }
    });
    let trial = Trial::one(|campaign| campaign.url = Some(format!("{}/p.suit", odd.url)));
    assert_eq!(trial.device("a").codes(), [402]);
}

#[test]
fn a_package_that_is_damaged_only_when_it_is_installed() {
    // The patch's own digest is looked at when it arrives; inline, only when it is installed: state 70, not 20.
    let trial = Trial::with(vec![campaign(|campaign| campaign.delivery = Delivery::Inline)], |settings| {
        let package = &mut settings.dist.packages[0];
        let mut bytes = package.bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        package.base64 = sealift::oma::auth::base64(&bytes);
        package.bytes = bytes.into();
    });
    let kit = trial.device("a");
    assert_eq!(kit.codes(), [402]);
    assert!(kit.steps().contains(&(60, 70)) && kit.steps().contains(&(70, 80)) && kit.steps().contains(&(80, 10)), "{:?}", kit.steps());
    note(&kit);
}

#[test]
fn a_package_for_another_device_or_another_image() {
    // Another class of devices.
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("class");
    kit.identity.class = uuid::Uuid::nil();
    assert_eq!(kit.codes(), [403]);
    assert_eq!(trial.notices(), [954]);
    note(&kit);
    // It says that it runs 1.0, and does not: only the applier finds out.
    let mut kit = trial.device("image");
    kit.image = b"something else".to_vec();
    assert_eq!(kit.codes(), [403]);
    assert!(kit.steps().contains(&(60, 70)));
    note(&kit);
}

#[test]
fn a_package_that_is_signed_by_nobody_known() {
    let odd = OddServer::new(|_, _| Odd { status: 200, media_type: "application/suit-envelope+cose".into(), body: crate::support::unsigned(), cut: None });
    let trial = Trial::one(|campaign| campaign.url = Some(format!("{}/p.suit", odd.url)));
    assert_eq!(trial.device("a").codes(), [404]);
    assert_eq!(trial.stage("a"), "failed");
}

#[test]
fn a_package_that_nobody_approved() {
    let odd = OddServer::new(|_, _| Odd { status: 200, media_type: "application/suit-envelope+cose".into(), body: crate::support::unapproved(), cut: None });
    let url = format!("{}/p.suit", odd.url);
    let trial = Trial::one(|campaign| campaign.url = Some(url.clone()));
    // Policy: reject.
    let kit = trial.device("reject");
    assert_eq!(kit.codes(), [405]);
    assert!(!kit.heard().contains("[y/N]"));
    // Policy: ask the user, whatever was asked before.
    for (id, answer, code) in [("no", "n", 401), ("yes", "y", 200)] {
        let mut kit = trial.device(id);
        kit.trust = "trust.ask";
        kit.answers = vec![answer];
        assert_eq!(kit.codes(), [code], "{id}");
        assert!(kit.heard().contains("It is NOT approved: approved by 0 of the 1 keys of role operator"), "{}", kit.heard());
        assert!(kit.runs(if code == 200 { 2 } else { 0 }));
        note(&kit);
    }
}

#[test]
fn no_room() {
    let trial = Trial::one(|campaign| campaign.delivery = Delivery::Vendor);
    let mut kit = trial.device("package");
    kit.identity.storage = 500;
    assert_eq!(kit.codes(), [501]);
    note(&kit);
    let mut kit = trial.device("image");
    kit.identity.slot = 6100;
    assert_eq!(kit.codes(), [502]);
    assert!(kit.runs(0));
    note(&kit);
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("described");
    kit.identity.storage = 500;
    assert_eq!(kit.codes(), [501]);
    assert_eq!(trial.notices(), [901]);
}

#[test]
fn the_network_is_lost_and_comes_back() {
    for delivery in [Delivery::Descriptor, Delivery::Vendor] {
        // Three breaks: two attempts fail, and their report; the server orders again, and the rest is got.
        let trial = Trial::one(|campaign| campaign.delivery = delivery);
        let mut kit = trial.device("a");
        kit.faults = vec![Fault::Drop { after: 300, times: 3 }];
        assert_eq!(kit.codes(), [503, 200], "{delivery:?}");
        assert!(kit.runs(2));
        assert_eq!(trial.notices(), if delivery == Delivery::Descriptor { vec![903, 900] } else { Vec::new() });
        assert_eq!(trial.stage("a"), "done");
        assert!(kit.steps().windows(3).any(|steps| steps == [(30, 20), (20, 10), (10, 30)]), "{:?}", kit.steps());
        note(&kit);
    }
    // It never comes back: the server gives up after its three attempts.
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("b");
    kit.faults = vec![Fault::Drop { after: 0, times: 100 }];
    assert_eq!(kit.codes(), [503, 503, 503]);
    assert_eq!(trial.stage("b"), "failed");
}

#[test]
fn a_download_goes_on_where_it_was_also_after_a_restart() {
    let trial = Trial::one(|campaign| (campaign.attempts, campaign.delivery) = (2, Delivery::Vendor));
    let mut kit = trial.device("a");
    // Each connection carries two thirds of the package: only who goes on where it was gets all of it in two.
    let after = file("dist/lamp-2.0-from-1.0.suit").len() as u64 * 2 / 3;
    kit.faults = vec![Fault::Drop { after, times: 2 }];
    kit.patience.downloads = 0;
    assert_eq!(kit.codes(), [503, 200]);
    assert!(kit.runs(2));
}

#[test]
fn addresses_that_lead_nowhere() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/p.suit", listener.local_addr().unwrap())
    };
    for (url, code) in [("nonsense", 411), ("ftp://127.0.0.1/p", 411), ("http://", 411), (closed.as_str(), 412)] {
        let trial = Trial::one(|campaign| (campaign.url, campaign.attempts) = (Some(url.into()), 1));
        let kit = trial.device("a");
        assert_eq!(kit.codes(), [code], "{url}");
        assert_eq!(trial.stage("a"), "failed");
        note(&kit);
    }
    for (status, code) in [(404, 411), (401, 406), (504, 407), (500, 500), (503, 412), (418, 409)] {
        let odd = OddServer::new(move |_, _| Odd { status, media_type: "text/plain".into(), ..Odd::default() });
        let trial = Trial::one(|campaign| (campaign.url, campaign.attempts) = (Some(format!("{}/p", odd.url)), 1));
        assert_eq!(trial.device("a").codes(), [code], "{status}");
    }
}

#[test]
fn an_image_that_does_not_start_is_left_again() {
    let trial = Trial::one(|_| {});
    let mut kit = trial.device("a");
    kit.faults = vec![Fault::NoBoot];
    assert_eq!(kit.codes(), [410]);
    kit.faults.clear();
    assert!(kit.runs(0));
    assert!(kit.heard().contains("the old one runs again"));
    note(&kit);
}

#[test]
fn an_older_release_is_not_acceptable() {
    let trial = Trial::one(|campaign| campaign.force = true);
    let kit = trial.device("a");
    assert_eq!(kit.codes(), [200]);
    // The same package once more: it is there already, and nothing is done.
    let odd =
        OddServer::new(|_, _| Odd { status: 200, media_type: "application/suit-envelope+cose".into(), body: file("dist/lamp-2.0-from-1.0.suit"), cut: None });
    let again = Trial::one(|campaign| (campaign.force, campaign.url) = (true, Some(format!("{}/p", odd.url))));
    let mut same = again.device("a");
    same.root.clone_from(&kit.root);
    let writes = |kit: &Kit| std::fs::metadata(kit.root.join("firmware/slot-0")).unwrap().modified().unwrap();
    let before = writes(&same);
    assert_eq!(same.codes(), [200]);
    assert_eq!(writes(&same), before, "the other slot is not touched");
    // Another manifest with the same number is not acceptable, nor is one with a lower number.
    let third = Trial::one(|campaign| campaign.force = true);
    same.url = third.url();
    assert_eq!(same.codes(), [405]);
    let boot = kit.root.join("firmware/boot.json");
    let text = std::fs::read_to_string(&boot).unwrap().replace("\"sequence\": 20", "\"sequence\": 21");
    std::fs::write(&boot, text).unwrap();
    let fourth = Trial::one(|campaign| (campaign.force, campaign.url) = (true, Some(format!("{}/p", odd.url))));
    same.url = fourth.url();
    assert_eq!(same.codes(), [405]);
}

#[test]
fn devices_and_users_ask_for_it() {
    for requester in [Requester::Device, Requester::User] {
        let trial = Trial::one(|campaign| campaign.on_request = true);
        let kit = trial.device("a");
        assert!(kit.run().is_empty(), "nobody has asked");
        assert_eq!(kit.wish(&Wish::Firmware(requester)).len(), 1);
        assert!(kit.runs(2));
        let events = trial.status()["events"].to_string();
        assert!(events.contains("asks for a firmware update"), "{events}");
    }
}

#[test]
fn the_server_calls() {
    let trial = Trial::one(|campaign| campaign.notify = true);
    let kit = trial.device("a");
    let mut device = kit.open().unwrap();
    let wait = std::time::Duration::from_secs(2);
    let done = device.wait(wait).unwrap().unwrap();
    assert_eq!(done.iter().map(|finished| finished.code).collect::<Vec<_>>(), [200]);
    assert!(trial.status()["events"].to_string().contains("opened the session that it was notified of"));
    // Nothing more to be called for.
    assert_eq!(device.wait(std::time::Duration::ZERO).unwrap(), None);
}

#[test]
fn a_new_package_over_one_that_is_there_and_a_new_order_after_success() {
    // Two campaigns by force: when the first has reported, the second is ordered in the same session, from state 90.
    let second = campaign(|campaign| (campaign.name, campaign.force) = ("again".into(), true));
    let trial = Trial::new(vec![campaign(|campaign| campaign.delivery = Delivery::Inline), second]);
    let kit = trial.device("a");
    // The second one is another manifest with the same number, which the device does not accept.
    assert_eq!(kit.codes(), [200, 405]);
    assert!(kit.steps().contains(&(90, 10)), "{:?}", kit.steps());
    note(&kit);
    // A package that waits for its Update is replaced by another one.
    let kit = trial.device("b");
    let mut device = kit.open().unwrap();
    let package = file("dist/lamp-2.0-full.suit");
    for _ in 0..2 {
        assert_eq!(device.replace_node("./FUMO/Sealift/Update/PkgData", &package).unwrap(), 200);
        assert_eq!(device.state(), State::ReadyToUpdate);
    }
    SEEN.lock().unwrap().extend(device.memory().steps.iter().copied());
}

#[test]
fn every_edge_of_the_state_machine_is_gone() {
    // The other tests of this file note what they see; these are enough to see all, in whatever order tests run.
    a_package_by_each_of_the_three_ways_and_in_both_forms();
    in_two_steps_the_server_learns_of_the_download_first();
    a_package_that_is_damaged_only_when_it_is_installed();
    no_room();
    a_new_package_over_one_that_is_there_and_a_new_order_after_success();
    let mut wanted: BTreeSet<(u8, u8)> = fumo::EDGES.iter().map(|(from, _, to)| (from.code(), to.code())).collect();
    wanted.insert((fumo::SHORT_CUT.0.code(), fumo::SHORT_CUT.1.code()));
    let seen = SEEN.lock().unwrap().clone();
    assert_eq!(wanted.difference(&seen).collect::<Vec<_>>(), Vec::<&(u8, u8)>::new());
    assert_eq!(seen.difference(&wanted).collect::<Vec<_>>(), Vec::<&(u8, u8)>::new());
}
