//! Every message that server and device send, read by somebody else's WBXML library as well.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use sealift::oma::dm::{Encoding, Message};
use sealift::oma::xml::Limits;
use sealift::serve::{Delivery, Kind};

use crate::common;
use crate::support::{Odd, OddServer, Trial, campaign, request};

#[test]
fn libwbxml_reads_what_we_write_in_every_kind_of_session() {
    if Command::new("wbxml2xml").arg("-h").output().is_err() {
        return common::skipped("wbxml2xml");
    }
    let bodies: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let campaigns = [
        campaign(|campaign| (campaign.delivery, campaign.confirm) = (Delivery::Inline, true)),
        campaign(|campaign| campaign.delivery = Delivery::LargeObject),
        campaign(|campaign| campaign.two_steps = true),
        campaign(|campaign| campaign.kind = Kind::Component),
        campaign(|campaign| campaign.kind = Kind::Workflow),
    ];
    for campaign in campaigns {
        let trial = Trial::new(vec![campaign]);
        let (url, log) = (trial.url(), Arc::clone(&bodies));
        let between = OddServer::talking(move |_, _, body| {
            let (status, _, answer) = request(&url, "POST", &[("Content-Type", Encoding::Wbxml.content_type())], body);
            log.lock().unwrap().extend([body.to_vec(), answer.clone()]);
            Odd { status, media_type: Encoding::Wbxml.content_type().into(), body: answer, cut: None }
        });
        let mut kit = trial.device("a");
        (kit.url, kit.encoding, kit.always) = (format!("{}/dm", between.url), Encoding::Wbxml, Some("y"));
        kit.identity.max_message = 4096;
        assert!(!kit.run().is_empty());
    }
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("in.wbxml"), folder.path().join("out.xml"));
    let bodies = bodies.lock().unwrap();
    assert!(bodies.len() > 30, "{}", bodies.len());
    for body in bodies.iter() {
        fs::write(&from, body).unwrap();
        let output = Command::new("wbxml2xml").args(["-m", "0", "-o"]).arg(&to).arg(&from).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs = Message::decode(&fs::read(&to).unwrap(), Encoding::Xml, &Limits::MESSAGE).unwrap();
        let ours = Message::decode(body, Encoding::Wbxml, &Limits::MESSAGE).unwrap();
        assert_eq!(theirs, ours);
    }
}
