use super::*;
use crate::oma::test_support::{libwbxml_decode, libwbxml_encode, oracle, validate};

#[test]
fn every_kind_is_read_as_it_was_written() {
    for (name, message) in every_kind() {
        for encoding in [Encoding::Xml, Encoding::Wbxml] {
            let bytes = message.encode(encoding).unwrap();
            assert_eq!(Message::decode(&bytes, encoding, &Limits::MESSAGE).unwrap(), message, "{name}, {encoding:?}");
        }
    }
}

#[test]
fn every_kind_is_what_libwbxml_makes_of_it() {
    let mut compared = 0;
    for (name, message) in every_kind() {
        let xml = message.encode(Encoding::Xml).unwrap();
        let wbxml = message.encode(Encoding::Wbxml).unwrap();
        let Some(theirs) = libwbxml_encode(&xml) else {
            return;
        };
        assert_eq!(wbxml, theirs, "{name}");
        let Some(back) = libwbxml_decode(&wbxml, None) else {
            return;
        };
        assert_eq!(Message::decode(&back, Encoding::Xml, &Limits::MESSAGE).unwrap(), message, "{name}");
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
}

#[test]
fn every_kind_is_in_the_order_of_the_document_type() {
    for (name, message) in every_kind().into_iter().filter(|(name, _)| *name != "serialised tree") {
        let Some(result) = validate(&message.encode(Encoding::Xml).unwrap(), "own-vectors/dm12-own.dtd") else {
            return;
        };
        assert_eq!(result, Ok(()), "{name}");
    }
    // The other way round, so that the check can fail.
    let mut wrong = every_kind()[0].1.to_element().unwrap();
    wrong.children.reverse();
    assert!(validate(&xml::write(&wrong, None).unwrap(), "own-vectors/dm12-own.dtd").is_none_or(|result| result.is_err()));
}

#[test]
fn the_order_of_children_does_not_matter_to_the_reader() {
    fn reverse(element: &mut Element) {
        // Items, references and commands mean something by their order among themselves.
        if !["SyncBody", "Sequence", "Atomic"].contains(&element.name.as_str()) {
            let is_list = |node: &Node| matches!(node, Node::Element(child) if ["Item", "TargetRef", "SourceRef"].contains(&child.name.as_str()));
            let (lists, mut rest): (Vec<_>, Vec<_>) = element.children.drain(..).partition(is_list);
            rest.reverse();
            element.children = lists.into_iter().chain(rest).collect();
        }
        for child in &mut element.children {
            if let Node::Element(child) = child
                && matches!(child.namespace, Namespace::SyncMl | Namespace::MetInf)
            {
                reverse(child);
            }
        }
    }
    for (name, message) in every_kind() {
        let mut tree = message.to_element().unwrap();
        reverse(&mut tree);
        assert_eq!(Message::from_element(&tree).unwrap(), message, "{name}");
    }
}

#[test]
fn the_vectors_are_messages() {
    for (name, commands) in [("dm12_pkg1_alert1226", 4), ("dm12_pkg2_chal_pkgdata_tnds", 3)] {
        let Some(xml) = oracle(&format!("own-vectors/{name}.xml")) else {
            return;
        };
        let Some(wbxml) = oracle(&format!("own-vectors/{name}.libwbxml-n.wbxml")) else {
            return;
        };
        let message = Message::decode(&xml, Encoding::Xml, &Limits::MESSAGE).unwrap();
        assert_eq!(message.commands.len(), commands);
        assert_eq!(Message::decode(&wbxml, Encoding::Wbxml, &Limits::MESSAGE).unwrap(), message);
        assert_eq!(message.encode(Encoding::Wbxml).unwrap(), wbxml, "{name}");
    }
    let Some(wbxml) = oracle("own-vectors/dm12_pkg1_alert1226.libwbxml.wbxml") else {
        return;
    };
    let Some(xml) = oracle("own-vectors/dm12_pkg1_alert1226.xml") else {
        return;
    };
    // With a string table.
    let message = Message::decode(&wbxml, Encoding::Wbxml, &Limits::MESSAGE).unwrap();
    assert_eq!(message, Message::decode(&xml, Encoding::Xml, &Limits::MESSAGE).unwrap());
    assert!(message.header.credentials.as_ref().unwrap().verify_md5(&Secret::new("Bruce2", "OhBehave"), b"Nonce"));
    let Command::Alert(alert) = &message.commands[1] else { panic!() };
    let generic = GenericAlert::from_alert(alert).unwrap();
    assert_eq!((generic.items[0].data.as_str(), generic.items[0].mark), ("200", Mark::Informational));
    assert!(!message.commands[3].is_allowed_from_client());
}

#[test]
fn other_versions_and_documents_are_refused() {
    for name in ["libwbxml/syncml-001.xml", "libwbxml/syncml-012.xml", "libwbxml/syncml_with_ddf-001.xml"] {
        let Some(text) = oracle(name) else { return };
        let tree = xml::parse(&text, Some(Namespace::SyncMl), &Limits::MESSAGE).unwrap();
        let error = Message::from_element(&tree).unwrap_err();
        assert!(matches!(error, Error::Version { .. }), "{name}: {error}");
        assert!([505, 513].contains(&error.status()));
    }
    let tree = Element::new(Namespace::Ddf, "MgmtTree");
    let bytes = wbxml::encode(&tree, wbxml::Document::Tree).unwrap();
    assert_eq!(Message::decode(&bytes, Encoding::Wbxml, &Limits::MESSAGE), Err(Error::NotAMessage));
    assert!(matches!(Message::from_element(&tree), Err(Error::Structure(structure::Error::Root { .. }))));
}

#[test]
fn raw_bytes_go_as_they_are() {
    let bytes: Vec<u8> = (0..=255).collect();
    let item = Item::target("./x").with_bytes("application/octet-stream", bytes.clone());
    let mut message = every_kind().remove(0).1;
    message.commands = vec![Command::Replace(Edit::new(1, item))];
    let encoded = message.encode(Encoding::Wbxml).unwrap();
    let decoded = Message::decode(&encoded, Encoding::Wbxml, &Limits::MESSAGE).unwrap();
    assert_eq!(decoded, message);
    let Command::Replace(edit) = &decoded.commands[0] else { panic!() };
    assert_eq!(edit.items[0].bytes(&edit.meta).unwrap(), bytes);
    assert!(matches!(message.encode(Encoding::Xml), Err(Error::Xml(xml::Error::RawBytes(_)))));
    let text = Item::target("./x").with_base64("application/octet-stream", &bytes);
    assert_eq!(text.bytes(&Meta::default()).unwrap(), bytes);
    assert!(Item::target("./x").with_text("b64", "a/b", "?").bytes(&Meta::default()).is_err());
}

#[test]
fn rules_of_messages() {
    let base = every_kind().remove(0).1;
    let error = |change: &dyn Fn(&mut Message)| {
        let mut message = base.clone();
        change(&mut message);
        message.encode(Encoding::Xml).unwrap_err().to_string()
    };
    let alert = |id| Command::Alert(Alert { id, code: 1200, ..Alert::default() });
    for (reason, change) in [
        ("`SyncBody` has no `command`", &(|m: &mut Message| m.commands.clear()) as &dyn Fn(&mut Message)),
        ("two commands have the number 5", &|m| m.commands = vec![alert(5), alert(5)]),
        ("`CmdID` is `0`, expected a number above 0", &|m| m.commands = vec![alert(0)]),
        ("`MsgID` is `0`, expected a number above 0", &|m| m.header.message_id = 0),
        ("`SessionID` is ``, expected 1 to 64 characters", &|m| m.header.session_id.clear()),
        ("`Source` has no `LocURI`", &|m| m.header.source.uri.clear()),
        ("`Get` has no `Item`", &|m| m.commands = vec![Command::Get(Edit { id: 1, ..Edit::default() })]),
        ("`Exec` has no `Target`", &|m| m.commands = vec![Command::Exec(Exec { id: 1, items: vec![Item::source("x")], ..Exec::default() })]),
        ("`Results` has no `Source`", &|m| {
            m.commands = vec![Command::Results(Results { id: 1, command_ref: 1, items: vec![Item::target("x")], ..Results::default() })];
        }),
        ("`Atomic` has no `command`", &|m| m.commands = vec![Command::Atomic(Group { id: 1, ..Group::default() })]),
        ("`Sequence` has no place in `Sequence`", &|m| {
            m.commands =
                vec![Command::Sequence(Group { id: 1, commands: vec![Command::Status(Status::new(2, 1, 1, CommandName::Sequence, 200))], ..Group::default() })];
        }),
    ] {
        let found = error(change);
        assert_eq!(found, reason.replace("`Sequence` has no place", "`Status` has no place"));
    }
    let group = Group { id: 1, commands: vec![Command::Get(Edit::new(1, Item::target("x")))], ..Group::default() };
    assert_eq!(error(&|m| m.commands = vec![Command::Sequence(group.clone())]), "two commands have the number 1");
    assert!(!group.commands[0].is_allowed_in_atomic());
    let length = base.encode(Encoding::Wbxml).unwrap().len();
    assert!(base.encode_within(Encoding::Wbxml, u32::try_from(length).ok()).is_ok());
    assert_eq!(base.encode_within(Encoding::Wbxml, u32::try_from(length - 1).ok()), Err(Error::TooLong { actual: length, allowed: length - 1 }));
}

#[test]
fn media_types() {
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        assert_eq!(Encoding::from_content_type(encoding.content_type()), Some(encoding));
    }
    assert_eq!(Encoding::from_content_type("Application/vnd.syncml.dm+XML; charset=utf-8"), Some(Encoding::Xml));
    assert_eq!(Encoding::from_content_type("application/vnd.syncml+wbxml"), Some(Encoding::Wbxml));
    assert_eq!(Encoding::from_content_type("text/xml"), None);
}
