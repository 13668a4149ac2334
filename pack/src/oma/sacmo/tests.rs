use proptest::prelude::*;

use super::*;

fn workflow() -> Workflow {
    Workflow {
        id: "release-1.2".into(),
        vendor_url: "https://vendor.example/update?m=M1&v=2".into(),
        confirmation: Some(Message::new("en", "Update by cable?").and("de-AT", "Über Kabel aktualisieren?").and("ja", "更新しますか")),
        instructions: vec![Message::new("en", "Plug it in."), Message::new("en", "Run <tool> & wait.")],
        completion: None,
        retry: Retry { attempts: 4, delay_seconds: 60, factor: 10 },
    }
}

#[test]
fn workflows_there_and_back() {
    for workflow in [workflow(), Workflow { confirmation: None, completion: Some(Message::new("fr", "Fini.")), ..workflow() }] {
        let bytes = workflow.write().unwrap();
        assert_eq!(Workflow::read(&bytes).unwrap(), workflow);
        assert_eq!(Workflow::read(&bytes).unwrap().write().unwrap(), bytes);
    }
}

#[test]
fn texts_for_users() {
    let message = workflow().confirmation.unwrap();
    assert_eq!(message.text("de-AT"), "Über Kabel aktualisieren?");
    assert_eq!(message.text("de"), "Über Kabel aktualisieren?");
    assert_eq!(message.text("DE-de"), "Über Kabel aktualisieren?");
    assert_eq!(message.text("en-GB"), "Update by cable?");
    assert_eq!(message.text("fi"), "Update by cable?");
}

#[test]
fn the_retry_rule() {
    let retry = Retry { attempts: 4, delay_seconds: 60, factor: 10 };
    assert_eq!((0..=5).map(|attempt| retry.delay_after(attempt)).collect::<Vec<_>>(), [None, Some(60), Some(600), Some(6000), None, None]);
    let long = Retry { attempts: 100, delay_seconds: MAX_DELAY_SECONDS, factor: 10 };
    assert_eq!(long.delay_after(99), Some(MAX_DELAY_SECONDS));
    let never = Retry { attempts: 1, delay_seconds: 1, factor: 1 };
    assert_eq!(never.delay_after(1), None);
}

#[test]
fn every_reason() {
    let text = String::from_utf8(workflow().write().unwrap()).unwrap();
    let read = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        Workflow::read(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    for (from, to, reason) in [
        ("urn:sealift:workflow:1", "urn:sealift:workflow:2", "the workflow is no XML that we read"),
        ("version=\"1\">", "version=\"2\">", "workflow version `2`, expected `1`"),
        (" version=\"1\">", ">", "`workflow` has no `version`"),
        (" version=\"1\">", " other=\"1\">", "`workflow` has the attribute `other`"),
        ("<id>release-1.2</id>", "", "`workflow` has no `id`"),
        ("release-1.2", "a b", "`id` is `a b`, expected 1 to 64 letters, digits, `.`, `-` and `_`"),
        ("https://", "file:///", "`vendorURL` is `file:///vendor.example/update?m=M1&v=2`, expected an address with https or http"),
        ("<attempts>4", "<attempts>101", "`attempts` is `101`, expected 1 to 100"),
        ("<attempts>4", "<attempts>0", "`attempts` is `0`, expected 1 to 100"),
        ("<delay>60", "<delay>2592001", "`delay` is `2592001`, expected 0 to 2592000 seconds"),
        ("<factor>10", "<factor>11", "`factor` is `11`, expected 1 to 10"),
        ("xml:lang=\"de-AT\"", "xml:lang=\"en\"", "`en` occurs twice in `confirmation`"),
        ("xml:lang=\"de-AT\"", "xml:lang=\"d e\"", "`lang` is `d e`, expected a language tag"),
        (" xml:lang=\"de-AT\"", "", "`text` has no `xml:lang`"),
        ("<id>", "<other/><id>", "`other` has no place in `workflow`"),
    ] {
        assert_eq!(read(from, to), reason);
    }
    let error = |change: &dyn Fn(&mut Workflow)| {
        let mut workflow = workflow();
        change(&mut workflow);
        workflow.write().unwrap_err().to_string()
    };
    assert_eq!(error(&|workflow| workflow.instructions.clear()), "`workflow` has no `instruction`");
    assert_eq!(error(&|workflow| workflow.completion = Some(Message(vec![]))), "`completion` has no `text`");
    assert!(Workflow::read(&vec![b' '; MAX_BYTES + 1]).is_err());
    for length in 0..text.trim_end().len() {
        assert!(Workflow::read(text.as_bytes().get(..length).unwrap()).is_err());
    }
}

#[test]
fn reports_there_and_back() {
    let mapping = Mapping::default();
    assert_eq!(mapping.workflow_uri(), "./SealiftWorkflow/Workflow");
    assert_eq!(mapping.start_uri(), "./SealiftWorkflow/Operations/Start");
    for outcome in Outcome::ALL {
        let report = Report { workflow: "release-1.2".into(), transaction: 3, step: 2, attempts: 4, outcome };
        let alert = mapping.to_alert(&report, 1, Some("c")).unwrap();
        let generic = GenericAlert::from_alert(&alert).unwrap();
        assert_eq!(generic.items[0].alert_type, "urn:oma:at:sacmo:1.0:OperationReport");
        assert_eq!(generic.items[0].source.as_deref(), Some("./SealiftWorkflow/Transaction/3/Step/2"));
        assert_eq!(mapping.from_alert(&generic).unwrap(), Some(report));
        let other = Mapping { alert_type: "other".into(), ..Mapping::default() };
        assert_eq!(other.from_alert(&generic), Ok(None));
        let mut broken = generic;
        broken.items[0].data = broken.items[0].data.replace(&outcome.code().to_string(), "999");
        assert!(mapping.from_alert(&broken).is_err());
    }
}

proptest! {
    #[test]
    fn anything_is_read_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut changed = workflow().write().unwrap();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(read) = Workflow::read(&changed) {
            prop_assert!(read.write().is_ok());
        }
        let _ = Workflow::read(&bytes);
    }
}
